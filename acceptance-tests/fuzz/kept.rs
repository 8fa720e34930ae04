//! The fuzz targets over every input that was kept, and over hostile ones of one mebibyte: no panic, no more than 64 MiB.
//! Files only.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

mod targets;

const MEBIBYTE: usize = 1 << 20;
/// For one input, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
type Target = (&'static str, fn(&[u8]));
const TARGETS: [Target; 5] = [
    ("msgpack", targets::msgpack),
    ("json", targets::json),
    ("types", targets::types),
    ("identity", targets::identity),
    ("path", targets::path),
];

/// One test at a time, for the memory is the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hostile(name: &str, target: fn(&[u8]), input: &[u8]) {
    let begin = Instant::now();
    target(input);
    eprintln!("{name}: {:?}", begin.elapsed());
    assert!(begin.elapsed() < PATIENCE, "{name}: {:?}", begin.elapsed());
}

#[test]
fn every_kept_input_passes() {
    let _alone = alone();
    for (name, target) in TARGETS {
        let file = format!("{}/acceptance-tests/fuzz/corpus/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        let kept = std::fs::read_to_string(&file).expect(&file);
        assert!(kept.lines().count() > 20, "{file}");
        for input in kept.lines() {
            target(&STANDARD.decode(input).expect(input));
        }
    }
}

/// `head`, and then `item` until a mebibyte is full.
fn full(head: &[u8], item: &[u8]) -> Vec<u8> {
    let count = (MEBIBYTE - head.len()) / item.len();
    [head, &item.repeat(count)].concat()
}

/// A msgpack list or map of `marker` (array32 or map32) with as many items as there is room for.
fn announced(kind: u8, marker: u8, item: &[u8]) -> Vec<u8> {
    let count = u32::try_from((MEBIBYTE - 6) / item.len()).unwrap();
    full(&[&[kind, marker][..], &count.to_be_bytes()].concat(), item)
}

/// `!` for the start of a text of five bytes, `^` for null.
fn packed(byte: u8) -> u8 {
    match byte {
        b'!' => 0xa5,
        b'^' => 0xc0,
        other => other,
    }
}

fn json_list(kind: u8, item: &str) -> Vec<u8> {
    text(&format!("{}[", char::from(kind)), &format!("{item},"), "]")
}

/// `head`, as many of `item` as there is room for, the last without its comma, and `tail`.
fn text(head: &str, item: &str, tail: &str) -> Vec<u8> {
    let mut text = full(head.as_bytes(), item.as_bytes());
    text.pop();
    text.extend_from_slice(tail.as_bytes());
    text
}

#[test]
fn a_hostile_mebibyte_takes_at_most_64_mib_as_msgpack() {
    let _alone = alone();
    let (list, map) = (0xdd, 0xdf);
    let subnormal = [&[0xcb][..], &f64::from_bits(1).to_be_bytes()].concat();
    let part = b"\x82\xa3key\xc0\xa5count\xc0";
    let unlike: Vec<u8> = (0..100_000).flat_map(|i| format!("!{i:05}^").into_bytes()).map(packed).collect();
    let text =
        |head: &[u8]| full(&[head, &[0xdb], &u32::try_from(MEBIBYTE - head.len() - 5).unwrap().to_be_bytes()].concat(), b"a");
    for (name, input) in [
        ("nulls", announced(1, list, &[0xc0])),
        ("subnormal floats", announced(1, list, &subnormal)),
        ("far exponents", announced(1, list, b"\xa71e10000")),
        ("near exponents", announced(1, list, b"\xa61e-999")),
        ("long numbers", announced(1, list, &[b"\xda\x4d\x00", &b"7".repeat(0x4d00)[..]].concat())),
        ("empty sets", announced(2, list, &[0x90])),
        ("sets of numbers", announced(2, list, b"\x9f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")),
        ("two sets", [&[2, 0x92][..], &[&announced(2, list, &[7])[1..MEBIBYTE / 2], &[]].concat()].concat()),
        ("maps of one entry", announced(5, list, b"\x81\xa1a\xc0")),
        ("maps of an empty key", announced(5, list, b"\x81\xa0\xc0")),
        ("objects", announced(4, list, part)),
        ("lists of lists", announced(6, list, &[0x91, 0x90])),
        ("lists of lists of lists", announced(6, list, &[0x91, 0x91, 0xc0])),
        ("one long text", text(b"\x05\x91\x81\xa1a")),
        ("an unknown attribute of a long name", text(&[0, 0x81])),
        ("a key twice", announced(3, map, b"\xa1a\xc0")),
        ("many keys", [&[3, map, 0, 1, 0x86, 0xa0][..], &unlike].concat()),
        ("announced and not there", full(&[3, map, 0xff, 0xff, 0xff, 0xff], &[0xdb])),
    ] {
        hostile(name, targets::msgpack, &input);
    }
}

#[test]
fn a_hostile_mebibyte_takes_at_most_64_mib_as_json() {
    let _alone = alone();
    let mut keys = String::from("\u{3}{");
    (0..100_000).for_each(|i| write!(keys, "\"{i}\":[],").unwrap());
    for (name, input) in [
        ("nulls", json_list(1, "null")),
        ("digits", json_list(1, "1")),
        ("far exponents", json_list(1, "1e10000")),
        ("near exponents", json_list(1, "1e-999")),
        ("long numbers", json_list(1, &"7".repeat(19_800))),
        ("one longer number", full(&[7], b"7")),
        ("empty objects", json_list(4, "{}")),
        ("maps of one entry", json_list(5, "{\"\":null}")),
        ("empty sets", json_list(2, "[]")),
        ("lists of lists", json_list(6, "[[]]")),
        ("an attribute in every spelling", full(&[4, b'[', b'{'], b"\"\\u0061\":1,")),
        ("many keys", [keys.trim_end_matches(',').as_bytes(), b"}"].concat()),
        ("opened and never closed", full(&[6], b"[")),
        ("objects that are never closed", full(&[0], b"{\"a\":")),
        ("escaped text", [&full(&[0, b'{', b'"', b'a', b'"', b':', b'"'], b"\\u0000")[..], b"\"}"].concat()),
    ] {
        hostile(name, targets::json, &input);
    }
}

#[test]
fn a_hostile_mebibyte_takes_at_most_64_mib_as_a_type() {
    let _alone = alone();
    let mut unlike = String::from("[\"object\",{");
    (0..70_000).for_each(|i| write!(unlike, "\"{i}\":\"bool\",").unwrap());
    for (name, input) in [
        ("bools", text("[\"tuple\",[", "\"bool\",", "]]")),
        ("empty tuples", text("[\"tuple\",[", "[\"tuple\",[]],", "]]")),
        ("tuples of one", text("[\"tuple\",[", "[\"tuple\",[\"bool\"]],", "]]")),
        ("lists", text("[\"tuple\",[", "[\"list\",\"bool\"],", "]]")),
        ("objects of one", text("[\"tuple\",[", "[\"object\",{\"\":\"bool\"}],", "]]")),
        ("many attributes", [unlike.trim_end_matches(',').as_bytes(), b"}]"].concat()),
        ("one attribute again and again", text("[\"object\",{", "\"a\":\"bool\",", "}]")),
        ("maps that are no types", text("[\"tuple\",[", "{\"\":{}},", "]]")),
        ("optional attributes", text("[\"object\",{},[", "{\"\":{}},", "]]")),
        ("opened and never closed", full(b"", b"[\"list\",")),
        ("one long name", text("[\"", "a,", "\"]")),
    ] {
        hostile(name, targets::types, &input);
        // The same as the type of a value: of none, and of as much as there is room for.
        let size = u32::try_from(input.len()).unwrap().to_be_bytes();
        hostile(name, targets::msgpack, &[&[8, 0x92, 0xc6], &size[..], &input, &[0xc0]].concat());
    }
}

#[test]
fn a_hostile_mebibyte_takes_at_most_64_mib_as_an_identity() {
    let _alone = alone();
    let long = u32::try_from(MEBIBYTE - 20).unwrap().to_be_bytes();
    for (name, input) in [
        ("one long name", full(&[&[0, 0x81, 0xa4][..], b"name", &[0xdb], &long].concat(), b"a")),
        ("a number of a far exponent", [&[0, 0x81, 0xa6][..], b"number", b"\xa71e10000"].concat()),
        ("a long number", [&[0, 0x81, 0xa6][..], b"number", b"\xda\x4d\x00", &[b'7'; 0x4d00]].concat()),
        ("a long stored number", text("\u{1}{\"number\":", "7", "7}")),
        ("a name in every spelling", text("\u{1}{", "\"\\u006eame\":\"\",", "}")),
        ("parts that there are not", text("\u{1}{", "\"a\":{\"\":{}},", "}")),
        ("escaped text", text("\u{1}{\"name\":\"", "\\u0000", "0\"}")),
    ] {
        hostile(name, targets::identity, &input);
    }
}

#[test]
fn a_hostile_mebibyte_takes_at_most_64_mib_as_a_path() {
    let _alone = alone();
    for (name, input) in [
        ("steps of nothing", full(&[], &[0x0a, 0x00])),
        ("attributes without a name", full(&[], &[0x0a, 0x02, 0x0a, 0x00])),
        ("indices", full(&[], &[0x0a, 0x02, 0x18, 0x07])),
        ("one key of quotes", full(&[0x0a, 0xfc, 0xff, 0x3f, 0x12, 0xf8, 0xff, 0x3f], b"\"")),
    ] {
        hostile(name, targets::path, &input);
    }
}
