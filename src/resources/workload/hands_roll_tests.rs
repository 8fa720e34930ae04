//! What a roll and a destroy make of what hands, drills and dead brokers left: over servers in this process.

use super::hands_tests::{key, summaries, with};
use crate::kubernetes::object::{Kind, Object};
use crate::testing::core::{Core, config};
use crate::testing::fake_kafka::{Down, FakeTopic};
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, settles, world};
use serde_json::json;
use std::time::Duration;

/// The pods that were taken away, in their order; `!` where nobody was asked.
fn taken(world: &World) -> Vec<String> {
    let pod = |write: &String| {
        let name = write.rsplit('/').next()?;
        match write.split_once(' ')? {
            ("evict", _) => Some(name.to_owned()),
            ("delete", what) if what.starts_with("Pod ") => Some(format!("{name}!")),
            _ => None,
        }
    };
    world.kubernetes.writes().iter().filter_map(pod).collect()
}

fn heap(core: &Core<'_>, subject: crate::testing::world::Subject) -> crate::plugin::value::Value {
    config(&*core.resource, with(subject, &json!({"heap": "300m"})).1)
}

#[tokio::test(start_paused = true)]
async fn what_serves_is_evicted_and_the_leader_last_as_the_plan_foretold() {
    for (subject, order) in [(cluster as fn() -> _, ["kafka-0", "kafka-1", "kafka-2"]), (ensemble, ["zk-1", "zk-2", "zk-0"])] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        core.refresh().await;
        let changed = heap(&core, subject());
        let planned = core.plan(&changed).await;
        let foretold = format!("{:?}", planned.value.get("planned_roll"));
        let places: Vec<usize> = order.iter().map(|pod| foretold.find(pod).unwrap()).collect();
        assert!(places.is_sorted(), "{foretold}");
        assert!(!core.apply_planned(&changed, planned).await.has_errors());
        assert_eq!(taken(&world), order);
        assert!(core.is_settled(&changed).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_claim_is_being_deleted_is_not_restarted_at_plan_and_at_apply() {
    for (subject, claim) in [(cluster as fn() -> _, "data-kafka-1"), (ensemble, "data-zk-1")] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        let changed = heap(&core, subject());
        let approved = core.plan(&changed).await;
        let claim = key(Kind::PersistentVolumeClaim, claim);
        world.kubernetes.edit("kubectl", &claim, "/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"));
        let said = core.plan(&changed).await.diagnostics;
        assert!(summaries(&said).contains(&"A restart would lose data"), "{said:?}");
        // A change without a restart goes on.
        let labels = config(&*core.resource, with(subject(), &json!({"labels": {"team": "z"}})).1);
        assert!(!core.plan(&labels).await.diagnostics.has_errors());
        let said = core.apply_planned(&changed, approved).await;
        assert!(summaries(&said).iter().any(|summary| summary.contains("its data would go with it")), "{said:?}");
        assert_eq!(taken(&world), [""; 0]);
        assert!(world.kubernetes.get(&claim).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_without_a_restart_needs_no_whole_service() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    world.kafka.set_down(1, Some(Down::Hangs));
    let labels = config(&*core.resource, with(cluster(), &json!({"labels": {"team": "z"}})).1);
    let begun = tokio::time::Instant::now();
    let said = core.apply(&labels).await;
    assert!(!said.has_errors() && summaries(&said).contains(&"NOT SERVING as a whole"), "{said:?}");
    assert_eq!(core.state.as_ref().unwrap().value.get("ready"), &false.into());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    world.kafka.set_down(1, None);
    settles(&mut core, &labels).await;
    assert_eq!(taken(&world), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_never_served_can_be_mended_and_grown_in_one_edit() {
    let world = world(Faults::none());
    let (resource, set) = with(cluster(), &json!({"brokers": 1}));
    world.kubernetes.script("kafka", Script::ImagePull("nowhere".to_owned()));
    (0..3).for_each(|broker| world.kafka.set_down(broker, Some(Down::Refused)));
    let mut core = Core::new(resource, &world.stack);
    core.limit = Duration::from_secs(60);
    assert!(!core.apply(&config(&*core.resource, set)).await.has_errors());
    let wanted = config(&*core.resource, with(cluster(), &json!({"brokers": 3, "image": "kafka:right"})).1);
    let said = core.apply(&wanted).await;
    assert!(summaries(&said).iter().any(|summary| summary.starts_with("NOT SERVING")), "{said:?}");
    let set = world.kubernetes.get(&key(Kind::StatefulSet, "kafka")).unwrap();
    assert!(set.int("/spec/replicas") == Some(3) && set.at("/spec/template").to_string().contains("kafka:right"));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_answer_goes_first_and_while_it_does_not_come_no_other_one() {
    for down in [Down::Dead, Down::Silent, Down::Hangs] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, cluster()).await;
        let changed = heap(&core, cluster());
        world.kafka.set_down(1, Some(down));
        core.limit = Duration::from_secs(60);
        let said = core.apply(&changed).await;
        assert!(said.has_errors(), "{down:?}: {said:?}");
        assert_eq!(taken(&world), ["kafka-1!"], "{down:?}");
        world.kafka.set_down(1, None);
        core.limit = Duration::from_secs(600);
        settles(&mut core, &changed).await;
        assert_eq!(taken(&world)[1..], ["kafka-0", "kafka-2"], "{down:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_taken_back_foretells_only_the_pods_that_it_reached() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    core.refresh().await;
    let changed = heap(&core, cluster());
    world.kafka.set_down(1, Some(Down::Dead));
    core.limit = Duration::from_secs(60);
    assert!(core.apply(&changed).await.has_errors());
    assert_eq!(taken(&world), ["kafka-1!"]);
    world.kafka.set_down(1, None);
    core.limit = Duration::from_secs(600);
    core.refresh().await;
    let planned = core.plan(&wanted).await;
    let foretold = format!("{:?}", planned.value.get("planned_roll"));
    assert!(foretold.contains("kafka-1") && !foretold.contains("kafka-0") && !foretold.contains("kafka-2"), "{foretold}");
    let said = planned.diagnostics.iter().find(|said| said.kind == "restart_forecast").unwrap().summary.clone();
    assert_eq!(said, "This change restarts 1 kafka pod(s) of kafka");
    assert!(!core.apply_planned(&wanted, planned).await.has_errors());
    assert_eq!(taken(&world).len(), 2, "{:?}", taken(&world));
    assert!(core.is_settled(&wanted).await);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_evict_deletes_what_the_rule_lets_go_and_says_so() {
    for (subject, order) in
        [(cluster as fn() -> _, ["kafka-0!", "kafka-1!", "kafka-2!"]), (ensemble, ["zk-1!", "zk-2!", "zk-0!"])]
    {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        world.kubernetes.forbid("create", Kind::Pod);
        let changed = heap(&core, subject());
        settles(&mut core, &changed).await;
        assert_eq!(taken(&world), order);
        assert!(
            world.kubernetes.told().iter().any(|told| told.contains("was deleted, not evicted")),
            "{:?}",
            world.kubernetes.told()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_may_not_be_seen_holds_nobody() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, ensemble()).await;
    world.kubernetes.edit("another", &key(Kind::ConfigMap, "zk-kafkastack"), "/data/users", json!("other/kafka"));
    world.kubernetes.forbid_in("other", "get", Kind::ConfigMap);
    let changed = heap(&core, ensemble());
    settles(&mut core, &changed).await;
    assert_eq!(taken(&world).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_serves_beside_containers_that_crash_is_rolled_as_any_other() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    world.kubernetes.script("kafka", Script::Beside);
    world.kubernetes.settle();
    // One of them is frozen, so the others are needed.
    let configs = [("min.insync.replicas".to_owned(), "2".to_owned())].into();
    world.kafka.edit("orders", |found| *found = Some(FakeTopic { id: [9; 16], partitions: vec![vec![0, 1, 2]], configs }));
    world.kafka.set_down(1, Some(Down::Silent));
    core.limit = Duration::from_secs(60);
    let changed = heap(&core, cluster());
    assert!(core.apply(&changed).await.has_errors());
    assert_eq!(taken(&world), ["kafka-1!"]);
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_runs_is_waited_for_and_one_that_was_killed_is_not() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    let changed = heap(&core, cluster());
    let drill = key(Kind::ConfigMap, "kafka-kafkastack-drill");
    world.kubernetes.put("drill", Object::of(&drill, json!({"data": {"beat": "0"}})));
    let kubernetes = world.kubernetes.clone();
    let beats = tokio::spawn(async move {
        for beat in 1..15 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(!kubernetes.writes().iter().any(|write| write.starts_with("evict")), "at beat {beat}");
            kubernetes.edit("drill", &key(Kind::ConfigMap, "kafka-kafkastack-drill"), "/data/beat", json!(beat.to_string()));
        }
    });
    let said = core.apply(&changed).await;
    assert!(!said.has_errors(), "{said:?}");
    beats.await.unwrap();
    assert_eq!(taken(&world).len(), 3);
}
