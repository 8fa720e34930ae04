//! A create that is cut off at ten moments, by kill -9 of the provider and by Ctrl-C: the next apply finishes it, with the
//! same objects.

use super::support::audit::Audit;
use super::support::cluster::{Cluster, Namespace};
use super::support::running::Running;
use super::support::stack::Stack;
use super::support::terraform::{Tool, Workspace};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// After how many writes: from the first one (the namespace) to the wait for the brokers.
const MOMENTS: [usize; 10] = [1, 2, 3, 5, 8, 10, 11, 12, 15, 18];

#[test]
fn kill_9_of_the_provider() {
    cut_off("kill", |apply| {
        apply.kill_providers();
    });
}

#[test]
fn interrupt_of_tofu() {
    cut_off("interrupt", Running::interrupt);
}

fn cut_off(how: &str, cut: impl Fn(&Running)) {
    let Some((cluster, sandbox)) = Cluster::find_sandbox("a create that is cut off") else { return };
    for moment in MOMENTS {
        at_moment(cluster, sandbox, how, moment, &cut);
    }
}

fn at_moment(cluster: &'static Cluster, sandbox: &Path, how: &str, moment: usize, cut: &impl Fn(&Running)) {
    let namespace = Namespace::reserve(cluster, &format!("{how}-{moment}"));
    let stack = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, "apache/kafka:3.9.2") };
    let workspace = Workspace::new(Tool::OpenTofu, &stack.text()).with_cluster(cluster);
    workspace.init();
    let audit = Audit::now(sandbox);
    let mut apply = workspace.start_apply();
    let reached = |_: &Running| (audit.writes_in(&namespace.name).len() >= moment).then_some(());
    apply.until(&format!("write {moment}"), Duration::from_secs(180), reached);
    cut(&apply);
    let ended = apply.wait();
    assert!(!ended.status.success(), "{how} after write {moment} did not cut the apply off:\n{}", ended.text);
    let before = uids(cluster, &namespace.name);
    let text = workspace.apply();
    let after = uids(cluster, &namespace.name);
    for (object, uid) in &before {
        assert_eq!(after.get(object), Some(uid), "{how} after write {moment}: {object} was made anew\n{text}");
    }
    workspace.assert_settled();
    workspace.destroy();
    let left = uids(cluster, &namespace.name);
    let orphans: Vec<&String> = left.keys().filter(|name| !name.starts_with("PersistentVolumeClaim/")).collect();
    assert!(orphans.is_empty(), "{how} after write {moment} leaves {orphans:?}");
}

/// Every object of the namespace that the provider or its StatefulSets made, but pods.
pub fn uids(cluster: &Cluster, namespace: &str) -> BTreeMap<String, String> {
    let kinds = "configmap,service,statefulset,poddisruptionbudget,persistentvolumeclaim";
    let list = cluster.get(&["-n", namespace, kinds]);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let named = items
        .iter()
        .map(|item| (format!("{}/{}", text(&item["kind"]), text(&item["metadata"]["name"])), text(&item["metadata"]["uid"])));
    named.filter(|(name, _)| name != "ConfigMap/kube-root-ca.crt").collect()
}
