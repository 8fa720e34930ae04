//! The client against the fake API server: what each call does when all is well, and under every fault.

use super::explain::Outlook;
use super::*;
use crate::testing::{
    fake_kubernetes::{FakeKubernetes, Script},
    faults::{Fault, Faults, sweep},
};
use futures::StreamExt;
use serde_json::{Value, json};

fn config_map(name: &str, data: Value) -> Object {
    Object::of(&Key::new(Kind::ConfigMap, "default", name), json!({ "data": data }))
}

fn stateful_set(image: &str) -> Object {
    let labels = json!({"app": "kafka"});
    let container = json!({
        "name": "kafka", "image": image, "env": [{"name": "HEAP", "value": "2G"}],
        "resources": {"requests": {"memory": "2048Mi"}},
    });
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }});
    let key = Key::new(Kind::StatefulSet, "default", "kafka");
    Object::of(
        &key,
        json!({"spec": {
            "replicas": 3, "serviceName": "kafka", "selector": {"matchLabels": labels}, "volumeClaimTemplates": [claim],
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }}),
    )
}

fn class<T: std::fmt::Debug>(result: Result<T, Failure>) -> Class {
    result.unwrap_err().class
}

#[tokio::test]
async fn an_applied_object_reads_back_without_difference_and_applying_it_again_changes_nothing() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let wanted = stateful_set("apache/kafka:3.9.2");
    let first = kubernetes.apply(&wanted, Apply::default()).await.unwrap();
    assert!(differences(wanted.json(), first.json()).is_empty());
    let live = kubernetes.get(&wanted.key()).await.unwrap().unwrap();
    assert_eq!(live.int("/status/readyReplicas"), Some(3));
    let again = kubernetes.apply(&wanted, Apply::default()).await.unwrap();
    assert_eq!(again.resource_version(), live.resource_version());
    assert_eq!(fake.all(Kind::Pod).len(), 3);
    assert_eq!(fake.all(Kind::PersistentVolumeClaim).len(), 3);
}

#[tokio::test]
async fn a_field_that_someone_else_changed_is_a_conflict_that_names_them_and_force_takes_it_back() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let wanted = stateful_set("one");
    kubernetes.apply(&wanted, Apply::default()).await.unwrap();
    fake.edit("kubectl\" with subresource \"scale", &wanted.key(), "/spec/replicas", json!(5));
    let conflict = |field: &str, manager: &str| failure::FieldConflict { field: field.into(), manager: manager.into() };
    let expected = Class::Conflict(vec![conflict(".spec.replicas", "kubectl")]);
    assert_eq!(class(kubernetes.apply(&wanted, Apply::default()).await), expected);
    let live = kubernetes.get(&wanted.key()).await.unwrap().unwrap();
    assert_eq!(differences(wanted.json(), live.json()), [".spec.replicas"]);
    let forced = kubernetes.apply(&wanted, Apply { force: true, ..Apply::default() }).await.unwrap();
    assert!(differences(wanted.json(), forced.json()).is_empty());
}

#[tokio::test]
async fn a_field_left_out_of_the_next_apply_goes_away() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    kubernetes.apply(&config_map("a", json!({"x": "1", "y": "2"})), Apply::default()).await.unwrap();
    let live = kubernetes.apply(&config_map("a", json!({"x": "1"})), Apply::default()).await.unwrap();
    assert_eq!(*live.at("/data"), json!({"x": "1"}));
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_and_keeps_nothing() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let check = Apply { dry_run: true, ..Apply::default() };
    let wanted = stateful_set("one");
    assert_eq!(kubernetes.apply(&wanted, check).await.unwrap().text("/spec/podManagementPolicy"), "OrderedReady");
    assert_eq!(kubernetes.get(&wanted.key()).await.unwrap(), None);
    kubernetes.apply(&wanted, Apply::default()).await.unwrap();
    let mut moved = wanted.clone();
    moved.json_mut()["spec"]["serviceName"] = "other".into();
    assert!(matches!(class(kubernetes.apply(&moved, check).await), Class::Invalid(errors) if errors[0].field == "spec"));
    assert_eq!(fake.writes(), ["apply StatefulSet default/kafka"]);
}

#[tokio::test]
async fn replacing_and_deleting_are_bound_to_the_object_that_was_read() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let key = Key::new(Kind::ConfigMap, "default", "a");
    let first = kubernetes.create(&config_map("a", json!({"x": "1"}))).await.unwrap();
    assert_eq!(class(kubernetes.create(&config_map("a", json!({"x": "1"}))).await), Class::AlreadyExists);
    fake.edit("someone", &key, "/data/x", json!("2"));
    assert_eq!(class(kubernetes.replace(&first).await), Class::Stale);
    let by_uid = |uid: &str| Delete { uid: Some(uid.to_owned()), ..Delete::default() };
    assert_eq!(class(kubernetes.delete(&key, by_uid("another")).await), Class::Stale);
    assert_eq!(kubernetes.delete(&key, by_uid(first.uid())).await, Ok(true));
    assert_eq!(kubernetes.delete(&key, by_uid(first.uid())).await, Ok(false));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let elsewhere = Object::of(&Key::new(Kind::ConfigMap, "absent", "a"), json!({}));
    assert_eq!(class(kubernetes.apply(&elsewhere, Apply::default()).await), Class::NamespaceMissing("absent".into()));
    assert_eq!(kubernetes.get(&elsewhere.key()).await, Ok(None));
    fake.admit(|verb, object| {
        let denied = verb == "create" && object.kind() == Kind::Service;
        denied.then(|| (403, "exceeded quota: q, requested: services=1, used: services=1, limited: services=1".to_owned()))
    });
    let service = Object::of(&Key::new(Kind::Service, "default", "a"), json!({"spec": {"ports": [{"port": 1}]}}));
    assert_eq!(class(kubernetes.apply(&service, Apply::default()).await), Class::Denied);
    fake.forbid("patch", Kind::StatefulSet);
    let forbidden = class(kubernetes.apply(&stateful_set("one"), Apply::default()).await);
    assert!(
        matches!(forbidden, Class::Forbidden { verb, resource, .. } if (&*verb, &*resource) == ("patch", "statefulsets.apps"))
    );
    kubernetes.delete(&Key::cluster_scoped(Kind::Namespace, "default"), Delete::default()).await.unwrap();
    let gone = class(kubernetes.apply(&config_map("a", json!({})), Apply::default()).await);
    assert_eq!(gone, Class::NamespaceMissing("default".into()));
}

#[tokio::test]
async fn a_create_or_replace_whose_answer_is_lost_is_found_and_not_repeated() {
    for fault in [Fault::DropAfter, Fault::HangAfter, Fault::DropBefore, Fault::ServerError, Fault::Throttled] {
        let fake = FakeKubernetes::new(Faults::at(0, fault).and(2, fault));
        let kubernetes = fake.patient();
        let created = kubernetes.create(&config_map("a", json!({"x": "1"}))).await.unwrap();
        let mut next = created.clone();
        next.json_mut()["data"]["x"] = "2".into();
        let replaced = kubernetes.replace(&next).await.unwrap();
        assert_eq!((replaced.uid(), replaced.text("/data/x")), (created.uid(), "2"), "{fault:?}");
        assert_eq!(fake.writes(), ["create ConfigMap default/a", "update ConfigMap default/a"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_delete_whose_answer_is_lost_was_there() {
    let fake = FakeKubernetes::new(Faults::at(1, Fault::DropAfter));
    let kubernetes = fake.patient();
    let created = kubernetes.create(&config_map("a", json!({}))).await.unwrap();
    let how = Delete { uid: Some(created.uid().to_owned()), ..Delete::default() };
    assert_eq!(kubernetes.delete(&created.key(), how).await, Ok(true));
}

#[tokio::test]
async fn a_call_without_an_answer_ends_at_its_deadline_and_says_so() {
    let fake = FakeKubernetes::new(Faults::at(0, Fault::HangBefore));
    let failure = fake.impatient().get(&Key::new(Kind::Pod, "default", "kafka-0")).await.unwrap_err();
    assert_eq!(failure.to_string(), "get Pod default/kafka-0: no answer within 0.05 s");
}

/// What a resource does, in small: five objects in order, stopping at the first failure.
async fn apply_all(kubernetes: &Kubernetes, objects: &[Object]) -> Result<(), Failure> {
    for object in objects {
        kubernetes.apply(object, Apply::default()).await?;
    }
    Ok(())
}

fn five() -> Vec<Object> {
    let mut five: Vec<_> = (0..4).map(|n| config_map(&format!("a{n}"), json!({"x": "1"}))).collect();
    five.push(stateful_set("one"));
    five
}

#[tokio::test]
async fn after_any_fault_at_any_request_the_next_apply_reaches_the_same_objects_and_the_third_writes_nothing_new() {
    let runs = sweep(&Fault::ALL, async |faults| {
        let fake = FakeKubernetes::new(faults.clone());
        let kubernetes = fake.impatient();
        let first = apply_all(&kubernetes, &five()).await;
        assert_eq!(first.is_err(), faults.happened() == 1, "a fault was hidden");
        let uids = |fake: &FakeKubernetes| -> Vec<String> {
            fake.all(Kind::ConfigMap).iter().map(|object| object.uid().to_owned()).collect()
        };
        let before = uids(&fake);
        faults.stop();
        apply_all(&kubernetes, &five()).await.unwrap();
        assert!(uids(&fake).starts_with(&before), "an object was made twice");
        let versions = |fake: &FakeKubernetes| -> Vec<String> {
            five().iter().map(|object| fake.get(&object.key()).unwrap().resource_version().to_owned()).collect()
        };
        let settled = versions(&fake);
        apply_all(&kubernetes, &five()).await.unwrap();
        assert_eq!(versions(&fake), settled);
    })
    .await;
    assert_eq!(runs, 5 * Fault::ALL.len());
}

#[tokio::test]
async fn faults_that_pass_are_not_seen_by_a_patient_caller() {
    let passing = [Fault::Throttled, Fault::ServerError, Fault::DropBefore, Fault::DropAfter];
    sweep(&passing, async |faults| {
        let fake = FakeKubernetes::new(faults.clone());
        apply_all(&fake.patient(), &five()).await.unwrap();
        faults.stop();
        for object in five() {
            assert!(differences(object.json(), fake.get(&object.key()).unwrap().json()).is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_watch_says_at_once_and_at_each_change_that_there_is_something_to_look_at() {
    let fake = FakeKubernetes::new(Faults::none());
    let mut changes = fake.impatient().watch(Kind::ConfigMap, "default", "");
    for look in ["at once", "when the watch is open"] {
        changes.next().await.expect(look);
    }
    fake.put("someone", config_map("a", json!({})));
    changes.next().await.unwrap();
    assert_eq!(fake.requests(), Vec::<String>::new(), "a watch that works asks nothing more");
}

#[tokio::test]
async fn a_forbidden_watch_becomes_a_poll() {
    let fake = FakeKubernetes::new(Faults::none());
    fake.forbid("watch", Kind::Pod);
    let looks = fake.impatient().watch(Kind::Pod, "default", "app=kafka").take(2).count();
    assert_eq!(looks.await, 2);
}

async fn reasons(script: Script) -> Vec<(String, Outlook)> {
    let fake = FakeKubernetes::new(Faults::none());
    fake.script("kafka", script);
    fake.log("kafka-0", "starting\njava.lang.OutOfMemoryError\n\n");
    let kubernetes = fake.impatient();
    let mut set = stateful_set("apache/kafka:nope");
    set.json_mut()["spec"]["replicas"] = 1.into();
    kubernetes.apply(&set, Apply::default()).await.unwrap();
    let found = kubernetes.why_not_ready(&set.key()).await.unwrap();
    found.into_iter().map(|reason| (reason.to_string(), reason.outlook)).collect()
}

#[tokio::test]
async fn it_says_why_a_stateful_set_is_not_ready() {
    let one = |text: &str, hope| vec![(text.to_owned(), hope)];
    assert_eq!(reasons(Script::Ready).await, []);
    let quota = "create Pod kafka-0 in StatefulSet kafka failed error: pods \"kafka-0\" is forbidden: exceeded quota: q";
    let refused = Script::FailedCreate("pods \"kafka-0\" is forbidden: exceeded quota: q".to_owned());
    assert_eq!(reasons(refused).await, one(&format!("StatefulSet default/kafka: {quota}"), Outlook::Stuck));
    assert_eq!(
        reasons(Script::Unschedulable("0/3 nodes are available: 3 Insufficient cpu.".to_owned())).await,
        one("Pod default/kafka-0: it cannot be scheduled: 0/3 nodes are available: 3 Insufficient cpu.", Outlook::Doubtful)
    );
    assert_eq!(
        reasons(Script::ImagePull("failed to pull image: not found".to_owned())).await,
        one(
            "Pod default/kafka-0: image \"apache/kafka:nope\" of container \"kafka\" cannot be pulled: failed to pull image: not \
             found",
            Outlook::Stuck
        )
    );
    let crash = |restarts| {
        format!(
            "Pod default/kafka-0: container \"kafka\" ended with exit code 3, {restarts} restarts; its last log line: \
             java.lang.OutOfMemoryError"
        )
    };
    assert_eq!(reasons(Script::CrashLoop { exit_code: 3, restarts: 1 }).await, one(&crash(1), Outlook::Transient));
    assert_eq!(reasons(Script::CrashLoop { exit_code: 3, restarts: 4 }).await, one(&crash(4), Outlook::Stuck));
    assert_eq!(
        reasons(Script::NotReady).await,
        one("Pod default/kafka-0: it runs but is not ready; its last log line: java.lang.OutOfMemoryError", Outlook::Transient)
    );
}

#[tokio::test]
async fn a_claim_of_an_unknown_storage_class_is_the_reason_and_its_pod_is_not_one_more() {
    let fake = FakeKubernetes::new(Faults::none());
    let class = |name: &str| Object::of(&Key::cluster_scoped(Kind::StorageClass, name), json!({"provisioner": "x"}));
    fake.put("admin", class("fast"));
    let kubernetes = fake.impatient();
    let mut set = stateful_set("one");
    set.json_mut()["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] = "fsat".into();
    kubernetes.apply(&set, Apply::default()).await.unwrap();
    let found = kubernetes.why_not_ready(&set.key()).await.unwrap();
    assert_eq!(found.len(), 3);
    let expected = "PersistentVolumeClaim default/data-kafka-0: StorageClass \"fsat\" does not exist; there are: fast";
    assert_eq!((found[0].to_string().as_str(), found[0].outlook), (expected, Outlook::Stuck));
    fake.put("admin", class("fsat"));
    fake.settle();
    assert_eq!(kubernetes.why_not_ready(&set.key()).await.unwrap(), []);
}

#[tokio::test]
async fn claims_survive_their_stateful_set_and_are_bound_again() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let set = stateful_set("one");
    kubernetes.apply(&set, Apply::default()).await.unwrap();
    let uids = || -> Vec<_> { fake.all(Kind::PersistentVolumeClaim).iter().map(|claim| claim.uid().to_owned()).collect() };
    let before = uids();
    fake.remove(&set.key());
    assert_eq!((fake.all(Kind::Pod).len(), uids()), (0, before.clone()));
    kubernetes.apply(&set, Apply::default()).await.unwrap();
    assert_eq!((fake.all(Kind::Pod).len(), uids()), (3, before));
}

#[tokio::test]
async fn a_stateful_set_that_updates_on_delete_keeps_its_pods_until_they_are_deleted() {
    let fake = FakeKubernetes::new(Faults::none());
    let kubernetes = fake.impatient();
    let with = |image: &str| {
        let mut set = stateful_set(image);
        set.json_mut()["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        set
    };
    kubernetes.apply(&with("one"), Apply::default()).await.unwrap();
    kubernetes.apply(&with("two"), Apply::default()).await.unwrap();
    let updated = async || kubernetes.get(&with("two").key()).await.unwrap().unwrap().int("/status/updatedReplicas");
    assert_eq!(updated().await, Some(0));
    kubernetes.delete(&Key::new(Kind::Pod, "default", "kafka-2"), Delete::default()).await.unwrap();
    assert_eq!(updated().await, Some(1));
    fake.script("kafka", Script::NotReady);
    fake.settle();
    assert_eq!(kubernetes.get(&with("two").key()).await.unwrap().unwrap().int("/status/readyReplicas"), Some(0));
}
