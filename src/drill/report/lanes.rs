//! The lanes of the chart that show what something was over the time: leaders, in-sync replicas, roles, pods. Pure.

use super::canvas::Canvas;
use super::markup::Px;
use super::timeline::{Lane, Span};
use crate::drill::figures::duration;

/// Lanes of one kind that are drawn; all of them are in the document.
const DRAWN: usize = 12;
/// The height of a row, and of the bar in it.
const ROW: f64 = 20.0;
const BAR: f64 = 15.0;

/// Which broker led each partition.
pub(super) fn leaders(chart: &mut Canvas<'_>) {
    let lanes = &chart.report.timeline.leaders;
    // Those whose leader moved come first where not all can be shown.
    let mut drawn: Vec<&Lane> = lanes.iter().collect();
    if drawn.len() > DRAWN {
        drawn.sort_by_key(|lane| std::cmp::Reverse(lane.spans.len()));
        drawn.truncate(DRAWN);
    }
    let more = lanes.len() - drawn.len();
    let note = if more > 0 { format!("; {more} more partitions are in the JSON") } else { String::new() };
    chart.title(&format!("Leader of each partition: the broker's id{note}"));
    for lane in drawn {
        let class = |span: &Span| match span.value.parse::<u64>() {
            Ok(broker) => format!("bar broker{}", broker % 6),
            Err(_) => "bar down".to_owned(),
        };
        row(chart, &format!("partition {}", lane.name), lane, class);
    }
    chart.space();
}

/// The role of each member.
pub(super) fn members(chart: &mut Canvas<'_>) {
    let lanes = &chart.report.timeline.zookeeper;
    if lanes.is_empty() {
        return;
    }
    chart.title("ZooKeeper: role of each member");
    for lane in lanes.iter().take(DRAWN) {
        let class = |span: &Span| match span.value.as_str() {
            "leader" => "bar leads",
            "down" => "bar down",
            _ => "bar follows",
        };
        row(chart, &lane.name, lane, |span| class(span).to_owned());
    }
    chart.space();
}

/// The pods that were not ready for a time.
pub(super) fn pods(chart: &mut Canvas<'_>) {
    let lanes = &chart.report.timeline.not_ready;
    if lanes.is_empty() {
        return;
    }
    chart.title("Pods while they were not ready");
    for lane in lanes.iter().take(DRAWN) {
        row(chart, &lane.name, lane, |_| "bar away".to_owned());
    }
    chart.space();
}

fn row(chart: &mut Canvas<'_>, name: &str, lane: &Lane, class: impl Fn(&Span) -> String) {
    let top = chart.top;
    chart.label(name, top + BAR - 3.5);
    for span in &lane.spans {
        let (from, to) = (chart.x(span.from_ms), chart.x(span.to_ms));
        let length = duration(span.to_ms.saturating_sub(span.from_ms));
        // A short one is what people look for: it is not thinner than what can be seen.
        let width = (to - from).max(1.5);
        let bar = &mut chart.markup;
        bar.open("g", &[]).element("title", &[], format!("{name}: {} for {length}", span.value));
        bar.leaf(
            "rect",
            &[
                ("class", &class(span)),
                ("x", &Px(from)),
                ("y", &Px(top)),
                ("width", &Px(width)),
                ("height", &Px(BAR)),
                ("rx", &"2"),
            ],
        );
        if width > span.value.chars().count() as f64 * 6.5 + 6.0 {
            let place: [(&str, &dyn std::fmt::Display); 3] =
                [("class", &"in"), ("x", &Px(from + 5.0)), ("y", &Px(top + BAR - 4.0))];
            bar.element("text", &place, &span.value);
        }
        bar.close("g");
    }
    chart.top += ROW;
}

/// How many replicas of the partition with the fewest were in sync.
pub(super) fn in_sync(chart: &mut Canvas<'_>) {
    const HEIGHT: f64 = 48.0;
    let (report, top) = (chart.report, chart.title("Fewest in-sync replicas of a partition"));
    let most = f64::from(report.settings.replication_factor.max(1));
    let y = |count: f64| top + HEIGHT * (1.0 - count / (most + 0.4));
    for count in [0, report.settings.min_insync_replicas, report.settings.replication_factor] {
        let least = count == report.settings.min_insync_replicas && count > 0;
        chart.rule(y(f64::from(count)), &count.to_string(), if least { "least" } else { "grid" });
    }
    let mut line = String::new();
    let mut last = None;
    for span in &report.timeline.in_sync {
        let y = y(span.value.parse().unwrap_or(0.0));
        let (from, to) = (Px(chart.x(span.from_ms)), Px(chart.x(span.to_ms)));
        let begin = if last == Some(span.from_ms) { 'L' } else { 'M' };
        line += &format!("{begin}{from} {y} L{to} {y} ", y = Px(y));
        last = Some(span.to_ms);
    }
    chart.markup.leaf("path", &[("class", &"line isr"), ("d", &line)]);
    chart.top = top + HEIGHT;
    chart.space();
}
