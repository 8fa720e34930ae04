//! Which claims a create takes, which a destroy takes, and whose they have to be: over servers in this process.

use super::hands_tests::{claims, key, namespace, protected, summaries, with};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::testing::core::{Core, config};
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{SUBJECTS, cluster, ensemble, made, settles, world};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// A claim as another chart leaves it, with the labels that every chart uses.
fn claim(name: &str, app: &str, instance: &str) -> Object {
    let labels =
        json!({"app.kubernetes.io/name": app, "app.kubernetes.io/instance": instance, "app.kubernetes.io/managed-by": "Helm"});
    Object::of(&key(Kind::PersistentVolumeClaim, name), json!({"metadata": {"labels": labels}, "spec": {}}))
}

#[tokio::test(start_paused = true)]
async fn claims_of_this_very_create_protect_nothing_and_kept_ones_do() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (resource, set) = with(subject(), &protected());
        let wanted = config(&*resource, set);
        let crash = Script::ImagePull("nowhere".to_owned());
        world.kubernetes.script(name, crash.clone());
        let mut core = Core::new(resource, &world.stack);
        assert!(!core.apply(&wanted).await.has_errors());
        assert!(!claims(&world).is_empty());
        let said = core.destroy().await;
        assert!(!said.has_errors(), "it never served: {said:?}");
        assert_eq!(claims(&world), [""; 0]);
        // With claims of an earlier life it holds data before it ever serves.
        world.kubernetes.script(name, Script::Ready);
        let (mut core, _) = made(&world, with(subject(), &json!({"deletion_protection": false}))).await;
        core.destroy().await;
        let kept = claims(&world);
        assert_eq!(kept.len(), 3);
        world.kubernetes.script(name, crash);
        let mut core = Core::new(subject().0, &world.stack);
        assert!(!core.apply(&wanted).await.has_errors());
        assert!(core.destroy().await.has_errors());
        assert_eq!(claims(&world), kept);
    }
}

/// What is said of claims that are not just those that are wanted; its command.
fn refused(said: &Diagnostics) -> String {
    assert_eq!(summaries(said), ["Kept data is of another number of pods"]);
    let hint = said.iter().next().unwrap().hint.clone().unwrap();
    hint.split("delete pvc ").nth(1).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_a_scale_down_left_is_said_at_plan_and_only_that_is_named_for_deletion() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, with(cluster(), &json!({"brokers": 5}))).await;
    world.kafka.resize(3);
    let wanted = config(&*core.resource, with(cluster(), &json!({"brokers": 3})).1);
    settles(&mut core, &wanted).await;
    assert_eq!(claims(&world).len(), 5);
    // A replacement would end between its destroy and its create.
    let surplus = "data-kafka-3 data-kafka-4";
    let fresh = Core::new(cluster().0, &world.stack);
    assert_eq!(refused(&fresh.plan(&wanted).await.diagnostics), surplus);
    // Where its anchor alone is gone, nothing is in the way.
    world.kubernetes.remove(&key(Kind::ConfigMap, "kafka-kafkastack"));
    let mut found = Core::new(cluster().0, &world.stack);
    let said = found.apply(&wanted).await;
    assert!(!said.has_errors(), "{said:?}");
    // After a destroy it is refused before the first write, also to a plan that is older.
    let approved = Core::new(cluster().0, &crate::testing::world::world(Faults::none()).stack).plan(&wanted).await;
    assert!(!found.destroy().await.has_errors());
    let writes = world.kubernetes.writes();
    let mut fresh = Core::new(cluster().0, &world.stack);
    assert_eq!(refused(&fresh.plan(&wanted).await.diagnostics), surplus);
    assert_eq!(refused(&fresh.apply_planned(&wanted, approved).await), surplus);
    assert_eq!(world.kubernetes.writes(), writes);
    for claim in surplus.split(' ') {
        world.kubernetes.remove(&key(Kind::PersistentVolumeClaim, claim));
    }
    settles(&mut fresh, &wanted).await;
}

#[tokio::test(start_paused = true)]
async fn claims_stay_though_the_controller_writes_between_the_look_and_the_deed() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, with(subject(), &json!({"deletion_protection": false}))).await;
        let set = key(Kind::StatefulSet, name);
        let delete = json!({"whenDeleted": "Delete", "whenScaled": "Delete"});
        world.kubernetes.edit("kubectl", &set, "/spec/persistentVolumeClaimRetentionPolicy", delete);
        let faster = AtomicBool::new(true);
        world.kubernetes.admit(move |verb, object| {
            let meets = verb == "update" && object.key() == set && faster.swap(false, Ordering::SeqCst);
            meets.then(|| (409, "the object has been modified; please apply your changes to the latest version".to_owned()))
        });
        let said = core.destroy().await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!(claims(&world).len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn only_our_own_claims_go_and_only_our_own_pods_are_waited_for() {
    for (subject, app, name) in [(ensemble as fn() -> _, "zookeeper", "zk"), (cluster, "kafka", "kafka")] {
        let world = world(Faults::none());
        let open = json!({"deletion_protection": false, "delete_claims": true});
        let (mut core, wanted) = made(&world, with(subject(), &open)).await;
        for neighbour in ["foreign-data".to_owned(), format!("data-{name}-9")] {
            world.kubernetes.put("helm", claim(&neighbour, app, name));
        }
        let labels = json!({"app.kubernetes.io/name": app, "app.kubernetes.io/instance": name});
        let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]});
        let pod = Object::of(
            &key(Kind::Pod, "exporter"),
            json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "x"}]}, "status": status}),
        );
        world.kubernetes.put("helm", pod);
        assert!(core.is_settled(&wanted).await);
        let (_, mut changed) = with(subject(), &open);
        changed["heap"] = "300m".into();
        let said = core.apply(&config(&*core.resource, changed)).await;
        assert!(!said.has_errors(), "{said:?}");
        let said = core.destroy().await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!(claims(&world), [format!("data-{name}-9"), "foreign-data".to_owned()]);
        assert!(world.kubernetes.get(&key(Kind::Pod, "exporter")).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn claims_of_others_under_our_names_are_refused_before_the_first_write() {
    for (subject, app, name) in [(ensemble as fn() -> _, "zookeeper", "zk"), (cluster, "kafka", "kafka")] {
        let world = world(Faults::none());
        namespace(&world);
        world.kubernetes.put("helm", claim(&format!("data-{name}-1"), app, name));
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        let mut core = Core::new(resource, &world.stack);
        let said = core.apply(&wanted).await;
        assert_eq!(summaries(&said), ["Claims of others have the names that are needed"]);
        assert!(said.iter().next().unwrap().text().contains(&format!("data-{name}-1")));
        assert!(core.state.is_none() && world.kubernetes.writes().is_empty());
    }
    // A cluster that grows takes them no more than a new one does.
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    world.kubernetes.put("helm", claim("data-kafka-3", "kafka", "kafka"));
    let writes = world.kubernetes.writes();
    let said = core.apply(&config(&*core.resource, with(cluster(), &json!({"brokers": 4})).1)).await;
    assert!(summaries(&said).contains(&"Claims of others have the names that are needed"), "{said:?}");
    assert_eq!(world.kubernetes.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn claims_of_others_are_ours_after_the_commands_that_the_error_names() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        namespace(&world);
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        // As a stranger left them: the names of our claims, and none of our labels.
        let twin = crate::testing::world::world(Faults::none());
        made(&twin, subject()).await;
        for name in claims(&twin) {
            world.kubernetes.put("helm", claim(&name, "other", "other"));
        }
        let mut core = Core::new(resource, &world.stack);
        let said = core.apply(&wanted).await;
        assert_eq!(summaries(&said), ["Claims of others have the names that are needed"]);
        let hint = said.iter().next().unwrap().hint.clone().unwrap();
        for command in hint.split("kubectl -n prod label --overwrite pvc ").skip(1) {
            let words: Vec<&str> = command.trim_end_matches("; ").split(' ').collect();
            for name in words.iter().filter(|word| !word.contains('=')) {
                for (label, value) in words.iter().filter_map(|word| word.split_once('=')) {
                    let pointer = format!("/metadata/labels/{}", label.replace('/', "~1"));
                    world.kubernetes.edit("user", &key(Kind::PersistentVolumeClaim, name), &pointer, json!(value));
                }
            }
        }
        let said = core.apply(&wanted).await;
        assert!(!said.has_errors(), "{hint}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn claims_stay_although_a_hand_made_them_go_with_their_stateful_set() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        let before = claims(&world);
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
        assert_eq!(claims(&world), before);
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
