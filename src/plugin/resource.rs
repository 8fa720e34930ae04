//! What an author of resources writes: typed requests in, typed answers out, no wire format, no unknown-value plumbing.

use super::context::Context;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::model::Object;
use super::operations::{Create, Delete, Done, Failed, Limits, Plan, Private, Update};
use super::stored::Stored;
use std::future::Future;

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
    ///
    /// # Errors
    /// What stops the plan, beside the errors in it.
    fn plan(
        &self,
        _cx: &Context<'_, Self::Client>,
        _plan: &mut Plan<Self::Model>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        async { Ok(()) }
    }

    /// Whether the existing resource may be destroyed, asked at plan. Warnings are said beside the plan.
    ///
    /// # Errors
    /// Why it may not.
    fn plan_delete(
        &self,
        _cx: &Context<'_, Self::Client>,
        _going: &Delete<Self::Model>,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send {
        async { Ok(Diagnostics::new()) }
    }

    /// Makes it, and ends by the deadline with what exists by then. After the last accepted write, a slow start is a warning:
    /// core destroys at its next apply what a create left with an error.
    ///
    /// # Errors
    /// Why it was not made, with what was made all the same.
    fn create(
        &self,
        cx: &Context<'_, Self::Client>,
        create: Create<Self::Model>,
    ) -> impl Future<Output = Result<Done<Self::Model>, Failed<Self::Model>>> + Send;

    /// What exists; `None` only when the server says with authority that it is not there.
    ///
    /// # Errors
    /// Why that is not known. State stays as it is.
    fn read(
        &self,
        cx: &Context<'_, Self::Client>,
        state: Self::Model,
        private: Private,
    ) -> impl Future<Output = Result<Option<Done<Self::Model>>, Diagnostics>> + Send;

    /// Changes it.
    ///
    /// # Errors
    /// Why not, with what there is now where that is known.
    fn update(
        &self,
        cx: &Context<'_, Self::Client>,
        update: Update<Self::Model>,
    ) -> impl Future<Output = Result<Done<Self::Model>, Failed<Self::Model>>> + Send;

    /// Removes it; what is gone already is no error. The guard of `plan_delete` is asked again by the resource itself.
    ///
    /// # Errors
    /// Why it is still there.
    fn delete(
        &self,
        cx: &Context<'_, Self::Client>,
        delete: Delete<Self::Model>,
    ) -> impl Future<Output = Result<Diagnostics, Failed<Self::Model>>> + Send;

    /// Finds an existing one. Of `named` the attributes of its identity are set, and nothing else. By default it is read.
    ///
    /// # Errors
    /// Why it cannot be taken into a state.
    fn import(
        &self,
        cx: &Context<'_, Self::Client>,
        named: Self::Model,
    ) -> impl Future<Output = Result<Option<Done<Self::Model>>, Diagnostics>> + Send {
        self.read(cx, named, Private::new())
    }

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
    ///
    /// # Errors
    /// Why this one cannot.
    fn take_over(&self, _stored: &Stored<'_>) -> Result<Option<Done<Self::Model>>, Diagnostics> {
        Ok(None)
    }
}
