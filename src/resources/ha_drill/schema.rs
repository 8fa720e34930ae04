//! The attributes of `kafkastack_ha_drill`. Pure.

use crate::drill::load::Acks;
use crate::drill::step::{How, Kind, Step, Which};
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::{Timeouts, is_duration, parse_duration, same_duration};
use crate::resources::checks;
use crate::{choice, model};
use std::collections::BTreeMap;
use std::time::Duration;

choice! {
    /// What a step does.
    pub enum StepKind {
        /// Takes a broker away.
        KillBroker = "kill_broker",
        /// Takes the broker away that leads a partition.
        KillLeaderOfTopic = "kill_leader_of_topic",
        /// Takes the member away that leads the ensemble.
        KillZookeeperLeader = "kill_zookeeper_leader",
        /// Evicts the stack's pods of a node.
        EvictNodePods = "evict_node_pods",
        /// Nothing.
        Pause = "pause",
    }
}

choice! {
    /// How a pod goes.
    pub enum Going {
        /// It is told to stop, and given its time.
        Delete = "delete",
        /// With a grace period of 0.
        Kill = "kill",
    }
}

choice! {
    /// Which acknowledgement a write waits for.
    pub enum Acknowledged {
        /// That of every in-sync replica.
        All = "all",
        /// That of the leader alone.
        Leader = "1",
    }
}

model! {
    /// One step of a drill. The next one begins only when every pod is ready, every replica in sync and every member in the quorum.
    pub struct DrillStep {
        /// `kill_broker`, `kill_leader_of_topic`, `kill_zookeeper_leader`, `evict_node_pods` (the stack's pods of one node, one
        /// after another, by the eviction API, which honours PodDisruptionBudgets) or `pause` (nothing: what the load sees then is
        /// what it sees without a disturbance).
        kind: StepKind = required(),
        /// For `kill_broker`: the broker's id, or `controller` (the default).
        broker: String = optional().check(broker),
        /// For `kill_leader_of_topic`: the topic. Default: the drill's own.
        topic: String = optional(),
        /// For `kill_leader_of_topic`: the partition. Default: 0.
        partition: i64 = optional().check(checks::not_negative),
        /// For `evict_node_pods`: the node. Default: the one with most of the stack's pods.
        node: String = optional(),
        /// How a pod goes: `delete` (the default) tells it to stop and gives it its time, `kill` deletes it with a grace period of 0.
        how: Going = optional(),
        /// How long the load goes on after everything is whole again, or how long the pause is. Default: `10s`.
        watch: String = optional().check(is_duration).same_if(same_duration),
    }
}

model! {
    /// What one step did, in milliseconds since the pod was taken away. Null: it does not apply, or was not seen.
    pub struct StepResult {
        /// The step's `kind`.
        kind: String = computed(),
        /// The pod that was taken away.
        target: String = computed(),
        /// Until every partition that the broker led had another leader.
        new_leader_ms: i64 = computed(),
        /// Until every replica was in sync again.
        full_isr_ms: i64 = computed(),
        /// Until another ZooKeeper member led.
        quorum_ms: i64 = computed(),
        /// Until every pod was ready again.
        ready_ms: i64 = computed(),
        /// Why the step did not come to its end.
        error: String = computed(),
    }
}

model! {
    /// What a drill does, and to what: the same for the resource and for the action.
    pub struct DrillOrder {
        /// The `id` of the `kafkastack_cluster`.
        cluster: String = required().replaces().check(checks::cluster_id),
        /// The `id` of the `kafkastack_zookeeper_ensemble`. Default: the one that the cluster's `zookeeper.connection` names.
        zookeeper_ensemble: String = optional().replaces().check(checks::cluster_id),
        /// What is done, in this order.
        steps: Vec<DrillStep> = required().replaces().check(steps),
        /// How many records are written each second, of 100 bytes each.
        records_per_second: i64 = optional().defaults_to(500).replaces().check(rate),
        /// How many partitions the drill's topic has.
        partitions: i64 = optional().defaults_to(3).replaces().check(few),
        /// How many replicas each of them has.
        replication_factor: i64 = optional().defaults_to(3).replaces().check(few),
        /// `min.insync.replicas` of the drill's topic.
        min_insync_replicas: i64 = optional().defaults_to(2).replaces().check(few),
        /// `all` (the default): an idempotent producer, whose records are acknowledged by every in-sync replica. `1`: the leader alone
        /// acknowledges; then records are lost, and the drill says which. It is there to show that.
        acks: Acknowledged = optional().defaults_to(Acknowledged::All).replaces(),
        /// The longest time for which no record of a partition may be acknowledged, or read, such as `30s`. A broker that is killed is missed only after `zookeeper.session.timeout.ms`,
        /// 18 seconds by default.
        max_unavailable: String = optional().replaces().check(is_duration).same_if(same_duration),
        /// The longest time that a step may take until everything is whole again, such as `5m`.
        max_recovery: String = optional().replaces().check(is_duration).same_if(same_duration),
        /// A file to write the report to: one HTML page that needs nothing else.
        report_path: String = optional().replaces().check(path),
    }
}

model! {
    /// A high availability drill: pods of a running cluster are taken away, one at a time, while a load runs as real applications
    /// run it; afterwards every record is read back and counted. It fails when an acknowledged record is lost, or a bound is not kept.
    ///
    /// The drill runs when the resource is created, and again when anything in it but `timeouts` changes: put into `triggers` what
    /// should make it run. A refresh never runs it; a destroy only forgets it. It makes a topic, a znode and a ConfigMap, named
    /// `kafkastack-drill`, and removes them, also after an interrupt. What a drill that was killed left is removed by the next one.
    ///
    /// It needs the right to delete pods, and to create `pods/eviction` for `evict_node_pods`.
    pub struct HaDrill {
        ..order: DrillOrder,
        /// The name of the drill that ran.
        id: String = computed(),
        /// Values whose change runs the drill again, such as the cluster's image.
        triggers: BTreeMap<String, String> = optional().replaces(),
        /// When the load began.
        ran_at: String = computed(),
        /// Whether no acknowledged record was lost and every bound was kept.
        passed: bool = computed(),
        /// Why it did not pass.
        failures: Vec<String> = computed(),
        /// How many records were acknowledged.
        acknowledged: i64 = computed(),
        /// How many acknowledged records were not found afterwards.
        lost: i64 = computed(),
        /// How many records were found more than once.
        duplicated: i64 = computed(),
        /// How many records were found behind a later one of their partition.
        out_of_order: i64 = computed(),
        /// The longest time for which no record of some partition was acknowledged.
        longest_write_gap_ms: i64 = computed(),
        /// The longest time for which no record of some partition was read.
        longest_read_gap_ms: i64 = computed(),
        /// What each step did; one entry for each pod.
        step_results: Vec<StepResult> = computed(),
        /// The report as JSON.
        report_json: String = computed(),
        /// How long operations may take. A create runs the whole drill: 30 minutes.
        timeouts: Timeouts = optional(),
    }
}

fn broker(text: &str) -> Result<(), String> {
    match text {
        "controller" => Ok(()),
        id if id.parse::<u16>().is_ok() => Ok(()),
        other => Err(format!("{other:?} is neither the id of a broker nor `controller`.")),
    }
}

/// A file.
///
/// # Errors
/// When it is empty.
pub fn path(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("it is no path of a file.".to_owned()) } else { Ok(()) }
}

/// Steps.
///
/// # Errors
/// When there are none.
pub fn steps(steps: &[DrillStep]) -> Result<(), String> {
    if steps.is_empty() { Err("a drill has at least one step.".to_owned()) } else { Ok(()) }
}

/// Records each second: what one provider process can keep account of.
///
/// # Errors
/// What is allowed.
pub fn rate(n: &i64) -> Result<(), String> {
    checks::between(*n, 1, 5000)
}

/// As many partitions or replicas as a drill needs at most.
///
/// # Errors
/// What is allowed.
pub fn few(n: &i64) -> Result<(), String> {
    checks::between(*n, 1, 100)
}

impl DrillOrder {
    /// The acknowledgements that its writes wait for.
    pub fn acks(&self) -> Acks {
        match self.acks.unwrap_or(Acknowledged::All) {
            Acknowledged::All => Acks::All,
            Acknowledged::Leader => Acks::Leader,
        }
    }
}

impl DrillStep {
    /// The attributes that its `kind` does not have, of those that are set.
    pub fn misplaced(&self) -> Vec<&'static str> {
        use StepKind::{EvictNodePods, KillBroker, KillLeaderOfTopic, KillZookeeperLeader};
        let of = |kinds: &[StepKind]| self.kind.known().is_some_and(|kind| kinds.contains(kind));
        let set = [
            ("broker", !self.broker.is_null(), of(&[KillBroker])),
            ("topic", !self.topic.is_null(), of(&[KillLeaderOfTopic])),
            ("partition", !self.partition.is_null(), of(&[KillLeaderOfTopic])),
            ("node", !self.node.is_null(), of(&[EvictNodePods])),
            ("how", !self.how.is_null(), of(&[KillBroker, KillLeaderOfTopic, KillZookeeperLeader])),
        ];
        set.into_iter().filter(|(_, set, has)| *set && !*has).map(|(name, ..)| name).collect()
    }

    /// The step.
    pub fn step(&self) -> Step {
        let kind = match self.kind.unwrap_or(StepKind::Pause) {
            StepKind::KillBroker => Kind::KillBroker(match self.broker.known().and_then(|id| id.parse().ok()) {
                Some(id) => Which::Ordinal(id),
                None => Which::Controller,
            }),
            StepKind::KillLeaderOfTopic => Kind::KillLeaderOfTopic {
                topic: self.topic.known().cloned(),
                partition: i32::try_from(self.partition.unwrap_or(0)).unwrap_or_default(),
            },
            StepKind::KillZookeeperLeader => Kind::KillZookeeperLeader,
            StepKind::EvictNodePods => Kind::EvictNodePods { node: self.node.known().cloned() },
            StepKind::Pause => Kind::Pause,
        };
        let how = match (&kind, self.how.unwrap_or(Going::Delete)) {
            (Kind::EvictNodePods { .. }, _) => How::Evict,
            (_, Going::Kill) => How::Kill,
            (_, Going::Delete) => How::Delete,
        };
        let watch = self.watch.known().and_then(|text| parse_duration(text).ok());
        Step { kind, how, watch: watch.unwrap_or(Duration::from_secs(10)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::model::Attr;

    fn known<T>(value: impl Into<T>) -> Attr<T> {
        Attr::Known(value.into())
    }

    #[test]
    fn a_step_is_what_it_says() {
        let step = |kind: StepKind| DrillStep { kind: known(kind), ..DrillStep::default() };
        let seconds = Duration::from_secs;
        assert_eq!(
            step(StepKind::KillBroker).step(),
            Step { kind: Kind::KillBroker(Which::Controller), how: How::Delete, watch: seconds(10) }
        );
        let first = DrillStep { broker: known("0"), how: known(Going::Kill), watch: known("3s"), ..step(StepKind::KillBroker) };
        assert_eq!(first.step(), Step { kind: Kind::KillBroker(Which::Ordinal(0)), how: How::Kill, watch: seconds(3) });
        assert_eq!(step(StepKind::EvictNodePods).step().how, How::Evict);
        for kind in StepKind::ALL {
            assert_eq!(step(*kind).step().kind.name(), kind.word());
        }
    }

    #[test]
    fn an_attribute_of_another_kind_of_step_is_misplaced() {
        let step =
            DrillStep { kind: known(StepKind::Pause), topic: known("orders"), how: known(Going::Kill), ..DrillStep::default() };
        assert_eq!(step.misplaced(), ["topic", "how"]);
        let step = DrillStep { kind: known(StepKind::KillLeaderOfTopic), ..step };
        assert_eq!(step.misplaced(), [""; 0]);
    }

    #[test]
    fn a_broker_is_an_id_or_the_controller() {
        assert_eq!((broker("controller"), broker("12")), (Ok(()), Ok(())));
        assert!(broker("kafka-0").is_err());
    }
}
