//! The bridge between values and Rust types: [`model!`](crate::model) makes a schema and a struct out of one declaration.

pub use super::typed::{Attr, Mismatch, SetOf, Typed, decode_field, decode_whole, encode_attr};
use super::types::{Attribute, Kind};

/// A struct made by [`model!`](crate::model): an object of a schema.
pub trait Object: Typed + Default {
    /// What it is, in Markdown.
    const DOC: &'static [&'static str];
    /// Its attributes.
    fn attributes() -> Vec<Attribute>;
    /// Its type in the schema, made once.
    fn shape() -> &'static Kind;
}

/// Documentation comments as one Markdown text.
pub fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
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
            fn attributes() -> Vec<$crate::plugin::types::Attribute> {
                let parts: Vec<Vec<$crate::plugin::types::Attribute>> =
                    vec![$(<$embedded as $crate::plugin::model::Object>::attributes(),)* vec![$($crate::plugin::types::Attribute {
                        name: stringify!($field),
                        doc: $crate::plugin::model::doc(&[$($field_doc),*]),
                        kind: <$type as $crate::plugin::model::Typed>::kind(),
                        rules: $crate::plugin::schema::Declared::<$type>::rules($rules),
                    }),*]];
                parts.into_iter().flatten().collect()
            }
            fn shape() -> &'static $crate::plugin::types::Kind {
                static SHAPE: std::sync::LazyLock<$crate::plugin::types::Kind> =
                    std::sync::LazyLock::new(<$name as $crate::plugin::model::Typed>::kind);
                &SHAPE
            }
        }

        impl $crate::plugin::model::Typed for $name {
            fn kind() -> $crate::plugin::types::Kind {
                $crate::plugin::types::Kind::Object(<Self as $crate::plugin::model::Object>::attributes())
            }
            fn decode(value: &$crate::plugin::value::Value) -> Result<Self, $crate::plugin::model::Mismatch> {
                if !matches!(value, $crate::plugin::value::Value::Map(_)) {
                    return Err($crate::plugin::model::Mismatch::here("an object"));
                }
                Ok(Self {
                    $($part: <$embedded as $crate::plugin::model::Typed>::decode(value)?,)*
                    $($field: $crate::plugin::model::decode_field(value, stringify!($field))?),*
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
            ) -> Result<$crate::plugin::model::Attr<Self>, $crate::plugin::model::Mismatch> {
                $crate::plugin::model::decode_whole(value)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::{optional, required};
    use crate::plugin::value::Value;

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
        let thing = Thing::decode(&value).unwrap();
        assert!(thing.parts.is_unknown());
        assert!(thing.inner.known().unwrap().count.is_unknown());
        assert_eq!(thing.encode(), value);
    }

    #[test]
    fn a_list_of_partly_unknown_objects_is_known() {
        let list = Value::List(vec![map([("count", Value::Unknown)])]);
        let decoded = Vec::<Inner>::decode_attr(&list).unwrap();
        assert!(decoded.known().unwrap()[0].count.is_unknown());
        assert_eq!(encode_attr(&decoded), list);
        let of_unknown = Value::List(vec![Value::Unknown]);
        assert_eq!(Vec::<Inner>::decode_attr(&of_unknown).unwrap(), Attr::Unknown(of_unknown));
    }

    #[test]
    fn a_set_of_objects_has_no_order_and_may_hold_unknown_parts() {
        let inner = |count: Value| map([("count", count)]);
        let set = |items: Vec<Value>| SetOf::<Inner>::decode_attr(&Value::Set(items)).unwrap();
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
        let labelled = Labelled::decode(&value).unwrap();
        assert!(labelled.thing.name.is_unknown());
        assert_eq!((labelled.label.text(), labelled.encode()), ("x", value));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let value = map([("inner", map([("count", Value::from("x"))]))]);
        let error = Thing::decode(&value).unwrap_err();
        assert_eq!(error.to_string(), "`inner.count` is not a whole number between -2^63 and 2^63-1");
    }
}
