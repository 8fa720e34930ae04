//! Which changed values mean that the resource has to be replaced. Pure.

use super::super::path::Path;
use super::super::schema::{Attribute, Kind, Replace};
use super::super::value::Value;
use super::{item, nested};
use std::collections::BTreeSet;

/// The changed attributes whose rules ask for a replacement. Nothing is replaced where nothing was (`prior` null).
pub fn paths(attributes: &[Attribute], config: &Value, prior: &Value, planned: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    if !prior.is_null() && !planned.is_null() {
        object(attributes, [config, prior, planned], &Path::root(), &mut found);
    }
    found
}

/// Configuration, prior and planned value of one place.
type Three<'a> = [&'a Value; 3];

fn object(attributes: &[Attribute], three: Three<'_>, at: &Path, found: &mut Vec<Path>) {
    for a in attributes {
        attribute(a, three.map(|value| value.get(a.name)), &at.attribute(a.name), found);
    }
}

fn attribute(attribute: &Attribute, three: Three<'_>, at: &Path, found: &mut Vec<Path>) {
    let [config, prior, planned] = three;
    if prior == planned {
        return;
    }
    let replaces = match attribute.rules.replace {
        Replace::Always => true,
        Replace::IfConfigured => !config.is_null(),
        Replace::Never => false,
    };
    if replaces {
        return found.push(at.clone());
    }
    let Some(attributes) = nested(&attribute.kind) else { return };
    match &attribute.kind {
        Kind::Object(_) => object(attributes, three, at, found),
        Kind::List(_) => {
            let length = [prior, planned].into_iter().map(|v| if let Value::List(items) = v { items.len() } else { 0 }).max();
            for i in 0..length.unwrap_or(0) {
                object(attributes, three.map(|value| item(value, i)), &at.index(i), found);
            }
        }
        Kind::Map(_) => {
            let keys: BTreeSet<&String> = [prior, planned]
                .into_iter()
                .filter_map(|v| if let Value::Map(e) = v { Some(e.keys()) } else { None })
                .flatten()
                .collect();
            for key in keys {
                object(attributes, three.map(|value| value.get(key)), &at.key(key), found);
            }
        }
        // A set cannot be indexed: the path ends here.
        _ if attributes.iter().any(asks) => found.push(at.clone()),
        _ => {}
    }
}

/// Whether a change of the attribute, or of something inside, may ask for a replacement.
fn asks(attribute: &Attribute) -> bool {
    attribute.rules.replace != Replace::Never || nested(&attribute.kind).is_some_and(|inner| inner.iter().any(asks))
}
