//! What a drill found -> state. Pure.

use super::schema::{HaDrill, StepResult};
use crate::drill::recording::StepRun;
use crate::drill::report::Report;
use crate::drill::verdict::{Gap, StepFigures};
use crate::plugin::model::Attr;

fn number(n: u64) -> Attr<i64> {
    Attr::Known(i64::try_from(n).unwrap_or(i64::MAX))
}

/// State after a drill.
pub fn measured(planned: &HaDrill, report: &Report) -> HaDrill {
    let verdict = &report.verdict;
    HaDrill {
        id: Attr::Known(report.settings.topic.clone()),
        ran_at: Attr::Known(report.began.clone()),
        passed: Attr::Known(verdict.passed),
        failures: Attr::Known(verdict.reasons.clone()),
        acknowledged: number(verdict.acknowledged),
        lost: number(verdict.lost.count),
        duplicated: number(verdict.duplicated.count),
        out_of_order: number(verdict.out_of_order.count),
        longest_write_gap_ms: gap(verdict.longest_write_gap()),
        longest_read_gap_ms: gap(verdict.longest_read_gap()),
        step_results: Attr::Known(report.steps.iter().zip(&verdict.steps).map(result).collect()),
        report_json: Attr::Known(report.json()),
        ..planned.clone()
    }
}

fn gap(gap: Option<&Gap>) -> Attr<i64> {
    number(gap.map_or(0, Gap::length_ms))
}

fn result((run, figures): (&StepRun, &StepFigures)) -> StepResult {
    let time = |time: Option<u64>| time.map_or(Attr::Null, number);
    StepResult {
        kind: Attr::Known(run.kind.clone()),
        target: if run.target.is_empty() { Attr::Null } else { Attr::Known(run.target.clone()) },
        new_leader_ms: time(figures.new_leader_ms),
        full_isr_ms: time(figures.full_isr_ms),
        quorum_ms: time(figures.quorum_ms),
        ready_ms: time(figures.ready_ms),
        error: run.error.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::DrillOrder;
    use super::*;
    use crate::drill::recording::{Outcome, Read, Recording, Settings, Write};
    use crate::drill::verdict::Bounds;

    #[test]
    fn state_says_what_was_lost_and_when_a_step_recovered() {
        let write = |sequence, at| {
            let outcome = Outcome::Acknowledged { at, offset: i64::try_from(sequence).unwrap() };
            Write { partition: 0, sequence, sent: at, outcome }
        };
        let run = StepRun {
            kind: "kill_broker".into(),
            target: "kafka-1".into(),
            began: 4_000,
            killed: Some(5_000),
            ready: Some(9_500),
            ended: 10_000,
            ..StepRun::default()
        };
        let recording = Recording {
            settings: Settings { topic: "kafkastack-drill-1".into(), partitions: 1, ..Settings::default() },
            ended: 10_000,
            writes: vec![write(0, 10), write(1, 20)],
            found: Some(vec![Read { partition: 0, offset: 0, sequence: 0, at: 30 }]),
            steps: vec![run],
            ..Recording::default()
        };
        let order = DrillOrder { partitions: Attr::Known(1), ..DrillOrder::default() };
        let planned = HaDrill { order, ..HaDrill::default() };
        let state = measured(&planned, &Report::new("prod/kafka", &recording, &Bounds::default()));
        assert_eq!((state.acknowledged, state.lost, state.passed), (Attr::Known(2), Attr::Known(1), Attr::Known(false)));
        assert_eq!((state.id.text(), state.order.partitions.known()), ("kafkastack-drill-1", Some(&1)));
        let step = &state.step_results.known().unwrap()[0];
        assert_eq!((step.ready_ms.known(), step.full_isr_ms.known()), (Some(&4_500), None));
    }
}
