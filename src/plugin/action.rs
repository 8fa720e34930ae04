//! What an author of actions sees: something done on request, that leaves no state behind (Terraform 1.14 and newer).

use super::diagnostic::{Diagnostic, Diagnostics};
use super::model::Object;
use super::resource::{Context, Limits, decode, described};
use super::schema::Schema;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// Tells the user how far an action came.
#[derive(Clone, Debug)]
pub struct Progress(UnboundedSender<String>);

impl Progress {
    /// Progress messages into `to`.
    pub fn new(to: UnboundedSender<String>) -> Self {
        Self(to)
    }

    /// One line for the user. Nobody listening is no error.
    pub fn say(&self, message: impl Into<String>) {
        let _ = self.0.send(message.into());
    }
}

/// An action.
pub trait Action: Send + Sync + Sized + 'static {
    /// What the provider's `configure` makes.
    type Client: Send + Sync + 'static;
    /// Configuration.
    type Model: Object;
    /// The type's name without the provider's: `drill` for `kafkastack_drill`.
    const NAME: &'static str;

    /// How long it may take.
    fn limit(&self, _config: &Self::Model) -> Duration {
        Limits::default().create
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// Refuses at plan what could not be done; values may be unknown.
    fn plan(&self, _cx: &Context<'_, Self::Client>, _config: &Self::Model) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::new() }
    }

    /// Does it; everything in `config` is known, defaults included. An error among what is said means that it failed.
    fn invoke(
        &self,
        cx: &Context<'_, Self::Client>,
        config: Self::Model,
        progress: &Progress,
    ) -> impl Future<Output = Diagnostics> + Send;
}

/// An [`Action`] without its types, as the server holds it.
pub trait AnyAction<C>: Send + Sync {
    /// See [`Action::NAME`].
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> Schema;
    /// See [`Action::limit`].
    ///
    /// # Errors
    /// When the configuration does not fit the schema.
    fn limit(&self, config: &Value) -> Result<Duration, Diagnostic>;
    /// See [`Action::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`Action::plan`].
    fn plan<'a>(&'a self, cx: &'a Context<'a, C>, config: Value) -> BoxFuture<'a, Diagnostics>;
    /// See [`Action::invoke`].
    fn invoke<'a>(&'a self, cx: &'a Context<'a, C>, config: Value, progress: &'a Progress) -> BoxFuture<'a, Diagnostics>;
}

impl<A: Action> AnyAction<A::Client> for A {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn schema(&self) -> Schema {
        described::<A::Model>(0)
    }

    fn limit(&self, config: &Value) -> Result<Duration, Diagnostic> {
        Ok(Action::limit(self, &decode(config)?))
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => Action::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn plan<'a>(&'a self, cx: &'a Context<'a, A::Client>, config: Value) -> BoxFuture<'a, Diagnostics> {
        async move {
            match decode(&config) {
                Ok(config) => Action::plan(self, cx, &config).await,
                Err(diagnostic) => diagnostic.into(),
            }
        }
        .boxed()
    }

    fn invoke<'a>(&'a self, cx: &'a Context<'a, A::Client>, config: Value, to: &'a Progress) -> BoxFuture<'a, Diagnostics> {
        async move {
            match decode(&config) {
                Ok(config) => Action::invoke(self, cx, config, to).await,
                Err(diagnostic) => diagnostic.into(),
            }
        }
        .boxed()
    }
}
