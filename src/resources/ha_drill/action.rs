//! The drill as an action of Terraform 1.14 and newer: run on request, with its progress told. The drill is that of the resource.

use super::apply;
use super::plan;
use super::schema::{self, Acknowledged, DrillStep, HaDrill};
use crate::model;
use crate::plugin::action::Action;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::schema::{optional, required};
use crate::plugin::timeouts::{is_duration, parse_duration};
use crate::resources::checks::cluster_id;
use crate::stack::Stack;
use std::time::Duration;

model! {
    /// A high availability drill: pods of a running cluster are taken away, one at a time, while a load runs as real applications
    /// run it. It fails when an acknowledged record is lost, or a bound is not kept. What the attributes mean in detail, and what a
    /// drill needs and leaves: see the resource of the same name, which keeps the figures.
    pub struct Drill {
        /// The `id` of the `kafkastack_cluster`.
        cluster: String = required().check(cluster_id),
        /// The `id` of the `kafkastack_zookeeper_ensemble`. Default: the one that the cluster's `zookeeper.connection` names.
        zookeeper_ensemble: String = optional().check(cluster_id),
        /// What is done, in this order.
        steps: Vec<DrillStep> = required().check(schema::steps),
        /// How many records are written each second, of 100 bytes each. Default: 500.
        records_per_second: i64 = optional().check(schema::rate),
        /// How many partitions the drill's topic has. Default: 3.
        partitions: i64 = optional().check(schema::few),
        /// How many replicas each of them has. Default: 3.
        replication_factor: i64 = optional().check(schema::few),
        /// `min.insync.replicas` of the drill's topic. Default: 2.
        min_insync_replicas: i64 = optional().check(schema::few),
        /// `all` (the default), or `1`.
        acks: Acknowledged = optional(),
        /// The longest time for which no record of a partition may be acknowledged, or read, such as `30s`.
        max_unavailable: String = optional().check(is_duration),
        /// The longest time that a step may take until everything is whole again, such as `5m`.
        max_recovery: String = optional().check(is_duration),
        /// A file to write the report to: one HTML page that needs nothing else.
        report_path: String = optional().check(schema::path),
        /// How long the whole drill may take. Default: `30m`.
        timeout: String = optional().check(is_duration),
    }
}

/// The action.
pub struct KafkaDrill;

impl Drill {
    /// The same as the resource has it.
    fn wanted(&self) -> HaDrill {
        HaDrill {
            cluster: self.cluster.clone(),
            zookeeper_ensemble: self.zookeeper_ensemble.clone(),
            steps: self.steps.clone(),
            records_per_second: self.records_per_second.clone(),
            partitions: self.partitions.clone(),
            replication_factor: self.replication_factor.clone(),
            min_insync_replicas: self.min_insync_replicas.clone(),
            acks: self.acks.clone(),
            max_unavailable: self.max_unavailable.clone(),
            max_recovery: self.max_recovery.clone(),
            report_path: self.report_path.clone(),
            ..HaDrill::default()
        }
    }
}

impl Action for KafkaDrill {
    type Client = Stack;
    type Model = Drill;
    const NAME: &'static str = "ha_drill";

    fn limit(&self, config: &Drill) -> Duration {
        let given = config.timeout.known().and_then(|text| parse_duration(text).ok());
        given.unwrap_or(Duration::from_secs(30 * 60))
    }

    fn validate(&self, config: &Drill, diagnostics: &mut Diagnostics) {
        plan::validate(&config.wanted(), diagnostics);
    }

    async fn invoke(&self, cx: &Context<'_, Stack>, config: Drill) -> Result<Diagnostics, Diagnostics> {
        let (report, said) = apply::drill(cx, &config.wanted()).await?;
        cx.say(&report.summary);
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::schema::StepKind;
    use super::*;
    use crate::drill::step::{How, Kind, Step};
    use crate::plugin::model::Attr;

    #[test]
    fn an_action_wants_what_the_resource_would() {
        let kind = Attr::Known(StepKind::KillZookeeperLeader);
        let steps = Attr::Known(vec![DrillStep { kind, ..DrillStep::default() }]);
        let drill =
            Drill { cluster: Attr::Known("prod/kafka".into()), steps, timeout: Attr::Known("5m".into()), ..Drill::default() };
        let wanted = drill.wanted();
        let steps: Vec<Step> = wanted.steps.known().unwrap().iter().map(DrillStep::step).collect();
        assert_eq!(steps, [Step { kind: Kind::KillZookeeperLeader, how: How::Delete, watch: Duration::from_secs(10) }]);
        assert_eq!((wanted.cluster.text(), KafkaDrill.limit(&drill)), ("prod/kafka", Duration::from_secs(300)));
    }
}
