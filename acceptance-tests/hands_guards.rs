//! What neither an apply nor a destroy does, whatever a configuration asks for and whatever hands did before: it takes no ensemble
//! from its cluster, nothing of a neighbour, nothing that has served. With records that are written before and read back after.

use super::cut_off::uids;
use super::support::audit::{Audit, Write};
use super::support::cluster::ENDED;
use super::support::container::Container;
use super::support::running::Running;
use super::support::site::{CLUSTER, ENSEMBLE, KAFKA, Site, blocks, with};
use super::support::terraform::{Refresh, Tool, Workspace};
use super::support::with_both_tools_at_length;
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(180);

with_both_tools_at_length! {
    fn an_ensemble_is_neither_renamed_replaced_nor_removed_under_its_cluster(tool: Tool) {
        let Some(site) = Site::find(tool, "a guarded ensemble", "guarded", true) else { return };
        site.workspace.step(&site.stack.text());
        site.produce("before");
        a_protected_ensemble_stays(&site);
        an_ensemble_in_use_stays_though_it_is_not_protected(&site);
        the_cluster_goes_only_where_its_metadata_is(&site);
        the_first_listener_stays_and_others_come_after_it(&site);
        site.records_are_there("before");
    }

    fn only_our_own_claims_and_pods_are_touched(tool: Tool) {
        let Some(site) = Site::find(tool, "claims and pods of others", "others", false) else { return };
        let protection = "deletion_protection = false";
        let text = site.stack.text().replace(protection, &format!("{protection}\n  delete_claims       = true"));
        claims_of_others_are_not_taken(&site, &text);
        site.workspace.step(&text);
        site.produce("before");
        site.cluster.apply(&foreign_claim(&site, "foreign-data"));
        site.cluster.apply(&exporter(&site));
        let foreign = ["pod/exporter", "pvc/foreign-data"];
        let before = site.uids(&foreign);
        site.workspace.step(&with(&text, "heap      = \"256m\"", "heap      = \"272m\""));
        assert_eq!(site.uids(&foreign), before, "no roll takes them");
        site.records_are_there("before");
        site.workspace.destroy();
        assert_eq!(site.uids(&foreign), before, "no destroy takes them");
        assert_eq!(site.names("pvc"), ["persistentvolumeclaim/foreign-data"]);
    }

    fn half_a_rollback_is_not_shown_as_done(tool: Tool) {
        let Some(site) = Site::find(tool, "half a rollback", "half", false) else { return };
        let text = with(&site.stack.text(), "members          = 1", "members          = 3");
        site.workspace.step(&text);
        site.produce("before");
        let changed = with(&text, "heap             = \"128m\"", "heap             = \"136m\"");
        site.workspace.step(&changed);
        half_of_it_is_applied(&site, &text);
        let plan = site.workspace.plan(Refresh::Yes);
        let change = plan.change(ENSEMBLE);
        assert_eq!((&change.before["ready"], change.is_no_op()), (&Value::from(false), false), "{plan}");
        site.workspace.step(&text);
        let wanted = site.kubectl(&["get", "statefulset", "zookeeper", "-o", "jsonpath={.status.updateRevision}"]);
        let revision = format!("controller-revision-hash={wanted}");
        assert_eq!(site.kubectl(&["get", "pods", "-o", "name", "-l", &revision]).lines().count(), 3);
        site.records_are_there("before");
    }

    fn what_has_served_is_protected_whatever_became_of_its_objects(tool: Tool) {
        let Some(site) = Site::find(tool, "what has served", "served", true) else { return };
        let [terraform, ensemble, cluster, _] = blocks(&site.stack.text());
        let cluster = with(&cluster, "deletion_protection = true", "deletion_protection = true\n  delete_claims       = true");
        let text = terraform + &ensemble + &cluster;
        it_serves_though_its_create_was_killed(&site, &text);
        a_second_broker_comes_by_hand_and_dies(&site);
        site.workspace.apply();
        assert_eq!(site.stack.registered(site.cluster), "id: 0\n", "Kafka would place partitions on the dead one");
        site.workspace.assert_settled();
        site.records_are_there("before");
        without_its_stateful_set_it_is_not_destroyed(&site);
        what_another_configuration_protects_is_not_destroyed(&site, tool, &text);
        what_never_served_is_destroyed_though_it_is_protected(&site, tool, &text);
        site.records_are_there("before");
    }

    fn a_create_that_waits_survives_the_end_of_its_credentials(tool: Tool) {
        let Some(site) = Site::find(tool, "the end of credentials", "credentials", true) else { return };
        let [terraform, ensemble, cluster, _] = blocks(&site.stack.text());
        let text = terraform + &ensemble + &cluster;
        let waits = with(&text, "{ env = { KAFKA", "{ node_selector = { nowhere = \"x\" }, env = { KAFKA");
        site.workspace.configure(&(waits + &passing_credentials(&site)));
        let mut apply = site.workspace.start_apply();
        until_made(&site, &mut apply);
        site.kubectl(&["delete", "secret", "passing"]);
        let said = apply.wait().success("a create whose credentials end");
        assert!(said.contains("Warning: NOT SERVING"), "{said}");
        let made = uids(site.cluster, &site.stack.namespace);
        site.workspace.configure(&text);
        let plan = site.workspace.plan(Refresh::Yes);
        let change = plan.change(CLUSTER);
        assert_eq!((&change.before["ready"], &change.actions[..]), (&Value::from(false), &["update".to_owned()][..]), "{plan}");
        site.workspace.step(&text);
        let now = uids(site.cluster, &site.stack.namespace);
        made.iter().for_each(|(object, uid)| assert_eq!(now.get(object), Some(uid), "{object} was made anew"));
    }
}

fn a_protected_ensemble_stays(site: &Site) {
    let text = site.stack.text();
    let said = site.plan_is_refused(&renamed(&text), "The ensemble is protected");
    assert!(!said.contains("restarts"), "nothing restarts in a replacement: {said}");
    site.apply_is_refused(&text, &[&format!("-replace={ENSEMBLE}")], "The ensemble is protected");
    site.plan_is_refused(&removed(site), "The ensemble is protected");
}

/// The configuration with the ensemble under another name.
fn renamed(text: &str) -> String {
    with(text, "name             = \"zookeeper\"", "name             = \"renamed\"")
}

/// The configuration without the ensemble.
fn removed(site: &Site) -> String {
    let [terraform, _, cluster, topic] = blocks(&site.stack.text());
    terraform + &with(&cluster, &format!("{ENSEMBLE}.connection"), &site.connection()) + &topic
}

fn an_ensemble_in_use_stays_though_it_is_not_protected(site: &Site) {
    let open = with(&site.stack.text(), "deletion_protection = true", "deletion_protection = false");
    site.workspace.step(&open);
    let in_use = "The ensemble is in use";
    site.apply_is_refused(&open, &[&format!("-replace={ENSEMBLE}")], in_use);
    site.apply_is_refused(&removed(site), &[], in_use);
    site.plan_is_refused(&renamed(&open), "metadata is in another ensemble");
    let apart = with(&open, &format!("{ENSEMBLE}.connection"), &site.connection());
    site.apply_is_refused(&renamed(&apart), &[], in_use);
    site.workspace.step(&site.stack.text());
}

fn the_cluster_goes_only_where_its_metadata_is(site: &Site) {
    let [terraform, ensemble, cluster, topic] = blocks(&site.stack.text());
    let second =
        ensemble.replace("\"zookeeper\"", "\"zk2\"").replace("deletion_protection = true", "deletion_protection = false");
    let text = format!("{terraform}{ensemble}{second}{cluster}{topic}");
    site.workspace.step(&text);
    let moved = with(&text, &format!("{ENSEMBLE}.connection"), "kafkastack_zookeeper_ensemble.zk2.connection");
    site.plan_is_refused(&moved, "metadata is in another ensemble");
    let id = site.workspace.resource(CLUSTER).expect("the cluster is in the state")["cluster_id"].clone();
    let shell = format!("zookeeper-shell.sh zk2.{}.svc:2181 create", site.stack.namespace);
    let content = format!(r#"'{{"version":"1","id":{id}}}'"#);
    for node in ["/kafka ''", "/kafka/cluster ''", &format!("/kafka/cluster/id {content}")] {
        site.stack.kafka(site.cluster, &format!("{shell} {node}"));
    }
    let plan = site.workspace.plan(Refresh::Yes);
    assert!(plan.change(CLUSTER).changed_attributes().contains(&"zookeeper.connection".to_owned()), "{plan}");
    site.workspace.configure(&text);
    site.workspace.assert_settled();
}

fn the_first_listener_stays_and_others_come_after_it(site: &Site) {
    let text = site.stack.text();
    let listeners =
        |listeners: &str| with(&text, "  brokers   = 1\n", &format!("  brokers   = 1\n  listeners = [{listeners}]\n"));
    for other in ["{ name = \"plain\", port = 9092 }", "{ name = \"internal\", port = 9093 }"] {
        site.plan_is_refused(&listeners(other), "The first listener cannot be changed");
    }
    site.workspace.step(&listeners("{ name = \"internal\", port = 9092 }, { name = \"more\", port = 9093 }"));
}

/// A claim as another chart leaves it, with the labels that every chart uses.
fn foreign_claim(site: &Site, name: &str) -> String {
    let meta = foreign_metadata(site, name);
    let spec = r#"{"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}"#;
    format!(r#"{{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {meta}, "spec": {spec}}}"#)
}

/// A neighbour that is never ready.
fn exporter(site: &Site) -> String {
    let meta = foreign_metadata(site, "exporter");
    let containers = r#"[{"name": "exporter", "image": "nowhere/exporter:0"}]"#;
    format!(r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {meta}, "spec": {{"containers": {containers}}}}}"#)
}

fn foreign_metadata(site: &Site, name: &str) -> String {
    let namespace = &site.stack.namespace;
    let labels = ["name", "instance"].map(|label| format!(r#""app.kubernetes.io/{label}": "kafka""#)).join(", ");
    let labels = format!(r#"{{{labels}, "app.kubernetes.io/managed-by": "Helm"}}"#);
    format!(r#"{{"name": "{name}", "namespace": "{namespace}", "labels": {labels}}}"#)
}

fn claims_of_others_are_not_taken(site: &Site, text: &str) {
    site.cluster.apply(&foreign_claim(site, "data-kafka-0"));
    site.workspace.configure(text);
    let said = site.workspace.apply_expect_error();
    assert!(said.contains("Claims of others have the names that are needed") && said.contains("data-kafka-0"), "{said}");
    let ours = "statefulset,service,poddisruptionbudget,configmap";
    let found = site.kubectl(&["get", ours, "-o", "name", "-l", "app.kubernetes.io/instance=kafka"]);
    assert_eq!(found, "", "nothing was written");
    site.kubectl(&["delete", "pvc", "data-kafka-0", "--wait"]);
}

/// Stopped when it has taken the first pod; then all are ready, one of them as wanted.
fn half_of_it_is_applied(site: &Site, text: &str) {
    site.workspace.configure(text);
    let audit = Audit::now(site.sandbox);
    let mut apply = site.workspace.start_apply();
    let restart = |write: &Write| [("delete", "pods"), ("create", "pods/eviction")].contains(&(&*write.verb, &*write.resource));
    apply.until("a restart", SOON, |_| audit.writes_in(&site.stack.namespace).iter().any(restart).then_some(()));
    apply.interrupt();
    apply.wait().failure("half a rollback");
    for status in ["updatedReplicas}=1", "readyReplicas}=3"] {
        let status = format!("--for=jsonpath={{.status.{status}");
        site.kubectl(&["wait", "statefulset/zookeeper", &status, "--timeout=180s"]);
    }
}

/// Waits until the brokers' StatefulSet is made.
fn until_made(site: &Site, apply: &mut Running) {
    let wait = ["-n", &site.stack.namespace, "wait", "--for=create", "statefulset/kafka", "--timeout=5s"];
    apply.until("the StatefulSet", SOON, |_| site.cluster.try_kubectl(&wait).ok());
}

fn it_serves_though_its_create_was_killed(site: &Site, text: &str) {
    site.workspace.configure(text);
    let mut apply = site.workspace.start_apply();
    until_made(site, &mut apply);
    apply.until("a provider", SOON, |apply: &Running| (apply.kill_providers() > 0).then_some(()));
    apply.wait().failure("a create whose provider is killed");
    assert_eq!(site.workspace.resource(CLUSTER), None, "the state never heard of it");
    site.kubectl(&["wait", "statefulset/kafka", "--for=jsonpath={.status.readyReplicas}=1", "--timeout=180s"]);
    let at = format!("--bootstrap-server kafka.{}.svc:9092", site.stack.namespace);
    site.stack.kafka(site.cluster, &format!("kafka-topics.sh {at} --create --topic test1"));
    site.produce("before");
}

/// Its registration outlives it by its session, 18 s.
fn a_second_broker_comes_by_hand_and_dies(site: &Site) {
    site.kubectl(&["scale", "statefulset", "kafka", "--replicas=2"]);
    let second = Container::of(site.cluster, &site.stack.namespace, "kafka-1");
    second.until_it_says("Registered broker 1 at path", SOON);
    second.signal("KILL");
}

fn without_its_stateful_set_it_is_not_destroyed(site: &Site) {
    let claims = site.uids(&["pvc"]);
    site.kubectl(&["delete", "statefulset", "kafka", "--wait"]);
    site.kubectl(&["wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=kafka", ENDED]);
    let said = site.workspace.destroy_expect_error();
    assert!(said.contains("The cluster is protected"), "{said}");
    assert_eq!(site.uids(&["pvc"]), claims);
    site.workspace.apply();
    site.workspace.assert_settled();
    site.records_are_there("before");
}

/// The cluster alone, in a workspace of its own.
fn apart(site: &Site, tool: Tool, text: &str) -> Workspace {
    let [terraform, _, cluster, _] = blocks(text);
    let cluster = with(&cluster, &format!("{ENSEMBLE}.connection"), &site.connection());
    let workspace = Workspace::new(tool, &(terraform + &cluster)).with_cluster(site.cluster);
    workspace.init();
    workspace
}

fn what_another_configuration_protects_is_not_destroyed(site: &Site, tool: Tool, text: &str) {
    site.workspace.step(&text.replace("deletion_protection = true", "deletion_protection = false"));
    let second = apart(site, tool, text);
    second.import(CLUSTER, &format!("{}/kafka", site.stack.namespace));
    second.apply();
    second.assert_settled();
    let claims = site.uids(&["pvc"]);
    let said = site.workspace.destroy_expect_error();
    assert!(said.contains("The cluster is protected by another configuration"), "{said}");
    assert_eq!(site.uids(&["pvc"]), claims);
}

fn what_never_served_is_destroyed_though_it_is_protected(site: &Site, tool: Tool, text: &str) {
    let never = with(text, "name      = \"kafka\"", "name      = \"never\"");
    let never = with(&with(&never, KAFKA, "nowhere/kafka:0"), "chroot     = \"/kafka\"", "chroot     = \"/never\"");
    let workspace = apart(site, tool, &never);
    let said = workspace.apply();
    assert!(said.contains("Warning: NOT SERVING"), "{said}");
    assert!(site.names("pvc").contains(&"persistentvolumeclaim/data-never-0".to_owned()));
    workspace.destroy();
    assert!(!site.names("pvc").contains(&"persistentvolumeclaim/data-never-0".to_owned()));
}

/// A provider block with a token that ends with the Secret `passing`.
fn passing_credentials(site: &Site) -> String {
    let ns = site.stack.namespace.as_str();
    site.kubectl(&["create", "serviceaccount", "somebody"]);
    let meta = format!(r#""apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {{"name": "may", "namespace": "{ns}"}}"#);
    let rule = r#"{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}"#;
    site.cluster.apply(&format!(r#"{{"kind": "Role", {meta}, "rules": [{rule}]}}"#));
    let account = format!("--serviceaccount={ns}:somebody");
    site.kubectl(&["create", "rolebinding", "may", "--role=may", &account]);
    site.kubectl(&["create", "secret", "generic", "passing"]);
    let bound = ["--bound-object-kind", "Secret", "--bound-object-name", "passing"];
    let token = site.kubectl(&[&["create", "token", "somebody"], &bound[..]].concat());
    let host = site.cluster.kubectl(&["config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let kubernetes = format!("{{ host = \"{host}\", token = \"{}\", insecure = true }}", token.trim());
    format!("provider \"kafkastack\" {{\n  kubernetes = {kubernetes}\n}}\n")
}
