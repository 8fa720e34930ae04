//! Rolls that go wrong, and rolls in which somebody meddles, while a producer writes 500 records a second: nothing that was
//! acknowledged is lost or there twice, one pod is away by us at a time, the pods go that the plan named, and the next apply with
//! right values mends it without a hand.

use super::support::audit::Audit;
use super::support::container::Container;
use super::support::gate::Gate;
use super::support::load::{Load, Told};
use super::support::site::{CLUSTER, ENSEMBLE, Site, with};
use super::support::terraform::Tool;
use std::time::Duration;

/// How long a roll may take to come so far.
const SOON: Duration = Duration::from_secs(240);

#[test]
fn a_bad_image_under_load_takes_one_pod_and_no_record() {
    let Some(site) = under_load("a bad image under load", "badimage") else { return };
    let load = Load::start(site.cluster, &site.stack);
    a_bad_value_takes_one_pod(&site, "image     = \"apache/kafka:3.9.2\"", "image     = \"apache/kafka:nowhere\"", &["kafka"]);
    nothing_is_lost(load);
    site.workspace.destroy();
}

mod long {
    use super::*;

    #[test]
    fn whatever_happens_to_a_roll_under_load_nothing_is_lost() {
        let Some(mut site) = under_load("rolls under load", "load") else { return };
        let load = Load::start(site.cluster, &site.stack);
        a_bad_value_takes_one_pod(&site, "    \"offsets.", "    \"log.retention.hours\" = \"abc\"\n    \"offsets.", &["kafka"]);
        a_bad_value_takes_one_pod(&site, "  members ", "  config = { tickTime = \"abc\" }\n  members ", &["zookeeper"]);
        a_member_is_frozen_in_the_middle(&site);
        a_node_is_drained_in_the_middle(&site);
        the_api_server_is_away_in_the_middle(&mut site);
        nothing_is_lost(load);
        site.workspace.destroy();
    }
}

/// A stack of three with the topic of the load, made.
fn under_load(test: &str, hint: &str) -> Option<Site> {
    let site = Site::of(Tool::OpenTofu, test, hint, 3)?;
    site.workspace.step(&text(&site));
    site.produce("before");
    // The first reader of a group makes the topic of its offsets, which takes all brokers.
    site.records_are_there("before");
    Some(site)
}

fn text(site: &Site) -> String {
    site.stack.text() + &Load::topic(&site.stack)
}

fn nothing_is_lost(load: Load<'_>) {
    let told = load.end();
    let Told { acknowledged, lost, twice, silence } = told;
    eprintln!("{acknowledged} records acknowledged, {lost} lost, {twice} twice, at most {silence} ms without one");
    assert!(acknowledged > 10_000, "{told:?}");
    assert_eq!((lost, twice), (0, 0), "{told:?}");
}

/// The pods that we took away since then, in their order: evicted or deleted, and the server said yes.
fn taken(site: &Site, audit: &Audit) -> Vec<String> {
    let ours = |verb: &str, resource: &str| matches!((verb, resource), ("create", "pods/eviction") | ("delete", "pods"));
    let writes = audit.writes_in(&site.stack.namespace).into_iter();
    let by_us =
        writes.filter(|write| write.user_agent.contains("kafkastack") && ours(&write.verb, &write.resource) && write.code < 300);
    by_us.map(|write| write.name).collect()
}

/// The pods of the restarts that the last plan foretold for a resource, in their order.
fn foretold(site: &Site, address: &str) -> Vec<String> {
    let state = site.workspace.resource(address).expect("it is in the state");
    let roll = state["planned_roll"].as_array().cloned().unwrap_or_default();
    roll.iter().map(|restart| restart["pod"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Applies what no pod comes up with, then the right value again.
fn a_bad_value_takes_one_pod(site: &Site, from: &str, to: &str, of: &[&str]) {
    let audit = Audit::now(site.sandbox);
    site.workspace.configure(&with(&text(site), from, to));
    let said = site.workspace.apply_expect_error();
    assert!(said.contains("NOT SERVING"), "{said}");
    let gone = taken(site, &audit);
    assert!(gone.len() == 1 && of.iter().any(|name| gone[0].starts_with(name)), "{gone:?}\n{said}");
    site.records_are_there("before");
    let audit = Audit::now(site.sandbox);
    site.workspace.step(&text(site));
    assert_eq!(taken(site, &audit), gone, "the one that was taken, and no other");
    let address = if of == ["kafka"] { CLUSTER } else { ENSEMBLE };
    assert_eq!(foretold(site, address), gone);
}

/// A member stands still while the others restart: its peers go on only when it is back.
fn a_member_is_frozen_in_the_middle(site: &Site) {
    let audit = Audit::now(site.sandbox);
    let changed = with(&text(site), "heap             = \"128m\"", "heap             = \"130m\"");
    site.workspace.configure(&changed);
    let mut apply = site.workspace.start_apply();
    let first = apply.until("the first restart", SOON, |_| taken(site, &audit).first().cloned());
    let other = site.stack.pods(site.cluster, "zookeeper").into_keys().find(|pod| *pod != first).expect("there are three");
    let frozen = Container::of(site.cluster, &site.stack.namespace, &other);
    frozen.signal("STOP");
    std::thread::sleep(Duration::from_secs(12));
    let meanwhile = taken(site, &audit);
    frozen.signal("CONT");
    apply.wait().success("an apply in which a member was frozen");
    assert_eq!(meanwhile, [first], "while {other} stands still");
    assert_eq!(taken(site, &audit), foretold(site, ENSEMBLE));
    site.workspace.assert_settled();
    site.workspace.step(&text(site));
}

/// A node is drained of the pods of this test while brokers restart: the budget holds one of both back.
fn a_node_is_drained_in_the_middle(site: &Site) {
    let audit = Audit::now(site.sandbox);
    site.workspace.configure(&with(&text(site), "heap      = \"256m\"", "heap      = \"260m\""));
    let mut apply = site.workspace.start_apply();
    let first = apply.until("the first restart", SOON, |_| taken(site, &audit).first().cloned());
    let other = site.stack.pods(site.cluster, "kafka").into_keys().find(|pod| *pod != first).expect("there are three");
    let evict = format!(
        r#"{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{other}", "namespace": "{}"}}}}"#,
        site.stack.namespace
    );
    let path = format!("/api/v1/namespaces/{}/pods/{other}/eviction", site.stack.namespace);
    // As `kubectl drain` does: again and again until the budget lets it go.
    let drained = apply.until("the drain", SOON, |_| {
        std::thread::sleep(Duration::from_secs(1));
        site.cluster.kubectl_with_input(&["create", "--raw", &path, "-f", "-"], &evict).ok()
    });
    apply.wait().success(&format!("an apply in which a node was drained: {drained}"));
    site.records_are_there("before");
    site.workspace.assert_settled();
    site.workspace.step(&text(site));
}

/// The API server goes for 15 seconds while brokers restart, as in an upgrade of it.
fn the_api_server_is_away_in_the_middle(site: &mut Site) {
    let audit = Audit::now(site.sandbox);
    let gate = Gate::open(site.cluster, site.workspace.path());
    site.workspace.by_way_of(&gate.kubeconfig);
    site.workspace.configure(&with(&text(site), "heap      = \"256m\"", "heap      = \"264m\""));
    let mut apply = site.workspace.start_apply();
    apply.until("the first restart", SOON, |_| taken(site, &audit).first().cloned());
    gate.cut();
    std::thread::sleep(Duration::from_secs(15));
    gate.mend();
    apply.wait().success("an apply in which the API server was away");
    assert_eq!(taken(site, &audit), foretold(site, CLUSTER));
    site.records_are_there("before");
    site.workspace.assert_settled();
}
