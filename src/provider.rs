//! The provider block. No network.

use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::resource::{AnyResource, Provider};

crate::model! {
    /// Kafka clusters on Kubernetes.
    pub struct Settings {}
}

/// The provider.
#[derive(Debug)]
pub struct Kafkastack;

impl Provider for Kafkastack {
    type Model = Settings;
    type Client = ();
    const NAME: &'static str = "kafkastack";

    async fn configure(&self, _config: Settings) -> Result<Option<()>, Diagnostics> {
        Ok(Some(()))
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<()>>> {
        Vec::new()
    }
}
