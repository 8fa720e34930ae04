//! Topics whose brokers do not answer: for a moment, for good, and before Kubernetes has seen it.

use super::*;
use crate::kubernetes::object::{Key, Kind};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::value::Value;
use crate::testing::core::{Core, config as configuration, resource};
use crate::testing::fake_kafka::Down;
use crate::testing::faults::Faults;
use crate::testing::world::{self, World};
use serde_json::json;

/// A cluster `prod/kafka` of three brokers; protected, or not.
async fn cluster(protected: bool) -> World {
    let world = world::world(Faults::none());
    let (resource, mut set) = world::cluster();
    set["deletion_protection"] = protected.into();
    world::made(&world, (resource, set)).await;
    world
}

fn wanted(settings: serde_json::Value) -> Value {
    let whole = json!({"name": "a", "cluster": "prod/kafka", "replication_factor": 1, "config": settings});
    configuration(&*resource("topic"), whole)
}

/// A topic of the cluster.
async fn topic_of(world: &World) -> Core<'_> {
    let mut core = Core { limit: Duration::from_secs(300), ..Core::new(resource("topic"), &world.stack) };
    let said = core.apply(&wanted(json!({}))).await;
    assert!(!said.has_errors(), "{said:?}");
    core
}

fn brokers(kafka: &FakeKafka, down: Option<Down>) {
    (0..3).for_each(|broker| kafka.set_down(broker, down));
}

/// What Kubernetes says of the brokers: how many there should be, and how many are ready.
fn counted(world: &World, replicas: i64, ready: i64) {
    let mut set = world.kubernetes.get(&Key::new(Kind::StatefulSet, "prod", "kafka")).unwrap();
    set.json_mut()["spec"]["replicas"] = replicas.into();
    set.json_mut()["status"]["readyReplicas"] = ready.into();
    world.kubernetes.put("kube", set);
}

fn details(said: &Diagnostics) -> String {
    said.iter().map(|one| format!("{:?} {} {}\n", one.severity, one.summary, one.text())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_a_stopped_cluster_that_may_go_leaves_the_state_with_a_warning() {
    for stopped in ["scaled to nothing", "no broker is ready", "no StatefulSet"] {
        let world = cluster(false).await;
        let mut core = topic_of(&world).await;
        brokers(&world.kafka, Some(Down::Refused));
        match stopped {
            "scaled to nothing" => counted(&world, 0, 0),
            "no broker is ready" => counted(&world, 3, 0),
            _ => world.kubernetes.remove(&Key::new(Kind::StatefulSet, "prod", "kafka")),
        }
        let said = core.refresh().await;
        assert!(!said.has_errors() && core.state.is_some(), "{stopped}: {said:?}");
        let begun = Instant::now();
        let said = core.destroy().await;
        assert!(!said.has_errors() && core.state.is_none(), "{stopped}: {said:?}");
        let said = details(&said);
        assert!(said.contains("Warning The topic was not deleted from the brokers"), "{stopped}: {said}");
        assert!(said.contains("tofu import kafkastack_topic.NAME prod/kafka/a"), "{stopped}: {said}");
        // Brokers of which none is ready may be back in a moment; those that nobody wants are not.
        let least = Duration::from_secs(if stopped == "no broker is ready" { 30 } else { 0 });
        assert!(begun.elapsed() >= least && begun.elapsed() < least + Duration::from_secs(2), "{stopped}: {:?}", begun.elapsed());
        assert!(world.kafka.topic("a").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn topics_of_one_silent_cluster_wait_for_it_once() {
    let world = cluster(false).await;
    let mut core = topic_of(&world).await;
    let state = core.state.clone();
    counted(&world, 3, 0);
    core.destroy().await;
    let begun = Instant::now();
    core.state = state;
    assert!(!core.destroy().await.has_errors());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_a_stopped_cluster_that_is_protected_stays_and_the_way_out_is_named() {
    let world = cluster(true).await;
    let mut core = topic_of(&world).await;
    counted(&world, 0, 0);
    let said = core.destroy().await;
    assert!(said.has_errors() && core.state.is_some(), "{said:?}");
    assert!(details(&said).contains("tofu state rm 'kafkastack_topic.NAME'"), "{said:?}");
    assert!(details(&said).contains("set its `deletion_protection = false` and apply first"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn brokers_that_restart_are_waited_for() {
    let world = cluster(true).await;
    let mut core = topic_of(&world).await;
    let back = |kafka: FakeKafka| {
        brokers(&kafka, Some(Down::Refused));
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(45)).await;
            brokers(&kafka, None);
        })
    };
    for what in ["read", "change", "delete"] {
        let restart = back(world.kafka.clone());
        let said = match what {
            "read" => core.refresh().await,
            "change" => {
                let other = wanted(json!({"retention.ms": "5"}));
                let planned = core.plan(&other).await;
                core.apply_planned(&other, planned).await
            }
            _ => core.destroy().await,
        };
        assert!(!said.has_errors(), "{what}: {said:?}");
        restart.await.unwrap();
    }
    assert!(core.state.is_none() && world.kafka.topic("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_create_waits_for_brokers_that_restart() {
    let kafka = FakeKafka::new(3);
    brokers(&kafka, Some(Down::Refused));
    let restart = kafka.clone();
    let restart = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(45)).await;
        brokers(&restart, None);
    });
    run(kafka.admin()).create(&topic(1, 1, &[])).await.unwrap();
    restart.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_reaches_nobody_ends_at_its_deadline_and_names_the_way_out() {
    let world = cluster(false).await;
    let mut core = topic_of(&world).await;
    brokers(&world.kafka, Some(Down::Dead));
    let begun = Instant::now();
    let said = core.destroy().await;
    assert!(begun.elapsed() >= Duration::from_secs(290) && begun.elapsed() < Duration::from_secs(305), "{:?}", begun.elapsed());
    assert!(core.state.is_some() && details(&said).contains("the time is up; "), "{said:?}");
    assert!(details(&said).contains("tofu state rm 'kafkastack_topic.NAME'"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn brokers_that_are_gone_before_kubernetes_sees_it_stop_neither_refresh_nor_destroy() {
    let world = cluster(false).await;
    let mut core = topic_of(&world).await;
    let gone = || async {
        brokers(&world.kafka, Some(Down::Refused));
        counted(&world, 3, 3);
        tokio::time::sleep(Duration::from_secs(40)).await;
        counted(&world, 3, 0);
    };
    let (said, ()) = tokio::join!(core.refresh(), gone());
    assert!(!said.has_errors(), "{said:?}");
    assert!(details(&said).contains("none of its brokers is ready"), "{said:?}");
    let (said, ()) = tokio::join!(core.destroy(), gone());
    assert!(!said.has_errors() && core.state.is_none(), "{said:?}");
}
