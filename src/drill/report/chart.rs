//! The timeline as an SVG: one axis of time, and what happened below it, one thing over the other. Pure.
//!
//! It is drawn twice, wide and narrow, and the page shows the one that fits: scaled down, no text could be read on a phone.

use super::canvas::{Canvas, NARROW};
use super::document::Report;
use super::lanes;
use super::markup::{Markup, Px};
use crate::drill::figures::thousands;

/// The chart, this many pixels wide.
pub(super) fn chart(report: &Report, width: f64) -> String {
    let left = if width < NARROW { 84.0 } else { 104.0 };
    let mut chart = Canvas { report, markup: Markup::default(), top: 30.0, width, left };
    throughput(&mut chart);
    latency(&mut chart);
    lanes::leaders(&mut chart);
    lanes::in_sync(&mut chart);
    lanes::members(&mut chart);
    lanes::pods(&mut chart);
    let (body, bottom) = (chart.markup, chart.top);
    let mut chart = Canvas { markup: Markup::default(), ..chart };
    let (view, class) = (format!("0 0 {} {}", Px(width), Px(bottom + 26.0)), if width < NARROW { "narrow" } else { "wide" });
    let name = format!("Timeline. {}", report.summary);
    chart.markup.open("svg", &[("class", &class), ("viewBox", &view), ("role", &"img"), ("aria-label", &name)]);
    chart.time(bottom);
    chart.gaps(bottom);
    chart.kills(bottom);
    chart.markup.raw(&body.finish());
    chart.markup.close("svg");
    chart.markup.finish()
}

/// Records acknowledged and read each second.
fn throughput(chart: &mut Canvas<'_>) {
    const HEIGHT: f64 = 84.0;
    let top = chart.title("Records/s: acknowledged (filled), read (line)");
    let timeline = &chart.report.timeline;
    let per_second = |count: u64| count as f64 * 1000.0 / timeline.bucket_ms.max(1) as f64;
    let most = timeline.buckets.iter().map(|bucket| bucket.acknowledged.max(bucket.read)).max().unwrap_or(0);
    // What waited for a new leader comes all at once: a peak that would flatten everything else is cut off.
    let ceiling = per_second(most).min(chart.report.settings.rate as f64 * 3.0).max(1.0) * 1.05;
    let (bottom, y) = (top + HEIGHT, |count: u64| top + HEIGHT * (1.0 - (per_second(count) / ceiling).min(1.0)));
    let acknowledged = chart.line(|bucket| Some(y(bucket.acknowledged)));
    let read = chart.line(|bucket| Some(y(bucket.read)));
    let end = chart.x(timeline.end_ms());
    let area = format!("{} L{} {b} L{} {b} Z", acknowledged.trim_end(), Px(end), Px(chart.left), b = Px(bottom));
    let rate = chart.report.settings.rate;
    chart.rule(bottom, "0", "grid");
    chart.rule(top + HEIGHT * (1.0 - rate as f64 / ceiling), &thousands(rate), "grid");
    chart.markup.leaf("path", &[("class", &"area"), ("d", &area)]);
    chart.markup.leaf("path", &[("class", &"line read"), ("d", &read)]);
    chart.top = bottom;
    chart.space();
}

/// From sent to acknowledged, on a logarithmic scale.
fn latency(chart: &mut Canvas<'_>) {
    const HEIGHT: f64 = 84.0;
    let top = chart.title("Latency: slowest (line), median (dotted)");
    let slowest = chart.report.timeline.buckets.iter().filter_map(|bucket| bucket.max_ms).max().unwrap_or(1);
    let decades = (slowest.max(10) as f64).log10().ceil();
    let y = |ms: u64| top + HEIGHT * (1.0 - (ms.max(1) as f64).log10() / decades);
    for (power, label) in ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"].into_iter().enumerate() {
        if power as f64 <= decades {
            chart.rule(y(10u64.pow(power as u32)), label, "grid");
        }
    }
    let (max, p50) = (chart.line(|bucket| bucket.max_ms.map(y)), chart.line(|bucket| bucket.p50_ms.map(y)));
    chart.markup.leaf("path", &[("class", &"line slowest"), ("d", &max)]);
    chart.markup.leaf("path", &[("class", &"line half"), ("d", &p50)]);
    chart.top = top + HEIGHT;
    chart.space();
}
