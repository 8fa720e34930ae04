//! The data source over servers in this process: what is applied is silent, and what a hand changes is found.

use super::Drift;
use crate::kubernetes::object::{Key, Kind};
use crate::plugin::data_source::AnyDataSource;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::schema::Kind as Type;
use crate::plugin::value::Value;
use crate::plugin::wire;
use crate::testing::context;
use crate::testing::fake_kafka::FakeTopic;
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, world};
use serde_json::json;
use std::time::Duration;

async fn read(world: &World) -> Result<Value, Diagnostics> {
    let set = json!({"cluster": "prod/kafka", "zookeeper_ensemble": "prod/zk", "topics": {"orders": {"partitions": 1}}});
    let kind = Type::Object(AnyDataSource::schema(&Drift).attributes);
    let config = wire::json::decode(&kind, set.to_string().as_bytes()).unwrap();
    let cx = context(&world.stack, Duration::from_secs(120));
    AnyDataSource::read(&Drift, &cx, config).await.map(|done| done.state)
}

async fn found(world: &World) -> serde_json::Value {
    let value = read(world).await.unwrap();
    assert!(value.is_wholly_known(), "{value:?}");
    serde_json::from_str(value.get("summary_json").as_str().unwrap()).unwrap()
}

async fn whole() -> World {
    let world = world(Faults::none());
    for subject in [ensemble, cluster] {
        made(&world, subject()).await;
    }
    put_topic(&world, "orders");
    world
}

fn put_topic(world: &World, name: &str) {
    let topic = FakeTopic { id: [1; 16], partitions: vec![vec![0, 1, 2]], configs: [].into() };
    world.kafka.edit(name, |found| *found = Some(topic));
}

#[tokio::test(start_paused = true)]
async fn what_was_just_applied_is_silent_and_what_a_hand_changes_is_found() {
    let world = whole().await;
    assert_eq!(found(&world).await, json!({"drifted": false, "managed": [], "unmanaged": []}));
    world.kubernetes.controllers(false);
    world.kubernetes.edit("kubectl", &Key::new(Kind::StatefulSet, "prod", "kafka"), "/spec/replicas", 5.into());
    world.kubernetes.remove(&Key::new(Kind::Service, "prod", "zk-headless"));
    world.kafka.edit("orders", |found| *found = None);
    put_topic(&world, "by-hand");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let found = found(&world).await;
    let problems: Vec<String> =
        found["managed"].as_array().unwrap().iter().map(|one| format!("{} {}", one["name"], one["problem"])).collect();
    assert_eq!(problems, [r#""prod/kafka" "differs""#, r#""prod/zk-headless" "missing""#, r#""orders" "missing""#]);
    assert_eq!(found["unmanaged"][0]["import"]["id"], "prod/kafka/by-hand");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_apply_everything_is_missing_and_nothing_fails() {
    let found = found(&world(Faults::none())).await;
    let missing: Vec<_> = found["managed"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(missing, ["prod/kafka", "prod/zk"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_listed_is_an_error_that_names_the_rule() {
    let world = whole().await;
    world.kubernetes.forbid("list", Kind::Service);
    let said = format!("{:?}", read(&world).await.unwrap_err());
    assert!(said.contains("services") && said.contains("hint"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn another_kafka_under_the_names_of_this_one_is_no_drift_of_its_topics() {
    let world = whole().await;
    let anchor = Key::new(Kind::ConfigMap, "prod", "kafka-kafkastack");
    world.kubernetes.edit("kubectl", &anchor, "/data/cluster_id", "ours".into());
    world.kafka.edit("orders", |found| *found = None);
    let text = found(&world).await.to_string();
    assert!(text.contains("belongs to the Kafka cluster fake, and the id of prod/kafka is ours"), "{text}");
    assert!(!text.contains("orders"), "{text}");
}
