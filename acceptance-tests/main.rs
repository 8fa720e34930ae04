//! The tests on a real cluster: real OpenTofu and Terraform run the provider that Cargo just built, against the sandbox or
//! the cluster that `KUBECONFIG` names. One file per concern; `support/` drives the tools and the cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends by panicking")]

mod containers;
mod cut_off;
mod drill;
mod drill_report;
mod hands_ends;
mod hands_guards;
mod hands_rolls;
mod hands_turns;
mod hands_under_load;
mod hands_which;
mod harness;
mod health_and_drift;
mod life;
mod module;
mod refusals;
mod sandbox_is_real;
mod storage;
mod support;
