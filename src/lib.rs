//! A provider for OpenTofu and Terraform: a Kafka cluster, its ZooKeeper ensemble, their storage and topics, on any Kubernetes
//! cluster.
//!
//! The whole story on one page. Core (OpenTofu or Terraform) starts this program as a plugin and sends it, over mutual TLS on a
//! unix socket, what the user wrote and what the state says. The answer is a plan, and after the user's yes, what exists.
//!
//! ```text
//!  OpenTofu, Terraform
//!    │ ▲  plugin protocol 6: msgpack, every value known, null or unknown
//!    ▼ │
//!  plugin        bytes ─▶ values ─▶ a typed model, checked against its schema; the plan's rules; deadlines; panics caught
//!    │ ▲
//!    ▼ │  Change { prior, planned } ... Reply { state, diagnostics }
//!  resources     decide:  model ─▶ objects (desired)          next(desired, observed) ─▶ one step         pure
//!    │ ▲         obey:    do the one step, look, ask again                                                network
//!    ▼ │
//!  stack         the clients of one run, shared by all resources
//!    ├── kubernetes     objects as JSON, server-side apply without force, watches, why a pod does not come, port-forward
//!    ├── kafka          administration: topics, settings, reassignments; who is registered and in sync
//!    └── zookeeper      who leads, who follows
//! ```
//!
//! Five rules hold it together:
//!
//! 1. **Decisions are pure, effects decide nothing.** What is wanted is a function of the configuration, the next step one of what
//!    is wanted and what is seen. The loops that do the steps are short.
//! 2. **Progress is what is seen, never where the code was.** Killed anywhere and run again is the first run once more. So every
//!    fault at every request is an ordinary unit test.
//! 3. **Own before you touch.** The first write is an atomic claim of the name: the anchor. What somebody else made is not adopted,
//!    and a field that somebody else manages is not forced, unless the plan showed it.
//! 4. **Not known is not gone.** Only an authoritative "not found" removes from state. A write whose answer was lost is looked at
//!    before anything is repeated.
//! 5. **Data outlives the resource.** Claims stay at a destroy; pods restart one at a time, and only while everything is in sync.
//!
//! In reading order:
//!
//! - [`plugin`]: Terraform's protocol. It knows neither Kubernetes nor Kafka. [`plugin::resource`] is what an author of a resource
//!   sees, [`plugin::model`] makes schema and struct out of one declaration.
//! - [`provider`]: the provider block, and the list of resources.
//! - [`stack`]: what every resource is given, and how brokers are dialled.
//! - [`resources`]: one folder per resource. Begin with [`resources::workload`], the procedure that ensemble and cluster share.
//! - [`kubernetes`], [`kafka`], [`zookeeper`]: effects, each behind plain values and failures in classes.
//! - [`diagnostics`]: errors into words for people; the only place with prose for users.
//! - [`secret`]: a value that cannot be printed.
//! - [`docs`]: schemas into the reference pages.
//!
//! `docs/architecture.md` has the promises and the tests that hold them, `docs/decisions/` why it is so and not otherwise.

pub mod diagnostics;
pub mod docs;
pub mod kafka;
pub mod kubernetes;
pub mod plugin;
pub mod provider;
pub mod resources;
pub mod secret;
pub mod stack;
pub mod zookeeper;

#[cfg(test)]
mod testing;
