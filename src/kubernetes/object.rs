//! Kubernetes objects as the JSON that the server speaks. Pure.
//!
//! Not typed structs: those drop the fields of servers newer than they are.

use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt};

/// The value at a JSON pointer (`/spec/replicas`); `Null` when there is none.
pub fn at<'a>(json: &'a Value, pointer: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    json.pointer(pointer).unwrap_or(&NULL)
}

/// The kinds of object that the provider reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant is the Kubernetes kind of that name")]
pub enum Kind {
    ConfigMap,
    Service,
    StatefulSet,
    Pod,
    PodDisruptionBudget,
    PersistentVolumeClaim,
    PersistentVolume,
    StorageClass,
    Namespace,
    ServiceAccount,
    Secret,
    Event,
    Node,
    ResourceQuota,
    ControllerRevision,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 15] = [
        Kind::ConfigMap,
        Kind::Service,
        Kind::StatefulSet,
        Kind::Pod,
        Kind::PodDisruptionBudget,
        Kind::PersistentVolumeClaim,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::Namespace,
        Kind::ServiceAccount,
        Kind::Secret,
        Kind::Event,
        Kind::Node,
        Kind::ResourceQuota,
        Kind::ControllerRevision,
    ];

    /// The kind's name, its `apiVersion`, its plural in URLs, and whether it lives in a namespace.
    const fn facts(self) -> (&'static str, &'static str, &'static str, bool) {
        match self {
            Kind::ConfigMap => ("ConfigMap", "v1", "configmaps", true),
            Kind::Service => ("Service", "v1", "services", true),
            Kind::StatefulSet => ("StatefulSet", "apps/v1", "statefulsets", true),
            Kind::Pod => ("Pod", "v1", "pods", true),
            Kind::PodDisruptionBudget => ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", true),
            Kind::PersistentVolumeClaim => ("PersistentVolumeClaim", "v1", "persistentvolumeclaims", true),
            Kind::PersistentVolume => ("PersistentVolume", "v1", "persistentvolumes", false),
            Kind::StorageClass => ("StorageClass", "storage.k8s.io/v1", "storageclasses", false),
            Kind::Namespace => ("Namespace", "v1", "namespaces", false),
            Kind::ServiceAccount => ("ServiceAccount", "v1", "serviceaccounts", true),
            Kind::Secret => ("Secret", "v1", "secrets", true),
            Kind::Event => ("Event", "v1", "events", true),
            Kind::Node => ("Node", "v1", "nodes", false),
            Kind::ResourceQuota => ("ResourceQuota", "v1", "resourcequotas", true),
            Kind::ControllerRevision => ("ControllerRevision", "apps/v1", "controllerrevisions", true),
        }
    }

    /// The name as in a manifest: `StatefulSet`.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The `apiVersion` as in a manifest: `apps/v1`.
    pub const fn api_version(self) -> &'static str {
        self.facts().1
    }

    /// The plural as in URLs and RBAC rules: `statefulsets`.
    pub const fn plural(self) -> &'static str {
        self.facts().2
    }

    /// Whether objects of this kind live in a namespace.
    pub const fn namespaced(self) -> bool {
        self.facts().3
    }

    /// The API group as in RBAC rules; empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which object: what a URL says about it. Displays as `StatefulSet default/kafka`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The namespace; `None` for kinds that have none.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Key {
    /// An object in a namespace.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: Some(namespace.into()), name: name.into() }
    }

    /// An object of a kind that has no namespace.
    pub fn cluster_scoped(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, namespace: None, name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// One object, whole: what the server sent, or what is sent to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    kind: Kind,
    json: Value,
}

impl Object {
    /// The object of that kind with this content. `apiVersion` and `kind` are set from `kind` (lists leave them out);
    /// content that is not a JSON object counts as empty.
    pub fn new(kind: Kind, json: Value) -> Self {
        let mut content = match json {
            Value::Object(content) => content,
            _ => Map::new(),
        };
        content.insert("apiVersion".into(), kind.api_version().into());
        content.insert("kind".into(), kind.name().into());
        Self { kind, json: Value::Object(content) }
    }

    /// The object of that key with this content: `apiVersion`, `kind`, `metadata.name` and `metadata.namespace` come from the
    /// key.
    pub fn of(key: &Key, json: Value) -> Self {
        let mut object = Self::new(key.kind, json);
        object.set_metadata("name", key.name.as_str().into());
        if let Some(namespace) = &key.namespace {
            object.set_metadata("namespace", namespace.as_str().into());
        }
        object
    }

    /// The same object with `metadata.<field>` set.
    pub fn set_metadata(&mut self, field: &str, value: Value) {
        let Some(content) = self.json.as_object_mut() else { return };
        let metadata = content.entry("metadata").or_insert_with(|| json!({}));
        if !metadata.is_object() {
            *metadata = json!({});
        }
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(field.to_owned(), value);
        }
    }

    /// The whole content.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The whole content, to be changed; kind and key are the caller's to keep.
    pub fn json_mut(&mut self) -> &mut Value {
        &mut self.json
    }

    /// The whole content.
    pub fn into_json(self) -> Value {
        self.json
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which object it is.
    pub fn key(&self) -> Key {
        Key { kind: self.kind, namespace: self.namespace().map(str::to_owned), name: self.name().to_owned() }
    }

    /// `metadata.name`; empty when absent.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.at("/metadata/namespace").as_str().filter(|namespace| !namespace.is_empty())
    }

    /// `metadata.uid`; empty when absent. Another object of the same name has another one.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// `metadata.resourceVersion`; empty when absent.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// Whether its deletion has begun (`metadata.deletionTimestamp`).
    pub fn deleting(&self) -> bool {
        !self.at("/metadata/deletionTimestamp").is_null()
    }

    /// `metadata.labels`.
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        self.strings("/metadata/labels")
    }

    /// `metadata.annotations`.
    pub fn annotations(&self) -> BTreeMap<&str, &str> {
        self.strings("/metadata/annotations")
    }

    /// The value at a JSON pointer (`/spec/replicas`); `Null` when there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        at(&self.json, pointer)
    }

    /// The text at a JSON pointer; empty when there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The integer at a JSON pointer; `None` when there is none.
    pub fn int(&self, pointer: &str) -> Option<i64> {
        self.at(pointer).as_i64()
    }

    /// The list at a JSON pointer; empty when there is none.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// The map of texts at a JSON pointer; empty when there is none.
    pub fn strings(&self, pointer: &str) -> BTreeMap<&str, &str> {
        let map = self.at(pointer).as_object();
        map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }

    /// Whether the controller with this uid owns it (`metadata.ownerReferences`).
    pub fn is_owned_by(&self, uid: &str) -> bool {
        !uid.is_empty() && self.controllers().any(|owner| *at(owner, "/uid") == *uid)
    }

    /// The owners that made it and answer for it: one at most.
    pub fn controllers(&self) -> impl Iterator<Item = &Value> {
        self.list("/metadata/ownerReferences").iter().filter(|owner| *at(owner, "/controller") == true)
    }

    /// The `status` of the condition of that type (`Ready`): `Some(true)` for `True`; `None` when there is no such condition.
    pub fn condition(&self, condition: &str) -> Option<bool> {
        let found = self.list("/status/conditions").iter().find(|entry| *at(entry, "/type") == *condition)?;
        Some(*at(found, "/status") == *"True")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_takes_its_identity_from_its_key() {
        let key = Key::new(Kind::StatefulSet, "prod", "kafka");
        let object = Object::of(&key, json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 3}}));
        assert_eq!(object.key(), key);
        assert_eq!(object.text("/apiVersion"), "apps/v1");
        assert_eq!(object.int("/spec/replicas"), Some(3));
        assert_eq!(object.labels(), BTreeMap::from([("a", "b")]));
        assert_eq!(key.to_string(), "StatefulSet prod/kafka");
        assert_eq!(Key::cluster_scoped(Kind::StorageClass, "fast").to_string(), "StorageClass fast");
    }

    #[test]
    fn what_is_absent_reads_as_nothing() {
        let object = Object::new(Kind::Pod, json!("not an object"));
        assert_eq!((object.name(), object.namespace(), object.uid()), ("", None, ""));
        assert!(object.at("/spec/containers/0").is_null());
        assert!(object.list("/spec/containers").is_empty());
        assert_eq!(object.condition("Ready"), None);
    }

    #[test]
    fn every_kind_is_listed_once() {
        let names: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert_eq!(Kind::PodDisruptionBudget.group(), "policy");
        assert_eq!(Kind::Pod.group(), "");
    }
}
