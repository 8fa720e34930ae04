//! Values and Rust types: what a type has to be to stand in a schema, and how its values are read and written. Pure.

use super::path::{Path, Step};
use super::types::Kind;
use super::value::{Dynamic, Number, Value};
use std::collections::{BTreeMap, BTreeSet};

/// An attribute's value: known, null, or not known before apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Attr<T> {
    /// Unknown, or a collection of which some element is: it is kept as it came, because core compares it.
    Unknown(Value),
    /// Absent.
    #[default]
    Null,
    /// Known.
    Known(T),
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl<T> Attr<T> {
    /// A value that only apply will know.
    pub fn unknown() -> Self {
        Self::Unknown(Value::Unknown)
    }

    /// The value, if it is known and not null.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value to change, if it is known and not null.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether apply alone will know it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether it is absent.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T: Clone> Attr<T> {
    /// The value, or `default` where it is null or unknown.
    pub fn unwrap_or(&self, default: T) -> T {
        self.known().cloned().unwrap_or(default)
    }
}

impl<T: Clone + Default> Attr<T> {
    /// The value, or the type's default where it is null or unknown.
    pub fn unwrap_or_default(&self) -> T {
        self.known().cloned().unwrap_or_default()
    }
}

impl Attr<String> {
    /// The known text, or the empty string.
    pub fn text(&self) -> &str {
        self.known().map_or("", String::as_str)
    }
}

/// A value that is not of the type that the schema promises: a fault of core or of this provider, never of the user.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{at}` is not {expected}")]
pub struct Mismatch {
    /// Where.
    pub at: Path,
    /// What the schema says.
    pub expected: &'static str,
}

impl Mismatch {
    /// What is expected of this very value. Whoever decodes what it is in says where: a path is made only when there is a fault.
    pub fn here(expected: &'static str) -> Self {
        Self { at: Path::root(), expected }
    }

    /// The same, of a value inside.
    #[must_use]
    pub fn inside(self, step: Step) -> Self {
        Self { at: self.at.inside(step), ..self }
    }
}

/// A Rust type that a known, non-null value decodes to.
pub trait Typed: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// Its type in the schema.
    fn kind() -> Kind;
    /// Decodes a known, non-null value.
    ///
    /// # Errors
    /// When the value is of another type.
    fn decode(value: &Value) -> Result<Self, Mismatch>;
    /// The value again.
    fn encode(&self) -> Value;
    /// The words that it may be, or hold; none where it is no [`choice!`](crate::choice).
    fn words() -> &'static [&'static str] {
        &[]
    }

    /// Decodes any value. Objects and collections of objects hold unknown parts; everything else is unknown as a whole.
    ///
    /// # Errors
    /// When the value is of another type.
    fn decode_attr(value: &Value) -> Result<Attr<Self>, Mismatch> {
        match value {
            Value::Null => Ok(Attr::Null),
            value if !value.is_wholly_known() => Ok(Attr::Unknown(value.clone())),
            value => Self::decode(value).map(Attr::Known),
        }
    }
}

/// A value of a type that holds its unknown parts itself: unknown is only what is so as a whole.
///
/// # Errors
/// When it is of another type.
pub fn decode_whole<T: Typed>(value: &Value) -> Result<Attr<T>, Mismatch> {
    match value {
        Value::Null => Ok(Attr::Null),
        Value::Unknown => Ok(Attr::unknown()),
        value => T::decode(value).map(Attr::Known),
    }
}

/// The attribute of that name in an object.
///
/// # Errors
/// When its value is of another type.
pub fn decode_field<T: Typed>(object: &Value, name: &str) -> Result<Attr<T>, Mismatch> {
    T::decode_attr(object.get(name)).map_err(|e| e.inside(Step::Attribute(name.to_owned())))
}

/// The value of an attribute.
pub fn encode_attr<T: Typed>(attr: &Attr<T>) -> Value {
    match attr {
        Attr::Unknown(raw) => raw.clone(),
        Attr::Null => Value::Null,
        Attr::Known(value) => value.encode(),
    }
}

macro_rules! scalar {
    ($type:ty, $kind:ident, $expected:literal, $value:ident => $decode:expr, $self:ident => $encode:expr) => {
        impl Typed for $type {
            fn kind() -> Kind {
                Kind::$kind
            }
            fn decode(value: &Value) -> Result<Self, Mismatch> {
                let decoded: Option<Self> = match value {
                    Value::$kind($value) => $decode,
                    _ => None,
                };
                decoded.ok_or(Mismatch::here($expected))
            }
            fn encode(&self) -> Value {
                let $self = self;
                Value::$kind($encode)
            }
        }
    };
}

scalar!(bool, Bool, "a bool", value => Some(*value), this => *this);
scalar!(String, String, "a string", value => Some(value.clone()), this => this.clone());
scalar!(i64, Number, "a whole number between -2^63 and 2^63-1", value => value.as_i64(), this => Number::from(*this));
scalar!(Number, Number, "a number", value => Some(value.clone()), this => this.clone());

impl Typed for Dynamic {
    fn kind() -> Kind {
        Kind::Dynamic
    }
    fn decode(value: &Value) -> Result<Self, Mismatch> {
        match value {
            Value::Dynamic(dynamic) => Ok((**dynamic).clone()),
            _ => Err(Mismatch::here("a value with its type")),
        }
    }
    fn encode(&self) -> Value {
        Value::Dynamic(Box::new(self.clone()))
    }
}

/// The value of one element, if it is known, or holds its unknown parts itself. A null element is a mismatch.
fn decode_element<T: Typed>(value: &Value) -> Result<Option<T>, Mismatch> {
    match T::decode_attr(value)? {
        Attr::Known(element) => Ok(Some(element)),
        Attr::Unknown(_) => Ok(None),
        Attr::Null => T::decode(value).map(Some),
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn decode(value: &Value) -> Result<Self, Mismatch> {
        let Value::List(items) = value else {
            return Err(Mismatch::here("a list"));
        };
        items.iter().enumerate().map(|(i, item)| T::decode(item).map_err(|e| e.inside(Step::Index(i)))).collect()
    }
    fn encode(&self) -> Value {
        Value::List(self.iter().map(T::encode).collect())
    }
    fn words() -> &'static [&'static str] {
        T::words()
    }
    /// A list of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value) -> Result<Attr<Self>, Mismatch> {
        let Value::List(items) = value else {
            return decode_whole(value);
        };
        let items = items.iter().enumerate().map(|(i, item)| decode_element(item).map_err(|e| e.inside(Step::Index(i))));
        let decoded: Option<Self> = items.collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), Attr::Known))
    }
}

impl<T: Typed + Ord> Typed for BTreeSet<T> {
    fn kind() -> Kind {
        Kind::Set(Box::new(T::kind()))
    }
    fn decode(value: &Value) -> Result<Self, Mismatch> {
        let Value::Set(items) = value else {
            return Err(Mismatch::here("a set"));
        };
        items.iter().map(|item| T::decode(item)).collect()
    }
    fn encode(&self) -> Value {
        Value::Set(self.iter().map(T::encode).collect())
    }
    fn words() -> &'static [&'static str] {
        T::words()
    }
}

/// A set of objects, which have no order: two are equal if each object of one is in the other.
#[derive(Clone, Debug, Default)]
pub struct SetOf<T>(pub Vec<T>);

impl<T: Typed> PartialEq for SetOf<T> {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}

impl<T: Typed> Typed for SetOf<T> {
    fn kind() -> Kind {
        Kind::Set(Box::new(T::kind()))
    }
    fn decode(value: &Value) -> Result<Self, Mismatch> {
        let Value::Set(items) = value else {
            return Err(Mismatch::here("a set"));
        };
        items.iter().map(|item| T::decode(item)).collect::<Result<_, _>>().map(Self)
    }
    fn encode(&self) -> Value {
        Value::Set(self.0.iter().map(T::encode).collect())
    }
    /// A set of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value) -> Result<Attr<Self>, Mismatch> {
        let Value::Set(items) = value else {
            return decode_whole(value);
        };
        let decoded: Option<Vec<T>> = items.iter().map(|item| decode_element(item)).collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), |items| Attr::Known(Self(items))))
    }
}

impl<T: Typed> Typed for BTreeMap<String, T> {
    fn kind() -> Kind {
        Kind::Map(Box::new(T::kind()))
    }
    fn decode(value: &Value) -> Result<Self, Mismatch> {
        let Value::Map(entries) = value else {
            return Err(Mismatch::here("a map"));
        };
        entries
            .iter()
            .map(|(key, item)| Ok((key.clone(), T::decode(item).map_err(|e| e.inside(Step::Key(key.clone())))?)))
            .collect()
    }
    fn encode(&self) -> Value {
        Value::Map(self.iter().map(|(key, item)| (key.clone(), item.encode())).collect())
    }
    /// A map of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value) -> Result<Attr<Self>, Mismatch> {
        let Value::Map(entries) = value else {
            return decode_whole(value);
        };
        let entries = entries.iter().map(|(key, item)| {
            let element = decode_element(item).map_err(|e| e.inside(Step::Key(key.clone())))?;
            Ok(element.map(|element| (key.clone(), element)))
        });
        let decoded: Option<Self> = entries.collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), Attr::Known))
    }
}
