//! Stored state, which is JSON, to values: what a state of another version lacks is null, what it has too much goes.
//! No network.

use super::super::path::Step;
use super::super::schema::Kind;
use super::super::value::{Dynamic, Number, Value};
use super::budget::Budget;
use super::error::{WireError, expected, in_index, in_key};
use super::types;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads one value.
///
/// # Errors
/// When the text is not JSON, or not a value of this kind.
pub fn decode(kind: &Kind, json: &[u8]) -> Result<Value, WireError> {
    // The parser's own words may quote the document, and with it a secret.
    let raw: &RawValue = serde_json::from_slice(json).map_err(|_| WireError::new("not JSON"))?;
    read(kind, raw, &mut Reader { budget: Budget::of(json.len()), inside_dynamic: false })
}

/// What the document may become, and whether a dynamic value is being read: inside there is no other one, as in `msgpack`.
struct Reader {
    budget: Budget,
    inside_dynamic: bool,
}

/// Numbers are read from their own text: through a float they would lose digits.
fn read(kind: &Kind, raw: &RawValue, reader: &mut Reader) -> Result<Value, WireError> {
    let text = raw.get();
    if text == "null" {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Bool => parse(kind, text).map(Value::Bool),
        Kind::String => parse(kind, text).map(Value::String),
        Kind::Number => {
            let text = if text.starts_with('"') { parse(kind, text)? } else { text.to_owned() };
            let number = Number::parse(&text).ok_or_else(|| expected(kind))?;
            reader.budget.number(&number)?;
            Ok(Value::Number(number))
        }
        Kind::List(inner) => read_items(kind, inner, text, reader).map(Value::List),
        Kind::Set(inner) => read_items(kind, inner, text, reader).map(Value::Set),
        Kind::Map(inner) => {
            let raw: BTreeMap<String, &RawValue> = parse(kind, text)?;
            let mut entries = BTreeMap::new();
            for (key, raw) in raw {
                reader.budget.entry(entries.len(), &key)?;
                let value = read(inner, raw, reader).map_err(in_key(&key))?;
                entries.insert(key, value);
            }
            Ok(Value::Map(entries))
        }
        Kind::Object(attributes) => {
            read_named(kind, attributes.iter().map(|attribute| (attribute.name, &attribute.kind)), text, reader)
        }
        Kind::Tuple(kinds) => {
            let items: Vec<&RawValue> = parse(kind, text)?;
            if items.len() != kinds.len() {
                return Err(expected(kind));
            }
            reader.budget.items(items.len())?;
            let read = |(i, (kind, raw)): (usize, (&Kind, &RawValue))| read(kind, raw, reader).map_err(in_index(i));
            kinds.iter().zip(items).enumerate().map(read).collect::<Result<_, _>>().map(Value::List)
        }
        Kind::Record(kinds) => read_named(kind, kinds.iter().map(|(name, kind)| (name.as_str(), kind)), text, reader),
        Kind::Dynamic if reader.inside_dynamic => Err(WireError::new("a type inside a value that has its type")),
        Kind::Dynamic => {
            let parts: BTreeMap<String, &RawValue> = parse(kind, text)?;
            let (Some(of), Some(value)) = (parts.get("type"), parts.get("value")) else { return Err(expected(kind)) };
            let kind = types::read_type(of.get().as_bytes())?;
            reader.inside_dynamic = true;
            let value = read(&kind, value, reader);
            reader.inside_dynamic = false;
            Ok(Value::Dynamic(Box::new(Dynamic { kind, value: value? })))
        }
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(kind: &Kind, text: &'a str) -> Result<T, WireError> {
    serde_json::from_str(text).map_err(|_| expected(kind))
}

/// What has no such name is left out, and a name without a value is null.
fn read_named<'k>(
    kind: &Kind,
    names: impl Iterator<Item = (&'k str, &'k Kind)>,
    text: &str,
    reader: &mut Reader,
) -> Result<Value, WireError> {
    let raw: BTreeMap<String, &RawValue> = parse(kind, text)?;
    let mut entries = BTreeMap::new();
    for (name, kind) in names {
        reader.budget.entry(entries.len(), name)?;
        let value = raw.get(name).map_or(Ok(Value::Null), |raw| read(kind, raw, reader));
        entries.insert(name.to_owned(), value.map_err(|error| error.inside(Step::Attribute(name.to_owned())))?);
    }
    Ok(Value::Map(entries))
}

fn read_items(kind: &Kind, inner: &Kind, text: &str, reader: &mut Reader) -> Result<Vec<Value>, WireError> {
    let raw: Vec<&RawValue> = parse(kind, text)?;
    reader.budget.items(raw.len())?;
    let mut items = Vec::with_capacity(raw.len());
    for (i, raw) in raw.into_iter().enumerate() {
        items.push(read(inner, raw, reader).map_err(in_index(i))?);
    }
    Ok(items)
}

/// A known value as JSON; unknown parts count as null.
pub fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Unknown | Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match (number.as_i64(), number.as_exact_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::List(items) | Value::Set(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, item)| (key.clone(), as_json(item))).collect(),
        Value::Dynamic(dynamic) => as_json(&dynamic.value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary;
    use super::*;
    use crate::plugin::schema::optional;
    use proptest::prelude::*;

    /// The JSON that core stores.
    fn write(value: &Value) -> String {
        match value {
            Value::Null | Value::Unknown => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => serde_json::to_string(text).unwrap(),
            Value::List(items) | Value::Set(items) => {
                format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(","))
            }
            Value::Map(entries) => {
                let entries = entries.iter().map(|(k, v)| format!("{}:{}", serde_json::to_string(k).unwrap(), write(v)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
            Value::Dynamic(d) => format!(r#"{{"value":{},"type":{}}}"#, write(&d.value), types::type_json(&d.kind)),
        }
    }

    proptest! {
        #[test]
        fn every_stored_value_is_read_as_it_was((kind, value) in arbitrary::kind_and_value(false)) {
            prop_assert_eq!(decode(&kind, write(&value).as_bytes()).unwrap(), value);
        }

        #[test]
        fn no_text_panics(kind in arbitrary::kind(), text in "[\\[\\]{}\",:0-9a-z\\\\.-]{0,60}") {
            let _ = decode(&kind, text.as_bytes());
        }
    }

    #[test]
    fn a_state_of_another_version_gets_nulls_and_loses_what_is_unknown() {
        let kind = arbitrary::object(vec![(Kind::Number, optional()), (Kind::String, optional())]);
        let value = decode(&kind, br#"{"alpha": 12345678901234567890123.5, "old": [1, {}]}"#).unwrap();
        assert_eq!(value.get("alpha"), &Value::Number(Number::parse("12345678901234567890123.5").unwrap()));
        assert_eq!(value.get("beta"), &Value::Null);
        let Value::Map(entries) = value else { unreachable!() };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn deeply_nested_text_is_refused_or_read_but_never_overflows() {
        let deep = format!("{{\"alpha\":1,\"old\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let kind = arbitrary::object(vec![(Kind::Number, optional())]);
        let _ = decode(&kind, deep.as_bytes());
    }
}
