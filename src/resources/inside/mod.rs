//! What lives inside a Kafka cluster: how it is reached, looked at and deleted, whatever it is. The brokers are asked through the
//! client that `reach.rs` finds; what a thing is and how it changes is its own folder's.
//!
//! ```text
//! every call ─▶ reach.rs: the anchor of its cluster ─▶ the client that asks its brokers
//! read ──────▶ look.rs: look until somebody answers; kept as it is while the whole cluster is away
//! delete ────▶ delete.rs: ask until it is gone; out of the state where its cluster goes too
//! ```

pub mod delete;
pub mod look;
pub mod reach;
pub mod words;

use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::owned::board;
use crate::stack::Stack;
use crate::stack::names::Id;
use std::fmt;
use std::time::Duration;

/// Between two looks at something slow.
pub const LATER: Duration = Duration::from_millis(500);
/// How long brokers that nobody reaches may be on their way back.
pub const AWAY: Duration = Duration::from_secs(60);

/// One thing inside a cluster, as it is found and as messages name it: `topic "orders"`.
#[derive(Clone, Copy, Debug)]
pub struct Thing<'a> {
    /// The resource's type without the provider's name.
    pub resource: &'static str,
    /// Its name in the cluster.
    pub name: &'a str,
    /// Its id, which an import takes.
    pub id: &'a str,
    /// The id of its cluster; empty where the provider's own settings say which.
    pub cluster: &'a str,
}

impl<'a> Thing<'a> {
    /// Things of this kind in a cluster, none of them in particular.
    pub fn any(resource: &'static str, cluster: &'a str) -> Self {
        Self { resource, name: "", id: "", cluster }
    }
}

impl Thing<'_> {
    /// What it is, in words.
    pub fn kind(&self) -> String {
        self.resource.replace('_', " ")
    }

    /// What is said is heard at the anchor of its cluster, where that has one.
    ///
    /// # Errors
    /// When there is no client yet.
    pub fn told(&self, cx: &Context<'_, Stack>) -> Result<(), Diagnostic> {
        if let Some(id) = Id::parse(self.cluster) {
            board::beside(cx, cx.client()?, id.anchor());
        }
        Ok(())
    }
}

impl fmt::Display for Thing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind(), self.name)
    }
}
