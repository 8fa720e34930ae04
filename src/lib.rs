//! terraform-provider-kafkastack.
pub mod plugin;
pub mod provider;
