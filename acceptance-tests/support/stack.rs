//! Configurations of a whole stack, small enough for many on one machine, and what tests ask its pods.

use super::cluster::Cluster;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// For a JVM that starts with half the work and runs slower afterwards: tests mostly start and stop.
const QUICK: &str = "-XX:TieredStopAtLevel=1";

/// A stack to write down.
#[derive(Clone)]
pub struct Stack {
    /// The namespace of everything.
    pub namespace: String,
    /// The brokers' image.
    pub image: &'static str,
    /// Members and brokers.
    pub size: u32,
    /// `labels` of the cluster.
    pub label: &'static str,
    /// `retention.ms` of the topic.
    pub retention: u64,
    /// `deletion_protection` of ensemble and cluster.
    pub protected: bool,
}

impl Stack {
    /// Three of everything, protected.
    pub fn new(namespace: &str, image: &'static str) -> Self {
        Self { namespace: namespace.to_owned(), image, size: 3, label: "a", retention: 3_600_000, protected: true }
    }

    /// The line of a resource that holds records.
    fn protection(&self) -> String {
        format!("  deletion_protection = {}\n", self.protected)
    }

    /// The ensemble alone.
    pub fn ensemble(&self) -> String {
        format!(
            r#"terraform {{
  required_providers {{ kafkastack = {{ source = "kafkastack/kafkastack" }} }}
}}
resource "kafkastack_zookeeper_ensemble" "zookeeper" {{
  namespace        = "{namespace}"
  create_namespace = true
  name             = "zookeeper"
  members          = {size}
  heap             = "128m"
  storage          = {{ size = "1Gi" }}
  pod                 = {{ env = {{ SERVER_JVMFLAGS = "{QUICK}" }} }}
  deletion_protection = {protected}
}}
"#,
            namespace = self.namespace,
            size = self.size,
            protected = self.protected
        )
    }

    /// Ensemble, cluster and topic.
    pub fn text(&self) -> String {
        let mut text = self.ensemble();
        let _ = write!(
            text,
            r#"resource "kafkastack_cluster" "kafka" {{
  namespace = "{namespace}"
  name      = "kafka"
  brokers   = {size}
  image     = "{image}"
  heap      = "256m"
  labels    = {{ team = "{label}" }}
  storage   = {{ size = "1Gi" }}
  zookeeper = {{
    connection = kafkastack_zookeeper_ensemble.zookeeper.connection
    chroot     = "/kafka"
  }}
  config = {{
    "log.cleaner.dedupe.buffer.size"       = "2097152"
    "offsets.topic.num.partitions"         = "1"
    "group.initial.rebalance.delay.ms"     = "0"
    "controlled.shutdown.retry.backoff.ms" = "200"
  }}
  pod = {{ env = {{ KAFKA_JVM_PERFORMANCE_OPTS = "-XX:+UseSerialGC {QUICK}" }} }}
{protection}}}
resource "kafkastack_topic" "test1" {{
  cluster            = kafkastack_cluster.kafka.id
  name               = "test1"
  partitions         = 3
  replication_factor = {size}
  config             = {{ "retention.ms" = "{retention}" }}
}}
"#,
            namespace = self.namespace,
            size = self.size,
            image = self.image,
            label = self.label,
            protection = self.protection(),
            retention = self.retention,
        );
        text
    }

    /// The last transaction that the ensemble's first member knows of.
    pub fn last_transaction(&self, cluster: &Cluster) -> String {
        let ask = "exec 3<>/dev/tcp/127.0.0.1/2181; printf srvr >&3; cat <&3";
        let said = cluster.exec(&self.namespace, "zookeeper-0", &["bash", "-c", ask]);
        said.lines().find_map(|line| line.strip_prefix("Zxid: ")).unwrap_or_else(|| panic!("no Zxid: {said}")).to_owned()
    }

    /// The pods of `kafka` or `zookeeper`, each with its uid.
    pub fn pods(&self, cluster: &Cluster, name: &str) -> BTreeMap<String, String> {
        let format = "jsonpath={range .items[*]}{.metadata.name}={.metadata.uid} {end}";
        let label = format!("app.kubernetes.io/name={name}");
        let pods = cluster.kubectl(&["-n", &self.namespace, "get", "pods", "-l", &label, "-o", format]);
        let pods = pods.split_whitespace().filter_map(|pod| pod.split_once('='));
        pods.map(|(pod, uid)| (pod.to_owned(), uid.to_owned())).collect()
    }

    /// Runs one of Kafka's own tools in the pod of a broker that is ready, if there is one.
    pub fn kafka(&self, cluster: &Cluster, command: &str) -> String {
        let quiet = "unset JMX_PORT KAFKA_OPTS; export KAFKA_HEAP_OPTS=-Xmx128M LOG_DIR=/tmp PATH=$PATH:/opt/kafka/bin; ";
        cluster.exec(&self.namespace, "statefulset/kafka", &["bash", "-c", &format!("{quiet}{command}")])
    }

    /// Writes `count` records with acks=all, named after `tag`. On a busy machine an answer takes longer than the tool's own 1.5 s:
    /// then it sends again what is there already, and gives up after three times with a line that nobody reads.
    ///
    /// # Panics
    /// When it says that one was not written.
    pub fn produce(&self, cluster: &Cluster, tag: &str, count: u32) {
        let list = if self.image.contains("5.2") { "--broker-list" } else { "--bootstrap-server" };
        let patient = "--request-required-acks all --request-timeout-ms 30000 --message-send-max-retries 100";
        let producer = format!("kafka-console-producer.sh {list} kafka.{}.svc:9092 --topic test1 {patient}", self.namespace);
        let said = self.kafka(cluster, &format!("seq -f {tag}-%g {count} | {producer} 2>&1"));
        assert!(!said.contains("ERROR"), "{said}");
    }

    /// Reads until `count` different records named after `tag` are there; how many came. One may come more than once: what is sent
    /// again after a lost answer is written twice.
    pub fn consume(&self, cluster: &Cluster, tag: &str, count: u32) -> u32 {
        let consumer =
            format!("kafka-console-consumer.sh {} --topic test1 --from-beginning --timeout-ms 60000 2>/dev/null", self.servers());
        let note = format!("[[ $line != {tag}-* ]] || seen[$line]=1; [ ${{#seen[@]}} -lt {count} ] || break");
        let command = format!("declare -A seen=(); while read -r line; do {note}; done < <({consumer}); echo ${{#seen[@]}}");
        self.kafka(cluster, &command).trim().parse().expect("a number")
    }

    /// # Panics
    /// When not each of `count` records named after `tag` can be read.
    pub fn records_are_there(&self, cluster: &Cluster, tag: &str, count: u32) {
        let came = self.consume(cluster, tag, count);
        let told = || self.kafka(cluster, &format!("kafka-topics.sh {} --describe 2>&1", self.servers()));
        assert_eq!(came, count, "of {count} records {tag}\n{}\n{}", self.registered(cluster), told());
    }

    /// The brokers that are registered, as Kafka's own tool tells it.
    pub fn registered(&self, cluster: &Cluster) -> String {
        self.kafka(cluster, &format!("kafka-broker-api-versions.sh {} 2>&1 | grep -o 'id: [0-9]*' | sort -u", self.servers()))
    }

    fn servers(&self) -> String {
        format!("--bootstrap-server kafka.{}.svc:9092", self.namespace)
    }
}
