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

use crate::plugin::value::Value;
use sha2::{Digest, Sha256};

/// A short name of a content: equal contents have equal fingerprints.
pub fn fingerprint(content: &serde_json::Value) -> String {
    let text = serde_json::to_vec(content).unwrap_or_default();
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A known value as JSON; unknown parts count as null.
pub fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Unknown | Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_exact_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::List(items) | Value::Set(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, item)| (key.clone(), as_json(item))).collect(),
        Value::Dynamic(dynamic) => as_json(&dynamic.value),
    }
}

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
