//! What a plan is: configuration and prior state to planned state, by the rules of the schema. Pure.
//!
//! The order is that of the protocol's reference framework: defaults, semantic equality, and, only where something
//! changes, computed values become unknown. The resource's own `plan` comes after [`draft`]; [`check::plan`] then says
//! whether core would accept the result and [`replace::paths`] whether it needs a new object. Core's proposal is not
//! needed: it is the configuration with the prior computed values, which [`draft`] makes itself, in sets too.

pub mod check;
pub mod generate;
pub mod replace;

use super::schema::{Attribute, Kind, Rules, Same};
use super::value::Value;
use std::collections::BTreeMap;

/// The attributes of a nested attribute's objects: of an object, or of a collection of objects.
///
/// A collection of collections is one plain value to core: what is inside has no rules.
fn nested(kind: &Kind) -> Option<&[Attribute]> {
    match kind {
        Kind::Object(attributes) => Some(attributes),
        Kind::List(inner) | Kind::Set(inner) | Kind::Map(inner) => match &**inner {
            Kind::Object(attributes) => Some(attributes),
            _ => None,
        },
        _ => None,
    }
}

/// The item at `index` of a list; null where there is none.
fn item(value: &Value, index: usize) -> &Value {
    match value {
        Value::List(items) => items.get(index).unwrap_or(&Value::Null),
        Value::Unknown => &Value::Unknown,
        _ => &Value::Null,
    }
}

/// What the configuration says, or else the default.
fn effective<'a>(rules: &'a Rules, config: &'a Value) -> &'a Value {
    rules.default.as_ref().filter(|_| config.is_null()).unwrap_or(config)
}

/// Whether two values are both known, both there, and mean the same.
fn same(rules: &Rules, a: &Value, b: &Value) -> bool {
    let there = |value: &Value| !value.is_null() && value.is_wholly_known();
    rules.same.as_ref().is_some_and(|Same(same)| there(a) && there(b) && same(a, b))
}

/// What will exist, before the resource's own word. `prior` is null for a create and for a replacement.
pub fn draft(attributes: &[Attribute], config: &Value, prior: &Value) -> Value {
    let filled = object(attributes, config, prior, Unset::Prior);
    match filled == *prior {
        true => filled,
        false => object(attributes, config, prior, Unset::Unknown),
    }
}

/// What a computed value without configuration becomes.
#[derive(Clone, Copy)]
enum Unset {
    /// What it was: nothing changes.
    Prior,
    /// Unknown, unless it is stable: something changes.
    Unknown,
}

fn object(attributes: &[Attribute], config: &Value, prior: &Value, unset: Unset) -> Value {
    let planned = |a: &Attribute| (a.name.to_owned(), attribute(a, config.get(a.name), prior.get(a.name), unset));
    Value::Map(attributes.iter().map(planned).collect())
}

fn attribute(attribute: &Attribute, config: &Value, prior: &Value, unset: Unset) -> Value {
    let rules = &attribute.rules;
    if rules.write_only {
        return Value::Null;
    }
    let config = effective(rules, config);
    if config.is_null() {
        let keep = matches!(unset, Unset::Prior) || (rules.stable && !prior.is_null());
        return match rules.computed {
            true if keep => prior.clone(),
            true => Value::Unknown,
            false => config.clone(),
        };
    }
    // Inside, too, nothing has changed if the whole means the same.
    let filled = value(&attribute.kind, config, prior, Unset::Prior);
    if same(rules, &filled, prior) {
        return prior.clone();
    }
    match unset {
        Unset::Prior => filled,
        Unset::Unknown => value(&attribute.kind, config, prior, unset),
    }
}

fn value(kind: &Kind, config: &Value, prior: &Value, unset: Unset) -> Value {
    let Some(attributes) = nested(kind) else { return config.clone() };
    let inner = |config: &Value, prior: &Value| match config {
        Value::Map(_) => object(attributes, config, prior, unset),
        config => config.clone(),
    };
    match (kind, config) {
        (Kind::Object(_), config) => inner(config, prior),
        (_, Value::List(items)) => {
            Value::List(items.iter().enumerate().map(|(i, config)| inner(config, item(prior, i))).collect())
        }
        (_, Value::Map(entries)) => {
            let planned = |(key, config): (&String, &Value)| (key.clone(), inner(config, prior.get(key)));
            Value::Map(entries.iter().map(planned).collect::<BTreeMap<_, _>>())
        }
        (_, Value::Set(items)) => {
            let pairs = pair(attributes, items, prior);
            Value::Set(items.iter().zip(pairs).map(|(config, prior)| inner(config, prior)).collect())
        }
        _ => config.clone(),
    }
}

/// For each configured object of a set, the prior one that it stands for: sets have no keys, so what the configuration
/// sets has to be equal. Each prior object is taken once.
fn pair<'a>(attributes: &[Attribute], config: &[Value], prior: &'a Value) -> Vec<&'a Value> {
    let mut left: Vec<&Value> = match prior {
        Value::Set(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    config
        .iter()
        .map(|config| match left.iter().position(|prior| stands_for(attributes, config, prior)) {
            Some(found) => left.swap_remove(found),
            None => &Value::Null,
        })
        .collect()
}

fn stands_for(attributes: &[Attribute], config: &Value, prior: &Value) -> bool {
    attributes.iter().all(|a| {
        let (config, prior) = (effective(&a.rules, config.get(a.name)), prior.get(a.name));
        let unset = config.is_null() && a.rules.computed;
        unset || config == prior || attribute(a, config, prior, Unset::Prior) == *prior
    })
}

/// What was read or applied, but as it is stored wherever both mean the same: a difference in spelling is no drift.
pub fn settle(attributes: &[Attribute], stored: &Value, found: Value) -> Value {
    let Value::Map(entries) = found else { return found };
    let settled = |(name, found): (String, Value)| {
        let value = match attributes.iter().find(|a| a.name == name) {
            Some(attribute) => settle_attribute(attribute, stored.get(&name), found),
            None => found,
        };
        (name, value)
    };
    Value::Map(entries.into_iter().map(settled).collect())
}

fn settle_attribute(attribute: &Attribute, stored: &Value, found: Value) -> Value {
    if same(&attribute.rules, &found, stored) {
        return stored.clone();
    }
    let Some(inner) = nested(&attribute.kind) else { return found };
    match (&attribute.kind, found) {
        (Kind::Object(_), found) => settle(inner, stored, found),
        (_, Value::List(items)) => {
            Value::List(items.into_iter().enumerate().map(|(i, found)| settle(inner, item(stored, i), found)).collect())
        }
        (_, Value::Map(entries)) => Value::Map(
            entries
                .into_iter()
                .map(|(key, found)| {
                    let settled = settle(inner, stored.get(&key), found);
                    (key, settled)
                })
                .collect(),
        ),
        (_, found) => found,
    }
}

#[cfg(test)]
mod tests;
