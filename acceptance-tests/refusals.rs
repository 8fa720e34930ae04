//! What goes wrong is said at once, with the value and the way out, and nothing is lost: the next apply goes on.

use super::support::cluster::{Cluster, Namespace};
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace};
use std::time::{Duration, Instant};

fn ensemble(namespace: &str) -> String {
    Stack { size: 1, ..Stack::new(namespace, "apache/kafka:3.9.2") }.ensemble()
}

fn workspace(cluster: &'static Cluster, text: &str) -> Workspace {
    let workspace = Workspace::new(Tool::OpenTofu, text).with_cluster(cluster);
    workspace.init();
    workspace
}

#[test]
fn a_missing_namespace_and_a_missing_class_name_the_way_out() {
    let Some((cluster, _)) = Cluster::find_sandbox("missing things") else { return };
    let namespace = Namespace::reserve(cluster, "missing");
    let text = ensemble(&namespace.name);
    let without = text.replace("create_namespace = true", "create_namespace = false");
    let workspace = workspace(cluster, &without);
    let said = workspace.apply_expect_error();
    assert!(said.contains("The namespace does not exist") && said.contains("create_namespace = true"), "{said}");
    workspace.configure(&text.replace("size = \"1Gi\"", "size = \"1Gi\", class = \"nowhere\""));
    let said = workspace.apply_expect_error();
    assert!(said.contains("The StorageClass does not exist") && said.contains("sandbox-fixed"), "{said}");
    workspace.step(&text);
}

#[test]
fn a_name_that_somebody_else_has_is_not_taken() {
    let Some((cluster, _)) = Cluster::find_sandbox("a foreign name") else { return };
    let namespace = Namespace::new(cluster, "foreign");
    cluster.kubectl(&["-n", &namespace.name, "create", "service", "clusterip", "zookeeper", "--tcp=1:1"]);
    let said = workspace(cluster, &ensemble(&namespace.name)).apply_expect_error();
    assert!(said.contains("The name is taken") && said.contains("Service"), "{said}");
    let objects = cluster.kubectl(&["-n", &namespace.name, "get", "statefulset,pdb,configmap", "-o", "name"]);
    assert_eq!(objects.trim(), "configmap/kube-root-ca.crt", "nothing was written");
}

#[test]
fn what_keeps_pods_away_is_said_within_seconds() {
    let Some((cluster, _)) = Cluster::find_sandbox("pods that do not come") else { return };
    let namespace = Namespace::new(cluster, "away");
    let good = ensemble(&namespace.name);
    let workspace = workspace(cluster, &good.replace("members ", "image = \"zookeeper:0.0.0\"\n  members "));
    let begin = Instant::now();
    let said = workspace.apply();
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    assert!(said.contains("zookeeper:0.0.0") && said.contains("waiting does not help"), "{said}");
    assert_eq!(workspace.resource("kafkastack_zookeeper_ensemble.zookeeper").unwrap()["ready"], false);
    workspace.step(&good);
}

#[test]
fn a_quota_is_said_within_seconds_and_the_next_apply_goes_on() {
    let Some((cluster, _)) = Cluster::find_sandbox("a quota") else { return };
    let namespace = Namespace::new(cluster, "quota");
    cluster.kubectl(&["-n", &namespace.name, "create", "quota", "none", "--hard=pods=0"]);
    let text = ensemble(&namespace.name);
    let workspace = workspace(cluster, &text);
    let begin = Instant::now();
    let said = workspace.apply();
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    assert!(said.contains("exceeded quota"), "{said}");
    cluster.kubectl(&["-n", &namespace.name, "delete", "quota", "none"]);
    workspace.step(&text);
}

#[test]
fn pods_that_no_node_can_take_are_said_within_a_minute() {
    let Some((cluster, _)) = Cluster::find_sandbox("too large pods") else { return };
    let namespace = Namespace::new(cluster, "large");
    let large = "resources = { requests = { cpu = \"1000\" } }\n  members ";
    let workspace = workspace(cluster, &ensemble(&namespace.name).replace("members ", large));
    let begin = Instant::now();
    let said = workspace.apply();
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    assert!(said.contains("cannot be scheduled") && said.contains("Insufficient cpu"), "{said}");
    assert_eq!(workspace.resource("kafkastack_zookeeper_ensemble.zookeeper").unwrap()["ready"], false);
    workspace.destroy();
}

#[test]
fn a_forbidden_verb_names_the_rule_to_add() {
    let Some((cluster, _)) = Cluster::find_sandbox("missing rights") else { return };
    let namespace = Namespace::new(cluster, "rights");
    let ns = namespace.name.as_str();
    let may = |rule: &str| {
        let meta = format!(r#""apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {{"name": "may", "namespace": "{ns}"}}"#);
        cluster.apply(&format!(r#"{{"kind": "Role", {meta}, "rules": [{rule}]}}"#));
    };
    cluster.kubectl(&["-n", ns, "create", "serviceaccount", "somebody"]);
    may(r#"{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}"#);
    cluster.kubectl(&["-n", ns, "create", "rolebinding", "may", "--role=may", &format!("--serviceaccount={ns}:somebody")]);
    let token = cluster.kubectl(&["-n", ns, "create", "token", "somebody"]);
    let host = cluster.kubectl(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let text = format!(
        "{}provider \"kafkastack\" {{\n  kubernetes = {{ host = \"{host}\", token = \"{}\", insecure = true }}\n}}\n",
        ensemble(ns),
        token.trim()
    );
    let workspace = workspace(cluster, &text);
    let said = workspace.apply_expect_error();
    assert!(said.contains("Kubernetes forbids it") && !said.contains(token.trim()), "{said}");
    let rule = r#"{apiGroups: [""], resources: ["services"], verbs: ["get"]}"#;
    assert!(said.contains(rule) && said.contains(&format!("Role in namespace {ns}")), "{said}");
    may(r#"{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}"#);
    workspace.step(&text);
}

#[test]
fn topics_of_a_kafka_that_is_reached_directly_need_no_kubernetes() {
    let provider = r#"provider "kafkastack" {
  kafka = { bootstrap_servers = ["127.0.0.1:1"] }
}
"#;
    let ensemble = format!("{}{provider}", ensemble("nowhere"));
    let (terraform, _) = ensemble.split_once("resource").unwrap();
    let topic = "resource \"kafkastack_topic\" \"one\" {\n  name = \"one\"\n  partitions = 1\n  replication_factor = 1\n}\n";
    let workspace = Workspace::new(Tool::OpenTofu, &format!("{terraform}{provider}{topic}"));
    workspace.init();
    assert_eq!(workspace.plan(Refresh::Yes).change("kafkastack_topic.one").actions, ["create"]);
    let said = workspace.apply_expect_error();
    assert!(said.contains("127.0.0.1:1: connection refused") && !said.contains("not configured"), "{said}");
    workspace.configure(&ensemble);
    let said = workspace.apply_expect_error();
    assert!(said.contains("The Kubernetes cluster is not configured"), "{said}");
}

#[test]
fn an_unreachable_server_and_a_wrong_context_are_named_and_state_is_kept() {
    let Some((cluster, _)) = Cluster::find_sandbox("an unreachable server") else { return };
    let namespace = Namespace::reserve(cluster, "unreachable");
    let text = ensemble(&namespace.name);
    let workspace = workspace(cluster, &text);
    workspace.step(&text);
    let provider = |settings: &str| format!("{text}provider \"kafkastack\" {{\n  kubernetes = {{ {settings} }}\n}}\n");
    workspace.configure(&provider("config_context = \"production\""));
    let said = workspace.plan_expect_error();
    assert!(said.contains("production") && said.contains("sandbox"), "{said}");
    workspace.configure(&provider("host = \"https://127.0.0.1:1\", insecure = true"));
    let said = workspace.plan_expect_error();
    assert!(said.contains("does not answer"), "{said}");
    workspace.step(&text);
}

#[test]
fn bad_input_is_refused_at_plan_with_its_path() {
    let Some((cluster, _)) = Cluster::find_sandbox("bad input") else { return };
    let text = Stack::new("never-made", "apache/kafka:3.9.2").text();
    let workspace = workspace(cluster, &text);
    for (from, to, said) in [
        ("members          = 3", "members = 4", "Use 3 or 5"),
        ("heap      = \"256m\"", "heap = \"lots\"", "512m or 2G"),
        ("\"log.cleaner.dedupe.buffer.size\"", "\"log.dirs\"", "use `storage` instead"),
        ("chroot     = \"/kafka\"", "chroot = \"kafka\"", "/kafka"),
        ("replication_factor = 3", "replication_factor = 4", "3 broker"),
        ("name      = \"kafka\"", "name = \"Kafka\"", "lower-case"),
    ] {
        assert!(text.contains(from), "{from}");
        workspace.configure(&text.replace(from, to));
        let text = workspace.plan_expect_error();
        assert!(text.contains(said), "{to}: {said:?} is not in {text}");
    }
}
