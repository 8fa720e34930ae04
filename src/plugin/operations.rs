//! What a resource is asked, operation by operation, and what it answers. Each has what it needs and nothing else.

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::path::Path;
use std::collections::BTreeMap;
use std::time::Duration;

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

/// An approved create.
#[derive(Clone, Debug)]
pub struct Create<M> {
    /// What the user wrote.
    pub config: M,
    /// What was approved.
    pub planned: M,
    /// Private state of the plan.
    pub private: Private,
}

/// An approved change in place.
#[derive(Clone, Debug)]
pub struct Update<M> {
    /// What the user wrote.
    pub config: M,
    /// What exists.
    pub prior: M,
    /// What was approved.
    pub planned: M,
    /// Private state of the plan.
    pub private: Private,
}

/// An approved removal.
#[derive(Clone, Debug)]
pub struct Delete<M> {
    /// What exists.
    pub prior: M,
    /// Its private state.
    pub private: Private,
}

/// What exists after an operation that did what it was asked for.
#[derive(Clone, Debug)]
pub struct Done<M> {
    /// What exists.
    pub state: M,
    /// Private state to keep, all of it: what is not here is forgotten.
    pub private: Private,
    /// Warnings.
    pub said: Diagnostics,
}

impl<M> Done<M> {
    /// This exists.
    pub fn new(state: M) -> Self {
        Self { state, private: Private::new(), said: Diagnostics::new() }
    }

    /// The same, with private state to keep.
    #[must_use]
    pub fn keep(self, private: Private) -> Self {
        Self { private, ..self }
    }

    /// The same, with more to say.
    #[must_use]
    pub fn and(mut self, said: impl Into<Diagnostics>) -> Self {
        self.said.extend(said.into());
        self
    }

    /// An error among what is said makes it a failure that leaves this.
    ///
    /// # Errors
    /// That failure.
    pub fn or_failed(self) -> Result<Self, Failed<M>> {
        match self.said.has_errors() {
            true => Err(Failed { said: self.said, left: Some(Box::new((self.state, self.private))) }),
            false => Ok(self),
        }
    }
}

/// Why an operation did not do what it was asked for, and what exists all the same.
#[derive(Clone, Debug)]
pub struct Failed<M> {
    /// The errors, and warnings beside them.
    pub said: Diagnostics,
    /// What exists now, with its private state. None: for a create nothing, for a change or a removal what was there before.
    pub left: Option<Box<(M, Private)>>,
}

impl<M> Failed<M> {
    /// The same failure, which leaves this.
    #[must_use]
    pub fn leaving(self, state: M, private: Private) -> Self {
        Self { left: Some(Box::new((state, private))), ..self }
    }

    /// The same, with more to say.
    #[must_use]
    pub fn and(mut self, said: impl Into<Diagnostics>) -> Self {
        self.said.extend(said.into());
        self
    }
}

impl<M> From<Diagnostics> for Failed<M> {
    fn from(said: Diagnostics) -> Self {
        debug_assert!(said.iter().any(|one| one.severity == Severity::Error), "a failure without an error");
        Self { said, left: None }
    }
}

impl<M> From<Diagnostic> for Failed<M> {
    fn from(why: Diagnostic) -> Self {
        Diagnostics::from(why).into()
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
