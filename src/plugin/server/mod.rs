//! The protocol's calls: each to the provider and its resources, and their answers back. What reaches the network is
//! the resources' own doing.
//!
//! Here: the provider itself, schemas, validation. The life of a resource is in `lifecycle`, what a state holds in `stored`.

mod actions;
mod data;
mod entry;
mod ephemeral;
mod functions;
#[cfg(test)]
mod kinds_tests;
mod lifecycle;
mod lists;
#[cfg(test)]
mod lists_tests;
mod rpc;
mod shape;
mod stored;
#[cfg(test)]
mod tests;
mod words;

use super::action::AnyAction;
use super::context::Context;
use super::data_source::AnyDataSource;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::ephemeral::AnyEphemeral;
use super::erased::described;
use super::function::AnyFunction;
use super::guard;
use super::list::AnyList;
use super::model::Typed;
use super::operations::Private;
use super::path::Path;
use super::proto::tfplugin6::{self as proto, DynamicValue};
use super::provider::Provider;
use super::schema::{self, Schema};
use super::value::Value;
use super::wire;
use entry::Entry;
use shape::Shape;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use words::unreadable;

/// One type of what a provider offers, with the shape of its values.
struct Served<T: ?Sized> {
    it: Arc<T>,
    shape: Shape,
}

impl<T: ?Sized> Served<T> {
    fn new(it: Box<T>, schema: Schema) -> Self {
        Self { it: it.into(), shape: Shape::new(schema) }
    }
}

/// What a provider offers of one kind, by its name. `told`: its name without the provider's, and its schema.
fn served<T: ?Sized>(
    all: Vec<Box<T>>,
    named: fn(&str) -> String,
    told: fn(&T) -> (&'static str, Schema),
) -> BTreeMap<String, Served<T>> {
    let one = |it: Box<T>| {
        let (name, schema) = told(&it);
        (named(name), Served::new(it, schema))
    };
    all.into_iter().map(one).collect()
}

/// What core asks for by its name.
fn find<'a, T>(of: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T, Diagnostic> {
    let unknown = || Diagnostic::error(format!("Unknown {what}"), format!("This provider has no {what} `{name}`."));
    of.get(name).ok_or_else(unknown)
}

/// A provider, as core calls it.
pub struct Server<P: Provider> {
    provider: P,
    settings: Shape,
    resources: BTreeMap<String, Entry<P::Client>>,
    sources: BTreeMap<String, Served<dyn AnyDataSource<P::Client>>>,
    ephemerals: BTreeMap<String, Served<dyn AnyEphemeral<P::Client>>>,
    actions: BTreeMap<String, Served<dyn AnyAction<P::Client>>>,
    lists: BTreeMap<String, Served<dyn AnyList<P::Client>>>,
    functions: BTreeMap<String, Box<dyn AnyFunction>>,
    client: RwLock<Option<Arc<P::Client>>>,
    stop: Mutex<CancellationToken>,
    /// Every operation holds it to read.
    running: Arc<tokio::sync::RwLock<()>>,
}

impl<P: Provider> Server<P> {
    /// The server of `provider`; nothing is configured yet.
    pub fn new(provider: P) -> Self {
        let named: fn(&str) -> String = |name| format!("{}_{name}", P::NAME);
        let offers = provider.offers();
        let resources = offers.resources.into_iter().map(|resource| {
            let entry = Entry::new(resource);
            (named(entry.resource.name()), entry)
        });
        let functions = offers.functions.into_iter().map(|function| (function.name().to_owned(), function));
        Self {
            settings: Shape::new(described::<P::Model>(0)),
            resources: resources.collect(),
            sources: served(offers.data_sources, named, |it| (it.name(), it.schema())),
            ephemerals: served(offers.ephemerals, named, |it| (it.name(), it.schema())),
            actions: served(offers.actions, named, |it| (it.name(), it.schema())),
            lists: served(offers.lists, named, |it| (it.name(), it.schema())),
            functions: functions.collect(),
            provider,
            client: RwLock::new(None),
            stop: Mutex::new(CancellationToken::new()),
            running: Arc::default(),
        }
    }

    /// Cancels everything that runs; what is called later runs as ever.
    pub fn stop(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *stop).cancel();
    }

    /// Waits until nothing runs any more, but no longer than `patience`.
    pub async fn idle(&self, patience: Duration) {
        if tokio::time::timeout(patience, self.running.write()).await.is_err() {
            tracing::warn!("an operation did not stop in time");
        }
    }

    fn entry(&self, type_name: &str) -> Result<&Entry<P::Client>, Diagnostic> {
        find(&self.resources, "resource type", type_name)
    }

    fn client(&self) -> Option<Arc<P::Client>> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn cancel(&self) -> CancellationToken {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn context<'a>(&self, client: &'a Option<Arc<P::Client>>, limit: Duration) -> Context<'a, P::Client> {
        let now = Instant::now();
        Context::new(client.as_deref(), self.cancel(), now.checked_add(limit).unwrap_or(now))
    }

    fn provider_config(&self, config: Option<&DynamicValue>) -> Result<(Value, P::Model), Diagnostics> {
        let config = self.settings.decode(config)?;
        let model = match &config {
            Value::Null => P::Model::default(),
            config => P::Model::decode(config).map_err(|e| unreadable(&e.to_string(), e.at.clone()))?,
        };
        Ok((config, model))
    }

    fn validate_provider(&self, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let (config, model) = self.provider_config(config)?;
        let mut diagnostics = Diagnostics::new();
        schema::validate(self.settings.attributes(), &config, &Path::root(), &mut diagnostics);
        if !diagnostics.has_errors() {
            self.provider.validate(&model, &mut diagnostics);
        }
        Ok(diagnostics)
    }

    /// Unknown settings are no error: the client then stays unset, and what needs it says so.
    async fn configure(&self, config: Option<&DynamicValue>) -> Result<(), Diagnostics> {
        let (_, model) = self.provider_config(config)?;
        // Longer than any provider needs that opens no connection here.
        let deadline = Instant::now().checked_add(Duration::from_secs(60)).unwrap_or_else(Instant::now);
        let client =
            guard::guarded(deadline, self.provider.configure(model)).await.map_err(|cut| cut.diagnostic("configuration"))??;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client.map(Arc::new);
        Ok(())
    }

    fn validate_resource(&self, request: &proto::validate_resource_config::Request) -> Result<Diagnostics, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let stores_everything = !request.client_capabilities.is_some_and(|can| can.write_only_attributes_allowed);
        entry.shape.validate(request.config.as_ref(), |config, said| {
            if stores_everything {
                schema::refuse_write_only(&entry.shape.kind, config, said);
            }
            entry.resource.validate(config, said);
        })
    }

    fn metadata(&self) -> proto::get_metadata::Response {
        use proto::get_metadata as of;
        fn all<T, M>(of: &BTreeMap<String, T>, one: fn(String) -> M) -> Vec<M> {
            of.keys().cloned().map(one).collect()
        }
        of::Response {
            server_capabilities: Some(Self::capabilities()),
            resources: all(&self.resources, |type_name| of::ResourceMetadata { type_name }),
            data_sources: all(&self.sources, |type_name| of::DataSourceMetadata { type_name }),
            ephemeral_resources: all(&self.ephemerals, |type_name| of::EphemeralMetadata { type_name }),
            actions: all(&self.actions, |type_name| of::ActionMetadata { type_name }),
            list_resources: all(&self.lists, |type_name| of::ListResourceMetadata { type_name }),
            functions: all(&self.functions, |name| of::FunctionMetadata { name }),
            ..Default::default()
        }
    }

    fn schemas(&self) -> proto::get_provider_schema::Response {
        fn all<T, M>(of: &BTreeMap<String, T>, one: fn(&T) -> M) -> HashMap<String, M> {
            of.iter().map(|(name, entry)| (name.clone(), one(entry))).collect()
        }
        proto::get_provider_schema::Response {
            provider: Some(self.settings.message()),
            resource_schemas: all(&self.resources, |entry| entry.shape.message()),
            data_source_schemas: all(&self.sources, |entry| entry.shape.message()),
            ephemeral_resource_schemas: all(&self.ephemerals, |entry| entry.shape.message()),
            action_schemas: all(&self.actions, |entry| proto::ActionSchema { schema: Some(entry.shape.message()) }),
            list_resource_schemas: all(&self.lists, |entry| entry.shape.message()),
            functions: self.signatures(),
            server_capabilities: Some(Self::capabilities()),
            ..Default::default()
        }
    }

    fn capabilities() -> proto::ServerCapabilities {
        proto::ServerCapabilities {
            plan_destroy: true,
            get_provider_schema_optional: true,
            move_resource_state: true,
            generate_resource_config: true,
        }
    }
}

fn decode_private(bytes: &[u8]) -> Result<Private, Diagnostic> {
    match bytes.is_empty() {
        true => Ok(Private::new()),
        false => serde_json::from_slice(bytes).map_err(|_| {
            Diagnostic::error("Unreadable private state", "The bytes that core keeps beside the state are not ours.")
        }),
    }
}

fn encode_private(private: &Private) -> Vec<u8> {
    match private.is_empty() {
        true => Vec::new(),
        // A map of strings always has a JSON form.
        false => serde_json::to_vec(private).unwrap_or_default(),
    }
}

/// The diagnostics of a call that has nothing else to say.
fn said(result: Result<(), Diagnostics>) -> Vec<proto::Diagnostic> {
    wire::schema::diagnostics(result.err().unwrap_or_default())
}

/// The outcome of a call, or that it panicked.
async fn caught<T>(name: &str, call: impl Future<Output = Result<T, Diagnostics>>) -> Result<T, Diagnostics> {
    guard::caught(call).await.map_err(|cut| cut.diagnostic(name))?
}

/// What a validation has to say, if only that it panicked.
async fn validated(call: impl Future<Output = Result<Diagnostics, Diagnostics>>) -> Vec<proto::Diagnostic> {
    wire::schema::diagnostics(caught("validation", call).await.unwrap_or_else(|failed| failed))
}
