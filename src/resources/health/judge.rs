//! What is seen of a stack -> whether it is healthy, and every reason why not. Pure.

use crate::kafka::{ClusterView, LogDir, Topic};
use crate::stack::ailments::{of_stack, some};
use crate::stack::facts::{Facts, leads};
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
    let mut found: Vec<String> = of_stack(&seen.facts, Some(&seen.min_insync)).iter().map(ToString::to_string).collect();
    if let Ok((view, topics)) = &seen.facts.kafka {
        brokers(seen, view, topics, thresholds, &mut found);
    }
    if seen.facts.members.is_some() {
        ensemble(seen, thresholds, &mut found);
    }
    if !seen.outdated.is_empty() {
        found.push(format!("still of an earlier specification: {}", some(&seen.outdated)));
    }
    found
}

fn brokers(seen: &Seen, view: &ClusterView, topics: &[Topic], thresholds: &Thresholds, found: &mut Vec<String>) {
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
    let serving = modes.iter().filter(|(_, mode)| mode.is_ok()).count();
    let leaders: Vec<&str> = modes.iter().filter(|(_, mode)| leads(mode)).map(|(pod, _)| pod.as_str()).collect();
    if let [leader] = leaders.as_slice() {
        let followers = u64::try_from(serving.saturating_sub(1)).unwrap_or_default();
        let synced = seen.figures.get(*leader).and_then(|figures| figures.synced_followers);
        if let Some(synced) = synced.filter(|synced| *synced < followers) {
            found.push(format!("{synced} of {followers} ZooKeeper followers have everything that {leader} has"));
        }
    }
    for (pod, figures) in &seen.figures {
        if let Some(waiting) = figures.outstanding.filter(|waiting| *waiting > thresholds.outstanding_requests) {
            found.push(format!("{waiting} requests wait at {pod}"));
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
