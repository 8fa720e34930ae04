//! Both workloads over servers in this process: every request met by every fault, and what hands of others do.
//! The promises I1 to I5 are what is asserted.

use crate::dial::{DialError, Dialed, Dialer};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::{Diagnostics, Severity};
use crate::plugin::erased::AnyResource;
use crate::plugin::value::Value;
use crate::resources::cluster::schema::Cluster;
use crate::resources::workload::resource::Workload;
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::{Access, Stack};
use crate::testing::core::{Core, config};
use crate::testing::fake_kafka::FakeKafka;
use crate::testing::fake_kubernetes::{FakeKubernetes, Script};
use crate::testing::faults::{Fault, Faults, sweep};
use crate::testing::workloads::{Duo, Foreign};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The pods' own services: members answer `srvr`, the first one leads; brokers are those of the fake.
pub(crate) struct Pods(pub(crate) FakeKafka);

impl Dialer for Pods {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        async move {
            let pod = host.split('.').next().unwrap_or_default();
            let Some(ordinal) = pod.rsplit('-').next().and_then(|n| n.parse::<usize>().ok()) else {
                return Err(DialError::Unresolved(host.to_owned()));
            };
            if port != 2181 {
                // A broker that went with its pod has no name any more.
                let there = self.0.bootstrap().get(ordinal).cloned();
                let (name, port) = there.ok_or_else(|| DialError::Unresolved(host.to_owned()))?;
                return self.0.dial(&name, port).await;
            }
            let (ours, mut theirs) = tokio::io::duplex(1024);
            let mode = if ordinal == 0 { "leader" } else { "follower" };
            tokio::spawn(async move {
                let mut word = [0; 4];
                let _ = theirs.read_exact(&mut word).await;
                let _ = theirs.write_all(srvr(mode).as_bytes()).await;
            });
            Ok(Dialed::proven(ours))
        }
        .boxed()
    }
}

fn srvr(mode: &str) -> String {
    format!(
        "Zookeeper version: 3.9.5, built on 2025\nLatency min/avg/max: 0/0.0/0\nReceived: 1\nSent: 0\nConnections: 1\n\
         Outstanding: 0\nZxid: 0x0\nMode: {mode}\nNode count: 5\n"
    )
}

/// Servers in this process, and the provider's clients of them.
pub(crate) struct World {
    /// The API server.
    pub(crate) kubernetes: FakeKubernetes,
    /// The brokers.
    pub(crate) kafka: FakeKafka,
    /// The clients.
    pub(crate) stack: Stack,
}

/// Servers that meet these faults.
pub(crate) fn world(faults: Faults) -> World {
    let kubernetes = FakeKubernetes::new(faults);
    for node in 0..3 {
        let labels = json!({"topology.kubernetes.io/zone": format!("zone-{node}")});
        let key = Key::cluster_scoped(Kind::Node, format!("node{node}"));
        kubernetes.put("kube", Object::of(&key, json!({"metadata": {"labels": labels}})));
    }
    kubernetes.put("kube", Object::of(&Key::cluster_scoped(Kind::StorageClass, "fast"), json!({"provisioner": "x"})));
    let kafka = FakeKafka::new(3);
    let access = Access::Through(Arc::new(Pods(kafka.clone())));
    let stack = Stack::new(kubernetes.impatient(), access, vec![]);
    World { kubernetes, kafka, stack }
}

/// A resource and a configuration of it.
pub(crate) type Subject = (Box<dyn AnyResource<Stack>>, serde_json::Value);

/// An ensemble.
pub(crate) fn ensemble() -> Subject {
    let set = json!({"name": "zk", "create_namespace": true, "namespace": "prod", "labels": {"team": "a"}, "deletion_protection": false,
        "storage": {"class": "fast", "size": "1Gi"}, "pod": {"node_selector": {"disk": "ssd"}}});
    (Box::new(Workload::<Ensemble>::default()), set)
}

/// A cluster.
pub(crate) fn cluster() -> Subject {
    let set = json!({"name": "kafka", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "zookeeper": {"connection": "zk-0.zk:2181", "chroot": "/kafka"}, "deletion_protection": false,
        "config": {"log.retention.hours": "24"}, "labels": {"team": "a"}});
    (Box::new(Workload::<Cluster>::default()), set)
}

/// Two sets of pods in one workload.
pub(crate) fn duo() -> Subject {
    let set = json!({"name": "duo", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "deletion_protection": false, "config": {"a": "1"}, "labels": {"team": "a"}, "pod": {"node_selector": {"disk": "ssd"}}});
    (Box::new(Workload::<Duo>::default()), set)
}

/// A workload with the names of another chart.
pub(crate) fn foreign() -> Subject {
    let set = json!({"name": "old", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "deletion_protection": false, "labels": {"team": "a"}});
    (Box::new(Workload::<Foreign>::default()), set)
}

/// Those that are shipped, and those that show that others may come.
const SUBJECTS: [fn() -> Subject; 4] = [ensemble, cluster, duo, foreign];

/// Every StatefulSet is run like this.
fn script(world: &World, script: &Script) {
    for set in ["zk", "kafka", "duo", "duo-worker", "old"] {
        world.kubernetes.script(set, script.clone());
    }
}

/// A core that has made the subject, and its configuration.
pub(crate) async fn made(world: &World, (resource, set): Subject) -> (Core<'_>, Value) {
    let wanted = config(&*resource, set);
    let mut core = Core::new(resource, &world.stack);
    let said = core.apply(&wanted).await;
    assert!(!said.has_errors(), "{said:?}");
    (core, wanted)
}

/// The uid of every object that is not the cluster's own.
fn uids(kubernetes: &FakeKubernetes) -> BTreeMap<Key, String> {
    let kinds = [Kind::ConfigMap, Kind::Service, Kind::PodDisruptionBudget, Kind::StatefulSet, Kind::PersistentVolumeClaim];
    let all = kinds.into_iter().flat_map(|kind| kubernetes.all(kind));
    all.map(|object| (object.key(), object.uid().to_owned())).collect()
}

pub(super) async fn settles(core: &mut Core<'_>, config: &Value) {
    for _ in 0..2 {
        let said = core.apply(config).await;
        if !said.has_errors() && core.is_settled(config).await {
            return;
        }
    }
    panic!("two applies without faults reach no empty plan; state: {:?}", core.state);
}

async fn create_survives(subject: fn() -> Subject, faults: Faults) {
    let world = world(faults.clone());
    let (resource, set) = subject();
    let wanted = config(&*resource, set);
    let mut core = Core::new(resource, &world.stack);
    let first = core.apply(&wanted).await;
    faults.stop();
    let before = uids(&world.kubernetes);
    let tainted = core.state.as_ref().is_some_and(|stored| stored.tainted);
    assert!(first.has_errors() || core.state.is_some(), "no error, and nothing in state");
    settles(&mut core, &wanted).await;
    let after = uids(&world.kubernetes);
    // I1: what was made is used, not made again. A tainted create is destroyed first, as core wants it; claims stay.
    let kept = |key: &&Key| !tainted || key.kind == Kind::PersistentVolumeClaim;
    for key in before.keys().filter(kept) {
        assert_eq!(before[key], after[key], "{key} was made twice");
    }
    let writes = world.kubernetes.writes().len();
    assert!(!core.apply(&wanted).await.has_errors());
    assert_eq!(world.kubernetes.writes().len(), writes, "an unchanged apply writes");
}

async fn change_survives(subject: fn() -> Subject, faults: Faults) {
    let quiet = Faults::none();
    let world = world(quiet.clone());
    let (core, _) = made(&world, subject()).await;
    let (_, mut changed) = subject();
    changed["labels"] = json!({"team": "b", "new": "x"});
    changed["heap"] = "256m".into();
    changed["pod"] = json!({"env": {"A": "1"}});
    let new = config(&*core.resource, changed);
    let before = uids(&world.kubernetes);
    // The faults begin with the change.
    let met = world.kubernetes.with_faults(faults.clone());
    let stack = Stack::new(met.impatient(), Access::Through(Arc::new(Pods(FakeKafka::new(3)))), vec![]);
    let mut core = Core { stack: &stack, ..core };
    core.apply(&new).await;
    faults.stop();
    settles(&mut core, &new).await;
    assert_eq!(before, uids(&world.kubernetes), "an update makes and removes no objects");
    let set = world.kubernetes.all(Kind::StatefulSet).remove(0);
    assert!(set.at("/spec/template/spec/nodeSelector").is_null(), "a field that is no longer wanted is given up");
}

async fn delete_survives(subject: fn() -> Subject, faults: Faults) {
    let world = world(Faults::none());
    let (core, _) = made(&world, subject()).await;
    let claims = world.kubernetes.all(Kind::PersistentVolumeClaim).len();
    let met = world.kubernetes.with_faults(faults.clone());
    let stack = Stack::new(met.impatient(), Access::default(), vec![]);
    let mut core = Core { stack: &stack, limit: std::time::Duration::from_secs(5), ..core };
    core.destroy().await;
    faults.stop();
    let said = core.destroy().await;
    assert!(!said.has_errors(), "{said:?}");
    let left: Vec<Key> = uids(&world.kubernetes).into_keys().filter(|key| key.kind != Kind::PersistentVolumeClaim).collect();
    assert_eq!(left, [], "a destroy leaves nothing but claims");
    assert_eq!(world.kubernetes.all(Kind::PersistentVolumeClaim).len(), claims, "I2: claims are data");
}

async fn read_keeps_state(subject: fn() -> Subject, faults: Faults) {
    let world = world(Faults::none());
    let (core, wanted) = made(&world, subject()).await;
    let met = world.kubernetes.with_faults(faults.clone());
    let stack = Stack::new(met.impatient(), Access::default(), vec![]);
    let mut core = Core { stack: &stack, ..core };
    core.refresh().await;
    faults.stop();
    assert!(core.state.is_some(), "only an authoritative not-found removes from state");
    assert!(core.is_settled(&wanted).await);
}

macro_rules! sweeps {
    ($($name:ident: $scenario:ident;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            for subject in SUBJECTS {
                let runs = sweep(&Fault::ALL, async |faults| $scenario(subject, faults).await).await;
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
        let _ = tokio::time::timeout(std::time::Duration::from_secs(30), killed.apply(&wanted)).await;
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
        assert!(begin.elapsed() < std::time::Duration::from_secs(20), "{:?}", begin.elapsed());
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
