//! What hands of others do to a workload, and what a run of ours must not do then: over servers in this process. Each test is a
//! sentence that holds on a real cluster too (`acceptance-tests/hands_*.rs`).

use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::value::Value;
use crate::testing::core::{Core, config};
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, settles, world};
use serde_json::json;

pub(super) fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, "prod", name)
}

pub(super) fn summaries(said: &Diagnostics) -> Vec<&str> {
    said.iter().map(|d| d.summary.as_str()).collect()
}

pub(super) fn claims(world: &World) -> Vec<String> {
    world.kubernetes.all(Kind::PersistentVolumeClaim).iter().map(|claim| claim.name().to_owned()).collect()
}

pub(super) fn namespace(world: &World) {
    world
        .kubernetes
        .put("kube", Object::of(&Key::cluster_scoped(Kind::Namespace, "prod"), json!({"status": {"phase": "Active"}})));
}

/// The same subject with more or other attributes.
pub(super) fn with(subject: crate::testing::world::Subject, more: &serde_json::Value) -> crate::testing::world::Subject {
    let (resource, mut set) = subject;
    for (name, value) in more.as_object().unwrap() {
        set[name] = value.clone();
    }
    (resource, set)
}

pub(super) fn protected() -> serde_json::Value {
    json!({"deletion_protection": true, "delete_claims": true})
}

#[tokio::test(start_paused = true)]
async fn what_has_served_and_is_protected_is_neither_destroyed_nor_renamed() {
    for subject in [ensemble, cluster] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, with(subject(), &protected())).await;
        let (_, set) = with(subject(), &protected());
        let writes = world.kubernetes.writes();
        for (attribute, other) in [("name", "renamed"), ("namespace", "elsewhere")] {
            let mut set = set.clone();
            set[attribute] = other.into();
            let planned = core.plan(&config(&*core.resource, set)).await;
            assert!(planned.replace && summaries(&planned.diagnostics)[0].ends_with("is protected"), "{:?}", planned.diagnostics);
            assert!(!format!("{:?}", planned.diagnostics).contains("restarts"), "nothing restarts in a replacement");
        }
        assert!(core.destroy().await.has_errors());
        assert_eq!(world.kubernetes.writes(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn protection_stands_when_the_stateful_set_or_the_anchor_is_gone() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        for gone in [key(Kind::StatefulSet, name), key(Kind::ConfigMap, &format!("{name}-kafkastack"))] {
            let world = world(Faults::none());
            let (mut core, _) = made(&world, with(subject(), &protected())).await;
            world.kubernetes.remove(&gone);
            let kept = claims(&world);
            core.refresh().await;
            let said = core.destroy().await;
            assert!(said.has_errors() && summaries(&said)[0].ends_with("is protected"), "{gone}: {said:?}");
            assert_eq!(claims(&world), kept);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_serves_is_protected_though_its_create_never_came_to_its_end() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (resource, set) = with(subject(), &protected());
        let wanted = config(&*resource, set);
        world.kubernetes.script(name, Script::FailedCreate("not yet".to_owned()));
        let mut core = Core::new(resource, &world.stack);
        let apply = core.apply(&wanted);
        // The provider is killed while it waits: the state never heard of it, the anchor says "creating".
        assert!(tokio::time::timeout(std::time::Duration::from_secs(30), apply).await.is_err());
        world.kubernetes.script(name, Script::Ready);
        world.kubernetes.settle();
        let kept = claims(&world);
        // A hand scales it, and the next create meets that.
        world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, name), "/spec/replicas", json!(2));
        let (resource, _) = subject();
        let mut core = Core::new(resource, &world.stack);
        let said = core.apply(&wanted).await;
        assert!(!said.has_errors(), "a create takes over what its plan shows: {said:?}");
        assert!(core.destroy().await.has_errors(), "it is protected");
        assert_eq!(claims(&world), kept);
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_taken_up_again_is_never_tainted() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        world.kubernetes.script(name, Script::FailedCreate("not yet".to_owned()));
        let mut killed = Core::new(resource, &world.stack);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(30), killed.apply(&wanted)).await;
        world.kubernetes.script(name, Script::Ready);
        world.kubernetes.settle();
        // The budget was taken away, and a policy refuses a new one.
        world.kubernetes.remove(&key(Kind::PodDisruptionBudget, name));
        let refuse = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let refuses = refuse.clone();
        world.kubernetes.admit(move |_, object| {
            let refused = object.kind() == Kind::PodDisruptionBudget && refuses.load(std::sync::atomic::Ordering::SeqCst);
            refused.then(|| (403, "admission webhook \"policy\" denied the request: no".to_owned()))
        });
        let mut core = Core::new(subject().0, &world.stack);
        assert!(core.apply(&wanted).await.has_errors());
        assert!(core.state.is_none(), "what may serve is not tainted: the next apply takes it up");
        refuse.store(false, std::sync::atomic::Ordering::SeqCst);
        settles(&mut core, &wanted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy_asks_what_was_applied_last_too() {
    for subject in [ensemble, cluster] {
        let world = world(Faults::none());
        let open = json!({"deletion_protection": false, "delete_claims": true});
        let (mut first, _) = made(&world, with(subject(), &open)).await;
        // Another state, in which it was imported, protects it.
        let (resource, set) = with(subject(), &protected());
        let wanted = config(&*resource, set);
        let mut second = Core::new(resource, &world.stack);
        second.state = first.state.clone();
        assert!(!second.apply(&wanted).await.has_errors());
        let writes = world.kubernetes.writes();
        let said = first.destroy().await;
        assert!(said.has_errors() && summaries(&said)[0].contains("protected by another"), "{said:?}");
        assert_eq!(world.kubernetes.writes(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_rollback_is_not_shown_as_done() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        let changed = config(&*core.resource, with(subject(), &json!({"heap": "300m"})).1);
        assert!(!core.apply(&changed).await.has_errors());
        // Back to the first template, and the roll stops at its first pod.
        world.kubernetes.script(name, Script::NotReady);
        let limit = core.limit;
        core.limit = std::time::Duration::from_secs(8);
        assert!(core.apply(&wanted).await.has_errors());
        core.limit = limit;
        world.kubernetes.script(name, Script::Ready);
        world.kubernetes.settle();
        core.refresh().await;
        assert_eq!(core.state.as_ref().unwrap().value.get("ready"), &Value::from(false), "two pods are of the other template");
        settles(&mut core, &wanted).await;
        let set = world.kubernetes.all(Kind::StatefulSet).remove(0);
        let outdated = |pod: &&Object| pod.labels()["controller-revision-hash"] != set.text("/status/updateRevision");
        assert_eq!(world.kubernetes.all(Kind::Pod).iter().filter(outdated).count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn another_first_listener_is_refused_at_plan_and_taken_back_where_pods_have_the_old_one() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    for listeners in [json!([{"name": "plain", "port": 9092}]), json!([{"name": "internal", "port": 9093}])] {
        let changed = config(&*core.resource, with(cluster(), &json!({"listeners": listeners})).1);
        let said = core.plan(&changed).await.diagnostics;
        assert!(said.has_errors() && summaries(&said).contains(&"The first listener cannot be changed"), "{said:?}");
    }
    let more = json!([{"name": "internal", "port": 9092}, {"name": "more", "port": 9093}]);
    assert!(!core.plan(&config(&*core.resource, with(cluster(), &json!({"listeners": more})).1)).await.diagnostics.has_errors());
    // What an earlier version applied, and no pod ever ran with.
    let stored = core.state.as_mut().unwrap();
    let applied = stored.private.get_mut("applied").unwrap();
    *applied = applied.replacen(
        "\"listeners\":null",
        r#""listeners":[{"name":"internal","port":9093,"exposure":null,"protocol":null}]"#,
        1,
    );
    assert!(applied.contains("9093"));
    settles(&mut core, &wanted).await;
}

#[tokio::test(start_paused = true)]
async fn after_its_last_object_a_create_ends_with_state_and_without_an_error() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        world.kubernetes.script(name, Script::FailedCreate("not yet".to_owned()));
        let mut core = Core::new(resource, &world.stack);
        // Rights, credentials or the API server end while the create waits.
        let kubernetes = world.kubernetes.clone();
        tokio::spawn(async move {
            while !kubernetes.writes().iter().any(|write| write.contains("StatefulSet")) {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            for verb in ["get", "list", "create", "update", "patch"] {
                Kind::ALL.iter().for_each(|kind| kubernetes.forbid(verb, *kind));
            }
        });
        let said = core.apply(&wanted).await;
        assert!(!said.has_errors(), "{said:?}");
        assert!(summaries(&said).iter().any(|summary| summary.starts_with("NOT SERVING")), "{said:?}");
        let stored = core.state.clone().unwrap();
        assert!(!stored.tainted);
        assert_eq!(stored.value.get("ready"), &Value::from(false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_a_hand_changed_and_changed_back_is_taken_by_the_next_change() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    let set = key(Kind::StatefulSet, "kafka");
    let image = "/spec/template/spec/containers/0/image";
    let (replicas, old) = (json!(3), world.kubernetes.get(&set).unwrap().at(image).clone());
    for (field, other, back) in [("/spec/replicas", json!(2), replicas), (image, json!("other:1"), old)] {
        world.kubernetes.edit("kubectl", &set, field, other);
        world.kubernetes.edit("kubectl", &set, field, back);
    }
    assert!(core.is_settled(&wanted).await);
    let changed = config(&*core.resource, with(cluster(), &json!({"brokers": 4, "image": "apache/kafka:3.9.1"})).1);
    world.kafka.resize(4);
    let said = core.apply(&changed).await;
    assert!(!said.has_errors(), "{said:?}");
    settles(&mut core, &changed).await;
}

#[tokio::test(start_paused = true)]
async fn what_came_after_its_create_had_ended_is_noted_by_the_next_apply() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (resource, set) = with(subject(), &protected());
        let wanted = config(&*resource, set);
        world.kubernetes.script(name, Script::ImagePull("nowhere".to_owned()));
        let mut core = Core::new(resource, &world.stack);
        assert!(!core.apply(&wanted).await.has_errors());
        world.kubernetes.script(name, Script::Ready);
        world.kubernetes.settle();
        assert!(!core.is_settled(&wanted).await, "it has served, and nobody has noted it");
        settles(&mut core, &wanted).await;
        world.kubernetes.script(name, Script::CrashLoop { exit_code: 1, restarts: 3 });
        world.kubernetes.settle();
        assert!(core.destroy().await.has_errors(), "it has served, though all of it is down");
    }
}

pub(super) async fn core_settles(core: &mut Core<'_>, wanted: &Value) {
    core.refresh().await;
    settles(core, wanted).await;
}

#[tokio::test(start_paused = true)]
async fn orphaned_pods_are_taken_over_and_their_restarts_are_in_the_plan() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        let uids = || -> Vec<String> { world.kubernetes.all(Kind::Pod).iter().map(|pod| pod.uid().to_owned()).collect() };
        let before = uids();
        world.kubernetes.orphan(&key(Kind::StatefulSet, name));
        core.refresh().await;
        let said = core.plan(&wanted).await.diagnostics;
        assert!(!said.iter().any(|d| d.summary.contains("restart")), "{said:?}");
        let changed = config(&*core.resource, with(subject(), &json!({"heap": "300m"})).1);
        let said = core.plan(&changed).await.diagnostics;
        assert!(said.iter().any(|d| d.summary.starts_with("This change restarts 3")), "{said:?}");
        core_settles(&mut core, &wanted).await;
        assert_eq!(uids(), before, "they were taken over as they were");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy_ends_the_pods_that_somebody_orphaned() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let open = json!({"deletion_protection": false, "delete_claims": true});
        let (mut core, _) = made(&world, with(subject(), &open)).await;
        world.kubernetes.orphan(&key(Kind::StatefulSet, name));
        let said = core.destroy().await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!((world.kubernetes.all(Kind::Pod), claims(&world)), (vec![], vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy_that_another_create_took_over_from_deletes_nothing_more() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let open = json!({"deletion_protection": false, "delete_claims": true});
        let (mut first, wanted) = made(&world, with(subject(), &open)).await;
        // A pod that takes long to end.
        let pod = key(Kind::Pod, &format!("{name}-0"));
        world.kubernetes.edit("kubelet", &pod, "/metadata/finalizers", json!(["x/y"]));
        let second = async {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            let mut second = Core::new(subject().0, &world.stack);
            let (said, ()) = tokio::join!(second.apply(&wanted), async {
                tokio::time::sleep(std::time::Duration::from_secs(5)).await;
                world.kubernetes.edit("kubelet", &pod, "/metadata/finalizers", json!(null));
            });
            assert!(!said.has_errors(), "{said:?}");
            second
        };
        let (said, mut second) = tokio::join!(first.destroy(), second);
        assert!(summaries(&said).contains(&"Another apply has taken the name over meanwhile"), "{said:?}");
        assert!(first.state.is_some());
        assert_eq!(claims(&world).len(), 3, "they are the other one's");
        assert!(second.is_settled(&wanted).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_port_to_which_a_hand_gave_another_number_is_put_back() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        let service = key(Kind::Service, name);
        let before = world.kubernetes.get(&service).unwrap().at("/spec/ports").clone();
        let mut moved = before.clone();
        moved[0]["port"] = json!(9999);
        world.kubernetes.edit("kubectl", &service, "/spec/ports", moved);
        core.refresh().await;
        assert!(!core.is_settled(&wanted).await);
        let said = core.apply(&wanted).await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!(*world.kubernetes.get(&service).unwrap().at("/spec/ports"), before);
        assert!(core.is_settled(&wanted).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_know_everything_says_what_it_may_restart() {
    for subject in [ensemble, cluster] {
        let world = world(Faults::none());
        let (core, _) = made(&world, subject()).await;
        let mut unknown = config(&*core.resource, subject().1);
        let Value::Map(attributes) = &mut unknown else { panic!("an object") };
        attributes.insert("heap".to_owned(), Value::Unknown);
        let said = core.plan(&unknown).await.diagnostics;
        assert!(said.iter().any(|d| d.summary.starts_with("This change may restart 3")), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_may_be_otherwise_in_everything() {
    let storage = json!({"storage": {"class": "", "size": "7Gi", "ephemeral": false}, "name": "other"});
    let more = [
        (ensemble as fn() -> _, json!({"members": 5})),
        (cluster, json!({"zookeeper": {"connection": "zk-0.zk:2181", "chroot": "/b"}})),
    ];
    for (subject, other) in more {
        let world = world(Faults::none());
        let (core, _) = made(&world, subject()).await;
        let (resource, set) = with(with(subject(), &storage), &other);
        let planned = core.plan(&config(&*resource, set)).await;
        assert!(planned.replace && !planned.diagnostics.has_errors(), "{:?}", planned.diagnostics);
    }
}

#[tokio::test(start_paused = true)]
async fn the_objects_of_another_workload_of_ours_are_not_taken_up() {
    let world = world(Faults::none());
    made(&world, cluster()).await;
    let before = world.kubernetes.all(Kind::Service);
    // Its Service for clients would be the one that names the first cluster's brokers.
    let (resource, set) = with(cluster(), &json!({"name": "kafka-headless"}));
    let wanted = config(&*resource, set);
    let said = Core::new(resource, &world.stack).apply(&wanted).await;
    assert!(said.has_errors());
    assert_eq!(world.kubernetes.all(Kind::Service), before);
}
