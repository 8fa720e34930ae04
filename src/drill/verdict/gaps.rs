//! For how long a partition took no write, or gave no read. Pure.
//!
//! A gap is the time between two acknowledgements (or two records read) of one partition. What was asked for and never came is a
//! gap up to the moment at which it was given up. Before the first acknowledgement there is no gap: clients are still connecting;
//! unless a step has begun by then, or none ever comes.

use crate::drill::recording::{Outcome, Recording, StepRun};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A time in which nothing came from one partition, in milliseconds since the load began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The partition.
    pub partition: i32,
    /// When the last one came before it.
    pub from_ms: u64,
    /// When the next one came.
    pub to_ms: u64,
    /// The step into which most of it falls, from 0; none: into no step.
    pub step: Option<usize>,
}

impl Gap {
    /// How long it was, in milliseconds.
    pub fn length_ms(&self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }
}

/// What came of one partition, and between which moments something was to come.
#[derive(Default)]
struct Line {
    came: Vec<u64>,
    asked: Option<u64>,
    given_up: Option<u64>,
}

/// The gaps between acknowledgements.
pub(super) fn of_writes(recording: &Recording) -> Vec<Gap> {
    let mut lines: BTreeMap<i32, Line> = BTreeMap::new();
    for write in &recording.writes {
        let line = lines.entry(write.partition).or_default();
        line.asked = Some(line.asked.map_or(write.sent, |asked| asked.min(write.sent)));
        let given_up = match &write.outcome {
            Outcome::Acknowledged { at, .. } => {
                line.came.push(*at);
                continue;
            }
            Outcome::Failed { at, .. } => *at,
            Outcome::Pending => recording.ended,
        };
        line.given_up = line.given_up.max(Some(given_up));
    }
    gaps(lines, &recording.steps, recording.ended)
}

/// The gaps between records that the consumer group read.
pub(super) fn of_reads(recording: &Recording) -> Vec<Gap> {
    let mut lines: BTreeMap<i32, Line> = BTreeMap::new();
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for read in &recording.reads {
        lines.entry(read.partition).or_default().came.push(read.at);
        last.entry(read.partition).and_modify(|last| *last = read.offset.max(*last)).or_insert(read.offset);
    }
    // What is there and was not read was waited for until the end.
    for write in &recording.writes {
        let line = lines.entry(write.partition).or_default();
        if let Outcome::Acknowledged { at, offset } = write.outcome {
            line.asked = Some(line.asked.map_or(at, |asked| asked.min(at)));
            if offset > last.get(&write.partition).copied().unwrap_or(-1) {
                line.given_up = Some(recording.ended);
            }
        }
    }
    gaps(lines, &recording.steps, recording.ended)
}

fn gaps(lines: BTreeMap<i32, Line>, steps: &[StepRun], ended: u64) -> Vec<Gap> {
    let first_step = steps.iter().map(|step| step.began).min().unwrap_or(u64::MAX);
    let mut gaps = Vec::new();
    for (partition, mut line) in lines {
        line.came.sort_unstable();
        let first = line.came.first().copied();
        let connecting = first.is_some_and(|first| first <= first_step);
        let begin = line.asked.filter(|_| !connecting);
        let end = line.given_up.filter(|end| line.came.last().is_none_or(|last| end > last));
        let moments: Vec<u64> = begin.into_iter().chain(line.came).chain(end).collect();
        for (from, to) in moments.iter().zip(moments.iter().skip(1)).filter(|(from, to)| from < to) {
            gaps.push(Gap { partition, from_ms: *from, to_ms: *to, step: step_of(*from, *to, steps, ended) });
        }
    }
    gaps
}

/// The step into which most of a time falls.
fn step_of(from: u64, to: u64, steps: &[StepRun], ended: u64) -> Option<usize> {
    let overlap = |step: &StepRun| {
        let end = if step.has_ended() { step.ended } else { ended };
        to.min(end).saturating_sub(from.max(step.began))
    };
    let (most, Reverse(index)) = steps.iter().enumerate().map(|(index, step)| (overlap(step), Reverse(index))).max()?;
    (most > 0).then_some(index)
}

/// The longest one; of several the first.
pub(super) fn longest<'a>(gaps: impl IntoIterator<Item = &'a Gap>) -> Option<&'a Gap> {
    gaps.into_iter().max_by_key(|gap| (gap.length_ms(), Reverse((gap.from_ms, gap.partition))))
}

/// The longest one that falls into a step.
pub(super) fn longest_during(gaps: &[Gap], step: usize) -> Option<Gap> {
    longest(gaps.iter().filter(|gap| gap.step == Some(step))).cloned()
}

/// The longest one of each partition.
pub(super) fn longest_of_each(gaps: &[Gap]) -> Vec<Gap> {
    let of_one = |partition: &[Gap]| longest(partition).cloned();
    gaps.chunk_by(|a, b| a.partition == b.partition).filter_map(of_one).collect()
}
