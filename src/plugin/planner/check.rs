//! What core will check of a plan and of its outcome, checked first, so that a fault of ours is named as one. Pure.

use super::super::path::Path;
use super::super::schema::{Attribute, Kind};
use super::super::value::{Dynamic, Value};
use super::{item, nested};

/// The first place where a plan differs from the configuration though nothing allows it: a value that the
/// configuration sets (or that only it may set) is planned as configured, or stays as it was.
pub fn plan(attributes: &[Attribute], config: &Value, prior: &Value, planned: &Value, at: &Path) -> Option<Path> {
    attributes.iter().find_map(|a| {
        let of = |value: &'_ Value| value.get(a.name).clone();
        attribute(a, &of(config), &of(prior), &of(planned), &at.attribute(a.name))
    })
}

fn attribute(attribute: &Attribute, config: &Value, prior: &Value, planned: &Value, at: &Path) -> Option<Path> {
    if attribute.rules.write_only {
        return (!planned.is_null()).then(|| at.clone());
    }
    let free = config.is_null() && attribute.rules.computed;
    if free || planned == config || (planned == prior && !prior.is_null()) {
        return None;
    }
    let Some(attributes) = nested(&attribute.kind) else { return Some(at.clone()) };
    let inner = |config: &Value, prior: &Value, planned: &Value, at: &Path| match (config, planned) {
        (Value::Map(_), Value::Map(_)) => plan(attributes, config, prior, planned, at),
        (config, planned) => (config != planned).then(|| at.clone()),
    };
    match (&attribute.kind, config, planned) {
        (Kind::Object(_), config, planned) => inner(config, prior, planned, at),
        (_, Value::List(c), Value::List(p)) if c.len() == p.len() => {
            c.iter().zip(p).enumerate().find_map(|(i, (c, p))| inner(c, item(prior, i), p, &at.index(i)))
        }
        (_, Value::Map(c), Value::Map(p)) if c.keys().eq(p.keys()) => {
            c.iter().zip(p.values()).find_map(|((key, c), p)| inner(c, prior.get(key), p, &at.key(key)))
        }
        (_, Value::Set(c), Value::Set(p)) => {
            let none = [Value::Null];
            let prior = if let Value::Set(items) = prior { items.as_slice() } else { &none };
            let fits = |p: &Value| c.iter().any(|c| prior.iter().chain(&none).any(|old| inner(c, old, p, at).is_none()));
            (c.len() != p.len() || !p.iter().all(fits)).then(|| at.clone())
        }
        _ => Some(at.clone()),
    }
}

/// The first place where the outcome differs from a known planned value.
pub fn outcome(kind: &Kind, planned: &Value, new: &Value, at: &Path) -> Option<Path> {
    match (kind, planned, new) {
        (_, Value::Unknown, _) => None,
        (Kind::Object(attributes), Value::Map(_), Value::Map(_)) => {
            attributes.iter().find_map(|a| outcome(&a.kind, planned.get(a.name), new.get(a.name), &at.attribute(a.name)))
        }
        (Kind::List(inner), Value::List(p), Value::List(n)) if p.len() == n.len() => {
            p.iter().zip(n).enumerate().find_map(|(i, (p, n))| outcome(inner, p, n, &at.index(i)))
        }
        (Kind::Map(inner), Value::Map(p), Value::Map(n)) if p.keys().eq(n.keys()) => {
            p.iter().zip(n.values()).find_map(|((key, p), n)| outcome(inner, p, n, &at.key(key)))
        }
        (Kind::Set(inner), Value::Set(p), Value::Set(n)) if !planned.is_wholly_known() => {
            let met = |p: &Value| n.iter().any(|n| outcome(inner, p, n, at).is_none());
            (!p.iter().all(met)).then(|| at.clone())
        }
        (Kind::Dynamic, Value::Dynamic(p), Value::Dynamic(n)) if p.kind == n.kind => outcome(&p.kind, &p.value, &n.value, at),
        (Kind::Tuple(kinds), Value::List(p), Value::List(n)) if p.len() == n.len() => {
            kinds.iter().zip(p.iter().zip(n)).enumerate().find_map(|(i, (kind, (p, n)))| outcome(kind, p, n, &at.index(i)))
        }
        (Kind::Record(kinds), Value::Map(_), Value::Map(_)) => {
            kinds.iter().find_map(|(name, kind)| outcome(kind, planned.get(name), new.get(name), &at.attribute(name)))
        }
        _ => (planned != new).then(|| at.clone()),
    }
}

/// The first place that is unknown.
pub fn unknown(kind: &Kind, value: &Value, at: &Path) -> Option<Path> {
    match (kind, value) {
        (_, Value::Unknown) => Some(at.clone()),
        (Kind::Object(attributes), Value::Map(_)) => {
            attributes.iter().find_map(|a| unknown(&a.kind, value.get(a.name), &at.attribute(a.name)))
        }
        (Kind::List(inner), Value::List(items)) => {
            items.iter().enumerate().find_map(|(i, item)| unknown(inner, item, &at.index(i)))
        }
        (Kind::Map(inner), Value::Map(entries)) => entries.iter().find_map(|(key, item)| unknown(inner, item, &at.key(key))),
        (_, Value::Dynamic(dynamic)) => unknown(&dynamic.kind, &dynamic.value, at),
        _ if !value.is_wholly_known() => Some(at.clone()),
        _ => None,
    }
}

/// The same value with nulls where it is unknown: what can be kept of a create that failed half way.
pub fn unknown_as_null(value: Value) -> Value {
    match value {
        Value::Unknown => Value::Null,
        Value::List(items) => Value::List(items.into_iter().map(unknown_as_null).collect()),
        Value::Set(items) => Value::Set(items.into_iter().map(unknown_as_null).collect()),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(k, v)| (k, unknown_as_null(v))).collect()),
        Value::Dynamic(dynamic) => {
            let Dynamic { kind, value } = *dynamic;
            Value::Dynamic(Box::new(Dynamic { kind, value: unknown_as_null(value) }))
        }
        value => value,
    }
}
