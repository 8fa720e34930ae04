//! The next write that brings the live objects to the wanted ones. Pure; the loop that obeys it is in `write.rs`.

use super::is_ours_for;
use crate::kubernetes::difference::{changes, differences};
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

/// The fields of each object that are wanted otherwise than in `before`: new, other and gone ones.
pub fn changed_fields(before: &[Object], wanted: &[Object]) -> BTreeMap<Key, Vec<String>> {
    let fields = |wanted: &Object| {
        let old = before.iter().find(|old| old.key() == wanted.key())?;
        Some((wanted.key(), changes(old.json(), wanted.json())))
    };
    wanted.iter().filter_map(fields).collect()
}

/// Whether one of the fields is this one, lies in it, or holds it. A conflict may name a whole map or list that is one value to
/// the server, or a part of an entry of which only the whole is known to differ.
pub fn covers(fields: &[String], field: &str) -> bool {
    let holds =
        |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    fields.iter().any(|one| holds(one, field) || holds(field, one))
}

/// Progress is a function of what is observed, never of where the code was. `owned`: the anchor has been ours since before
/// these objects, so one without our label has lost it and is put right; otherwise it is somebody else's. `changed`: objects
/// that are wanted otherwise than they were last applied; they are applied even where no field differs, because a field that
/// is no longer wanted can only be given up by applying without it.
pub fn next<'a>(wanted: &'a [Object], live: &Live, owned: bool, changed: &BTreeSet<Key>) -> Step<'a> {
    // Everything is looked at before anything is written: a foreign object is found while nothing is done.
    if let Some(unseen) = wanted.iter().find(|object| !live.contains_key(&object.key())) {
        return Step::Look(unseen);
    }
    let at = |object: &Object| live.get(&object.key()).and_then(Option::as_ref);
    if let Some(foreign) = wanted.iter().find(|object| !owned && at(object).is_some_and(|live| !is_ours_for(live, object))) {
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
    use crate::resources::owned::MANAGED_BY;
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
    fn a_conflict_is_of_a_field_that_a_plan_shows_when_one_holds_the_other() {
        let shown = [
            ".spec.selector.app.kubernetes.io/instance".to_owned(),
            r#".spec.containers[name="kafka"].env[name="A"]"#.to_owned(),
        ];
        for field in [
            ".spec.selector",
            ".spec.selector.app.kubernetes.io/instance",
            r#".spec.containers[name="kafka"].env[name="A"].value"#,
            r#".spec.containers[name="kafka"].env"#,
        ] {
            assert!(covers(&shown, field), "{field}");
        }
        for field in [".spec.select", ".spec.selectors", r#".spec.containers[name="kafka"].image"#, ".metadata"] {
            assert!(!covers(&shown, field), "{field}");
        }
    }

    #[test]
    fn what_a_change_adds_alters_and_removes_is_named() {
        let object = |spec: serde_json::Value| Object::of(&Key::new(Kind::Service, "n", "a"), json!({"spec": spec}));
        let (before, wanted) = (object(json!({"a": 1, "gone": 1})), object(json!({"a": 2, "new": 1})));
        let fields = changed_fields(std::slice::from_ref(&before), std::slice::from_ref(&wanted));
        assert_eq!(fields[&wanted.key()], [".spec.a", ".spec.new", ".spec.gone"]);
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

    #[test]
    fn an_object_that_another_workload_of_ours_made_is_refused() {
        let mut other = wanted();
        other.json_mut()["metadata"]["labels"]["app.kubernetes.io/instance"] = "b".into();
        assert_eq!(next(&[wanted()], &live(Some(other)), false, &BTreeSet::new()), Step::Refuse(wanted().key()));
    }
}
