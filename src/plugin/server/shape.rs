//! A schema and the kind of its values: what comes in is decoded and checked by it, what goes out is encoded by it. Pure.

use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::path::Path;
use super::super::planner::{self, check};
use super::super::proto::tfplugin6::{self as proto, DynamicValue};
use super::super::schema::{self, Attribute, Kind, Schema};
use super::super::value::Value;
use super::super::wire;
use super::words::{bug, unreadable};

/// A schema, ready for use.
pub(super) struct Shape {
    /// What core is told.
    pub(super) schema: Schema,
    /// What its values are.
    pub(super) kind: Kind,
    /// Whether it has write-only attributes.
    write_only: bool,
}

impl Shape {
    pub(super) fn new(schema: Schema) -> Self {
        Self { kind: Kind::Object(schema.attributes.clone()), write_only: schema::has_write_only(&schema.attributes), schema }
    }

    pub(super) fn attributes(&self) -> &[Attribute] {
        &self.schema.attributes
    }

    /// An object of which `known` alone is set.
    pub(super) fn object(&self, known: &Value) -> Value {
        Value::Map(self.attributes().iter().map(|a| (a.name.to_owned(), known.get(a.name).clone())).collect())
    }

    /// The schema as core reads it.
    pub(super) fn message(&self) -> proto::Schema {
        wire::schema::schema(&self.schema)
    }

    /// A value that core sent.
    pub(super) fn decode(&self, value: Option<&DynamicValue>) -> Result<Value, Diagnostic> {
        wire::decode(&self.kind, value).map_err(|e| unreadable(&e.to_string(), e.path()))
    }

    /// A value for core.
    pub(super) fn encode(&self, value: &Value) -> Result<DynamicValue, Diagnostics> {
        wire::encode(&self.kind, value).map_err(|e| bug(format!("A value does not fit the schema: {e}."), e.path()).into())
    }

    /// Holds a configuration against the schema's rules, and then, if it keeps them, asks `more`.
    pub(super) fn validate(
        &self,
        config: Option<&DynamicValue>,
        more: impl FnOnce(&Value, &mut Diagnostics),
    ) -> Result<Diagnostics, Diagnostics> {
        let config = self.decode(config)?;
        let mut diagnostics = Diagnostics::new();
        schema::validate(self.attributes(), &config, &Path::root(), &mut diagnostics);
        if !diagnostics.has_errors() {
            more(&config, &mut diagnostics);
        }
        Ok(diagnostics)
    }

    /// What of a value core may store.
    pub(super) fn without_write_only(&self, value: Value) -> Value {
        match self.write_only {
            true => schema::without_write_only(&self.kind, value),
            false => value,
        }
    }

    /// A configuration as its author's code reads it: defaults are filled in, and what only the answer knows is null.
    pub(super) fn asked(&self, config: &Value) -> Value {
        check::unknown_as_null(planner::draft(self.attributes(), config, &Value::Null))
    }

    /// An answer has to be wholly known, and to say what the configuration says.
    pub(super) fn answers(&self, config: &Value, answer: &Value) -> Result<(), Diagnostic> {
        self.wholly_known(answer)?;
        match check::plan(self.attributes(), config, &Value::Null, answer, &Path::root()) {
            Some(at) => Err(bug(format!("`{at}` is not what the configuration says."), at)),
            None => Ok(()),
        }
    }

    /// Nothing of an answer may be unknown that is not a plan.
    pub(super) fn wholly_known(&self, value: &Value) -> Result<(), Diagnostic> {
        match check::unknown(&self.kind, value, &Path::root()) {
            Some(at) => Err(bug(format!("`{at}` is still unknown."), at)),
            None => Ok(()),
        }
    }
}
