//! The resources, one folder or file each, with the same parts in each: schema, objects, plan, apply, read, delete.

pub mod checks;
pub mod cluster;
pub mod ha_drill;
pub mod owned;
pub mod storage;
pub mod topic;
pub mod workload;
pub mod zookeeper_ensemble;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod site_tests;

#[cfg(test)]
mod tests {
    use crate::plugin::identity::Identity;
    use crate::testing::core::{config, resource};
    use serde_json::json;

    #[test]
    fn the_import_id_is_what_the_identity_says() {
        for (name, set, id) in [
            ("storage", json!({"name": "fast"}), "fast"),
            ("zookeeper_ensemble", json!({"namespace": "prod", "name": "zk"}), "prod/zk"),
            ("cluster", json!({"name": "kafka"}), "default/kafka"),
            ("topic", json!({"cluster": "prod/kafka", "name": "orders"}), "prod/kafka/orders"),
            ("topic", json!({"name": "orders"}), "orders"),
        ] {
            let resource = resource(name);
            let identity = Identity::of(&resource.schema().attributes).unwrap();
            assert_eq!(identity.import_id(&identity.complete(&config(&*resource, set))), id);
        }
    }
}
