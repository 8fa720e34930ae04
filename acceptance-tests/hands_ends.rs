//! How things end, and whose they are: storage and workloads in one run, with brokers or without; another cluster's Kafka under the
//! same names; a setting that brokers spell otherwise.

use super::support::cluster::{Cluster, ENDED, Namespace};
use super::support::forward::{Forward, address};
use super::support::running::Finished;
use super::support::stack::Stack;
use super::support::terraform::{Refresh, Tool, Workspace, unwrapped};
use super::support::with_both_tools_at_length;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const KAFKA: &str = "apache/kafka:3.9.2";

with_both_tools_at_length! {
    fn storage_and_workloads_end_in_one_run_with_brokers_or_without(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("storage and workloads") else { return };
        let namespace = Namespace::reserve(cluster, "ends");
        let stack = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let kubectl = |arguments: &[&str]| cluster.kubectl(&[&["-n", &stack.namespace], arguments].concat());
        let kept = on_own_storage(&stack);
        let workspace = Workspace::new(tool, &kept).with_cluster(cluster);
        workspace.init().step(&kept);
        let said = unwrapped(&workspace.run(&["plan", "-destroy", "-input=false"]).failure("plan"));
        assert!(said.contains("Claims are bound to the storage") && said.contains("set `delete_claims = true`"), "{said}");

        let open = kept.replace("  deletion_protection", "  delete_claims = true\n  deletion_protection");
        workspace.step(&open);
        for brokers in [1, 0] {
            workspace.apply();
            if brokers == 0 {
                kubectl(&["scale", "statefulset", "kafka", "--replicas=0"]);
                kubectl(&["wait", "--for=delete", "pod/kafka-0", ENDED]);
            }
            workspace.plan_with(Refresh::Yes, &["-destroy"]);
            workspace.destroy();
            assert_eq!(kubectl(&["get", "statefulsets,pods,pvc", "-o", "name"]), "");
            assert!(cluster.try_kubectl(&["get", "storageclass", &stack.namespace]).is_err());
        }
    }

    fn another_clusters_kafka_under_the_same_names_is_left_alone(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("another cluster's Kafka") else { return };
        let namespaces = ["prod", "staging"].map(|name| Namespace::reserve(cluster, name));
        let small = |namespace: &Namespace| Stack { size: 1, protected: false, ..Stack::new(&namespace.name, KAFKA) };
        let [prod, staging] = namespaces.each_ref().map(small);
        let workspaces = both_made(tool, cluster, [&prod, &staging]);
        staging.kafka(cluster, &format!("kafka-topics.sh {} --create --topic orders", at(&staging)));
        let seen = || [topics(cluster, &prod), topics(cluster, &staging)];
        let both = [["orders", "test1"]; 2];

        let runner = Runner::in_staging(tool, cluster, &prod, &staging);
        runner.configure("", &["orders"]);
        runner.run(&["apply", "-auto-approve"]).success("apply");
        assert_eq!(seen(), both);

        let direct = "provider \"kafkastack\" {\n  kafka = { access = \"direct\" }\n}\n";
        runner.configure(direct, &["orders"]);
        let said = unwrapped(&runner.run(&["plan"]).success("plan"));
        assert!(said.contains("Another Kafka cluster answers, so the topic could not be looked at"), "{said}");
        runner.is_refused(&["destroy", "-auto-approve"]);
        runner.configure(direct, &["orders", "bills"]);
        runner.is_refused(&["apply", "-auto-approve"]);
        runner.is_refused(&["import", "kafkastack_topic.bills", &format!("{}/kafka/test1", prod.namespace)]);
        assert_eq!(seen(), both);
        for stack in [&prod, &staging] {
            stack.records_are_there(cluster, "before", 100);
        }

        runner.configure("", &["orders"]);
        runner.run(&["destroy", "-auto-approve"]).success("destroy");
        assert_eq!(seen(), [vec!["test1"], vec!["orders", "test1"]]);
        for workspace in workspaces {
            workspace.destroy();
        }
    }

    fn a_setting_is_the_same_however_it_is_spelled_for_kafka_2_2(tool: Tool) {
        spelled_in_a_stack(tool, "confluentinc/cp-kafka:5.2.2");
    }

    fn a_setting_is_the_same_however_it_is_spelled_for_kafka_3_9(tool: Tool) {
        spelled_in_a_stack(tool, KAFKA);
    }

    fn a_setting_is_the_same_however_it_is_spelled_for_kafka_4_1(tool: Tool) {
        let Some((cluster, _)) = Cluster::find_sandbox("spelling on Kafka 4.1") else { return };
        let namespace = Namespace::new(cluster, "spelled");
        let address = address();
        cluster.apply(&broker_of_its_own(&namespace.name, &address));
        cluster.kubectl(&["-n", &namespace.name, "wait", "--for=condition=Ready", "pod/kafka", "--timeout=240s"]);
        let _forward = Forward::to(cluster, &namespace.name, "kafka", &address, 9092);
        let provider = format!("provider \"kafkastack\" {{\n  kafka = {{ bootstrap_servers = [\"{address}:9092\"] }}\n}}\n");
        let text = |config: &[(&str, &str)]| {
            let topic = "  name = \"test1\"\n  partitions = 2\n  replication_factor = 1\n";
            format!("{TERRAFORM}{provider}resource \"kafkastack_topic\" \"test1\" {{\n{topic}  config = {}\n}}\n", map(config))
        };
        let workspace = Workspace::new(tool, &text(SPELLED));
        workspace.init();
        each_way_of_spelling_settles(&workspace, text);
        workspace.destroy();
    }
}

const TERRAFORM: &str = "terraform {\n  required_providers { kafkastack = { source = \"kafkastack/kafkastack\" } }\n}\n";

/// Ensemble and cluster on a class that the same configuration makes.
fn on_own_storage(stack: &Stack) -> String {
    let class = format!(
        "resource \"kafkastack_storage\" \"disks\" {{\n  name           = \"{}\"\n  provisioner    = \"sandbox.local/directory\"\n  reclaim_policy = \"Delete\"\n}}\n",
        stack.namespace
    );
    stack.text().replace("size = \"1Gi\"", "size = \"1Gi\", class = kafkastack_storage.disks.class_name") + &class
}

/// Two stacks, made at the same time, with records in both.
fn both_made(tool: Tool, cluster: &'static Cluster, stacks: [&Stack; 2]) -> [Workspace; 2] {
    let workspaces = stacks.map(|stack| Workspace::new(tool, &stack.text()).with_cluster(cluster));
    let running = workspaces.each_ref().map(|workspace| workspace.init().start_apply());
    for running in running {
        running.wait().success("apply");
    }
    workspaces.iter().for_each(Workspace::assert_settled);
    stacks.iter().for_each(|stack| stack.produce(cluster, "before", 100));
    workspaces
}

fn at(stack: &Stack) -> String {
    format!("--bootstrap-server kafka.{}.svc:9092", stack.namespace)
}

fn topics(cluster: &Cluster, stack: &Stack) -> Vec<String> {
    let all = stack.kafka(cluster, &format!("kafka-topics.sh {} --list", at(stack)));
    all.lines().filter(|line| !line.starts_with("__")).map(str::to_owned).collect()
}

/// A configuration of prod's topics that runs where the brokers' names lead to staging's.
struct Runner {
    workspace: Workspace,
    cluster: String,
    script: PathBuf,
    _forward: Forward,
}

impl Runner {
    fn in_staging(tool: Tool, cluster: &'static Cluster, prod: &Stack, staging: &Stack) -> Self {
        let address = address();
        let forward = Forward::to(cluster, &staging.namespace, "kafka-0", &address, 9092);
        let name = |stack: &Stack| format!("kafka-0.kafka-headless.{}.svc", stack.namespace);
        let workspace = Workspace::new(tool, TERRAFORM).with_cluster(cluster);
        let hosts = fs::read_to_string("/etc/hosts").expect("there are hosts");
        fs::write(workspace.path().join("hosts"), format!("{hosts}\n{address} {} {}\n", name(prod), name(staging))).unwrap();
        let script = workspace.path().join("in-staging");
        let text = "#!/bin/sh\nexec unshare -m sh -c 'mount --bind hosts /etc/hosts && exec \"$TF\" \"$@\"' \"$0\" \"$@\"\n";
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        workspace.init();
        Self { workspace, cluster: format!("{}/kafka", prod.namespace), script, _forward: forward }
    }

    fn configure(&self, provider: &str, topics: &[&str]) {
        let topic = |name: &&str| {
            format!(
                "resource \"kafkastack_topic\" \"{name}\" {{\n  cluster = \"{}\"\n  name = \"{name}\"\n  partitions = 1\n  replication_factor = 1\n}}\n",
                self.cluster
            )
        };
        self.workspace.configure(&format!("{TERRAFORM}{provider}{}", topics.iter().map(topic).collect::<String>()));
    }

    /// As in a pod of the cluster of these brokers.
    fn run(&self, arguments: &[&str]) -> Finished {
        let pod = [("KUBERNETES_SERVICE_HOST", "10.96.0.1"), ("KUBERNETES_SERVICE_PORT", "443")];
        let (command, rest) = arguments.split_first().expect("a command");
        self.workspace.run_script(&self.script, &pod, &[&[*command, "-input=false", "-no-color"], rest].concat())
    }

    fn is_refused(&self, arguments: &[&str]) {
        let said = unwrapped(&self.run(arguments).failure(arguments[0]));
        assert!(said.contains("another Kafka cluster answers") && said.contains("port_forward"), "{arguments:?}: {said}");
    }
}

/// As people write them, and not as brokers show them.
const SPELLED: &[(&str, &str)] = &[
    ("retention.ms", "0604800000"),
    ("cleanup.policy", "compact, delete"),
    ("leader.replication.throttled.replicas", "0:0, 1:0"),
    ("min.cleanable.dirty.ratio", "0.50"),
    ("preallocate", "TRUE"),
    ("unclean.leader.election.enable", "False"),
];
const OTHERS: &[(&str, &str)] = &[
    ("retention.ms", "86400000"),
    ("cleanup.policy", "delete"),
    ("leader.replication.throttled.replicas", "1:0"),
    ("min.cleanable.dirty.ratio", "0.6"),
    ("preallocate", "false"),
    ("unclean.leader.election.enable", "true"),
];
/// Java reads these digits, and shows others.
const UNREAD: &[(&str, &str)] = &[("retention.ms", "٨٦٤٠٠٠٠٠")];
/// On a busy machine; what does not settle would take an hour.
const SOON: Duration = Duration::from_secs(60);

fn map(config: &[(&str, &str)]) -> String {
    let lines: String = config.iter().map(|(key, value)| format!("    \"{key}\" = \"{value}\"\n")).collect();
    format!("{{\n{lines}  }}")
}

fn spelled_in_a_stack(tool: Tool, image: &'static str) {
    let Some((cluster, _)) = Cluster::find_sandbox("the spelling of settings") else { return };
    let namespace = Namespace::reserve(cluster, "spelled");
    let stack = Stack { size: 1, protected: false, ..Stack::new(&namespace.name, image) };
    let text = |config: &[(&str, &str)]| {
        let whole = stack.text();
        let (before, _) = whole.split_once("  config             = {").expect("the topic has settings");
        format!("{before}  config = {}\n}}\n", map(config))
    };
    let workspace = Workspace::new(tool, &text(SPELLED)).with_cluster(cluster);
    workspace.init();
    each_way_of_spelling_settles(&workspace, text);
    stack.produce(cluster, "after", 100);
    stack.records_are_there(cluster, "after", 100);
    workspace.destroy();
}

fn each_way_of_spelling_settles(workspace: &Workspace, text: impl Fn(&[(&str, &str)]) -> String) {
    workspace.step(&text(SPELLED));
    workspace.step(&text(OTHERS));
    workspace.configure(&text(SPELLED));
    let begin = Instant::now();
    workspace.apply();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    workspace.assert_settled();

    let fewer = &SPELLED[..SPELLED.len() - 1];
    workspace.configure(&text(fewer));
    let mut changed = workspace.plan(Refresh::Yes).change("kafkastack_topic.test1").changed_attributes();
    changed.retain(|attribute| attribute != "topic_id");
    assert_eq!(changed, ["config.unclean.leader.election.enable"]);
    workspace.step(&text(fewer));

    workspace.configure(&text(UNREAD));
    let begin = Instant::now();
    let said = workspace.apply_expect_error();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert!(said.contains("show settings otherwise") && said.contains("\"retention.ms\" = \"86400000\""), "{said}");
    workspace.step(&text(&OTHERS[..1]));
}

/// One process that is broker and controller, and tells its clients this address.
fn broker_of_its_own(namespace: &str, address: &str) -> String {
    let settings = [
        ("KAFKA_PROCESS_ROLES", "broker,controller".to_owned()),
        ("KAFKA_NODE_ID", "0".to_owned()),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "0@localhost:9093".to_owned()),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER".to_owned()),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093".to_owned()),
        ("KAFKA_ADVERTISED_LISTENERS", format!("PLAINTEXT://{address}:9092")),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned()),
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1".to_owned()),
        ("KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE", "2097152".to_owned()),
        ("KAFKA_HEAP_OPTS", "-Xmx256m".to_owned()),
        ("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1".to_owned()),
    ];
    let env = settings.map(|(name, value)| serde_json::json!({"name": name, "value": value}));
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kafka", "namespace": namespace},
        "spec": {
            "terminationGracePeriodSeconds": 0, "enableServiceLinks": false,
            "containers": [{
                "name": "kafka", "image": "apache/kafka:4.1.2", "env": env,
                // Without a request it starves beside those that have one.
                "resources": {"requests": {"cpu": "100m"}},
                "readinessProbe": {"tcpSocket": {"port": 9092}, "periodSeconds": 1},
            }],
        },
    })
    .to_string()
}
