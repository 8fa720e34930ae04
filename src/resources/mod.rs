//! The resources, one folder or file each, with the same parts in each: schema, objects, plan, apply, read, delete.

pub mod checks;
pub mod cluster;
pub mod site;
pub mod storage;
pub mod topic;
pub mod workload;
pub mod zookeeper_ensemble;

use crate::plugin::value::Value;
use sha2::{Digest, Sha256};

/// A short name of a content: equal contents have equal fingerprints.
pub fn fingerprint(content: &serde_json::Value) -> String {
    Sha256::digest(content.to_string()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
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
    }
}
