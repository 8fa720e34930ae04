//! Workloads over servers in this process: every request met by every fault, and what hands of others do.
//! The promises I1 to I5 are what is asserted.

use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::{Diagnostics, Severity};
use crate::plugin::value::Value;
use crate::stack::{Access, Stack};
use crate::testing::core::{Core, Stored, config};
use crate::testing::fake_kafka::FakeKafka;
use crate::testing::fake_kubernetes::{FakeKubernetes, Script};
use crate::testing::faults::{Fault, Faults, sweep};
use crate::testing::world::{Pods, SUBJECTS, Subject, cluster, ensemble, made, script, settles, uids, world};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A subject, and the servers on which it was made: copied for each run, because making it is most of the work.
struct Ground {
    subject: fn() -> Subject,
    kubernetes: FakeKubernetes,
    state: Option<Stored>,
    wanted: Value,
}

impl Ground {
    async fn of(subject: fn() -> Subject) -> Self {
        let world = world(Faults::none());
        let (core, wanted) = made(&world, subject()).await;
        Self { subject, kubernetes: world.kubernetes.clone(), state: core.state, wanted }
    }

    /// A copy whose requests meet these faults, and its client.
    fn copy(&self, faults: Faults, access: Access) -> (FakeKubernetes, Stack) {
        let kubernetes = self.kubernetes.fork(faults);
        let stack = Stack::new(kubernetes.impatient(), access, vec![]);
        (kubernetes, stack)
    }

    /// The core that made the subject.
    fn core<'a>(&self, stack: &'a Stack) -> Core<'a> {
        Core { state: self.state.clone(), ..Core::new((self.subject)().0, stack) }
    }
}

async fn create_survives(ground: &Ground, faults: Faults) {
    let world = world(faults.clone());
    let wanted = &ground.wanted;
    let mut core = Core::new((ground.subject)().0, &world.stack);
    let first = core.apply(wanted).await;
    faults.stop();
    let before = uids(&world.kubernetes);
    let tainted = core.state.as_ref().is_some_and(|stored| stored.tainted);
    assert!(first.has_errors() || core.state.is_some(), "no error, and nothing in state");
    settles(&mut core, wanted).await;
    let after = uids(&world.kubernetes);
    // I1: what was made is used, not made again. A tainted create is destroyed first, as core wants it; claims stay.
    let kept = |key: &&Key| !tainted || key.kind == Kind::PersistentVolumeClaim;
    for key in before.keys().filter(kept) {
        assert_eq!(before[key], after[key], "{key} was made twice");
    }
    let writes = world.kubernetes.writes().len();
    assert!(!core.apply(wanted).await.has_errors());
    assert_eq!(world.kubernetes.writes().len(), writes, "an unchanged apply writes");
}

async fn change_survives(ground: &Ground, faults: Faults) {
    let access = Access::Through(Arc::new(Pods(FakeKafka::new(3))));
    let (kubernetes, stack) = ground.copy(faults.clone(), access);
    let (resource, mut changed) = (ground.subject)();
    changed["labels"] = json!({"team": "b", "new": "x"});
    changed["heap"] = "256m".into();
    changed["pod"] = json!({"env": {"A": "1"}});
    let new = config(&*resource, changed);
    let before = uids(&kubernetes);
    let mut core = ground.core(&stack);
    core.apply(&new).await;
    faults.stop();
    settles(&mut core, &new).await;
    assert_eq!(before, uids(&kubernetes), "an update makes and removes no objects");
    let set = kubernetes.all(Kind::StatefulSet).remove(0);
    assert!(set.at("/spec/template/spec/nodeSelector").is_null(), "a field that is no longer wanted is given up");
}

async fn delete_survives(ground: &Ground, faults: Faults) {
    let (kubernetes, stack) = ground.copy(faults.clone(), Access::default());
    let claims = kubernetes.all(Kind::PersistentVolumeClaim).len();
    let mut core = Core { limit: Duration::from_secs(5), ..ground.core(&stack) };
    core.destroy().await;
    faults.stop();
    let said = core.destroy().await;
    assert!(!said.has_errors(), "{said:?}");
    let left: Vec<Key> = uids(&kubernetes).into_keys().filter(|key| key.kind != Kind::PersistentVolumeClaim).collect();
    assert_eq!(left, [], "a destroy leaves nothing but claims");
    assert_eq!(kubernetes.all(Kind::PersistentVolumeClaim).len(), claims, "I2: claims are data");
}

async fn read_keeps_state(ground: &Ground, faults: Faults) {
    let (_, stack) = ground.copy(faults.clone(), Access::default());
    let mut core = ground.core(&stack);
    core.refresh().await;
    faults.stop();
    assert!(core.state.is_some(), "only an authoritative not-found removes from state");
    assert!(core.is_settled(&ground.wanted).await);
}

macro_rules! sweeps {
    ($($name:ident: $scenario:ident;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            for subject in SUBJECTS {
                let ground = Ground::of(subject).await;
                let runs = sweep(&Fault::ALL, async |faults| $scenario(&ground, faults).await).await;
                assert!(runs >= 40, "only {runs} faulty runs");
            }
        }
    )*};
}

sweeps! {
    a_create_survives_every_fault_at_every_request: create_survives;
    a_change_survives_every_fault_at_every_request: change_survives;
    a_delete_survives_every_fault_at_every_request: delete_survives;
    a_read_that_fails_never_removes_from_state: read_keeps_state;
}

fn warnings(said: &Diagnostics) -> Vec<&str> {
    said.iter().filter(|d| d.severity == Severity::Warning).map(|d| d.summary.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_create_goes_on_without_being_destroyed() {
    for subject in SUBJECTS {
        let total = {
            let world = world(Faults::none());
            made(&world, subject()).await;
            world.kubernetes.writes().len()
        };
        for after in 1..total {
            let world = world(Faults::none());
            let (resource, set) = subject();
            let wanted = config(&*resource, set);
            let mut core = Core::new(resource, &world.stack);
            let (cancel, count) = (core.cancel.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
            world.kubernetes.admit(move |_, _| {
                if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == after {
                    cancel.cancel();
                }
                None
            });
            core.apply(&wanted).await;
            let before = uids(&world.kubernetes);
            core.cancel = tokio_util::sync::CancellationToken::new();
            settles(&mut core, &wanted).await;
            let now = uids(&world.kubernetes);
            assert!(before.iter().all(|(key, uid)| now.get(key) == Some(uid)), "interrupted after write {after}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_killed_is_taken_up_by_the_next_one() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        // Killed: the state never heard of it. What it had written is in the cluster.
        script(&world, &Script::NotReady);
        let mut killed = Core::new(resource, &world.stack);
        let _ = tokio::time::timeout(Duration::from_secs(30), killed.apply(&wanted)).await;
        let before = uids(&world.kubernetes);
        assert!(before.keys().any(|key| key.kind == Kind::StatefulSet));
        script(&world, &Script::Ready);
        world.kubernetes.settle();
        let mut core = Core::new(subject().0, &world.stack);
        let said = core.apply(&wanted).await;
        assert!(!said.has_errors(), "{said:?}");
        assert!(warnings(&said).contains(&"An earlier run was cut off and is taken up again"));
        assert_eq!(before, uids(&world.kubernetes));
        assert!(core.is_settled(&wanted).await);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_would_refuse_is_known_at_plan() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        world.kubernetes.put("kube", Object::of(&Key::cluster_scoped(Kind::Namespace, "prod"), json!({})));
        let refuse = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let refuses = refuse.clone();
        world.kubernetes.admit(move |_, object| {
            let refused = object.kind() == Kind::StatefulSet && refuses.load(std::sync::atomic::Ordering::SeqCst);
            refused.then(|| (403, "admission webhook \"policy\" denied the request: no".to_owned()))
        });
        let core = Core::new(resource, &world.stack);
        let said = core.plan(&wanted).await.diagnostics;
        assert_eq!(warnings(&said), ["The cluster's admission rules refuse it"]);
        assert!(world.kubernetes.writes().is_empty(), "a plan writes nothing");
        refuse.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(warnings(&core.plan(&wanted).await.diagnostics), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_plan_rehearses_nothing_even_where_it_does_not_know_what_was_applied() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        core.state.as_mut().unwrap().private.clear();
        let before = world.kubernetes.requests().len();
        let planned = core.plan(&wanted).await;
        assert_eq!(planned.value, core.state.as_ref().unwrap().value);
        let asked = &world.kubernetes.requests()[before..];
        assert!(!asked.iter().any(|line| line.starts_with("PATCH")), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_made_is_never_adopted() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let name = set["name"].as_str().unwrap().to_owned();
        let wanted = config(&*resource, set);
        world.kubernetes.put("kube", Object::of(&Key::cluster_scoped(Kind::Namespace, "prod"), json!({})));
        world.kubernetes.put("helm", Object::of(&Key::new(Kind::Service, "prod", name), json!({"spec": {}})));
        let mut core = Core::new(resource, &world.stack);
        let said = core.apply(&wanted).await;
        assert_eq!(said.iter().map(|d| d.summary.as_str()).collect::<Vec<_>>(), ["The name is taken"]);
        assert!(core.state.is_none());
        assert!(world.kubernetes.writes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_state_is_told_to_import() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (_, wanted) = made(&world, subject()).await;
        // Long ago: a run that was killed at its last moment would be taken up again.
        for anchor in world.kubernetes.all(Kind::ConfigMap).iter().filter(|object| object.name().ends_with("-kafkastack")) {
            world.kubernetes.edit("test", &anchor.key(), "/data/created", json!("2020-01-01T00:00:00Z"));
        }
        let mut other = Core::new(subject().0, &world.stack);
        let said = other.apply(&wanted).await;
        assert_eq!(said.iter().map(|d| d.summary.as_str()).collect::<Vec<_>>(), ["It exists already"]);
        assert!(other.state.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_after_its_last_write_is_taken_up_again() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (_, wanted) = made(&world, subject()).await;
        let before = uids(&world.kubernetes);
        let mut next = Core::new(subject().0, &world.stack);
        assert!(!next.apply(&wanted).await.has_errors());
        assert!(next.is_settled(&wanted).await);
        assert_eq!(before, uids(&world.kubernetes));
    }
}

#[tokio::test(start_paused = true)]
async fn drift_is_shown_on_its_attribute_and_repaired() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    let key = |kind, name: &str| Key::new(kind, "prod", name);
    let claims = world.kubernetes.all(Kind::PersistentVolumeClaim).len();
    world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, "kafka"), "/spec/replicas", json!(2));
    world.kubernetes.edit("kubectl", &key(Kind::Service, "kafka"), "/metadata/labels/team", serde_json::Value::Null);
    world.kubernetes.remove(&key(Kind::PodDisruptionBudget, "kafka"));
    core.refresh().await;
    let state = core.state.clone().unwrap().value;
    assert_eq!(state.get("brokers"), &Value::from(2));
    assert_eq!(state.get("labels"), &Value::Map(BTreeMap::new()));
    assert_eq!(state.get("objects").get("PodDisruptionBudget/kafka"), &Value::Null);
    assert_eq!(state.get("objects").get("StatefulSet/kafka"), &Value::from("differs at .spec.replicas"));
    assert_eq!(state.get("image"), &Value::from("apache/kafka:3.9.2"));
    settles(&mut core, &wanted).await;
    assert_eq!(world.kubernetes.get(&key(Kind::StatefulSet, "kafka")).unwrap().int("/spec/replicas"), Some(3));
    world.kubernetes.remove(&key(Kind::StatefulSet, "kafka"));
    assert_eq!(world.kubernetes.all(Kind::PersistentVolumeClaim).len(), claims);
    settles(&mut core, &wanted).await;
}

#[tokio::test(start_paused = true)]
async fn a_field_of_somebody_else_is_taken_back_only_when_the_plan_showed_it() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, ensemble()).await;
    let stored = core.state.clone();
    let service = Key::new(Kind::Service, "prod", "zk");
    world.kubernetes.edit("somebody", &service, "/metadata/labels/team", json!("z"));
    // A change that was planned before that: the plan showed nothing of it.
    let (_, mut changed) = ensemble();
    changed["annotations"] = json!({"note": "x"});
    let changed = config(&*core.resource, changed);
    core.state = stored;
    let planned = core.plan(&changed).await;
    let said = core.apply_planned(&changed, planned).await;
    assert!(said.has_errors() && said.iter().any(|d| d.text().contains("somebody")), "{said:?}");
    settles(&mut core, &changed).await;
    assert_eq!(world.kubernetes.get(&service).unwrap().text("/metadata/labels/team"), "a");
}

#[tokio::test(start_paused = true)]
async fn a_workload_that_does_not_come_says_why_at_once_and_is_waited_for_again() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (resource, set) = subject();
        let wanted = config(&*resource, set);
        script(&world, &Script::ImagePull("nowhere".to_owned()));
        let mut core = Core::new(resource, &world.stack);
        let begin = tokio::time::Instant::now();
        let said = core.apply(&wanted).await;
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        assert!(!said.has_errors() && warnings(&said).contains(&"NOT SERVING, and waiting does not help"), "{said:?}");
        assert_eq!(core.state.as_ref().unwrap().value.get("ready"), &Value::from(false));
        script(&world, &Script::Ready);
        world.kubernetes.settle();
        settles(&mut core, &wanted).await;
        assert_eq!(core.state.as_ref().unwrap().value.get("ready"), &Value::from(true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_protected_cluster_is_not_destroyed() {
    let world = world(Faults::none());
    let (resource, mut set) = cluster();
    set["deletion_protection"] = true.into();
    let (mut core, _) = made(&world, (resource, set.clone())).await;
    let writes = world.kubernetes.writes();
    assert!(core.destroy().await.has_errors());
    set["name"] = "renamed".into();
    assert!(core.plan(&config(&*core.resource, set)).await.diagnostics.has_errors(), "a replacement is a destroy");
    assert_eq!(world.kubernetes.writes(), writes);
    assert!(core.state.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_change_goes_on_with_the_next_apply() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        let before = uids(&world.kubernetes);
        let (_, mut changed) = subject();
        changed["labels"] = json!({"team": "b"});
        let changed = config(&*core.resource, changed);
        let planned = core.plan(&changed).await;
        let (cancel, writes) = (core.cancel.clone(), std::sync::atomic::AtomicUsize::new(0));
        world.kubernetes.admit(move |_, _| {
            if writes.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 2 {
                cancel.cancel();
            }
            None
        });
        assert!(core.apply_planned(&changed, planned).await.has_errors());
        core.cancel = tokio_util::sync::CancellationToken::new();
        settles(&mut core, &changed).await;
        assert_eq!(before, uids(&world.kubernetes));
    }
}
