//! What an author of a provider writes: its own settings, and all that it offers.

use super::action::{Action, AnyAction};
use super::data_source::{AnyDataSource, DataSource};
use super::diagnostic::Diagnostics;
use super::ephemeral::{AnyEphemeral, Ephemeral};
use super::erased::AnyResource;
use super::function::{AnyFunction, Function};
use super::list::{AnyList, List};
use super::model::Object;
use super::resource::Resource;
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

    /// Everything that it offers.
    fn offers(&self) -> Offers<Self::Client>;
}

/// What a provider offers, or one thing of it: a resource with its data source and its list, for example. A name is what stands
/// behind the provider's own in that of the type.
pub struct Offers<C> {
    /// The resources.
    pub resources: Vec<Box<dyn AnyResource<C>>>,
    /// The data sources.
    pub data_sources: Vec<Box<dyn AnyDataSource<C>>>,
    /// The ephemeral resources.
    pub ephemerals: Vec<Box<dyn AnyEphemeral<C>>>,
    /// The actions.
    pub actions: Vec<Box<dyn AnyAction<C>>>,
    /// The lists of resources that can be listed.
    pub lists: Vec<Box<dyn AnyList<C>>>,
    /// The functions.
    pub functions: Vec<Box<dyn AnyFunction>>,
}

impl<C> Default for Offers<C> {
    fn default() -> Self {
        let (resources, data_sources, ephemerals) = (Vec::new(), Vec::new(), Vec::new());
        Self { resources, data_sources, ephemerals, actions: Vec::new(), lists: Vec::new(), functions: Vec::new() }
    }
}

impl<C> Offers<C> {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// All of these.
    pub fn of<const N: usize>(things: [Self; N]) -> Self {
        things.into_iter().fold(Self::new(), |mut all, thing| {
            all.resources.extend(thing.resources);
            all.data_sources.extend(thing.data_sources);
            all.ephemerals.extend(thing.ephemerals);
            all.actions.extend(thing.actions);
            all.lists.extend(thing.lists);
            all.functions.extend(thing.functions);
            all
        })
    }

    /// And a resource.
    #[must_use]
    pub fn resource(mut self, it: impl Resource<Client = C>) -> Self {
        self.resources.push(Box::new(it));
        self
    }

    /// And a data source.
    #[must_use]
    pub fn data_source(mut self, it: impl DataSource<Client = C>) -> Self {
        self.data_sources.push(Box::new(it));
        self
    }

    /// And an ephemeral resource.
    #[must_use]
    pub fn ephemeral(mut self, it: impl Ephemeral<Client = C>) -> Self {
        self.ephemerals.push(Box::new(it));
        self
    }

    /// And an action.
    #[must_use]
    pub fn action(mut self, it: impl Action<Client = C>) -> Self {
        self.actions.push(Box::new(it));
        self
    }

    /// And a list of a resource.
    #[must_use]
    pub fn list<L: List>(mut self, it: L) -> Self
    where
        L::Resource: Resource<Client = C>,
    {
        self.lists.push(Box::new(it));
        self
    }

    /// And a function.
    #[must_use]
    pub fn function(mut self, it: impl Function) -> Self {
        self.functions.push(Box::new(it));
        self
    }
}
