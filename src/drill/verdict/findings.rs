//! What a drill proved: the figures of the report, which stays readable by what reads it today. Pure.

use super::gaps::{self, Gap};
use serde::{Deserialize, Serialize};

/// What is asked of the figures, in milliseconds. That nothing acknowledged is lost is always asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The longest time for which no record of a partition may be acknowledged, or read.
    pub max_unavailable_ms: Option<u64>,
    /// The longest time until everything is whole again after a pod was taken away.
    pub max_recovery_ms: Option<u64>,
}

/// What a drill proved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether there is no reason against it.
    pub passed: bool,
    /// Why it did not pass, in words.
    pub reasons: Vec<String>,
    /// Records handed to the producer.
    pub sent: u64,
    /// Records that the brokers acknowledged.
    pub acknowledged: u64,
    /// Whether the topic was read back in the end. Otherwise nothing is known of `lost`, `duplicated`, `out_of_order` and the like.
    pub read_back: bool,
    /// Acknowledged, and not in the topic in the end.
    pub lost: Tally,
    /// More than once in the topic: each copy behind the first.
    pub duplicated: Tally,
    /// In the topic behind a later one of its partition.
    pub out_of_order: Tally,
    /// Not acknowledged, and not in the topic: the application was told, or would have been.
    pub failed: Tally,
    /// Not acknowledged, and yet in the topic. The application cannot know; neither lost nor duplicated.
    pub unknown: Tally,
    /// Read by the consumer group, never acknowledged, and not in the topic in the end: it was shown what did not last.
    pub vanished: Tally,
    /// In the topic before records that the group read, and never read by it.
    pub skipped: Tally,
    /// In the topic behind what the group read last: it did not catch up.
    pub unread: Tally,
    /// In the topic, and never sent.
    pub foreign: Tally,
    /// The longest time without an acknowledgement, of each partition.
    pub write_gaps: Vec<Gap>,
    /// The longest time without a record read by the consumer group, of each partition.
    pub read_gaps: Vec<Gap>,
    /// From sent to acknowledged.
    pub latency: Option<Latency>,
    /// Acknowledged records per second, from the first that was sent to the last acknowledgement.
    pub throughput_per_second: f64,
    /// Figures of each step of the recording.
    pub steps: Vec<StepFigures>,
    /// Whether the znode was gone, or held something else; none: no ensemble was watched.
    pub znode_lost: Option<bool>,
    /// The longest that a read of the znode took, in milliseconds.
    pub znode_longest_ms: Option<u64>,
}

/// How many records, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Which: the first 100 ranges.
    pub ranges: Vec<Range>,
}

/// Records of one partition whose sequence numbers follow one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Their partition.
    pub partition: i32,
    /// The number of the first.
    pub first_sequence: u64,
    /// The number of the last.
    pub last_sequence: u64,
    /// The offset of the first, as it was acknowledged or read; none: nobody said.
    pub first_offset: Option<i64>,
    /// The offset of the last.
    pub last_offset: Option<i64>,
}

/// From sent to acknowledged, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the records took no longer.
    pub p50_ms: u64,
    /// 99 of 100 took no longer.
    pub p99_ms: u64,
    /// The slowest.
    pub max_ms: u64,
}

/// What came of a step, in milliseconds since its pod was taken away. None: it does not apply, or was not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Until every partition that the broker led had another leader.
    pub new_leader_ms: Option<u64>,
    /// Until every replica was in sync again.
    pub full_isr_ms: Option<u64>,
    /// Until another member led the ensemble.
    pub quorum_ms: Option<u64>,
    /// Until every pod was ready again.
    pub ready_ms: Option<u64>,
    /// Until all of these.
    pub recovered_ms: Option<u64>,
    /// The longest write gap that falls into the step.
    pub write_gap: Option<Gap>,
    /// The longest read gap that falls into the step.
    pub read_gap: Option<Gap>,
}

impl Verdict {
    /// The longest write gap of all partitions.
    pub fn longest_write_gap(&self) -> Option<&Gap> {
        gaps::longest(&self.write_gaps)
    }

    /// The longest read gap of all partitions.
    pub fn longest_read_gap(&self) -> Option<&Gap> {
        gaps::longest(&self.read_gaps)
    }
}
