//! What happened when, in a few hundred buckets, however long the drill was. Pure.

use crate::drill::recording::{Outcome, Recording, Sample};
use crate::drill::verdict::percentile;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Buckets, and spans of one lane, at most.
const MOST: u64 = 300;
/// Lanes of one kind at most.
const LANES: usize = 100;

/// What happened when. Times are milliseconds since the load began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// How long a bucket is.
    pub bucket_ms: u64,
    /// The load, bucket by bucket from 0.
    pub buckets: Vec<Bucket>,
    /// The leader of each partition of the drill's topic: the broker's id, or `none`.
    pub leaders: Vec<Lane>,
    /// In-sync replicas of the partition with the fewest.
    pub in_sync: Vec<Span>,
    /// The role of each ZooKeeper member.
    pub zookeeper: Vec<Lane>,
    /// The times in which a pod was not ready, of each pod that has some.
    pub not_ready: Vec<Lane>,
    /// The broker that was the controller, or `none`.
    pub controller: Vec<Span>,
}

/// The load during one bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Records that the consumer group read.
    pub read: u64,
    /// Of the records acknowledged in it: half took no longer.
    pub p50_ms: Option<u64>,
    /// Of the records acknowledged in it: the slowest.
    pub max_ms: Option<u64>,
}

/// What one thing was, over the time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The partition's number, or the pod's name.
    pub name: String,
    /// What it was when.
    pub spans: Vec<Span>,
}

/// Something that did not change for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// From when on.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// What.
    pub value: String,
}

impl Timeline {
    /// When it ends.
    pub fn end_ms(&self) -> u64 {
        self.bucket_ms * self.buckets.len() as u64
    }
}

pub(super) fn timeline(recording: &Recording) -> Timeline {
    let end = end(recording);
    // Whole multiples of 100 ms are easier to read, and to add up.
    let bucket_ms = (end.div_ceil(MOST)).div_ceil(100).max(1) * 100;
    let samples = &recording.samples;
    let partitions: BTreeSet<i32> =
        samples.iter().flat_map(|sample| &sample.partitions).map(|one| one.index).take(100_000).collect();
    let leader = |index: i32| {
        lane(index.to_string(), samples, end, |sample| {
            let one = sample.partitions.iter().find(|one| one.index == index)?;
            Some(one.leader.map_or("none".to_owned(), |leader| leader.to_string()))
        })
    };
    let members: BTreeSet<&str> = samples.iter().flat_map(|sample| &sample.zookeeper).map(|one| one.pod.as_str()).collect();
    let role = |pod: &str| {
        lane(pod.to_owned(), samples, end, |sample| {
            sample.zookeeper.iter().find(|one| one.pod == pod).map(|one| one.role.clone())
        })
    };
    let away: BTreeSet<&str> = samples.iter().flat_map(|sample| &sample.not_ready).map(String::as_str).collect();
    let not_ready = |pod: &str| {
        lane(pod.to_owned(), samples, end, |sample| sample.not_ready.iter().any(|one| one == pod).then(|| "not ready".to_owned()))
    };
    let fewest = |sample: &Sample| sample.partitions.iter().map(|one| one.isr.len()).min().map(|fewest| fewest.to_string());
    Timeline {
        bucket_ms,
        buckets: buckets(recording, bucket_ms, end),
        leaders: partitions.into_iter().take(LANES).map(leader).collect(),
        in_sync: lane(String::new(), samples, end, fewest).spans,
        zookeeper: members.into_iter().take(LANES).map(role).collect(),
        not_ready: away.into_iter().take(LANES).map(not_ready).collect(),
        controller: lane(String::new(), samples, end, |sample| sample.controller.map(|id| id.to_string())).spans,
    }
}

/// The last moment at which something happened to the load or in a step. Reading back comes after it.
fn end(recording: &Recording) -> u64 {
    let writes = recording.writes.iter().map(|write| match write.outcome {
        Outcome::Acknowledged { at, .. } | Outcome::Failed { at, .. } => at.max(write.sent),
        Outcome::Pending => write.sent,
    });
    let reads = recording.reads.iter().map(|read| read.at);
    let steps = recording.steps.iter().map(|step| step.ended.max(step.began));
    writes.chain(reads).chain(steps).max().unwrap_or(0).max(1)
}

fn buckets(recording: &Recording, bucket_ms: u64, end: u64) -> Vec<Bucket> {
    let mut latencies: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for write in &recording.writes {
        if let Outcome::Acknowledged { at, .. } = write.outcome {
            latencies.entry(at / bucket_ms).or_default().push(at.saturating_sub(write.sent));
        }
    }
    let mut reads: BTreeMap<u64, u64> = BTreeMap::new();
    for read in &recording.reads {
        *reads.entry(read.at / bucket_ms).or_default() += 1;
    }
    let bucket = |index: u64| {
        let mut latencies = latencies.remove(&index).unwrap_or_default();
        latencies.sort_unstable();
        Bucket {
            acknowledged: latencies.len() as u64,
            read: reads.get(&index).copied().unwrap_or(0),
            p50_ms: percentile(&latencies, 50),
            max_ms: latencies.last().copied(),
        }
    };
    (0..=end / bucket_ms).map(bucket).collect()
}

/// What was seen in each sample holds until the next one. None: nothing was seen, and nothing is drawn.
fn lane(name: String, samples: &[Sample], end: u64, value: impl Fn(&Sample) -> Option<String>) -> Lane {
    let mut spans: Vec<Span> = Vec::new();
    for (i, sample) in samples.iter().enumerate() {
        let next = samples.get(i + 1).map_or(end, |next| next.at).min(end);
        let Some(value) = value(sample).filter(|_| sample.at < next) else { continue };
        match spans.last_mut() {
            Some(last) if last.to_ms == sample.at && last.value == value => last.to_ms = next,
            _ => spans.push(Span { from_ms: sample.at, to_ms: next, value }),
        }
    }
    Lane { name, spans: thinned(spans, end) }
}

/// The longest spans of each stretch of time, when there are too many.
fn thinned(spans: Vec<Span>, end: u64) -> Vec<Span> {
    if spans.len() as u64 <= MOST {
        return spans;
    }
    let mut longest: BTreeMap<u64, Span> = BTreeMap::new();
    for span in spans {
        let length = |span: &Span| span.to_ms - span.from_ms;
        let kept = longest.entry(span.from_ms * MOST / (end + 1)).or_insert_with(|| span.clone());
        if length(&span) > length(kept) {
            *kept = span;
        }
    }
    longest.into_values().collect()
}
