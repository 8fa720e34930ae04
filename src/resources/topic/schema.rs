//! The attributes of `kafkastack_topic`. Pure.

use super::setting;
use crate::model;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::Timeouts;
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
        cluster: String = optional().replaces().identifies().check(checks::cluster_id),
        /// The name: 1 to 249 letters, digits, `.`, `_` and `-`.
        name: String = required().replaces().identifies().check(topic_name),
        /// How many partitions. It can only grow. Where keys decide on the partition, growth sends them to other ones.
        partitions: i64 = optional().defaults_to(1).check(checks::positive),
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

/// Kafka's rule (`Topic.validate`).
fn topic_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if matches!(name.len(), 1..=249) && name.chars().all(legal) && name != "." && name != ".." {
        return Ok(());
    }
    Err(format!("{name:?} is not a topic's name: 1 to 249 letters, digits, `.`, `_` and `-`, and not `.` or `..`."))
}

fn replication_factor(factor: &i64) -> Result<(), String> {
    match factor {
        1..=32767 => Ok(()),
        _ => Err("it has to be a whole number between 1 and the number of brokers.".to_owned()),
    }
}

/// Each setting has the value that brokers read in the other text, too.
fn same_config(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> bool {
    let same = |(key, value): (&String, &String)| b.get(key).is_some_and(|other| setting::same(key, value, other));
    a.len() == b.len() && a.iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_kafkas_rule() {
        for good in ["a", "orders.v1_x-Y", &"a".repeat(249)] {
            assert_eq!(topic_name(good), Ok(()));
        }
        for bad in ["", ".", "..", "a b", "a/b", "ä", &"a".repeat(250)] {
            assert!(topic_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn another_spelling_of_a_setting_is_no_change() {
        let map = |entries: &[(&str, &str)]| entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let written = map(&[("cleanup.policy", "compact, delete"), ("retention.ms", "05")]);
        assert!(same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("retention.ms", "5")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("retention.ms", "6")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete"), ("segment.ms", "5")])));
        assert!(!same_config(&written, &map(&[("cleanup.policy", "compact,delete")])));
    }
}
