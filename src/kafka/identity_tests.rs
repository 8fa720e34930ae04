//! Two clusters of the same names: whichever of the names lead astray, the other cluster is asked who it is and nothing else.

use super::*;
use crate::dial::{DialError, Dialed, Dialer};
use crate::kafka::{Admin, Error, NewTopic, Outcome};
use crate::testing::fake_kafka::{Down, FakeKafka};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const METADATA: i16 = 3;

/// The names of one cluster, some of which lead to the other one.
#[derive(Clone)]
struct Crossed {
    ours: FakeKafka,
    other: FakeKafka,
    astray: Arc<Mutex<BTreeSet<usize>>>,
}

impl Dialer for Crossed {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        let ordinal = self.ours.bootstrap().iter().position(|(name, _)| name == host).unwrap();
        let leads_astray = self.astray.lock().unwrap().contains(&ordinal);
        if leads_astray { self.other.dial(host, port) } else { self.ours.dial(host, port) }
    }
}

impl Crossed {
    /// Both clusters have a topic `a`.
    async fn new(old: bool, astray: impl IntoIterator<Item = usize>) -> Self {
        let cluster = || if old { FakeKafka::release_2_2(3) } else { FakeKafka::new(3) };
        let (ours, other) = (cluster(), cluster());
        other.set_cluster_id(Some("other"));
        for kafka in [&ours, &other] {
            kafka.admin().create_topic(&topic("a"), false).await.unwrap();
        }
        Self { ours, other, astray: Arc::new(Mutex::new(astray.into_iter().collect())) }
    }

    fn admin(&self) -> Admin {
        let expected = Identity { name: "prod/kafka".to_owned(), id: "fake".to_owned() };
        Admin::proving(Some(expected), Arc::new(self.clone()), self.ours.bootstrap(), "test")
    }
}

fn topic(name: &str) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions: 1, replication_factor: 3, ..NewTopic::default() }
}

const OPERATIONS: usize = 13;

/// One operation of each kind.
async fn operate(admin: &Admin, which: usize) -> Result<(), Error> {
    let set = BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]);
    match which {
        0 => admin.create_topic(&topic("b"), false).await.map(drop),
        1 => admin.create_topic(&topic("b"), true).await.map(drop),
        2 => admin.delete_topic("a", None).await,
        3 => admin.create_partitions("a", 2, false).await,
        4 => admin.alter_topic_configs("a", &set, &[]).await,
        5 => admin.reassign("a", &[(0, Some(vec![0, 1]))]).await,
        6 => admin.topics(None).await.map(drop),
        7 => admin.topic_configs(&["a"]).await.map(drop),
        8 => admin.view(&["a"]).await.map(drop),
        9 => admin.cluster().await.map(drop),
        10 => admin.release().await.map(drop),
        11 => admin.log_dirs(0).await.map(drop),
        _ => admin.broker_configs(1).await.map(drop),
    }
}

#[tokio::test(start_paused = true)]
async fn whichever_names_lead_astray_the_other_cluster_is_asked_who_it_is_and_nothing_else() {
    let mut refused = 0;
    for (old, mask) in [false, true].into_iter().flat_map(|old| (1..8).map(move |mask| (old, mask))) {
        for which in 0..OPERATIONS {
            let kafka = Crossed::new(old, (0..3).filter(|id| mask & (1 << id) != 0)).await;
            let before = kafka.other.requests().len();
            let (writes, done) = (kafka.ours.writes(), operate(&kafka.admin(), which).await);
            let asked: BTreeSet<i16> = kafka.other.requests()[before..].iter().map(|seen| seen.api).collect();
            assert!(asked.is_empty() || asked == [METADATA].into(), "{which} with {mask:03b}: {asked:?}");
            match done {
                Err(Error::OtherCluster(other)) => {
                    refused += 1;
                    let error = Error::OtherCluster(other);
                    assert_eq!(error.outcome(), Outcome::NotApplied);
                    assert_eq!(kafka.ours.writes(), writes, "{which} with {mask:03b}: refused, and written");
                }
                Err(Error::Unsupported { .. }) if old => {}
                done => assert!(done.is_ok() && mask != 7, "{which} with {mask:03b}: {done:?}"),
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_comes_to_lead_astray_within_a_run_is_refused() {
    let kafka = Crossed::new(false, []).await;
    let admin = kafka.admin();
    admin.create_partitions("a", 2, false).await.unwrap();
    kafka.astray.lock().unwrap().extend(0..3);
    (0..3).for_each(|broker| kafka.ours.set_down(broker, Some(Down::Refused)));
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let writes = kafka.other.writes();
    let error = admin.delete_topic("a", None).await.unwrap_err();
    let Error::OtherCluster(other) = error else { panic!("{error}") };
    assert_eq!((other.found.as_str(), other.expected.id.as_str(), other.direct), ("other", "fake", false));
    assert_eq!(kafka.other.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn brokers_that_name_no_cluster_and_clients_that_expect_none_go_on() {
    let kafka = Crossed::new(true, 0..3).await;
    kafka.other.set_cluster_id(None);
    kafka.admin().delete_topic("a", None).await.unwrap();
    assert_eq!(kafka.other.topic("a"), None);
    let kafka = Crossed::new(false, 0..3).await;
    kafka.other.admin().delete_topic("a", None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_proved_once() {
    let kafka = Crossed::new(false, []).await;
    let (admin, before) = (kafka.admin(), kafka.ours.requests().len());
    for _ in 0..10 {
        admin.topic_configs(&["a"]).await.unwrap();
    }
    let metadata = kafka.ours.requests()[before..].iter().filter(|seen| seen.api == METADATA).count();
    assert_eq!(metadata, 3, "two to prove, one to know the controller");
}
