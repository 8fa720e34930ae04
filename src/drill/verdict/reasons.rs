//! Why a drill did not pass, in words for people. Pure.

use super::findings::{Bounds, Range, Tally, Verdict};
use super::gaps::Gap;
use crate::drill::figures::{duration, records, step};
use crate::drill::recording::{Outcome, Recording};

/// Ranges that a reason names; all of them are in the report.
const NAMED: usize = 5;

pub(super) fn reasons(recording: &Recording, verdict: &Verdict, bounds: &Bounds) -> Vec<String> {
    let mut reasons = of_records(verdict);
    reasons.extend(of_writes(recording, verdict));
    reasons.extend(of_steps(recording, verdict, bounds));
    let changed = recording.znode.iter().filter(|check| !check.ok);
    reasons.extend(changed.take(NAMED).map(|check| format!("the znode at {}: {}", duration(check.at), check.what)));
    if let Some(max) = bounds.max_unavailable_ms {
        let over = |gap: &&Gap| gap.length_ms() > max;
        let words = |what: &str, gap: &Gap| {
            let during = gap.step.and_then(|index| recording.steps.get(index).map(|run| (index, run)));
            let during = during.map(|(index, run)| format!(", during {}", step(index, run))).unwrap_or_default();
            let (length, from) = (duration(gap.length_ms()), duration(gap.from_ms));
            format!("partition {} {what} for {length} (from {from} on{during}); allowed: {}", gap.partition, duration(max))
        };
        reasons.extend(verdict.write_gaps.iter().filter(over).map(|gap| words("took no write", gap)));
        reasons.extend(verdict.read_gaps.iter().filter(over).map(|gap| words("gave no record to read", gap)));
    }
    reasons
}

fn of_records(verdict: &Verdict) -> Vec<String> {
    if !verdict.read_back {
        return vec!["the topic could not be read back: it is not known what was lost".to_owned()];
    }
    let kinds: [(&Tally, &str); 7] = [
        (&verdict.lost, "acknowledged and lost"),
        (&verdict.duplicated, "in the topic once more"),
        (&verdict.out_of_order, "in the topic behind a later one"),
        (&verdict.vanished, "read by the consumer group, and not in the topic in the end"),
        (&verdict.skipped, "passed over by the consumer group"),
        (&verdict.unread, "not read by the consumer group up to the end"),
        (&verdict.foreign, "in the topic, and never sent"),
    ];
    let some = kinds.into_iter().filter(|(tally, _)| tally.count > 0);
    some.map(|(tally, what)| format!("{} {what}: {}", records(tally.count), ranges(tally))).collect()
}

fn of_writes(recording: &Recording, verdict: &Verdict) -> Vec<String> {
    let mut reasons = Vec::new();
    if verdict.acknowledged == 0 {
        reasons.push("no record was acknowledged".to_owned());
    }
    let failures = recording.writes.iter().filter_map(|write| match &write.outcome {
        Outcome::Failed { at, error } => Some((write, *at, error)),
        Outcome::Acknowledged { .. } | Outcome::Pending => None,
    });
    if let Some((write, at, error)) = failures.clone().min_by_key(|(_, at, _)| *at) {
        let (count, at) = (records(failures.count() as u64), duration(at));
        reasons.push(format!("{count} given up by the producer, the first at {at} in partition {}: {error}", write.partition));
    }
    let pending = recording.writes.iter().filter(|write| write.outcome == Outcome::Pending).count() as u64;
    if pending > 0 {
        reasons.push(format!("{} neither acknowledged nor refused up to the end", records(pending)));
    }
    reasons
}

fn of_steps(recording: &Recording, verdict: &Verdict, bounds: &Bounds) -> Vec<String> {
    let mut reasons = Vec::new();
    if recording.steps.is_empty() {
        reasons.push("no step was taken".to_owned());
    }
    for (index, (run, figures)) in recording.steps.iter().zip(&verdict.steps).enumerate() {
        let name = step(index, run);
        match (&run.error, figures.recovered_ms, bounds.max_recovery_ms) {
            (Some(error), ..) => reasons.push(format!("{name}: {error}")),
            (None, ..) if !run.has_ended() => reasons.push(format!("{name} did not come to its end")),
            (None, Some(took), Some(max)) if took > max => {
                reasons.push(format!("{name}: everything was whole again after {}; allowed: {}", duration(took), duration(max)));
            }
            _ => {}
        }
    }
    reasons
}

/// `partition 0: 17 to 19 (offsets 16 to 18), ...`
fn ranges(tally: &Tally) -> String {
    let one = |range: &Range| {
        let to = |first: String, last: String| if first == last { first } else { format!("{first} to {last}") };
        let sequences = to(range.first_sequence.to_string(), range.last_sequence.to_string());
        let offsets = match (range.first_offset, range.last_offset) {
            (Some(first), Some(last)) => format!(" (offset {})", to(first.to_string(), last.to_string())),
            _ => String::new(),
        };
        format!("partition {}: {sequences}{offsets}", range.partition)
    };
    let named: Vec<String> = tally.ranges.iter().take(NAMED).map(one).collect();
    let more = if tally.ranges.len() > NAMED { ", ..." } else { "" };
    format!("{}{more}", named.join(", "))
}
