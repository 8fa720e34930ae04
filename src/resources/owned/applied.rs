//! What was applied last: as text in the anchor and in private state, because what differs from that is drift, and what is wanted
//! otherwise than that is a change. Pure.

use crate::plugin::model::Object as Model;
use crate::plugin::operations::Private;
use crate::plugin::wire;
use crate::plugin::wire::json::as_json;

/// A resource's attributes, some of which only the servers know.
pub trait Specified: Model {
    /// The same without what only the servers know: what is wanted.
    #[must_use]
    fn without_observations(self) -> Self;
}

/// The key under which private state keeps what was last applied.
const APPLIED: &str = "applied";

/// A specification as text. What only the servers know is left out.
pub fn encode<M: Specified>(spec: &M) -> String {
    as_json(&spec.clone().without_observations().encode()).to_string()
}

/// The specification that such text holds; attributes that are newer than it are null.
pub fn decode<M: Specified>(text: &str) -> Option<M> {
    let value = wire::json::decode(M::shape(), text.as_bytes()).ok()?;
    M::decode(&value).ok()
}

/// Private state that keeps what is applied.
pub fn keep<M: Specified>(spec: &M) -> Private {
    [(APPLIED.to_owned(), encode(spec))].into()
}

/// What private state says was applied last.
pub fn kept<M: Specified>(private: &Private) -> Option<M> {
    decode(private.get(APPLIED)?)
}

/// What was applied last; the prior state where private state does not say.
pub fn applied<M: Specified>(private: &Private, prior: &M) -> M {
    kept(private).unwrap_or_else(|| prior.clone())
}
