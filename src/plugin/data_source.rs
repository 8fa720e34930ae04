//! What an author of data sources sees: a configuration in, a whole object out. Nothing is made or changed.

use super::context::Context;
use super::diagnostic::Diagnostics;
use super::erased::{decode, described};
use super::model::Object;
use super::operations::{Done, Limits};
use super::schema::Schema;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::time::Duration;

/// A data source. It is read in every plan; where its configuration is unknown then, core reads it in the apply.
pub trait DataSource: Send + Sync + Sized + 'static {
    /// What the provider's `configure` makes.
    type Client: Send + Sync + 'static;
    /// Configuration and result.
    type Model: Object;
    /// The type's name without the provider's: `health` for `kafkastack_health`.
    const NAME: &'static str;

    /// How long a read may take where the configuration's `timeouts.read` does not say.
    fn limit(&self) -> Duration {
        Limits::default().read
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// What there is. `config` is the configuration with its defaults; the answer has the same values where the
    /// configuration sets them, and every other one is known.
    ///
    /// # Errors
    /// Why there is no answer.
    fn read(
        &self,
        cx: &Context<'_, Self::Client>,
        config: Self::Model,
    ) -> impl Future<Output = Result<Done<Self::Model>, Diagnostics>> + Send;
}

/// A [`DataSource`] without its types, as the server holds it.
pub trait AnyDataSource<C>: Send + Sync {
    /// See [`DataSource::NAME`].
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> Schema;
    /// See [`DataSource::limit`].
    fn limit(&self) -> Duration;
    /// See [`DataSource::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`DataSource::read`].
    fn read<'a>(&'a self, cx: &'a Context<'a, C>, config: Value) -> BoxFuture<'a, Result<Done<Value>, Diagnostics>>;
}

impl<D: DataSource> AnyDataSource<D::Client> for D {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn schema(&self) -> Schema {
        described::<D::Model>(0)
    }

    fn limit(&self) -> Duration {
        DataSource::limit(self)
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => DataSource::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn read<'a>(&'a self, cx: &'a Context<'a, D::Client>, config: Value) -> BoxFuture<'a, Result<Done<Value>, Diagnostics>> {
        async move {
            let done = DataSource::read(self, cx, decode(&config)?).await?;
            done.or_failed().map(Done::encode).map_err(|failed| failed.said)
        }
        .boxed()
    }
}
