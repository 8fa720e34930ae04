//! What does not fit, and where. Pure.

use super::super::path::{Path, Step};
use super::super::schema::{Attribute, Kind};
use std::fmt;

/// A value that is not what the schema says, in either direction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct WireError {
    /// From the value outwards to the root.
    steps: Vec<Step>,
    /// What is wrong.
    what: String,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "`{}`: {}", self.path(), self.what),
        }
    }
}

impl WireError {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { steps: Vec::new(), what: what.into() }
    }

    /// The same, seen from one step further out.
    pub(super) fn inside(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Where.
    pub fn path(&self) -> Path {
        Path::from_steps(self.steps.iter().rev().cloned().collect())
    }
}

/// The name of a kind, for errors.
fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "a bool",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::List(_) => "a list",
        Kind::Set(_) => "a set",
        Kind::Map(_) => "a map",
        Kind::Object(_) | Kind::Record(_) => "an object",
        Kind::Tuple(_) => "a tuple",
        Kind::Dynamic => "a value with its type",
    }
}

pub(super) fn expected(kind: &Kind) -> WireError {
    WireError::new(format!("not {}", name(kind)))
}

pub(super) fn in_attribute(attribute: &Attribute) -> impl Fn(WireError) -> WireError + '_ {
    |error| error.inside(Step::Attribute(attribute.name.to_owned()))
}

pub(super) fn in_key(key: &str) -> impl Fn(WireError) -> WireError + '_ {
    move |error| error.inside(Step::Key(key.to_owned()))
}

pub(super) fn in_index(index: usize) -> impl Fn(WireError) -> WireError {
    move |error| error.inside(Step::Index(index))
}
