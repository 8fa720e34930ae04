//! The attributes of `kafkastack_cluster`.

use crate::plugin::schema::{computed, optional, required};
use crate::resources::checks;
use crate::resources::workload::attributes::Common;
use crate::{choice, model};
use std::collections::BTreeMap;

/// Settings of server.properties that other attributes hold, and which.
pub const OWNED: &[(&str, &str)] = &[
    ("broker.id", "nothing: it is the pod's ordinal"),
    ("node.id", "nothing: it is the pod's ordinal"),
    ("broker.id.generation.enable", "nothing: ids are the pods' ordinals"),
    ("broker.rack", "nothing: it is the zone of the pod's node"),
    ("zookeeper.connect", "`zookeeper`"),
    ("log.dir", "`storage`"),
    ("log.dirs", "`storage`"),
    ("listeners", "`listeners`"),
    ("advertised.listeners", "`listeners`"),
    ("listener.security.protocol.map", "`listeners`"),
    ("inter.broker.listener.name", "`listeners`, whose first one brokers use among themselves"),
    ("security.inter.broker.protocol", "`listeners`"),
    ("port", "`listeners`"),
    ("host.name", "`listeners`"),
    ("advertised.port", "`listeners`"),
    ("advertised.host.name", "`listeners`"),
    ("process.roles", "nothing: clusters use ZooKeeper"),
    ("controller.quorum.voters", "nothing: clusters use ZooKeeper"),
];

model! {
    /// The ZooKeeper ensemble that a cluster uses.
    pub struct Zookeeper {
        /// `host:port` of the members, with commas between them; the `connection` of a `kafkastack_zookeeper_ensemble`.
        connection: String = required().check(connection),
        /// The node under which the cluster keeps its own, such as `/kafka`. It cannot be changed later.
        chroot: String = optional().check(chroot),
    }
}

choice! {
    /// Who reaches a listener.
    pub enum Exposure {
        /// Who is inside the Kubernetes cluster.
        Internal = "internal",
    }
}

choice! {
    /// How a listener is secured.
    pub enum Protocol {
        /// Not at all.
        Plaintext = "PLAINTEXT",
    }
}

model! {
    /// Where brokers are reached.
    pub struct Listener {
        /// Its name, such as `internal`.
        name: String = required().check(listener_name),
        /// The port, in the pod and of the Service.
        port: i64 = required().check(port),
        /// Who reaches it: `internal`, from inside the Kubernetes cluster. There is nothing else yet.
        exposure: Exposure = optional(),
        /// How it is secured: `PLAINTEXT`, so not at all. There is nothing else yet.
        protocol: Protocol = optional(),
    }
}

model! {
    /// A Kafka cluster: brokers that use ZooKeeper, restart one at a time and only when every partition is in sync, and
    /// keep their data when the resource is destroyed.
    ///
    /// It makes a StatefulSet, two Services, a ConfigMap with the pods' files and a PodDisruptionBudget; and first of all the ConfigMap
    /// `<name>-kafkastack`, its anchor, in which the provider notes how far it came.
    pub struct Cluster {
        ..common: Common,
        /// How many brokers. Broker ids are 0 to `brokers` - 1.
        brokers: i64 = optional().defaults_to(3).check(brokers),
        /// The image, with the layout of `apache/kafka` or `confluentinc/cp-kafka`, with a release that uses ZooKeeper (up to 3.9).
        image: String = optional().defaults_to("apache/kafka:3.9.2").check(checks::image),
        /// The ZooKeeper ensemble.
        zookeeper: Zookeeper = required(),
        /// The JVM's heap, such as `1G` or `512m`.
        heap: String = optional().defaults_to("1G").check(checks::heap).same_if(checks::same_heap),
        /// Settings of server.properties by their names, such as `log.retention.hours`. Defaults that differ from Kafka's:
        /// replication factor 3 and `min.insync.replicas` 2 where there are three brokers, no unclean election, no automatic topics.
        config: BTreeMap<String, String> = optional().check(checks::properties).check(config),
        /// Where brokers are reached. Brokers use the first one among themselves. Default: `internal`, port 9092, `PLAINTEXT`.
        listeners: Vec<Listener> = optional().check(listeners),
        /// `host:port` of the Service, for clients inside the Kubernetes cluster.
        bootstrap_servers: String = computed(),
        /// Kafka's own id of the cluster.
        cluster_id: String = computed().stable(),
        /// The Kafka release, such as `3.9`, as the brokers themselves say by what they can do.
        kafka_version: String = computed(),
    }
}

fn brokers(n: &i64) -> Result<(), String> {
    match n {
        1..=500 => Ok(()),
        n => Err(format!("{n} is not a number of brokers between 1 and 500.")),
    }
}

fn port(n: &i64) -> Result<(), String> {
    match n {
        1024..=65535 => Ok(()),
        n => Err(format!("{n} is not a port between 1024 and 65535, which a user other than root may open.")),
    }
}

fn connection(text: &str) -> Result<(), String> {
    let member = |member: &str| {
        let (host, port) = member.rsplit_once(':')?;
        let good = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        (good && port.parse::<u16>().is_ok_and(|port| port > 0)).then_some(())
    };
    match text.split(',').find(|m| member(m).is_none()) {
        Some(bad) => Err(format!("{bad:?} is not `host:port`; a chroot has its own attribute `chroot`.")),
        None => Ok(()),
    }
}

fn chroot(text: &str) -> Result<(), String> {
    let node = |node: &str| {
        !node.is_empty() && node != "." && node != ".." && node.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    match text.strip_prefix('/') {
        Some(rest) if rest.split('/').all(node) => Ok(()),
        _ => Err(format!("{text:?} is not a path of ZooKeeper nodes such as `/kafka`.")),
    }
}

fn listener_name(text: &str) -> Result<(), String> {
    let good = text.len() <= 15
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-');
    if good {
        Ok(())
    } else {
        Err(format!("{text:?} is not a listener's name: at most 15 lower-case letters, digits and `-`, beginning with a letter."))
    }
}

fn listeners(listeners: &[Listener]) -> Result<(), String> {
    if listeners.is_empty() {
        return Err("a cluster has at least one listener.".to_owned());
    }
    for (i, listener) in listeners.iter().enumerate() {
        let same = |other: &&Listener| other.name == listener.name || other.port == listener.port;
        if let Some(twin) = listeners.iter().take(i).find(same) {
            return Err(format!("two listeners have the name or the port of {:?}.", twin.name.text()));
        }
    }
    Ok(())
}

fn config(entries: &BTreeMap<String, String>) -> Result<(), String> {
    for key in entries.keys() {
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
    fn a_setting_that_the_provider_owns_names_the_attribute_to_use() {
        let config_of = |key: &str| [(key.to_owned(), "x".to_owned())].into();
        assert_eq!(config(&config_of("log.retention.hours")), Ok(()));
        assert_eq!(config(&config_of("log.dirs")).unwrap_err(), "\"log.dirs\" is set by the provider; use `storage` instead.");
    }

    #[test]
    fn a_connection_is_host_and_port_of_each_member() {
        assert_eq!(connection("zk-0.zk:2181,zk-1.zk:2181"), Ok(()));
        for bad in ["", "zk", "zk:0", "zk:2181/kafka", "a b:1", "zk:2181,"] {
            assert!(connection(bad).is_err(), "{bad:?}");
        }
        assert_eq!(chroot("/a/b"), Ok(()));
        assert!(chroot("/").is_err());
        assert!(chroot("/a/../b").is_err());
    }
}
