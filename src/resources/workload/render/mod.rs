//! A set of pods as plain values -> its Kubernetes objects, one file for each kind. Pure.

mod budget;
mod config_map;
mod pod;
mod service;
mod stateful_set;

use super::attributes::Common;
use super::role::Role;
use crate::plugin::model::Attr;
use crate::resources::owned::MANAGED_BY;
use crate::stack::names;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where a pod keeps its data.
pub const DATA: &str = "/var/lib/kafkastack";
/// Where a pod finds the files of its ConfigMap.
pub const CONFIG: &str = "/etc/kafkastack";

/// One set of pods, with all that tells it from another one.
pub struct Pods<'a> {
    /// What every workload has: names, labels, and where and how its pods run.
    pub common: &'a Common,
    /// `zookeeper` or `kafka`: the value of `app.kubernetes.io/name`.
    pub app: &'static str,
    /// How they are called, and how many there are.
    pub role: Role,
    /// The container's image.
    pub image: &'a str,
    /// Environment variables, before the user's.
    pub env: Vec<(&'static str, String)>,
    /// Named ports.
    pub ports: Vec<(String, i64)>,
    /// The content of the ConfigMap: a change restarts the pods.
    pub files: BTreeMap<&'static str, String>,
    /// Startup, readiness and liveness probe, each with its timing.
    pub probes: [(&'static str, Value); 3],
    /// What is mounted beside data, files and a folder for what passes.
    pub mounts: Vec<Mount>,
    /// Seconds for a clean stop, unless the user says otherwise.
    pub grace: i64,
}

/// A volume that pods only read.
pub struct Mount {
    /// The volume's name.
    pub name: &'static str,
    /// Where it is in the container.
    pub path: &'static str,
    /// What is in it.
    pub source: Source,
}

/// What is in a volume.
pub enum Source {
    /// The pod's own labels, as the file `labels`. They change while the pod runs.
    Labels,
    /// The entries of a Secret, as files.
    Secret(String),
}

fn known<T: Clone + Default>(attr: &Attr<T>) -> T {
    attr.unwrap_or_default()
}

/// An object of these entries. It moves the values, which `json!` would copy.
fn of<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Adds `key` unless there is nothing to say.
fn set(object: &mut Value, key: &str, value: Value) {
    let nothing = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if let (false, Value::Object(entries)) = (nothing, object) {
        entries.insert(key.to_owned(), value);
    }
}

impl Pods<'_> {
    /// What the StatefulSet selects by; it never changes. Every chart uses such labels.
    fn selector(&self) -> Value {
        json!(self.role.names.selector)
    }

    /// What Services and the budget select by: our own mark, which all pods have, keeps those of neighbours out.
    fn own_selector(&self) -> Value {
        let mut selector = self.selector();
        set(&mut selector, MANAGED_BY.0, MANAGED_BY.1.into());
        selector
    }

    /// The labels that say whose an object is.
    fn own_labels(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        labels.extend(names::selector(self.app, self.common.name.text()).map(|(label, value)| (label.to_owned(), value.into())));
        labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
        labels
    }

    /// The same, and those that the pods are selected by.
    fn pod_labels(&self) -> Map<String, Value> {
        let mut labels = self.own_labels();
        labels.extend(self.role.names.selector.iter().map(|(label, value)| (label.clone(), value.as_str().into())));
        labels
    }

    /// The metadata of an object of this workload.
    fn metadata(&self, name: &str) -> Value {
        let mut labels = self.own_labels();
        labels.extend(known(&self.common.labels).into_iter().map(|(k, v)| (k, v.into())));
        let namespace = self.common.namespace.text();
        let mut metadata = of([("name", name.into()), ("namespace", namespace.into()), ("labels", labels.into())]);
        set(&mut metadata, "annotations", json!(known(&self.common.annotations)));
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::cluster;

    #[test]
    fn a_secret_is_mounted_to_be_read() {
        let cluster = cluster::schema::Cluster::default();
        let mut pods = cluster::objects::pods(&cluster);
        pods.mounts = vec![Mount { name: "keys", path: "/etc/keys", source: Source::Secret("kafka-keys".to_owned()) }];
        let set = pods.stateful_set();
        let has = |list: &str, wanted: Value| set.list(list).contains(&wanted);
        assert!(has(
            "/spec/template/spec/volumes",
            json!({"name": "keys", "secret": {"secretName": "kafka-keys", "defaultMode": 0o440}})
        ));
        let mount = json!({"name": "keys", "mountPath": "/etc/keys", "readOnly": true});
        assert!(has("/spec/template/spec/containers/0/volumeMounts", mount));
    }
}
