//! A whole stack at one moment, and whether a drill may begin or go on. Pure; `look.rs` looks.

use super::load::Acks;
use super::step::{Kind, Step, Which};
use crate::kafka::{ClusterView, Error, Topic};
use crate::zookeeper::{Mode, tolerates};

/// Which of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The brokers.
    Kafka,
    /// The members of the ensemble.
    Zookeeper,
}

/// A pod of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// What it is part of.
    pub service: Service,
    /// Its name.
    pub name: String,
    /// Its uid: the one that comes back under the name has another.
    pub uid: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Its node; empty while it has none.
    pub node: String,
}

/// A stack at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How many brokers there should be; ids count from 0.
    pub brokers: i64,
    /// How many members there should be; none where the drill knows no ensemble.
    pub members: Option<i64>,
    /// What brokers say: who is there, and every topic.
    pub kafka: Result<(ClusterView, Vec<Topic>), Error>,
    /// What each member says, by its pod.
    pub modes: Vec<(String, Result<Mode, String>)>,
    /// The pods.
    pub pods: Vec<Pod>,
    /// How many pods the PodDisruptionBudget of each service lets go now; none: there is no budget.
    pub budgets: Vec<(Service, Option<i64>)>,
}

/// What the drill asks of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Replicas of each partition of the drill's topic.
    pub replication_factor: i64,
    /// Its `min.insync.replicas`.
    pub min_insync_replicas: i64,
    /// How safely it writes.
    pub acks: Acks,
    /// What it does.
    pub steps: Vec<Step>,
}

/// Why one more pod must not be taken away: what is not whole. It may pass.
pub fn ailments(facts: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    for (service, wanted) in [(Service::Kafka, Some(facts.brokers)), (Service::Zookeeper, facts.members)] {
        let pods: Vec<&Pod> = facts.pods.iter().filter(|pod| pod.service == service).collect();
        let unready: Vec<&str> = pods.iter().filter(|pod| !pod.ready).map(|pod| pod.name.as_str()).collect();
        if !unready.is_empty() {
            found.push(format!("not ready: {}", unready.join(", ")));
        } else if wanted.is_some_and(|wanted| usize::try_from(wanted) != Ok(pods.len())) {
            found.push(format!("{} of {} {service:?} pods are there", pods.len(), wanted.unwrap_or_default()));
        }
    }
    match &facts.kafka {
        Err(why) => found.push(why.to_string()),
        Ok((view, topics)) => {
            found.extend(missing_brokers(facts.brokers, view));
            found.extend(behind(topics));
        }
    }
    let out: Vec<String> =
        facts.modes.iter().filter_map(|(pod, mode)| Some(format!("{pod}: {}", mode.as_ref().err()?))).collect();
    if !out.is_empty() {
        found.push(format!("not in the quorum: {}", out.join(", ")));
    } else if facts.members.is_some() && leader(facts).is_none() {
        found.push("no ZooKeeper member leads".to_owned());
    }
    found
}

fn missing_brokers(brokers: i64, view: &ClusterView) -> Option<String> {
    let there = |id: &i64| view.brokers.iter().any(|broker| i64::from(broker.id) == *id);
    let missing: Vec<String> = (0..brokers).filter(|id| !there(id)).map(|id| id.to_string()).collect();
    match (missing.is_empty(), view.controller) {
        (false, _) => Some(format!("not registered: broker {}", missing.join(", "))),
        (true, None) => Some("there is no controller".to_owned()),
        (true, Some(_)) => None,
    }
}

fn behind(topics: &[Topic]) -> Option<String> {
    let all = topics.iter().flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)));
    let behind: Vec<_> = all.filter(|(_, one)| one.leader.is_none() || one.isr.len() < one.replicas.len()).collect();
    let (topic, partition) = behind.first()?;
    let (replicas, isr) = (&partition.replicas, &partition.isr);
    let such = format!("{}-{} (replicas {replicas:?}, in sync {isr:?})", topic.name, partition.index);
    Some(format!("{} partition(s) not in sync, such as {such}", behind.len()))
}

/// The pod of the ensemble's leader.
pub fn leader(facts: &Facts) -> Option<&str> {
    let leads = |mode: &Result<Mode, String>| matches!(mode, Ok(Mode::Leader | Mode::Standalone));
    facts.modes.iter().find(|(_, mode)| leads(mode)).map(|(pod, _)| pod.as_str())
}

/// Settings that would not survive the loss of a broker, or prove nothing: the attribute, and why. What is not known yet is not
/// judged.
pub fn contradictions(factor: Option<i64>, in_sync: Option<i64>, acks: Option<Acks>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(factor) = factor.filter(|factor| *factor < 2) {
        found.push((
            "replication_factor",
            format!("`replication_factor` is {factor}: with one broker gone its records would be out of reach; use 3"),
        ));
    }
    if let (Some(factor @ 2..), Some(in_sync)) = (factor, in_sync)
        && in_sync >= factor
    {
        let text = format!(
            "`min_insync_replicas` is {in_sync} of {factor} replicas: with one broker gone nothing could be written; use {}",
            factor - 1
        );
        found.push(("min_insync_replicas", text));
    }
    if let (Some(in_sync), Some(Acks::All)) = (in_sync, acks)
        && in_sync < 2
        && factor != Some(1)
    {
        let text = format!(
            "`min_insync_replicas` is {in_sync}: the leader alone could acknowledge a record, and take it with it; use 2"
        );
        found.push(("min_insync_replicas", text));
    }
    found
}

/// Why the drill must not begin, whatever the stack does: it could not end well, or would prove nothing.
pub fn objections(facts: &Facts, demands: &Demands) -> Vec<String> {
    let (factor, in_sync, brokers) = (demands.replication_factor, demands.min_insync_replicas, facts.brokers);
    let contradictions = contradictions(Some(factor), Some(in_sync), Some(demands.acks));
    let mut found: Vec<String> = contradictions.into_iter().map(|(_, why)| why).collect();
    if factor > brokers {
        found.push(format!("`replication_factor` is {factor}, and there are {brokers} broker(s)"));
    }
    let evicts = demands.steps.iter().any(|step| matches!(step.kind, Kind::EvictNodePods { .. }));
    for (service, allowed) in &facts.budgets {
        match allowed {
            None => found.push(format!("{service:?} has no PodDisruptionBudget")),
            Some(0) if evicts && ailments(facts).is_empty() => {
                found.push(format!("the PodDisruptionBudget of {service:?} lets no pod go"));
            }
            Some(_) => {}
        }
    }
    for (i, step) in demands.steps.iter().enumerate() {
        found.extend(step_objection(facts, step).map(|why| format!("`steps[{i}]`: {why}")));
    }
    found
}

fn step_objection(facts: &Facts, step: &Step) -> Option<String> {
    let spare = |members: i64| tolerates(usize::try_from(members).unwrap_or_default());
    match (&step.kind, facts.members) {
        (Kind::KillZookeeperLeader, None) => Some("the drill knows no ensemble; set `zookeeper_ensemble`".to_owned()),
        (Kind::KillZookeeperLeader | Kind::EvictNodePods { .. }, Some(members)) if spare(members) == 0 => {
            Some(format!("an ensemble of {members} does not survive the loss of a member"))
        }
        (Kind::KillBroker(Which::Ordinal(id)), _) if *id >= facts.brokers => {
            Some(format!("there is no broker {id}: there are {}", facts.brokers))
        }
        (Kind::KillLeaderOfTopic { topic: Some(name), partition }, _) => {
            let topics = facts.kafka.as_ref().map(|(_, topics)| topics.as_slice()).unwrap_or_default();
            match topics.iter().find(|topic| topic.name == *name) {
                None => Some(format!("there is no topic {name:?}")),
                Some(topic) if !topic.partitions.iter().any(|one| one.index == *partition) => {
                    Some(format!("topic {name:?} has no partition {partition}"))
                }
                Some(_) => None,
            }
        }
        (Kind::EvictNodePods { node: Some(node) }, _) if !facts.pods.iter().any(|pod| pod.node == *node) => {
            Some(format!("no pod of the stack runs on node {node:?}"))
        }
        _ => None,
    }
}

/// Topics of others that a killed broker takes with it, for they have one replica.
pub fn exposed(facts: &Facts) -> Vec<&str> {
    let topics = facts.kafka.as_ref().map(|(_, topics)| topics.as_slice()).unwrap_or_default();
    topics.iter().filter(|topic| topic.replication_factor() == 1).map(|topic| topic.name.as_str()).collect()
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
