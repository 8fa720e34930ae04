//! A drill that cannot fail proves nothing: every kind of fault, planted, is found, and nothing else is.

use super::*;
use crate::drill::recording::{Read, Settings, Write, ZnodeCheck};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What becomes of a record in a test.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Stored,
    Lost,
    /// Given up, and not there.
    Failed,
    /// Given up, and there.
    Unknown,
    /// Never answered, and there.
    Unanswered,
    /// There twice.
    Twice,
    /// There behind the next one.
    Late,
    /// There, and the group passes over it.
    Skipped,
    /// Read along, never acknowledged, and gone in the end.
    Vanished,
}
use Fate::{Failed, Late, Lost, Skipped, Stored, Twice, Unanswered, Unknown, Vanished};

/// One record each 10 ms in each partition, acknowledged after 5 and read after 8.
fn recording(partitions: &[Vec<Fate>]) -> Recording {
    let step = StepRun {
        kind: "kill_broker".into(),
        target: "kafka-0".into(),
        how: "kill".into(),
        began: 20,
        killed: Some(30),
        new_leader: Some(40),
        full_isr: Some(90),
        ready: Some(80),
        ended: 100,
        ..StepRun::default()
    };
    let longest = partitions.iter().map(Vec::len).max().unwrap_or(0) as u64;
    let settings = Settings { partitions: partitions.len() as i32, acks: "all".into(), ..Settings::default() };
    let mut recording = Recording { settings, ended: 1000 + longest * 10, steps: vec![step], ..Recording::default() };
    let mut found = Vec::new();
    for (partition, fates) in partitions.iter().enumerate() {
        let partition = partition as i32;
        let mut log: Vec<(u64, Fate)> = Vec::new();
        for (sequence, fate) in fates.iter().enumerate() {
            let (sequence, sent) = (sequence as u64, sequence as u64 * 10);
            let failed = Outcome::Failed { at: sent + 7, error: "it timed out".into() };
            let outcome = match fate {
                Failed | Unknown | Vanished => failed,
                Unanswered => Outcome::Pending,
                Stored | Lost | Twice | Late | Skipped => Outcome::Acknowledged { at: sent + 5, offset: sequence as i64 },
            };
            recording.writes.push(Write { partition, sequence, sent, outcome });
            match fate {
                Lost | Failed => {}
                Twice => log.extend([(sequence, Stored), (sequence, Stored)]),
                fate => log.push((sequence, *fate)),
            }
        }
        let mut i = 1;
        while i < log.len() {
            // Behind the next one, and no further.
            let late = log[i - 1].1 == Late;
            if late {
                log.swap(i - 1, i);
            }
            i += if late { 2 } else { 1 };
        }
        for (offset, (sequence, fate)) in log.into_iter().enumerate() {
            let read = Read { partition, offset: offset as i64, sequence, at: sequence * 10 + 8 };
            if fate != Skipped {
                recording.reads.push(read.clone());
            }
            if fate != Vanished {
                found.push(read);
            }
        }
    }
    recording.found = Some(found);
    recording
}

fn named(tally: &Tally) -> BTreeSet<(i32, u64)> {
    let all = |range: &Range| {
        let partition = range.partition;
        (range.first_sequence..=range.last_sequence).map(move |sequence| (partition, sequence))
    };
    tally.ranges.iter().flat_map(all).collect()
}

fn verdict(recording: &Recording) -> Verdict {
    judge(recording, &Bounds::default())
}

/// Everything of a partition comes later by `ms` from a record on.
fn delay(recording: &mut Recording, from: u64, ms: u64) {
    for write in recording.writes.iter_mut().filter(|write| write.sequence >= from) {
        if let Outcome::Acknowledged { at, .. } = &mut write.outcome {
            *at += ms;
        }
    }
    recording.reads.iter_mut().filter(|read| read.sequence >= from).for_each(|read| read.at += ms);
}

/// Twenty good records, and one with a fate in the middle.
fn with(fate: Fate) -> Recording {
    let mut fates = vec![Stored; 20];
    fates[9] = fate;
    recording(&[vec![Stored; 20], fates])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exactly_what_was_planted_is_found(faults in proptest::collection::vec(proptest::collection::vec(
        prop_oneof![6 => Just(Stored), 1 => Just(Lost), 1 => Just(Failed), 1 => Just(Unknown), 1 => Just(Unanswered),
            1 => Just(Twice), 1 => Just(Late), 1 => Just(Skipped), 1 => Just(Vanished)], 0..60), 1..4)) {
        // Between two faults stands a record that is as it should be, and so at both ends.
        let partitions: Vec<Vec<Fate>> =
            faults.iter().map(|faults| std::iter::once(Stored).chain(faults.iter().flat_map(|fate| [*fate, Stored])).collect()).collect();
        let planted = |kinds: &[Fate]| -> BTreeSet<(i32, u64)> {
            let all = partitions.iter().enumerate().flat_map(|(partition, fates)| {
                fates.iter().enumerate().map(move |(sequence, fate)| ((partition as i32, sequence as u64), *fate))
            });
            all.filter(|(_, fate)| kinds.contains(fate)).map(|(key, _)| key).collect()
        };
        let verdict = verdict(&recording(&partitions));
        let found = [&verdict.lost, &verdict.duplicated, &verdict.out_of_order, &verdict.failed, &verdict.unknown,
            &verdict.skipped, &verdict.vanished, &verdict.unread, &verdict.foreign];
        let wanted: [&[Fate]; 9] =
            [&[Lost], &[Twice], &[Late], &[Failed, Vanished], &[Unknown, Unanswered], &[Skipped], &[Vanished], &[], &[]];
        for (tally, kinds) in found.into_iter().zip(wanted) {
            let planted = planted(kinds);
            prop_assert_eq!(tally.count, planted.len() as u64, "{:?}", kinds);
            if tally.ranges.len() < 100 {
                prop_assert_eq!(named(tally), planted, "{:?}", kinds);
            }
        }
        prop_assert_eq!(verdict.passed, planted(&[Lost, Failed, Unknown, Unanswered, Twice, Late, Skipped, Vanished]).is_empty());
    }

    #[test]
    fn the_longest_gap_is_the_one_that_was_planted(at in 1u64..50, gap in 20u64..10_000) {
        let mut recording = recording(&[vec![Stored; 60], vec![Stored; 60]]);
        for write in recording.writes.iter_mut().filter(|write| write.partition == 1 && write.sequence >= at) {
            if let Outcome::Acknowledged { at, .. } = &mut write.outcome {
                *at += gap;
            }
        }
        let verdict = verdict(&recording);
        prop_assert_eq!(verdict.write_gaps.iter().map(Gap::length_ms).collect::<Vec<_>>(), [10, 10 + gap]);
        let longest = verdict.longest_write_gap().unwrap();
        prop_assert_eq!((longest.partition, longest.from_ms), (1, at * 10 - 5));
    }
}

#[test]
fn a_drill_in_which_nothing_happened_to_a_record_passes() {
    let verdict = verdict(&recording(&[vec![Stored; 20], vec![Stored; 20]]));
    assert_eq!((verdict.passed, verdict.reasons.as_slice()), (true, [].as_slice()));
    assert_eq!((verdict.sent, verdict.acknowledged, verdict.lost.count), (40, 40, 0));
    assert_eq!(verdict.latency, Some(Latency { p50_ms: 5, p99_ms: 5, max_ms: 5 }));
    assert!((verdict.throughput_per_second - 40.0 * 1000.0 / 195.0).abs() < 1e-9);
    let step = &verdict.steps[0];
    assert_eq!((step.new_leader_ms, step.full_isr_ms, step.ready_ms, step.quorum_ms), (Some(10), Some(60), Some(50), None));
    assert_eq!(step.recovered_ms, Some(60));
}

#[test]
fn every_fault_of_a_record_fails_the_drill_and_is_named() {
    let cases = [
        (Lost, "1 record acknowledged and lost: partition 1: 9 (offset 9)"),
        (Twice, "1 record in the topic once more: partition 1: 9 (offset 10)"),
        (Late, "1 record in the topic behind a later one: partition 1: 9 (offset 10)"),
        (Skipped, "1 record passed over by the consumer group: partition 1: 9 (offset 9)"),
        (Failed, "1 record given up by the producer, the first at 97 ms in partition 1: it timed out"),
        (Unknown, "1 record given up by the producer, the first at 97 ms in partition 1: it timed out"),
        (Unanswered, "1 record neither acknowledged nor refused up to the end"),
    ];
    for (fate, reason) in cases {
        assert_eq!(verdict(&with(fate)).reasons, [reason], "{fate:?}");
    }
    let vanished = verdict(&with(Vanished)).reasons;
    assert_eq!(vanished[0], "1 record read by the consumer group, and not in the topic in the end: partition 1: 9 (offset 9)");
}

#[test]
fn a_record_that_was_given_up_and_is_there_is_neither_lost_nor_a_duplicate() {
    let verdict = verdict(&with(Unknown));
    assert_eq!((verdict.unknown.count, verdict.lost.count, verdict.duplicated.count, verdict.failed.count), (1, 0, 0, 0));
}

#[test]
fn a_tail_that_a_truncation_took_is_lost_whatever_stands_at_its_offsets_now() {
    let mut recording = recording(&[vec![Stored; 20]]);
    let found = recording.found.as_mut().unwrap();
    // 8 to 11 went with the old leader; what came after took their offsets.
    found.retain(|read| !(8..12).contains(&read.sequence));
    found.iter_mut().filter(|read| read.sequence >= 12).for_each(|read| read.offset -= 4);
    let verdict = verdict(&recording);
    let range = Range { partition: 0, first_sequence: 8, last_sequence: 11, first_offset: Some(8), last_offset: Some(11) };
    assert_eq!(verdict.lost, Tally { count: 4, ranges: vec![range] });
    assert_eq!(verdict.reasons, ["4 records acknowledged and lost: partition 0: 8 to 11 (offset 8 to 11)"]);
}

#[test]
fn an_offset_that_was_fetched_twice_is_no_duplicate() {
    let mut recording = recording(&[vec![Stored; 5]]);
    let again = recording.found.as_ref().unwrap()[2].clone();
    recording.found.as_mut().unwrap().push(again.clone());
    recording.reads.push(again);
    assert_eq!(verdict(&recording).reasons, [""; 0]);
}

#[test]
fn what_was_never_sent_and_what_was_not_read_in_time_fails_the_drill() {
    let mut recording = recording(&[vec![Stored; 20]]);
    recording.found.as_mut().unwrap().push(Read { partition: 0, offset: 20, sequence: 77, at: 300 });
    recording.reads.truncate(18);
    let verdict = verdict(&recording);
    assert_eq!((verdict.foreign.count, verdict.unread.count), (1, 3));
    assert_eq!(verdict.read_gaps[0].to_ms, recording.ended, "the group was waited for until the end");
    assert!(!verdict.passed);
}

#[test]
fn a_topic_that_could_not_be_read_back_proves_nothing() {
    let recording = Recording { found: None, ..recording(&[vec![Stored; 20]]) };
    let verdict = verdict(&recording);
    assert_eq!(verdict.reasons, ["the topic could not be read back: it is not known what was lost"]);
    assert!(!verdict.read_back);
}

#[test]
fn a_drill_without_acknowledgements_or_steps_fails() {
    let empty = verdict(&Recording { found: Some(Vec::new()), ..Recording::default() });
    assert_eq!(empty.reasons, ["no record was acknowledged", "no step was taken"]);
    assert_eq!((empty.latency, empty.longest_write_gap()), (None, None));
}

#[test]
fn bounds_that_are_not_kept_fail_the_drill() {
    let bounds = |unavailable, recovery| Bounds { max_unavailable_ms: Some(unavailable), max_recovery_ms: Some(recovery) };
    let mut recording = recording(&[vec![Stored; 20]]);
    delay(&mut recording, 5, 20);
    assert!(judge(&recording, &bounds(30, 60)).passed);
    let verdict = judge(&recording, &bounds(29, 59));
    assert_eq!(
        verdict.reasons,
        [
            "step 1 (kill_broker kafka-0): everything was whole again after 60 ms; allowed: 59 ms",
            "partition 0 took no write for 30 ms (from 45 ms on, during step 1 (kill_broker kafka-0)); allowed: 29 ms",
            "partition 0 gave no record to read for 30 ms (from 48 ms on, during step 1 (kill_broker kafka-0)); allowed: 29 ms",
        ]
    );
}

#[test]
fn a_gap_at_the_end_lasts_until_the_writes_were_given_up() {
    let mut fates = vec![Stored; 20];
    fates[15..].fill(Failed);
    let verdict = verdict(&recording(&[fates]));
    assert_eq!(verdict.write_gaps, [Gap { partition: 0, from_ms: 145, to_ms: 197, step: None }]);
}

#[test]
fn a_gap_at_the_beginning_counts_only_when_a_step_had_begun() {
    let mut recording = recording(&[vec![Stored; 20]]);
    for write in recording.writes.iter_mut() {
        if let Outcome::Acknowledged { at, .. } = &mut write.outcome {
            *at = (*at).max(60);
        }
    }
    let longest = |recording: &Recording| verdict(recording).longest_write_gap().unwrap().length_ms();
    assert_eq!(longest(&recording), 60);
    recording.steps[0].began = 61;
    assert_eq!(longest(&recording), 10);
}

#[test]
fn a_step_that_failed_or_was_cut_off_fails_the_drill() {
    let mut recording = recording(&[vec![Stored; 20]]);
    delay(&mut recording, 15, 20);
    recording.steps[0].error = Some("it took too long; waiting for the pod to be ready".into());
    let failed = verdict(&recording);
    assert_eq!(failed.reasons, ["step 1 (kill_broker kafka-0): it took too long; waiting for the pod to be ready"]);
    assert_eq!((failed.steps[0].recovered_ms, failed.write_gaps[0].step), (None, None));
    recording.steps[0] = StepRun { error: None, ended: 0, ..recording.steps[0].clone() };
    let cut_off = verdict(&recording);
    assert_eq!(cut_off.reasons, ["step 1 (kill_broker kafka-0) did not come to its end"]);
    assert_eq!(cut_off.write_gaps[0].step, Some(0), "it lasts until the end of the recording");
}

#[test]
fn a_znode_that_changed_fails_the_drill() {
    let mut recording = recording(&[vec![Stored; 20]]);
    let check = |at, ok, what: &str| ZnodeCheck { at, ok, took: at / 10, what: what.into() };
    recording.znode = vec![check(0, true, "write /x/foo"), check(500, true, "read")];
    let kept = verdict(&recording);
    assert_eq!((kept.znode_lost, kept.znode_longest_ms, kept.passed), (Some(false), Some(50), true));
    recording.znode.push(check(2_000, false, "read: it is gone"));
    let gone = verdict(&recording);
    assert_eq!((gone.znode_lost, gone.passed), (Some(true), false));
    assert_eq!(gone.reasons, ["the znode at 2.0 s: read: it is gone"]);
}
