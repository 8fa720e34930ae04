//! Whether a drill may begin: what it asks of a stack, and why that could not end well or would prove nothing. Pure.

use super::load::Acks;
use super::step::{Kind, Step, Which};
use crate::stack::ailments::ailments;
use crate::stack::facts::Facts;
use crate::zookeeper::tolerates;

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

/// Topics of others that a killed broker takes with it, because they have one replica.
pub fn exposed(facts: &Facts) -> Vec<&str> {
    let topics = facts.kafka.as_ref().map(|(_, topics)| topics.as_slice()).unwrap_or_default();
    topics.iter().filter(|topic| topic.replication_factor() == 1).map(|topic| topic.name.as_str()).collect()
}

#[cfg(test)]
#[path = "objections_tests.rs"]
mod tests;
