//! terraform-provider-kafkastack.
pub mod kubernetes;
pub mod plugin;
pub mod secret;
#[cfg(test)]
mod testing;
