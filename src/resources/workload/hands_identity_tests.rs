//! A state is about one workload in one Kubernetes cluster, whatever else has its name: over servers in this process.

use super::hands_tests::{key, summaries, with};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::stack::{Access, Stack};
use crate::testing::core::{Core, config};
use crate::testing::fake_kafka::FakeKafka;
use crate::testing::faults::Faults;
use crate::testing::world::{Pods, SUBJECTS, World, made, settles, world};
use serde_json::json;
use std::sync::Arc;

fn kube_system() -> Object {
    Object::of(&Key::cluster_scoped(Kind::Namespace, "kube-system"), json!({"status": {"phase": "Active"}}))
}

/// Servers whose Kubernetes cluster can be told from others.
fn named() -> World {
    let world = world(Faults::none());
    world.kubernetes.put("kube", kube_system());
    world
}

/// The same objects, with other uids: as in another cluster that was set up alike.
fn elsewhere(world: &World, keys: &[Key]) -> Stack {
    let other = world.kubernetes.fork(Faults::none());
    for key in keys {
        let mut twin = other.get(key).unwrap();
        other.remove(key);
        twin.set_metadata("uid", json!(null));
        other.put("twin", twin);
    }
    Stack::new(other.impatient(), Access::Through(Arc::new(Pods(FakeKafka::new(3)))), vec![])
}

async fn nothing_is_done_with(mut core: Core<'_>, other: &Stack, changed: &serde_json::Value, said: &str) {
    let changed = config(&*core.resource, changed.clone());
    let approved = core.plan(&changed).await;
    core.stack = other;
    let state = core.state.clone().unwrap();
    for refused in [
        core.refresh().await,
        core.plan(&changed).await.diagnostics,
        core.apply_planned(&changed, approved).await,
        core.destroy().await,
    ] {
        assert!(refused.has_errors() && summaries(&refused).iter().any(|summary| summary.contains(said)), "{refused:?}");
    }
    assert_eq!(core.state.unwrap().value, state.value);
}

#[tokio::test(start_paused = true)]
async fn another_workload_of_the_same_name_is_neither_read_nor_changed_nor_destroyed() {
    for subject in SUBJECTS {
        let world = named();
        let (core, _) = made(&world, subject()).await;
        let name = subject().1["name"].as_str().unwrap().to_owned();
        let changed = with(subject(), &json!({"labels": {"team": "z"}})).1;
        let other = elsewhere(&world, &[key(Kind::ConfigMap, &format!("{name}-kafkastack"))]);
        nothing_is_done_with(core, &other, &changed, "of the same name").await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_kubernetes_cluster_is_said_and_nothing_there_is_gone_or_changed() {
    for subject in SUBJECTS {
        let world = named();
        let (core, _) = made(&world, subject()).await;
        let changed = with(subject(), &json!({"labels": {"team": "z"}})).1;
        let other = elsewhere(&world, &[kube_system().key()]);
        nothing_is_done_with(core, &other, &changed, "another Kubernetes cluster").await;
        // Where nothing of that name is, too: it is not gone.
        let (mut core, _) = made(&world, with(subject(), &json!({"name": "second"}))).await;
        let empty = crate::testing::world::world(Faults::none());
        // Uids count up: this one has no twin in the first cluster.
        for _ in 0..200 {
            empty.kubernetes.remove(&kube_system().key());
            empty.kubernetes.put("kube", kube_system());
        }
        core.stack = &empty.stack;
        assert!(core.refresh().await.has_errors() && core.state.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_does_not_know_which_one_it_is_about_takes_it_at_its_first_refresh() {
    for subject in SUBJECTS {
        let world = named();
        let (mut core, wanted) = made(&world, subject()).await;
        let known = core.state.as_ref().unwrap().private.clone();
        assert!(known.contains_key("anchor_uid") && known.contains_key("kubernetes_uid"));
        core.state.as_mut().unwrap().private.retain(|key, _| key == "applied");
        assert!(core.is_settled(&wanted).await);
        let now = core.state.as_ref().unwrap().private.clone();
        assert_eq!((&now["anchor_uid"], &now["kubernetes_uid"]), (&known["anchor_uid"], &known["kubernetes_uid"]));
    }
}

#[tokio::test(start_paused = true)]
async fn an_anchor_that_a_hand_deleted_is_written_anew_and_known_also_by_a_state_that_missed_it() {
    for subject in SUBJECTS {
        let world = named();
        let (mut core, wanted) = made(&world, subject()).await;
        let name = subject().1["name"].as_str().unwrap().to_owned();
        let before = core.state.clone();
        world.kubernetes.remove(&key(Kind::ConfigMap, &format!("{name}-kafkastack")));
        core.refresh().await;
        settles(&mut core, &wanted).await;
        // The run was killed before core heard of it.
        core.state = before;
        assert!(!core.refresh().await.has_errors());
        settles(&mut core, &wanted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_kube_system_is_told_by_the_anchor_alone() {
    for subject in SUBJECTS {
        let world = named();
        world.kubernetes.forbid("get", Kind::Namespace);
        let (mut core, wanted) = made(&world, subject()).await;
        assert!(core.is_settled(&wanted).await);
        let private = core.state.unwrap().private;
        assert!(private.contains_key("anchor_uid") && !private.contains_key("kubernetes_uid"));
    }
}
