//! What an author of resources sees: typed requests and answers, no wire format, no unknown-value plumbing.

use super::action::AnyAction;
use super::data_source::AnyDataSource;
use super::diagnostic::{Diagnostic, Diagnostics, REPORT};
use super::ephemeral::AnyEphemeral;
use super::function::AnyFunction;
use super::list::AnyList;
use super::model::{Mismatch, Object, Typed, doc};
use super::path::Path;
use super::schema::Schema;
use super::stored::Stored;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What an operation may use and how long it may take.
pub struct Context<'a, C> {
    /// What `configure` made; none while the provider's own settings are unknown.
    pub client: Option<&'a C>,
    /// Cancelled when the user interrupts: stop at the next safe point, and answer with what exists.
    pub cancel: CancellationToken,
    /// When the operation has to have ended, from the resource's `timeouts`. It is the resource that stops then: 5 s
    /// later the call is cut off from outside, and what it had made by then is not in the state. A create that is cut
    /// off so has made something that nobody knows of.
    pub deadline: tokio::time::Instant,
}

impl<'a, C> Context<'a, C> {
    /// The client.
    ///
    /// # Errors
    /// When the provider's settings are not known yet.
    pub fn client(&self) -> Result<&'a C, Diagnostic> {
        self.client.ok_or_else(|| {
            Diagnostic::error(
                "The provider is not configured yet",
                "The provider's own settings depend on something that is known only after apply, and this step needs them.\n\
                 hint: apply what they depend on first, with `-target`, or give them values that are known at plan",
            )
        })
    }
}

/// Bytes that core keeps beside a resource's state and shows to nobody. No secrets: state files are plain text.
pub type Private = BTreeMap<String, String>;

/// A plan in the making: `planned` starts as configuration, defaults and prior computed values.
#[derive(Clone, Debug)]
pub struct Plan<M> {
    /// What the user wrote.
    pub config: M,
    /// What exists; none for a create.
    pub prior: Option<M>,
    /// What will exist. Computed attributes without a configured value may be changed, the others may not.
    pub planned: M,
    /// Changed attributes that replace the resource, besides those that the schema names.
    pub replace: Vec<Path>,
    /// Prior, then planned private state.
    pub private: Private,
    /// What there is to say. An error stops the plan.
    pub diagnostics: Diagnostics,
}

/// An approved change.
#[derive(Clone, Debug)]
pub struct Change<M> {
    /// What the user wrote; all null for a delete.
    pub config: M,
    /// What exists. For a create: the type's default.
    pub prior: M,
    /// What was approved. For a delete: the type's default.
    pub planned: M,
    /// Private state of the plan.
    pub private: Private,
}

/// How an operation ended: what exists now, and what there is to say. With an error, `state` still is what exists.
#[derive(Clone, Debug)]
pub struct Reply<M> {
    /// What exists; none: nothing.
    pub state: Option<M>,
    /// Private state to keep, all of it: what is not here is forgotten. With an error and nothing here, what was there
    /// before is kept.
    pub private: Private,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

impl<M> Reply<M> {
    /// This exists.
    pub fn state(state: M) -> Self {
        Self { state: Some(state), private: Private::new(), diagnostics: Diagnostics::new() }
    }

    /// Nothing exists.
    pub fn gone() -> Self {
        Self { state: None, private: Private::new(), diagnostics: Diagnostics::new() }
    }

    /// The operation failed; `state` is what exists all the same.
    pub fn failed(state: Option<M>, diagnostics: impl Into<Diagnostics>) -> Self {
        Self { state, private: Private::new(), diagnostics: diagnostics.into() }
    }

    /// The same, with more to say.
    #[must_use]
    pub fn and(mut self, diagnostics: impl Into<Diagnostics>) -> Self {
        self.diagnostics.extend(diagnostics.into());
        self
    }

    /// The same, with private state to keep.
    #[must_use]
    pub fn keep(self, private: Private) -> Self {
        Self { private, ..self }
    }
}

/// How long each operation may take where the configuration's `timeouts` does not say.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a create.
    pub create: Duration,
    /// For a read and for a plan.
    pub read: Duration,
    /// For an update.
    pub update: Duration,
    /// For a delete.
    pub delete: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self { create: minutes(20), read: minutes(2), update: minutes(20), delete: minutes(10) }
    }
}

/// A resource. Every method may be called again after a crash or a cancel, from any state of the world.
pub trait Resource: Send + Sync + Sized + 'static {
    /// What the provider's `configure` makes.
    type Client: Send + Sync + 'static;
    /// Configuration and state.
    type Model: Object;
    /// The type's name without the provider's: `topic` for `kafkastack_topic`.
    const NAME: &'static str;
    /// The version of the state's shape.
    const VERSION: i64 = 0;

    /// The time limits where the configuration gives none.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// Completes a plan: chooses computed values, refuses what cannot be. Values may be unknown.
    fn plan(&self, _cx: &Context<'_, Self::Client>, _plan: &mut Plan<Self::Model>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Whether the existing resource may be destroyed, asked at plan.
    fn plan_delete(&self, _cx: &Context<'_, Self::Client>, _prior: &Self::Model) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::new() }
    }

    /// Makes it, and ends by the deadline with what exists by then. After the last accepted write, a slow start is a warning: an error would have core destroy it next time.
    fn create(
        &self,
        cx: &Context<'_, Self::Client>,
        change: Change<Self::Model>,
    ) -> impl Future<Output = Reply<Self::Model>> + Send;

    /// What exists. `state: None` only when the server says with authority that it is not there.
    fn read(
        &self,
        cx: &Context<'_, Self::Client>,
        state: Self::Model,
        private: Private,
    ) -> impl Future<Output = Reply<Self::Model>> + Send;

    /// Changes it.
    fn update(
        &self,
        cx: &Context<'_, Self::Client>,
        change: Change<Self::Model>,
    ) -> impl Future<Output = Reply<Self::Model>> + Send;

    /// Removes it; what is gone already is no error. The guard of `plan_delete` is asked again by the resource itself.
    fn delete(
        &self,
        cx: &Context<'_, Self::Client>,
        change: Change<Self::Model>,
    ) -> impl Future<Output = Reply<Self::Model>> + Send;

    /// Finds an existing one by its import id.
    fn import(&self, cx: &Context<'_, Self::Client>, id: &str) -> impl Future<Output = Reply<Self::Model>> + Send;

    /// What an older version of the schema stored, in the shape of this one. By default, what is new is null and what is
    /// gone is dropped. A state of this very version is not asked about.
    ///
    /// # Errors
    /// When it cannot be brought to this shape.
    fn upgrade(&self, stored: &Stored<'_>) -> Result<Self::Model, Diagnostic> {
        stored.decode()
    }

    /// The state of a resource of another type, also of another provider, that a `moved` block makes one of this type.
    /// `None`: such a one cannot become one of this type. What is null here is filled by the read that follows.
    fn take_over(&self, _stored: &Stored<'_>) -> Option<Reply<Self::Model>> {
        None
    }
}

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

/// A [`Resource`] without its types, as the server holds it.
pub trait AnyResource<C>: Send + Sync {
    /// See [`Resource::NAME`].
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> Schema;
    /// See [`Resource::limits`].
    fn limits(&self) -> Limits;
    /// See [`Resource::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`Resource::plan`].
    fn plan<'a>(&'a self, cx: &'a Context<'a, C>, plan: Plan<Value>) -> BoxFuture<'a, Plan<Value>>;
    /// See [`Resource::plan_delete`].
    fn plan_delete<'a>(&'a self, cx: &'a Context<'a, C>, prior: Value) -> BoxFuture<'a, Diagnostics>;
    /// See [`Resource::create`].
    fn create<'a>(&'a self, cx: &'a Context<'a, C>, change: Change<Value>) -> BoxFuture<'a, Reply<Value>>;
    /// See [`Resource::read`].
    fn read<'a>(&'a self, cx: &'a Context<'a, C>, state: Value, private: Private) -> BoxFuture<'a, Reply<Value>>;
    /// See [`Resource::update`].
    fn update<'a>(&'a self, cx: &'a Context<'a, C>, change: Change<Value>) -> BoxFuture<'a, Reply<Value>>;
    /// See [`Resource::delete`].
    fn delete<'a>(&'a self, cx: &'a Context<'a, C>, change: Change<Value>) -> BoxFuture<'a, Reply<Value>>;
    /// See [`Resource::import`].
    fn import<'a>(&'a self, cx: &'a Context<'a, C>, id: String) -> BoxFuture<'a, Reply<Value>>;
    /// See [`Resource::upgrade`].
    ///
    /// # Errors
    /// When it cannot be brought to this shape.
    fn upgrade(&self, stored: &Stored<'_>) -> Result<Value, Diagnostic>;
    /// See [`Resource::take_over`].
    fn take_over(&self, stored: &Stored<'_>) -> Option<Reply<Value>>;
}

/// A fault of core or of ours, never of the user.
fn mismatch(error: &Mismatch) -> Diagnostic {
    Diagnostic::error("A value does not fit the schema", format!("{error}.\n{REPORT}")).at(error.at.clone())
}

/// Null stands for "nothing there": the type's default, every attribute of which is null.
pub(super) fn decode<M: Object>(value: &Value) -> Result<M, Diagnostic> {
    match value {
        Value::Null => Ok(M::default()),
        value => M::decode(value, &Path::root()).map_err(|e| mismatch(&e)),
    }
}

/// The schema of a model.
pub(super) fn described<M: Object>(version: i64) -> Schema {
    Schema { version, doc: doc(M::DOC), attributes: M::attributes() }
}

impl<M: Object> Change<M> {
    fn decode(change: &Change<Value>) -> Result<Self, Diagnostic> {
        Ok(Self {
            config: decode(&change.config)?,
            prior: decode(&change.prior)?,
            planned: decode(&change.planned)?,
            private: change.private.clone(),
        })
    }
}

impl<M: Object> Reply<M> {
    pub(super) fn encode(self) -> Reply<Value> {
        Reply { state: self.state.map(|state| state.encode()), private: self.private, diagnostics: self.diagnostics }
    }
}

macro_rules! erased_change {
    ($($operation:ident),*) => {$(
        fn $operation<'a>(&'a self, cx: &'a Context<'a, R::Client>, change: Change<Value>) -> BoxFuture<'a, Reply<Value>> {
            async move {
                match Change::decode(&change) {
                    Ok(change) => Resource::$operation(self, cx, change).await.encode(),
                    Err(diagnostic) => Reply::failed(Some(change.prior), diagnostic),
                }
            }
            .boxed()
        }
    )*};
}

impl<R: Resource> AnyResource<R::Client> for R {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn schema(&self) -> Schema {
        described::<R::Model>(R::VERSION)
    }

    fn limits(&self) -> Limits {
        Resource::limits(self)
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => Resource::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn plan<'a>(&'a self, cx: &'a Context<'a, R::Client>, mut plan: Plan<Value>) -> BoxFuture<'a, Plan<Value>> {
        async move {
            let typed = || -> Result<Plan<R::Model>, Diagnostic> {
                Ok(Plan {
                    config: decode(&plan.config)?,
                    prior: plan.prior.as_ref().map(decode).transpose()?,
                    planned: decode(&plan.planned)?,
                    replace: plan.replace.clone(),
                    private: plan.private.clone(),
                    diagnostics: Diagnostics::new(),
                })
            };
            match typed() {
                Ok(mut typed) => {
                    Resource::plan(self, cx, &mut typed).await;
                    plan.planned = typed.planned.encode();
                    plan.replace = typed.replace;
                    plan.private = typed.private;
                    plan.diagnostics.extend(typed.diagnostics);
                }
                Err(diagnostic) => plan.diagnostics.push(diagnostic),
            }
            plan
        }
        .boxed()
    }

    fn plan_delete<'a>(&'a self, cx: &'a Context<'a, R::Client>, prior: Value) -> BoxFuture<'a, Diagnostics> {
        async move {
            match decode(&prior) {
                Ok(prior) => Resource::plan_delete(self, cx, &prior).await,
                Err(diagnostic) => diagnostic.into(),
            }
        }
        .boxed()
    }

    fn read<'a>(&'a self, cx: &'a Context<'a, R::Client>, state: Value, private: Private) -> BoxFuture<'a, Reply<Value>> {
        async move {
            match decode(&state) {
                Ok(typed) => Resource::read(self, cx, typed, private).await.encode(),
                Err(diagnostic) => Reply::failed(Some(state), diagnostic),
            }
        }
        .boxed()
    }

    fn import<'a>(&'a self, cx: &'a Context<'a, R::Client>, id: String) -> BoxFuture<'a, Reply<Value>> {
        async move { Resource::import(self, cx, &id).await.encode() }.boxed()
    }

    fn upgrade(&self, stored: &Stored<'_>) -> Result<Value, Diagnostic> {
        Resource::upgrade(self, stored).map(|model| model.encode())
    }

    fn take_over(&self, stored: &Stored<'_>) -> Option<Reply<Value>> {
        Resource::take_over(self, stored).map(Reply::encode)
    }

    erased_change!(create, update, delete);
}
