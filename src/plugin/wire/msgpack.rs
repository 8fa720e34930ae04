//! msgpack to values and back, as core writes it: exact numbers, unknown values as extensions. No network.

use super::super::path::Step;
use super::super::schema::Kind;
use super::super::value::{Dynamic, Number, Value};
use super::budget::Budget;
use super::error::{WireError, expected, in_attribute, in_index, in_key};
use super::types;
use rmp::Marker;
use std::collections::BTreeMap;

/// Reads one value, and all of `bytes`.
///
/// # Errors
/// When the bytes are not a value of this kind.
pub fn decode(kind: &Kind, bytes: &[u8]) -> Result<Value, WireError> {
    let mut reader = Reader { rest: bytes, budget: Budget::of(bytes.len()), inside_dynamic: false };
    let value = read(kind, &mut reader)?;
    match reader.rest.len() {
        0 => Ok(value),
        rest => Err(WireError::new(format!("{rest} bytes after the end"))),
    }
}

/// What is left to read, what it may become, and whether a dynamic value is being read.
struct Reader<'a> {
    rest: &'a [u8],
    budget: Budget,
    inside_dynamic: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let Some((head, rest)) = self.rest.split_at_checked(length) else {
            return Err(WireError::new(format!("{length} bytes announced, {} there", self.rest.len())));
        };
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError::new("too short"))
    }

    fn marker(&mut self) -> Result<Marker, WireError> {
        Ok(Marker::from_u8(u8::from_be_bytes(self.array()?)))
    }

    fn u8(&mut self) -> Result<usize, WireError> {
        Ok(u8::from_be_bytes(self.array()?).into())
    }

    fn u16(&mut self) -> Result<usize, WireError> {
        Ok(u16::from_be_bytes(self.array()?).into())
    }

    fn u32(&mut self) -> Result<usize, WireError> {
        usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| WireError::new("too long"))
    }

    /// The payload length of an extension: its type and content mean "unknown", whichever they are.
    fn extension(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        Ok(Some(match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.u8()?,
            Marker::Ext16 => self.u16()?,
            Marker::Ext32 => self.u32()?,
            _ => return Ok(None),
        }))
    }

    fn text(&mut self, marker: Marker) -> Result<Option<&'a str>, WireError> {
        let length = match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.u8()?,
            Marker::Str16 => self.u16()?,
            Marker::Str32 => self.u32()?,
            _ => return Ok(None),
        };
        std::str::from_utf8(self.take(length)?).map(Some).map_err(|_| WireError::new("text that is not UTF-8"))
    }

    fn items(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        Ok(Some(match marker {
            Marker::FixArray(count) => count.into(),
            Marker::Array16 => self.u16()?,
            Marker::Array32 => self.u32()?,
            _ => return Ok(None),
        }))
    }

    fn entries(&mut self, marker: Marker) -> Result<Option<usize>, WireError> {
        Ok(Some(match marker {
            Marker::FixMap(count) => count.into(),
            Marker::Map16 => self.u16()?,
            Marker::Map32 => self.u32()?,
            _ => return Ok(None),
        }))
    }

    /// A type, and a value of it. The type is the value's own, so there is no second one inside: what is left of dynamic
    /// kind there is null or unknown.
    fn dynamic(&mut self, marker: Marker) -> Result<Option<Dynamic>, WireError> {
        if self.items(marker)? != Some(2) {
            return Ok(None);
        }
        if std::mem::replace(&mut self.inside_dynamic, true) {
            return Err(WireError::new("a type inside a value that has its type"));
        }
        let marker = self.marker()?;
        let length = match marker {
            Marker::Bin8 => Some(self.u8()?),
            Marker::Bin16 => Some(self.u16()?),
            Marker::Bin32 => Some(self.u32()?),
            _ => None,
        };
        let json = match length {
            Some(length) => self.take(length)?,
            None => self.text(marker)?.ok_or_else(|| WireError::new("a type that is not JSON"))?.as_bytes(),
        };
        let kind = types::read_type(json)?;
        let value = read(&kind, self)?;
        self.inside_dynamic = false;
        Ok(Some(Dynamic { kind, value }))
    }

    fn key(&mut self) -> Result<&'a str, WireError> {
        let marker = self.marker()?;
        self.text(marker)?.ok_or_else(|| WireError::new("a key that is not a string"))
    }

    /// A number is an integer, a float, or decimal text where neither holds it.
    fn number(&mut self, marker: Marker) -> Result<Option<Number>, WireError> {
        let float = |value: f64| Number::from_f64(value).ok_or_else(|| WireError::new("a number that is not finite"));
        Ok(Some(match marker {
            Marker::FixPos(n) => i64::from(n).into(),
            Marker::FixNeg(n) => i64::from(n).into(),
            Marker::U8 => i64::from(u8::from_be_bytes(self.array()?)).into(),
            Marker::U16 => i64::from(u16::from_be_bytes(self.array()?)).into(),
            Marker::U32 => i64::from(u32::from_be_bytes(self.array()?)).into(),
            Marker::U64 => u64::from_be_bytes(self.array()?).into(),
            Marker::I8 => i64::from(i8::from_be_bytes(self.array()?)).into(),
            Marker::I16 => i64::from(i16::from_be_bytes(self.array()?)).into(),
            Marker::I32 => i64::from(i32::from_be_bytes(self.array()?)).into(),
            Marker::I64 => i64::from_be_bytes(self.array()?).into(),
            Marker::F32 => float(f32::from_be_bytes(self.array()?).into())?,
            Marker::F64 => float(f64::from_be_bytes(self.array()?))?,
            marker => {
                let Some(text) = self.text(marker)? else { return Ok(None) };
                Number::parse(text).ok_or_else(|| WireError::new("text that is not a number"))?
            }
        }))
    }
}

fn read(kind: &Kind, reader: &mut Reader<'_>) -> Result<Value, WireError> {
    let marker = reader.marker()?;
    if marker == Marker::Null {
        return Ok(Value::Null);
    }
    if let Some(length) = reader.extension(marker)? {
        reader.take(length.saturating_add(1))?;
        return Ok(Value::Unknown);
    }
    let value = match kind {
        Kind::Bool => match marker {
            Marker::True => Some(Value::Bool(true)),
            Marker::False => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Number => {
            let number = reader.number(marker)?;
            number.iter().try_for_each(|number| reader.budget.number(number))?;
            number.map(Value::Number)
        }
        Kind::String => reader.text(marker)?.map(Value::from),
        Kind::List(inner) => read_items(inner, reader, marker)?.map(Value::List),
        Kind::Set(inner) => read_items(inner, reader, marker)?.map(Value::Set),
        Kind::Map(inner) => read_entries(reader, marker, Step::Key, |_| Some(inner))?.map(Value::Map),
        Kind::Object(attributes) => {
            let entries =
                read_entries(reader, marker, Step::Attribute, |key| attributes.iter().find(|a| a.name == key).map(|a| &a.kind))?;
            if let Some(entries) = &entries
                && let Some(missing) = attributes.iter().find(|a| !entries.contains_key(a.name))
            {
                return Err(in_attribute(missing)(WireError::new("is missing")));
            }
            entries.map(Value::Map)
        }
        Kind::Tuple(kinds) => read_tuple(kinds, reader, marker)?.map(Value::List),
        Kind::Record(kinds) => {
            let entries = read_entries(reader, marker, Step::Attribute, |key| kinds.get(key))?;
            if let Some(missing) = entries.as_ref().and_then(|there| kinds.keys().find(|name| !there.contains_key(*name))) {
                return Err(WireError::new("is missing").inside(Step::Attribute(missing.clone())));
            }
            entries.map(Value::Map)
        }
        Kind::Dynamic => reader.dynamic(marker)?.map(|dynamic| Value::Dynamic(Box::new(dynamic))),
    };
    value.ok_or_else(|| expected(kind))
}

fn read_tuple(kinds: &[Kind], reader: &mut Reader<'_>, marker: Marker) -> Result<Option<Vec<Value>>, WireError> {
    match reader.items(marker)? {
        Some(count) if count == kinds.len() => {
            let items = kinds.iter().enumerate().map(|(i, kind)| read(kind, reader).map_err(in_index(i)));
            items.collect::<Result<_, _>>().map(Some)
        }
        Some(count) => Err(WireError::new(format!("{count} values for the {} of a tuple", kinds.len()))),
        None => Ok(None),
    }
}

fn read_items(inner: &Kind, reader: &mut Reader<'_>, marker: Marker) -> Result<Option<Vec<Value>>, WireError> {
    let Some(count) = reader.items(marker)? else { return Ok(None) };
    // Nothing is allocated for items that are only announced: each has a byte at least.
    let there = count.min(reader.rest.len());
    reader.budget.items(there)?;
    let mut items = Vec::with_capacity(there);
    for index in 0..count {
        items.push(read(inner, reader).map_err(in_index(index))?);
    }
    Ok(Some(items))
}

fn read_entries<'k>(
    reader: &mut Reader<'_>,
    marker: Marker,
    step: fn(String) -> Step,
    kind_of: impl Fn(&str) -> Option<&'k Kind>,
) -> Result<Option<BTreeMap<String, Value>>, WireError> {
    let Some(count) = reader.entries(marker)? else { return Ok(None) };
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        let key = reader.key()?;
        reader.budget.entry(entries.len(), key)?;
        let within = |error: WireError| error.inside(step(key.to_owned()));
        let kind = kind_of(key).ok_or_else(|| within(WireError::new("is no attribute")))?;
        let value = read(kind, reader).map_err(within)?;
        if entries.insert(key.to_owned(), value).is_some() {
            return Err(within(WireError::new("is there twice")));
        }
    }
    Ok(Some(entries))
}

/// Writes one value.
///
/// # Errors
/// When it is not of this kind; an object has to have exactly the attributes of its schema.
pub fn encode(kind: &Kind, value: &Value) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    write(kind, value, &mut out)?;
    Ok(out)
}

/// Writing to a `Vec` cannot fail, but its type does not say so.
fn io<T, E>(result: Result<T, E>) -> Result<(), WireError> {
    result.map(drop).map_err(|_| WireError::new("could not be written"))
}

fn length(length: usize) -> Result<u32, WireError> {
    u32::try_from(length).map_err(|_| WireError::new("longer than 2^32 - 1"))
}

fn write(kind: &Kind, value: &Value, out: &mut Vec<u8>) -> Result<(), WireError> {
    match (kind, value) {
        (_, Value::Null) => io(rmp::encode::write_nil(out)),
        // Extension 0 of one byte: wholly unknown, with nothing known about it.
        (_, Value::Unknown) => {
            out.extend_from_slice(&[0xd4, 0, 0]);
            Ok(())
        }
        (Kind::Bool, Value::Bool(value)) => io(rmp::encode::write_bool(out, *value)),
        (Kind::Number, Value::Number(number)) => match (number.as_i64(), number.as_exact_f64()) {
            (Some(whole), _) => io(rmp::encode::write_sint(out, whole)),
            (None, Some(float)) => io(rmp::encode::write_f64(out, float)),
            (None, None) => write_text(&number.to_string(), out),
        },
        (Kind::String, Value::String(text)) => write_text(text, out),
        (Kind::List(inner), Value::List(items)) | (Kind::Set(inner), Value::Set(items)) => {
            io(rmp::encode::write_array_len(out, length(items.len())?))?;
            items.iter().enumerate().try_for_each(|(i, item)| write(inner, item, out).map_err(in_index(i)))
        }
        (Kind::Map(inner), Value::Map(entries)) => {
            io(rmp::encode::write_map_len(out, length(entries.len())?))?;
            entries.iter().try_for_each(|(key, item)| {
                write_text(key, out)?;
                write(inner, item, out).map_err(in_key(key))
            })
        }
        (Kind::Object(attributes), Value::Map(entries)) => {
            if let Some(key) = entries.keys().find(|key| attributes.iter().all(|a| a.name != *key)) {
                return Err(in_key(key)(WireError::new("is no attribute")));
            }
            io(rmp::encode::write_map_len(out, length(attributes.len())?))?;
            attributes.iter().try_for_each(|attribute| {
                write_text(attribute.name, out)?;
                let item = entries.get(attribute.name).ok_or_else(|| WireError::new("is missing"));
                item.and_then(|item| write(&attribute.kind, item, out)).map_err(in_attribute(attribute))
            })
        }
        (Kind::Tuple(kinds), Value::List(items)) if kinds.len() == items.len() => {
            io(rmp::encode::write_array_len(out, length(items.len())?))?;
            let mut pairs = kinds.iter().zip(items).enumerate();
            pairs.try_for_each(|(i, (kind, item))| write(kind, item, out).map_err(in_index(i)))
        }
        (Kind::Record(kinds), Value::Map(entries)) if kinds.keys().eq(entries.keys()) => {
            io(rmp::encode::write_map_len(out, length(entries.len())?))?;
            kinds.iter().zip(entries.values()).try_for_each(|((name, kind), item)| {
                write_text(name, out)?;
                write(kind, item, out).map_err(|e| e.inside(Step::Attribute(name.clone())))
            })
        }
        (Kind::Dynamic, Value::Dynamic(dynamic)) => {
            io(rmp::encode::write_array_len(out, 2))?;
            io(rmp::encode::write_bin(out, types::type_json(&dynamic.kind).as_bytes()))?;
            write(&dynamic.kind, &dynamic.value, out)
        }
        _ => Err(expected(kind)),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), WireError> {
    length(text.len())?;
    io(rmp::encode::write_str(out, text))
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_of_every_kind_comes_back_as_it_was((kind, value) in arbitrary::kind_and_value(true)) {
            let bytes = encode(&kind, &value).unwrap();
            prop_assert_eq!(decode(&kind, &bytes).unwrap(), value);
        }

        #[test]
        fn no_bytes_panic(kind in arbitrary::kind(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&kind, &bytes);
        }

        #[test]
        fn no_damaged_value_panics((kind, value) in arbitrary::kind_and_value(true), at in any::<usize>(), byte in any::<u8>()) {
            let mut bytes = encode(&kind, &value).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decode(&kind, &bytes);
            let _ = decode(&kind, &bytes[..at]);
        }
    }

    #[test]
    fn refined_unknown_values_are_unknown() {
        // Extension 12 with the map {1: false}: unknown, but not null.
        assert_eq!(decode(&Kind::String, &[0xc7, 3, 12, 0x81, 1, 0xc2]).unwrap(), Value::Unknown);
        assert_eq!(decode(&Kind::Bool, &[0xd4, 0, 0]).unwrap(), Value::Unknown);
    }

    #[test]
    fn numbers_travel_as_what_holds_them_exactly() {
        let bytes = |text: &str| encode(&Kind::Number, &Value::Number(Number::parse(text).unwrap())).unwrap();
        assert_eq!(bytes("7"), [7]);
        assert_eq!(bytes("0.5")[0], 0xcb);
        assert_eq!(&bytes("0.1")[1..], b"0.1");
        assert_eq!(&bytes("12345678901234567890123.5")[1..], b"12345678901234567890123.5");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_path() {
        let kind = arbitrary::object(vec![(Kind::List(Box::new(Kind::Bool)), Default::default())]);
        let error = decode(&kind, b"\x81\xa5alpha\x92\xc3\x05").unwrap_err();
        assert_eq!(error.to_string(), "`alpha[1]`: not a bool");
    }

    #[test]
    fn announced_items_cost_nothing() {
        let error = decode(&Kind::List(Box::new(Kind::Bool)), &[0xdd, 0xff, 0xff, 0xff, 0xff]).unwrap_err();
        assert_eq!(error.to_string(), "`[0]`: 1 bytes announced, 0 there");
    }

    fn dynamic(kind: Kind, value: Value) -> Value {
        Value::Dynamic(Box::new(Dynamic { kind, value }))
    }

    #[test]
    fn a_dynamic_value_brings_its_type() {
        let one = dynamic(Kind::String, "a".into());
        let bytes = encode(&Kind::Dynamic, &one).unwrap();
        assert_eq!(bytes, b"\x92\xc4\x08\"string\"\xa1a");
        assert_eq!(decode(&Kind::Dynamic, &bytes).unwrap(), one);
        // A type without a value, and a value of which nothing is known.
        let typed_null = dynamic(Kind::String, Value::Null);
        assert_eq!(decode(&Kind::Dynamic, b"\x92\xc4\x08\"string\"\xc0").unwrap(), typed_null);
        assert!(typed_null.is_null() && typed_null != Value::Null);
        assert_eq!(decode(&Kind::Dynamic, &[0xd4, 0, 0]).unwrap(), Value::Unknown);
        assert!(decode(&Kind::Dynamic, b"\x92\xc4\x08\"string\"\xd4\0\0").unwrap().is_unknown());
        for bad in
            [&b"\x91\xc4\x08\"string\""[..], b"\x92\xc4\x08\"string\"\x01", b"\x92\x01\x01", b"\x93\xc4\x08\"string\"\xa1a\xa1a"]
        {
            assert!(decode(&Kind::Dynamic, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn types_inside_types_end() {
        let wrapped = |inner: &[u8]| [b"\x92\xc4\x12[\"list\",\"dynamic\"]\x91", inner].concat();
        assert!(decode(&Kind::Dynamic, &wrapped(&[0xc0])).is_ok());
        let error = decode(&Kind::Dynamic, &wrapped(&wrapped(&[0xc0]))).unwrap_err();
        assert!(error.to_string().contains("a type inside a value that has its type"), "{error}");
    }

    #[test]
    fn twenty_megabytes_are_a_value_like_any_other() {
        let begun = std::time::Instant::now();
        let kind = Kind::Map(Box::new(Kind::List(Box::new(Kind::String))));
        let items = Value::List((0..1000).map(|i| Value::from(format!("{i:0>1000}"))).collect());
        let value = Value::Map((0..20).map(|i| (i.to_string(), items.clone())).collect());
        let bytes = encode(&kind, &value).unwrap();
        assert!(bytes.len() > 20_000_000);
        assert_eq!(decode(&kind, &bytes).unwrap(), value);
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
