//! `kafkastack_health`: whether a stack is healthy, and every reason why not.
//!
//! `schema.rs` attributes · `look.rs` asks · `judge.rs` what is seen -> reasons · this file: what is seen -> attributes.

pub mod judge;
pub mod look;
pub mod schema;

use crate::kafka::LogDir;
use crate::plugin::context::Context;
use crate::plugin::data_source::DataSource;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::Done;
use crate::plugin::provider::Offers;
use crate::stack::Stack;
use crate::stack::ailments::partitions;
use crate::stack::facts::Facts;
use crate::zookeeper::Mode;
use judge::{Seen, Thresholds};
use schema::{BrokerHealth, MemberHealth, StackHealth};

/// Names in a list: enough for a person, and for a plan to stay readable.
const MOST: usize = 100;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().data_source(Health)
}

/// The data source.
pub struct Health;

impl DataSource for Health {
    type Client = Stack;
    type Model = StackHealth;
    const NAME: &'static str = "health";

    async fn read(&self, cx: &Context<'_, Stack>, config: StackHealth) -> Result<Done<StackHealth>, Diagnostics> {
        let ensemble = config.zookeeper_ensemble.known().map(String::as_str);
        let site = cx.client()?.site(config.cluster.text(), ensemble).await?;
        let seen = look::look(&site).await?;
        Ok(Done::new(told(config, &seen)))
    }
}

fn thresholds(config: &StackHealth) -> Thresholds {
    let number = |attr: &Attr<i64>| attr.known().and_then(|number| u64::try_from(*number).ok());
    Thresholds {
        disk_free_percent: number(&config.min_disk_free_percent).unwrap_or(0),
        leader_skew: number(&config.max_leader_skew),
        outstanding_requests: number(&config.max_outstanding_requests).unwrap_or(u64::MAX),
    }
}

fn count(number: usize) -> Attr<i64> {
    Attr::Known(i64::try_from(number).unwrap_or(i64::MAX))
}

fn figure(number: Option<u64>) -> Attr<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)).into()
}

/// What is seen, as attributes.
fn told(config: StackHealth, seen: &Seen) -> StackHealth {
    let reasons = judge::reasons(seen, &thresholds(&config));
    let nothing = (None, &[][..]);
    let (view, topics) = seen.facts.kafka.as_ref().map_or(nothing, |(view, topics)| (Some(view), topics.as_slice()));
    let partitions = partitions(topics, Some(&seen.min_insync));
    let listed = |names: &[String]| Attr::Known(names.iter().take(MOST).cloned().collect());
    let led = view.map(|view| judge::leaders(view, topics)).unwrap_or_default();
    let synced = seen.figures.values().find_map(|figures| figures.synced_followers);
    StackHealth {
        healthy: Attr::Known(reasons.is_empty()),
        reasons: Attr::Known(reasons),
        controller: view.and_then(|view| view.controller).map(i64::from).into(),
        brokers: Attr::Known(
            (0..seen.facts.brokers).map(|id| broker(id, seen, led.get(&i32::try_from(id).unwrap_or(-1)))).collect(),
        ),
        partition_count: count(topics.iter().map(|topic| topic.partitions.len()).sum()),
        offline_partitions: listed(&partitions.offline),
        offline_partition_count: count(partitions.offline.len()),
        under_replicated_partitions: listed(&partitions.under_replicated),
        under_replicated_partition_count: count(partitions.under_replicated.len()),
        under_min_isr_partitions: listed(&partitions.under_min_insync),
        under_min_isr_partition_count: count(partitions.under_min_insync.len()),
        leader_skew: figure(Some(judge::skew(&led))),
        outdated_pods: listed(&seen.outdated),
        pods_not_ready: listed(&not_ready(&seen.facts)),
        members: Attr::Known(seen.facts.modes.iter().map(|(pod, mode)| member(pod, mode.as_ref().ok(), seen)).collect()),
        synced_followers: figure(synced),
        ..config
    }
}

fn not_ready(facts: &Facts) -> Vec<String> {
    facts.pods.iter().filter(|pod| !pod.ready).map(|pod| pod.name.clone()).collect()
}

/// `led`: how many partitions it leads, if it is registered.
fn broker(id: i64, seen: &Seen, led: Option<&u64>) -> BrokerHealth {
    let dirs = i32::try_from(id).ok().and_then(|id| seen.disks.get(&id)?.as_ref().ok());
    let sum = |of: fn(&LogDir) -> Option<u64>| figure(dirs.and_then(|dirs| dirs.iter().map(of).sum::<Option<u64>>()));
    BrokerHealth {
        id: Attr::Known(id),
        registered: Attr::Known(led.is_some()),
        leaders: figure(Some(led.copied().unwrap_or(0))),
        log_bytes: sum(|dir| Some(dir.bytes)),
        disk_bytes: sum(|dir| dir.total),
        disk_free_bytes: sum(|dir| dir.usable),
    }
}

fn member(pod: &str, mode: Option<&Mode>, seen: &Seen) -> MemberHealth {
    MemberHealth {
        pod: Attr::Known(pod.to_owned()),
        role: mode.map(|mode| mode.name().to_owned()).into(),
        outstanding_requests: figure(seen.figures.get(pod).and_then(|figures| figures.outstanding)),
    }
}
