//! terraform-provider-kafkastack: a Kafka cluster, its ZooKeeper ensemble, the storage of both and the topics inside, on any
//! Kubernetes cluster, in one apply of OpenTofu or Terraform. The whole story, on one page.
//!
//! ```text
//! configuration ─core─▶ plugin: values, each known, null or unknown ─▶ a typed model (schema.rs of a resource)
//!                                                                         │ objects.rs: pure, the same for the same input
//!  API server, brokers ──look──▶ Observed                              Desired
//!        ▲                          └────────▶ next(desired, observed) ◀────┘      pure: converge.rs, roll.rs, step.rs
//!        │                                            │
//!        └──── the loop does exactly this, looks, ────┴─▶ one step: look, apply, restart, wait, refuse, done
//!              and asks again                         └─▶ state, from what is there
//! ```
//!
//! Three ideas carry it.
//!
//! 1. **Decisions are pure, effects decide nothing.** What to do next follows from what is wanted and what is seen, never from
//!    where the code was. A run that was killed is therefore taken up by the same path that a first run takes, and a test can
//!    let every request meet every fault.
//! 2. **Own before you touch.** The first write of a create is an anchor, made atomically: it says whose the name is, how far
//!    the provider came and what was wanted. What somebody else made is never adopted. The anchor goes last.
//! 3. **Nothing is lost, nothing is destroyed unsaid.** A failed call leaves state as it is or says what is there; only an
//!    authoritative "not found" takes something out of it; claims stay unless the configuration asks for their deletion.
//!
//! The modules, in reading order:
//!
//! | module | is |
//! | --- | --- |
//! | [`provider`] | the provider block, and the list of what there is |
//! | [`resources`] | one folder for each thing: resource, data source, list and action of it, with its words; `workload` is what ensemble and cluster have in common, `owned` what all owners of objects have |
//! | [`stack`] | what every resource is given: the Kubernetes cluster, and through it brokers and members; how all is named, found, seen and judged |
//! | [`kubernetes`] | the API server: calls, their failures, differences, reasons, tunnels |
//! | [`kafka`], [`zookeeper`] | what brokers and members are asked |
//! | [`dial`] | where byte streams to them come from |
//! | [`drill`] | the load, the kills, and what they show |
//! | [`diagnostics`] | errors to words for people, where several resources use them; `words.rs` of a folder has what it alone says |
//! | [`plugin`] | the plugin protocol; it knows neither Kubernetes nor Kafka |
//! | [`docs`] | schemas to reference pages |
//! | [`secret`], [`random`] | a value that must not be seen; random numbers |
//!
//! `docs/architecture.md` has the promises and their tests, `docs/decisions/` why it is so.

pub mod diagnostics;
pub mod dial;
pub mod docs;
pub mod drill;
pub mod kafka;
pub mod kubernetes;
pub mod plugin;
pub mod provider;
pub mod random;
pub mod resources;
pub mod secret;
pub mod stack;
pub mod zookeeper;

#[cfg(test)]
mod testing;
