//! The load against real brokers, and a session with real members named `zookeeper` beside them:
//! `KAFKASTACK_TEST_DRILL=namespace/cluster cargo test --lib drill::live -- --ignored --nocapture`.

use super::limits::Limits;
use super::load::{Acks, Load, Plan};
use super::pace::Pace;
use super::recording::Outcome;
use crate::kafka::NewTopic;
use crate::kubernetes::{Kubernetes, Settings};
use crate::stack::names::Id;
use crate::stack::{Access, Stack, Target};
use crate::zookeeper::Session;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

async fn stack() -> (Stack, String, String) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let name = std::env::var("KAFKASTACK_TEST_DRILL").expect("KAFKASTACK_TEST_DRILL: namespace/cluster");
    let (namespace, name) = name.split_once('/').unwrap();
    let kubernetes = Kubernetes::connect(&Settings::default()).await.unwrap().0;
    (Stack::new(kubernetes, Access::PortForward, vec![]), namespace.to_owned(), name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_znode_is_made_and_read_in_a_real_session() {
    let (stack, namespace, _) = stack().await;
    let members = (0..3).map(|i| (format!("zookeeper-{i}.zookeeper-headless.{namespace}.svc"), 2181)).collect();
    let mut session = Session::open(stack.dialer(&namespace, "zookeeper"), members, Duration::from_secs(10)).await.unwrap();
    let path = format!("/session-test-{}", std::process::id());
    assert_eq!(session.create(&path, b"bar").await, Ok(true));
    assert_eq!(session.get(&path).await, Ok(Some(b"bar".to_vec())));
    assert_eq!(session.delete(&path).await, Ok(true));
    assert_eq!(session.get(&path).await, Ok(None));
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn everything_that_was_acknowledged_is_read_back() {
    let (stack, namespace, name) = stack().await;
    let (namespace, name) = (namespace.as_str(), name.as_str());
    let target = Target { id: Id::new(namespace, name), port: 9092, brokers: 3, cluster_id: None };
    let (admin, topic) = (stack.admin(&target), format!("kafkastack-drill-test-{}", std::process::id()));
    let new = NewTopic { name: topic.clone(), partitions: 3, replication_factor: 3, ..NewTopic::default() };
    admin.create_topic(&new, false).await.unwrap();
    let brokers = (0..3).map(|i| (format!("{name}-{i}.{name}-headless.{namespace}.svc"), 9092)).collect();
    let plan = Plan { topic: topic.clone(), pace: Pace { per_second: 500, partitions: 3 }, acks: Acks::All, brokers };
    let load = Load::start(plan, stack.dialer(namespace, name)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("{} acknowledged after {} ms", load.acknowledged(), load.clock().now());
    let recorded = load.stop(&Limits::new(CancellationToken::new(), Instant::now() + Duration::from_secs(60))).await;
    admin.delete_topic(&topic, None).await.unwrap();
    let acknowledged = recorded.writes.iter().filter(|write| matches!(write.outcome, Outcome::Acknowledged { .. })).count();
    let found = recorded.found.unwrap();
    println!(
        "{} sent, {acknowledged} acknowledged, {} read along, {} found",
        recorded.writes.len(),
        recorded.reads.len(),
        found.len()
    );
    assert!(recorded.writes.len() > 2_000);
    assert_eq!((acknowledged, recorded.reads.len(), found.len()), (recorded.writes.len(), acknowledged, acknowledged));
}
