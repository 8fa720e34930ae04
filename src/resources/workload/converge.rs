//! The next write that brings the live objects to the wanted ones. Pure; the loop that obeys it is in `apply.rs`.

use crate::kubernetes::difference::differences;
use crate::kubernetes::object::{Key, Object};
use std::collections::BTreeMap;

/// What is known of the live objects: `None` for one that is not there.
pub type Live = BTreeMap<Key, Option<Object>>;

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// Find out whether this object is there.
    Look(&'a Object),
    /// Apply this object: it is not there, or differs in these fields.
    Apply(&'a Object, Vec<String>),
    /// An object of that name is there, and it is not ours.
    Refuse(Key),
    /// Every object is as wanted.
    Done,
}

/// The label that says which program manages an object.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "terraform-provider-kafkastack");

/// Whether the provider made the object. `known` are objects that were ours when last looked at: a stolen label is drift.
pub fn is_ours(object: &Object) -> bool {
    object.labels().get(MANAGED_BY.0).copied() == Some(MANAGED_BY.1)
}

/// Progress is a function of what is observed, never of where the code was. `owned`: the anchor has been ours since before
/// these objects, so one without our label has lost it and is put right; otherwise it is somebody else's.
pub fn next<'a>(wanted: &'a [Object], live: &Live, owned: bool) -> Step<'a> {
    // Everything is looked at before anything is written: a foreign object is found while nothing is done.
    if let Some(unseen) = wanted.iter().find(|object| !live.contains_key(&object.key())) {
        return Step::Look(unseen);
    }
    let at = |object: &Object| live.get(&object.key()).and_then(Option::as_ref);
    if let Some(foreign) = wanted.iter().find(|object| !owned && at(object).is_some_and(|live| !is_ours(live))) {
        return Step::Refuse(foreign.key());
    }
    for object in wanted {
        match at(object) {
            None => return Step::Apply(object, vec![]),
            Some(live) => {
                let fields = differences(object.json(), live.json());
                if !fields.is_empty() {
                    return Step::Apply(object, fields);
                }
            }
        }
    }
    Step::Done
}
