//! The report of a drill: one document, as JSON, and drawn as one HTML page that needs nothing else. Pure.
//!
//! ```text
//! recording, bounds ─▶ Report {verdict, steps, timeline: a few hundred buckets} ─▶ JSON
//!                                                                              └─▶ page: words, tiles, chart, tables
//! ```
//!
//! The page is drawn from the document alone, so that it can be drawn from a stored one. Names of fields are stable: one that
//! changes its meaning or goes raises `schema_version`.

mod canvas;
mod chart;
mod document;
mod lanes;
mod markup;
mod page;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;

pub use document::{Report, SCHEMA_VERSION};
pub use timeline::{Bucket, Lane, Span, Timeline};

impl Report {
    /// The page.
    pub fn html(&self) -> String {
        page::page(self)
    }
}
