//! terraform-provider-kafkastack.
pub mod kafka;
pub mod plugin;
