//! How a stack is found, and what is done where another Kafka answers under its names.

use crate::kubernetes::object::Kind;
use crate::plugin::data_source::DataSource;
use crate::plugin::model::Attr;
use crate::resources::cluster::health;
use crate::resources::cluster::schema::Cluster;
use crate::resources::ha_drill::apply::drill;
use crate::resources::ha_drill::schema::DrillOrder;
use crate::resources::health::Health;
use crate::resources::health::schema::StackHealth;
use crate::resources::workload::anchor::Anchor;
use crate::resources::workload::health::Health as Said;
use crate::stack::names;
use crate::testing::context;
use crate::testing::faults::Faults;
use crate::testing::world;
use crate::testing::world::{World, made, world};
use std::time::Duration;
use tokio::time::Instant;

/// A cluster whose anchor names another Kafka than the one that answers under its names.
async fn crossed() -> World {
    let world = world(Faults::none());
    made(&world, world::cluster()).await;
    world.kubernetes.edit("kubectl", &names::anchor("prod", "kafka"), "/data/cluster_id", "ours".into());
    world
}

const OTHER: &str = "kafka-0.kafka-headless.prod.svc:9092 belongs to the Kafka cluster fake, and the id of prod/kafka is ours";

fn id() -> Attr<String> {
    Attr::Known("prod/kafka".to_owned())
}

const LIMIT: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn a_drill_of_another_kafka_ends_before_it_writes_or_kills() {
    let world = crossed().await;
    let (objects, records) = (world.kubernetes.writes().len(), world.kafka.writes());
    let (begun, wanted) = (Instant::now(), DrillOrder { cluster: id(), ..DrillOrder::default() });
    let said = drill(&context(&world.stack, LIMIT), &wanted).await.unwrap_err();
    let said: Vec<String> = said.iter().map(|one| format!("{}\n{}", one.summary, one.text())).collect();
    assert!(said[0].starts_with(&format!("Could not drill prod/kafka: another Kafka cluster answers\n{OTHER}")), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it was waited for");
    assert_eq!((world.kubernetes.writes().len(), world.kafka.writes()), (objects, records));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_under_whose_names_another_kafka_answers_is_not_healthy() {
    let world = crossed().await;
    let cx = context(&world.stack, LIMIT);
    let told = Health.read(&cx, StackHealth { cluster: id(), ..StackHealth::default() }).await.unwrap().state;
    assert_eq!(told.healthy, Attr::Known(false));
    assert_eq!(told.reasons.unwrap_or_default()[0], format!("another Kafka answers: {OTHER}"));
}

#[tokio::test(start_paused = true)]
async fn no_pod_is_restarted_on_the_word_of_another_kafka() {
    let world = crossed().await;
    let anchor = world.kubernetes.get(&names::anchor("prod", "kafka")).unwrap();
    let cluster = Anchor::<Cluster>::read(&anchor).unwrap().spec;
    let pods = world.kubernetes.all(Kind::Pod);
    assert_eq!(health::check(&cluster, &world.stack, &pods, true).await, Said::Unknown(OTHER.to_owned()));
    world.kubernetes.edit("kubectl", &names::anchor("prod", "kafka"), "/data/cluster_id", serde_json::Value::Null);
    let serving = health::check(&cluster, &world.stack, &pods, true).await;
    assert!(matches!(serving, Said::Known { waits: None, .. }), "who takes the id out says that this Kafka is the right one");
}
