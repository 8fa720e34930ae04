//! Bytes of the protocol to [`Value`]s, and back, always led by a schema's [`Kind`]. No network.
//!
//! Whatever the bytes are, reading them ends in a value or an error that names the place: depth is bounded by the
//! schema, memory by the bytes that came.

mod budget;
mod error;
pub mod json;
pub mod msgpack;
pub mod schema;
pub mod types;

pub use error::WireError;

use super::proto::tfplugin6::DynamicValue;
use super::schema::Kind;
use super::value::Value;

/// Reads what core sent. An absent or empty value is null.
///
/// # Errors
/// When it is not of this kind.
pub fn decode(kind: &Kind, value: Option<&DynamicValue>) -> Result<Value, WireError> {
    match value {
        None => Ok(Value::Null),
        Some(value) if !value.msgpack.is_empty() => msgpack::decode(kind, &value.msgpack),
        Some(value) if !value.json.is_empty() => json::decode(kind, &value.json),
        Some(_) => Ok(Value::Null),
    }
}

/// Writes what core shall read: always msgpack, because core does not read JSON everywhere.
///
/// # Errors
/// When the value is not of this kind.
pub fn encode(kind: &Kind, value: &Value) -> Result<DynamicValue, WireError> {
    Ok(DynamicValue { msgpack: msgpack::encode(kind, value)?, json: Vec::new() })
}

#[cfg(test)]
pub(crate) mod arbitrary {
    //! Random kinds, and random values of them.

    use super::super::model::doc;
    use super::super::schema::{Attribute, Declared, optional};
    use super::super::value::{Dynamic, Number};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

    pub fn object(kinds: Vec<(Kind, Declared<String>)>) -> Kind {
        Kind::Object(
            NAMES
                .iter()
                .zip(kinds)
                .map(|(name, (kind, rules))| Attribute { name, doc: doc(&[]), kind, rules: rules.rules() })
                .collect(),
        )
    }

    pub fn kind() -> impl Strategy<Value = Kind> {
        let leaf = prop_oneof![Just(Kind::Bool), Just(Kind::Number), Just(Kind::String)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|k| Kind::List(Box::new(k))),
                inner.clone().prop_map(|k| Kind::Set(Box::new(k))),
                inner.clone().prop_map(|k| Kind::Map(Box::new(k))),
                prop::collection::vec(prop_oneof![9 => inner, 1 => Just(Kind::Dynamic)], 1..=4)
                    .prop_map(|kinds| object(kinds.into_iter().map(|k| (k, optional())).collect())),
            ]
        })
    }

    /// A type that a value brings with it.
    fn type_of_value() -> impl Strategy<Value = Kind> {
        let leaf = prop_oneof![Just(Kind::Bool), Just(Kind::Number), Just(Kind::String)];
        leaf.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|k| Kind::Set(Box::new(k))),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Kind::Tuple),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..3).prop_map(Kind::Record),
            ]
        })
    }

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(Number::from),
            any::<f64>().prop_filter_map("finite", Number::from_f64),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{1,40})?".prop_filter_map("decimal", |text| Number::parse(&text)),
        ]
    }

    /// Any value of a kind; with unknown parts if `unknown`.
    pub fn value(kind: &Kind, unknown: bool) -> BoxedStrategy<Value> {
        let known: BoxedStrategy<Value> = match kind {
            Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Kind::Number => number().prop_map(Value::Number).boxed(),
            Kind::String => ".{0,40}".prop_map(Value::String).boxed(),
            Kind::List(inner) => prop::collection::vec(value(inner, unknown), 0..4).prop_map(Value::List).boxed(),
            Kind::Set(inner) => prop::collection::vec(value(inner, unknown), 0..4).prop_map(Value::Set).boxed(),
            Kind::Map(inner) => {
                prop::collection::btree_map("[a-z.\"]{0,6}", value(inner, unknown), 0..4).prop_map(Value::Map).boxed()
            }
            Kind::Object(attributes) => attributes
                .iter()
                .map(|a| value(&a.kind, unknown).prop_map(|v| (a.name.to_owned(), v)).boxed())
                .collect::<Vec<_>>()
                .prop_map(|entries| Value::Map(entries.into_iter().collect::<BTreeMap<_, _>>()))
                .boxed(),
            Kind::Tuple(kinds) => kinds.iter().map(|kind| value(kind, unknown)).collect::<Vec<_>>().prop_map(Value::List).boxed(),
            Kind::Record(kinds) => kinds
                .iter()
                .map(|(name, kind)| {
                    let name = name.clone();
                    value(kind, unknown).prop_map(move |v| (name.clone(), v)).boxed()
                })
                .collect::<Vec<_>>()
                .prop_map(|entries| Value::Map(entries.into_iter().collect()))
                .boxed(),
            Kind::Dynamic => type_of_value()
                .prop_flat_map(move |kind| (Just(kind.clone()), value(&kind, unknown)))
                .prop_map(|(kind, value)| Value::Dynamic(Box::new(Dynamic { kind, value })))
                .boxed(),
        };
        match unknown {
            true => prop_oneof![8 => known, 1 => Just(Value::Null), 1 => Just(Value::Unknown)].boxed(),
            false => prop_oneof![8 => known, 1 => Just(Value::Null)].boxed(),
        }
    }

    pub fn kind_and_value(unknown: bool) -> impl Strategy<Value = (Kind, Value)> {
        kind().prop_flat_map(move |kind| {
            let values = value(&kind, unknown);
            (Just(kind), values)
        })
    }
}
