//! What restarts pods, and what a hand of somebody else did before: one bad setting costs one pod, and nobody's change of the pods'
//! template is ever delivered by us.

use super::containers::storm;
use super::health_and_drift::{read, watched};
use super::support::cluster::{Cluster, ENDED, Namespace};
use super::support::container::Container;
use super::support::plan::Plan;
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace};
use super::support::with_both_tools_at_length;
use std::time::Duration;

const KAFKA: &str = "apache/kafka:3.9.2";
/// The same image under another name.
const KAFKA_IN_FULL: &str = "docker.io/apache/kafka:3.9.2";
const CLUSTER: &str = "kafkastack_cluster.kafka";
/// A node starts a container that has ended before after 10 s, 20 s, 40 s.
const BACK: Duration = Duration::from_secs(240);

with_both_tools_at_length! {
    fn a_bad_configuration_takes_one_pod_and_no_second_one(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("a bad configuration") else { return };
        let namespace = Namespace::reserve(cluster, "bad");
        let stack = Stack { protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let good = soon_noticed(&stack);
        let workspace = Workspace::new(tool, &good).with_cluster(cluster);
        workspace.init().step(&good);
        stack.produce(cluster, "before", 100);
        for (name, place, bad) in [
            ("zookeeper", "  members ", "  config = { tickTime = \"abc\" }\n"),
            ("kafka", "    \"offsets.", "    \"log.retention.hours\" = \"abc\"\n"),
        ] {
            let kept = configurations(cluster, &stack, name);
            workspace.configure(&good.replacen(place, &format!("{bad}{place}"), 1));
            let taken = only_one_goes(&workspace, cluster, &stack, name);
            another_one_comes_back_as_it_was(cluster, &stack, name, &taken);
            stack.records_are_there(cluster, "before", 100);
            workspace.step(&good);
            assert_eq!(configurations(cluster, &stack, name), kept, "what no pod uses is gone");
            assert_eq!(kept.len(), 1);
        }
        stack.records_are_there(cluster, "before", 100);
        workspace.destroy();
    }

    fn what_a_hand_did_to_the_template_is_in_the_plan_and_never_delivered(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("hands on the template") else { return };
        let namespace = Namespace::reserve(cluster, "template");
        let stack = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let workspace = Workspace::new(tool, &of_two_brokers(&stack)).with_cluster(cluster);
        workspace.init().step(&of_two_brokers(&stack));
        stack.produce(cluster, "before", 100);
        each_is_shown_and_taken_back(&workspace, cluster, &stack);
        who_came_back_on_it_is_the_only_one_to_restart(&workspace, cluster, &stack);
        a_saved_plan_that_did_not_see_it_is_refused(&workspace, cluster, &stack);
        stack.records_are_there(cluster, "before", 100);
        workspace.destroy();
    }

    fn what_a_hand_changed_and_changed_back_is_taken_by_the_next_change(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("changed and changed back") else { return };
        let namespace = Namespace::reserve(cluster, "back");
        let stack = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
        let workspace = Workspace::new(tool, &stack.text()).with_cluster(cluster);
        workspace.init().step(&stack.text());
        stack.produce(cluster, "before", 100);
        kubectl(&["scale", "statefulset", "kafka", "--replicas=2"]);
        kubectl(&["scale", "statefulset", "kafka", "--replicas=1"]);
        kubectl(&["set", "image", "statefulset/kafka", "kafka=apache/kafka:3.9.1"]);
        kubectl(&["set", "image", "statefulset/kafka", &format!("kafka={KAFKA}")]);
        kubectl(&["wait", "--for=delete", "pod/kafka-1", ENDED]);
        workspace.assert_settled();
        let grown = of_two_brokers(&stack).replace("\"256m\"", "\"260m\"");
        workspace.step(&grown);

        kubectl(&["patch", "service", "kafka", "--type=merge", "-p", SELECTOR]);
        let shown = differences(&workspace.plan(Refresh::Yes));
        assert!(shown.contains("Service/kafka") && shown.contains(".spec.selector"), "{shown}");
        workspace.apply();
        workspace.assert_settled();

        kubectl(&["set", "image", "statefulset/kafka", &format!("kafka={KAFKA_IN_FULL}")]);
        let adopted = grown.replace(KAFKA, KAFKA_IN_FULL);
        workspace.step(&adopted);
        workspace.step(&adopted.replace("\"260m\"", "\"256m\""));
        stack.records_are_there(cluster, "before", 100);
        workspace.destroy();
    }
}

/// Soon Kubernetes sees that a broker does not serve, and ZooKeeper that one is gone.
fn soon_noticed(stack: &Stack) -> String {
    let probe = "readiness_probe = { period_seconds = 1, failure_threshold = 2 }";
    let text = stack.text().replace("{ env = { KAFKA", &format!("{{ {probe}, env = {{ KAFKA"));
    text.replace("config = {\n", "config = {\n    \"zookeeper.session.timeout.ms\" = \"6000\"\n")
}

fn of_two_brokers(stack: &Stack) -> String {
    stack.text().replace("brokers   = 1", "brokers   = 2")
}

/// The ConfigMaps that pods of this workload have their configuration from.
fn configurations(cluster: &Cluster, stack: &Stack, name: &str) -> Vec<String> {
    let all = cluster.kubectl(&["-n", &stack.namespace, "get", "configmaps", "-o", "name"]);
    let prefix = format!("configmap/{name}-config-");
    all.lines().filter(|line| line.starts_with(&prefix)).map(str::to_owned).collect()
}

/// Applies what no pod starts with. While the first one crashes, another is frozen until Kubernetes sees that it does not serve. The
/// one that was taken.
fn only_one_goes(workspace: &Workspace, cluster: &Cluster, stack: &Stack, name: &str) -> String {
    let before = stack.pods(cluster, name);
    let mut apply = workspace.start_apply();
    let taken = apply.until("a pod that crashes", BACK, |_| {
        let now = stack.pods(cluster, name).into_iter();
        let mut new = now.filter(|(pod, uid)| before.get(pod) != Some(uid)).map(|(pod, _)| pod);
        new.find(|pod| Container::of(cluster, &stack.namespace, pod).has_crashed())
    });
    let other = before.keys().find(|pod| **pod != taken).expect("there are three");
    let container = Container::of(cluster, &stack.namespace, other);
    container.signal("STOP");
    if name == "kafka" {
        // It is asked for a connection, and those are taken until its queue is full.
        storm(cluster, stack, "zookeeper-0", other, 9092);
    }
    let unready = ["wait", "--for=condition=Ready=false", "--timeout=60s", "pod", other];
    let seen = cluster.try_kubectl(&[&["-n", &stack.namespace], &unready[..]].concat());
    container.signal("CONT");
    seen.unwrap_or_else(|error| panic!("{other} was frozen: {error}"));
    let said = apply.wait().failure("apply");
    assert!(said.contains("waiting does not help") && said.contains(&format!("Pod {}/{taken}", stack.namespace)), "{said}");
    let after = stack.pods(cluster, name);
    let gone: Vec<_> = before.iter().filter(|(pod, uid)| after.get(*pod) != Some(uid)).map(|(pod, _)| pod).collect();
    assert_eq!(gone, [&taken]);
    taken
}

/// Process 1 of a pod that the roll has not reached is killed: it starts with the configuration that it had.
fn another_one_comes_back_as_it_was(cluster: &Cluster, stack: &Stack, name: &str, taken: &str) {
    let pods = stack.pods(cluster, name);
    let other = pods.keys().find(|pod| **pod != taken).expect("there are three");
    let container = Container::of(cluster, &stack.namespace, other);
    let restarts = container.restarts();
    container.signal("KILL");
    let serving = if name == "kafka" { "started (kafka.server.KafkaServer)" } else { "" };
    container.until_back(restarts + 1, serving, BACK);
}

const SIDECAR: &str = r#"{"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"registry.k8s.io/pause:3.6"}]}}}}"#;
const TOLERATION: &str = r#"{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}"#;
const SELECTOR: &str = r#"{"spec":{"selector":{"app.kubernetes.io/instance":"x"}}}"#;
/// What a hand does to the template, and the word that tells it.
const HANDS: [(&[&str], &str); 4] = [
    (&["rollout", "restart", "statefulset/kafka"], "restartedAt"),
    (&["set", "env", "statefulset/kafka", "HAND=1"], "HAND"),
    (&["patch", "statefulset", "kafka", "-p", SIDECAR], "sidecar"),
    (&["patch", "statefulset", "kafka", "-p", TOLERATION], "tolerations"),
];

fn differences(plan: &Plan) -> String {
    plan.change(CLUSTER).differences().join("\n")
}

fn with_drift(stack: &Stack, text: &str) -> String {
    text.to_owned() + &watched(stack, "{ test1 = { partitions = 3 } }")
}

fn each_is_shown_and_taken_back(workspace: &Workspace, cluster: &Cluster, stack: &Stack) {
    let pods = stack.pods(cluster, "kafka");
    workspace.configure(&with_drift(stack, &of_two_brokers(stack)));
    assert_eq!(read(&workspace.plan(Refresh::Yes), "kafkastack_drift")["drifted"], false);
    for (hand, word) in HANDS {
        cluster.kubectl(&[&["-n", &stack.namespace], hand].concat());
        let plan = workspace.plan(Refresh::Yes);
        let (shown, drift) = (differences(&plan), read(&plan, "kafkastack_drift"));
        assert!(shown.contains("objects.StatefulSet/kafka") && shown.contains(word), "{word}: {plan}");
        assert_eq!(drift["drifted"], true, "{word}");
        assert!(drift["summary_markdown"].to_string().contains(word), "{word}: {drift:#}");
        workspace.apply();
        assert_eq!(stack.pods(cluster, "kafka"), pods, "{word}");
        workspace.assert_settled();
    }
    workspace.configure(&of_two_brokers(stack));
}

fn who_came_back_on_it_is_the_only_one_to_restart(workspace: &Workspace, cluster: &Cluster, stack: &Stack) {
    let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
    kubectl(&["set", "env", "statefulset/kafka", "HAND=2"]);
    kubectl(&["delete", "pod", "kafka-1"]);
    kubectl(&["wait", "--for=create", "pod/kafka-1", "--timeout=60s"]);
    kubectl(&["wait", "--for=condition=Ready", "pod/kafka-1", "--timeout=120s"]);
    let before = [stack.pods(cluster, "kafka"), stack.pods(cluster, "zookeeper")];
    let said = workspace.run(&["plan", "-input=false"]).success("plan");
    assert!(said.contains("This change restarts 1 kafka pod(s)") && said.contains("kafka-1: one at a time"), "{said}");
    workspace.apply();
    let after = [stack.pods(cluster, "kafka"), stack.pods(cluster, "zookeeper")];
    assert_eq!((&after[0]["kafka-0"], &after[1]), (&before[0]["kafka-0"], &before[1]));
    assert_ne!(after[0]["kafka-1"], before[0]["kafka-1"]);
    workspace.assert_settled();
}

fn a_saved_plan_that_did_not_see_it_is_refused(workspace: &Workspace, cluster: &Cluster, stack: &Stack) {
    let changed = of_two_brokers(&Stack { label: "b", ..stack.clone() });
    workspace.configure(&changed);
    workspace.run(&["plan", "-input=false", "-out=saved.bin"]).success("plan");
    cluster.kubectl(&["-n", &stack.namespace, "set", "env", "statefulset/kafka", "HAND=3"]);
    let before = stack.pods(cluster, "kafka");
    let said = workspace.run(&["apply", "-input=false", "saved.bin"]).failure("apply of a saved plan");
    assert!(said.contains("Somebody else changed the pods' template meanwhile") && said.contains("HAND"), "{said}");
    assert_eq!(stack.pods(cluster, "kafka"), before);
    workspace.step(&changed);
}
