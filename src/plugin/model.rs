//! The bridge between values and Rust types: [`model!`](crate::model) makes a schema and a struct out of one declaration.

use super::path::Path;
use super::schema::{Attribute, Kind};
use super::value::{Dynamic, Number, Value};
use std::collections::{BTreeMap, BTreeSet};

/// An attribute's value: known, null, or not known before apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Attr<T> {
    /// Unknown, or a collection of which some element is: it is kept as it came, for core compares it.
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

/// A Rust type that a known, non-null value decodes to.
pub trait Typed: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// Its type in the schema.
    fn kind() -> Kind;
    /// Decodes a known, non-null value.
    ///
    /// # Errors
    /// When the value is of another type.
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch>;
    /// The value again.
    fn encode(&self) -> Value;

    /// Decodes any value. `partial` types know how to hold unknown parts; the others are unknown as a whole.
    ///
    /// # Errors
    /// When the value is of another type.
    fn decode_attr(value: &Value, at: &Path) -> Result<Attr<Self>, Mismatch> {
        match value {
            Value::Null => Ok(Attr::Null),
            value if !value.is_wholly_known() => Ok(Attr::Unknown(value.clone())),
            value => Self::decode(value, at).map(Attr::Known),
        }
    }
}

/// The value of an attribute.
pub fn encode_attr<T: Typed>(attr: &Attr<T>) -> Value {
    match attr {
        Attr::Unknown(raw) => raw.clone(),
        Attr::Null => Value::Null,
        Attr::Known(value) => value.encode(),
    }
}

/// A struct made by [`model!`](crate::model): an object of a schema.
pub trait Object: Typed + Default {
    /// What it is, in Markdown.
    const DOC: &'static [&'static str];
    /// Its attributes.
    fn attributes() -> Vec<Attribute>;
}

/// Documentation comments as one Markdown text.
pub fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

macro_rules! scalar {
    ($type:ty, $kind:ident, $expected:literal, $value:ident => $decode:expr, $self:ident => $encode:expr) => {
        impl Typed for $type {
            fn kind() -> Kind {
                Kind::$kind
            }
            fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
                let decoded: Option<Self> = match value {
                    Value::$kind($value) => $decode,
                    _ => None,
                };
                decoded.ok_or(Mismatch { at: at.clone(), expected: $expected })
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
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
        match value {
            Value::Dynamic(dynamic) => Ok((**dynamic).clone()),
            _ => Err(Mismatch { at: at.clone(), expected: "a value with its type" }),
        }
    }
    fn encode(&self) -> Value {
        Value::Dynamic(Box::new(self.clone()))
    }
}

/// The value of one element, if it is known, or holds its unknown parts itself. A null element is a mismatch.
fn decode_element<T: Typed>(value: &Value, at: &Path) -> Result<Option<T>, Mismatch> {
    match T::decode_attr(value, at)? {
        Attr::Known(element) => Ok(Some(element)),
        Attr::Unknown(_) => Ok(None),
        Attr::Null => T::decode(value, at).map(Some),
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
        let Value::List(items) = value else {
            return Err(Mismatch { at: at.clone(), expected: "a list" });
        };
        items.iter().enumerate().map(|(i, item)| T::decode(item, &at.index(i))).collect()
    }
    fn encode(&self) -> Value {
        Value::List(self.iter().map(T::encode).collect())
    }
    /// A list of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value, at: &Path) -> Result<Attr<Self>, Mismatch> {
        let Value::List(items) = value else {
            return match value {
                Value::Null => Ok(Attr::Null),
                Value::Unknown => Ok(Attr::unknown()),
                value => Self::decode(value, at).map(Attr::Known),
            };
        };
        let items = items.iter().enumerate().map(|(i, item)| decode_element(item, &at.index(i)));
        let decoded: Option<Self> = items.collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), Attr::Known))
    }
}

impl<T: Typed + Ord> Typed for BTreeSet<T> {
    fn kind() -> Kind {
        Kind::Set(Box::new(T::kind()))
    }
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
        let Value::Set(items) = value else {
            return Err(Mismatch { at: at.clone(), expected: "a set" });
        };
        items.iter().map(|item| T::decode(item, at)).collect()
    }
    fn encode(&self) -> Value {
        Value::Set(self.iter().map(T::encode).collect())
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
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
        let Value::Set(items) = value else {
            return Err(Mismatch { at: at.clone(), expected: "a set" });
        };
        items.iter().map(|item| T::decode(item, at)).collect::<Result<_, _>>().map(Self)
    }
    fn encode(&self) -> Value {
        Value::Set(self.0.iter().map(T::encode).collect())
    }
    /// A set of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value, at: &Path) -> Result<Attr<Self>, Mismatch> {
        let Value::Set(items) = value else {
            return match value {
                Value::Null => Ok(Attr::Null),
                Value::Unknown => Ok(Attr::unknown()),
                value => Self::decode(value, at).map(Attr::Known),
            };
        };
        let decoded: Option<Vec<T>> = items.iter().map(|item| decode_element(item, at)).collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), |items| Attr::Known(Self(items))))
    }
}

impl<T: Typed> Typed for BTreeMap<String, T> {
    fn kind() -> Kind {
        Kind::Map(Box::new(T::kind()))
    }
    fn decode(value: &Value, at: &Path) -> Result<Self, Mismatch> {
        let Value::Map(entries) = value else {
            return Err(Mismatch { at: at.clone(), expected: "a map" });
        };
        entries.iter().map(|(key, item)| Ok((key.clone(), T::decode(item, &at.key(key))?))).collect()
    }
    fn encode(&self) -> Value {
        Value::Map(self.iter().map(|(key, item)| (key.clone(), item.encode())).collect())
    }
    /// A map of objects that hold their unknown parts is known.
    fn decode_attr(value: &Value, at: &Path) -> Result<Attr<Self>, Mismatch> {
        let Value::Map(entries) = value else {
            return match value {
                Value::Null => Ok(Attr::Null),
                Value::Unknown => Ok(Attr::unknown()),
                value => Self::decode(value, at).map(Attr::Known),
            };
        };
        let entries = entries.iter().map(|(key, item)| {
            let element = decode_element(item, &at.key(key))?;
            Ok(element.map(|element| (key.clone(), element)))
        });
        let decoded: Option<Self> = entries.collect::<Result<_, _>>()?;
        Ok(decoded.map_or_else(|| Attr::Unknown(value.clone()), Attr::Known))
    }
}

/// Declares an object of a schema and the struct that holds its values, in one piece: a field is its documentation,
/// its name, its Rust type and its rules.
///
/// ```
/// use kafkastack::model;
/// use kafkastack::plugin::schema::{optional, required};
///
/// model! {
///     /// A topic.
///     pub struct Topic {
///         /// Its name.
///         name: String = required().replaces(),
///         /// How many partitions it has.
///         partitions: i64 = optional().defaults_to(1),
///     }
/// }
/// # use kafkastack::plugin::model::Object;
/// assert_eq!(Topic::attributes()[0].doc, "Its name.");
/// assert_eq!(Topic::default().partitions.known(), None);
///
/// // What several have in common is declared once; core sees one flat object.
/// model! {
///     /// A compacted topic.
///     pub struct Compacted {
///         ..topic: Topic,
///         /// How long a deleted key is remembered.
///         remembers: String = optional(),
///     }
/// }
/// assert_eq!(Compacted::attributes().len(), 3);
/// ```
#[macro_export]
macro_rules! model {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $(..$part:ident : $embedded:ty,)*
            $($(#[doc = $field_doc:literal])* $field:ident : $type:ty = $rules:expr),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name {
            $(#[doc = "Attributes of its own, which are declared elsewhere."] pub $part: $embedded,)*
            $($(#[doc = $field_doc])* pub $field: $crate::plugin::model::Attr<$type>),*
        }

        impl $crate::plugin::model::Object for $name {
            const DOC: &'static [&'static str] = &[$($doc),*];
            fn attributes() -> Vec<$crate::plugin::schema::Attribute> {
                let parts: Vec<Vec<$crate::plugin::schema::Attribute>> =
                    vec![$(<$embedded as $crate::plugin::model::Object>::attributes(),)* vec![$($crate::plugin::schema::Attribute {
                        name: stringify!($field),
                        doc: $crate::plugin::model::doc(&[$($field_doc),*]),
                        kind: <$type as $crate::plugin::model::Typed>::kind(),
                        rules: $rules,
                    }),*]];
                parts.into_iter().flatten().collect()
            }
        }

        impl $crate::plugin::model::Typed for $name {
            fn kind() -> $crate::plugin::schema::Kind {
                $crate::plugin::schema::Kind::Object(<Self as $crate::plugin::model::Object>::attributes())
            }
            fn decode(
                value: &$crate::plugin::value::Value,
                at: &$crate::plugin::path::Path,
            ) -> Result<Self, $crate::plugin::model::Mismatch> {
                if !matches!(value, $crate::plugin::value::Value::Map(_)) {
                    return Err($crate::plugin::model::Mismatch { at: at.clone(), expected: "an object" });
                }
                Ok(Self {
                    $($part: <$embedded as $crate::plugin::model::Typed>::decode(value, at)?,)*
                    $($field: <$type as $crate::plugin::model::Typed>::decode_attr(
                        value.get(stringify!($field)),
                        &at.attribute(stringify!($field)),
                    )?),*
                })
            }
            fn encode(&self) -> $crate::plugin::value::Value {
                #[allow(unused_mut, reason = "most have no part that is declared elsewhere")]
                let mut attributes = std::collections::BTreeMap::from([
                    $((stringify!($field).to_owned(), $crate::plugin::model::encode_attr(&self.$field))),*
                ]);
                $(if let $crate::plugin::value::Value::Map(part) = $crate::plugin::model::Typed::encode(&self.$part) {
                    attributes.extend(part);
                })*
                $crate::plugin::value::Value::Map(attributes)
            }
            /// An object holds its unknown parts itself.
            fn decode_attr(
                value: &$crate::plugin::value::Value,
                at: &$crate::plugin::path::Path,
            ) -> Result<$crate::plugin::model::Attr<Self>, $crate::plugin::model::Mismatch> {
                use $crate::plugin::model::{Attr, Typed};
                use $crate::plugin::value::Value;
                match value {
                    Value::Null => Ok(Attr::Null),
                    Value::Unknown => Ok(Attr::unknown()),
                    value => <Self as Typed>::decode(value, at).map(Attr::Known),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::{optional, required};

    crate::model! {
        /// A thing.
        pub struct Thing {
            /// Its name.
            name: String = required(),
            /// Its parts.
            parts: Vec<String> = optional(),
            /// A thing inside.
            inner: Inner = optional(),
        }
    }
    crate::model! {
        /// Inside.
        pub struct Inner {
            /// How many.
            count: i64 = optional().defaults_to(3),
        }
    }

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    #[test]
    fn a_partly_unknown_value_survives_the_round_trip() {
        let value = map([
            ("name", Value::Unknown),
            ("parts", Value::List(vec![Value::from("a"), Value::Unknown])),
            ("inner", map([("count", Value::Unknown)])),
        ]);
        let thing = Thing::decode(&value, &Path::root()).unwrap();
        assert!(thing.parts.is_unknown());
        assert!(thing.inner.known().unwrap().count.is_unknown());
        assert_eq!(thing.encode(), value);
    }

    #[test]
    fn a_list_of_partly_unknown_objects_is_known() {
        let list = Value::List(vec![map([("count", Value::Unknown)])]);
        let decoded = Vec::<Inner>::decode_attr(&list, &Path::root()).unwrap();
        assert!(decoded.known().unwrap()[0].count.is_unknown());
        assert_eq!(encode_attr(&decoded), list);
        let of_unknown = Value::List(vec![Value::Unknown]);
        assert_eq!(Vec::<Inner>::decode_attr(&of_unknown, &Path::root()).unwrap(), Attr::Unknown(of_unknown));
    }

    #[test]
    fn a_set_of_objects_has_no_order_and_may_hold_unknown_parts() {
        let inner = |count: Value| map([("count", count)]);
        let set = |items: Vec<Value>| SetOf::<Inner>::decode_attr(&Value::Set(items), &Path::root()).unwrap();
        let ab = set(vec![inner(1.into()), inner(Value::Unknown)]);
        assert_eq!(ab, set(vec![inner(Value::Unknown), inner(1.into())]));
        assert_ne!(ab, set(vec![inner(1.into())]));
        assert!(set(vec![Value::Unknown]).is_unknown());
    }

    crate::model! {
        /// A thing with a label.
        pub struct Labelled {
            ..thing: Thing,
            /// Its label.
            label: String = optional(),
        }
    }

    #[test]
    fn what_is_embedded_is_one_flat_object() {
        let names: Vec<_> = Labelled::attributes().iter().map(|attribute| attribute.name).collect();
        assert_eq!(names, ["name", "parts", "inner", "label"]);
        let value =
            map([("name", Value::Unknown), ("parts", Value::Null), ("inner", map([("count", 1.into())])), ("label", "x".into())]);
        let labelled = Labelled::decode(&value, &Path::root()).unwrap();
        assert!(labelled.thing.name.is_unknown());
        assert_eq!((labelled.label.text(), labelled.encode()), ("x", value));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let value = map([("inner", map([("count", Value::from("x"))]))]);
        let error = Thing::decode(&value, &Path::root()).unwrap_err();
        assert_eq!(error.to_string(), "`inner.count` is not a whole number between -2^63 and 2^63-1");
    }
}
