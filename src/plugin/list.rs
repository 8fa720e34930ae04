//! What an author of list resources sees: the objects of one resource that are there, whether anybody manages them or not
//! (`terraform query`, Terraform 1.14 and later).

use super::context::Context;
use super::diagnostic::Diagnostics;
use super::erased::{decode, described};
use super::model::{Object, Typed};
use super::operations::Limits;
use super::resource::Resource;
use super::schema::Schema;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::future::Future;
use std::time::Duration;

/// What is asked for, beside what the configuration says.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// No more objects than that. What is listed beyond is dropped.
    pub limit: usize,
    /// Every attribute of each object, as an import would have it; otherwise what identifies it is enough.
    pub whole: bool,
}

/// One object that is there.
#[derive(Clone, Debug)]
pub struct Listed<M> {
    /// What people call it.
    pub display_name: String,
    /// The object: all of it where that is wanted, and in any case what identifies it.
    pub object: M,
}

/// What was found, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Listing<M> {
    /// The objects.
    pub objects: Vec<Listed<M>>,
    /// Warnings.
    pub said: Diagnostics,
}

impl<M> Listing<M> {
    /// These are there.
    pub fn of(objects: Vec<Listed<M>>) -> Self {
        Self { objects, said: Diagnostics::new() }
    }

    /// The same, with more to say.
    #[must_use]
    pub fn and(mut self, said: impl Into<Diagnostics>) -> Self {
        self.said.extend(said.into());
        self
    }
}

/// Lists the objects of a resource. It has the resource's name, and the resource has to have an identity.
pub trait List: Send + Sync + Sized + 'static {
    /// What is listed.
    type Resource: Resource;
    /// Which of them: the `config` of a `list` block.
    type Model: Object;

    /// How long it may take, where the configuration has no `timeouts`.
    fn limit(&self) -> Duration {
        Limits::default().read
    }

    /// Checks a configuration as a whole, offline; values may be unknown.
    fn validate(&self, _config: &Self::Model, _diagnostics: &mut Diagnostics) {}

    /// The objects that are there now.
    ///
    /// # Errors
    /// Why that is not known.
    fn list(
        &self,
        cx: &Context<'_, <Self::Resource as Resource>::Client>,
        config: Self::Model,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Listing<<Self::Resource as Resource>::Model>, Diagnostics>> + Send;
}

/// A [`List`] without its types, as the server holds it.
pub trait AnyList<C>: Send + Sync {
    /// The resource's name without the provider's.
    fn name(&self) -> &'static str;
    /// The schema of the configuration.
    fn schema(&self) -> Schema;
    /// See [`List::limit`].
    fn limit(&self) -> Duration;
    /// See [`List::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`List::list`].
    fn list<'a>(
        &'a self,
        cx: &'a Context<'a, C>,
        config: Value,
        wanted: Wanted,
    ) -> BoxFuture<'a, Result<Listing<Value>, Diagnostics>>;
}

impl<L: List> AnyList<<L::Resource as Resource>::Client> for L {
    fn name(&self) -> &'static str {
        L::Resource::NAME
    }

    fn schema(&self) -> Schema {
        described::<L::Model>(0)
    }

    fn limit(&self) -> Duration {
        List::limit(self)
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => List::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn list<'a>(
        &'a self,
        cx: &'a Context<'a, <L::Resource as Resource>::Client>,
        config: Value,
        wanted: Wanted,
    ) -> BoxFuture<'a, Result<Listing<Value>, Diagnostics>> {
        async move {
            let Listing { objects, said } = List::list(self, cx, decode(&config)?, wanted).await?;
            let encoded = |one: Listed<<L::Resource as Resource>::Model>| Listed {
                display_name: one.display_name,
                object: one.object.encode(),
            };
            Ok(Listing { objects: objects.into_iter().map(encoded).collect(), said })
        }
        .boxed()
    }
}
