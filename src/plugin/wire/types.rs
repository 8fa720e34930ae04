//! Types as core writes them: `"string"`, `["list", "number"]`, `["object", {...}]`. Pure.
//!
//! A type is read straight into a [`Kind`] and written straight out of one: between the two there is no JSON in memory, whose
//! smallest objects take a hundred times the bytes that they came in.

use super::super::schema::Kind;
use super::error::WireError;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple as _, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// A type as core reads it.
pub fn type_json(kind: &Kind) -> String {
    serde_json::to_string(&Written(kind)).unwrap_or_default()
}

/// The type of a dynamic value. How deep it may be is bounded by the JSON reader: 128 levels.
///
/// # Errors
/// When the text is no type.
pub fn read_type(json: &[u8]) -> Result<Kind, WireError> {
    let read: Result<Read, _> = serde_json::from_slice(json);
    // The parser's own words may quote the document, and with it a secret.
    read.map(|Read(kind)| kind).map_err(|error| match error.is_data() {
        true => WireError::new("a type that there is not"),
        false => WireError::new("a type that is not JSON"),
    })
}

struct Written<'a>(&'a Kind);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Bool => out.serialize_str("bool"),
            Kind::Number => out.serialize_str("number"),
            Kind::String => out.serialize_str("string"),
            Kind::Dynamic => out.serialize_str("dynamic"),
            Kind::List(inner) => compound(out, "list", &Written(inner)),
            Kind::Set(inner) => compound(out, "set", &Written(inner)),
            Kind::Map(inner) => compound(out, "map", &Written(inner)),
            Kind::Tuple(kinds) => compound(out, "tuple", &kinds.iter().map(Written).collect::<Vec<_>>()),
            Kind::Object(attributes) => {
                let fields: BTreeMap<_, _> = attributes.iter().map(|a| (a.name, Written(&a.kind))).collect();
                compound(out, "object", &fields)
            }
            Kind::Record(kinds) => {
                let fields: BTreeMap<_, _> = kinds.iter().map(|(name, kind)| (name, Written(kind))).collect();
                compound(out, "object", &fields)
            }
        }
    }
}

fn compound<S: Serializer>(out: S, name: &str, of: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut pair = out.serialize_tuple(2)?;
    pair.serialize_element(name)?;
    pair.serialize_element(of)?;
    pair.end()
}

struct Read(Kind);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Kind, E> {
        match name {
            "bool" => Ok(Kind::Bool),
            "number" => Ok(Kind::Number),
            "string" => Ok(Kind::String),
            "dynamic" => Ok(Kind::Dynamic),
            _ => Err(E::custom("no such type")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Kind, A::Error> {
        let name: String = next(&mut parts)?;
        let kind = match name.as_str() {
            "list" => Kind::List(inner(&mut parts)?),
            "set" => Kind::Set(inner(&mut parts)?),
            "map" => Kind::Map(inner(&mut parts)?),
            "tuple" => Kind::Tuple(next::<Vec<Read>, A>(&mut parts)?.into_iter().map(|Read(kind)| kind).collect()),
            "object" => {
                let fields: BTreeMap<String, Read> = next(&mut parts)?;
                Kind::Record(fields.into_iter().map(|(name, Read(kind))| (name, kind)).collect())
            }
            _ => return Err(A::Error::custom("no such type")),
        };
        // An object's names of optional attributes, which no value has a use for.
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kind)
    }
}

fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(parts: &mut A) -> Result<T, A::Error> {
    parts.next_element()?.ok_or_else(|| A::Error::custom("no whole type"))
}

fn inner<'de, A: SeqAccess<'de>>(parts: &mut A) -> Result<Box<Kind>, A::Error> {
    next(parts).map(|Read(kind)| Box::new(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_it_was_written() {
        for text in
            [r#""dynamic""#, r#"["tuple",["bool",["map","number"]]]"#, r#"["object",{"a":["set","string"],"b":"dynamic"}]"#]
        {
            let kind = read_type(text.as_bytes()).unwrap();
            assert_eq!(type_json(&kind), text);
        }
        let optional = read_type(br#"["object",{"a":"bool"},["a"]]"#).unwrap();
        assert_eq!(type_json(&optional), r#"["object",{"a":"bool"}]"#);
        for bad in [
            "",
            "1",
            r#""text""#,
            "[]",
            r#"["list"]"#,
            r#"["tuple","bool"]"#,
            r#"["object",{"a":1}]"#,
            r#""bool" "bool""#,
            &"[\"list\",".repeat(1000),
        ] {
            assert!(read_type(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
