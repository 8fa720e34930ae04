//! The drill on a real cluster: three brokers, three members, 500 records a second all along. What it must not lose, what it must
//! catch, what it must not leave behind; and its figures beside those of Kafka's own tools.
//!
//! All of it shares one stack. `KAFKASTACK_LONG_DRILL=1` watches each step for half a minute.

use super::support::cluster::{Cluster, Namespace};
use super::support::running::Running;
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

const DRILL: &str = "kafkastack_ha_drill.proof";

/// The stack that every part works on.
struct Site {
    cluster: &'static Cluster,
    stack: Stack,
}

#[test]
fn a_cluster_is_drilled() {
    let Some((cluster, _)) = Cluster::find_sandbox("the drill") else { return };
    let namespace = Namespace::reserve(cluster, "drill");
    let stack = Stack { protected: false, ..Stack::new(&namespace.name, "apache/kafka:3.9.2") };
    let workspace = Workspace::new(Tool::OpenTofu, &lagging(&stack)).with_cluster(cluster);
    workspace.init();
    workspace.apply();
    // Kafka's own tools, in a pod that no drill takes.
    let image = format!("--image={}", stack.image);
    let run = ["run", "tools", &image, "--restart=Never", "--command", "--", "sleep", "infinity"];
    cluster.kubectl(&[&["-n", &stack.namespace], &run[..]].concat());
    cluster.kubectl(&["-n", &stack.namespace, "wait", "--for=condition=Ready", "pod/tools", "--timeout=120s"]);
    let site = Site { cluster, stack };
    every_kind_of_step_loses_nothing(&site);
    a_topic_without_a_second_replica_is_refused(&site);
    what_only_the_leader_had_is_lost_and_said_to_be(&site);
    an_interrupt_leaves_nothing(&site);
    a_killed_drill_is_cleaned_up_after_by_the_next(&site);
    ten_in_a_row_leave_nothing_and_do_not_grow(&site);
}

/// The stack, with followers that fetch at leisure: twice a second. To acks=all that is a slower answer, and no more; with acks=1 what
/// came since the last fetch goes with its leader, every time.
fn lagging(stack: &Stack) -> String {
    let more = "\"offsets.topic.num.partitions\" = \"3\", \"group.initial.rebalance.delay.ms\" = \"0\", \
                \"replica.fetch.min.bytes\" = \"1000000\", \"replica.fetch.wait.max.ms\" = \"500\", \
                \"log.cleaner.dedupe.buffer.size\"";
    let text = stack.text().replace("\"log.cleaner.dedupe.buffer.size\"", more);
    let (without_topic, _) = text.split_once("resource \"kafkastack_topic\"").unwrap();
    without_topic.to_owned()
}

fn watch() -> &'static str {
    if std::env::var_os("KAFKASTACK_LONG_DRILL").is_some() { "30s" } else { "2s" }
}

fn provider() -> &'static str {
    "terraform {\n  required_providers { kafkastack = { source = \"kafkastack/kafkastack\" } }\n}\n"
}

impl Site {
    /// A drill of this name, with these steps and other attributes.
    fn drill(&self, name: &str, steps: &str, more: &str) -> String {
        let namespace = &self.stack.namespace;
        format!(
            "resource \"kafkastack_ha_drill\" \"{name}\" {{\n  cluster = \"{namespace}/kafka\"\n  steps = [{steps}]\n{more}}}\n"
        )
    }

    fn workspace(&self, tool: Tool, text: &str) -> Workspace {
        let workspace = Workspace::new(tool, &format!("{}{text}", provider())).with_cluster(self.cluster);
        workspace.init();
        workspace
    }

    fn servers(&self) -> String {
        format!("kafka.{}.svc:9092", self.stack.namespace)
    }

    /// Runs one of Kafka's own tools.
    fn tool(&self, command: &str) -> String {
        let quiet = "export KAFKA_HEAP_OPTS=-Xmx96M LOG_DIR=/tmp PATH=$PATH:/opt/kafka/bin; ";
        self.cluster.exec(&self.stack.namespace, "tools", &["bash", "-c", &format!("{quiet}{command}")])
    }

    /// # Panics
    /// When something of a drill is left: topic, znode or ConfigMap.
    fn assert_clean(&self, when: &str) {
        // A deletion that the controller has taken is done when every broker is back.
        let list = format!("kafka-topics.sh --bootstrap-server {} --list", self.servers());
        let gone = format!("for i in {{1..20}}; do {list} | grep kafkastack-drill || exit 0; done");
        let topics = self.tool(&gone);
        assert!(topics.lines().count() < 20, "{when}: {topics}");
        // The shell tells of its session before the list or after it.
        let command = format!("zookeeper-shell.sh zookeeper.{}.svc:2181 ls / 2>&1 | grep '^\\['", self.stack.namespace);
        let znodes = self.tool(&command);
        assert!(znodes.contains("zookeeper") && !znodes.contains("kafkastack-drill"), "{when}: {znodes}");
        let maps = self.cluster.kubectl(&["-n", &self.stack.namespace, "get", "configmap", "-o", "name"]);
        assert!(!maps.contains("-drill"), "{when}: {maps}");
    }

    /// The topic of the drill that runs, as its ConfigMap says.
    fn running(&self) -> Option<String> {
        let path = "jsonpath={.data.topic}";
        let get = ["-n", &self.stack.namespace, "get", "configmap", "kafka-kafkastack-drill", "-o", path];
        self.cluster.try_kubectl(&get).ok().filter(|topic| !topic.is_empty())
    }

    /// The uids of the brokers' pods.
    fn brokers(&self) -> BTreeMap<String, String> {
        let pods = self.cluster.get(&["-n", &self.stack.namespace, "pods", "-l", "app.kubernetes.io/name=kafka"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let items = pods["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|pod| (text(&pod["metadata"]["name"]), text(&pod["metadata"]["uid"]))).collect()
    }
}

fn number(state: &Value, name: &str) -> u64 {
    state[name].as_u64().unwrap_or_else(|| panic!("{name} is no number in {state}"))
}

fn every_kind_of_step_loses_nothing(site: &Site) {
    let watch = watch();
    let steps = format!(
        "{{ kind = \"kill_broker\", how = \"kill\", watch = \"{watch}\" }}, {{ kind = \"kill_leader_of_topic\", watch = \"{watch}\" }}, \
         {{ kind = \"kill_zookeeper_leader\", watch = \"{watch}\" }}, {{ kind = \"evict_node_pods\", watch = \"{watch}\" }}"
    );
    let more = "  triggers = { run = \"1\" }\n  max_unavailable = \"60s\"\n  report_path = \"report.html\"\n";
    let workspace = site.workspace(Tool::OpenTofu, &site.drill("proof", &steps, more));
    let mut apply = workspace.start_apply();
    let topic = apply.until("the drill", Duration::from_secs(60), |_| site.running());
    let consumer = Consumer::start(site, &topic);
    apply.wait().success("the drill");
    let state = workspace.resource(DRILL).unwrap();
    println!("{state:#}");
    consumer.assert_counts(site, number(&state, "acknowledged"));
    assert_eq!((number(&state, "lost"), number(&state, "duplicated"), number(&state, "out_of_order")), (0, 0, 0));
    assert_eq!((&state["passed"], &state["failures"]), (&Value::from(true), &Value::from(Vec::<String>::new())));
    let results = state["step_results"].as_array().unwrap();
    let kinds: Vec<_> = results.iter().map(|result| result["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["kill_broker", "kill_leader_of_topic", "kill_zookeeper_leader"]);
    assert!(kinds.len() > 3 && kinds[3..].iter().all(|kind| *kind == "evict_node_pods"), "{kinds:?}");
    for result in results {
        assert!(result["ready_ms"].is_u64() && result["error"].is_null(), "{result}");
        let follows = if result["target"].as_str().unwrap().starts_with("kafka") { "full_isr_ms" } else { "quorum_ms" };
        assert!(result[follows].is_u64(), "{result}");
    }
    assert!(results[1]["new_leader_ms"].is_u64(), "{}", results[1]);
    assert!(fs::read_to_string(workspace.path().join("report.html")).unwrap().contains("<svg"));
    site.assert_clean("after a drill");

    // What was measured stays: no refresh runs a drill, and a destroy takes no pod.
    let brokers = site.brokers();
    workspace.assert_settled();
    assert_eq!(workspace.resource(DRILL).unwrap()["id"], state["id"]);
    workspace.configure(&format!("{}{}", provider(), site.drill("proof", &steps, &more.replace("\"1\"", "\"2\""))));
    assert_eq!(workspace.plan(Refresh::Yes).change(DRILL).actions, ["delete", "create"], "another trigger drills again");
    workspace.destroy();
    assert_eq!(site.brokers(), brokers);
}

/// Kafka's own consumer, which reads the drill's topic while it is there: an independent count.
struct Consumer {
    topic: String,
}

impl Consumer {
    fn start(site: &Site, topic: &str) -> Self {
        let print = "--property print.partition=true --property print.offset=true";
        let consumer =
            format!("kafka-console-consumer.sh --bootstrap-server {} --topic {topic} --from-beginning {print}", site.servers());
        site.tool(&format!("nohup {consumer} >/tmp/{topic} 2>/tmp/{topic}.err & echo $! >/tmp/{topic}.pid"));
        Self { topic: topic.to_owned() }
    }

    /// Every record once, in order and without a hole in the offsets, and as many as the drill says.
    fn assert_counts(self, site: &Site, acknowledged: u64) {
        let topic = &self.topic;
        let ended = format!("until grep -q '^Processed a total' /tmp/{topic}.err; do sleep 0.1; done");
        let end = format!("kill $(cat /tmp/{topic}.pid); {ended}; cat /tmp/{topic}");
        let read = site.tool(&end);
        let mut next: BTreeMap<String, u64> = BTreeMap::new();
        for line in read.lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            let [partition, offset, record] = parts[..] else { panic!("not a record: {line:?}") };
            let offset: u64 = offset.trim_start_matches("Offset:").parse().unwrap();
            let sequence: u64 = record.split(' ').nth(2).unwrap().parse().unwrap();
            let next = next.entry(partition.to_owned()).or_default();
            assert_eq!((offset, sequence), (*next, *next), "{line:?}");
            *next += 1;
        }
        let counted: u64 = next.values().sum();
        println!("Kafka's own consumer read {counted} records; the drill says {acknowledged}");
        assert_eq!(counted, acknowledged, "{next:?}");
    }
}

fn a_topic_without_a_second_replica_is_refused(site: &Site) {
    let kill = "{ kind = \"kill_leader_of_topic\", how = \"kill\", watch = \"1s\" }";
    let brokers = site.brokers();
    let workspace = site.workspace(Tool::Terraform, &site.drill("proof", kill, "  replication_factor = 1\n"));
    let said = workspace.plan_expect_error();
    assert!(said.contains("replication_factor") && said.contains("out of reach"), "{said}");
    // What only the cluster knows is found before a pod goes.
    let missing = "{ kind = \"kill_broker\", broker = \"7\" }";
    workspace.configure(&format!("{}{}", provider(), site.drill("proof", missing, "")));
    let said = workspace.apply_expect_error();
    assert!(said.contains("there is no broker 7"), "{said}");
    workspace.configure(&format!("{}{}", provider(), site.drill("proof", kill, "  replication_factor = 4\n")));
    let said = workspace.apply_expect_error();
    assert!(said.contains("there are 3 broker(s)"), "{said}");
    assert_eq!(site.brokers(), brokers, "a refused drill takes no pod");
    site.assert_clean("after a refusal");
}

/// A drill that cannot fail proves nothing.
fn what_only_the_leader_had_is_lost_and_said_to_be(site: &Site) {
    let kill = "{ kind = \"kill_leader_of_topic\", how = \"kill\", watch = \"1s\" }";
    // 2,000 records a second to one leader: hundreds of them wait for the followers at any time.
    let weak = "  acks = \"1\"\n  min_insync_replicas = 1\n  partitions = 1\n  records_per_second = 2000\n";
    let workspace = site.workspace(Tool::Terraform, &site.drill("proof", kill, weak));
    let said = workspace.apply_expect_error();
    assert!(said.contains("The drill did not pass") && said.contains("Lost, by partition and offset"), "{said}");
    let state = workspace.resource(DRILL).expect("what was measured is kept");
    println!("acks=1: {} of {} lost", state["lost"], state["acknowledged"]);
    assert!(number(&state, "lost") > 0 && state["passed"] == false, "{state}");
    assert_eq!(workspace.plan(Refresh::Yes).change(DRILL).actions, ["delete", "create"], "the next apply drills again");
    site.assert_clean("after a drill that did not pass");
    workspace.run(&["state", "rm", DRILL]).success("forgetting the drill");
}

/// A drill whose pause is long enough to be cut off in.
fn long(site: &Site, how: &str) -> Workspace {
    let steps = format!("{{ kind = \"kill_broker\", how = \"{how}\" }}, {{ kind = \"pause\", watch = \"10m\" }}");
    site.workspace(Tool::OpenTofu, &site.drill("proof", &steps, ""))
}

/// Waits until a broker was taken away.
fn until_a_broker_goes(site: &Site, apply: &mut Running) {
    let before = site.brokers();
    let gone = |_: &Running| (site.brokers() != before).then_some(());
    apply.until("a broker to go", Duration::from_secs(90), gone);
}

fn an_interrupt_leaves_nothing(site: &Site) {
    let workspace = long(site, "delete");
    let mut apply = workspace.start_apply();
    until_a_broker_goes(site, &mut apply);
    apply.interrupt();
    let said = apply.wait().failure("an interrupted drill");
    assert!(said.contains("The drill was cut off"), "{said}");
    assert_eq!(workspace.resource(DRILL), None);
    site.assert_clean("after an interrupt");
}

fn a_killed_drill_is_cleaned_up_after_by_the_next(site: &Site) {
    let workspace = long(site, "kill");
    let mut apply = workspace.start_apply();
    until_a_broker_goes(site, &mut apply);
    let killed = site.running().expect("the drill is claimed");
    assert!(apply.kill_providers() > 0);
    apply.wait().failure("a killed drill");
    assert_eq!(site.running(), Some(killed.clone()), "its ConfigMap still names what it made");
    workspace.configure(&format!("{}{}", provider(), site.drill("proof", "{ kind = \"pause\", watch = \"1s\" }", "")));
    let said = workspace.apply();
    assert!(said.contains("An earlier drill was killed") && said.contains(&killed), "{said}");
    assert_eq!(number(&workspace.resource(DRILL).unwrap(), "lost"), 0);
    site.assert_clean("after the next drill");
}

/// Ten drills by one provider process, which is measured after each.
fn ten_in_a_row_leave_nothing_and_do_not_grow(site: &Site) {
    let mut text = String::new();
    for i in 0..10 {
        let step = if i % 5 == 2 { "{ kind = \"kill_broker\", watch = \"1s\" }" } else { "{ kind = \"pause\", watch = \"1s\" }" };
        let after = if i > 0 { format!("  depends_on = [kafkastack_ha_drill.d{}]\n", i - 1) } else { String::new() };
        text += &site.drill(&format!("d{i}"), step, &after);
    }
    let workspace = site.workspace(Tool::OpenTofu, &text);
    let mut apply = workspace.start_apply();
    let mut sizes = Vec::new();
    for i in 0..9 {
        let done = format!("kafkastack_ha_drill.d{i}: Creation complete");
        let pid = apply.until(&done, Duration::from_secs(120), |apply| {
            apply.text().contains(&done).then(|| apply.providers()).filter(|pids| pids.len() == 1)
        });
        sizes.push(size(pid[0]));
    }
    apply.wait().success("ten drills");
    println!("descriptors and KiB after each drill: {sizes:?}");
    let (second, last) = (sizes[1], sizes[8]);
    assert!(last.0 <= second.0 + 10, "descriptors grow: {sizes:?}");
    assert!(last.1 <= second.1 + 20_000, "memory grows: {sizes:?}");
    site.assert_clean("after ten drills");
}

/// Open descriptors and resident KiB of a process.
fn size(pid: u32) -> (usize, usize) {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    (descriptors, resident.unwrap_or_default())
}
