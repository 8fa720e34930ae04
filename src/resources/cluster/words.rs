//! Words about clusters.

use crate::kubernetes::failure::Failure;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;
use crate::stack::ailments::some;
use crate::stack::names::Id;

/// A cluster keeps its chroot.
pub fn chroot_change(old: &str, new: &str) -> Diagnostic {
    let why = format!(
        "`zookeeper.chroot` is {old:?} and cannot become {new:?}: the cluster's metadata is there. Brokers would not start elsewhere, or (before Kafka 2.4) start as an empty cluster."
    );
    Diagnostic::error("The chroot cannot be changed", why)
        .kind("chroot_change")
        .hint("restore the old value")
        .at(Path::of("zookeeper").attribute("chroot"))
}

/// Two clusters in one chroot.
pub fn shared_chroot(other: &Id, chroot: &str) -> Diagnostic {
    let why = format!(
        "kafkastack_cluster {other} keeps its metadata in this ensemble under {chroot:?}, too. Brokers of both would become one cluster: some could not start, and the others would get each other's replicas. No broker was made."
    );
    Diagnostic::error("Another cluster lives in this chroot", why).kind("shared_chroot").hint(OWN_CHROOT).at(chroot_path())
}

/// The same at plan, where the other one may go before.
pub fn shares_chroot(other: &Id, chroot: &str) -> Diagnostic {
    let why = format!(
        "kafkastack_cluster {other} keeps its metadata in this ensemble under {chroot:?}, too. Unless that one is destroyed first, the apply refuses."
    );
    Diagnostic::warning("Another cluster lives in this chroot", why).kind("shares_chroot").hint(OWN_CHROOT).at(chroot_path())
}

/// Brokers of nobody knows which cluster live in the chroot.
pub fn lived_in(chroot: &str, brokers: &[String]) -> Diagnostic {
    let why = format!(
        "Under {chroot:?} of this ensemble these brokers are registered, and no StatefulSet of this cluster is there: {}. New brokers would become brokers of that cluster. No broker was made.",
        brokers.join(", ")
    );
    Diagnostic::error("Brokers of another cluster live in this chroot", why)
        .kind("lived_in_chroot")
        .hint(OWN_CHROOT)
        .at(chroot_path())
}

const OWN_CHROOT: &str = "give this cluster a chroot of its own, such as `zookeeper = { chroot = \"/NAME\" }`";

fn chroot_path() -> Path {
    Path::of("zookeeper").attribute("chroot")
}

/// Metadata of an earlier cluster, without its data.
pub fn earlier_metadata(chroot: &str, id: &str) -> Diagnostic {
    let why = format!(
        "Under {chroot:?} of this ensemble is the metadata of the Kafka cluster {id}, and no claim holds its data. The new brokers take it up: its topics are there, and empty."
    );
    Diagnostic::warning("Metadata of an earlier cluster is used again", why)
        .kind("earlier_metadata")
        .hint("for a cluster without history choose another `zookeeper.chroot`")
        .at(chroot_path())
}

/// Topics keep brokers from going.
pub fn stranded(brokers: i64, topics: &[&str]) -> Diagnostic {
    let some = topics.iter().take(10).copied().collect::<Vec<_>>().join(", ");
    let more = if topics.len() > 10 { format!(" and {} more", topics.len() - 10) } else { String::new() };
    let why =
        format!("With {brokers} brokers, those with an id from {brokers} on would go, and they hold replicas of: {some}{more}.");
    Diagnostic::error("Brokers that would go hold replicas", why)
        .kind("stranded")
        .hint("move these replicas first (kafka-reassign-partitions), or keep the brokers")
        .at(Path::of("brokers"))
}

/// Another ensemble.
pub fn connection_change(old: &str, new: &str, own: Option<&str>, found: &Result<Option<String>, String>) -> Diagnostic {
    let own = own.map_or_else(|| "is not known".to_owned(), |id| format!("is {id}"));
    let found = match found {
        Ok(Some(id)) => format!("the new one holds that of cluster {id}"),
        Ok(None) => "the new one holds that of no cluster".to_owned(),
        Err(why) => format!("the new one could not be asked: {why}"),
    };
    Diagnostic::error(
        "The cluster's metadata is in another ensemble",
        format!("`zookeeper.connection` is {old:?} and would become {new:?}. These have no member in common. The cluster's metadata (its topics, for one) is in the old one; its id {own}, and {found}. Brokers would not start there, or (before Kafka 2.4) start as an empty cluster."),
    ).kind("workload.connection_change").hint("restore the old value; another address of the same ensemble is accepted when the provider can read <chroot>/cluster/id there")
}

/// A cluster could not write itself into its ensemble's anchor.
pub fn not_entered(user: &str, ensemble: &str, failure: &Failure) -> Diagnostic {
    Diagnostic::warning(
        "Nothing keeps the ensemble from being destroyed",
        format!("kafkastack_cluster {user} could not be entered in the ConfigMap of kafkastack_zookeeper_ensemble {ensemble}: {failure}"),
    ).kind("workload.not_entered").hint("only that ensemble's own `deletion_protection` guards the cluster's metadata; give the provider's user `get` and `update` on that ConfigMap")
}

/// Topics that more `min.insync.replicas` would stop.
pub fn kept_writable(old: usize, new: usize, topics: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Topics have fewer replicas than brokers will want in sync",
        format!(
            "`min.insync.replicas` of the brokers becomes {new}, and these topics have fewer replicas: {}. They would take no write with acks=all. The apply gives each of them `min.insync.replicas` = {old} of its own before any broker restarts.",
            some(topics)
        ),
    )
    .kind("workload.kept_writable")
    .hint("give them more replicas (`replication_factor` of a kafkastack_topic, or kafka-reassign-partitions), and then take that setting away")
}

/// The listener that brokers use among themselves.
pub fn first_listener_change(old: &(String, i64), new: &(String, i64)) -> Diagnostic {
    Diagnostic::error(
        "The first listener cannot be changed",
        format!("Brokers reach each other at the first listener, and would lose each other while they restart one by one: it is {:?} at port {} and would be {:?} at port {}.", old.0, old.1, new.0, new.1),
    ).kind("workload.first_listener_change").hint(format!("keep {:?} at port {} as the first one of `listeners`, and put others after it", old.0, old.1))
}
