//! What an author of actions sees: something done on request, that leaves no state behind (Terraform 1.14 and newer).

use super::context::Context;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::erased::{decode, described};
use super::model::Object;
use super::operations::Limits;
use super::schema::Schema;
use super::types::Replace;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::time::Duration;

/// An action.
pub trait Action: Send + Sync + Sized + 'static {
    /// What the provider's `configure` makes.
    type Client: Send + Sync + 'static;
    /// Configuration.
    type Model: Object;
    /// The type's name without the provider's: `ha_drill` for `kafkastack_ha_drill`.
    const NAME: &'static str;

    /// How long it may take.
    fn limit(&self, _config: &Self::Model) -> Duration {
        Limits::default().create
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// What there is to say of it at plan; values may be unknown.
    ///
    /// # Errors
    /// Why it could not be done.
    fn plan(
        &self,
        _cx: &Context<'_, Self::Client>,
        _config: &Self::Model,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send {
        async { Ok(Diagnostics::new()) }
    }

    /// Does it, and says what there is to say; everything in `config` is known, defaults included. The user sees what
    /// [`Context::say`] tells at once.
    ///
    /// # Errors
    /// Why it failed.
    fn invoke(
        &self,
        cx: &Context<'_, Self::Client>,
        config: Self::Model,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send;
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
    fn plan<'a>(&'a self, cx: &'a Context<'a, C>, config: Value) -> BoxFuture<'a, Result<Diagnostics, Diagnostics>>;
    /// See [`Action::invoke`].
    fn invoke<'a>(&'a self, cx: &'a Context<'a, C>, config: Value) -> BoxFuture<'a, Result<Diagnostics, Diagnostics>>;
}

impl<A: Action> AnyAction<A::Client> for A {
    fn name(&self) -> &'static str {
        A::NAME
    }

    /// What a model says to a plan about its attributes is void: core keeps nothing of an action, so each is given or not.
    fn schema(&self) -> Schema {
        let mut schema = described::<A::Model>(0);
        for attribute in &mut schema.attributes {
            (attribute.rules.computed, attribute.rules.replace) = (false, Replace::Never);
        }
        schema
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

    fn plan<'a>(&'a self, cx: &'a Context<'a, A::Client>, config: Value) -> BoxFuture<'a, Result<Diagnostics, Diagnostics>> {
        async move { Action::plan(self, cx, &decode(&config)?).await }.boxed()
    }

    fn invoke<'a>(&'a self, cx: &'a Context<'a, A::Client>, config: Value) -> BoxFuture<'a, Result<Diagnostics, Diagnostics>> {
        async move { Action::invoke(self, cx, decode(&config)?).await }.boxed()
    }
}
