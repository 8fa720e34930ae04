//! What the chart is drawn on: one axis of time, names to its left, gaps and kills across. Pure.

use super::document::Report;
use super::markup::{Markup, Px};
use super::timeline::Bucket;
use crate::drill::figures::{duration, moment, step};
use crate::drill::recording::StepRun;
use crate::drill::verdict::Gap;

/// Space between two things.
const SPACE: f64 = 14.0;
/// Space to the right, for half of the last moment's name.
const RIGHT: f64 = 18.0;
/// Below this width a chart is a phone's.
pub(super) const NARROW: f64 = 500.0;
/// Gaps that are shorter than this are no gaps to people.
const NOTABLE_MS: u64 = 200;
/// How wide a letter of a gap's length is.
const LETTER: f64 = 7.2;

/// A chart that grows downwards.
pub(super) struct Canvas<'a> {
    pub report: &'a Report,
    pub markup: Markup,
    /// Where the next thing begins.
    pub top: f64,
    pub width: f64,
    /// Where the time begins; labels are to the left of it.
    pub left: f64,
}

impl Canvas<'_> {
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
    pub fn line(&self, value: impl Fn(&Bucket) -> Option<f64>) -> String {
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
    pub fn time(&mut self, bottom: f64) {
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
    pub fn gaps(&mut self, bottom: f64) {
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
    pub fn kills(&mut self, bottom: f64) {
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
