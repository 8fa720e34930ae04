//! The high availability drill: pods of a running stack are taken away, one at a time, while a load runs as real applications run
//! it; everything that happens is recorded.
//!
//! ```text
//! run: settle (objections, stack: ailments) ─▶ claim ─▶ conduct ─▶ clean ─▶ release
//!                                                         │
//!        load (pace, sockets, ffi) ─┐                     ├─ step::targets ─▶ one pod goes ─▶ recovery::see, until all is whole
//!        monitor, znode ────────────┴─▶ recording ◀───────┘
//! ```
//!
//! `facts`, `step`, `recovery`, `pace`, `recording`, `verdict`, `report` are pure. It knows nothing of resources: it is given a [`Site`](crate::stack::site::Site).

mod claim;
mod clean;
mod conduct;
#[allow(unsafe_code, reason = "librdkafka is C")]
mod ffi;
pub mod figures;
pub mod limits;
#[cfg(test)]
mod live_tests;
pub mod load;
mod monitor;
pub mod objections;
pub mod order;
pub mod pace;
pub mod recording;
mod recovery;
pub mod report;
pub mod run;
mod settle;
mod sockets;
pub mod step;
pub mod verdict;
mod znode;

pub use claim::Unclaimed;
