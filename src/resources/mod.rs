//! What there is, one folder each: a resource, its data source, its list, its action, its words. `offers()` of a folder says which.
//! Files of the same name do the same in each: `schema.rs` attributes, `plan.rs` what a plan refuses, `apply.rs` what is written,
//! `read.rs` what is there, `words.rs` what it alone says.

pub mod checks;
pub mod cluster;
pub mod drift;
pub mod ha_drill;
pub mod health;
pub mod inside;
pub mod owned;
pub mod storage;
pub mod topic;
pub mod workload;
pub mod zookeeper_ensemble;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod histories_tests;
#[cfg(test)]
mod properties_tests;
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
