//! What a roll and a destroy make of what hands, drills and dead brokers left: over servers in this process.

use super::hands_tests::{key, summaries, with};
use crate::kubernetes::object::{Kind, Object};
use crate::testing::core::{Core, config};
use crate::testing::fake_kafka::Down;
use crate::testing::faults::Faults;
use crate::testing::world::{SUBJECTS, World, cluster, ensemble, made, settles, world};
use serde_json::json;
use std::time::Duration;

fn names(world: &World, kind: Kind) -> Vec<String> {
    world.kubernetes.all(kind).iter().map(|object| object.name().to_owned()).collect()
}

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
async fn claims_stay_although_a_hand_made_them_go_with_their_stateful_set() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        let claims = names(&world, Kind::PersistentVolumeClaim);
        for set in world.kubernetes.all(Kind::StatefulSet) {
            let policy = "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted";
            world.kubernetes.edit("kubectl", &set.key(), policy, json!("Delete"));
        }
        world.kubernetes.settle();
        core.refresh().await;
        let shown = format!("{:?}", core.state.as_ref().unwrap().value.get("objects"));
        assert!(shown.contains("persistentVolumeClaimRetentionPolicy"), "{shown}");
        let said = core.destroy().await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!(names(&world, Kind::PersistentVolumeClaim), claims);
        assert!(world.kubernetes.all(Kind::StatefulSet).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_over_kept_claims_takes_exactly_those_that_it_needs() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        assert!(!core.destroy().await.has_errors());
        let kept = world.kubernetes.all(Kind::PersistentVolumeClaim);
        let (gone, writes) = (kept.last().unwrap().clone(), world.kubernetes.writes());
        let several = kept.iter().filter(|claim| claim.labels() == gone.labels()).count() > 1;
        world.kubernetes.remove(&gone.key());
        let said = core.apply(&wanted).await;
        // A set of pods without any claim is a new one.
        assert_eq!(summaries(&said).contains(&"Kept data is of another number of pods"), several, "{said:?}");
        if several {
            assert_eq!((core.state.is_none(), world.kubernetes.writes()), (true, writes));
            let twin = Object::of(&gone.key(), json!({"metadata": {"labels": gone.labels()}, "spec": gone.at("/spec")}));
            world.kubernetes.put("kubectl", twin);
            settles(&mut core, &wanted).await;
        }
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
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    world.kafka.set_down(1, None);
    settles(&mut core, &labels).await;
    assert_eq!(taken(&world), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_does_not_answer_goes_first_and_while_it_does_not_come_no_other_one() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    let changed = heap(&core, cluster());
    world.kafka.set_down(1, Some(Down::Dead));
    core.limit = Duration::from_secs(60);
    let said = core.apply(&changed).await;
    assert!(said.has_errors(), "{said:?}");
    assert_eq!(taken(&world), ["kafka-1!"]);
    world.kafka.set_down(1, None);
    core.limit = Duration::from_secs(600);
    settles(&mut core, &changed).await;
    assert_eq!(taken(&world)[1..], ["kafka-0", "kafka-2"]);
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
