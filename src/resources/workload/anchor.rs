//! The anchor: the ConfigMap `<name>-kafkastack`, written before anything else and removed last. It says whose the
//! objects of that name are and how far the provider came, so that a run that was killed is taken up again and nothing
//! of somebody else is ever adopted. It also holds the specification, from which an import makes state. Pure.

use super::Spec;
use super::converge::MANAGED_BY;
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::path::Path;
use crate::plugin::wire;
use crate::resources::as_json;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// How far the provider came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Objects are being made for the first time.
    Creating,
    /// Everything is applied.
    Ready,
    /// A change is being applied.
    Updating,
    /// Objects are being removed.
    Deleting,
}

impl Phase {
    const ALL: [(Phase, &'static str); 4] =
        [(Phase::Creating, "creating"), (Phase::Ready, "ready"), (Phase::Updating, "updating"), (Phase::Deleting, "deleting")];

    /// As anchors spell it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }

    /// The phase that is spelled so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(phase, _)| *phase)
    }
}

/// What an anchor says.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor<M> {
    /// How far the provider came.
    pub phase: Phase,
    /// What was wanted when it was written.
    pub spec: M,
    /// When its create came to its end; none after the first change.
    pub created: Option<Timestamp>,
}

/// How long after its create an anchor that no state knows is taken for the trace of a run that was killed between its last
/// write and the answer to core.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(10);

/// Which object is the anchor of the workload `name`.
pub fn key(namespace: &str, name: &str) -> Key {
    Key::new(Kind::ConfigMap, namespace, format!("{name}-kafkastack"))
}

/// Kafka's own id of the cluster whose anchor this is; none where it is not known, or was taken out.
pub fn cluster_id(object: &Object) -> Option<String> {
    Some(object.text("/data/cluster_id")).filter(|id| !id.is_empty()).map(str::to_owned)
}

impl<M: Spec> Anchor<M> {
    /// The anchor as an object.
    pub fn object(&self) -> Object {
        let labels = json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/instance": self.spec.name()});
        let mut data = json!({"resource": M::RESOURCE, "phase": self.phase.name(), "spec": encode(&self.spec)});
        if let (Some(created), Some(data)) = (self.created, data.as_object_mut()) {
            data.insert("created".to_owned(), created.to_string().into());
        }
        Object::of(&key(self.spec.namespace(), self.spec.name()), json!({"metadata": {"labels": labels}, "data": data}))
    }

    /// What the object says, if it is an anchor of this kind of resource.
    pub fn read(object: &Object) -> Option<Self> {
        if object.text("/data/resource") != M::RESOURCE {
            return None;
        }
        let phase = Phase::named(object.text("/data/phase"))?;
        Some(Self { phase, spec: decode(object.text("/data/spec"))?, created: object.text("/data/created").parse().ok() })
    }

    /// Whether the run that made it may have been killed before core heard of it: it wanted the very same, just now.
    pub fn may_be_unheard_of(&self, wanted: &M, now: Timestamp) -> bool {
        let just_now = self.created.is_some_and(|created| now.duration_since(created) < JUST_NOW);
        just_now && encode(&self.spec) == encode(wanted)
    }
}

/// A specification as text, for the anchor and for private state. What only the servers know is left out.
pub fn encode<M: Spec>(spec: &M) -> String {
    as_json(&spec.clone().without_observations().encode()).to_string()
}

/// The specification that such text holds; attributes that are newer than it are null.
pub fn decode<M: Spec>(text: &str) -> Option<M> {
    let value = wire::json::decode(&M::kind(), text.as_bytes()).ok()?;
    M::decode(&value, &Path::root()).ok()
}
