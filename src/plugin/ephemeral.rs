//! What an author of ephemeral resources sees: something that is opened for one run, renewed while it lasts, and closed.
//! It never reaches state or plan.

use super::context::Context;
use super::diagnostic::Diagnostics;
use super::erased::{decode, described};
use super::model::{Object, Typed};
use super::operations::{Limits, Private};
use super::schema::Schema;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::time::{Duration, SystemTime};

/// What was opened.
#[derive(Clone, Debug)]
pub struct Opened<M> {
    /// The whole object; everything in it is known.
    pub result: M,
    /// What renewing and closing need to know. It stays in core's memory.
    pub private: Private,
    /// When it has to be renewed; none: never.
    pub renew_at: Option<SystemTime>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// How a renewal ended.
#[derive(Clone, Debug, Default)]
pub struct Renewed {
    /// What the next renewal and closing need to know.
    pub private: Private,
    /// When it has to be renewed again; none: never.
    pub renew_at: Option<SystemTime>,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// An ephemeral resource.
pub trait Ephemeral: Send + Sync + Sized + 'static {
    /// What the provider's `configure` makes.
    type Client: Send + Sync + 'static;
    /// Configuration and result.
    type Model: Object;
    /// The type's name without the provider's.
    const NAME: &'static str;

    /// How long each step may take.
    fn limit(&self) -> Duration {
        Limits::default().read
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// Opens it. Values that the configuration sets stay as they are.
    fn open(
        &self,
        cx: &Context<'_, Self::Client>,
        config: Self::Model,
    ) -> impl Future<Output = Result<Opened<Self::Model>, Diagnostics>> + Send;

    /// Makes it last longer.
    fn renew(
        &self,
        _cx: &Context<'_, Self::Client>,
        private: Private,
    ) -> impl Future<Output = Result<Renewed, Diagnostics>> + Send {
        async { Ok(Renewed { private, ..Renewed::default() }) }
    }

    /// Ends it.
    fn close(&self, _cx: &Context<'_, Self::Client>, _private: Private) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::new() }
    }
}

/// An [`Ephemeral`] without its types, as the server holds it.
pub trait AnyEphemeral<C>: Send + Sync {
    /// See [`Ephemeral::NAME`].
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> Schema;
    /// See [`Ephemeral::limit`].
    fn limit(&self) -> Duration;
    /// See [`Ephemeral::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`Ephemeral::open`].
    fn open<'a>(&'a self, cx: &'a Context<'a, C>, config: Value) -> BoxFuture<'a, Result<Opened<Value>, Diagnostics>>;
    /// See [`Ephemeral::renew`].
    fn renew<'a>(&'a self, cx: &'a Context<'a, C>, private: Private) -> BoxFuture<'a, Result<Renewed, Diagnostics>>;
    /// See [`Ephemeral::close`].
    fn close<'a>(&'a self, cx: &'a Context<'a, C>, private: Private) -> BoxFuture<'a, Diagnostics>;
}

impl<E: Ephemeral> AnyEphemeral<E::Client> for E {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn schema(&self) -> Schema {
        described::<E::Model>(0)
    }

    fn limit(&self) -> Duration {
        Ephemeral::limit(self)
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => Ephemeral::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn open<'a>(&'a self, cx: &'a Context<'a, E::Client>, config: Value) -> BoxFuture<'a, Result<Opened<Value>, Diagnostics>> {
        async move {
            let Opened { result, private, renew_at, diagnostics } = Ephemeral::open(self, cx, decode(&config)?).await?;
            Ok(Opened { result: result.encode(), private, renew_at, diagnostics })
        }
        .boxed()
    }

    fn renew<'a>(&'a self, cx: &'a Context<'a, E::Client>, private: Private) -> BoxFuture<'a, Result<Renewed, Diagnostics>> {
        Ephemeral::renew(self, cx, private).boxed()
    }

    fn close<'a>(&'a self, cx: &'a Context<'a, E::Client>, private: Private) -> BoxFuture<'a, Diagnostics> {
        Ephemeral::close(self, cx, private).boxed()
    }
}
