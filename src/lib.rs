//! terraform-provider-kafkastack.
pub mod plugin;
