//! The whole life of a stack on a real cluster: made, looked at, disturbed by hand, repaired, imported, destroyed and made
//! again over its data. Once with OpenTofu and Kafka 2.2, the oldest that is supported, once with Terraform and Kafka 3.9.

use super::health_and_drift::{read, watched};
use super::support::audit::Audit;
use super::support::cluster::{Cluster, ENDED, Namespace};
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace};
use serde_json::Value;
use std::path::Path;

const CLUSTER: &str = "kafkastack_cluster.kafka";
const ENSEMBLE: &str = "kafkastack_zookeeper_ensemble.zookeeper";
const TOPIC: &str = "kafkastack_topic.test1";

#[test]
fn opentofu_and_kafka_2_2() {
    life(Tool::OpenTofu, "confluentinc/cp-kafka:5.2.2", "2.2");
}

#[test]
fn terraform_and_kafka_3_9() {
    life(Tool::Terraform, "apache/kafka:3.9.2", "3.9");
}

fn life(tool: Tool, image: &'static str, release: &str) {
    let Some((cluster, sandbox)) = Cluster::find_sandbox("the life of a stack") else { return };
    let namespace = Namespace::reserve(cluster, "life");
    let stack = Stack::new(&namespace.name, image);
    let workspace = Workspace::new(tool, &stack.text()).with_cluster(cluster);
    workspace.init();
    workspace.step(&stack.text());
    let made = workspace.resource(CLUSTER).unwrap();
    assert_eq!((&made["ready"], &made["kafka_version"]), (&Value::from(true), &Value::from(release)));
    pods_pass_restricted(cluster, &stack);
    unchanged_means_no_write(&workspace, &stack, cluster, sandbox);
    nothing_is_wrong_with_it(&workspace, &stack);
    stack.produce(cluster, "first", 100);
    assert_eq!(stack.consume(cluster, "first", 100), 100);
    drift_is_seen_and_repaired(&workspace, &stack, cluster);
    everything_is_imported(tool, &stack, cluster);
    destroyed_and_made_again(&workspace, &stack, cluster);
}

/// The pods' namespace may enforce the strictest level: a server-side dry run says what it would refuse.
fn pods_pass_restricted(cluster: &Cluster, stack: &Stack) {
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let output = cluster.kubectl(&["label", "--dry-run=server", "--overwrite", "namespace", &stack.namespace, label]);
    assert!(!output.contains("violate"), "{output}");
}

fn unchanged_means_no_write(workspace: &Workspace, stack: &Stack, cluster: &Cluster, sandbox: &Path) {
    let audit = Audit::now(sandbox);
    // Everything that Kafka keeps of topics and settings is a transaction in ZooKeeper. Brokers may make one by themselves just now;
    // what an apply writes it would write each time.
    let writes_nothing = |_| {
        let before = stack.last_transaction(cluster);
        workspace.apply();
        stack.last_transaction(cluster) == before
    };
    assert!((0..3).any(writes_nothing), "an unchanged apply writes to Kafka");
    assert_eq!(audit.writes_in(&stack.namespace), [], "an unchanged apply writes to Kubernetes");
}

/// The data sources say so, and a plan with them is empty.
fn nothing_is_wrong_with_it(workspace: &Workspace, stack: &Stack) {
    let topics = "{ test1 = { partitions = 3, replication_factor = 3 } }";
    workspace.configure(&(stack.text() + &watched(stack, topics)));
    let plan = workspace.plan(Refresh::Yes);
    plan.assert_empty("with data sources");
    let (health, drift) = (read(&plan, "kafkastack_health"), read(&plan, "kafkastack_drift"));
    assert_eq!(health["healthy"], true, "{health:#}");
    assert_eq!(drift["drifted"], false, "{drift:#}");
    workspace.configure(&stack.text());
}

fn drift_is_seen_and_repaired(workspace: &Workspace, stack: &Stack, cluster: &Cluster) {
    let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
    let seen = |address: &str, attribute: &str| {
        let plan = workspace.plan(Refresh::Yes);
        let changed = plan.change(address).changed_attributes();
        let changed: Vec<&str> = changed.iter().filter_map(|name| name.split(['.', '[']).next()).collect();
        assert!(changed.contains(&attribute), "{attribute} is not in {changed:?}:\n{plan}");
        // Beside the attribute itself, only what says so or follows: nothing else of the configuration.
        let echo = ["objects", "ready", "kafka_version", "assignments", "topic_id", "cluster_id"];
        let others: Vec<_> = changed.iter().filter(|name| **name != attribute && !echo.contains(*name)).collect();
        assert!(others.is_empty(), "drift of {attribute} shows on {others:?} too:\n{plan}");
    };
    kubectl(&["scale", "statefulset", "kafka", "--replicas=2"]);
    seen(CLUSTER, "brokers");
    kubectl(&["set", "image", "statefulset/zookeeper", "zookeeper=zookeeper:3.9.4"]);
    seen(ENSEMBLE, "image");
    workspace.apply();
    workspace.assert_settled();

    kubectl(&["label", "service", "kafka", "team-"]);
    seen(CLUSTER, "labels");
    let maps = kubectl(&["get", "configmap", "-o", "name"]);
    let configuration = maps.lines().find(|name| name.starts_with("configmap/zookeeper-config-")).expect("it is there");
    kubectl(&["delete", configuration]);
    seen(ENSEMBLE, "objects");
    // Longer than configured: Kafka would soon delete the records that are read back below.
    kafka_configs(stack, cluster, "--add-config retention.ms=7200000");
    seen(TOPIC, "config");
    workspace.apply();
    workspace.assert_settled();

    kubectl(&["delete", "statefulset", "kafka", "--wait"]);
    kubectl(&["wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=kafka", ENDED]);
    // The topic cannot be looked at, and stays in state; the cluster is put right in the same apply.
    seen(CLUSTER, "objects");
    workspace.apply();
    workspace.assert_settled();
    assert_eq!(stack.consume(cluster, "first", 100), 100, "the claims survive a deleted StatefulSet");

    delete_topic(stack, cluster);
    assert_eq!(workspace.plan(Refresh::Yes).change(TOPIC).actions, ["create"]);
    workspace.apply();
    workspace.assert_settled();
    stack.produce(cluster, "second", 100);
}

fn zookeeper(stack: &Stack) -> String {
    format!("--zookeeper zookeeper.{}.svc:2181/kafka", stack.namespace)
}

fn kafka_configs(stack: &Stack, cluster: &Cluster, change: &str) {
    let at = match stack.image.contains("5.2") {
        true => zookeeper(stack),
        false => format!("--bootstrap-server kafka.{}.svc:9092", stack.namespace),
    };
    stack.kafka(cluster, &format!("kafka-configs.sh {at} --alter --entity-type topics --entity-name test1 {change}"));
}

fn delete_topic(stack: &Stack, cluster: &Cluster) {
    let at = format!("--bootstrap-server kafka.{}.svc:9092", stack.namespace);
    stack.kafka(cluster, &format!("kafka-topics.sh {at} --delete --topic test1"));
}

fn everything_is_imported(tool: Tool, stack: &Stack, cluster: &'static Cluster) {
    let empty = Workspace::new(tool, &stack.text()).with_cluster(cluster);
    empty.init();
    empty.import(ENSEMBLE, &format!("{}/zookeeper", stack.namespace));
    empty.import(CLUSTER, &format!("{}/kafka", stack.namespace));
    empty.import(TOPIC, &format!("{}/kafka/test1", stack.namespace));
    empty.assert_settled();
}

fn destroyed_and_made_again(workspace: &Workspace, stack: &Stack, cluster: &Cluster) {
    let refused = workspace.destroy_expect_error();
    assert!(refused.contains("deletion_protection"), "{refused}");
    let open = Stack { protected: false, ..stack.clone() };
    workspace.step(&open.text());
    // A destroy would delete the topic with its records; forgotten, it stays in the data that is kept.
    workspace.run(&["state", "rm", TOPIC]).success("forgetting the topic");
    let text = open.text();
    let (without_topic, _) = text.split_once("resource \"kafkastack_topic\"").unwrap();
    workspace.configure(without_topic);
    workspace.destroy();
    let left = cluster.kubectl(&["-n", &stack.namespace, "get", "all,configmap,pdb,pvc", "-o", "name"]);
    let left: Vec<&str> = left.lines().filter(|line| !line.contains("kube-root-ca.crt")).collect();
    assert_eq!(left.len(), 6, "claims and nothing else: {left:?}");
    assert!(left.iter().all(|line| line.starts_with("persistentvolumeclaim/")), "{left:?}");

    workspace.configure(&text);
    let exists = workspace.apply_expect_error();
    assert!(exists.contains("import"), "the topic is there already: {exists}");
    workspace.import(TOPIC, &format!("{}/kafka/test1", stack.namespace));
    workspace.assert_settled();
    assert_eq!(stack.consume(cluster, "second", 100), 100, "made again over its claims, the data is there");
    workspace.destroy();
}
