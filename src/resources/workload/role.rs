//! A workload is one or more sets of pods that do different things: brokers and controllers, for example. Pure.

use crate::kubernetes::object::Object;
use crate::stack::names::Names;
use serde_json::Value;
use std::collections::BTreeMap;

/// One set of pods, which do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// How it is called.
    pub names: Names,
    /// The name of the pods' container.
    pub container: &'static str,
    /// The name of the file in its ConfigMap that `config` is rendered into.
    pub file: &'static str,
    /// How many pods.
    pub replicas: i64,
}

impl Role {
    /// The names of its pods.
    pub fn pods(&self) -> Vec<String> {
        (0..self.replicas).map(|ordinal| self.names.pod(ordinal)).collect()
    }

    /// The names of their claims.
    pub fn claims(&self) -> Vec<String> {
        (0..self.replicas).map(|ordinal| self.names.claim(ordinal)).collect()
    }
}

/// The pods' templates of a workload, by the names of their StatefulSets.
pub type Templates = BTreeMap<String, Value>;

/// The live StatefulSet of a role, if there is one.
#[derive(Clone, Debug)]
pub struct Set {
    /// Of which role.
    pub role: Role,
    /// The object.
    pub live: Option<Object>,
}
