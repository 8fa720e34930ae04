//! The timeline as an SVG: one axis of time, and what happened below it, one thing over the other. Pure.
//!
//! It is drawn twice, wide and narrow, and the page shows the one that fits: scaled down, no text could be read on a phone.

use super::Report;
use super::lanes;
use super::markup::{Markup, Px};
use super::timeline::Bucket;
use crate::drill::recording::StepRun;
use crate::drill::verdict::Gap;
use crate::drill::words::{duration, moment, step, thousands};

/// Space between two things.
const SPACE: f64 = 14.0;
/// Space to the right, for half of the last moment's name.
const RIGHT: f64 = 18.0;
/// Below this width a chart is a phone's.
const NARROW: f64 = 500.0;
/// Gaps that are shorter than this are no gaps to people.
const NOTABLE_MS: u64 = 200;
/// How wide a letter of a gap's length is.
const LETTER: f64 = 7.2;

/// A chart that grows downwards.
pub(super) struct Chart<'a> {
    pub report: &'a Report,
    pub markup: Markup,
    /// Where the next thing begins.
    pub top: f64,
    width: f64,
    /// Where the time begins; labels are to the left of it.
    left: f64,
}

/// The chart, this many pixels wide.
pub(super) fn chart(report: &Report, width: f64) -> String {
    let left = if width < NARROW { 84.0 } else { 104.0 };
    let mut chart = Chart { report, markup: Markup::default(), top: 30.0, width, left };
    throughput(&mut chart);
    latency(&mut chart);
    lanes::leaders(&mut chart);
    lanes::in_sync(&mut chart);
    lanes::members(&mut chart);
    lanes::pods(&mut chart);
    let (body, bottom) = (chart.markup, chart.top);
    let mut chart = Chart { markup: Markup::default(), ..chart };
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

impl Chart<'_> {
    /// Where a moment is.
    pub fn x(&self, ms: u64) -> f64 {
        let end = self.report.timeline.end_ms().max(1);
        self.left + (self.width - self.left - RIGHT) * ms.min(end) as f64 / end as f64
    }

    /// What comes next; gives where it begins.
    pub fn title(&mut self, text: &str) -> f64 {
        self.top += 12.0;
        self.markup.element("text", &[("class", &"title"), ("x", &"0"), ("y", &Px(self.top))], text);
        self.top += 8.0;
        self.top
    }

    /// Leaves space.
    pub fn space(&mut self) {
        self.top += SPACE;
    }

    /// A name to the left; of a long one the end, which tells pods apart.
    pub fn label(&mut self, name: &str, y: f64) {
        let fits = ((self.left - 6.0) / 6.4) as usize;
        let length = name.chars().count();
        let short = if length > fits {
            format!("…{}", name.chars().skip(length + 1 - fits).collect::<String>())
        } else {
            name.to_owned()
        };
        self.markup.element("text", &[("class", &"label"), ("x", &Px(self.left - 6.0)), ("y", &Px(y))], short);
    }

    /// A line over the whole width, and what it means.
    pub fn rule(&mut self, y: f64, label: &str, class: &str) {
        let (left, right) = (Px(self.left), Px(self.width - RIGHT));
        self.markup.leaf("line", &[("class", &class), ("x1", &left), ("x2", &right), ("y1", &Px(y)), ("y2", &Px(y))]);
        self.label(label, y + 4.0);
    }

    /// Where each bucket is drawn, and what its value is.
    fn line(&self, value: impl Fn(&Bucket) -> Option<f64>) -> String {
        let (mut line, mut drawing) = (String::new(), false);
        for (index, bucket) in self.report.timeline.buckets.iter().enumerate() {
            let Some(y) = value(bucket) else {
                drawing = false;
                continue;
            };
            let middle = index as u64 * self.report.timeline.bucket_ms + self.report.timeline.bucket_ms / 2;
            line += &format!("{}{} {} ", if drawing { 'L' } else { 'M' }, Px(self.x(middle)), Px(y));
            drawing = true;
        }
        line
    }

    /// The axis of time, with a line at each round moment.
    fn time(&mut self, bottom: f64) {
        let end = self.report.timeline.end_ms();
        let most = if self.width < NARROW { 4 } else { 9 };
        let rounds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600].map(|seconds| seconds * 1000);
        let each = rounds.into_iter().find(|each| end / each <= most).unwrap_or(end.max(1));
        for at in (0..=end / each).map(|n| n * each) {
            let (x, class) = (Px(self.x(at)), "grid");
            self.markup.leaf("line", &[("class", &class), ("x1", &x), ("x2", &x), ("y1", &"30"), ("y2", &Px(bottom))]);
            self.markup.element("text", &[("class", &"tick"), ("x", &x), ("y", &Px(bottom + 16.0))], moment(at));
        }
    }

    /// The longest write gap of each step, behind everything; unnamed where its name has no room.
    fn gaps(&mut self, bottom: f64) {
        let verdict = &self.report.verdict;
        let all = verdict.steps.iter().filter_map(|step| step.write_gap.as_ref()).chain(&verdict.write_gaps);
        let mut drawn: Vec<&Gap> = Vec::new();
        for gap in all.filter(|gap| gap.length_ms() >= NOTABLE_MS) {
            if !drawn.iter().any(|other| gap.from_ms < other.to_ms && other.from_ms < gap.to_ms) {
                drawn.push(gap);
            }
        }
        drawn.sort_by_key(|gap| gap.from_ms);
        for (n, gap) in drawn.iter().enumerate() {
            let (from, to) = (self.x(gap.from_ms), self.x(gap.to_ms));
            let words = format!("Partition {} took no write for {}", gap.partition, duration(gap.length_ms()));
            let height = bottom - 30.0;
            self.markup.open("g", &[]).element("title", &[], words);
            self.markup.leaf(
                "rect",
                &[
                    ("class", &"gap"),
                    ("x", &Px(from)),
                    ("y", &"30"),
                    ("width", &Px((to - from).max(2.0))),
                    ("height", &Px(height)),
                ],
            );
            let room = drawn.get(n + 1).map_or(self.width, |next| self.x(next.from_ms)) - to;
            let text = format!("gap {}", duration(gap.length_ms()));
            if room > 8.0 + LETTER * text.chars().count() as f64 {
                self.markup.element("text", &[("class", &"length"), ("x", &Px(to + 4.0)), ("y", &Px(bottom - 4.0))], text);
            }
            self.markup.close("g");
        }
    }

    /// A numbered line at each kill.
    fn kills(&mut self, bottom: f64) {
        let kills: Vec<(usize, &StepRun, f64)> = (self.report.steps.iter().enumerate())
            .filter_map(|(index, run)| run.killed.map(|killed| (index, run, self.x(killed))))
            .collect();
        for (n, (index, run, x)) in kills.iter().enumerate() {
            let next = kills.get(n + 1).map_or(self.width, |(.., next)| next - 10.0);
            let m = &mut self.markup;
            m.open("g", &[]).element("title", &[], format!("{}, {}", step(*index, run), run.how));
            m.leaf("line", &[("class", &"kill"), ("x1", &Px(*x)), ("x2", &Px(*x)), ("y1", &"20"), ("y2", &Px(bottom))]);
            m.leaf("circle", &[("class", &"mark"), ("cx", &Px(*x)), ("cy", &"12"), ("r", &"10")]);
            m.element("text", &[("class", &"number"), ("x", &Px(*x)), ("y", &"16")], index + 1);
            if next - x > run.target.chars().count() as f64 * 6.6 + 16.0 {
                m.element("text", &[("class", &"victim"), ("x", &Px(x + 14.0)), ("y", &"16")], &run.target);
            }
            m.close("g");
        }
    }
}

/// Records acknowledged and read each second.
fn throughput(chart: &mut Chart<'_>) {
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
fn latency(chart: &mut Chart<'_>) {
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
