//! The settings of topics: their names, their types, and when two texts are one value. Pure.
//!
//! Brokers keep the text that they are given, and show what they read in it: `TRUE` comes back as `true`, `0.50` as `0.5`,
//! `compact, delete` as `compact,delete`. So texts are compared by what brokers read in them (`ConfigDef.parseType`).

/// How brokers read a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    /// An int or a long.
    Integer,
    Double,
    Boolean,
    List,
    Text,
}

/// What brokers read in a text. One that does not fit its type is no more than itself: they refuse it.
#[derive(Debug, PartialEq)]
enum Parsed<'a> {
    Integer(i64),
    Double(f64),
    Boolean(bool),
    List(Vec<&'a str>),
    Text(&'a str),
}

/// The settings that a topic has in some release of Kafka up to 4.1 (`TopicConfig`, `LogConfig`).
const KNOWN: &[(&str, Type)] = &[
    ("cleanup.policy", Type::List),
    ("compression.gzip.level", Type::Integer),
    ("compression.lz4.level", Type::Integer),
    ("compression.type", Type::Text),
    ("compression.zstd.level", Type::Integer),
    ("delete.retention.ms", Type::Integer),
    ("file.delete.delay.ms", Type::Integer),
    ("flush.messages", Type::Integer),
    ("flush.ms", Type::Integer),
    ("follower.replication.throttled.replicas", Type::List),
    ("index.interval.bytes", Type::Integer),
    ("leader.replication.throttled.replicas", Type::List),
    ("local.retention.bytes", Type::Integer),
    ("local.retention.ms", Type::Integer),
    ("max.compaction.lag.ms", Type::Integer),
    ("max.message.bytes", Type::Integer),
    ("message.downconversion.enable", Type::Boolean),
    ("message.format.version", Type::Text),
    ("message.timestamp.after.max.ms", Type::Integer),
    ("message.timestamp.before.max.ms", Type::Integer),
    ("message.timestamp.difference.max.ms", Type::Integer),
    ("message.timestamp.type", Type::Text),
    ("min.cleanable.dirty.ratio", Type::Double),
    ("min.compaction.lag.ms", Type::Integer),
    ("min.insync.replicas", Type::Integer),
    ("preallocate", Type::Boolean),
    ("remote.copy.disable", Type::Boolean),
    ("remote.log.copy.disable", Type::Boolean),
    ("remote.log.delete.on.disable", Type::Boolean),
    ("remote.storage.enable", Type::Boolean),
    ("retention.bytes", Type::Integer),
    ("retention.ms", Type::Integer),
    ("segment.bytes", Type::Integer),
    ("segment.index.bytes", Type::Integer),
    ("segment.jitter.ms", Type::Integer),
    ("segment.ms", Type::Integer),
    ("unclean.leader.election.enable", Type::Boolean),
];

/// A setting that is not known here, of a newer release or of another maker, is a text.
fn type_of(key: &str) -> Type {
    KNOWN.iter().find(|(known, _)| *known == key).map_or(Type::Text, |(_, kind)| *kind)
}

/// Java's `trim`: everything up to the blank goes.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

fn parse(kind: Type, text: &str) -> Parsed<'_> {
    let text = trimmed(text);
    let parsed = match kind {
        // Kafka's digits are also those of other scripts; who writes these, is told how brokers spell them.
        Type::Integer => text.parse().ok().map(Parsed::Integer),
        Type::Double => double(text).map(Parsed::Double),
        Type::Boolean => [true, false].into_iter().find(|b| text.eq_ignore_ascii_case(&b.to_string())).map(Parsed::Boolean),
        Type::List => Some(Parsed::List(items(text))),
        Type::Text => None,
    };
    parsed.unwrap_or(Parsed::Text(text))
}

/// Decimal numbers as `Double.parseDouble` reads them, with the letter that may end one in Java. No infinity, and nothing that
/// is not a number.
fn double(text: &str) -> Option<f64> {
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let decimal = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    decimal.then(|| number.parse().ok()).flatten()
}

/// Split on commas with what Java's `\s` means around them.
fn items(text: &str) -> Vec<&str> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r');
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim_matches(blank)).collect() }
}

/// Whether brokers read the same value in both texts.
pub fn same(key: &str, a: &str, b: &str) -> bool {
    let kind = type_of(key);
    parse(kind, a) == parse(kind, b)
}

/// What is sent to brokers for a text: a list without blanks, everything else as it is written.
///
/// Brokers take `0:1, 0:2` for throttled replicas, keep it so, and stop on the blank at their next start.
pub fn sent(key: &str, value: &str) -> String {
    match parse(type_of(key), value) {
        Parsed::List(items) => items.join(","),
        _ => value.to_owned(),
    }
}

/// For a setting that no known release has: the most similar one that there is, if one is similar at all.
///
/// `None`: the setting is known. Confluent Server's own are not told apart.
pub fn unknown(key: &str) -> Option<Option<&'static str>> {
    if KNOWN.iter().any(|(known, _)| *known == key) || key.starts_with("confluent.") {
        return None;
    }
    let similar = KNOWN.iter().map(|(known, _)| (distance(key, known), *known)).min();
    Some(similar.filter(|(distance, _)| *distance <= 4 && *distance * 3 <= key.len()).map(|(_, known)| known))
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut before = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(left != right)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            before = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_brokers_show_is_the_same_as_what_was_written() {
        for (key, written, shown) in [
            ("cleanup.policy", "compact, delete", "compact,delete"),
            ("cleanup.policy", "\tcompact ,\n delete ", "compact,delete"),
            ("leader.replication.throttled.replicas", "0:1, 0:2", "0:1,0:2"),
            ("follower.replication.throttled.replicas", " ", ""),
            ("min.cleanable.dirty.ratio", "0.50", "0.5"),
            ("min.cleanable.dirty.ratio", "5e-1", "0.5"),
            ("min.cleanable.dirty.ratio", "+.5f", "0.5"),
            ("min.cleanable.dirty.ratio", "1", "1.0"),
            ("min.cleanable.dirty.ratio", "0.0001", "1.0E-4"),
            ("preallocate", "TRUE", "true"),
            ("unclean.leader.election.enable", " False ", "false"),
            ("retention.ms", "0604800000", "604800000"),
            ("retention.ms", "+5", "5"),
            ("retention.bytes", "-01", "-1"),
            ("compression.type", " gzip ", "gzip"),
            ("confluent.placement.constraints", " {} ", "{}"),
        ] {
            assert!(same(key, written, shown), "{key}: {written:?}");
        }
    }

    #[test]
    fn other_values_and_what_brokers_would_refuse_are_not_the_same() {
        for (key, a, b) in [
            ("cleanup.policy", "compact,delete", "delete,compact"),
            ("cleanup.policy", "compact,", "compact"),
            ("cleanup.policy", "com pact", "compact"),
            ("min.cleanable.dirty.ratio", "0.5", "0.51"),
            ("min.cleanable.dirty.ratio", "inf", "Infinity"),
            ("preallocate", "yes", "true"),
            ("retention.ms", "1e6", "1000000"),
            ("retention.ms", "99999999999999999999", "099999999999999999999"),
            ("compression.type", "GZIP", "gzip"),
            ("confluent.value.schema.validation", "TRUE", "true"),
        ] {
            assert!(!same(key, a, b), "{key}: {a:?}");
        }
    }

    #[test]
    fn only_lists_are_sent_otherwise_than_they_are_written() {
        assert_eq!(sent("leader.replication.throttled.replicas", " 0:1 , 0:2"), "0:1,0:2");
        assert_eq!(sent("cleanup.policy", "compact,, delete"), "compact,,delete");
        for (key, value) in [("preallocate", " TRUE"), ("retention.ms", "+05"), ("compression.type", " gzip, x"), ("x.y", "a, b")]
        {
            assert_eq!(sent(key, value), value);
        }
    }

    #[test]
    fn a_misspelt_setting_brings_the_one_that_was_meant() {
        assert_eq!(unknown("retention.ms"), None);
        assert_eq!(unknown("confluent.tier.enable"), None);
        assert_eq!(unknown("retention.msec"), Some(Some("retention.ms")));
        assert_eq!(unknown("min.insync.replica"), Some(Some("min.insync.replicas")));
        assert_eq!(unknown("colour"), Some(None));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    fn key() -> impl Strategy<Value = &'static str> {
        prop_oneof![prop::sample::select(KNOWN).prop_map(|(key, _)| key), Just("a.newer.one")]
    }

    /// What people write for settings, and anything.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ \t]?[+-]?0{0,2}[0-9]{0,2}(\\.[0-9]{0,2})?(e-?[0-9])?f? ?",
            "[TtFf][RrAa][UuLl][EeSs]{1,2} ?",
            "[ ,ab\u{1c}\n]{0,8}",
            ".*"
        ]
    }

    proptest! {
        #[test]
        fn sameness_is_an_equivalence_and_every_text_is_the_same_as_itself(key in key(), a in value(), b in value(), c in value()) {
            prop_assert!(same(key, &a, &a));
            prop_assert_eq!(same(key, &a, &b), same(key, &b, &a));
            prop_assert!(!(same(key, &a, &b) && same(key, &b, &c)) || same(key, &a, &c));
        }

        #[test]
        fn what_is_sent_is_the_same_and_is_sent_only_so(key in key(), a in value()) {
            let once = sent(key, &a);
            prop_assert!(same(key, &a, &once));
            prop_assert_eq!(sent(key, &once), once.clone());
            prop_assert!(type_of(key) != Type::List || !once.contains(", ") && !once.contains(" ,"));
        }
    }
}
