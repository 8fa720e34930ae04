//! How many pods may be away. Pure.

use super::{Pods, of};
use crate::kubernetes::object::{Kind, Object};
use serde_json::json;

impl Pods<'_> {
    /// How many pods a drain or an upgrade of nodes may take away at once.
    pub fn disruption_budget(&self, max_unavailable: i64) -> Object {
        let spec = json!({"maxUnavailable": max_unavailable, "selector": {"matchLabels": self.own_selector()}});
        Object::new(Kind::PodDisruptionBudget, of([("metadata", self.metadata(&self.role.names.set)), ("spec", spec)]))
    }
}
