//! A whole stack at one moment, as plain values. `site.rs` looks; `ailments.rs` judges. Pure.

use crate::kafka::{ClusterView, Error, Topic};
use crate::zookeeper::Mode;
use std::fmt;

/// Which of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The brokers.
    Kafka,
    /// The members of the ensemble.
    Zookeeper,
}

impl Service {
    /// The value of `app.kubernetes.io/name` of its pods.
    pub fn app(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Zookeeper => "zookeeper",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kafka => "broker",
            Self::Zookeeper => "ZooKeeper",
        })
    }
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
    /// How many members there should be; none where no ensemble is known.
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

/// Whether a member leads.
pub fn leads(mode: &Result<Mode, String>) -> bool {
    matches!(mode, Ok(Mode::Leader | Mode::Standalone))
}

/// The pod of the ensemble's leader.
pub fn leader(facts: &Facts) -> Option<&str> {
    facts.modes.iter().find(|(_, mode)| leads(mode)).map(|(pod, _)| pod.as_str())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::kafka::{Broker, Partition};

    pub(crate) fn pod(service: Service, name: &str, node: &str) -> Pod {
        Pod { service, name: name.into(), uid: format!("uid-{name}"), ready: true, node: node.into() }
    }

    /// Three brokers and three members on three nodes, all well; `orders-0` is led by broker 2, the controller is broker 0.
    pub(crate) fn well() -> Facts {
        let broker = |id| Broker { id, host: String::new(), port: 9092, rack: None };
        let view = ClusterView { cluster_id: None, controller: Some(0), brokers: vec![broker(0), broker(1), broker(2)] };
        let replicas = vec![2, 0, 1];
        let partition = Partition { index: 0, leader: Some(2), isr: replicas.clone(), replicas, offline: vec![] };
        let topic = Topic { name: "orders".into(), id: None, internal: false, partitions: vec![partition] };
        let members = ["zk-0", "zk-1", "zk-2"];
        let modes = [Mode::Follower, Mode::Leader, Mode::Follower];
        let pods = (0..3).flat_map(|i| {
            let node = format!("node-{i}");
            [pod(Service::Kafka, &format!("kafka-{i}"), &node), pod(Service::Zookeeper, members[i], &node)]
        });
        Facts {
            brokers: 3,
            members: Some(3),
            kafka: Ok((view, vec![topic])),
            modes: members.iter().zip(modes).map(|(pod, mode)| ((*pod).to_owned(), Ok(mode))).collect(),
            pods: pods.collect(),
            budgets: vec![(Service::Kafka, Some(1)), (Service::Zookeeper, Some(1))],
        }
    }
}
