//! The provider with things of tests: they go through whatever those that are shipped go through.

use super::workloads;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::provider::{Offers, Provider};
use crate::provider::{Kafkastack, ProviderSettings};
use crate::stack::Stack;

/// The provider, and what it offers beside.
pub struct Extended(pub fn() -> Offers<Stack>);

/// The provider with the workloads of tests.
pub const WITH_WORKLOADS: Extended = Extended(workloads::offers);

impl Provider for Extended {
    type Model = ProviderSettings;
    type Client = Stack;
    const NAME: &'static str = Kafkastack::NAME;

    async fn configure(&self, settings: ProviderSettings) -> Result<Option<Stack>, Diagnostics> {
        Kafkastack.configure(settings).await
    }

    fn offers(&self) -> Offers<Stack> {
        Offers::of([Kafkastack.offers(), (self.0)()])
    }
}
