//! A producer of 500 records a second beside a cluster, idempotent and with acks=all, and the question whether each record that was
//! acknowledged can be read, once: Kafka's own verifiable producer in a pod of the test's own.

use super::cluster::Cluster;
use super::stack::Stack;

/// A producer that runs until it is asked.
pub struct Load<'a> {
    cluster: &'a Cluster,
    namespace: String,
}

/// What became of the records.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// How many were acknowledged.
    pub acknowledged: u64,
    /// How many of these cannot be read.
    pub lost: u64,
    /// How many can be read more than once.
    pub twice: u64,
    /// The longest time between two acknowledgements, in milliseconds.
    pub silence: u64,
}

const TOPIC: &str = "load";
const SETTINGS: &str = "enable.idempotence=true\\nacks=all\\nretries=2147483647\\ndelivery.timeout.ms=600000\\n";

/// Ends the producer, waits for its last acknowledgement, and compares. The tool sends on until its patience is over.
const COMPARE: &str = r#"
set -eu
PATH=$PATH:/opt/kafka/bin
kill -TERM "$(cat /tmp/producer)"; until grep -q tool_data /tmp/said; do sleep 0.2; done
grep producer_send_success /tmp/said >/tmp/acknowledged
sed 's/.*"value":"\([0-9]*\)".*/\1/' /tmp/acknowledged | sort >/tmp/values
kafka-console-consumer.sh --bootstrap-server "$SERVERS" --topic load --from-beginning --timeout-ms 20000 2>/dev/null | sort >/tmp/read || true
silence=$(sed 's/.*"timestamp":\([0-9]*\).*/\1/' /tmp/acknowledged | sort -n | awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print most + 0 }')
echo "$(wc -l </tmp/values) $(comm -23 <(sort -u /tmp/values) <(sort -u /tmp/read) | wc -l) $(uniq -d /tmp/read | wc -l) $silence"
"#;

impl<'a> Load<'a> {
    /// The configuration of its topic.
    pub fn topic(stack: &Stack) -> String {
        format!(
            r#"resource "kafkastack_topic" "load" {{
  cluster            = kafkastack_cluster.kafka.id
  name               = "{TOPIC}"
  partitions         = 3
  replication_factor = {}
}}
"#,
            stack.size
        )
    }

    /// Begins to write; its topic is there.
    pub fn start(cluster: &'a Cluster, stack: &Stack) -> Self {
        let (namespace, servers) = (stack.namespace.clone(), format!("kafka.{}.svc:9092", stack.namespace));
        let produce = format!(
            "PATH=$PATH:/opt/kafka/bin; printf '{SETTINGS}' >/tmp/settings; kafka-verifiable-producer.sh --bootstrap-server {servers} --topic {TOPIC} --throughput 500 \
             --producer.config /tmp/settings >/tmp/said 2>/tmp/log & echo $! >/tmp/producer; sleep infinity"
        );
        let pod = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "load", "namespace": namespace},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{
                "name": "load", "image": stack.image, "command": ["bash", "-c", produce],
                "env": [
                    {"name": "KAFKA_HEAP_OPTS", "value": "-Xmx128M"}, {"name": "LOG_DIR", "value": "/tmp"}, {"name": "SERVERS", "value": servers},
                ],
            }]},
        });
        cluster.apply(&pod.to_string());
        cluster.kubectl(&["-n", &namespace, "wait", "--for=condition=Ready", "pod/load", "--timeout=120s"]);
        let load = Self { cluster, namespace };
        load.exec("until grep -q producer_send_success /tmp/said; do sleep 0.2; done");
        load
    }

    fn exec(&self, command: &str) -> String {
        self.cluster.exec(&self.namespace, "load", &["bash", "-c", command])
    }

    /// Ends it, and reads everything.
    pub fn end(self) -> Told {
        let said = self.exec(COMPARE);
        let numbers: Vec<u64> = said.split_whitespace().map(|number| number.parse().expect("a number")).collect();
        let [acknowledged, lost, twice, silence] = numbers[..] else { panic!("{said:?}") };
        Told { acknowledged, lost, twice, silence }
    }
}
