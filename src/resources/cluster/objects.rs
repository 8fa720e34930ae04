//! A cluster's attributes -> its Kubernetes objects, in the order in which they are applied. Pure.

use super::schema::{Cluster, Listener};
use crate::kubernetes::object::Object;
use crate::plugin::model::Attr;
use crate::resources::workload::probes;
use crate::resources::workload::render::{DATA, Mount, Pods, Source};
use crate::resources::workload::role::Role;
use crate::resources::workload::settings::Apart;
use crate::stack::names::Names;
use std::collections::BTreeMap;

/// `broker.rack` is the zone of the node: the pod has it as a label from Kubernetes 1.35 on, and from the provider
/// before that; the first start waits for it, and later ones remember it.
const START: &str = r#"#!/bin/bash
# Starts a broker of the cluster, from an image with the layout of apache/kafka or of confluentinc/cp-kafka. /tmp and the volume
# outlive the container, and a start may be killed at any line: each one begins with a clean folder, and what is kept is whole
# before it has its name.
set -eu
ordinal=${HOSTNAME##*-}
data=/var/lib/kafkastack
# A JVM that is killed leaves the libraries that it unpacked.
rm -rf /tmp/kafka /tmp/*.so /tmp/*.so.lck
mkdir -p "$data/data" /tmp/kafka
kept=$(cat "$data/rack" 2>/dev/null || true)
zone() { sed -n 's#^topology.kubernetes.io/zone="\(.*\)"$#\1#p' /etc/kafkastack-pod/labels; }
rack=$(zone)
[ -n "$rack" ] || rack=$kept
for _ in $(seq "${KAFKASTACK_ZONE_WAIT:-0}"); do
  [ -z "$rack" ] || break
  sleep 0.1
  rack=$(zone)
done
{
  cat /etc/kafkastack/server.properties
  echo "broker.id=$ordinal"
  echo "advertised.listeners=${ADVERTISED//ORDINAL/$ordinal}"
  if [ -n "$rack" ]; then echo "broker.rack=$rack"; fi
} >/tmp/kafka/server.properties
if [ "$rack" != "$kept" ]; then
  rm -f "$data/rack.new"
  echo "$rack" >"$data/rack.new"
  mv -f "$data/rack.new" "$data/rack"
fi
for start in /opt/kafka/bin/kafka-server-start.sh /usr/bin/kafka-server-start; do
  if [ -x "$start" ]; then exec "$start" /tmp/kafka/server.properties; fi
done
echo "no kafka-server-start in this image: it has the layout neither of apache/kafka nor of confluentinc/cp-kafka" >&2
exit 1
"#;

/// The listeners, with the default one where there are none.
pub fn listeners(cluster: &Cluster) -> Vec<(String, i64)> {
    let internal = || Listener { name: Attr::Known("internal".to_owned()), port: Attr::Known(9092), ..Listener::default() };
    let listeners = cluster.listeners.known().cloned().unwrap_or_else(|| vec![internal()]);
    listeners.iter().map(|l| (l.name.text().to_owned(), l.port.unwrap_or(9092))).collect()
}

/// The port that brokers use among themselves, and the provider too.
pub fn port(cluster: &Cluster) -> i64 {
    listeners(cluster).first().map_or(9092, |(_, port)| *port)
}

fn kafka_name(listener: &str) -> String {
    listener.to_uppercase().replace('-', "_")
}

/// Replication factor and least in-sync replicas that `brokers` brokers can keep.
pub fn replication(brokers: i64) -> (i64, i64) {
    (brokers.clamp(1, 3), if brokers >= 3 { 2 } else { 1 })
}

/// server.properties without what differs from broker to broker. Precedence: 1. safe defaults, 2. the user's `config`,
/// 3. what the provider owns.
fn server_properties(cluster: &Cluster) -> String {
    let (factor, in_sync) = replication(cluster.size());
    let mut settings: BTreeMap<String, String> = [
        ("default.replication.factor", factor.to_string()),
        ("offsets.topic.replication.factor", factor.to_string()),
        ("transaction.state.log.replication.factor", factor.to_string()),
        ("min.insync.replicas", in_sync.to_string()),
        ("transaction.state.log.min.isr", in_sync.to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
        ("auto.create.topics.enable", "false".to_owned()),
        ("zookeeper.connection.timeout.ms", "18000".to_owned()),
        ("group.initial.rebalance.delay.ms", "3000".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    settings.extend(cluster.config.unwrap_or_default());
    let all = listeners(cluster);
    let join = |each: &dyn Fn(&(String, i64)) -> String| all.iter().map(each).collect::<Vec<_>>().join(",");
    let zookeeper = cluster.zookeeper.unwrap_or_default();
    settings.extend(
        [
            ("listeners", join(&|(name, port)| format!("{}://:{port}", kafka_name(name)))),
            ("listener.security.protocol.map", join(&|(name, _)| format!("{}:PLAINTEXT", kafka_name(name)))),
            ("inter.broker.listener.name", all.first().map_or_else(String::new, |(name, _)| kafka_name(name))),
            ("log.dirs", format!("{DATA}/data")),
            ("zookeeper.connect", format!("{}{}", zookeeper.connection.text(), zookeeper.chroot.text())),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    settings.iter().map(|(key, value)| format!("{key}={}\n", value.replace('\\', "\\\\"))).collect()
}

/// Whether `broker.rack` is the zone of the node.
pub fn wants_zone(cluster: &Cluster) -> bool {
    cluster.common.spread.unwrap_or_default().by_zone() != Apart::Indifferent
}

/// The brokers.
pub fn brokers(cluster: &Cluster) -> Role {
    let names = Names::of("kafka", cluster.common.name.text());
    Role { names, container: "kafka", file: "server.properties", replicas: cluster.size() }
}

/// The brokers' pods.
pub fn pods(cluster: &Cluster) -> Pods<'_> {
    let (namespace, heap, role) = (cluster.common.namespace.text(), cluster.heap.text(), brokers(cluster));
    let (port, Names { set, governing, .. }) = (port(cluster), &role.names);
    let advertised = listeners(cluster)
        .iter()
        .map(|(listener, port)| format!("{}://{set}-ORDINAL.{governing}.{namespace}.svc:{port}", kafka_name(listener)))
        .collect::<Vec<_>>()
        .join(",");
    Pods {
        common: &cluster.common,
        app: "kafka",
        image: cluster.image.text(),
        env: vec![
            ("KAFKA_HEAP_OPTS", format!("-Xms{heap} -Xmx{heap}")),
            ("LOG_DIR", "/tmp/kafka".to_owned()),
            ("ADVERTISED", advertised),
            ("KAFKASTACK_ZONE_WAIT", if wants_zone(cluster) { "50" } else { "0" }.to_owned()),
        ],
        ports: listeners(cluster),
        files: [("start.sh", START.to_owned()), ("server.properties", server_properties(cluster))].into(),
        probes: [
            // A broker that was killed reads its log back before it listens, which may take an hour.
            ("startupProbe", probes::connects(port, 1, 3600)),
            ("readinessProbe", probes::connects(port, 5, 3)),
            ("livenessProbe", probes::lives(port)),
        ],
        mounts: vec![Mount { name: "pod", path: "/etc/kafkastack-pod", source: Source::Labels }],
        grace: 120,
        role,
    }
}

/// `host:port` for clients inside the Kubernetes cluster.
pub fn bootstrap_servers(cluster: &Cluster) -> String {
    format!("{}.{}.svc:{}", cluster.common.name.text(), cluster.common.namespace.text(), port(cluster))
}

/// Every object, in the order in which it is applied: what pods mount comes before the pods.
pub fn objects(cluster: &Cluster) -> Vec<Object> {
    let pods = pods(cluster);
    let [service, headless] = pods.services(&listeners(cluster));
    vec![headless, service, pods.config_map(), pods.disruption_budget(1), pods.stateful_set()]
}
