//! Storage against an API server in memory: every request of every operation meets every fault, and afterwards at most two more
//! runs reach what is wanted; nothing foreign is touched, and nothing that a claim uses is removed.

use super::schema::{BindingMode, LocalVolume, NfsVolume, ReclaimPolicy, Storage};
use super::*;
use crate::kubernetes::object::{Key, Kind, Object};
use crate::kubernetes::{Kubernetes, differences};
use crate::plugin::model::Attr;
use crate::plugin::operations::Limits;
use crate::resources::cluster::schema::Cluster;
use crate::resources::owned::MANAGED_BY;
use crate::resources::workload::anchor::Anchor;
use crate::resources::workload::attributes::Common;
use crate::stack::Access;
use crate::testing::fake_kubernetes::FakeKubernetes;
use crate::testing::faults::{Fault, Faults, sweep};
use serde_json::{Value, json};

fn text(text: &str) -> Attr<String> {
    Attr::Known(text.to_owned())
}

fn local(name: &str, path: &str) -> LocalVolume {
    LocalVolume { name: text(name), node: text("node0"), path: text(path), capacity: text("1Gi"), ..LocalVolume::default() }
}

fn storage(volumes: &[(&str, &str)], expansion: bool) -> Storage {
    let mut storage = Storage {
        name: text("disks"),
        reclaim_policy: Attr::Known(ReclaimPolicy::Retain),
        volume_binding_mode: Attr::Known(BindingMode::WaitForFirstConsumer),
        allow_volume_expansion: Attr::Known(expansion),
        local_volumes: Attr::Known(volumes.iter().map(|(name, path)| local(name, path)).collect()),
        ..Storage::default()
    };
    plan::complete(&mut storage);
    storage
}

fn class() -> Key {
    Key::cluster_scoped(Kind::StorageClass, "disks")
}

fn volume(name: &str) -> Key {
    Key::cluster_scoped(Kind::PersistentVolume, name)
}

fn stack(kubernetes: Kubernetes) -> Stack {
    Stack::new(kubernetes, Access::Direct, vec![])
}

fn context(stack: &Stack) -> Context<'_, Stack> {
    crate::testing::context(stack, Limits::default().create)
}

/// What core keeps: state and private state.
type Kept = Option<(Storage, Private)>;

/// What a create or an update leaves, and what it said.
fn outcome(outcome: Result<Done<Storage>, Failed<Storage>>, before: &Kept) -> (Kept, Diagnostics) {
    match outcome {
        Ok(Done { state, private, said }) => (Some((state, private)), said),
        Err(Failed { said, left: Some(left) }) => (Some(*left), said),
        Err(Failed { said, left: None }) => (before.clone(), said),
    }
}

async fn create(stack: &Stack, wanted: &Storage) -> (Kept, Diagnostics) {
    let create = Create { config: wanted.clone(), planned: wanted.clone(), private: Private::new() };
    outcome(KafkaStorage.create(&context(stack), create).await, &None)
}

async fn update(stack: &Stack, kept: &Kept, wanted: &Storage) -> (Kept, Diagnostics) {
    let (prior, private) = kept.clone().unwrap();
    let update = Update { config: wanted.clone(), prior, planned: wanted.clone(), private };
    outcome(KafkaStorage.update(&context(stack), update).await, kept)
}

/// What a delete said; no error: it is gone.
async fn delete(stack: &Stack, kept: &Kept) -> Diagnostics {
    delete_within(&context(stack), kept).await
}

async fn delete_within(cx: &Context<'_, Stack>, kept: &Kept) -> Diagnostics {
    let (prior, private) = kept.clone().unwrap();
    KafkaStorage.delete(cx, Delete { prior, private }).await.unwrap_or_else(|failed| failed.said)
}

async fn plan_delete(stack: &Stack, existing: &Storage) -> Diagnostics {
    let going = Delete { prior: existing.clone(), private: Private::new() };
    KafkaStorage.plan_delete(&context(stack), &going).await.unwrap_or_else(|refused| refused)
}

async fn import(stack: &Stack, name: &str) -> Result<Option<Done<Storage>>, Diagnostics> {
    KafkaStorage.import(&context(stack), Storage { name: text(name), ..Storage::default() }).await
}

/// One run of core: refresh, then create or update. `tainted` by a failed create: destroyed first.
async fn apply(stack: &Stack, kept: Kept, tainted: &mut bool, wanted: &Storage) -> Kept {
    let mut kept = match kept.clone() {
        None => None,
        Some((state, private)) => match KafkaStorage.read(&context(stack), state, private).await {
            Ok(found) => found.map(|Done { state, private, .. }| (state, private)),
            Err(_) => return kept,
        },
    };
    if *tainted && kept.is_some() {
        if delete(stack, &kept).await.has_errors() {
            return kept;
        }
        kept = None;
    }
    *tainted = false;
    match &kept {
        None => {
            let (kept, said) = create(stack, wanted).await;
            *tainted = said.has_errors() && kept.is_some();
            kept
        }
        Some((state, _)) if state == wanted => kept,
        Some(_) => update(stack, &kept, wanted).await.0,
    }
}

fn is_as_wanted(fake: &FakeKubernetes, wanted: &Storage) -> bool {
    let there = |object: &Object| fake.get(&object.key()).is_some_and(|live| differences(object.json(), live.json()).is_empty());
    let ready = fake.get(&class()).and_then(|class| objects::anchor(&class)).is_some_and(|(phase, _)| phase == Phase::Ready);
    ready
        && objects::objects(wanted).iter().all(there)
        && fake.all(Kind::PersistentVolume).len() == objects::volumes(wanted).len()
}

/// A world in which `existing` was applied, and the faults of which begin afterwards.
async fn world(existing: Option<&Storage>, faults: &Faults) -> (FakeKubernetes, Stack, Kept) {
    let quiet = FakeKubernetes::new(Faults::none());
    let kept = match existing {
        Some(existing) => apply(&stack(quiet.patient()), None, &mut false, existing).await,
        None => None,
    };
    let fake = FakeKubernetes::new(faults.clone());
    for object in quiet.all(Kind::StorageClass).into_iter().chain(quiet.all(Kind::PersistentVolume)) {
        fake.put("terraform-provider-kafkastack", object);
    }
    let stack = stack(fake.impatient());
    (fake, stack, kept)
}

async fn survives(existing: Option<Storage>, wanted: Storage) -> usize {
    sweep(&Fault::ALL, async |faults: Faults| {
        let (fake, stack, kept) = world(existing.as_ref(), &faults).await;
        let (had, mut tainted) = (kept.is_some(), false);
        let mut kept = apply(&stack, kept, &mut tainted, &wanted).await;
        assert!(!had || kept.is_some(), "out of the state");
        faults.stop();
        for _ in 0..2 {
            kept = apply(&stack, kept, &mut tainted, &wanted).await;
        }
        assert!(is_as_wanted(&fake, &wanted), "{:?} {:?}", fake.all(Kind::StorageClass), fake.all(Kind::PersistentVolume));
        assert_eq!(kept.as_ref().map(|(state, _)| state), Some(&wanted));
        let writes = fake.writes().len();
        apply(&stack, kept, &mut tainted, &wanted).await;
        assert_eq!(fake.writes().len(), writes, "a write though nothing changed");
    })
    .await
}

#[tokio::test]
async fn a_create_survives_every_fault_at_every_request() {
    let runs = survives(None, storage(&[("a", "/a"), ("b", "/b")], true)).await;
    assert!(runs >= 60, "{runs}");
}

#[tokio::test]
async fn an_update_survives_every_fault_at_every_request() {
    let existing = storage(&[("a", "/a"), ("b", "/b"), ("c", "/c")], true);
    let runs = survives(Some(existing), storage(&[("a", "/a"), ("b", "/elsewhere"), ("d", "/d")], false)).await;
    assert!(runs >= 100, "{runs}");
}

#[tokio::test]
async fn a_delete_survives_every_fault_at_every_request() {
    let existing = storage(&[("a", "/a"), ("b", "/b")], true);
    let runs = sweep(&Fault::ALL, async |faults: Faults| {
        let (fake, stack, kept) = world(Some(&existing), &faults).await;
        let gone = !delete(&stack, &kept).await.has_errors();
        assert!(!gone || fake.get(&class()).is_none(), "said to be gone");
        faults.stop();
        let said = delete(&stack, &kept).await;
        assert!(!said.has_errors(), "{said:?}");
        assert!(fake.all(Kind::StorageClass).is_empty() && fake.all(Kind::PersistentVolume).is_empty());
    })
    .await;
    assert!(runs >= 60, "{runs}");
}

/// The first error's summary.
fn refused(diagnostics: &Diagnostics) -> Option<&str> {
    diagnostics.iter().find(|d| d.severity == crate::plugin::diagnostic::Severity::Error).map(|d| d.summary.as_str())
}

/// Binds a volume to a claim of somebody else.
fn bind(fake: &FakeKubernetes, name: &str) {
    claimed(fake, name, "data-0", json!({}));
}

/// Binds a volume to a claim in `prod` that has these labels.
fn claimed(fake: &FakeKubernetes, name: &str, claim: &str, labels: Value) -> Key {
    let key = Key::new(Kind::PersistentVolumeClaim, "prod", claim);
    let content = json!({"metadata": {"labels": labels}, "spec": {"storageClassName": "disks"}, "status": {"phase": "Bound"}});
    fake.put("kube", Object::of(&key, content));
    let uid = fake.get(&key).unwrap().uid().to_owned();
    fake.edit("kube", &volume(name), "/status", json!({"phase": "Bound"}));
    fake.edit("kube", &volume(name), "/spec/claimRef", json!({"namespace": "prod", "name": claim, "uid": uid}));
    key
}

/// The claim of a broker that this provider made, bound to the volume.
fn of_a_broker(fake: &FakeKubernetes, name: &str) -> Key {
    let labels = json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "kafka"});
    claimed(fake, name, "data-kafka-0", labels)
}

/// The anchor of the cluster `prod/kafka`.
fn cluster(delete_claims: bool, protected: bool) -> Object {
    let common = Common {
        namespace: text("prod"),
        name: text("kafka"),
        delete_claims: Attr::Known(delete_claims),
        deletion_protection: Attr::Known(protected),
        ..Common::default()
    };
    let spec = Cluster { common, ..Cluster::default() };
    Anchor { phase: Phase::Ready, spec, created: None, record: Default::default(), run: None }.object()
}

async fn planned(stack: &Stack, prior: &Kept, planned: Storage) -> Plan<Storage> {
    let (prior, private) = prior.clone().unwrap();
    let mut plan =
        Plan { config: planned.clone(), prior: Some(prior), planned, replace: vec![], private, diagnostics: Diagnostics::new() };
    if let Err(why) = KafkaStorage.plan(&context(stack), &mut plan).await {
        plan.diagnostics.extend(why);
    }
    plan
}

#[tokio::test]
async fn what_a_claim_uses_is_neither_removed_nor_moved() {
    let existing = storage(&[("a", "/a"), ("b", "/b")], true);
    let (fake, stack, kept) = world(Some(&existing), &Faults::none()).await;
    bind(&fake, "a");
    for changed in [storage(&[("b", "/b")], true), storage(&[("a", "/other"), ("b", "/b")], true)] {
        let plan = planned(&stack, &kept, changed.clone()).await;
        assert_eq!(refused(&plan.diagnostics), Some("A claim is bound to the volume"));
        assert!(plan.diagnostics.iter().all(|d| d.text().contains("prod/data-0")));
        assert_eq!(refused(&update(&stack, &kept, &changed).await.1), Some("A claim is bound to the volume"));
    }
    let other_class = Storage { volume_binding_mode: Attr::Known(BindingMode::Immediate), ..existing.clone() };
    let plan = planned(&stack, &kept, other_class).await;
    assert_eq!(refused(&plan.diagnostics), Some("Claims are bound to the storage"), "nor is its class replaced");
    assert_eq!(refused(&plan_delete(&stack, &existing).await), Some("Claims are bound to the storage"));
    assert_eq!(refused(&delete(&stack, &kept).await), Some("Claims are bound to the storage"));
    assert_eq!(fake.writes(), Vec::<String>::new());
    // The others are free.
    let fewer = storage(&[("a", "/a"), ("c", "/c")], true);
    assert_eq!(refused(&planned(&stack, &kept, fewer.clone()).await.diagnostics), None);
    assert_eq!(refused(&update(&stack, &kept, &fewer).await.1), None);
    assert!(fake.get(&volume("b")).is_none() && fake.get(&volume("c")).is_some());
}

#[tokio::test]
async fn a_destroy_is_planned_where_the_workloads_take_their_claims_with_them() {
    let existing = storage(&[("a", "/a"), ("b", "/b")], true);
    let (fake, stack, kept) = world(Some(&existing), &Faults::none()).await;
    of_a_broker(&fake, "a");
    let ask = async || plan_delete(&stack, &existing).await;
    fake.put("kube", cluster(true, false));
    assert!(!ask().await.has_errors(), "{:?}", ask().await);
    for (delete_claims, protected) in [(false, false), (true, true)] {
        fake.put("kube", cluster(delete_claims, protected));
        let said = ask().await;
        assert_eq!(refused(&said), Some("Claims are bound to the storage"));
        let detail = said.iter().next().unwrap().text();
        assert!(
            detail
                .contains("set `delete_claims = true` and `deletion_protection = false` on kafkastack_cluster prod/kafka, apply")
        );
        assert!(detail.contains("tofu state rm 'kafkastack_storage.NAME'") && !detail.contains("kubectl delete pvc"), "{detail}");
    }
    fake.put("kube", cluster(true, false));
    // What others claim stays, and nothing is replaced under a claim.
    bind(&fake, "b");
    assert_eq!(refused(&ask().await), Some("Claims are bound to the storage"));
    assert!(ask().await.iter().all(|d| d.text().contains("prod/data-0") && !d.text().contains("data-kafka-0")));
    let other_class = Storage { volume_binding_mode: Attr::Known(BindingMode::Immediate), ..existing.clone() };
    assert!(planned(&stack, &kept, other_class).await.diagnostics.iter().all(|d| d.text().contains("prod/data-kafka-0")));
    // The apply looks again.
    let said = delete(&stack, &kept).await;
    assert!(said.iter().all(|d| d.text().contains("prod/data-0, prod/data-kafka-0")), "{said:?}");
    assert_eq!(fake.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_volume_that_outlives_its_claim_for_a_moment_does_not_count() {
    let existing = storage(&[("a", "/a"), ("b", "/b")], true);
    for forbidden in [false, true] {
        let (fake, stack, kept) = world(Some(&existing), &Faults::none()).await;
        if forbidden {
            fake.forbid("list", Kind::PersistentVolumeClaim);
        }
        let claim = of_a_broker(&fake, "a");
        fake.remove(&claim);
        let said = delete(&stack, &kept).await;
        let gone = fake.all(Kind::StorageClass).is_empty() && fake.all(Kind::PersistentVolume).is_empty();
        // Who sees no claims believes the volume.
        assert_eq!((said.has_errors(), gone), (forbidden, !forbidden), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn claims_on_their_way_out_are_planned_over_and_waited_for() {
    let existing = storage(&[("a", "/a")], true);
    let (fake, stack, kept) = world(Some(&existing), &Faults::none()).await;
    let claim = of_a_broker(&fake, "a");
    let pod = Key::new(Kind::Pod, "prod", "kafka-0");
    let mounts = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim.name}}]);
    fake.put("kube", Object::of(&pod, json!({"spec": {"volumes": mounts}})));
    fake.remove(&claim);
    assert!(fake.get(&claim).is_some_and(|claim| claim.deleting()));
    assert!(!plan_delete(&stack, &existing).await.has_errors());
    let cx = crate::testing::context(&stack, std::time::Duration::from_secs(5));
    assert_eq!(refused(&delete_within(&cx, &kept).await), Some("Claims are being deleted and are still there"));
    assert_eq!(fake.writes(), Vec::<String>::new());
    let kubelet = fake.clone();
    let ends = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        kubelet.remove(&pod);
    });
    let said = delete(&stack, &kept).await;
    ends.await.unwrap();
    assert!(!said.has_errors(), "{said:?}");
    assert!(fake.all(Kind::StorageClass).is_empty() && fake.all(Kind::PersistentVolume).is_empty());
}

#[tokio::test]
async fn nothing_foreign_is_touched() {
    let wanted = storage(&[("a", "/a")], true);
    let theirs = |key: &Key| Object::of(key, json!({"provisioner": "x", "spec": {"storageClassName": "other"}}));
    for (key, others) in [(class(), "StorageClass disks"), (volume("a"), "PersistentVolume a")] {
        let (fake, stack, _) = world(None, &Faults::none()).await;
        fake.put("kubectl", theirs(&key));
        let (kept, said) = create(&stack, &wanted).await;
        assert_eq!((refused(&said), kept.is_some()), (Some("The name is taken"), false), "{others}");
        assert_eq!(fake.writes(), Vec::<String>::new());
    }
    let (_, stack, kept) = world(Some(&wanted), &Faults::none()).await;
    assert_eq!(refused(&create(&stack, &wanted).await.1), Some("It exists already"));
    let imported = import(&stack, "disks").await.unwrap().unwrap();
    assert_eq!(Some(imported.state), kept.map(|(state, _)| state));
    assert_eq!(refused(&import(&stack, "other").await.unwrap_err()), Some("Nothing to import"));
}

#[tokio::test]
async fn drift_shows_where_it_is_and_is_put_right() {
    let wanted = Storage { default_class: Attr::Known(true), ..storage(&[("a", "/a")], true) };
    let (fake, stack, kept) = world(Some(&wanted), &Faults::none()).await;
    let pointer = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";
    fake.edit("kubectl", &class(), pointer, json!("false"));
    fake.edit("kubectl", &class(), "/allowVolumeExpansion", json!(false));
    fake.edit("kubectl", &class(), "/metadata/annotations/of-another", json!("kept"));
    fake.edit("kubectl", &volume("a"), "/spec/capacity", json!({"storage": "5Gi"}));
    let (state, private) = kept.unwrap();
    let seen = KafkaStorage.read(&context(&stack), state, private).await.unwrap().unwrap();
    let now = seen.state.clone();
    assert_eq!((now.default_class.clone(), now.allow_volume_expansion.clone()), (Attr::Known(false), Attr::Known(false)));
    assert_eq!(now.objects.known().unwrap()["PersistentVolume/a"], "differs at .spec.capacity.storage");
    let mut planned = wanted.clone();
    plan::complete(&mut planned);
    let (kept, said) = update(&stack, &Some((seen.state, seen.private)), &planned).await;
    assert_eq!((refused(&said), kept.map(|(state, _)| state)), (None, Some(planned.clone())));
    assert!(is_as_wanted(&fake, &planned));
    assert_eq!(fake.get(&class()).unwrap().annotations().get("of-another"), Some(&"kept"));
}

#[test]
fn a_storage_is_one_thing_or_the_other() {
    let said = |storage: Storage| {
        let mut diagnostics = Diagnostics::new();
        KafkaStorage.validate(&storage, &mut diagnostics);
        refused(&diagnostics).map(str::to_owned)
    };
    assert_eq!(said(storage(&[("a", "/a")], true)), None);
    assert_eq!(said(storage(&[], true)).as_deref(), Some("Missing value"));
    assert_eq!(said(Storage { provisioner: text("x"), ..storage(&[], true) }), None);
    let both = Storage { provisioner: text("x"), ..storage(&[("a", "/a")], true) };
    assert_eq!(said(both).as_deref(), Some("Static volumes have no provisioner"));
    let delete = Storage { reclaim_policy: Attr::Known(ReclaimPolicy::Delete), ..storage(&[("a", "/a")], true) };
    assert_eq!(said(delete).as_deref(), Some("Static volumes are not deleted"));
    let nfs = NfsVolume { name: text("a"), ..NfsVolume::default() };
    let twice = Storage { nfs_volumes: Attr::Known(vec![nfs]), ..storage(&[("a", "/a")], true) };
    assert_eq!(said(twice).as_deref(), Some("Two volumes have one name"));
}

#[test]
fn a_volume_is_where_its_node_or_server_is() {
    let [disk] = &objects::volumes(&storage(&[("a", "/a")], true))[..] else { panic!("one volume") };
    assert_eq!(disk.at("/spec/local/path"), "/a");
    let term = disk.at("/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0");
    assert_eq!(*term, json!({"key": "kubernetes.io/hostname", "operator": "In", "values": ["node0"]}));
    let moved = &objects::volumes(&storage(&[("a", "/b")], true))[0];
    let larger = {
        let mut larger = disk.clone();
        larger.json_mut()["spec"]["capacity"]["storage"] = Value::from("2Gi");
        larger
    };
    assert!(objects::is_other_volume(moved, disk) && !objects::is_other_volume(&larger, disk));
}
