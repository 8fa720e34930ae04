//! The Kubernetes API server: objects as JSON manifests, server-side apply, waiting, tunnels to pods.
//!
//! Effects are in [`client`] (every call), [`watch`], [`connect`] and [`tunnel`] (port-forwards); [`explain`] asks why something is not
//! ready. The rest is pure: what an answer means ([`failure`]), whether to ask again ([`retry`]), what differs ([`difference`]),
//! whether somebody still works ([`beats`]).

pub mod beats;
pub mod client;
mod connect;
pub mod difference;
pub mod explain;
pub mod failure;
pub mod object;
pub mod quantity;
pub mod retry;
pub mod settings;
pub mod tunnel;
mod watch;

pub use client::{Apply, Delete, Eviction, Kubernetes};
pub use difference::differences;
pub use failure::{Class, Failure, Outcome};
pub use object::{Key, Kind, Object};
pub use settings::{ConfigError, Origin, Settings};
pub use tunnel::Tunnel;

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
