//! `kafkastack_topic`: a topic that is as declared, in a `kafkastack_cluster` or any other.
//!
//! ```text
//!            plan.rs: replicas chosen, refusals, what the planned or live cluster would say
//! create ─┐
//! update ─┼─▶ apply.rs, update.rs: look ─▶ step.rs: next(wanted, seen) ─▶ one write ─▶ look again      reassign.rs: which replicas move
//! delete ─┘
//! read, import ─▶ read.rs: what the controller shows ─▶ state      list.rs: every topic of a cluster, as an import would have it
//! ```
//!
//! `schema.rs` attributes · `setting.rs` when two spellings are one value · `resource.rs` the wiring · `../inside` which cluster, and what to do while it is away.

pub mod apply;
pub mod delete;
pub mod list;
pub mod plan;
pub mod read;
pub mod reassign;
pub mod resource;
pub mod schema;
pub mod setting;
pub mod step;
pub mod update;
pub mod words;

#[cfg(test)]
mod tests;

use crate::plugin::provider::Offers;
use crate::stack::Stack;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(resource::KafkaTopic::default()).list(list::Topics)
}
