//! Values of the configuration language: each may be known, null or unknown, at every leaf.

use super::schema::Kind;
use bigdecimal::{BigDecimal, ToPrimitive};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::str::FromStr;

/// An exact decimal number; core computes with 512 bits, so neither `i64` nor `f64` is enough. It is boxed so that every
/// other [`Value`] is small.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(Box<BigDecimal>);

impl Number {
    /// The exact value of a float; none for NaN and the infinities.
    pub fn from_f64(value: f64) -> Option<Self> {
        BigDecimal::try_from(value).ok().map(|n| Self::of(&n))
    }

    fn of(number: &BigDecimal) -> Self {
        Self(Box::new(number.normalized()))
    }

    /// The value of decimal text such as `12345678901234567890123.5` or `1e3`.
    pub fn parse(text: &str) -> Option<Self> {
        // Core's 512 bits are at most 155 digits and as many leading zeros as the exponent has; parsing takes time
        // that grows with the square of the length.
        if text.len() > 20_100 {
            return None;
        }
        // An exponent of a billion is a few bytes on the wire and a gigabyte in decimal.
        let near = |number: &BigDecimal, most: u64| number.fractional_digit_count().unsigned_abs() <= most;
        let number = BigDecimal::from_str(text).ok().filter(|number| near(number, 40_000))?;
        // What is read now has to be read again from its own text, where zeros at the end have become exponent: at most
        // 19,868 digits, a sign, a point and an exponent.
        let number = Self::of(&number);
        let digits = number.0.as_bigint_and_scale().0.bits();
        (digits <= 66_000 && near(&number.0, 10_000)).then_some(number)
    }

    /// The value, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        // Nothing is computed with the thousands of digits that a far exponent stands for.
        (-18..=0).contains(&self.0.fractional_digit_count()).then(|| self.0.to_i64()).flatten()
    }

    /// The nearest float, if there is one that is exactly this number.
    pub fn as_exact_f64(&self) -> Option<f64> {
        // Floats have at most 309 digits before the point and 1074 behind it, and a fraction of so many digits that is one
        // is divisible by as many fives. What is left is little, and its text is rounded correctly.
        let (digits, scale) = self.0.as_bigint_and_scale();
        let bits = i64::try_from(digits.bits()).ok()?;
        if !(-309..=1_074).contains(&scale) || !(2 * scale..4_000).contains(&bits) {
            return None;
        }
        let float = format!("{digits}e{}", -scale).parse::<f64>().ok()?;
        (BigDecimal::try_from(float).ok()? == *self.0).then_some(float)
    }

    /// The bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let bits = self.0.as_bigint_and_scale().0.bits();
        usize::try_from(bits / 8).unwrap_or(usize::MAX).saturating_add(size_of::<BigDecimal>())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::of(&BigDecimal::from(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::of(&BigDecimal::from(value))
    }
}

impl std::fmt::Display for Number {
    /// Plain decimal text; with an exponent beyond 100 digits, where a few bytes would become thousands.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.fractional_digit_count().unsigned_abs() {
            0..=100 => f.write_str(&self.0.to_plain_string()),
            _ => f.write_str(&self.0.to_scientific_notation()),
        }
    }
}

/// A value as core sends and expects it. Lists stand for tuples and maps for objects too; the schema tells which is meant.
#[derive(Clone, Debug)]
pub enum Value {
    /// Not known before apply.
    Unknown,
    /// Absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, in Unicode normal form C.
    String(String),
    /// A list or tuple.
    List(Vec<Value>),
    /// A set: order and duplicates mean nothing.
    Set(Vec<Value>),
    /// A map or object.
    Map(BTreeMap<String, Value>),
    /// The value of a dynamic attribute, with its own type.
    Dynamic(Box<Dynamic>),
}

/// A value that brings its own type.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic {
    /// Its type.
    pub kind: Kind,
    /// The value; it may be null or unknown, of that type.
    pub value: Value,
}

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
    fn numbers_are_exact_beyond_floats() {
        let n = Number::parse("12345678901234567890123.5").unwrap();
        assert_eq!(n.to_string(), "12345678901234567890123.5");
        assert_eq!(n.as_exact_f64(), None);
        assert_eq!(n.as_i64(), None);
        assert_eq!(Number::from_f64(0.1).unwrap().as_exact_f64(), Some(0.1));
        assert_eq!(Number::parse("3.0").unwrap(), Number::from(3i64));
        assert_eq!(Number::parse("1e999999999"), None);
        assert_eq!(Number::parse(&format!("4{}", "0".repeat(10_808))), None);
        let long = Number::parse(&format!("-{}e-300", "7".repeat(19_860))).unwrap();
        assert_eq!(Number::parse(&long.to_string()), Some(long));
        assert_eq!(Number::from_f64(f64::NAN), None);
        assert_eq!(Number::from_f64(f64::MAX).unwrap().as_exact_f64(), Some(f64::MAX));
        assert_eq!(Number::from_f64(f64::from_bits(1)).unwrap().as_exact_f64(), Some(f64::from_bits(1)));
        assert_eq!(Number::parse("0").unwrap().as_exact_f64(), Some(0.0));
        assert_eq!(Number::parse("1e-999").unwrap().as_exact_f64(), None);
        assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
        assert_eq!(Number::parse("9e18").unwrap().as_i64(), Some(9_000_000_000_000_000_000));
        assert_eq!(Number::parse("1e19").unwrap().as_i64(), None);
        assert_eq!(Number::parse("25e-3000").unwrap().to_string(), "2.5e-2999");
        assert_eq!(Number::parse("2.5e-2999"), Number::parse("25e-3000"));
    }

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
