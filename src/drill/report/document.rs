//! The document: what is stored, and drawn again later. Pure.

use super::timeline::{Timeline, timeline};
use crate::drill::figures::{duration, plural, thousands};
use crate::drill::recording::{Recording, Settings, StepRun};
use crate::drill::verdict::{Bounds, Gap, Verdict, judge};
use serde::{Deserialize, Serialize};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// A drill, told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What was drilled: the cluster's `id`.
    pub subject: String,
    /// The verdict in one sentence.
    pub summary: String,
    /// When the load began, as RFC 3339 in UTC.
    pub began: String,
    /// How long the drill took, in milliseconds.
    pub duration_ms: u64,
    /// What was asked for.
    pub settings: Settings,
    /// What was asked of the figures.
    pub bounds: Bounds,
    /// The figures.
    pub verdict: Verdict,
    /// The steps; times are milliseconds since the load began. Their figures are in `verdict.steps`.
    pub steps: Vec<StepRun>,
    /// What happened when.
    pub timeline: Timeline,
}

impl Report {
    /// Judges a recording, and tells it.
    pub fn new(subject: &str, recording: &Recording, bounds: &Bounds) -> Self {
        let verdict = judge(recording, bounds);
        let began = i64::try_from(recording.began_unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        Self {
            schema_version: SCHEMA_VERSION,
            subject: subject.to_owned(),
            summary: summary(recording, &verdict),
            began: began.map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default(),
            duration_ms: recording.ended,
            settings: recording.settings.clone(),
            bounds: *bounds,
            timeline: timeline(recording),
            steps: recording.steps.clone(),
            verdict,
        }
    }

    /// A document that was stored.
    ///
    /// # Errors
    /// When it is no such document, or one of a later version.
    pub fn parse(document: &str) -> Result<Self, String> {
        let report: Self = serde_json::from_str(document).map_err(|error| error.to_string())?;
        match report.schema_version {
            SCHEMA_VERSION => Ok(report),
            other => Err(format!("its schema_version is {other}; this version of the provider draws {SCHEMA_VERSION}")),
        }
    }

    /// The document. It has no keys but text and no numbers but finite ones, so it can be written.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `0 of 41,230 acknowledged records lost; longest write gap 1.2 s, ...`
fn summary(recording: &Recording, verdict: &Verdict) -> String {
    let lost = match verdict.read_back {
        true => format!(
            "{} of {} acknowledged {} lost",
            thousands(verdict.lost.count),
            thousands(verdict.acknowledged),
            plural(verdict.acknowledged, "record")
        ),
        false => format!(
            "{} acknowledged {}; how many were lost is not known",
            thousands(verdict.acknowledged),
            plural(verdict.acknowledged, "record")
        ),
    };
    let gap = |gap: Option<&Gap>| gap.map_or("unknown".to_owned(), |gap| duration(gap.length_ms()));
    let taken = recording.steps.iter().filter(|step| step.killed.is_some()).count() as u64;
    format!(
        "{lost}; longest write gap {}, longest read gap {}; {taken} {} taken away in {}",
        gap(verdict.longest_write_gap()),
        gap(verdict.longest_read_gap()),
        plural(taken, "pod"),
        duration(recording.ended),
    )
}
