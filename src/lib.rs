//! terraform-provider-kafkastack.
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
