//! What tests share: servers in this process, and faults.

pub mod fake_kafka;
