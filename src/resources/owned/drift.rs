//! The attribute `objects`: what every object is, and by its fields where it is not as wanted. Pure.

use super::fingerprint;
use crate::kubernetes::object::{Key, Object};
use std::collections::BTreeMap;

/// What `objects` says of an object that is not as wanted begins with this.
const DIFFERS: &str = "differs at ";

/// How the attribute names an object.
pub fn label(object: &Object) -> String {
    label_of(&object.key())
}

/// The same by its key.
pub fn label_of(key: &Key) -> String {
    format!("{}/{}", key.kind, key.name)
}

/// What every object is wanted to be.
pub fn fingerprints(objects: &[Object]) -> BTreeMap<String, String> {
    objects.iter().map(|object| (label(object), fingerprint(object.json()))).collect()
}

/// What is said of an object that is there, and differs from what is wanted in these fields.
pub fn shown(wanted: &Object, fields: &[String]) -> String {
    match fields.is_empty() {
        true => fingerprint(wanted.json()),
        false => format!("{DIFFERS}{}", fields.join(", ")),
    }
}

/// The fields that such a text names.
pub fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix(DIFFERS).into_iter().flat_map(|fields| fields.split(", "))
}
