//! The page: the verdict in words first, then figures, the chart, the steps, and what was asked for. Pure.

use super::chart::chart;
use super::document::Report;
use super::markup::Markup;
use crate::drill::figures::{duration, moment, thousands};
use crate::drill::verdict::{Gap, StepFigures, Tally};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let (verdict, class) = if report.verdict.passed { ("Passed", "good") } else { ("Failed", "bad") };
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    page.element("title", &[], format!("{verdict}: high availability drill of {}", report.subject));
    page.raw("<style>").raw(STYLE).raw("</style></head><body><main>");
    page.open("header", &[]).element(
        "p",
        &[("class", &"kicker")],
        format!("High availability drill of {}, {}", report.subject, report.began),
    );
    page.open("h1", &[]).element("span", &[("class", &format!("verdict {class}"))], verdict).close("h1");
    page.element("p", &[("class", &"summary")], format!("{}.", report.summary));
    reasons(&mut page, report);
    page.close("header");
    tiles(&mut page, report);
    timeline(&mut page, report);
    steps(&mut page, report);
    records(&mut page, report);
    settings(&mut page, report);
    page.raw("</main></body></html>\n");
    page.finish()
}

fn reasons(page: &mut Markup, report: &Report) {
    const SHOWN: usize = 20;
    let reasons = &report.verdict.reasons;
    if reasons.is_empty() {
        return;
    }
    page.open("ul", &[("class", &"reasons")]);
    for reason in reasons.iter().take(SHOWN) {
        page.element("li", &[], reason);
    }
    if reasons.len() > SHOWN {
        page.element("li", &[], format!("and {} more, in the JSON", reasons.len() - SHOWN));
    }
    page.close("ul");
}

fn length(gap: Option<&Gap>) -> String {
    gap.map_or("–".to_owned(), |gap| duration(gap.length_ms()))
}

fn tiles(page: &mut Markup, report: &Report) {
    let verdict = &report.verdict;
    let count = |tally: &Tally| if verdict.read_back { thousands(tally.count) } else { "unknown".to_owned() };
    let bad = |tally: &Tally| !verdict.read_back || tally.count > 0;
    let over =
        |gap: Option<&Gap>| report.bounds.max_unavailable_ms.is_some_and(|max| gap.is_some_and(|gap| gap.length_ms() > max));
    let (write, read) = (verdict.longest_write_gap(), verdict.longest_read_gap());
    let latency = verdict.latency.map_or("–".to_owned(), |latency| duration(latency.p99_ms));
    let tiles = [
        ("lost", count(&verdict.lost), bad(&verdict.lost)),
        ("duplicated", count(&verdict.duplicated), bad(&verdict.duplicated)),
        ("out of order", count(&verdict.out_of_order), bad(&verdict.out_of_order)),
        ("longest write gap", length(write), over(write)),
        ("longest read gap", length(read), over(read)),
        ("latency, p99", latency, false),
        ("records per second", format!("{:.0}", verdict.throughput_per_second), false),
    ];
    page.open("dl", &[("class", &"tiles")]);
    for (name, value, bad) in tiles {
        page.open("div", &[]).element("dt", &[], name);
        page.element("dd", &[("class", &if bad { "bad" } else { "" })], value).close("div");
    }
    page.close("dl");
}

fn timeline(page: &mut Markup, report: &Report) {
    page.element("h2", &[], "What happened when");
    page.open("figure", &[]).raw(&chart(report, 960.0)).raw(&chart(report, 344.0));
    page.open("figcaption", &[]);
    page.element("span", &[("class", &"key mark")], "a pod is taken away; the number is its step");
    page.element("span", &[("class", &"key gap")], "a partition takes no write");
    page.element("span", &[("class", &"key least")], "min.insync.replicas");
    page.element("span", &[("class", &"key down")], "no leader, or out of reach");
    page.close("figcaption").close("figure");
}

fn steps(page: &mut Markup, report: &Report) {
    let names = [
        "Step",
        "Pod",
        "How",
        "At",
        "New leader",
        "All in sync",
        "ZooKeeper leads",
        "All ready",
        "Write gap",
        "Read gap",
        "Whole again",
    ];
    page.element("h2", &[], "Steps").element(
        "p",
        &[("class", &"note")],
        "Times count from the moment at which the pod was taken away.",
    );
    page.open("table", &[]).raw("<thead><tr>");
    for name in names {
        page.element("th", &[("scope", &"col")], name);
    }
    page.raw("</tr></thead><tbody>");
    let none = StepFigures::default();
    for (index, run) in report.steps.iter().enumerate() {
        let figures = report.verdict.steps.get(index).unwrap_or(&none);
        let or_dash = |ms: Option<u64>| ms.map_or("–".to_owned(), duration);
        let dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        let result = match (&run.error, figures.recovered_ms) {
            (Some(error), _) => error.clone(),
            (None, Some(took)) => duration(took),
            (None, None) if run.killed.is_some() => "cut off".to_owned(),
            (None, None) => "–".to_owned(),
        };
        let cells = [
            format!("{} {}", index + 1, run.kind),
            dash(&run.target),
            dash(&run.how),
            moment(run.killed.unwrap_or(run.began)),
            or_dash(figures.new_leader_ms),
            or_dash(figures.full_isr_ms),
            or_dash(figures.quorum_ms),
            or_dash(figures.ready_ms),
            length(figures.write_gap.as_ref()),
            length(figures.read_gap.as_ref()),
            result,
        ];
        page.raw("<tr>");
        for (name, cell) in names.into_iter().zip(cells) {
            page.element("td", &[("data-name", &name)], cell);
        }
        page.raw("</tr>");
    }
    page.raw("</tbody></table>");
}

/// Every kind of record, how many, and what it means.
fn records(page: &mut Markup, report: &Report) {
    let verdict = &report.verdict;
    let kinds = [
        ("lost", &verdict.lost, "acknowledged, and not in the topic in the end"),
        ("duplicated", &verdict.duplicated, "more than once in the topic"),
        ("out of order", &verdict.out_of_order, "in the topic behind a later one of its partition"),
        ("failed", &verdict.failed, "given up by the producer or never answered, and not in the topic: the application knows"),
        ("unknown", &verdict.unknown, "given up or never answered, and yet in the topic: neither lost nor duplicated"),
        ("vanished", &verdict.vanished, "never acknowledged, read by the consumer group, and gone in the end"),
        ("skipped", &verdict.skipped, "passed over by the consumer group"),
        ("unread", &verdict.unread, "not read by the consumer group in time"),
        ("foreign", &verdict.foreign, "in the topic, and never sent"),
    ];
    page.element("h2", &[], "Records").open("dl", &[("class", &"list")]);
    let mut line = |name: &str, count: String, meaning: &str| {
        page.open("div", &[]).element("dt", &[], name).open("dd", &[]);
        page.element("b", &[], count).text(" ").element("span", &[], meaning).close("dd").close("div");
    };
    line("sent", thousands(verdict.sent), "handed to the producer");
    line("acknowledged", thousands(verdict.acknowledged), "the brokers have them");
    for (name, tally, meaning) in kinds {
        line(name, if verdict.read_back { thousands(tally.count) } else { "?".to_owned() }, meaning);
    }
    page.close("dl");
}

fn settings(page: &mut Markup, report: &Report) {
    let (settings, bounds, verdict) = (&report.settings, &report.bounds, &report.verdict);
    let bound = |bound: Option<u64>| bound.map_or("none".to_owned(), duration);
    let znode = match (verdict.znode_lost, verdict.znode_longest_ms) {
        (Some(false), Some(longest)) => format!("there at every look; the slowest took {}", duration(longest)),
        (Some(true), _) => "not there, or changed, or out of reach".to_owned(),
        _ => "not looked at".to_owned(),
    };
    let latency = verdict.latency.map_or("–".to_owned(), |latency| {
        format!("{}, {}, {}", duration(latency.p50_ms), duration(latency.p99_ms), duration(latency.max_ms))
    });
    let lines = [
        ("topic", settings.topic.clone()),
        ("partitions", settings.partitions.to_string()),
        ("replication factor", settings.replication_factor.to_string()),
        ("min.insync.replicas", settings.min_insync_replicas.to_string()),
        ("acks", settings.acks.clone()),
        ("load", format!("{} records per second", thousands(settings.rate))),
        ("longest gap allowed", bound(bounds.max_unavailable_ms)),
        ("longest recovery allowed", bound(bounds.max_recovery_ms)),
        ("latency (p50, p99, the slowest)", latency),
        ("the znode", znode),
    ];
    page.element("h2", &[], "Settings and the rest").open("dl", &[("class", &"list")]);
    for (name, value) in lines {
        page.open("div", &[]).element("dt", &[], name).element("dd", &[], value).close("div");
    }
    page.close("dl");
}
