use super::*;
use crate::kafka::{Address, Broker, Error, Identity, OtherCluster, Partition};
use crate::stack::facts::{Pod, Service};
use crate::zookeeper::Mode;

const THRESHOLDS: Thresholds = Thresholds { disk_free_percent: 10, leader_skew: Some(1), outstanding_requests: 10 };

fn partition(index: i32, leader: Option<i32>, isr: &[i32]) -> Partition {
    Partition { index, leader, replicas: vec![0, 1, 2], isr: isr.to_vec(), offline: vec![] }
}

fn dir(usable: Option<u64>) -> LogDir {
    LogDir { path: "/var/lib/kafka".into(), online: true, bytes: 7, total: usable.map(|_| 1000), usable }
}

/// Three brokers, three members, one topic of three partitions, all whole.
fn whole() -> Seen {
    let broker = |id| Broker { id, host: String::new(), port: 9092, rack: None };
    let view = ClusterView { cluster_id: None, controller: Some(0), brokers: (0..3).map(broker).collect() };
    let partitions = (0..3).map(|i| partition(i, Some(i), &[0, 1, 2])).collect();
    let topic = Topic { name: "orders".into(), id: None, internal: false, partitions };
    let pod = |service, name: String| Pod { service, uid: name.clone(), name, ready: true, node: "n".into() };
    let pods = (0..3).flat_map(|i| [pod(Service::Kafka, format!("kafka-{i}")), pod(Service::Zookeeper, format!("zk-{i}"))]);
    let mode = |i| if i == 1 { Mode::Leader } else { Mode::Follower };
    let figures = |i| Figures { outstanding: Some(0), synced_followers: (i == 1).then_some(2) };
    Seen {
        facts: Facts {
            brokers: 3,
            members: Some(3),
            kafka: Ok((view, vec![topic])),
            modes: (0..3).map(|i| (format!("zk-{i}"), Ok(mode(i)))).collect(),
            pods: pods.collect(),
            budgets: vec![],
        },
        min_insync: [("orders".to_owned(), 2)].into(),
        disks: (0..3).map(|i| (i, Ok(vec![dir(Some(500))]))).collect(),
        outdated: vec![],
        figures: (0..3).map(|i| (format!("zk-{i}"), figures(i))).collect(),
    }
}

fn kafka_of(seen: &mut Seen) -> &mut (ClusterView, Vec<Topic>) {
    seen.facts.kafka.as_mut().unwrap()
}

/// What is said of a stack that is whole but for this.
fn said(change: impl FnOnce(&mut Seen)) -> Vec<String> {
    let mut seen = whole();
    change(&mut seen);
    reasons(&seen, &THRESHOLDS)
}

#[test]
fn a_whole_stack_is_healthy() {
    assert_eq!(said(|_| {}), Vec::<String>::new());
}

#[test]
fn a_broker_that_is_down_is_named() {
    let said = said(|seen| {
        kafka_of(seen).0.brokers.remove(2);
        kafka_of(seen).1[0].partitions[2] = partition(2, Some(0), &[0, 1]);
        seen.disks.remove(&2);
    });
    assert_eq!(
        said[..2],
        ["not registered: broker 2", "1 partition(s) not in sync: orders-2 (replicas [0, 1, 2], in sync [0, 1])"]
    );
}

#[test]
fn a_partition_without_a_leader_comes_first() {
    let said = said(|seen| kafka_of(seen).1[0].partitions[1] = partition(1, None, &[]));
    assert_eq!(said[0], "no leader, so neither writes nor reads: orders-1");
    assert_eq!(said[1], "fewer replicas in sync than writes with acks=all need: orders-1");
}

#[test]
fn a_follower_that_is_behind_is_named() {
    assert_eq!(
        said(|seen| kafka_of(seen).1[0].partitions[0] = partition(0, Some(0), &[0, 1])),
        ["1 partition(s) not in sync: orders-0 (replicas [0, 1, 2], in sync [0, 1])"]
    );
    let zookeeper = said(|seen| seen.figures.get_mut("zk-1").unwrap().synced_followers = Some(1));
    assert_eq!(zookeeper, ["1 of 2 ZooKeeper followers have everything that zk-1 has"]);
}

#[test]
fn a_disk_that_is_nearly_full_is_named_and_one_that_is_not_known_is_not() {
    let full = said(|seen| drop(seen.disks.insert(1, Ok(vec![dir(Some(99))]))));
    assert_eq!(full, ["broker 1 has 9 % of /var/lib/kafka left, less than 10 %"]);
    assert_eq!(said(|seen| drop(seen.disks.insert(1, Ok(vec![dir(None)])))), Vec::<String>::new());
    let broken = said(|seen| drop(seen.disks.insert(1, Ok(vec![LogDir { online: false, ..dir(None) }]))));
    assert_eq!(broken, ["broker 1 cannot use /var/lib/kafka"]);
    assert_eq!(said(|seen| drop(seen.disks.insert(1, Err("no".into())))), ["broker 1 does not tell of its disks: no"]);
}

#[test]
fn a_member_out_of_the_quorum_is_named() {
    let said = said(|seen| seen.facts.modes[0].1 = Err("it serves no requests".to_owned()));
    assert_eq!(said, ["not in the quorum: zk-0: it serves no requests"]);
    let mut seen = whole();
    for i in [0, 1] {
        seen.facts.modes[i].1 = Err("down".to_owned());
    }
    let said = reasons(&seen, &THRESHOLDS);
    assert!(said[0].contains("no quorum: 1 of 3 members serve"), "{said:?}");
}

#[test]
fn leaders_pods_and_waiting_requests_are_judged() {
    let uneven = said(|seen| {
        for i in 0..3 {
            kafka_of(seen).1[0].partitions[i].leader = Some(0);
        }
    });
    assert_eq!(uneven, ["leaders are spread unevenly, by more than 1: broker 0 3, broker 1 0, broker 2 0"]);
    assert_eq!(said(|seen| seen.outdated.push("kafka-0".into())), ["still of an earlier specification: kafka-0"]);
    assert_eq!(said(|seen| seen.facts.pods[0].ready = false), ["not ready: kafka-0"]);
    assert_eq!(said(|seen| drop(seen.facts.pods.remove(1))), ["2 of 3 ZooKeeper pods are there"]);
    assert_eq!(said(|seen| seen.figures.get_mut("zk-2").unwrap().outstanding = Some(11)), ["11 requests wait at zk-2"]);
}

#[test]
fn brokers_out_of_reach_are_a_reason_and_no_error() {
    let away = said(|seen| seen.facts.kafka = Err(Error::Unreachable { tried: vec![] }));
    assert_eq!(away, ["the brokers do not answer: no broker answers: no address is known"]);
}

#[test]
fn another_kafka_under_the_names_of_this_one_is_a_reason_and_no_error() {
    let other = OtherCluster {
        expected: Identity { name: "prod/kafka".into(), id: "A".into() },
        found: "B".into(),
        broker: Address { host: "kafka-0".into(), port: 9092 },
        direct: true,
    };
    let said = said(|seen| seen.facts.kafka = Err(Error::OtherCluster(Box::new(other))));
    let other = "kafka-0:9092 belongs to the Kafka cluster B, and the id of prod/kafka is A";
    assert_eq!(said, [format!("another Kafka answers: {other}")]);
}
