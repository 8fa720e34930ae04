//! What `kafkastack_health` and `kafkastack_drift` see on a real cluster, and the script for CI that looks every night: silent on a
//! stack that nobody touched, and each thing named that a hand did to it.

use super::support::cluster::{Cluster, ENDED, Namespace};
use super::support::plan::Plan;
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The stack, one more topic, and both data sources.
fn configuration(stack: &Stack) -> String {
    let mut text = stack.text();
    let _ = write!(
        text,
        r#"resource "kafkastack_topic" "test2" {{
  cluster            = kafkastack_cluster.kafka.id
  name               = "test2"
  replication_factor = 3
}}
{}"#,
        watched(stack, r#"{ test1 = { config = { "retention.ms" = "3600000" } }, test2 = { partitions = 1 } }"#)
    );
    text
}

/// Both data sources; `topics` are those that are managed. They refer to no resource: with changes pending there they would be
/// read at the apply only.
pub fn watched(stack: &Stack, topics: &str) -> String {
    let namespace = &stack.namespace;
    format!(
        r#"data "kafkastack_health" "stack" {{
  cluster               = "{namespace}/kafka"
  zookeeper_ensemble    = "{namespace}/zookeeper"
  min_disk_free_percent = 0
}}
data "kafkastack_drift" "stack" {{
  cluster            = "{namespace}/kafka"
  zookeeper_ensemble = "{namespace}/zookeeper"
  topics             = {topics}
}}
"#
    )
}

/// What a data source said in a plan.
pub fn read(plan: &Plan, kind: &str) -> Value {
    let resources = plan.json["prior_state"]["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
    let found = resources.into_iter().find(|resource| resource["type"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in the plan:\n{plan}"))["values"].clone()
}

/// A kubeconfig of an account that has the rights of `examples/rbac/drift.yaml` and no other.
fn may_only_look(cluster: &Cluster, stack: &Stack, workspace: &Workspace) {
    let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
    kubectl(&["create", "serviceaccount", "kafkastack-drift"]);
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rbac/drift.yaml");
    kubectl(&["apply", "-f", rules.to_str().unwrap()]);
    let token = kubectl(&["create", "token", "kafkastack-drift"]);
    let config = cluster.kubectl(&["config", "view", "--raw", "--minify", "-o", "json"]);
    let mut config: Value = serde_json::from_str(&config).expect("kubectl prints JSON");
    config["users"][0]["user"] = serde_json::json!({"token": token.trim()});
    std::fs::write(workspace.path().join("looker"), config.to_string()).expect("a kubeconfig can be written");
}

/// Runs the script for CI as that account: how it ended, and the summary that it wrote.
fn drift(workspace: &Workspace, fail_on: &str) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/drift-in-ci/drift.sh");
    let file = |name: &str| workspace.path().join(name).display().to_string();
    let (summary, looker) = (file("drift.md"), file("looker"));
    let settings = [("FAIL_ON", fail_on), ("DRIFT_SUMMARY", &summary), ("KUBECONFIG", &looker)];
    let finished = workspace.run_script(&script, &settings, &["-lock=false"]);
    let text = std::fs::read_to_string(summary).unwrap_or_else(|error| panic!("no summary: {error}\n{}", finished.text));
    (finished.status.code(), text)
}

#[test]
fn what_a_hand_did_is_found_and_a_clean_stack_is_silent() {
    let Some(cluster) = Cluster::find("health and drift") else { return };
    let namespace = Namespace::reserve(cluster, "drift");
    let stack = Stack::new(&namespace.name, "apache/kafka:3.9.2");
    let workspace = Workspace::new(Tool::OpenTofu, &stack.text()).with_cluster(cluster);
    workspace.init();
    workspace.apply();
    workspace.configure(&configuration(&stack));
    workspace.apply();
    may_only_look(cluster, &stack, &workspace);

    let (code, summary) = drift(&workspace, "drift");
    assert_eq!((code, summary.lines().next()), (Some(0), Some("## Drift: none")), "{summary}");
    let health = read(&workspace.plan(Refresh::Yes), "kafkastack_health");
    assert_eq!((&health["healthy"], &health["reasons"]), (&Value::from(true), &Value::from(Vec::<String>::new())), "{health:#}");

    disturb(cluster, &stack);
    everything_is_found(&workspace);
    everything_is_named(&read(&workspace.plan(Refresh::Yes), "kafkastack_health"));

    workspace.apply();
    the_import_blocks_are_ready(&workspace, &stack);
    let kafka = format!("kafka-topics.sh --bootstrap-server kafka.{}.svc:9092", stack.namespace);
    stack.kafka(cluster, &format!("{kafka} --delete --topic by-hand; while {kafka} --list | grep -qx by-hand; do :; done"));
    let (code, summary) = drift(&workspace, "drift");
    assert_eq!((code, summary.lines().next()), (Some(0), Some("## Drift: none")), "{summary}");
    assert_eq!(read(&workspace.plan(Refresh::Yes), "kafkastack_health")["healthy"], true);
}

/// A topic made, one changed and one deleted; a broker and a member taken away.
fn disturb(cluster: &Cluster, stack: &Stack) {
    let at = format!("--bootstrap-server kafka.{}.svc:9092", stack.namespace);
    let steps = [
        format!("kafka-topics.sh {at} --create --topic by-hand --replica-assignment 2 --config retention.ms=5000"),
        format!("kafka-configs.sh {at} --alter --entity-type topics --entity-name test1 --add-config retention.ms=1000"),
        format!("kafka-topics.sh {at} --delete --topic test2"),
    ];
    stack.kafka(cluster, &steps.join(" && "));
    let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
    kubectl(&["scale", "statefulset", "kafka", "zookeeper", "--replicas=2"]);
    kubectl(&["wait", "--for=delete", "pod/kafka-2", "pod/zookeeper-2", ENDED]);
}

fn everything_is_found(workspace: &Workspace) {
    let (code, summary) = drift(workspace, "drift");
    assert_eq!(code, Some(2), "{summary}");
    for found in [
        "| `kafkastack_cluster.kafka` | `brokers` | `3` | `2` | changed outside |",
        "| `kafkastack_topic.test1` | `config[\"retention.ms\"]` | `3600000` | `1000` | changed outside |",
        "| `kafkastack_topic.test2` | | to be there | **is not there** | deleted outside |",
        "| topic `test1` | `config[\"retention.ms\"]` | `3600000` | `1000` |",
        "| topic `test2` | | | **is not there** |",
        "`.spec.replicas` | `3` | `2` |",
        "- topic `by-hand`",
    ] {
        assert!(summary.contains(found), "{found} is not in:\n{summary}");
    }
    let (code, _) = drift(workspace, "error");
    assert_eq!(code, Some(0), "drift is no error");
}

fn everything_is_named(health: &Value) {
    assert_eq!(health["healthy"], false);
    let reasons = health["reasons"].to_string();
    for reason in ["by-hand-0", "broker 2", "test1-", "zookeeper-2"] {
        assert!(reasons.contains(reason), "{reason} is not in {reasons}");
    }
    assert_eq!(health["offline_partitions"], Value::from(vec!["by-hand-0"]));
    assert!(health["under_replicated_partition_count"].as_i64() > Some(0), "{health:#}");
    assert_eq!((&health["brokers"][2]["registered"], &health["brokers"][1]["registered"]), (&false.into(), &true.into()));
}

/// What the summary says to paste is a configuration that imports and changes nothing.
fn the_import_blocks_are_ready(workspace: &Workspace, stack: &Stack) {
    let summary =
        read(&workspace.plan(Refresh::Yes), "kafkastack_drift")["summary_markdown"].as_str().unwrap_or_default().to_owned();
    let (_, blocks) = summary.split_once("```hcl\n").unwrap_or_else(|| panic!("no blocks in:\n{summary}"));
    let (blocks, _) = blocks.split_once("```").expect("the blocks end");
    workspace.configure(&(configuration(stack) + blocks));
    let plan = workspace.plan(Refresh::Yes);
    let change = plan.change("kafkastack_topic.by-hand");
    let id = format!("{}/kafka/by-hand", stack.namespace);
    assert_eq!((&change.actions, change.importing.as_str()), (&vec!["no-op".to_owned()], id.as_str()), "{plan}");
    workspace.configure(&configuration(stack));
}
