//! Which one a state is about, and what of it may go: another workload or topic of the same name is neither read nor changed, claims
//! stay whatever a hand made of their StatefulSet, and a change that needs no restart needs no whole service.

use super::support::container::Container;
use super::support::site::{CLUSTER, Site, blocks, with};
use super::support::terraform::{Refresh, Tool};
use super::support::with_both_tools_at_length;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "kafkastack_topic.test1";
const RETENTION: &str = "persistentVolumeClaimRetentionPolicy";

with_both_tools_at_length! {
    fn another_one_of_the_same_name_is_an_error_with_a_way_out(tool: Tool) {
        let Some(site) = Site::find(tool, "another one of the same name", "which", false) else { return };
        site.workspace.step(&site.stack.text());
        site.produce("before");
        an_anchor_that_somebody_made_is_another_cluster(&site);
        a_topic_that_somebody_made_anew_is_another_topic(&site);
    }

    fn claims_stay_and_a_claim_that_goes_stops_a_restart(tool: Tool) {
        let Some(site) = Site::find(tool, "claims that would go", "stay", false) else { return };
        let text = site.stack.text();
        site.workspace.step(&text);
        site.produce("before");
        a_policy_that_deletes_claims_is_drift(&site, &text);
        a_destroy_keeps_them_in_spite_of_it(&site, &text);
        kept_claims_are_used_by_exactly_their_pods(&site, &text);
        site.records_are_there("before");
        a_claim_that_is_being_deleted_stops_a_restart(&site, &text);
        site.records_are_there("before");
    }

    fn a_change_without_a_restart_needs_no_whole_service(tool: Tool) {
        let Some(site) = Site::find(tool, "a change without a restart", "norestart", false) else { return };
        let [terraform, ensemble, cluster, _] = blocks(&site.stack.text());
        let text = terraform + &ensemble + &cluster;
        site.workspace.step(&text);
        let pods = site.uids(&["pods"]);
        let broker = Container::of(site.cluster, &site.stack.namespace, "kafka-0");
        broker.signal("STOP");
        site.workspace.configure(&with(&text, "{ team = \"a\" }", "{ team = \"b\" }"));
        let begun = Instant::now();
        let said = site.workspace.apply();
        broker.signal("CONT");
        assert!(said.contains("NOT SERVING as a whole"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        assert_eq!(site.uids(&["pods"]), pods);
        site.workspace.step(&with(&text, "{ team = \"a\" }", "{ team = \"b\" }"));
    }
}

/// As somebody who made a cluster of the same name, or restored a backup, leaves it.
fn an_anchor_that_somebody_made_is_another_cluster(site: &Site) {
    let anchor = "configmap/kafka-kafkastack";
    let mut made: Value = serde_json::from_str(&site.kubectl(&["get", anchor, "-o", "json"])).unwrap();
    made["metadata"] =
        json!({"name": "kafka-kafkastack", "namespace": site.stack.namespace, "labels": made["metadata"]["labels"]});
    site.kubectl(&["delete", anchor]);
    site.cluster.apply(&made.to_string());
    let text = site.stack.text();
    let other = "This is another kafkastack_cluster of the same name";
    let changed = with(&text, "{ team = \"a\" }", "{ team = \"b\" }");
    let said = site.plan_is_refused(&changed, other);
    assert!(said.contains("tofu state rm"), "{said}");
    site.apply_is_refused(&changed, &["-refresh=false"], other);
    adopted(site, CLUSTER, &format!("{}/kafka", site.stack.namespace), &text);
}

fn a_topic_that_somebody_made_anew_is_another_topic(site: &Site) {
    let at = format!("kafka-topics.sh --bootstrap-server kafka.{}.svc:9092 --topic test1", site.stack.namespace);
    site.stack.kafka(site.cluster, &format!("{at} --delete"));
    let text = site.stack.text();
    site.stack.kafka(
        site.cluster,
        &format!("until {at} --create --partitions 3 --replication-factor 1 --config retention.ms=3600000; do sleep 1; done"),
    );
    let other = "This is another topic of the same name";
    site.plan_is_refused(&text, other);
    site.apply_is_refused(&with(&text, "\"3600000\"", "\"7200000\""), &["-refresh=false"], other);
    adopted(site, TOPIC, &format!("{}/kafka/test1", site.stack.namespace), &text);
}

/// The way out that the error names.
fn adopted(site: &Site, address: &str, id: &str, text: &str) {
    site.workspace.configure(text);
    site.workspace.run(&["state", "rm", address]).success("a way out");
    site.workspace.import(address, id);
    site.workspace.step(text);
}

fn let_claims_go(site: &Site) {
    let patch = format!(r#"{{"spec": {{"{RETENTION}": {{"whenDeleted": "Delete", "whenScaled": "Delete"}}}}}}"#);
    site.kubectl(&["patch", "statefulset", "kafka", "-p", &patch]);
}

fn a_policy_that_deletes_claims_is_drift(site: &Site, text: &str) {
    let_claims_go(site);
    let plan = site.workspace.plan(Refresh::Yes);
    let shown = plan.change(CLUSTER).before["objects"]["StatefulSet/kafka"].to_string();
    assert!(shown.contains(RETENTION), "{shown}");
    let pods = site.uids(&["pods"]);
    site.workspace.step(text);
    assert_eq!(site.uids(&["pods"]), pods, "no pod restarts for it");
    let policy = format!("jsonpath={{.spec.{RETENTION}.whenDeleted}}");
    assert_eq!(site.kubectl(&["get", "statefulset", "kafka", "-o", &policy]), "Retain");
}

fn a_destroy_keeps_them_in_spite_of_it(site: &Site, text: &str) {
    let_claims_go(site);
    site.workspace.configure(text);
    // A destroy of the topic would take the records.
    site.workspace.run(&["state", "rm", TOPIC]).success("leave the topic");
    let claims = site.names("pvc");
    site.workspace.destroy();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(site.names("pvc"), claims);
}

fn kept_claims_are_used_by_exactly_their_pods(site: &Site, text: &str) {
    let [terraform, ensemble, cluster, _] = blocks(text);
    let without_topic = terraform + &ensemble + &cluster;
    site.workspace.configure(&with(&without_topic, "brokers   = 1", "brokers   = 2"));
    let said = site.workspace.apply_expect_error();
    assert!(said.contains("Kept data is of another number of pods"), "{said}");
    site.workspace.step(&without_topic);
    site.workspace.configure(text);
    site.workspace.import(TOPIC, &format!("{}/kafka/test1", site.stack.namespace));
    site.workspace.step(text);
}

fn a_claim_that_is_being_deleted_stops_a_restart(site: &Site, text: &str) {
    site.kubectl(&["delete", "pvc", "data-kafka-0", "--wait=false"]);
    let pods = site.uids(&["pods"]);
    let said = site.plan_is_refused(&with(text, "heap      = \"256m\"", "heap      = \"272m\""), "A restart would lose data");
    assert!(said.contains("data-kafka-0"), "{said}");
    site.workspace.configure(&with(text, "{ team = \"a\" }", "{ team = \"b\" }"));
    site.workspace.apply();
    assert_eq!(site.uids(&["pods"]), pods);
}
