//! What is fuzzed: each function takes any bytes, and panics where the provider would break. `make fuzz` runs them under
//! libFuzzer; `kept.rs` over the inputs that were kept, and over hostile ones.

use kafkastack::model;
use kafkastack::plugin::identity::Identity;
use kafkastack::plugin::model::{Object as _, Typed};
use kafkastack::plugin::path::{Path, Step};
use kafkastack::plugin::proto::tfplugin6::attribute_path::step::Selector;
use kafkastack::plugin::proto::tfplugin6::{AttributePath, DynamicValue};
use kafkastack::plugin::schema::{Kind, optional, required};
use kafkastack::plugin::value::{Number, Value};
use kafkastack::plugin::wire::{self, WireError};
use peak_alloc::PeakAlloc;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What reading one mebibyte may take.
const MOST: usize = 64 << 20;
/// Up to here no value is refused for its size alone.
const SMALL: usize = 64 << 10;

/// Runs `call`, which may take [`MOST`] memory for each mebibyte that it reads, its outcome included. The counter is the
/// process's: nothing else may run.
fn bounded<T>(read: usize, call: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let outcome = call();
    let took = MEMORY.peak_usage().saturating_sub(before);
    assert!(took <= MOST * read.div_ceil(1 << 20).max(1), "{took} bytes of memory for an input of {read}");
    outcome
}

model! {
    /// A part.
    pub struct Part {
        /// A key.
        key: String = optional(),
        /// A number.
        count: Number = optional(),
    }
}

model! {
    /// Every kind of attribute.
    pub struct Everything {
        /// Text.
        a: String = optional(),
        /// A bool.
        b: bool = optional(),
        /// A number.
        c: Number = optional(),
        /// A list.
        d: Vec<String> = optional(),
        /// A set.
        e: BTreeSet<String> = optional(),
        /// A map.
        f: BTreeMap<String, i64> = optional(),
        /// An object.
        g: Part = optional(),
        /// Objects in order.
        h: Vec<Part> = optional(),
        /// Objects by name.
        i: BTreeMap<String, Part> = optional(),
    }
}

model! {
    /// What has an identity with parts of every plain kind.
    pub struct Named {
        /// A part with a default.
        namespace: String = optional().defaults_to("default").replaces().identifies(),
        /// A part that has to be there.
        name: String = required().replaces().identifies(),
        /// A number.
        number: Number = optional().replaces().identifies(),
        /// A bool.
        flag: bool = optional().replaces().identifies(),
        /// What is no part of it.
        size: String = optional(),
    }
}

/// The kinds that the first byte of an input chooses from.
pub static KINDS: LazyLock<[Kind; 9]> = LazyLock::new(|| {
    let list = |kind| Kind::List(Box::new(kind));
    let set = |kind| Kind::Set(Box::new(kind));
    [
        Everything::kind(),
        list(Kind::Number),
        set(set(Kind::Number)),
        Kind::Map(Box::new(list(Kind::Bool))),
        list(Part::kind()),
        list(Kind::Map(Box::new(Kind::String))),
        list(list(list(Kind::Bool))),
        Kind::Number,
        Kind::Dynamic,
    ]
});

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity::of(&Named::attributes()).expect("it has an identity"));

fn kind(bytes: &[u8]) -> Option<(&'static Kind, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    KINDS.get(usize::from(*first) % KINDS.len()).map(|kind| (kind, rest))
}

/// What was read can be written, and read again as it was.
fn again(kind: &Kind, value: &Value) {
    let bytes = wire::msgpack::encode(kind, value).expect("what was read can be written");
    match wire::msgpack::decode(kind, &bytes) {
        Ok(read) => assert_eq!(read, *value),
        Err(error) => assert!(bytes.len() > SMALL, "{error}"),
    }
}

fn value(bytes: &[u8], decode: fn(&Kind, &[u8]) -> Result<Value, WireError>) {
    let Some((kind, bytes)) = kind(bytes) else { return };
    match bounded(bytes.len(), || decode(kind, bytes)) {
        Ok(value) => again(kind, &value),
        Err(error) => drop(bounded(bytes.len(), || error.to_string())),
    }
}

/// A value, as core sends it.
pub fn msgpack(bytes: &[u8]) {
    value(bytes, wire::msgpack::decode);
}

/// A stored state.
pub fn json(bytes: &[u8]) {
    value(bytes, wire::json::decode);
}

/// The type of a dynamic value, written again.
pub fn types(bytes: &[u8]) {
    let Ok(kind) = bounded(bytes.len(), || wire::types::read_type(bytes)) else { return };
    let text = bounded(bytes.len(), || wire::types::type_json(&kind));
    let again = wire::types::read_type(text.as_bytes()).expect("what was written can be read");
    assert_eq!(again, kind);
}

/// What an import names, as core sends it or has stored it: the first byte says in which of the two encodings.
pub fn identity(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let data = match first % 2 {
        0 => DynamicValue { msgpack: rest.to_vec(), json: Vec::new() },
        _ => DynamicValue { msgpack: Vec::new(), json: rest.to_vec() },
    };
    let Ok(named) = bounded(rest.len(), || wire::decode(IDENTITY.kind(), Some(&data))) else { return };
    let whole = bounded(rest.len(), || IDENTITY.complete(&named));
    let missing = IDENTITY.missing(&named);
    assert_eq!(missing.is_some(), named.get("name").is_null(), "{named:?}");
    assert_eq!(IDENTITY.changed(&named, &whole), None, "what an import names stays so");
    let id = bounded(rest.len(), || IDENTITY.import_id(&whole));
    let first = id.split('/').next();
    assert!(first == Some("default") || !named.get("namespace").is_null(), "{id:?}");
    again(IDENTITY.kind(), &IDENTITY.value(&whole));
}

/// The way to a value: read as a message, said to people, and sent back.
pub fn path(bytes: &[u8]) {
    let Ok(message) = bounded(bytes.len(), || AttributePath::decode(bytes)) else { return };
    let steps = message.steps.iter().map_while(|step| match step.selector.as_ref()? {
        Selector::AttributeName(name) => Some(Step::Attribute(name.clone())),
        Selector::ElementKeyString(key) => Some(Step::Key(key.clone())),
        Selector::ElementKeyInt(index) => usize::try_from(*index).ok().map(Step::Index),
    });
    let path = Path::from_steps(steps.collect());
    let _ = bounded(bytes.len(), || path.to_string());
    let sent = wire::schema::path(&path).encode_to_vec();
    let back = AttributePath::decode(sent.as_slice()).expect("what was written can be read");
    assert!(message.steps.starts_with(&back.steps), "{path}");
}
