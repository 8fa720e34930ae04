//! Every resource through random lives on servers in this process. What a random configuration asks for is planned, applied and
//! read; somebody meddles with it; another configuration changes it; it is destroyed; and a fault meets one of the requests.
//! Every answer is held against core's rules (`testing::core`), and an apply that reports no error leaves two empty plans.

use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::erased::AnyResource;
use crate::plugin::schema::Attribute;
use crate::plugin::value::Value;
use crate::stack::{Access, Stack};
use crate::testing::core::{Core, at_once, cases, names, resource};
use crate::testing::fake_kafka::{self, FakeKafka, When};
use crate::testing::fake_kubernetes::FakeKubernetes;
use crate::testing::faults::{Fault, Faults};
use crate::testing::random::{Random, changed, config, for_each_seed};
use crate::testing::world::{Pods, cluster, made, world};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use visits::Visit;

#[path = "visits_tests.rs"]
mod visits;

/// What became of many lives.
#[derive(Debug, Default)]
struct Tally {
    /// An apply was asked for, of another configuration, state or server than before.
    cases: u64,
    /// A first apply without an error.
    made: u64,
    /// A fault met a request to the API server.
    faulty: u64,
    /// A hand changed something.
    meddled: u64,
    /// An apply of another configuration without an error.
    changed: u64,
    /// A destroy without an error.
    destroyed: u64,
    /// What happened beside the applies, by its name.
    visits: BTreeMap<&'static str, u64>,
}

/// What random configurations name; for what lives in one also the cluster `prod/kafka`.
async fn ground(with_cluster: bool) -> FakeKubernetes {
    let world = world(Faults::none());
    let kubernetes = &world.kubernetes;
    for name in ["prod", "streaming"] {
        kubernetes.put("kube", Object::of(&Key::cluster_scoped(Kind::Namespace, name), json!({"status": {"phase": "Active"}})));
    }
    kubernetes.put("kube", Object::of(&Key::cluster_scoped(Kind::StorageClass, "slow"), json!({"provisioner": "x"})));
    if with_cluster {
        made(&world, cluster()).await;
    }
    world.kubernetes
}

const KAFKA_FAULTS: [fake_kafka::Fault; 6] = [
    fake_kafka::Fault::DropBefore,
    fake_kafka::Fault::DropAfter,
    fake_kafka::Fault::HangAfter,
    fake_kafka::Fault::CodeAfter(7),
    fake_kafka::Fault::Code(41),
    fake_kafka::Fault::Code(29),
];

/// One life.
struct Life<'a> {
    random: &'a mut Random,
    kubernetes: &'a FakeKubernetes,
    kafka: FakeKafka,
    faults: Faults,
    core: Core<'a>,
    /// What is of others, and has to stay.
    foreign: Vec<(Key, String)>,
}

impl Life<'_> {
    /// As many brokers as are asked for come and go by themselves.
    fn follow(&self, config: &Value) {
        if let Value::Number(brokers) = config.get("brokers") {
            self.kafka.resize(i32::try_from(brokers.as_i64().unwrap_or(3)).unwrap_or(3).clamp(1, 9));
        }
    }

    /// How many faults there were.
    fn met(&self) -> usize {
        self.faults.happened() + self.kafka.struck()
    }

    /// How much was changed on the servers.
    fn written(&self) -> usize {
        self.kubernetes.writes().len() + self.kafka.changes()
    }

    /// Applies until nothing is left to do, three times at most. Where an apply meets no fault and has no error, that is at once.
    async fn settles(&mut self, config: &Value) -> bool {
        self.follow(config);
        for _ in 0..3 {
            let (before, written) = (self.met(), self.written());
            if self.core.apply(config).await.has_errors() {
                // Refused, and nothing was done: the same would be refused again.
                if self.met() == before && self.written() == written {
                    return false;
                }
                continue;
            }
            let left = self.core.unsettled(config).await;
            if left.is_none() {
                return true;
            }
            // A workload that did not come in time is waited for by the next apply.
            let waits = self.core.state.as_ref().is_some_and(|stored| stored.value.get("ready") == &Value::Bool(false));
            assert!(waits || self.met() > before, "an apply without an error is not the end of {config:?}: {left:?}");
        }
        false
    }

    /// Somebody changes or removes an object, or a topic. Whether there was something.
    fn meddle(&mut self) -> bool {
        let kinds = [Kind::ConfigMap, Kind::Service, Kind::PodDisruptionBudget, Kind::StatefulSet, Kind::StorageClass];
        let ours = |object: &Object| !object.text("/metadata/labels/app.kubernetes.io~1managed-by").is_empty();
        let objects: Vec<_> = kinds.iter().flat_map(|kind| self.kubernetes.all(*kind)).filter(ours).collect();
        let Some(name) = self.kafka.topics().into_iter().next() else {
            if objects.is_empty() {
                return false;
            }
            let which = self.random.below(objects.len());
            return self.meddle_with(&objects[which]);
        };
        match self.random.below(3) {
            0 => self.kafka.edit(&name, |topic| *topic = None),
            1 => self.kafka.edit(&name, |topic| topic.as_mut().unwrap().partitions.push(vec![0])),
            _ => self.kafka.edit(&name, |topic| {
                topic.as_mut().unwrap().configs.insert("retention.ms".to_owned(), "77".to_owned());
            }),
        }
        true
    }

    fn meddle_with(&mut self, object: &Object) -> bool {
        if self.random.once_in(3) {
            self.kubernetes.remove(&object.key());
            return true;
        }
        let mut leaves = Vec::new();
        for part in ["/metadata/labels", "/metadata/annotations", "/spec", "/data", "/parameters"] {
            each_leaf(object.at(part), part, &mut leaves);
        }
        let (pointer, value) = leaves.swap_remove(self.random.below(leaves.len()));
        let value = match value {
            json if self.random.once_in(4) && json.is_string() => serde_json::Value::Null,
            serde_json::Value::Bool(value) => (!value).into(),
            serde_json::Value::Number(number) => (number.as_i64().unwrap_or(0) + 1).into(),
            _ => "meddled".into(),
        };
        self.kubernetes.edit("somebody", &object.key(), &pointer, value);
        true
    }
}

/// The scalars below, each with its JSON pointer. Items of lists have none that an edit of one field could use.
fn each_leaf(json: &serde_json::Value, pointer: &str, found: &mut Vec<(String, serde_json::Value)>) {
    match json {
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                each_leaf(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        serde_json::Value::Null | serde_json::Value::Array(_) => {}
        scalar => found.push((pointer.to_owned(), scalar.clone())),
    }
}

/// A configuration of things that are there.
fn wanted(random: &mut Random, mut config: Value) -> Value {
    if let Value::Map(entries) = &mut config {
        if entries.contains_key("cluster") && !random.once_in(10) {
            entries.insert("cluster".to_owned(), "prod/kafka".into());
        }
        if entries.contains_key("deletion_protection") && !random.once_in(10) {
            entries.insert("deletion_protection".to_owned(), false.into());
        }
    }
    config
}

async fn life(resource: Box<dyn AnyResource<Stack>>, ground: &FakeKubernetes, seed: u64, tally: &mut Tally) {
    let random = &mut Random::new(seed);
    let attributes = resource.schema().attributes;
    let first = config(random, &attributes, false);
    let first = wanted(random, first);
    let faults = match random.once_in(2) {
        true => Faults::at(random.below(60), random.one_of(&Fault::ALL)),
        false => Faults::none(),
    };
    let kubernetes = ground.fork(faults.clone());
    let kafka = FakeKafka::new(3);
    if random.once_in(4) {
        kafka.fault(When::Request(1 + random.below(20)), random.one_of(&KAFKA_FAULTS));
    }
    let stack = Stack::new(kubernetes.impatient(), Access::Through(Arc::new(Pods(kafka.clone()))), vec![]);
    let core = Core { limit: Duration::from_secs(20), ..Core::new(resource, &stack) };
    let mut life = Life { random, kubernetes: &kubernetes, kafka, faults, core, foreign: Vec::new() };
    let mover = life.kafka.keep_moving();
    live(&mut life, &attributes, first, tally).await;
    assert_eq!(life.strangers(), life.foreign, "what is of others was touched");
    mover.abort();
    tally.faulty += u64::from(life.faults.happened() > 0);
}

/// Chapter after chapter: something is meddled with, or not; the configuration changes, or not; an apply. Each is a case of its
/// own: another configuration, state and server. Then the end.
async fn live(life: &mut Life<'_>, attributes: &[Attribute], mut config: Value, tally: &mut Tally) {
    tally.cases += 1;
    if !life.settles(&config).await {
        return;
    }
    tally.made += 1;
    for _ in 0..life.random.below(4) {
        tally.cases += 1;
        if life.random.once_in(2) && life.meddle() {
            tally.meddled += 1;
            life.core.refresh().await;
        }
        if !life.random.once_in(3) {
            let other = changed(life.random, attributes, &config, false);
            config = wanted(life.random, other);
        }
        let visit = life.random.once_in(3).then(|| life.random.one_of(&Visit::ALL));
        if let Some(visit) = visit {
            tally.cases += 1;
            *tally.visits.entry(visit.name()).or_default() += u64::from(life.visited(visit, &config).await);
        }
        tally.changed += u64::from(life.settles(&config).await);
    }
    if !life.core.destroy().await.has_errors() {
        tally.destroyed += 1;
        life.comes_back(&config, tally).await;
    }
}

fn has_pods(name: &str) -> bool {
    resource(name).schema().attributes.iter().any(|attribute| attribute.name == "planned_roll")
}

fn lives_in_a_cluster(name: &str) -> bool {
    resource(name).schema().attributes.iter().any(|attribute| attribute.name == "cluster")
}

fn holds(name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let ground = runtime.block_on(ground(lives_in_a_cluster(name)));
    let (mut tally, begun) = (Tally::default(), std::time::Instant::now());
    for_each_seed(cases(name), |seed| {
        let before = tally.cases;
        runtime.block_on(life(resource(name), &ground, seed, &mut tally));
        tally.cases - before
    });
    eprintln!("{name}: {:?}: {tally:?}", begun.elapsed());
    let least = tally.cases / 40;
    let rare = [tally.made, tally.changed, tally.destroyed, tally.meddled, tally.faulty];
    assert!(
        tally.cases < 1_000 || !has_pods(name) || Visit::ALL.iter().all(|visit| tally.visits.contains_key(visit.name())),
        "{tally:?}"
    );
    assert!(tally.cases < 1_000 || rare.iter().all(|count| *count > least), "something hardly ever happens: {tally:?}");
}

#[test]
fn no_life_of_a_resource_breaks_a_rule_of_core() {
    at_once(&names(), holds);
}
