//! Runs a drill, judges it, writes its report. Network; the judgement is the verdict's.

use super::read;
use super::schema::{DrillOrder, HaDrill};
use super::words;
use crate::diagnostics;
use crate::drill::Unclaimed;
use crate::drill::limits::Limits;
use crate::drill::objections::Demands;
use crate::drill::order::{Order, Refused};
use crate::drill::pace::Pace;
use crate::drill::report::Report;
use crate::drill::run::{CLEAN, Ended, run};
use crate::drill::verdict::Bounds;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Done, Failed};
use crate::plugin::timeouts::parse_duration;
use crate::stack::Stack;
use std::time::Duration;

/// What is kept of the operation's time for cleaning up, and for ending the load.
const RESERVE: Duration = CLEAN.saturating_add(Duration::from_secs(5));

/// Runs the drill of a planned resource.
///
/// # Errors
/// When it did not begin, was cut off, or failed. What was measured is kept.
pub async fn create(cx: &Context<'_, Stack>, planned: &HaDrill) -> Result<Done<HaDrill>, Failed<HaDrill>> {
    let (report, said) = drill(cx, &planned.order).await?;
    Done::new(read::measured(planned, &report)).and(said).or_failed()
}

/// Runs a drill, writes its report, and says what there is to say.
///
/// # Errors
/// When it did not begin, or was cut off.
pub async fn drill(cx: &Context<'_, Stack>, wanted: &DrillOrder) -> Result<(Report, Diagnostics), Diagnostics> {
    let ensemble = wanted.zookeeper_ensemble.known().map(String::as_str);
    let site = cx.client()?.site(wanted.cluster.text(), ensemble).await?;
    let limits = Limits::new(cx.interrupt(), cx.sparing(RESERVE).deadline);
    let ended = run(&site, &order(wanted), &limits, &|text| cx.say(&text)).await.map_err(|refused| refusal(wanted, &refused))?;
    let mut said = asides(&ended);
    if let Some(halt) = ended.halted {
        said.push(words::cut_off(&halt));
        return Err(said);
    }
    let report = Report::new(wanted.cluster.text(), &ended.recording, &bounds(wanted));
    if let Some(path) = wanted.report_path.known()
        && let Err(error) = tokio::fs::write(path, report.html()).await
    {
        said.push(words::no_report(path, &error));
    }
    if !report.verdict.passed {
        said.push(words::failed(&report.verdict, ended.unread.as_deref()));
    }
    Ok((report, said))
}

fn order(wanted: &DrillOrder) -> Order {
    let steps = wanted.steps.known().into_iter().flatten().map(super::schema::DrillStep::step).collect();
    Order {
        demands: Demands {
            replication_factor: wanted.replication_factor.unwrap_or(3),
            min_insync_replicas: wanted.min_insync_replicas.unwrap_or(2),
            acks: wanted.acks(),
            steps,
        },
        pace: Pace {
            per_second: u64::try_from(wanted.records_per_second.unwrap_or(500)).unwrap_or(1),
            partitions: u32::try_from(wanted.partitions.unwrap_or(3)).unwrap_or(1),
        },
    }
}

fn bounds(wanted: &DrillOrder) -> Bounds {
    let millis = |attr: &Attr<String>| {
        let duration = attr.known().and_then(|text| parse_duration(text).ok())?;
        u64::try_from(duration.as_millis()).ok()
    };
    Bounds { max_unavailable_ms: millis(&wanted.max_unavailable), max_recovery_ms: millis(&wanted.max_recovery) }
}

/// What is said of any drill that began.
fn asides(ended: &Ended) -> Diagnostics {
    let mut said = Diagnostics::new();
    if let Some(topic) = &ended.cleaned {
        said.push(words::cleaned(topic));
    }
    if !ended.exposed.is_empty() {
        said.push(words::exposed(&ended.exposed));
    }
    if !ended.left.is_empty() {
        said.push(words::left(&ended.left));
    }
    said
}

fn refusal(wanted: &DrillOrder, refused: &Refused) -> Diagnostic {
    let cluster = wanted.cluster.text();
    match refused {
        Refused::Objections(why) => words::objections(cluster, why),
        Refused::OtherKafka(error) => diagnostics::kafka(&format!("drill {cluster}"), error),
        Refused::Unwell(why) => words::unwell(cluster, why),
        Refused::Unclaimed(Unclaimed::Busy(topic)) => words::busy(cluster, topic),
        Refused::Unclaimed(Unclaimed::Taken(key)) => diagnostics::name_taken(key, "ha_drill"),
        Refused::Unclaimed(Unclaimed::Refused(failure)) | Refused::Kubernetes(failure) => diagnostics::kubernetes(failure),
        Refused::Unclaimed(Unclaimed::Halted(halt)) | Refused::Halted(halt) => words::cut_off(halt),
        Refused::Left(what) => words::leftovers(what),
        Refused::Unprepared(why) => words::unprepared(cluster, why),
    }
}
