//! `kafkastack_drift`: what differs from what was applied, and what nobody manages.
//!
//! `schema.rs` attributes · `look.rs` asks · `compare.rs` what is seen -> what was found · `tell.rs` what was found -> JSON and
//! Markdown · this file: the wiring.

pub mod compare;
pub mod look;
pub mod schema;
pub mod tell;
#[cfg(test)]
mod tests;

use crate::plugin::context::Context;
use crate::plugin::data_source::DataSource;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::Done;
use crate::plugin::provider::Offers;
use crate::stack::Stack;
use schema::StackDrift;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().data_source(Drift)
}

/// The data source.
pub struct Drift;

impl DataSource for Drift {
    type Client = Stack;
    type Model = StackDrift;
    const NAME: &'static str = "drift";

    async fn read(&self, cx: &Context<'_, Stack>, config: StackDrift) -> Result<Done<StackDrift>, Diagnostics> {
        let seen = look::look(cx.client()?, &config).await?;
        Ok(Done::new(told(config, &seen)))
    }
}

/// What is seen, as attributes.
fn told(config: StackDrift, seen: &compare::Seen) -> StackDrift {
    let report = compare::report(&config, seen);
    let count = |n: usize| Attr::Known(i64::try_from(n).unwrap_or(i64::MAX));
    StackDrift {
        drifted: Attr::Known(report.drifted()),
        managed_count: count(report.managed.len()),
        unmanaged_count: count(report.unmanaged.len()),
        summary_json: Attr::Known(tell::json(&report)),
        summary_markdown: Attr::Known(tell::markdown(&report)),
        ..config
    }
}
