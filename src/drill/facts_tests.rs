use super::*;
use crate::drill::step::{How, targets};
use crate::kafka::{Broker, Error, Partition};
use std::time::Duration;

pub fn pod(service: Service, name: &str, node: &str) -> Pod {
    Pod { service, name: name.into(), uid: format!("uid-{name}"), ready: true, node: node.into() }
}

/// Three brokers and three members on three nodes, all well; `orders-0` is led by broker 2, the controller is broker 0.
pub fn well() -> Facts {
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
fn a_whole_stack_has_no_ailments_and_each_lack_is_named() {
    assert_eq!(ailments(&well()), [""; 0]);
    type Harm = fn(&mut Facts);
    let harms: [(Harm, &str); 8] = [
        (|facts| facts.pods[0].ready = false, "not ready: kafka-0"),
        (|facts| drop(facts.pods.remove(1)), "2 of 3 Zookeeper pods are there"),
        (|facts| facts.kafka = Err(Error::Unreachable { tried: vec![] }), "no broker answers: no address is known"),
        (|facts| drop(facts.kafka.as_mut().unwrap().0.brokers.remove(1)), "not registered: broker 1"),
        (|facts| facts.kafka.as_mut().unwrap().0.controller = None, "there is no controller"),
        (
            |facts| topics(facts)[0].partitions[0].isr = vec![2, 0],
            "1 partition(s) not in sync, such as orders-0 (replicas [2, 0, 1], in sync [2, 0])",
        ),
        (|facts| facts.modes[0].1 = Err("it serves no requests".into()), "not in the quorum: zk-0: it serves no requests"),
        (|facts| facts.modes[1].1 = Ok(Mode::Follower), "no ZooKeeper member leads"),
    ];
    for (harm, said) in harms {
        let mut facts = well();
        harm(&mut facts);
        assert_eq!(ailments(&facts), [said]);
    }
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
