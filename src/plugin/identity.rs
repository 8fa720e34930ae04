//! What tells one object of a resource from all others: the attributes whose rules say so. Lists, imports and other tools
//! name an object by it. Pure.

use super::path::Path;
use super::schema::{Attribute, Kind};
use super::value::{Number, Value};
use std::collections::BTreeMap;

/// The identity of a resource's objects. Every part is an attribute of the resource, of a plain kind, and never changes in
/// place: it replaces the resource, or the provider sets it once.
#[derive(Clone, Debug)]
pub struct Identity {
    attributes: Vec<Attribute>,
    kind: Kind,
}

impl Identity {
    /// The identity that these attributes of a resource declare, if they do.
    pub fn of(attributes: &[Attribute]) -> Option<Self> {
        let attributes: Vec<Attribute> = attributes.iter().filter(|a| a.rules.identity).cloned().collect();
        (!attributes.is_empty()).then(|| Self { kind: Kind::Object(attributes.clone()), attributes })
    }

    /// Its parts, in the order of the schema. A required one has to be named in an import, the others may be.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The kind of its values.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The identity of what is in the state; null for nothing.
    pub fn value(&self, state: &Value) -> Value {
        match state {
            Value::Null => Value::Null,
            state => Value::Map(self.attributes.iter().map(|a| (a.name.to_owned(), state.get(a.name).clone())).collect()),
        }
    }

    /// What an import names, with defaults where it is silent.
    pub fn complete(&self, named: &Value) -> Value {
        let part = |a: &Attribute| match (named.get(a.name), &a.rules.default) {
            (Value::Null, Some(default)) => default.clone(),
            (named, _) => named.clone(),
        };
        Value::Map(self.attributes.iter().map(|a| (a.name.to_owned(), part(a))).collect())
    }

    /// The first part that an import has to name and does not.
    pub fn missing(&self, named: &Value) -> Option<&'static str> {
        self.attributes.iter().find(|a| a.rules.required && named.get(a.name).is_null()).map(|a| a.name)
    }

    /// The import id of the same object: the parts that are there, with `/` between them.
    pub fn import_id(&self, identity: &Value) -> String {
        let text = |a: &Attribute| match identity.get(a.name) {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        self.attributes.iter().filter_map(text).collect::<Vec<_>>().join("/")
    }

    /// What an import id names: one part after the other, with `/` between them. Parts in front may be left out where the
    /// configuration may leave them out; the first one may hold a `/` itself. None: it is no such id.
    pub fn parse(&self, id: &str) -> Option<Value> {
        let mut named = BTreeMap::new();
        let mut rest = Some(id);
        for (i, attribute) in self.attributes.iter().enumerate().rev() {
            let (before, part) = match rest {
                Some(rest) if i > 0 => {
                    rest.rsplit_once('/').map_or((None, Some(rest)), |(before, part)| (Some(before), Some(part)))
                }
                rest => (None, rest),
            };
            let value = match part {
                Some("") => return None,
                Some(part) => read(&attribute.kind, part)?,
                None if attribute.rules.required => return None,
                None => Value::Null,
            };
            named.insert(attribute.name.to_owned(), value);
            rest = before;
        }
        Some(Value::Map(named))
    }

    /// How an import id looks, such as `namespace/name`.
    pub fn import_form(&self) -> String {
        self.attributes.iter().map(|a| a.name).collect::<Vec<_>>().join("/")
    }

    /// The first part that is another one in `new`. What was null before may become known.
    pub fn changed(&self, old: &Value, new: &Value) -> Option<Path> {
        let other = |a: &&Attribute| !old.get(a.name).is_null() && old.get(a.name) != new.get(a.name);
        self.attributes.iter().find(other).map(|a| Path::of(a.name))
    }
}

/// A part of an import id, as a value of its attribute.
fn read(kind: &Kind, part: &str) -> Option<Value> {
    match kind {
        Kind::Number => Number::parse(part).map(Value::Number),
        Kind::Bool => part.parse().ok().map(Value::Bool),
        _ => Some(part.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::{Declared, optional, required};

    fn attribute(name: &'static str, rules: Declared<String>) -> Attribute {
        Attribute { name, doc: String::new(), kind: Kind::String, rules: rules.rules() }
    }

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    fn identity() -> Identity {
        let namespace = optional::<String>().defaults_to("default").replaces().identifies();
        let attributes = [
            attribute("namespace", namespace),
            attribute("name", required().replaces().identifies()),
            attribute("size", optional()),
        ];
        Identity::of(&attributes).unwrap()
    }

    #[test]
    fn an_identity_is_the_attributes_that_say_so() {
        let state = map([("namespace", "prod".into()), ("name", "a".into()), ("size", "1Gi".into())]);
        assert_eq!(identity().value(&state), map([("namespace", "prod".into()), ("name", "a".into())]));
        assert_eq!(identity().value(&Value::Null), Value::Null);
        assert!(Identity::of(&[attribute("size", optional())]).is_none());
    }

    #[test]
    fn an_import_may_leave_out_what_has_a_default() {
        let named = map([("namespace", Value::Null), ("name", "a".into())]);
        assert_eq!(identity().missing(&named), None);
        assert_eq!(identity().import_id(&identity().complete(&named)), "default/a");
        assert_eq!(identity().missing(&map([("namespace", "prod".into())])), Some("name"));
    }

    #[test]
    fn an_import_id_names_the_parts() {
        let of = |namespace: Value, name: &str| Some(map([("namespace", namespace), ("name", name.into())]));
        assert_eq!(identity().parse("prod/a"), of("prod".into(), "a"));
        assert_eq!(identity().parse("a"), of(Value::Null, "a"));
        assert_eq!(identity().parse("prod/kafka/a"), of("prod/kafka".into(), "a"));
        for wrong in ["", "/", "prod/", "/a"] {
            assert_eq!(identity().parse(wrong), None, "{wrong}");
        }
        assert_eq!(identity().import_form(), "namespace/name");
    }

    #[test]
    fn another_part_is_another_object() {
        let of = |namespace: Value, name: &str| map([("namespace", namespace), ("name", name.into())]);
        let old = of("prod".into(), "a");
        assert_eq!(identity().changed(&old, &old), None);
        assert_eq!(identity().changed(&old, &of("prod".into(), "b")), Some(Path::of("name")));
        assert_eq!(identity().changed(&of(Value::Null, "a"), &old), None);
    }
}
