//! The attributes of `kafkastack_topic`. Pure.

use super::setting;
use crate::model;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::Timeouts;
use crate::plugin::value::Value;
use crate::resources::checks;
use crate::stack::names::Id;
use std::collections::BTreeMap;

model! {
    /// A topic of a Kafka cluster. Partitions are added in place and never removed; the number of replicas is changed in place
    /// by moving data (Kafka 2.4 or later); of its settings only those in `config` are managed.
    pub struct Topic {
        /// `<namespace>/<cluster>/<name>`, or just the name where the provider's `kafka` block says which cluster. It is also
        /// the import id.
        id: String = computed().stable(),
        /// The `id` of a `kafkastack_cluster`. Without it: the cluster of the provider's `kafka.bootstrap_servers`.
        cluster: String = optional().replaces().identifies().check(cluster_id),
        /// The name: 1 to 249 letters, digits, `.`, `_` and `-`.
        name: String = required().replaces().identifies().check(topic_name),
        /// How many partitions. It can only grow. Where keys decide on the partition, growth sends them to other ones.
        partitions: i64 = optional().defaults_to(1i64).check(checks::positive),
        /// How many replicas each partition has: at most as many as there are brokers. Default: 3, or as many as there are
        /// brokers where there are fewer. Where partitions differ, the smallest is shown.
        replication_factor: i64 = optional().or_computed().stable().check(replication_factor),
        /// Settings of the topic by their Kafka names, such as `retention.ms`. One that is removed here goes back to the
        /// brokers' default; those that are not here are left alone. What brokers read as the same value is the same:
        /// `"compact, delete"` and `"compact,delete"`, `"0.50"` and `"0.5"`, `"TRUE"` and `"true"`.
        config: BTreeMap<String, String> = optional().check(checks::properties).same_if(same_config),
        /// Refuse to destroy or replace the topic. Set it to false and apply before a destroy.
        deletion_protection: bool = optional().defaults_to(false),
        /// Kafka's own id of the topic; none from brokers before 2.8. Another one means that the topic was deleted and made anew.
        topic_id: String = computed().stable(),
        /// The brokers of each partition, preferred leader first: `{ "0" = "2,0,1" }`.
        assignments: BTreeMap<String, String> = computed(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An id of a cluster or ensemble.
///
/// # Errors
/// What it should look like.
pub fn cluster_id(value: &Value) -> Result<(), String> {
    match Id::parse(text(value)) {
        Some(_) => Ok(()),
        None => Err(format!("{:?} is not the id of a kafkastack_cluster, `namespace/name`.", text(value))),
    }
}

/// Kafka's rule (`Topic.validate`).
fn topic_name(value: &Value) -> Result<(), String> {
    let name = text(value);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if matches!(name.len(), 1..=249) && name.chars().all(legal) && name != "." && name != ".." {
        return Ok(());
    }
    Err(format!("{name:?} is not a topic's name: 1 to 249 letters, digits, `.`, `_` and `-`, and not `.` or `..`."))
}

fn replication_factor(value: &Value) -> Result<(), String> {
    let factor = match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    match factor {
        Some(1..=32767) => Ok(()),
        _ => Err("it has to be a whole number between 1 and the number of brokers.".to_owned()),
    }
}

/// Each setting has the value that brokers read in the other text, too.
fn same_config(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            let same =
                |(key, value): (&String, &Value)| b.get(key).is_some_and(|other| setting::same(key, text(value), text(other)));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_kafkas_rule() {
        for good in ["a", "orders.v1_x-Y", &"a".repeat(249)] {
            assert_eq!(topic_name(&Value::from(good)), Ok(()));
        }
        for bad in ["", ".", "..", "a b", "a/b", "ä", &"a".repeat(250)] {
            assert!(topic_name(&Value::from(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn another_spelling_of_a_setting_is_no_change() {
        let map = |entries: &[(&str, &str)]| entries.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect::<Value>();
        let written = map(&[("cleanup.policy", "compact, delete"), ("retention.ms", "05")]);
        assert!(same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("retention.ms", "5")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("retention.ms", "6")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("segment.ms", "5")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete")])));
    }

    #[test]
    fn a_cluster_is_named_by_its_id() {
        assert_eq!(cluster_id(&Value::from("prod/kafka")), Ok(()));
        for bad in ["kafka", "/kafka", "prod/", "a/b/c"] {
            assert!(cluster_id(&Value::from(bad)).is_err(), "{bad}");
        }
    }
}
