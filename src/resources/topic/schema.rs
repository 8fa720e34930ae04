//! The attributes of `kafkastack_topic`, and the names of settings that topics have. Pure.

use crate::model;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::Timeouts;
use crate::plugin::value::Value;
use crate::resources::checks;
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
        /// brokers' default; those that are not here are left alone.
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

/// `namespace/name` in two parts.
pub fn split_cluster(id: &str) -> Option<(&str, &str)> {
    id.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty() && !name.contains('/'))
}

/// An id of a cluster or ensemble.
///
/// # Errors
/// What it should look like.
pub fn cluster_id(value: &Value) -> Result<(), String> {
    match split_cluster(text(value)) {
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

/// Brokers trim values.
fn same_config(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| text(other).trim() == text(value).trim()))
        }
        _ => false,
    }
}

/// The settings that a topic has in some release of Kafka up to 4.1 (`TopicConfig` and its Confluent Server kin are not told apart).
const KNOWN: &[&str] = &[
    "cleanup.policy",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "follower.replication.throttled.replicas",
    "index.interval.bytes",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.downconversion.enable",
    "message.format.version",
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.difference.max.ms",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "preallocate",
    "remote.copy.disable",
    "remote.log.copy.disable",
    "remote.log.delete.on.disable",
    "remote.storage.enable",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// For a setting that no known release has: the most similar one that there is, if one is similar at all.
///
/// `None`: the setting is known.
pub fn unknown_setting(key: &str) -> Option<Option<&'static str>> {
    if KNOWN.contains(&key) || key.starts_with("confluent.") {
        return None;
    }
    let similar = KNOWN.iter().map(|known| (distance(key, known), *known)).min();
    Some(similar.filter(|(distance, _)| *distance <= 4 && *distance * 3 <= key.len()).map(|(_, known)| known))
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut before = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(left != right)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            before = cost;
        }
    }
    row.last().copied().unwrap_or_default()
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
    fn a_misspelt_setting_brings_the_one_that_was_meant() {
        assert_eq!(unknown_setting("retention.ms"), None);
        assert_eq!(unknown_setting("retention.msec"), Some(Some("retention.ms")));
        assert_eq!(unknown_setting("min.insync.replica"), Some(Some("min.insync.replicas")));
        assert_eq!(unknown_setting("colour"), Some(None));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_cluster_is_named_by_its_id() {
        assert_eq!(cluster_id(&Value::from("prod/kafka")), Ok(()));
        for bad in ["kafka", "/kafka", "prod/", "a/b/c"] {
            assert!(cluster_id(&Value::from(bad)).is_err(), "{bad}");
        }
    }
}
