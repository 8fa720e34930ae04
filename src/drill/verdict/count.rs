//! What became of every record. Pure.
//!
//! A record that was not acknowledged may be in the topic all the same: its acknowledgement was on the way when the connection
//! went. It is `unknown`, not lost and not a duplicate. The other way round there is no doubt: what was acknowledged and is not
//! there was lost.

use super::findings::{Range, Tally};
use crate::drill::recording::{Outcome, Read, Recording};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Ranges that are named at most.
const NAMED: usize = 100;

/// What became of the records; see [`super::Verdict`].
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub lost: Tally,
    pub duplicated: Tally,
    pub out_of_order: Tally,
    pub failed: Tally,
    pub unknown: Tally,
    pub vanished: Tally,
    pub skipped: Tally,
    pub unread: Tally,
    pub foreign: Tally,
}

/// A record, and the offset that somebody named.
type One = (i32, u64, Option<i64>);

pub(super) fn count(recording: &Recording) -> Counted {
    let Some(found) = &recording.found else { return Counted::default() };
    let log = Log::new(found);
    let mut counted = Counted { duplicated: tally(log.duplicated), out_of_order: tally(log.out_of_order), ..Counted::default() };
    let (mut lost, mut failed, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    let mut sent = HashSet::with_capacity(recording.writes.len());
    let mut acknowledged = HashSet::with_capacity(recording.writes.len());
    for write in &recording.writes {
        let key = (write.partition, write.sequence);
        sent.insert(key);
        match (&write.outcome, log.first.get(&key)) {
            (Outcome::Acknowledged { offset, .. }, stored) => {
                acknowledged.insert(key);
                if stored.is_none() {
                    // A producer that repeats a write is told that it was stored, not where.
                    lost.push((key.0, key.1, Some(*offset).filter(|offset| *offset >= 0)));
                }
            }
            (Outcome::Failed { .. } | Outcome::Pending, Some(offset)) => unknown.push((key.0, key.1, Some(*offset))),
            (Outcome::Failed { .. } | Outcome::Pending, None) => failed.push((key.0, key.1, None)),
        }
    }
    (counted.lost, counted.failed, counted.unknown) = (tally(lost), tally(failed), tally(unknown));
    let foreign = log.first.iter().filter(|(key, _)| !sent.contains(key)).map(|(key, offset)| (key.0, key.1, Some(*offset)));
    counted.foreign = tally(foreign.collect());
    let gone = |read: &&Read| {
        let key = (read.partition, read.sequence);
        !log.first.contains_key(&key) && !acknowledged.contains(&key)
    };
    let vanished: HashSet<One> = recording.reads.iter().filter(gone).map(one).collect();
    counted.vanished = tally(vanished.into_iter().collect());
    (counted.skipped, counted.unread) = not_read(found, &recording.reads);
    counted
}

fn one(read: &Read) -> One {
    (read.partition, read.sequence, Some(read.offset))
}

/// What is in the topic.
struct Log {
    /// The first offset of each record.
    first: HashMap<(i32, u64), i64>,
    duplicated: Vec<One>,
    out_of_order: Vec<One>,
}

impl Log {
    fn new(found: &[Read]) -> Self {
        let mut entries: Vec<(i32, i64, u64)> = found.iter().map(|read| (read.partition, read.offset, read.sequence)).collect();
        entries.sort_unstable();
        // The same offset twice is one record that was fetched twice.
        entries.dedup();
        let mut log = Self { first: HashMap::with_capacity(entries.len()), duplicated: Vec::new(), out_of_order: Vec::new() };
        let mut latest: BTreeMap<i32, u64> = BTreeMap::new();
        for (partition, offset, sequence) in entries {
            if log.first.contains_key(&(partition, sequence)) {
                log.duplicated.push((partition, sequence, Some(offset)));
                continue;
            }
            log.first.insert((partition, sequence), offset);
            let latest = latest.entry(partition).or_insert(sequence);
            if sequence < *latest {
                log.out_of_order.push((partition, sequence, Some(offset)));
            }
            *latest = sequence.max(*latest);
        }
        log
    }
}

/// What the group passed over, and what it had not come to yet.
fn not_read(found: &[Read], reads: &[Read]) -> (Tally, Tally) {
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    let mut seen = HashSet::with_capacity(reads.len());
    for read in reads {
        // Not by offset: after a truncation another record may have it.
        seen.insert((read.partition, read.sequence));
        let last = last.entry(read.partition).or_insert(read.offset);
        *last = read.offset.max(*last);
    }
    let missed = found.iter().filter(|read| !seen.contains(&(read.partition, read.sequence)));
    let passed = |read: &&Read| last.get(&read.partition).is_some_and(|last| read.offset <= *last);
    let (skipped, unread): (Vec<&Read>, Vec<&Read>) = missed.partition(passed);
    (tally(skipped.into_iter().map(one).collect()), tally(unread.into_iter().map(one).collect()))
}

/// Counts, and names them as ranges.
fn tally(mut records: Vec<One>) -> Tally {
    records.sort_unstable();
    let mut ranges: Vec<Range> = Vec::new();
    for &(partition, sequence, offset) in &records {
        let follows = |last: &&mut Range| last.partition == partition && sequence.saturating_sub(last.last_sequence) <= 1;
        if let Some(last) = ranges.last_mut().filter(follows) {
            (last.last_sequence, last.last_offset) = (sequence, offset);
            continue;
        }
        if ranges.len() == NAMED {
            break;
        }
        ranges.push(Range {
            partition,
            first_sequence: sequence,
            last_sequence: sequence,
            first_offset: offset,
            last_offset: offset,
        });
    }
    Tally { count: records.len() as u64, ranges }
}
