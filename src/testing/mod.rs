//! In-process stand-ins for what the provider talks to: for faults and speed. They prove nothing alone; what they imitate
//! was seen on the real thing.
#![allow(dead_code, reason = "tools for all tests: no single build of them uses every one")]

#[cfg(test)]
mod circles;
pub mod core;
pub mod extended;
pub mod fake_kafka;
pub mod fake_kubernetes;
pub mod faults;
#[cfg(test)]
mod layers;
pub mod random;
#[cfg(test)]
mod topic_setting;
pub mod workloads;
pub mod world;

// Random lives make and drop millions of small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use crate::plugin::context::Context;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What an operation is given that nobody interrupts.
pub fn context<C>(client: &C, limit: Duration) -> Context<'_, C> {
    Context::new(Some(client), CancellationToken::new(), tokio::time::Instant::now() + limit)
}
