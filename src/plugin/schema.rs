//! What a resource's configuration may hold: attributes with their type, documentation and rules.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::path::Path;
use super::typed::Typed;
pub use super::types::{Attribute, Check, Kind, Replace, Rules, Same};
use super::value::Value;
use std::borrow::Borrow;
use std::marker::PhantomData;
use std::sync::Arc;

/// The rules of an attribute whose values are `T`s, as its author writes them.
#[derive(Clone, Debug, Default)]
pub struct Declared<T> {
    rules: Rules,
    values: PhantomData<fn(&T)>,
}

fn declared<T: Typed>(rules: Rules) -> Declared<T> {
    Declared { rules: Rules { words: T::words(), ..rules }, values: PhantomData }
}

/// An attribute that the configuration has to set.
pub fn required<T: Typed>() -> Declared<T> {
    declared(Rules { required: true, ..Rules::default() })
}

/// An attribute that the configuration may set.
pub fn optional<T: Typed>() -> Declared<T> {
    declared(Rules { optional: true, ..Rules::default() })
}

/// An attribute that only the provider sets.
pub fn computed<T: Typed>() -> Declared<T> {
    declared(Rules { computed: true, ..Rules::default() })
}

impl<T: Typed> Declared<T> {
    fn with(self, change: impl FnOnce(Rules) -> Rules) -> Self {
        Self { rules: change(self.rules), ..self }
    }

    /// The value where the configuration has none; the provider then sets it, so it is computed too.
    #[must_use]
    pub fn defaults_to(self, value: impl Into<T>) -> Self {
        let value = value.into().encode();
        self.with(|rules| Rules { default: Some(value), computed: true, ..rules })
    }

    /// The provider chooses where the configuration does not.
    #[must_use]
    pub fn or_computed(self) -> Self {
        self.with(|rules| Rules { computed: true, ..rules })
    }

    /// A change replaces the resource.
    #[must_use]
    pub fn replaces(self) -> Self {
        self.with(|rules| Rules { replace: Replace::Always, ..rules })
    }

    /// A change replaces the resource where the configuration sets the attribute.
    #[must_use]
    pub fn replaces_if_configured(self) -> Self {
        self.with(|rules| Rules { replace: Replace::IfConfigured, ..rules })
    }

    /// Once known, the computed value stays.
    #[must_use]
    pub fn stable(self) -> Self {
        self.with(|rules| Rules { stable: true, ..rules })
    }

    /// Hidden in plans.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.with(|rules| Rules { sensitive: true, ..rules })
    }

    /// Part of what tells the object from all others: see [`Identity`](super::identity::Identity).
    #[must_use]
    pub fn identifies(self) -> Self {
        self.with(|rules| Rules { identity: true, ..rules })
    }

    /// The value is in the configuration of a plan, a create and an update, and nowhere else: plans and states hold null.
    /// A change of it alone is no change, so an attribute `<name>_version` beside it is what a user changes to rotate it.
    #[must_use]
    pub fn write_only(self) -> Self {
        self.with(|rules| Rules { write_only: true, ..rules })
    }

    /// Core warns who sets it; `instead` says what to use.
    #[must_use]
    pub fn deprecated(self, instead: &'static str) -> Self {
        self.with(|rules| Rules { deprecated: Some(instead), ..rules })
    }

    /// Adds a check of configured values: what is wrong with one, without naming the attribute.
    #[must_use]
    pub fn check<V: ?Sized + 'static>(mut self, check: fn(&V) -> Result<(), String>) -> Self
    where
        T: Borrow<V>,
    {
        let checked = move |value: &Value| match T::decode(value) {
            Ok(value) => check(value.borrow()),
            Err(mismatch) if mismatch.at.steps().is_empty() => Err(format!("it is not {}.", mismatch.expected)),
            // A part of it is wrong, which is said of that part.
            Err(_) => Ok(()),
        };
        self.rules.checks.push(Check(Arc::new(checked)));
        self
    }

    /// Two values for which `same` holds are no change.
    #[must_use]
    pub fn same_if<V: ?Sized + 'static>(self, same: fn(&V, &V) -> bool) -> Self
    where
        T: Borrow<V>,
    {
        let decoded = |value: &Value| T::decode(value).ok();
        let alike = move |a: &Value, b: &Value| match (decoded(a), decoded(b)) {
            (Some(a), Some(b)) => same(a.borrow(), b.borrow()),
            _ => false,
        };
        self.with(|rules| Rules { same: Some(Same(Arc::new(alike))), ..rules })
    }

    /// The rules, for who does not know the type.
    pub fn rules(self) -> Rules {
        self.rules
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
        let rules = &attribute.rules;
        // Words count one by one, also beside others that are not known yet.
        let word = Some(rules.words).filter(|words| !words.is_empty()).map(|words| one_of(words, value));
        let checks = rules.checks.iter().filter(|_| !value.is_null() && value.is_wholly_known());
        let checked = checks.map(|Check(check)| check(value));
        for why in word.into_iter().chain(checked).filter_map(Result::err) {
            diagnostics.error_at(path.clone(), "Invalid value", format!("`{path}`: {why}"));
        }
        validate_inside(&attribute.kind, value, &path, diagnostics);
    }
}

/// Whether a value, or each one in a collection, is one of these words.
fn one_of(words: &[&str], value: &Value) -> Result<(), String> {
    match value {
        Value::List(values) | Value::Set(values) => values.iter().try_for_each(|value| one_of(words, value)),
        Value::String(text) if !words.contains(&text.as_str()) => Err(format!("{text:?} is not one of {}.", words.join(", "))),
        _ => Ok(()),
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
