//! What the other tests trust: the sandbox is a whole cluster, no packet of it leaves the machine, and its audit log is true.

use super::support::audit::Audit;
use super::support::cluster::{Cluster, Namespace};
use std::process::Command;

#[test]
fn three_nodes_are_ready_each_in_its_own_zone() {
    let Some((cluster, _)) = Cluster::find_sandbox("three nodes") else { return };
    let nodes = cluster.get(&["nodes"]);
    let nodes = nodes["items"].as_array().unwrap();
    let ready = |node: &&serde_json::Value| {
        let conditions = node["status"]["conditions"].as_array().unwrap();
        conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    assert_eq!(nodes.iter().filter(ready).count(), 3);
    let zones: std::collections::BTreeSet<_> =
        nodes.iter().map(|node| node["metadata"]["labels"]["topology.kubernetes.io/zone"].to_string()).collect();
    assert_eq!(zones.len(), 3, "{zones:?}");
}

#[test]
fn no_packet_of_the_sandbox_has_a_way_out() {
    let Some((_, run)) = Cluster::find_sandbox("no way out") else { return };
    let run = run.file_name().unwrap().to_str().unwrap();
    let name = run.strip_prefix("run-").unwrap();
    let output = |arguments: &[&str]| Command::new("ip").args(arguments).output().unwrap();
    let listed = String::from_utf8(output(&["netns", "list"]).stdout).unwrap();
    let ours: Vec<_> =
        listed.lines().filter_map(|line| line.split(' ').next()).filter(|n| n.starts_with(&format!("{name}-"))).collect();
    assert_eq!(ours.len(), 4, "{listed}");
    for namespace in ours {
        let inside = output(&["-n", namespace, "route", "get", "172.30.0.1"]);
        assert!(inside.status.success(), "{namespace} does not even reach the control plane");
        for address in ["1.1.1.1", "169.254.169.254", "10.0.0.1", "192.168.0.1"] {
            let outside = output(&["-n", namespace, "route", "get", address]);
            assert!(!outside.status.success(), "{namespace}: {}", String::from_utf8_lossy(&outside.stdout));
        }
    }
}

#[test]
fn a_claim_is_provisioned_and_its_pod_runs() {
    let Some((cluster, _)) = Cluster::find_sandbox("a claim") else { return };
    let namespace = Namespace::new(cluster, "claim");
    cluster.apply(&format!(
        r#"{{"apiVersion": "v1", "kind": "List", "items": [
            {{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {{"name": "data", "namespace": "{0}"}},
              "spec": {{"accessModes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "1Gi"}}}}}}}},
            {{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "user", "namespace": "{0}"}},
              "spec": {{"terminationGracePeriodSeconds": 0,
                "containers": [{{"name": "pause", "image": "registry.k8s.io/pause:3.6", "volumeMounts": [{{"name": "d", "mountPath": "/d"}}]}}],
                "volumes": [{{"name": "d", "persistentVolumeClaim": {{"claimName": "data"}}}}]}}}}]}}"#,
        namespace.name
    ));
    cluster.kubectl(&["-n", &namespace.name, "wait", "--for=condition=Ready", "pod/user", "--timeout=90s"]);
    assert_eq!(cluster.get(&["-n", &namespace.name, "pvc/data"])["status"]["phase"], "Bound");
}

#[test]
fn the_audit_log_has_each_write_and_no_read_and_no_dry_run() {
    let Some((cluster, run)) = Cluster::find_sandbox("the audit log") else { return };
    let namespace = Namespace::new(cluster, "audit");
    let audit = Audit::now(run);
    let ns = namespace.name.as_str();
    cluster.kubectl(&["-n", ns, "create", "configmap", "dry", "--dry-run=server"]);
    cluster.kubectl(&["-n", ns, "get", "configmaps"]);
    assert_eq!(audit.writes_in(ns), []);

    cluster.kubectl(&["-n", ns, "create", "configmap", "wet"]);
    cluster.kubectl(&["-n", ns, "delete", "configmap", "wet"]);
    let seen: Vec<_> =
        audit.writes_in(ns).into_iter().map(|write| (write.verb, write.resource, write.name, write.code)).collect();
    let write = |verb: &str, code| (verb.to_owned(), "configmaps".to_owned(), "wet".to_owned(), code);
    assert_eq!(seen, [write("create", 201), write("delete", 200)]);
}
