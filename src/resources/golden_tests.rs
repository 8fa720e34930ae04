//! What is rendered and stored today, word for word: every object of some configurations, the state of every resource, and a real
//! state file with its anchors. A redesign that changes none of it restarts nobody and still reads what was written.
//!
//! `KAFKASTACK_GOLDEN=write cargo test --lib golden` writes the files anew; the diff then says what users will see.

use super::workload::anchor::Anchor;
use super::{cluster, storage, zookeeper_ensemble};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::erased::AnyResource;
use crate::plugin::model::Typed;
use crate::plugin::planner;
use crate::plugin::value::Value;
use crate::plugin::wire::json::as_json;
use crate::stack::Stack;
use crate::testing::core::{Core, config, resource};
use crate::testing::faults::Faults;
use crate::testing::world::{self, world};
use serde_json::{Value as Json, json};
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/resources/golden").join(name)
}

/// Compares with what is kept, or keeps it.
fn frozen(name: &str, found: &Json) {
    let mut text = serde_json::to_string_pretty(found).unwrap();
    text.push('\n');
    if std::env::var("KAFKASTACK_GOLDEN").as_deref() == Ok("write") {
        return std::fs::write(file(name), text).unwrap();
    }
    let kept = std::fs::read_to_string(file(name)).unwrap_or_default();
    assert!(kept == text, "{name} is not as it was; KAFKASTACK_GOLDEN=write cargo test --lib golden, and look at the diff");
}

/// What the planner makes of a configuration before the resource's own word: defaults are in it.
fn planned(resource: &dyn AnyResource<Stack>, set: Json) -> Value {
    planner::draft(&resource.schema().attributes, &config(resource, set), &Value::Null)
}

fn everything(name: &str) -> Json {
    json!({
        "namespace": "prod", "name": name, "labels": {"team": "a"}, "annotations": {"note": "x"}, "heap": "1G",
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "4Gi"}},
        "storage": {"class": "fast", "size": "10Gi"}, "delete_claims": true, "deletion_protection": false,
        "spread": {"nodes": "required", "zones": "required"},
        "pod": {
            "node_selector": {"disk": "ssd"}, "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "toleration_seconds": 60}],
            "affinity": "{\"nodeAffinity\":{}}", "priority_class": "high", "scheduler": "other", "service_account": "sa",
            "image_pull_secrets": ["pull"], "image_pull_policy": "Always", "env": {"A": "1"}, "labels": {"l": "1"},
            "annotations": {"a": "1"}, "termination_grace_period_seconds": 5,
            "readiness_probe": {"initial_delay_seconds": 1, "period_seconds": 2, "timeout_seconds": 3, "failure_threshold": 4},
            "liveness_probe": {"initial_delay_seconds": 5, "period_seconds": 6, "timeout_seconds": 7, "failure_threshold": 8},
            "security": {"run_as_user": 1, "run_as_group": 2, "fs_group": 3, "run_as_non_root": false, "read_only_root_filesystem": false},
        },
    })
}

fn with(mut set: Json, more: Json) -> Json {
    set.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    set
}

fn zookeeper() -> Json {
    json!({"connection": "zookeeper-0.zookeeper-headless.prod.svc:2181", "chroot": "/kafka"})
}

/// The configurations whose objects are kept: a name, a resource, what is set.
fn configurations() -> Vec<(&'static str, &'static str, Json)> {
    let ensemble = "zookeeper_ensemble";
    let quickstart = json!({"namespace": "sscp-test", "storage": {"class": "managed-nfs-storage", "size": "40Gi"}});
    let listeners = json!([{"name": "internal", "port": 9092}, {"name": "clients", "port": 9094}]);
    vec![
        ("ensemble-defaults", ensemble, json!({"name": "zookeeper", "storage": {"size": "1Gi"}})),
        (
            "ensemble-everything",
            ensemble,
            with(everything("zookeeper"), json!({"members": 5, "config": {"tickTime": "3000"}, "four_letter_words": ["stat"]})),
        ),
        ("ensemble-quickstart", ensemble, with(quickstart.clone(), json!({"name": "zookeeper", "heap": "512M"}))),
        ("ensemble-ephemeral", ensemble, json!({"name": "zookeeper", "members": 1, "storage": {"ephemeral": true}})),
        ("cluster-defaults", "cluster", json!({"name": "kafka", "zookeeper": zookeeper(), "storage": {"size": "1Gi"}})),
        (
            "cluster-everything",
            "cluster",
            with(
                everything("kafka"),
                json!({"brokers": 5, "zookeeper": zookeeper(), "listeners": listeners, "config": {"log.retention.hours": "24"}}),
            ),
        ),
        (
            "cluster-quickstart",
            "cluster",
            with(
                quickstart,
                json!({"name": "kafka", "heap": "2G", "image": "confluentinc/cp-kafka:5.2.2", "zookeeper": zookeeper()}),
            ),
        ),
        (
            "cluster-ephemeral",
            "cluster",
            json!({"name": "kafka", "brokers": 1, "zookeeper": zookeeper(), "storage": {"ephemeral": true}, "spread": {"nodes": "none", "zones": "none"}}),
        ),
        (
            "storage-class",
            "storage",
            json!({"name": "fast", "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}, "default_class": true}),
        ),
        (
            "storage-local",
            "storage",
            json!({"name": "disks", "local_volumes": [{"name": "a", "node": "node0", "path": "/mnt/a", "capacity": "10Gi"}]}),
        ),
        (
            "storage-nfs",
            "storage",
            json!({"name": "nfs", "nfs_volumes": [{"name": "a", "server": "10.0.0.1", "path": "/a", "capacity": "10Gi"}], "mount_options": ["nfsvers=4.1"]}),
        ),
    ]
}

fn objects(kind: &str, planned: &Value) -> Vec<Object> {
    match kind {
        "cluster" => cluster::objects::objects(&cluster::schema::Cluster::decode(planned).unwrap()),
        "zookeeper_ensemble" => {
            zookeeper_ensemble::objects::objects(&zookeeper_ensemble::schema::Ensemble::decode(planned).unwrap())
        }
        _ => storage::objects::objects(&storage::schema::Storage::decode(planned).unwrap()),
    }
}

#[test]
fn every_rendered_object_is_as_it_was() {
    for (name, kind, set) in configurations() {
        let rendered = objects(kind, &planned(&*resource(kind), set));
        frozen(&format!("{name}.json"), &rendered.iter().map(Object::json).cloned().collect::<Vec<_>>().into());
    }
}

/// What core's state file would hold, and the provider's own beside it.
fn stored(core: &Core<'_>) -> Json {
    let stored = core.state.as_ref().unwrap();
    json!({"attributes": as_json(&stored.value), "private": stored.private})
}

#[tokio::test(start_paused = true)]
async fn the_state_of_every_resource_is_as_it_was() {
    let world = world(Faults::none());
    for (name, subject) in [("zookeeper_ensemble", world::ensemble as fn() -> _), ("cluster", world::cluster)] {
        let (core, _) = world::made(&world, subject()).await;
        frozen(&format!("state-{name}.json"), &stored(&core));
    }
    let storage = json!({"name": "slow", "provisioner": "x"});
    let topic = json!({"cluster": "prod/kafka", "name": "orders", "partitions": 3, "config": {"retention.ms": "1000"}});
    for (name, set) in [("storage", storage), ("topic", topic)] {
        let (core, _) = world::made(&world, (resource(name), set)).await;
        frozen(&format!("state-{name}.json"), &stored(&core));
    }
    let anchors = world.kubernetes.all(Kind::ConfigMap).into_iter().filter(|object| object.name().ends_with("-kafkastack"));
    let anchors = anchors.map(|mut anchor| {
        // The clock is in it.
        anchor.json_mut()["data"].as_object_mut().unwrap().remove("created");
        anchor.at("/data").clone()
    });
    frozen("anchors.json", &anchors.collect::<Vec<_>>().into());
}

/// State files and anchors as real runs wrote them, by the version that did.
#[test]
fn what_main_has_written_is_read() {
    for version in ["first", "now"] {
        let read = |name: &str| -> Json {
            let path = file(&format!("real/{version}-{name}.json"));
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
                .unwrap()
        };
        let mut seen = 0;
        for one in read("state")["resources"].as_array().unwrap() {
            let name = one["type"].as_str().unwrap().strip_prefix("kafkastack_").unwrap();
            let resource = resource(name);
            for instance in one["instances"].as_array().unwrap() {
                let read = config(&*resource, instance["attributes"].clone());
                for (attribute, value) in instance["attributes"].as_object().unwrap() {
                    assert_eq!(as_json(read.get(attribute)), *value, "{version} {name}.{attribute}");
                }
                seen += 1;
            }
        }
        assert!(seen >= 3, "{version}: only {seen}");
        let anchors = read("anchors");
        let anchors: Vec<Object> =
            anchors["items"].as_array().unwrap().iter().map(|json| Object::new(Kind::ConfigMap, json.clone())).collect();
        assert_eq!(anchors.iter().filter_map(Anchor::<cluster::schema::Cluster>::read).count(), 1, "{version}");
        assert_eq!(anchors.iter().filter_map(Anchor::<zookeeper_ensemble::schema::Ensemble>::read).count(), 1, "{version}");
    }
}
