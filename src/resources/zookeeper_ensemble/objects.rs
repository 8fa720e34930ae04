//! An ensemble's attributes -> its Kubernetes objects, in the order in which they are applied. Pure.

use super::schema::Ensemble;
use crate::kubernetes::object::Object;
use crate::resources::workload::probes;
use crate::resources::workload::render::{DATA, Pods};
use crate::resources::workload::role::Role;
use crate::stack::names::{Id, Names};
use std::collections::{BTreeMap, BTreeSet};

/// The port for clients.
pub const CLIENT: i64 = 2181;
const QUORUM: i64 = 2888;
const ELECTION: i64 = 3888;

/// The number of the member is its ordinal + 1, whatever a kept volume says; so members find their old data again.
const START: &str = r#"#!/bin/bash
# Starts a member of the ensemble. /tmp and the volume outlive the container, and a start may be killed at any line: each one
# begins with a clean folder, and what is kept is whole before it has its name.
set -eu
data=/var/lib/kafkastack/data
id=$((${HOSTNAME##*-} + 1))
# A JVM that is killed leaves the libraries that it unpacked.
rm -rf /tmp/zookeeper /tmp/*.so /tmp/*.so.lck
mkdir -p "$data" /var/lib/kafkastack/log /tmp/zookeeper
# Another user may have written the one of a kept volume.
if [ "$(cat "$data/myid" 2>/dev/null)" != "$id" ]; then
  rm -f "$data/myid.new"
  echo "$id" >"$data/myid.new"
  mv -f "$data/myid.new" "$data/myid"
fi
# A file that may be written, for ZooKeeper keeps what it learns of the ensemble beside it. `cp` would take over that it may not.
cat /etc/kafkastack/zoo.cfg >/tmp/zookeeper/zoo.cfg
exec zkServer.sh start-foreground /tmp/zookeeper/zoo.cfg
"#;

const PROBE: &str = r#"#!/bin/bash
# probe.sh WORD ANSWER: asks this member a four-letter word; succeeds when a line of what it says begins with ANSWER.
# `srvr` has a line `Mode:` only in a member that serves in a quorum.
exec 3<>/dev/tcp/127.0.0.1/2181 || exit 1
printf %s "$1" >&3
while read -r line <&3 || [ -n "$line" ]; do
  case $line in "$2"*) exit 0 ;; esac
done
exit 1
"#;

/// The names of the members' pods, in the order of their ordinals.
pub fn hosts(ensemble: &Ensemble) -> Vec<String> {
    Id::new(ensemble.common.namespace.text(), ensemble.common.name.text()).hosts(ensemble.size())
}

/// `host:port` of every member.
pub fn connection(ensemble: &Ensemble) -> String {
    hosts(ensemble).iter().map(|host| format!("{host}:{CLIENT}")).collect::<Vec<_>>().join(",")
}

/// zoo.cfg. Precedence: 1. safe defaults, 2. the user's `config`, 3. what the provider owns.
fn zoo_cfg(ensemble: &Ensemble) -> String {
    let mut settings: BTreeMap<String, String> = [
        ("tickTime", "2000"),
        ("initLimit", "10"),
        ("syncLimit", "5"),
        ("autopurge.purgeInterval", "1"),
        ("autopurge.snapRetainCount", "3"),
        ("maxClientCnxns", "60"),
        ("admin.enableServer", "false"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    settings.extend(ensemble.config.unwrap_or_default());
    let mut words: BTreeSet<String> = ["srvr", "ruok", "mntr"].map(str::to_owned).into();
    words.extend(ensemble.four_letter_words.unwrap_or_default());
    let words = words.into_iter().collect::<Vec<_>>().join(",");
    settings.extend(
        [
            ("dataDir", format!("{DATA}/data")),
            ("dataLogDir", format!("{DATA}/log")),
            ("clientPort", CLIENT.to_string()),
            // A member's own name resolves to its pod's address only after the others had to find it.
            ("quorumListenOnAllIPs", "true".to_owned()),
            ("4lw.commands.whitelist", words),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let mut text: String = settings.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    for (i, host) in hosts(ensemble).iter().enumerate() {
        text += &format!("server.{}={host}:{QUORUM}:{ELECTION}\n", i + 1);
    }
    text
}

/// Members start before they know each other's names, and a DNS that keeps for seconds that there is no such name makes the
/// first round of an election futile. ZooKeeper doubles the pause before each next round, up to a minute; this is its limit.
const ELECTION_PAUSE: &str = "-Dzookeeper.fastleader.maxNotificationInterval=2000";

/// The members.
pub fn members(ensemble: &Ensemble) -> Role {
    let names = Names::of("zookeeper", ensemble.common.name.text());
    Role { names, container: "zookeeper", file: "zoo.cfg", replicas: ensemble.size() }
}

fn pods(ensemble: &Ensemble) -> Pods<'_> {
    let heap = ensemble.heap.text();
    Pods {
        common: &ensemble.common,
        app: "zookeeper",
        role: members(ensemble),
        image: ensemble.image.text(),
        env: vec![
            // Names of members that are not there yet must not be remembered as unknown.
            (
                "JVMFLAGS",
                format!("-Xms{heap} -Xmx{heap} -Dsun.net.inetaddr.ttl=5 -Dsun.net.inetaddr.negative.ttl=0 {ELECTION_PAUSE}"),
            ),
            ("ZOO_LOG_DIR", "/tmp/zookeeper".to_owned()),
        ],
        ports: vec![("client".to_owned(), CLIENT), ("quorum".to_owned(), QUORUM), ("election".to_owned(), ELECTION)],
        files: [("start.sh", START.to_owned()), ("probe.sh", PROBE.to_owned()), ("zoo.cfg", zoo_cfg(ensemble))].into(),
        probes: [
            // A connection is enough, and costs least while everything starts at once.
            ("startupProbe", probes::connects(CLIENT, 1, 600)),
            ("readinessProbe", probes::succeeds(&["/bin/bash", "/etc/kafkastack/probe.sh", "srvr", "Mode:"], 2, 2)),
            ("livenessProbe", probes::lives(CLIENT)),
        ],
        mounts: Vec::new(),
        grace: 30,
    }
}

/// Every object, in the order in which it is applied: what pods mount comes before the pods.
pub fn objects(ensemble: &Ensemble) -> Vec<Object> {
    let pods = pods(ensemble);
    let [service, headless] = pods.services(&[("client".to_owned(), CLIENT)]);
    // As many members may go as the quorum can spare.
    let spare = (pods.role.replicas - 1) / 2;
    vec![headless, service, pods.config_map(), pods.disruption_budget(spare), pods.stateful_set()]
}
