//! What a resource's configuration may hold: attributes with their type, documentation and rules.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::path::Path;
pub use super::types::{Attribute, Check, Kind, Replace, Rules, Same};
use super::value::Value;

/// An attribute that the configuration has to set.
pub fn required() -> Rules {
    Rules { required: true, ..Rules::default() }
}

/// An attribute that the configuration may set.
pub fn optional() -> Rules {
    Rules { optional: true, ..Rules::default() }
}

/// An attribute that only the provider sets.
pub fn computed() -> Rules {
    Rules { computed: true, ..Rules::default() }
}

impl Rules {
    /// The value where the configuration has none; the provider then sets it, so it is computed too.
    #[must_use]
    pub fn defaults_to(self, value: impl Into<Value>) -> Self {
        Self { default: Some(value.into()), computed: true, ..self }
    }

    /// The provider chooses where the configuration does not.
    #[must_use]
    pub fn or_computed(self) -> Self {
        Self { computed: true, ..self }
    }

    /// A change replaces the resource.
    #[must_use]
    pub fn replaces(self) -> Self {
        Self { replace: Replace::Always, ..self }
    }

    /// A change replaces the resource where the configuration sets the attribute.
    #[must_use]
    pub fn replaces_if_configured(self) -> Self {
        Self { replace: Replace::IfConfigured, ..self }
    }

    /// Once known, the computed value stays.
    #[must_use]
    pub fn stable(self) -> Self {
        Self { stable: true, ..self }
    }

    /// Hidden in plans.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// Part of what tells the object from all others: see [`Identity`](super::identity::Identity).
    #[must_use]
    pub fn identifies(self) -> Self {
        Self { identity: true, ..self }
    }

    /// The value is in the configuration of a plan, a create and an update, and nowhere else: plans and states hold null.
    /// A change of it alone is no change, so an attribute `<name>_version` beside it is what a user changes to rotate it.
    #[must_use]
    pub fn write_only(self) -> Self {
        Self { write_only: true, ..self }
    }

    /// Core warns who sets it; `instead` says what to use.
    #[must_use]
    pub fn deprecated(self, instead: &'static str) -> Self {
        Self { deprecated: Some(instead), ..self }
    }

    /// Adds a check of configured values.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Two values for which `same` holds are no change.
    #[must_use]
    pub fn same_if(self, same: Same) -> Self {
        Self { same: Some(same), ..self }
    }
}

/// A resource's, data source's or provider's schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The version of the state's shape.
    pub version: i64,
    /// What it is, in Markdown.
    pub doc: String,
    /// Its attributes, in the order in which they are documented.
    pub attributes: Vec<Attribute>,
}

/// Checks a configuration against the rules of `attributes`: required values, and every check on every known value.
pub fn validate(attributes: &[Attribute], config: &Value, at: &Path, diagnostics: &mut Diagnostics) {
    for attribute in attributes {
        let (value, path) = (config.get(attribute.name), at.attribute(attribute.name));
        if attribute.rules.required && value.is_null() {
            diagnostics.error_at(path.clone(), "Missing value", format!("`{path}` has to be set."));
        }
        if !value.is_null() && value.is_wholly_known() {
            for check in &attribute.rules.checks {
                if let Err(why) = check(value) {
                    diagnostics.error_at(path.clone(), "Invalid value", format!("`{path}`: {why}"));
                }
            }
        }
        validate_inside(&attribute.kind, value, &path, diagnostics);
    }
}

/// Refuses every write-only value of `config`: a core that does not know them would store it.
pub fn refuse_write_only(kind: &Kind, config: &Value, diagnostics: &mut Diagnostics) {
    each_write_only(kind, config, &Path::root(), &mut |at| {
        let why = format!("`{at}` is never stored, and this version of OpenTofu or Terraform would store it.");
        let hint = "use OpenTofu 1.11, Terraform 1.11, or later";
        diagnostics.push(Diagnostic::error("Write-only values are not supported", why).hint(hint).at(at));
    });
}

/// Whether one of these attributes, or one inside, is write-only.
pub fn has_write_only(attributes: &[Attribute]) -> bool {
    fn inside(kind: &Kind) -> bool {
        match kind {
            Kind::Object(attributes) => has_write_only(attributes),
            Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner) => inside(inner),
            _ => false,
        }
    }
    attributes.iter().any(|a| a.rules.write_only || inside(&a.kind))
}

/// Calls `found` with the place of every write-only value that is not null.
pub fn each_write_only(kind: &Kind, value: &Value, at: &Path, found: &mut dyn FnMut(Path)) {
    match (kind, value) {
        (Kind::Object(attributes), Value::Map(_)) => {
            for a in attributes {
                let (value, at) = (value.get(a.name), at.attribute(a.name));
                match a.rules.write_only {
                    true if value.is_null() => {}
                    true => found(at),
                    false => each_write_only(&a.kind, value, &at, found),
                }
            }
        }
        (Kind::List(inner), Value::List(items)) => {
            items.iter().enumerate().for_each(|(i, item)| each_write_only(inner, item, &at.index(i), found));
        }
        (Kind::Map(inner), Value::Map(entries)) => {
            entries.iter().for_each(|(key, item)| each_write_only(inner, item, &at.key(key), found));
        }
        _ => {}
    }
}

/// The same value without its write-only parts.
pub fn without_write_only(kind: &Kind, value: Value) -> Value {
    match (kind, value) {
        (Kind::Object(attributes), Value::Map(mut entries)) => {
            for a in attributes {
                if let Some(value) = entries.get_mut(a.name) {
                    let taken = std::mem::replace(value, Value::Null);
                    if !a.rules.write_only {
                        *value = without_write_only(&a.kind, taken);
                    }
                }
            }
            Value::Map(entries)
        }
        (Kind::List(inner), Value::List(items)) => {
            Value::List(items.into_iter().map(|item| without_write_only(inner, item)).collect())
        }
        (Kind::Map(inner), Value::Map(entries)) => {
            Value::Map(entries.into_iter().map(|(key, item)| (key, without_write_only(inner, item))).collect())
        }
        (_, value) => value,
    }
}

/// No model can hold a null element, and no user means one.
fn not_null(item: &Value, at: &Path, diagnostics: &mut Diagnostics) {
    if item.is_null() {
        diagnostics.error_at(at.clone(), "Missing value", format!("`{at}`: null is not allowed inside a collection."));
    }
}

fn validate_inside(kind: &Kind, value: &Value, at: &Path, diagnostics: &mut Diagnostics) {
    match (kind, value) {
        (Kind::Object(attributes), Value::Map(_)) => validate(attributes, value, at, diagnostics),
        (Kind::List(inner), Value::List(items)) => {
            for (i, item) in items.iter().enumerate() {
                not_null(item, &at.index(i), diagnostics);
                validate_inside(inner, item, &at.index(i), diagnostics);
            }
        }
        (Kind::Set(inner), Value::Set(items)) => {
            for item in items {
                not_null(item, at, diagnostics);
                validate_inside(inner, item, at, diagnostics);
            }
        }
        (Kind::Map(inner), Value::Map(entries)) => {
            for (key, item) in entries {
                not_null(item, &at.key(key), diagnostics);
                validate_inside(inner, item, &at.key(key), diagnostics);
            }
        }
        _ => {}
    }
}
