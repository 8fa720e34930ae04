//! What an author of a provider writes: its own settings, and all that it offers.

use super::action::AnyAction;
use super::data_source::AnyDataSource;
use super::diagnostic::Diagnostics;
use super::ephemeral::AnyEphemeral;
use super::erased::AnyResource;
use super::function::AnyFunction;
use super::list::AnyList;
use super::model::Object;
use std::future::Future;

/// A provider: its own settings, and its resources.
pub trait Provider: Send + Sync + 'static {
    /// Its settings.
    type Model: Object;
    /// What resources are given.
    type Client: Send + Sync + 'static;
    /// What every type's name begins with.
    const NAME: &'static str;

    /// Checks the settings, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// Makes the client; `None` where the settings are still unknown. Opens no connection.
    fn configure(&self, config: Self::Model) -> impl Future<Output = Result<Option<Self::Client>, Diagnostics>> + Send;

    /// The resources.
    fn resources(&self) -> Vec<Box<dyn AnyResource<Self::Client>>>;

    /// The data sources.
    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource<Self::Client>>> {
        Vec::new()
    }

    /// The ephemeral resources.
    fn ephemeral_resources(&self) -> Vec<Box<dyn AnyEphemeral<Self::Client>>> {
        Vec::new()
    }

    /// The actions.
    fn actions(&self) -> Vec<Box<dyn AnyAction<Self::Client>>> {
        Vec::new()
    }

    /// The lists of resources that can be listed.
    fn lists(&self) -> Vec<Box<dyn AnyList<Self::Client>>> {
        Vec::new()
    }

    /// The functions.
    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        Vec::new()
    }
}
