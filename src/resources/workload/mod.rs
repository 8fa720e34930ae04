//! What the ensemble and the cluster have in common: one procedure for both, over what [`Spec`] says of each.
//!
//! ```text
//!            plan.rs: planned outputs, refusals; rehearse.rs: what the API server would refuse; forecast.rs, foretold.rs: what restarts
//! create ─┐  begin.rs: the name is ours, turn.rs: and nobody else is at work; own.rs, kept.rs: which pods and claims are
//! update ─┼─▶ apply.rs: anchor ─▶ ../owned/write.rs: what differs ─▶ wait.rs: roll.rs::next(pods, health) ─▶ anchor
//!         │  pod.rs: how far a pod came; take.rs: it goes; stall.rs: nothing comes any more
//!            template.rs: what hands did to the pods' template; tidy.rs: configurations that no pod uses go
//! read   ─┼─▶ import.rs, read.rs: live objects ─▶ state, drift on the attribute that it is about
//! delete ─┘   guard.rs: whether it may go; delete.rs: objects in reverse, claims only if asked to, the anchor last
//! ```

pub mod anchor;
pub mod apply;
pub mod attributes;
pub mod begin;
pub mod change;
pub mod delete;
pub mod forecast;
pub mod foretold;
pub mod guard;
#[cfg(test)]
mod hands_claims_tests;
#[cfg(test)]
mod hands_ensemble_tests;
#[cfg(test)]
mod hands_identity_tests;
#[cfg(test)]
mod hands_roll_tests;
#[cfg(test)]
mod hands_template_tests;
#[cfg(test)]
mod hands_tests;
pub mod health;
pub mod import;
pub mod kept;
pub mod own;
pub mod plan;
pub mod pod;
pub mod probes;
pub mod read;
pub mod record;
pub mod rehearse;
pub mod render;
pub mod resource;
pub mod role;
pub mod roll;
#[cfg(test)]
mod roll_model_tests;
pub mod sets;
pub mod settings;
pub mod spec;
pub mod stall;
#[cfg(test)]
mod starts_tests;
#[cfg(test)]
mod sweep_tests;
pub mod take;
pub mod template;
pub mod tidy;
#[cfg(test)]
mod told_tests;
pub mod turn;
pub mod wait;
pub mod words;
pub mod zones;

pub use spec::{Seen, Spec};
