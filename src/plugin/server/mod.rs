//! The protocol's calls: each to the provider and its resources, and their answers back. What reaches the network is
//! the resources' own doing.
//!
//! Here: the provider itself, schemas, validation, stored state. The life of a resource is in `lifecycle`.

mod lifecycle;
#[cfg(test)]
mod tests;

use super::diagnostic::{Diagnostic, Diagnostics, REPORT};
use super::model::{Object, Typed, doc};
use super::operation;
use super::path::Path;
use super::proto::tfplugin6::{self as proto, DynamicValue, provider_server};
use super::resource::{AnyResource, Context, Private, Provider};
use super::schema::{self, Kind, Schema};
use super::value::Value;
use super::wire;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// A provider, as core calls it.
pub struct Server<P: Provider> {
    provider: P,
    schema: Schema,
    kind: Kind,
    resources: BTreeMap<String, Entry<P::Client>>,
    client: RwLock<Option<Arc<P::Client>>>,
    stop: Mutex<CancellationToken>,
    /// Every operation holds it to read.
    running: tokio::sync::RwLock<()>,
}

/// One resource type.
struct Entry<C> {
    resource: Box<dyn AnyResource<C>>,
    schema: Schema,
    kind: Kind,
}

impl<P: Provider> Server<P> {
    /// The server of `provider`; nothing is configured yet.
    pub fn new(provider: P) -> Self {
        let entry = |resource: Box<dyn AnyResource<P::Client>>| {
            let schema = resource.schema();
            let kind = Kind::Object(schema.attributes.clone());
            (format!("{}_{}", P::NAME, resource.name()), Entry { resource, schema, kind })
        };
        let schema = Schema { version: 0, doc: doc(P::Model::DOC), attributes: P::Model::attributes() };
        Self {
            kind: Kind::Object(schema.attributes.clone()),
            schema,
            resources: provider.resources().into_iter().map(entry).collect(),
            provider,
            client: RwLock::new(None),
            stop: Mutex::new(CancellationToken::new()),
            running: tokio::sync::RwLock::new(()),
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
        self.resources.get(type_name).ok_or_else(|| {
            Diagnostic::error("Unknown resource type", format!("This provider has no resource type `{type_name}`."))
        })
    }

    fn client(&self) -> Option<Arc<P::Client>> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn context<'a>(&self, client: &'a Option<Arc<P::Client>>, limit: Duration) -> Context<'a, P::Client> {
        let now = Instant::now();
        Context {
            client: client.as_deref(),
            cancel: self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            deadline: now.checked_add(limit).unwrap_or(now),
        }
    }

    fn provider_config(&self, config: Option<&DynamicValue>) -> Result<(Value, P::Model), Diagnostics> {
        let config = decode(&self.kind, config)?;
        let model = match &config {
            Value::Null => P::Model::default(),
            config => P::Model::decode(config, &Path::root()).map_err(|e| unreadable(&e.to_string(), e.at.clone()))?,
        };
        Ok((config, model))
    }

    fn validate_provider(&self, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let (config, model) = self.provider_config(config)?;
        let mut diagnostics = Diagnostics::new();
        schema::validate(&self.schema.attributes, &config, &Path::root(), &mut diagnostics);
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
        let client = operation::guarded(deadline, self.provider.configure(model))
            .await
            .map_err(|cut| cut.diagnostic("configuration"))??;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client.map(Arc::new);
        Ok(())
    }

    fn validate_resource(&self, type_name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = self.entry(type_name)?;
        let config = decode(&entry.kind, config)?;
        let mut diagnostics = Diagnostics::new();
        schema::validate(&entry.schema.attributes, &config, &Path::root(), &mut diagnostics);
        if !diagnostics.has_errors() {
            entry.resource.validate(&config, &mut diagnostics);
        }
        Ok(diagnostics)
    }

    /// Every stored state passes here, also one of this very version.
    fn upgrade(&self, request: &proto::upgrade_resource_state::Request) -> Result<DynamicValue, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let ours = entry.schema.version;
        if request.version > ours {
            return Err(Diagnostic::error(
                "The state is of a newer provider",
                format!(
                    "It was written with version {} of the schema of `{}`; this provider knows version {ours}.\n\
                     hint: use the provider's newer version, which wrote it",
                    request.version, request.type_name
                ),
            )
            .into());
        }
        let state = match &request.raw_state {
            Some(raw) if !raw.json.is_empty() => {
                wire::json::decode(&entry.kind, &raw.json).map_err(|e| unreadable(&e.to_string(), e.path()))?
            }
            Some(raw) if !raw.flatmap.is_empty() => {
                return Err(unreadable("state in the format of 2018", Path::root()).into());
            }
            _ => Value::Null,
        };
        encode(&entry.kind, &state)
    }

    fn capabilities() -> proto::ServerCapabilities {
        proto::ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, ..Default::default() }
    }
}

/// What core sent does not fit: a fault of core, of a state edited by hand, or of ours.
fn unreadable(why: &str, at: Path) -> Diagnostic {
    Diagnostic::error("A value does not fit the schema", format!("{why}.")).at(at)
}

fn bug(detail: String, at: Path) -> Diagnostic {
    tracing::error!(detail, "the provider breaks its own plan");
    Diagnostic::error("A fault of the provider", format!("{detail}\n{REPORT}")).at(at)
}

fn decode(kind: &Kind, value: Option<&DynamicValue>) -> Result<Value, Diagnostic> {
    wire::decode(kind, value).map_err(|e| unreadable(&e.to_string(), e.path()))
}

fn encode(kind: &Kind, value: &Value) -> Result<DynamicValue, Diagnostics> {
    wire::encode(kind, value).map_err(|e| bug(format!("A value does not fit the schema: {e}."), e.path()).into())
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

/// What a validation has to say, if only that it panicked.
async fn validated(call: impl Future<Output = Result<Diagnostics, Diagnostics>>) -> Vec<proto::Diagnostic> {
    let outcome = operation::caught(call).await.map_err(|cut| cut.diagnostic("validation").into());
    wire::schema::diagnostics(outcome.and_then(|said| said).unwrap_or_else(|failed: Diagnostics| failed))
}

#[tonic::async_trait]
impl<P: Provider> provider_server::Provider for Server<P> {
    async fn get_metadata(
        &self,
        _: Request<proto::get_metadata::Request>,
    ) -> Result<Response<proto::get_metadata::Response>, Status> {
        let resource = |name: &String| proto::get_metadata::ResourceMetadata { type_name: name.clone() };
        Ok(Response::new(proto::get_metadata::Response {
            server_capabilities: Some(Self::capabilities()),
            resources: self.resources.keys().map(resource).collect(),
            ..Default::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _: Request<proto::get_provider_schema::Request>,
    ) -> Result<Response<proto::get_provider_schema::Response>, Status> {
        let schemas = self.resources.iter().map(|(name, entry)| (name.clone(), wire::schema::schema(&entry.schema)));
        Ok(Response::new(proto::get_provider_schema::Response {
            provider: Some(wire::schema::schema(&self.schema)),
            resource_schemas: schemas.collect(),
            server_capabilities: Some(Self::capabilities()),
            ..Default::default()
        }))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<proto::get_resource_identity_schemas::Request>,
    ) -> Result<Response<proto::get_resource_identity_schemas::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn get_functions(
        &self,
        _: Request<proto::get_functions::Request>,
    ) -> Result<Response<proto::get_functions::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn validate_provider_config(
        &self,
        request: Request<proto::validate_provider_config::Request>,
    ) -> Result<Response<proto::validate_provider_config::Response>, Status> {
        let diagnostics = validated(async { self.validate_provider(request.get_ref().config.as_ref()) }).await;
        Ok(Response::new(proto::validate_provider_config::Response { diagnostics }))
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> Result<Response<proto::configure_provider::Response>, Status> {
        let diagnostics = said(self.configure(request.get_ref().config.as_ref()).await);
        Ok(Response::new(proto::configure_provider::Response { diagnostics }))
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Result<Response<proto::validate_resource_config::Response>, Status> {
        let request = request.get_ref();
        let validate = async { self.validate_resource(&request.type_name, request.config.as_ref()) };
        let diagnostics = validated(validate).await;
        Ok(Response::new(proto::validate_resource_config::Response { diagnostics }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> Result<Response<proto::upgrade_resource_state::Response>, Status> {
        let (upgraded_state, failed) = match self.upgrade(request.get_ref()) {
            Ok(state) => (Some(state), Ok(())),
            Err(diagnostics) => (None, Err(diagnostics)),
        };
        Ok(Response::new(proto::upgrade_resource_state::Response { upgraded_state, diagnostics: said(failed) }))
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> Result<Response<proto::read_resource::Response>, Status> {
        Ok(Response::new(self.read(request.into_inner()).await))
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> Result<Response<proto::plan_resource_change::Response>, Status> {
        Ok(Response::new(self.plan(request.into_inner()).await))
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Result<Response<proto::apply_resource_change::Response>, Status> {
        Ok(Response::new(self.apply(request.into_inner()).await))
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> Result<Response<proto::import_resource_state::Response>, Status> {
        Ok(Response::new(self.import(request.into_inner()).await))
    }

    async fn stop_provider(
        &self,
        _: Request<proto::stop_provider::Request>,
    ) -> Result<Response<proto::stop_provider::Response>, Status> {
        self.stop();
        Ok(Response::new(Default::default()))
    }
}
