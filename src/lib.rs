//! terraform-provider-kafkastack.
pub mod kafka;
pub mod plugin;
pub mod zookeeper;

#[cfg(test)]
mod testing;
