//! What happens to containers on any node: killed, all at once too, starved of CPU, frozen. Nobody applies anything, and everything
//! is there again.

use super::support::cluster::{Cluster, Namespace};
use super::support::container::Container;
use super::support::stack::Stack;
use super::support::terraform::{Tool, Workspace};
use super::support::with_both_tools_at_length;
use std::time::Duration;

const KAFKA: &str = "apache/kafka:3.9.2";
/// A node starts a container that has ended before after 10 s, 20 s, 40 s.
const BACK: Duration = Duration::from_secs(240);

with_both_tools_at_length! {
    fn killed_containers_come_back_by_themselves_and_nothing_is_lost(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("killed containers") else { return };
        let namespace = Namespace::reserve(cluster, "killed");
        let stack = Stack { protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let text = of_short_sessions(&stack);
        let workspace = Workspace::new(tool, &text).with_cluster(cluster);
        workspace.init().step(&text);
        stack.produce(cluster, "before", 100);
        let containers = Container::all(cluster, &stack.namespace);
        assert_eq!(containers.len(), 6);
        for container in &containers {
            kill_all_at_once(&[container]);
        }
        stack.records_are_there(cluster, "before", 100);
        kill_all_at_once(&containers.iter().collect::<Vec<_>>());
        stack.records_are_there(cluster, "before", 100);
        stack.produce(cluster, "after", 100);
        stack.records_are_there(cluster, "after", 100);
        workspace.assert_settled();
        workspace.destroy();
    }

    fn a_starved_member_lives_and_a_frozen_one_is_killed_and_comes_back(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("a starved member") else { return };
        let namespace = Namespace::reserve(cluster, "starved");
        let stack = Stack { protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let workspace = Workspace::new(tool, &stack.ensemble()).with_cluster(cluster);
        workspace.init().step(&stack.ensemble());
        starved_and_frozen(cluster, &stack, "zookeeper", 2181);
        workspace.assert_settled();
        workspace.destroy();
    }
}

/// What is alone in its kind and takes as long.
mod long {
    use super::*;

    #[test]
    fn a_starved_broker_lives_and_a_frozen_one_is_killed_and_comes_back() {
        let Some((cluster, _)) = Cluster::find_sandbox("a starved broker") else { return };
        let namespace = Namespace::reserve(cluster, "starved-broker");
        let stack = Stack { protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let workspace = Workspace::new(Tool::OpenTofu, &stack.text()).with_cluster(cluster);
        workspace.init().step(&stack.text());
        stack.produce(cluster, "before", 100);
        starved_and_frozen(cluster, &stack, "kafka", 9092);
        stack.records_are_there(cluster, "before", 100);
        workspace.assert_settled();
        workspace.destroy();
    }
}

/// A broker that is killed ends a few times more, until ZooKeeper has forgotten the one before it. Here that is soon.
fn of_short_sessions(stack: &Stack) -> String {
    stack.text().replace("config = {\n", "config = {\n    \"zookeeper.session.timeout.ms\" = \"6000\"\n")
}

/// Process 1 of each, and waits until all of them serve again.
fn kill_all_at_once(containers: &[&Container<'_>]) {
    let before: Vec<u64> = containers.iter().map(|container| container.restarts()).collect();
    containers.iter().for_each(|container| container.signal("KILL"));
    for (container, before) in containers.iter().zip(before) {
        container.until_back(before + 1, serving(&container.pod), BACK);
    }
}

/// What a broker says when it does; a member that is ready serves.
fn serving(pod: &str) -> &'static str {
    if pod.starts_with("kafka") { "started (kafka.server.KafkaServer)" } else { "" }
}

/// The second pod has two minutes of 1 % of a CPU; then it is frozen, while clients try to get through to it.
fn starved_and_frozen(cluster: &Cluster, stack: &Stack, name: &str, port: u32) {
    let container = Container::of(cluster, &stack.namespace, &format!("{name}-1"));
    let feed = container.starve();
    let killed = container.restarts_within(120);
    feed();
    assert!(!killed, "{} was killed while it starved", container.pod);
    container.until_back(0, serving(name), BACK);

    container.signal("STOP");
    storm(cluster, stack, &format!("{name}-2"), &container.pod, port);
    container.until_back(1, serving(name), BACK);
}

/// More clients than a queue of connections holds, from one pod to another.
pub fn storm(cluster: &Cluster, stack: &Stack, from: &str, to: &str, port: u32) {
    let (name, _) = to.rsplit_once('-').expect("a pod has a number");
    let host = format!("{to}.{name}-headless.{}.svc", stack.namespace);
    let one = format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}' 2>/dev/null");
    cluster.exec(&stack.namespace, from, &["bash", "-c", &format!("for i in {{1..60}}; do {one} & done; wait")]);
}
