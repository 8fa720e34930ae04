//! The next write that brings the live objects to the wanted ones. Pure; the loop that obeys it is in `apply.rs`.

use crate::kubernetes::difference::differences;
use crate::kubernetes::object::{Key, Object};
use std::collections::{BTreeMap, BTreeSet};

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

/// The objects that are wanted otherwise than in `before`.
pub fn changed(before: &[Object], wanted: &[Object]) -> BTreeSet<Key> {
    wanted.iter().filter(|object| !before.contains(object)).map(Object::key).collect()
}

/// The label that says which program manages an object.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "terraform-provider-kafkastack");

/// Whether the provider made the object. `known` are objects that were ours when last looked at: a stolen label is drift.
pub fn is_ours(object: &Object) -> bool {
    object.labels().get(MANAGED_BY.0).copied() == Some(MANAGED_BY.1)
}

/// Progress is a function of what is observed, never of where the code was. `owned`: the anchor has been ours since before
/// these objects, so one without our label has lost it and is put right; otherwise it is somebody else's. `changed`: objects
/// that are wanted otherwise than they were last applied; they are applied even where no field differs, for a field that
/// is no longer wanted can only be given up by applying without it.
pub fn next<'a>(wanted: &'a [Object], live: &Live, owned: bool, changed: &BTreeSet<Key>) -> Step<'a> {
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
                if !fields.is_empty() || changed.contains(&object.key()) {
                    return Step::Apply(object, fields);
                }
            }
        }
    }
    Step::Done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use serde_json::json;

    fn wanted() -> Object {
        let metadata = json!({"name": "a", "namespace": "n", "labels": {MANAGED_BY.0: MANAGED_BY.1}});
        Object::new(Kind::ConfigMap, json!({"metadata": metadata, "data": {"k": "v"}}))
    }

    fn live(object: Option<Object>) -> Live {
        [(wanted().key(), object)].into()
    }

    #[test]
    fn what_is_as_wanted_is_not_written() {
        let mut found = wanted();
        found.json_mut()["data"]["added by hand"] = "x".into();
        assert_eq!(next(&[wanted()], &live(Some(found)), true, &BTreeSet::new()), Step::Done);
    }

    #[test]
    fn a_field_that_is_no_longer_wanted_is_given_up() {
        let mut before = wanted();
        before.json_mut()["data"]["gone"] = "x".into();
        let changed = changed(std::slice::from_ref(&before), &[wanted()]);
        assert_eq!(next(&[wanted()], &live(Some(before)), true, &changed), Step::Apply(&wanted(), vec![]));
    }

    #[test]
    fn everything_is_looked_at_before_anything_is_written() {
        let objects = [wanted()];
        assert_eq!(next(&objects, &Live::new(), false, &BTreeSet::new()), Step::Look(&objects[0]));
    }

    #[test]
    fn an_object_of_somebody_else_is_refused_and_a_stolen_label_put_back() {
        let mut foreign = wanted();
        foreign.json_mut()["metadata"]["labels"] = json!({});
        let objects = [wanted()];
        assert_eq!(next(&objects, &live(Some(foreign.clone())), false, &BTreeSet::new()), Step::Refuse(wanted().key()));
        assert!(matches!(next(&objects, &live(Some(foreign)), true, &BTreeSet::new()), Step::Apply(..)));
    }
}
