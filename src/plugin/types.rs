//! Values and their types. They are in one file because they know each other: a dynamic value brings its type, and the rules of a
//! type speak of values. What can be done with them is in `value.rs` and `schema.rs`. Pure.

use super::number::Number;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

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

/// The type of a value. An object inside a list, set or map is a nested attribute (never a block).
///
/// Two kinds are equal if they are the same type: documentation and rules of attributes do not count.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// An exact decimal number.
    Number,
    /// Text.
    String,
    /// A list of one kind.
    List(Box<Kind>),
    /// A set of one kind.
    Set(Box<Kind>),
    /// A map of one kind.
    Map(Box<Kind>),
    /// An object with these attributes, in the order in which they are documented.
    Object(Vec<Attribute>),
    /// Values of these kinds, one each. Of no attribute: it occurs inside dynamic values, and in functions.
    Tuple(Vec<Kind>),
    /// A plain object, without rules. Of no attribute: it occurs inside dynamic values, and in functions.
    Record(BTreeMap<String, Kind>),
    /// Whatever the configuration says: each value brings its own type. Not inside collections.
    Dynamic,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool, Self::Bool) | (Self::Number, Self::Number) => true,
            (Self::String, Self::String) | (Self::Dynamic, Self::Dynamic) => true,
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) | (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Record(a), Self::Record(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && a.kind == b.kind)
            }
            _ => false,
        }
    }
}

/// When a changed value means that the resource has to be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replace {
    /// Changed in place.
    #[default]
    Never,
    /// Any change replaces the resource.
    Always,
    /// A change replaces the resource where the configuration sets the attribute.
    IfConfigured,
}

/// Checks one known, non-null value; the error says what is allowed, without naming the attribute.
#[derive(Clone)]
pub struct Check(pub Arc<CheckFn>);

/// A check, as it is called.
pub type CheckFn = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

/// Whether two known values mean the same (`1Gi` and `1024Mi`); the prior one is then kept.
#[derive(Clone)]
pub struct Same(pub Arc<SameFn>);

/// A comparison, as it is called.
pub type SameFn = dyn Fn(&Value, &Value) -> bool + Send + Sync;

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}

impl fmt::Debug for Same {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Same")
    }
}

/// The rules of an attribute, apart from its name, type and documentation. Authors write them as
/// [`Declared`](super::schema::Declared), which knows the type of the values.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The configuration has to set it.
    pub required: bool,
    /// The configuration may set it.
    pub optional: bool,
    /// The provider may set it.
    pub computed: bool,
    /// Not shown in plans.
    pub sensitive: bool,
    /// Taken where the configuration leaves it null.
    pub default: Option<Value>,
    /// Whether a change replaces the resource.
    pub replace: Replace,
    /// A computed value that stays as it is once known (`UseStateForUnknown`).
    pub stable: bool,
    /// The words that it may be; empty where it is no choice. A collection holds these words.
    pub words: &'static [&'static str],
    /// Checks of a value that the configuration sets.
    pub checks: Vec<Check>,
    /// Semantic equality.
    pub same: Option<Same>,
    /// Part of what identifies the object.
    pub identity: bool,
    /// In the configuration only: never in a plan or a state.
    pub write_only: bool,
    /// What to use instead.
    pub deprecated: Option<&'static str>,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub doc: String,
    /// Its type.
    pub kind: Kind,
    /// Its rules.
    pub rules: Rules,
}
