//! Values of the configuration language: each may be known, null or unknown, at every leaf.

pub use super::number::Number;
pub use super::types::{Dynamic, Value};
use std::cmp::Ordering;

impl Value {
    /// Whether the value itself is null.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Dynamic(dynamic) => dynamic.value.is_null(),
            value => matches!(value, Self::Null),
        }
    }

    /// Whether the value itself is unknown.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Dynamic(dynamic) => dynamic.value.is_unknown(),
            value => matches!(value, Self::Unknown),
        }
    }

    /// Whether no part of the value is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(items) | Self::Set(items) => items.iter().all(Self::is_wholly_known),
            Self::Map(entries) => entries.values().all(Self::is_wholly_known),
            Self::Dynamic(dynamic) => dynamic.value.is_wholly_known(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// The attribute or element `name` of an object or map; `Null` where there is none.
    pub fn get(&self, name: &str) -> &Value {
        match self {
            Self::Map(entries) => entries.get(name).unwrap_or(&Value::Null),
            Self::Unknown => &Value::Unknown,
            _ => &Value::Null,
        }
    }

    /// The text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// The items of a set in an order of their own, each once. Equality of these lists is the items' own, so a set of `n`
/// items is compared in `n log n` steps.
fn distinct(items: &[Value]) -> Vec<&Value> {
    let mut items: Vec<&Value> = items.iter().collect();
    items.sort_by(|a, b| order(a, b));
    items.dedup();
    items
}

/// Any order that agrees with equality.
fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Unknown => 0,
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::List(_) => 5,
        Value::Set(_) => 6,
        Value::Map(_) => 7,
        Value::Dynamic(_) => 8,
    };
    let lists = |a: &mut dyn Iterator<Item = &Value>, b: &mut dyn Iterator<Item = &Value>| {
        loop {
            match (a.next(), b.next()) {
                (Some(a), Some(b)) if order(a, b).is_eq() => {}
                (Some(a), Some(b)) => return order(a, b),
                (a, b) => return a.is_some().cmp(&b.is_some()),
            }
        }
    };
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::List(a), Value::List(b)) => lists(&mut a.iter(), &mut b.iter()),
        (Value::Set(a), Value::Set(b)) => lists(&mut distinct(a).into_iter(), &mut distinct(b).into_iter()),
        (Value::Map(a), Value::Map(b)) => a.keys().cmp(b.keys()).then_with(|| lists(&mut a.values(), &mut b.values())),
        (Value::Dynamic(a), Value::Dynamic(b)) => {
            order(&a.value, &b.value).then_with(|| format!("{:?}", a.kind).cmp(&format!("{:?}", b.kind)))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, Self::Unknown) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => distinct(a) == distinct(b),
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Dynamic(a), Self::Dynamic(b)) => a == b,
            _ => false,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_in_any_order() {
        let (a, b) = (Value::from("a"), Value::from("b"));
        assert_eq!(Value::Set(vec![a.clone(), b.clone()]), Value::Set(vec![b.clone(), a.clone()]));
        let twice = Value::Set(vec![Value::Set(vec![b.clone(), a.clone()]), Value::Set(vec![a.clone(), b.clone(), a.clone()])]);
        assert_eq!(twice, Value::Set(vec![Value::Set(vec![a.clone(), b.clone()])]));
        assert_ne!(Value::Set(vec![a.clone()]), Value::Set(vec![a.clone(), b.clone()]));
        assert_ne!(Value::List(vec![a.clone(), b.clone()]), Value::List(vec![b, a]));
    }
}
