//! What tests share: a Kubernetes API server in this process, and faults.
#![allow(dead_code, reason = "tools for all tests: no single build of them uses every one")]

pub mod fake_kubernetes;
pub mod faults;
