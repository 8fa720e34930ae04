//! What is seen of a stack -> whether it is healthy, and every reason why not. Pure.

use crate::drill::facts::{Facts, Pod, Service};
use crate::kafka::{ClusterView, Error, LogDir, Partition, Topic};
use crate::zookeeper::{Mode, quorum};
use std::collections::BTreeMap;

/// Everything that is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Pods, brokers, topics, members.
    pub facts: Facts,
    /// `min.insync.replicas` of each topic, as far as it is known.
    pub min_insync: BTreeMap<String, usize>,
    /// The disks of each registered broker, or why it does not tell of them.
    pub disks: BTreeMap<i32, Result<Vec<LogDir>, String>>,
    /// Pods that still run an earlier specification.
    pub outdated: Vec<String>,
    /// What each member counts, by its pod.
    pub figures: BTreeMap<String, Figures>,
}

/// What a member counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests that wait.
    pub outstanding: Option<u64>,
    /// Followers that have everything; only the leader knows, and only where `mntr` is allowed.
    pub synced_followers: Option<u64>,
}

/// When something counts as unhealthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// The least part of a broker's volume that has to be left, in percent.
    pub disk_free_percent: u64,
    /// How many more partitions than another one a broker may lead; none: any number.
    pub leader_skew: Option<u64>,
    /// How many requests may wait at a member.
    pub outstanding_requests: u64,
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
}

/// Sorts the partitions that are not whole. One may be in more than one list.
pub fn partitions(topics: &[Topic], min_insync: &BTreeMap<String, usize>) -> Partitions {
    let mut found = Partitions::default();
    for topic in topics {
        let needed = min_insync.get(&topic.name).copied().unwrap_or(1);
        for partition in &topic.partitions {
            let name = format!("{}-{}", topic.name, partition.index);
            let Partition { leader, isr, replicas, .. } = partition;
            if leader.is_none() {
                found.offline.push(name.clone());
            }
            if isr.len() < needed {
                found.under_min_insync.push(name.clone());
            }
            if isr.len() < replicas.len() {
                found.under_replicated.push(name);
            }
        }
    }
    found
}

/// How many partitions each registered broker leads.
pub fn leaders(view: &ClusterView, topics: &[Topic]) -> BTreeMap<i32, u64> {
    let mut led: BTreeMap<i32, u64> = view.brokers.iter().map(|broker| (broker.id, 0)).collect();
    for leader in topics.iter().flat_map(|topic| &topic.partitions).filter_map(|partition| partition.leader) {
        *led.entry(leader).or_default() += 1;
    }
    led
}

/// The difference between the broker that leads most partitions and the one that leads fewest.
pub fn skew(led: &BTreeMap<i32, u64>) -> u64 {
    led.values().max().copied().unwrap_or(0) - led.values().min().copied().unwrap_or(0)
}

/// Every reason why the stack is not healthy, the gravest first; none: it is.
pub fn reasons(seen: &Seen, thresholds: &Thresholds) -> Vec<String> {
    let mut found = Vec::new();
    match &seen.facts.kafka {
        Err(why @ Error::OtherCluster(_)) => found.push(format!("another Kafka answers: {why}")),
        Err(why) => found.push(format!("the brokers do not answer: {why}")),
        Ok((view, topics)) => kafka(seen, view, topics, thresholds, &mut found),
    }
    if seen.facts.members.is_some() {
        ensemble(seen, thresholds, &mut found);
    }
    pods(seen, &mut found);
    found
}

/// As many as a person reads, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", shown.join(", ")),
        None => shown.join(", "),
    }
}

fn kafka(seen: &Seen, view: &ClusterView, topics: &[Topic], thresholds: &Thresholds, found: &mut Vec<String>) {
    let registered = |id: &i64| view.brokers.iter().any(|broker| i64::from(broker.id) == *id);
    let missing: Vec<String> = (0..seen.facts.brokers).filter(|id| !registered(id)).map(|id| format!("broker {id}")).collect();
    let Partitions { offline, under_replicated, under_min_insync } = partitions(topics, &seen.min_insync);
    for (names, what) in [
        (&offline, "no leader, so neither writes nor reads: "),
        (&under_min_insync, "fewer replicas in sync than writes with acks=all need: "),
        (&missing, "not registered: "),
        (&under_replicated, "a replica is behind or gone: "),
    ] {
        if !names.is_empty() {
            found.push(format!("{what}{}", some(names)));
        }
    }
    if view.controller.is_none() {
        found.push("there is no controller".to_owned());
    }
    for (broker, disks) in &seen.disks {
        disk(*broker, disks, thresholds, found);
    }
    let led = leaders(view, topics);
    if let Some(most) = thresholds.leader_skew.filter(|most| skew(&led) > *most) {
        let each: Vec<String> = led.iter().map(|(id, led)| format!("broker {id} {led}")).collect();
        found.push(format!("leaders are spread unevenly, by more than {most}: {}", each.join(", ")));
    }
}

fn disk(broker: i32, disks: &Result<Vec<LogDir>, String>, thresholds: &Thresholds, found: &mut Vec<String>) {
    let disks = match disks {
        Ok(disks) => disks,
        Err(why) => return found.push(format!("broker {broker} does not tell of its disks: {why}")),
    };
    for dir in disks {
        if !dir.online {
            found.push(format!("broker {broker} cannot use {}", dir.path));
        }
        let (Some(usable), Some(total)) = (dir.usable, dir.total) else { continue };
        let percent = u128::from(usable) * 100 / u128::from(total.max(1));
        if percent < u128::from(thresholds.disk_free_percent) {
            let least = thresholds.disk_free_percent;
            found.push(format!("broker {broker} has {percent} % of {} left, less than {least} %", dir.path));
        }
    }
}

fn ensemble(seen: &Seen, thresholds: &Thresholds, found: &mut Vec<String>) {
    let modes = &seen.facts.modes;
    let out: Vec<String> = modes.iter().filter_map(|(pod, mode)| Some(format!("{pod}: {}", mode.as_ref().err()?))).collect();
    let serving = modes.len() - out.len();
    let needed = quorum(modes.len());
    if serving < needed {
        found.push(format!("ZooKeeper has no quorum: {serving} of {} members serve", modes.len()));
    }
    if !out.is_empty() {
        found.push(format!("not in the quorum: {}", out.join(", ")));
    }
    let leads = |mode: &Result<Mode, String>| matches!(mode, Ok(Mode::Leader | Mode::Standalone));
    let leaders: Vec<&str> = modes.iter().filter(|(_, mode)| leads(mode)).map(|(pod, _)| pod.as_str()).collect();
    match leaders.as_slice() {
        [] => found.push("no ZooKeeper member leads".to_owned()),
        [leader] => {
            let followers = u64::try_from(serving.saturating_sub(1)).unwrap_or_default();
            let synced = seen.figures.get(*leader).and_then(|figures| figures.synced_followers);
            if let Some(synced) = synced.filter(|synced| *synced < followers) {
                found.push(format!("{synced} of {followers} ZooKeeper followers have everything that {leader} has"));
            }
        }
        several => found.push(format!("more than one ZooKeeper member leads: {}", several.join(", "))),
    }
    for (pod, figures) in &seen.figures {
        if let Some(waiting) = figures.outstanding.filter(|waiting| *waiting > thresholds.outstanding_requests) {
            found.push(format!("{waiting} requests wait at {pod}"));
        }
    }
}

fn pods(seen: &Seen, found: &mut Vec<String>) {
    for (service, wanted) in [(Service::Kafka, Some(seen.facts.brokers)), (Service::Zookeeper, seen.facts.members)] {
        let pods: Vec<&Pod> = seen.facts.pods.iter().filter(|pod| pod.service == service).collect();
        let Some(wanted) = wanted else { continue };
        if usize::try_from(wanted) != Ok(pods.len()) {
            let what = if service == Service::Kafka { "broker" } else { "ZooKeeper" };
            found.push(format!("{} of {wanted} {what} pods are there", pods.len()));
        }
        let unready: Vec<String> = pods.iter().filter(|pod| !pod.ready).map(|pod| pod.name.clone()).collect();
        if !unready.is_empty() {
            found.push(format!("not ready: {}", some(&unready)));
        }
    }
    if !seen.outdated.is_empty() {
        found.push(format!("still of an earlier specification: {}", some(&seen.outdated)));
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
