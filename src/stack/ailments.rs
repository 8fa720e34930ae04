//! What is not whole in a stack: the one judgement for the wait of an apply, for a drill and for the health data source. Pure.

use super::facts::{Facts, Pod, Service, leads};
use crate::kafka::{ClusterView, Error, Partition, Topic};
use crate::zookeeper::{Mode, quorum};
use std::collections::BTreeMap;
use std::fmt;

/// Something that is not whole. As text it is one fact, without a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// Another Kafka answers under the names of this one.
    OtherKafka(Error),
    /// The brokers do not answer.
    Silent(Error),
    /// Partitions without a leader: neither written nor read.
    Offline(Vec<String>),
    /// Partitions with fewer replicas in sync than a write with acks=all needs.
    UnderMinInSync(Vec<String>),
    /// Brokers that are not registered.
    Unregistered(Vec<i64>),
    /// Brokers that are registered, and do not answer: each with the reason.
    Mute(Vec<(i64, String)>),
    /// Brokers that are registered and not wanted. Kafka places partitions on whoever is registered: what comes to be on one that
    /// has gone is out of reach for ever.
    Surplus(Vec<i64>),
    /// Partitions without a leader, or with a replica that is behind or gone; the first one with its replicas.
    OutOfSync(Vec<String>),
    /// No broker is the controller.
    NoController,
    /// Fewer members serve than a quorum needs: how many, of how many.
    NoQuorum(usize, usize),
    /// Members out of the quorum, each with the reason.
    OutOfQuorum(Vec<(String, String)>),
    /// No member leads.
    NoLeader,
    /// More than one member leads.
    Leaders(Vec<String>),
    /// Other than as many pods as there should be.
    Pods(Service, usize, i64),
    /// Pods that are not ready.
    Unready(Vec<String>),
}

/// How the partitions are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partitions {
    /// Without a leader: neither written nor read.
    pub offline: Vec<String>,
    /// With a replica that is behind or gone.
    pub under_replicated: Vec<String>,
    /// With fewer replicas in sync than a write with acks=all needs.
    pub under_min_insync: Vec<String>,
    /// Without a leader, or with a replica that is behind or gone; the first one with its replicas.
    behind: Vec<String>,
}

/// `min.insync.replicas` of each topic, as far as it is known; none: nobody asked.
pub type MinInSync<'a> = Option<&'a BTreeMap<String, usize>>;

/// Whether a partition is led, and every replica has everything.
pub fn is_whole(leader: Option<i32>, replicas: &[i32], isr: &[i32]) -> bool {
    leader.is_some() && isr.len() == replicas.len()
}

/// Sorts the partitions that are not whole. One may be in more than one list.
pub fn partitions(topics: &[Topic], min_insync: MinInSync<'_>) -> Partitions {
    let mut found = Partitions::default();
    for topic in topics {
        let needed = min_insync.map_or(0, |known| known.get(&topic.name).copied().unwrap_or(1));
        for partition in &topic.partitions {
            let name = format!("{}-{}", topic.name, partition.index);
            let Partition { leader, isr, replicas, .. } = partition;
            if leader.is_none() {
                found.offline.push(name.clone());
            }
            if isr.len() < needed {
                found.under_min_insync.push(name.clone());
            }
            if !is_whole(*leader, replicas, isr) {
                found.behind.push(match found.behind.is_empty() {
                    true => format!("{name} (replicas {replicas:?}, in sync {isr:?})"),
                    false => name.clone(),
                });
            }
            if isr.len() < replicas.len() {
                found.under_replicated.push(name);
            }
        }
    }
    found
}

/// What is not whole of the brokers and their partitions, the gravest first.
pub fn of_brokers(brokers: i64, view: &ClusterView, topics: &[Topic], min_insync: MinInSync<'_>) -> Vec<Ailment> {
    let registered = |id: &i64| view.brokers.iter().any(|broker| i64::from(broker.id) == *id);
    let missing: Vec<i64> = (0..brokers).filter(|id| !registered(id)).collect();
    let wanted = |id: &i64| (0..brokers).contains(id);
    let surplus: Vec<i64> = view.brokers.iter().map(|broker| i64::from(broker.id)).filter(|id| !wanted(id)).collect();
    let Partitions { offline, under_min_insync, behind, .. } = partitions(topics, min_insync);
    let some = |names: Vec<String>| Some(names).filter(|names| !names.is_empty());
    [
        some(offline).map(Ailment::Offline),
        some(under_min_insync).map(Ailment::UnderMinInSync),
        (!missing.is_empty()).then_some(Ailment::Unregistered(missing)),
        (!surplus.is_empty()).then_some(Ailment::Surplus(surplus)),
        some(behind).map(Ailment::OutOfSync),
        view.controller.is_none().then_some(Ailment::NoController),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is not whole of the members of an ensemble, the gravest first.
pub fn of_members(modes: &[(String, Result<Mode, String>)]) -> Vec<Ailment> {
    let out: Vec<(String, String)> =
        modes.iter().filter_map(|(pod, mode)| Some((pod.clone(), mode.as_ref().err()?.clone()))).collect();
    let serving = modes.len() - out.len();
    let leaders: Vec<String> = modes.iter().filter(|(_, mode)| leads(mode)).map(|(pod, _)| pod.clone()).collect();
    [
        (serving < quorum(modes.len())).then_some(Ailment::NoQuorum(serving, modes.len())),
        (!out.is_empty()).then_some(Ailment::OutOfQuorum(out)),
        match leaders.len() {
            0 => Some(Ailment::NoLeader),
            1 => None,
            _ => Some(Ailment::Leaders(leaders)),
        },
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is not whole of the pods of a service.
pub fn of_pods(service: Service, wanted: i64, pods: &[Pod]) -> Vec<Ailment> {
    let pods: Vec<&Pod> = pods.iter().filter(|pod| pod.service == service).collect();
    let unready: Vec<String> = pods.iter().filter(|pod| !pod.ready).map(|pod| pod.name.clone()).collect();
    let other = usize::try_from(wanted) != Ok(pods.len());
    [other.then_some(Ailment::Pods(service, pods.len(), wanted)), (!unready.is_empty()).then_some(Ailment::Unready(unready))]
        .into_iter()
        .flatten()
        .collect()
}

/// What is not whole of a stack, the gravest first.
pub fn of_stack(facts: &Facts, min_insync: MinInSync<'_>) -> Vec<Ailment> {
    let mut found = match &facts.kafka {
        Err(why @ Error::OtherCluster(_)) => vec![Ailment::OtherKafka(why.clone())],
        Err(why) => vec![Ailment::Silent(why.clone())],
        Ok((view, topics)) => of_brokers(facts.brokers, view, topics, min_insync),
    };
    if facts.members.is_some() {
        found.extend(of_members(&facts.modes));
    }
    found.extend(of_pods(Service::Kafka, facts.brokers, &facts.pods));
    if let Some(members) = facts.members {
        found.extend(of_pods(Service::Zookeeper, members, &facts.pods));
    }
    found
}

/// Why one more pod must not be taken away. It may pass.
pub fn ailments(facts: &Facts) -> Vec<Ailment> {
    of_stack(facts, None)
}

/// As many as a person reads, and how many more there are.
pub fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

fn numbers(ids: &[i64]) -> String {
    some(&ids.iter().map(i64::to_string).collect::<Vec<_>>())
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKafka(why) => write!(f, "another Kafka answers: {why}"),
            Self::Silent(why) => write!(f, "the brokers do not answer: {why}"),
            Self::Offline(names) => write!(f, "no leader, so neither writes nor reads: {}", some(names)),
            Self::UnderMinInSync(names) => {
                write!(f, "fewer replicas in sync than writes with acks=all need: {}", some(names))
            }
            Self::Unregistered(ids) => write!(f, "not registered: broker {}", numbers(ids)),
            Self::Mute(brokers) => {
                let each = brokers.iter().map(|(id, why)| format!("broker {id} does not answer: {why}"));
                f.write_str(&each.collect::<Vec<_>>().join("; "))
            }
            Self::Surplus(ids) => {
                write!(
                    f,
                    "registered, but not wanted: broker {} (one that went is forgotten when its session ends; one that stays was started by other hands, or is of another cluster in the same chroot)",
                    numbers(ids)
                )
            }
            Self::OutOfSync(names) => write!(f, "{} partition(s) not in sync: {}", names.len(), some(names)),
            Self::NoController => f.write_str("there is no controller"),
            Self::NoQuorum(serving, of) => write!(f, "ZooKeeper has no quorum: {serving} of {of} members serve"),
            Self::OutOfQuorum(members) => {
                let each: Vec<String> = members.iter().map(|(pod, why)| format!("{pod}: {why}")).collect();
                write!(f, "not in the quorum: {}", each.join(", "))
            }
            Self::NoLeader => f.write_str("no ZooKeeper member leads"),
            Self::Leaders(names) => write!(f, "more than one ZooKeeper member leads: {}", names.join(", ")),
            Self::Pods(service, there, wanted) => write!(f, "{there} of {wanted} {service} pods are there"),
            Self::Unready(names) => write!(f, "not ready: {}", some(names)),
        }
    }
}

#[cfg(test)]
#[path = "ailments_tests.rs"]
mod tests;
