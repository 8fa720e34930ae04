//! The attributes of `kafkastack_zookeeper_ensemble`.

use crate::model;
use crate::plugin::schema::{computed, optional};
use crate::resources::checks;
use crate::resources::workload::attributes::Common;
use std::collections::BTreeMap;

/// Settings of zoo.cfg that other attributes hold, and which.
pub const OWNED: &[(&str, &str)] = &[
    ("dataDir", "storage"),
    ("dataLogDir", "storage"),
    ("clientPort", "nothing: it is 2181"),
    ("clientPortAddress", "nothing: members listen on every address"),
    ("quorumListenOnAllIPs", "nothing: it is true"),
    ("4lw.commands.whitelist", "four_letter_words"),
    ("dynamicConfigFile", "members"),
];

model! {
    /// A ZooKeeper ensemble: a StatefulSet whose members find each other by name, restart one at a time and only while
    /// the others have a quorum, and keep their data when the resource is destroyed.
    ///
    /// It makes a StatefulSet, two Services, a ConfigMap with the pods' files and a PodDisruptionBudget; and first of all the ConfigMap
    /// `<name>-kafkastack`, its anchor, in which the provider notes how far it came.
    pub struct Ensemble {
        ..common: Common,
        /// How many members: an odd number, because an even one tolerates no more losses than the odd one below it.
        members: i64 = optional().defaults_to(3).check(members),
        /// The image, with the layout of the official `zookeeper` one, 3.5 or newer.
        image: String = optional().defaults_to("zookeeper:3.9.5").check(checks::image),
        /// The JVM's heap, such as `512m` or `2G`.
        heap: String = optional().defaults_to("512m").check(checks::heap).same_if(checks::same_heap),
        /// Settings of zoo.cfg by their names, such as `maxClientCnxns`. Purging of old snapshots is on.
        config: BTreeMap<String, String> = optional().check(checks::properties).check(config),
        /// The four-letter words that members answer. `srvr` and `ruok` are always among them: probes need them.
        four_letter_words: Vec<String> = optional().check(words),
        /// `host:port` of every member, with commas between them: what a client's `zookeeper.connect` takes.
        connection: String = computed(),
    }
}

fn members(n: &i64) -> Result<(), String> {
    match n {
        1..=15 if n % 2 == 1 => Ok(()),
        2..=15 => Err(format!(
            "{n} members tolerate the loss of {}, no more than {} members do, and one more can fail. Use {} or {}.",
            (n - 1) / 2,
            n - 1,
            n - 1,
            n + 1
        )),
        _ => Err(format!("{n} is not an odd number of members between 1 and 15.")),
    }
}

fn words(words: &[String]) -> Result<(), String> {
    let good = |word: &str| word == "*" || (word.len() == 4 && word.bytes().all(|b| b.is_ascii_lowercase()));
    match words.iter().find(|word| !good(word)) {
        Some(word) => Err(format!("{word:?} is not a four-letter word, nor `*`.")),
        None => Ok(()),
    }
}

fn config(entries: &BTreeMap<String, String>) -> Result<(), String> {
    for key in entries.keys() {
        if key.starts_with("server.") {
            return Err(format!("{key:?} follows from `members`; remove it."));
        }
        if let Some((_, instead)) = OWNED.iter().find(|(owned, _)| owned == key) {
            return Err(format!("{key:?} is set by the provider; use {instead} instead."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_ensemble_is_refused_with_the_reason() {
        assert_eq!(members(&3), Ok(()));
        assert_eq!(
            members(&4).unwrap_err(),
            "4 members tolerate the loss of 1, no more than 3 members do, and one more can fail. Use 3 or 5."
        );
        assert!(members(&0).is_err());
    }
}
