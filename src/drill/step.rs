//! What a drill does, and to whom. Pure.

use crate::stack::facts::{Facts, Pod, Service, leader};
use std::time::Duration;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub kind: Kind,
    /// How pods go.
    pub how: How,
    /// How long the load goes on after everything is whole again.
    pub watch: Duration,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Takes a broker away.
    KillBroker(Which),
    /// Takes the broker away that leads a partition; of the drill's own topic where none is named.
    KillLeaderOfTopic {
        /// The topic.
        topic: Option<String>,
        /// The partition.
        partition: i32,
    },
    /// Takes the member away that leads the ensemble.
    KillZookeeperLeader,
    /// Evicts the stack's pods of a node, one after another; of the node with the most of them where none is named.
    EvictNodePods {
        /// The node.
        node: Option<String>,
    },
    /// Does nothing: what the load sees then is what it sees without a disturbance.
    Pause,
}

/// Which broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this id.
    Ordinal(i64),
    /// The controller.
    Controller,
}

/// How a pod goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is told to stop, and given its time.
    Delete,
    /// With a grace period of 0.
    Kill,
    /// By an eviction, in which PodDisruptionBudgets have a say.
    Evict,
}

impl How {
    /// As configurations and reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Kill => "kill",
            Self::Evict => "evict",
        }
    }
}

impl Kind {
    /// As configurations and reports spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KillBroker(_) => "kill_broker",
            Self::KillLeaderOfTopic { .. } => "kill_leader_of_topic",
            Self::KillZookeeperLeader => "kill_zookeeper_leader",
            Self::EvictNodePods { .. } => "evict_node_pods",
            Self::Pause => "pause",
        }
    }
}

/// The pods that a step takes away, in this order, one at a time. `own`: the drill's topic.
///
/// # Errors
/// Why there is none.
pub fn targets(step: &Step, own: &str, facts: &Facts) -> Result<Vec<Pod>, String> {
    match &step.kind {
        Kind::Pause => Ok(Vec::new()),
        Kind::KillBroker(Which::Ordinal(id)) => broker(facts, *id).map(|pod| vec![pod]),
        Kind::KillBroker(Which::Controller) => {
            let (view, _) = facts.kafka.as_ref().map_err(ToString::to_string)?;
            let id = view.controller.ok_or("there is no controller")?;
            broker(facts, i64::from(id)).map(|pod| vec![pod])
        }
        Kind::KillLeaderOfTopic { topic, partition } => {
            let (_, topics) = facts.kafka.as_ref().map_err(ToString::to_string)?;
            let name = topic.as_deref().unwrap_or(own);
            let partitions = topics.iter().find(|topic| topic.name == name).map(|topic| topic.partitions.as_slice());
            let found = partitions.unwrap_or_default().iter().find(|one| one.index == *partition);
            let id = found.and_then(|one| one.leader).ok_or_else(|| format!("{name}-{partition} has no leader"))?;
            broker(facts, i64::from(id)).map(|pod| vec![pod])
        }
        Kind::KillZookeeperLeader => {
            let name = leader(facts).ok_or("no ZooKeeper member leads")?;
            let pod = facts.pods.iter().find(|pod| pod.service == Service::Zookeeper && pod.name == name);
            pod.map(|pod| vec![pod.clone()]).ok_or_else(|| format!("there is no pod {name}"))
        }
        Kind::EvictNodePods { node } => on_node(facts, node.as_deref()),
    }
}

fn broker(facts: &Facts, id: i64) -> Result<Pod, String> {
    let of_id = |pod: &&Pod| pod.service == Service::Kafka && broker_id(pod) == Some(id);
    facts.pods.iter().find(of_id).cloned().ok_or_else(|| format!("there is no pod of broker {id}"))
}

/// The id of the broker that runs in a pod: its ordinal.
pub fn broker_id(pod: &Pod) -> Option<i64> {
    pod.name.rsplit_once('-')?.1.parse().ok()
}

/// The pods of a node, those that lead last: each move of a leader is felt by clients.
fn on_node(facts: &Facts, node: Option<&str>) -> Result<Vec<Pod>, String> {
    let count = |node: &str| facts.pods.iter().filter(|pod| pod.node == node).count();
    let busiest = || facts.pods.iter().map(|pod| pod.node.as_str()).max_by_key(|node| (count(node), std::cmp::Reverse(*node)));
    let node = node.or_else(busiest).unwrap_or_default();
    let mut pods: Vec<Pod> = facts.pods.iter().filter(|pod| pod.node == node).cloned().collect();
    let controller = facts.kafka.as_ref().ok().and_then(|(view, _)| view.controller).map(i64::from);
    let leads = |pod: &Pod| match pod.service {
        Service::Kafka => controller.is_some() && broker_id(pod) == controller,
        Service::Zookeeper => leader(facts) == Some(pod.name.as_str()),
    };
    pods.sort_by_key(|pod| (leads(pod), pod.service, pod.name.clone()));
    if pods.is_empty() { Err(format!("no pod of the stack runs on node {node:?}")) } else { Ok(pods) }
}

/// What a report calls the target of a step: the pods.
pub fn called(targets: &[Pod]) -> String {
    targets.iter().map(|pod| pod.name.as_str()).collect::<Vec<_>>().join(", ")
}
