//! A runner from which the names of `prod/kafka` lead to another Kafka, which has topics of the same names.

use super::*;
use crate::plugin::diagnostic::{Diagnostics, Severity};
use crate::stack::Access;
use crate::stack::names;
use crate::testing::core::{Core, Planned, config, resource};
use crate::testing::fake_kafka::{FakeKafka, FakeTopic};
use crate::testing::faults::Faults;
use crate::testing::world::{Pods, World, cluster, made, world};
use std::sync::Arc;
use std::time::Duration;

/// The cluster `prod/kafka`, whose anchor knows its id.
async fn prod() -> World {
    let world = world(Faults::none());
    made(&world, cluster()).await;
    world.kubernetes.edit("kubectl", &names::anchor("prod", "kafka"), "/data/cluster_id", "fake".into());
    world
}

/// Another run on the same Kubernetes cluster, from where its brokers' names lead to `other`.
fn elsewhere(world: &World, other: &FakeKafka) -> Stack {
    Stack::new(world.kubernetes.impatient(), Access::Through(Arc::new(Pods(other.clone()))), vec![])
}

/// Another cluster, whose topic `orders` has four partitions.
fn other() -> FakeKafka {
    let other = FakeKafka::new(3);
    other.set_cluster_id(Some("other"));
    let topic = FakeTopic { id: [9; 16], partitions: vec![vec![0, 1, 2]; 4], configs: [].into() };
    other.edit("orders", |found| *found = Some(topic));
    other
}

fn orders(more: Value) -> crate::plugin::value::Value {
    let mut set = json!({"cluster": "prod/kafka", "name": "orders", "partitions": 2, "replication_factor": 3});
    set.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config(&*resource("topic"), set)
}

/// A core in whose state the topic is.
async fn declared(world: &World) -> Core<'_> {
    let mut core = Core::new(resource("topic"), &world.stack);
    let said = core.apply(&orders(json!({}))).await;
    assert!(!said.has_errors(), "{said:?}");
    core
}

/// The same state in another run.
fn moved<'a>(core: &Core<'_>, stack: &'a Stack) -> Core<'a> {
    let mut moved = Core::new(resource("topic"), stack);
    moved.state = core.state.clone();
    moved
}

/// The severity of the only thing that was said, which names both ids, the address and the way out.
fn named(said: &Diagnostics) -> Severity {
    let said: Vec<_> = said.iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let other = "kafka-0.kafka-headless.prod.svc:9092 belongs to the Kafka cluster other, and the id of prod/kafka is fake";
    let way_out = "kubectl -n prod patch configmap kafka-kafkastack --type merge -p '{\"data\":{\"cluster_id\":null}}'";
    assert!(said[0].text().contains(other) && said[0].text().ends_with(way_out), "{said:?}");
    said[0].severity
}

/// Nothing was asked of it but who it is.
fn untouched(other: &FakeKafka) {
    assert!(other.requests().iter().all(|seen| seen.api == 3), "{:?}", other.requests());
    assert_eq!(
        (other.writes(), other.topics(), other.topic("orders").unwrap().partitions.len()),
        (0, vec!["orders".to_owned()], 4)
    );
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_another_kafka_answers_keeps_the_topic_and_says_so() {
    let (world, other) = (prod().await, other());
    let core = declared(&world).await;
    let stack = elsewhere(&world, &other);
    let mut astray = moved(&core, &stack);
    assert_eq!(named(&astray.refresh().await), Severity::Warning);
    let (before, after) = (core.state.unwrap(), astray.state.clone().unwrap());
    assert_eq!((&before.value, &before.private), (&after.value, &after.private));
    let idle = astray.plan(&orders(json!({}))).await;
    assert!(idle.value == after.value && idle.diagnostics.iter().next().is_none(), "the plan goes on: {:?}", idle.diagnostics);
    untouched(&other);
}

#[tokio::test(start_paused = true)]
async fn no_topic_is_made_changed_deleted_or_imported_in_another_kafka() {
    let (world, other) = (prod().await, other());
    let core = declared(&world).await;
    let stack = elsewhere(&world, &other);
    let changes = [json!({"partitions": 6}), json!({"replication_factor": 2}), json!({"config": {"retention.ms": "5"}})];
    for change in changes {
        let wanted = orders(change);
        assert_eq!(named(&moved(&core, &stack).plan(&wanted).await.diagnostics), Severity::Error);
        // A plan that was made where the names lead to the right brokers, and is applied here.
        let Planned { value, private, .. } = core.plan(&wanted).await;
        let planned = Planned { value, private, replace: false, diagnostics: Diagnostics::new() };
        let mut astray = moved(&core, &stack);
        assert_eq!(named(&astray.apply_planned(&wanted, planned).await), Severity::Error);
        assert_eq!(astray.state.unwrap().value, core.state.as_ref().unwrap().value);
    }
    let mut astray = moved(&core, &stack);
    assert_eq!(named(&astray.destroy().await), Severity::Error);
    assert!(astray.state.is_some());
    let created = config(&*resource("topic"), json!({"cluster": "prod/kafka", "name": "payments"}));
    let mut fresh = Core::new(resource("topic"), &stack);
    assert_eq!(named(&fresh.plan(&created).await.diagnostics), Severity::Error);
    let planned = Core::new(resource("topic"), &world.stack).plan(&created).await;
    assert_eq!(named(&fresh.apply_planned(&created, planned).await), Severity::Error);
    let named_topic = config(&*resource("topic"), json!({"cluster": "prod/kafka", "name": "orders"}));
    let imported = resource("topic").import(&crate::testing::context(&stack, Duration::from_secs(60)), named_topic).await;
    assert_eq!(named(&imported.unwrap_err()), Severity::Error);
    untouched(&other);
}

#[tokio::test(start_paused = true)]
async fn a_topic_whose_anchor_is_gone_still_knows_its_kafka() {
    let (world, other) = (prod().await, other());
    let core = declared(&world).await;
    world.kubernetes.remove(&names::anchor("prod", "kafka"));
    let stack = elsewhere(&world, &other);
    let mut astray = moved(&core, &stack);
    assert_eq!(named(&astray.refresh().await), Severity::Warning);
    assert_eq!(named(&astray.destroy().await), Severity::Error);
    untouched(&other);
    assert!(moved(&core, &world.stack).refresh().await.iter().next().is_none());
}

#[tokio::test(start_paused = true)]
async fn who_takes_the_id_out_of_the_anchor_goes_on_with_the_kafka_that_answers() {
    let (world, other) = (prod().await, other());
    let core = declared(&world).await;
    world.kubernetes.edit("kubectl", &names::anchor("prod", "kafka"), "/data/cluster_id", Value::Null);
    let stack = elsewhere(&world, &other);
    let mut core = moved(&core, &stack);
    // The cluster goes on; a topic of the same name is another one there, which an import takes.
    let said = core.refresh().await;
    assert!(said.has_errors() && said.iter().any(|one| one.summary == "This is another topic of the same name"), "{said:?}");
    let named_topic = config(&*core.resource, json!({"cluster": "prod/kafka", "name": "orders"}));
    let context = crate::testing::context(&stack, Duration::from_secs(60));
    let found = resource("topic").import(&context, named_topic).await.unwrap().unwrap();
    assert_eq!(found.state.get("partitions"), &crate::plugin::value::Value::from(4i64));
}

/// The cluster of the world is made anew: its anchor and its brokers have another id.
fn made_anew(world: &World) {
    world.kafka.set_cluster_id(Some("other"));
    world.kubernetes.edit("another", &names::anchor("prod", "kafka"), "/data/cluster_id", "other".into());
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_a_cluster_that_was_made_anew_is_gone_and_one_of_its_name_stays() {
    for there in [false, true] {
        let world = prod().await;
        let core = declared(&world).await;
        made_anew(&world);
        let topic = FakeTopic { id: [9; 16], partitions: vec![vec![0, 1, 2]; 4], configs: [].into() };
        world.kafka.edit("orders", |found| *found = there.then_some(topic));
        // Another run: connections of the old Kafka are none of the new one.
        let stack = elsewhere(&world, &world.kafka);
        let mut seen = moved(&core, &stack);
        let said = seen.refresh().await;
        assert_eq!((said.has_errors(), seen.state.is_none()), (there, !there), "{said:?}");
        let mut gone = moved(&core, &stack);
        let said = gone.destroy().await;
        let summaries: Vec<_> = said.iter().map(|one| &*one.summary).collect();
        assert_eq!((summaries, said.has_errors()), (vec!["The topic went with its cluster"], false));
        assert_eq!(world.kafka.topic("orders").is_some(), there);
    }
}

#[test]
fn what_is_remembered_of_a_target_is_recalled_and_an_earlier_release_remembered_no_id() {
    let target = |cluster_id: Option<&str>| Target {
        id: Id::new("prod", "kafka"),
        port: 9092,
        brokers: 3,
        cluster_id: cluster_id.map(str::to_owned),
    };
    for target in [target(None), target(Some("A"))] {
        assert_eq!(recall(&remember(&Which::default(), Some(&target), &FakeKafka::new(3).admin()), &target.id), Some(target));
    }
    let earlier = [(TARGET.to_owned(), r#"{"port":9092,"brokers":3}"#.to_owned())].into();
    assert_eq!(recall(&earlier, &target(None).id), Some(target(None)));
}
