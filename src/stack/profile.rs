//! What an anchor tells others of the workload that it is of: how it is reached, and what may become of it. Whoever reads this
//! needs to know neither the resource nor its attributes. Pure.

use crate::kubernetes::object::{Object, at};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What others may know of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How many pods it has.
    pub replicas: i64,
    /// The port at which the provider speaks to them.
    pub port: u16,
    /// Whether its data goes with its pods.
    pub ephemeral: bool,
    /// Whether it may not be destroyed.
    pub deletion_protection: bool,
    /// Whether a destroy takes its claims.
    pub delete_claims: bool,
    /// The ensemble that it keeps its metadata in, as `host:port,...`; none for an ensemble.
    pub zookeeper: Option<String>,
}

/// Where the anchor has it.
pub const FIELD: &str = "profile";

impl Profile {
    /// What the anchor of such a resource says; none where it is not one.
    pub fn read(anchor: &Object, resource: &str) -> Option<Self> {
        if anchor.text("/data/resource") != resource {
            return None;
        }
        let written = anchor.text("/data/profile");
        match written.is_empty() {
            false => serde_json::from_str(written).ok(),
            true => Some(Self::of_the_first_version(&serde_json::from_str(anchor.text("/data/spec")).ok()?)),
        }
    }

    /// Anchors of the first version hold the attributes alone: those that were there by then.
    fn of_the_first_version(spec: &Value) -> Self {
        let flag = |pointer: &str, default: bool| at(spec, pointer).as_bool().unwrap_or(default);
        let zookeeper = at(spec, "/zookeeper/connection").as_str().map(str::to_owned);
        let (replicas, port) = match &zookeeper {
            Some(_) => (at(spec, "/brokers"), at(spec, "/listeners/0/port").as_u64().unwrap_or(9092)),
            None => (at(spec, "/members"), 2181),
        };
        Self {
            replicas: replicas.as_i64().unwrap_or(3),
            port: u16::try_from(port).unwrap_or_default(),
            ephemeral: flag("/storage/ephemeral", false),
            deletion_protection: flag("/deletion_protection", true),
            delete_claims: flag("/delete_claims", false),
            zookeeper,
        }
    }

    /// As the anchor holds it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::names::anchor;
    use serde_json::json;

    fn read(data: Value, resource: &str) -> Option<Profile> {
        Profile::read(&Object::of(&anchor("prod", "kafka"), json!({"data": data})), resource)
    }

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let profile = Profile {
            replicas: 5,
            port: 9093,
            ephemeral: true,
            deletion_protection: false,
            delete_claims: true,
            zookeeper: Some("zk-0.zk-headless.prod.svc:2181".to_owned()),
        };
        let data = json!({"resource": "cluster", FIELD: profile.text()});
        assert_eq!(read(data.clone(), "cluster"), Some(profile));
        assert_eq!(read(data, "zookeeper_ensemble"), None);
        assert_eq!(read(json!({"resource": "cluster", FIELD: "{"}), "cluster"), None);
    }

    #[test]
    fn an_anchor_of_the_first_version_tells_it_by_its_attributes() {
        let spec = json!({"zookeeper": {"connection": "zk:2181"}, "listeners": [{"port": 9093}], "storage": {"ephemeral": true}});
        let profile = read(json!({"resource": "cluster", "spec": spec.to_string()}), "cluster").unwrap();
        assert_eq!((profile.replicas, profile.port, profile.ephemeral), (3, 9093, true));
        assert_eq!((profile.deletion_protection, profile.delete_claims), (true, false));
        let spec = json!({"members": 5, "deletion_protection": false}).to_string();
        let profile = read(json!({"resource": "zookeeper_ensemble", "spec": spec}), "zookeeper_ensemble").unwrap();
        assert_eq!((profile.replicas, profile.port, profile.zookeeper), (5, 2181, None));
        assert!(!profile.deletion_protection);
    }
}
