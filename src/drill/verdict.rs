//! What a drill proved, in figures. Pure: the same recording gives the same verdict.
//!
//! ```text
//! recording ─▶ count: every record is stored, lost, failed or unknown; duplicates, order
//!           ─▶ gaps: for how long a partition took no write, gave no read, and during which step
//!           ─▶ reasons: why it did not pass
//! ```

mod count;
mod findings;
mod gaps;
mod reasons;
#[cfg(test)]
mod tests;

pub use findings::{Bounds, Latency, Range, StepFigures, Tally, Verdict};
pub use gaps::Gap;

use super::recording::{Outcome, Recording, StepRun};

/// Judges a recording.
pub fn judge(recording: &Recording, bounds: &Bounds) -> Verdict {
    let counted = count::count(recording);
    let (writes, reads) = (gaps::of_writes(recording), gaps::of_reads(recording));
    let acknowledged =
        recording.writes.iter().filter(|write| matches!(write.outcome, Outcome::Acknowledged { .. })).count() as u64;
    let figures = |(index, step): (usize, &StepRun)| StepFigures {
        write_gap: gaps::longest_during(&writes, index),
        read_gap: gaps::longest_during(&reads, index),
        ..times(step)
    };
    let mut verdict = Verdict {
        passed: false,
        reasons: Vec::new(),
        sent: recording.writes.len() as u64,
        acknowledged,
        read_back: recording.found.is_some(),
        lost: counted.lost,
        duplicated: counted.duplicated,
        out_of_order: counted.out_of_order,
        failed: counted.failed,
        unknown: counted.unknown,
        vanished: counted.vanished,
        skipped: counted.skipped,
        unread: counted.unread,
        foreign: counted.foreign,
        write_gaps: gaps::longest_of_each(&writes),
        read_gaps: gaps::longest_of_each(&reads),
        latency: latency(recording),
        throughput_per_second: throughput(recording, acknowledged),
        steps: recording.steps.iter().enumerate().map(figures).collect(),
        znode_lost: (!recording.znode.is_empty()).then(|| recording.znode.iter().any(|check| !check.ok)),
        znode_longest_ms: recording.znode.iter().map(|check| check.took).max(),
    };
    verdict.reasons = reasons::reasons(recording, &verdict, bounds);
    verdict.passed = verdict.reasons.is_empty();
    verdict
}

/// The times of a step since its pod was taken away.
fn times(step: &StepRun) -> StepFigures {
    let Some(killed) = step.killed else { return StepFigures::default() };
    let since = |at: Option<u64>| at.map(|at| at.saturating_sub(killed));
    let seen = [step.new_leader, step.full_isr, step.quorum, step.ready].map(since);
    let [new_leader_ms, full_isr_ms, quorum_ms, ready_ms] = seen;
    let whole = step.error.is_none() && step.has_ended();
    let recovered_ms = seen.into_iter().flatten().max().filter(|_| whole);
    StepFigures { new_leader_ms, full_isr_ms, quorum_ms, ready_ms, recovered_ms, ..StepFigures::default() }
}

fn latency(recording: &Recording) -> Option<Latency> {
    let of = |write: &super::recording::Write| match write.outcome {
        Outcome::Acknowledged { at, .. } => Some(at.saturating_sub(write.sent)),
        Outcome::Failed { .. } | Outcome::Pending => None,
    };
    let mut all: Vec<u64> = recording.writes.iter().filter_map(of).collect();
    all.sort_unstable();
    Some(Latency { p50_ms: percentile(&all, 50)?, p99_ms: percentile(&all, 99)?, max_ms: *all.last()? })
}

/// The nearest rank of sorted values.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn throughput(recording: &Recording, acknowledged: u64) -> f64 {
    let first = recording.writes.iter().map(|write| write.sent).min().unwrap_or(0);
    let last = recording.writes.iter().filter_map(|write| match write.outcome {
        Outcome::Acknowledged { at, .. } => Some(at),
        Outcome::Failed { .. } | Outcome::Pending => None,
    });
    match last.max().map(|last| last.saturating_sub(first)) {
        Some(time) if time > 0 => acknowledged as f64 * 1000.0 / time as f64,
        _ => 0.0,
    }
}
