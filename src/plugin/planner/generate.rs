//! The configuration that an object's state would come from. Pure.

use super::super::schema::{Attribute, Kind};
use super::super::value::Value;
use super::nested;

/// What a user would have written for an object that is in this state: nothing where the value is the provider's alone, or
/// the default. A value that either of them may have chosen is written down, so that it stays.
pub fn config(attributes: &[Attribute], state: &Value) -> Value {
    let Value::Map(_) = state else { return state.clone() };
    let written = |a: &Attribute| {
        let value = state.get(a.name);
        let silent = !(a.rules.required || a.rules.optional) || a.rules.default.as_ref() == Some(value);
        (a.name.to_owned(), if silent { Value::Null } else { inside(&a.kind, value) })
    };
    Value::Map(attributes.iter().map(written).collect())
}

fn inside(kind: &Kind, value: &Value) -> Value {
    let Some(attributes) = nested(kind) else { return value.clone() };
    let one = |item: &Value| config(attributes, item);
    match (kind, value) {
        (Kind::Object(_), value) => one(value),
        (_, Value::List(items)) => Value::List(items.iter().map(one).collect()),
        (_, Value::Set(items)) => Value::Set(items.iter().map(one).collect()),
        (_, Value::Map(entries)) => Value::Map(entries.iter().map(|(key, item)| (key.clone(), one(item))).collect()),
        (_, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::model::{Object, Typed};
    use crate::plugin::planner::draft;
    use crate::plugin::schema::{computed, optional, required};
    use std::collections::BTreeMap;

    crate::model! {
        /// A part.
        pub struct Part {
            /// Its key.
            key: String = required(),
            /// How many.
            count: i64 = optional().defaults_to(1),
            /// Where.
            place: String = computed().stable(),
        }
    }
    crate::model! {
        /// A thing.
        pub struct Thing {
            /// Its name.
            name: String = required(),
            /// Its id.
            id: String = computed().stable(),
            /// Its zone.
            zone: String = optional().or_computed().stable(),
            /// Whether it is on.
            on: bool = optional().defaults_to(true),
            /// The first part.
            main: Part = optional(),
            /// The parts.
            parts: Vec<Part> = optional(),
            /// Parts by name.
            named: BTreeMap<String, Part> = optional(),
        }
    }

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    fn part(key: &str, count: impl Into<Value>, place: Value) -> Value {
        map([("key", key.into()), ("count", count.into()), ("place", place)])
    }

    fn state() -> Value {
        map([
            ("name", "a".into()),
            ("id", "1".into()),
            ("zone", "z1".into()),
            ("on", true.into()),
            ("main", part("m", 1, "here".into())),
            ("parts", Value::List(vec![part("p", 1, "here".into()), part("q", 2, "there".into())])),
            ("named", map([("n", part("n", 3, "here".into()))])),
        ])
    }

    #[test]
    fn defaults_and_what_the_provider_sets_are_not_written() {
        let written = config(&Thing::attributes(), &state());
        let none = || Value::Null;
        let expected = map([
            ("name", "a".into()),
            ("id", none()),
            ("zone", "z1".into()),
            ("on", none()),
            ("main", part("m", none(), none())),
            ("parts", Value::List(vec![part("p", none(), none()), part("q", 2, none())])),
            ("named", map([("n", part("n", 3, none()))])),
        ]);
        assert_eq!(written, expected);
        assert!(Thing::decode(&written).is_ok());
    }

    #[test]
    fn what_is_written_changes_nothing() {
        let attributes = Thing::attributes();
        assert_eq!(draft(&attributes, &config(&attributes, &state()), &state()), state());
    }
}
