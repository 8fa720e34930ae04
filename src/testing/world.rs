//! Servers in this process that know each other: Kubernetes, and what its pods serve. And the workloads that live there.

use super::core::{Core, config};
use super::fake_kafka::FakeKafka;
use super::fake_kubernetes::{FakeKubernetes, Script};
use super::faults::Faults;
use super::workloads::{Duo, Foreign};
use crate::dial::{DialError, Dialed, Dialer};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::erased::AnyResource;
use crate::plugin::value::Value;
use crate::resources::cluster::schema::Cluster;
use crate::resources::workload::resource::Workload;
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::{Access, Stack};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The pods' own services: members answer `srvr`, the first one leads; brokers are those of the fake.
pub struct Pods(pub FakeKafka);

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
pub struct World {
    /// The API server.
    pub kubernetes: FakeKubernetes,
    /// The brokers.
    pub kafka: FakeKafka,
    /// The clients.
    pub stack: Stack,
}

/// Servers that meet these faults.
pub fn world(faults: Faults) -> World {
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
pub type Subject = (Box<dyn AnyResource<Stack>>, serde_json::Value);

/// An ensemble.
pub fn ensemble() -> Subject {
    let set = json!({"name": "zk", "create_namespace": true, "namespace": "prod", "labels": {"team": "a"}, "deletion_protection": false,
        "storage": {"class": "fast", "size": "1Gi"}, "pod": {"node_selector": {"disk": "ssd"}}});
    (Box::new(Workload::<Ensemble>::default()), set)
}

/// A cluster.
pub fn cluster() -> Subject {
    let set = json!({"name": "kafka", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "zookeeper": {"connection": "zk-0.zk:2181", "chroot": "/kafka"}, "deletion_protection": false,
        "config": {"log.retention.hours": "24"}, "labels": {"team": "a"}});
    (Box::new(Workload::<Cluster>::default()), set)
}

/// Two sets of pods in one workload.
pub fn duo() -> Subject {
    let set = json!({"name": "duo", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "deletion_protection": false, "config": {"a": "1"}, "labels": {"team": "a"}, "pod": {"node_selector": {"disk": "ssd"}}});
    (Box::new(Workload::<Duo>::default()), set)
}

/// A workload with the names of another chart.
pub fn foreign() -> Subject {
    let set = json!({"name": "old", "create_namespace": true, "namespace": "prod", "storage": {"class": "fast", "size": "1Gi"},
        "deletion_protection": false, "labels": {"team": "a"}});
    (Box::new(Workload::<Foreign>::default()), set)
}

/// Those that are shipped, and those that show that others may come.
pub const SUBJECTS: [fn() -> Subject; 4] = [ensemble, cluster, duo, foreign];

/// Every StatefulSet is run like this.
pub fn script(world: &World, script: &Script) {
    for set in ["zk", "kafka", "duo", "duo-worker", "old"] {
        world.kubernetes.script(set, script.clone());
    }
}

/// A core that has made the subject, and its configuration.
pub async fn made(world: &World, (resource, set): Subject) -> (Core<'_>, Value) {
    let wanted = config(&*resource, set);
    let mut core = Core::new(resource, &world.stack);
    let said = core.apply(&wanted).await;
    assert!(!said.has_errors(), "{said:?}");
    (core, wanted)
}

/// The uid of every object that is not the cluster's own.
pub fn uids(kubernetes: &FakeKubernetes) -> BTreeMap<Key, String> {
    let kinds = [Kind::ConfigMap, Kind::Service, Kind::PodDisruptionBudget, Kind::StatefulSet, Kind::PersistentVolumeClaim];
    let all = kinds.into_iter().flat_map(|kind| kubernetes.all(kind));
    all.map(|object| (object.key(), object.uid().to_owned())).collect()
}

pub async fn settles(core: &mut Core<'_>, config: &Value) {
    for _ in 0..2 {
        let said = core.apply(config).await;
        if !said.has_errors() && core.is_settled(config).await {
            return;
        }
    }
    panic!("two applies without faults reach no empty plan; state: {:?}", core.state);
}
