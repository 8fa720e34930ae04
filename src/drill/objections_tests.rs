use super::*;
use crate::drill::step::{How, targets};
use crate::kafka::Topic;
use crate::stack::facts::Service;
use crate::stack::facts::tests::well;
use std::time::Duration;

fn step(kind: Kind) -> Step {
    Step { kind, how: How::Delete, watch: Duration::ZERO }
}

fn demands(replication_factor: i64, min_insync_replicas: i64, acks: Acks, kind: Kind) -> Demands {
    Demands { replication_factor, min_insync_replicas, acks, steps: vec![step(kind)] }
}

fn topics(facts: &mut Facts) -> &mut Vec<Topic> {
    &mut facts.kafka.as_mut().unwrap().1
}

#[test]
fn a_drill_that_could_not_end_well_or_proves_nothing_is_refused() {
    let leader = || Kind::KillLeaderOfTopic { topic: None, partition: 0 };
    let refused = |facts: &Facts, demands: &Demands| objections(facts, demands).join("; ");
    assert_eq!(refused(&well(), &demands(3, 2, Acks::All, leader())), "");
    assert!(refused(&well(), &demands(1, 1, Acks::All, leader())).contains("`replication_factor` is 1"));
    assert!(refused(&well(), &demands(4, 2, Acks::All, leader())).contains("there are 3 broker(s)"));
    assert!(refused(&well(), &demands(3, 3, Acks::All, leader())).contains("nothing could be written; use 2"));
    assert!(refused(&well(), &demands(3, 1, Acks::All, leader())).contains("the leader alone could acknowledge"));
    // Whoever asks for acks=1 wants to see what it loses: that is the verdict's to say.
    assert_eq!(refused(&well(), &demands(3, 1, Acks::Leader, leader())), "");
    let step = |facts: &Facts, kind| refused(facts, &demands(3, 2, Acks::All, kind));
    assert!(step(&well(), Kind::KillBroker(Which::Ordinal(3))).contains("`steps[0]`: there is no broker 3"));
    let topic = |name: &str, partition| Kind::KillLeaderOfTopic { topic: Some(name.into()), partition };
    assert_eq!(step(&well(), topic("orders", 0)), "");
    assert!(step(&well(), topic("orders", 1)).contains("has no partition 1"));
    assert!(step(&well(), topic("none", 0)).contains("there is no topic \"none\""));
    assert!(step(&well(), Kind::EvictNodePods { node: Some("node-9".into()) }).contains("node \"node-9\""));
    let unknown = Facts { members: None, ..well() };
    assert!(step(&unknown, Kind::KillZookeeperLeader).contains("set `zookeeper_ensemble`"));
    let alone = Facts { members: Some(1), ..well() };
    assert!(step(&alone, Kind::KillZookeeperLeader).contains("does not survive"));
}

#[test]
fn a_disruption_budget_is_asked_for() {
    let evict = demands(3, 2, Acks::All, Kind::EvictNodePods { node: None });
    let with = |allowed| Facts { budgets: vec![(Service::Kafka, allowed)], ..well() };
    assert_eq!(objections(&with(None), &evict), ["Kafka has no PodDisruptionBudget"]);
    assert_eq!(objections(&with(Some(0)), &evict), ["the PodDisruptionBudget of Kafka lets no pod go"]);
    // While a pod is away it allows nothing, and that passes.
    let mut unwell = with(Some(0));
    unwell.pods[0].ready = false;
    assert_eq!(objections(&unwell, &evict), [""; 0]);
}

#[test]
fn each_step_names_its_pods_and_those_that_lead_go_last() {
    let names = |kind| -> Result<Vec<String>, String> {
        Ok(targets(&step(kind), "orders", &well())?.into_iter().map(|pod| pod.name).collect())
    };
    assert_eq!(names(Kind::KillBroker(Which::Ordinal(1))), Ok(vec!["kafka-1".into()]));
    assert_eq!(names(Kind::KillBroker(Which::Controller)), Ok(vec!["kafka-0".into()]));
    assert_eq!(names(Kind::KillLeaderOfTopic { topic: None, partition: 0 }), Ok(vec!["kafka-2".into()]));
    assert_eq!(names(Kind::KillZookeeperLeader), Ok(vec!["zk-1".into()]));
    assert_eq!(names(Kind::Pause), Ok(vec![]));
    assert_eq!(names(Kind::EvictNodePods { node: Some("node-1".into()) }), Ok(vec!["kafka-1".into(), "zk-1".into()]));
    // Broker 0 is the controller.
    assert_eq!(names(Kind::EvictNodePods { node: None }), Ok(vec!["zk-0".into(), "kafka-0".into()]));
    assert!(names(Kind::KillLeaderOfTopic { topic: None, partition: 7 }).unwrap_err().contains("orders-7 has no leader"));
}

#[test]
fn topics_with_one_replica_are_named() {
    let mut facts = well();
    assert_eq!(exposed(&facts), [""; 0]);
    topics(&mut facts)[0].partitions[0].replicas = vec![1];
    assert_eq!(exposed(&facts), ["orders"]);
}
