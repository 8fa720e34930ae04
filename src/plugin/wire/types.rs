//! Types as core writes them: `"string"`, `["list", "number"]`, `["object", {...}]`. Pure.

use super::super::schema::Kind;
use super::WireError;
use serde_json::{Value as Json, json};

/// A type as core reads it.
pub fn type_json(kind: &Kind) -> Json {
    match kind {
        Kind::Bool => json!("bool"),
        Kind::Number => json!("number"),
        Kind::String => json!("string"),
        Kind::Dynamic => json!("dynamic"),
        Kind::List(inner) => json!(["list", type_json(inner)]),
        Kind::Set(inner) => json!(["set", type_json(inner)]),
        Kind::Map(inner) => json!(["map", type_json(inner)]),
        Kind::Tuple(kinds) => json!(["tuple", kinds.iter().map(type_json).collect::<Vec<_>>()]),
        Kind::Object(attributes) => {
            let fields: serde_json::Map<_, _> = attributes.iter().map(|a| (a.name.to_owned(), type_json(&a.kind))).collect();
            json!(["object", fields])
        }
        Kind::Record(kinds) => {
            let fields: serde_json::Map<_, _> = kinds.iter().map(|(name, kind)| (name.clone(), type_json(kind))).collect();
            json!(["object", fields])
        }
    }
}

/// The type of a dynamic value. How deep it may be is bounded by the JSON reader: 128 levels.
///
/// # Errors
/// When the text is no type.
pub fn read_type(json: &[u8]) -> Result<Kind, WireError> {
    let json: Json = serde_json::from_slice(json).map_err(|_| WireError::new("a type that is not JSON"))?;
    kind_of(&json).ok_or_else(|| WireError::new("a type that there is not"))
}

fn kind_of(json: &Json) -> Option<Kind> {
    let inner = |json: &Json| kind_of(json).map(Box::new);
    match json {
        Json::String(name) => match name.as_str() {
            "bool" => Some(Kind::Bool),
            "number" => Some(Kind::Number),
            "string" => Some(Kind::String),
            "dynamic" => Some(Kind::Dynamic),
            _ => None,
        },
        Json::Array(parts) => match (parts.first()?.as_str()?, parts.get(1)?) {
            ("list", of) => inner(of).map(Kind::List),
            ("set", of) => inner(of).map(Kind::Set),
            ("map", of) => inner(of).map(Kind::Map),
            ("tuple", Json::Array(of)) => of.iter().map(kind_of).collect::<Option<_>>().map(Kind::Tuple),
            ("object", Json::Object(of)) => {
                let fields = of.iter().map(|(name, kind)| Some((name.clone(), kind_of(kind)?)));
                fields.collect::<Option<_>>().map(Kind::Record)
            }
            _ => None,
        },
        _ => None,
    }
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
            assert_eq!(type_json(&kind).to_string(), text);
        }
        for bad in [
            "",
            "1",
            r#""text""#,
            "[]",
            r#"["list"]"#,
            r#"["tuple","bool"]"#,
            r#"["object",{"a":1}]"#,
            &"[\"list\",".repeat(1000),
        ] {
            assert!(read_type(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
