//! Checks of single values, offline: each says what is allowed; the attribute's path is added by the caller.

use crate::kubernetes::quantity;
use crate::stack::names::Id;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Checked = Result<(), String>;
type Entries = BTreeMap<String, String>;

/// A whole number of at least 1.
pub fn positive(n: &i64) -> Checked {
    between(*n, 1, i64::from(i32::MAX))
}

/// A whole number of at least 0.
pub fn not_negative(n: &i64) -> Checked {
    between(*n, 0, i64::from(i32::MAX))
}

/// A whole number from `least` to `most`.
///
/// # Errors
/// What is allowed.
pub fn between(n: i64, least: i64, most: i64) -> Checked {
    if (least..=most).contains(&n) { Ok(()) } else { Err(format!("{n} is not between {least} and {most}.")) }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// An RFC 1123 label, as names of namespaces and pods are.
pub fn dns_label(text: &str) -> Checked {
    if is_label(text) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a Kubernetes name: 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit."
    ))
}

/// An RFC 1123 subdomain, as names of StorageClasses and volumes are.
pub fn dns_subdomain(text: &str) -> Checked {
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a Kubernetes name: labels of lower-case letters, digits and `-`, with `.` between them, at most 253 characters."
    ))
}

/// The name of an ensemble or cluster: a Service name (RFC 1035) that leaves room for `-headless` and `-kafkastack`, and
/// for the hash that the StatefulSet controller adds to the name of a revision.
pub fn workload_name(text: &str) -> Checked {
    if is_label(text) && text.len() <= 45 && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a usable name: at most 45 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit."
    ))
}

/// An id of a cluster or ensemble.
///
/// # Errors
/// What it should look like.
pub fn cluster_id(text: &str) -> Result<(), String> {
    match Id::parse(text) {
        Some(_) => Ok(()),
        None => Err(format!("{text:?} is not the id of a kafkastack_cluster, `namespace/name`.")),
    }
}

/// A Kubernetes quantity greater than 0.
pub fn quantity(text: &str) -> Checked {
    match quantity::compare(text, "0") {
        Ok(Ordering::Greater) => Ok(()),
        _ => Err(format!("{text:?} is not a positive Kubernetes quantity such as 40Gi, 500m or 2.")),
    }
}

/// A map of quantities.
pub fn quantities(entries: &Entries) -> Checked {
    entries.iter().try_for_each(|(key, value)| quantity(value).map_err(|why| format!("{key}: {why}")))
}

/// Whether two quantities are the same amount: `1Gi` and `1024Mi`.
pub fn same_quantity(a: &str, b: &str) -> bool {
    a == b || quantity::same(a, b)
}

/// Whether two maps of quantities are the same amounts.
pub fn same_quantities(a: &Entries, b: &Entries) -> bool {
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_quantity(value, other)))
}

/// A JVM heap size in bytes: `512m`, `2G`.
pub fn heap_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
    let shift = match text.strip_prefix(digits)? {
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "" => 0,
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A JVM heap size.
pub fn heap(text: &str) -> Checked {
    match heap_bytes(text) {
        Some(bytes) if bytes >= 64 << 20 => Ok(()),
        Some(_) => Err(format!("{text:?} is less than 64m, too little to start.")),
        None => Err(format!("{text:?} is not a JVM heap size such as 512m or 2G.")),
    }
}

/// Whether two heap sizes are the same: `1G` and `1024m`.
pub fn same_heap(a: &str, b: &str) -> bool {
    a == b || matches!((heap_bytes(a), heap_bytes(b)), (Some(a), Some(b)) if a == b)
}

/// A JSON object.
pub fn json_object(text: &str) -> Checked {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it is not a JSON object: {error}.")),
    }
}

/// Whether two texts are the same JSON.
pub fn same_json(a: &str, b: &str) -> bool {
    let parse = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    a == b || matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

/// What the provider's own labels and annotations begin with.
pub const OWN_PREFIX: &str = "terraform-provider-kafkastack/";

/// Labels or annotations that a user may add: none that the provider sets itself.
pub fn labels(entries: &Entries) -> Checked {
    const OWN: [&str; 4] =
        ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", "app.kubernetes.io/managed-by"];
    match entries.keys().find(|key| OWN.contains(&key.as_str()) || key.starts_with(OWN_PREFIX)) {
        Some(key) => Err(format!("{key:?} is set by the provider; choose another key.")),
        None => Ok(()),
    }
}

/// Keys and values of a properties file: no line breaks, which would add settings of their own.
pub fn properties(entries: &Entries) -> Checked {
    for (key, value) in entries {
        let bad_key = key.is_empty() || key.contains(|c: char| c.is_whitespace() || c.is_control() || "=:#!\\".contains(c));
        if bad_key {
            return Err(format!("{key:?} is not the name of a setting."));
        }
        if value.contains(|c: char| c.is_control()) {
            return Err(format!("the value of {key:?} has a control character or a line break."));
        }
    }
    Ok(())
}

/// A container image.
pub fn image(text: &str) -> Checked {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("{text:?} is not the name of an image."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_what_kubernetes_takes() {
        for good in ["kafka", "a", "my-kafka-2"] {
            assert_eq!(workload_name(good), Ok(()));
        }
        for bad in ["", "Kafka", "-a", "a-", "2a", "a.b", "a_b", "ä", &"a".repeat(46)] {
            assert!(workload_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(dns_subdomain("fast.disks-2"), Ok(()));
    }

    #[test]
    fn heap_sizes_are_compared_by_their_bytes() {
        assert!(same_heap("1G", "1024m"));
        assert!(!same_heap("1G", "1000m"));
        assert!(heap("2 G").is_err());
        assert!(heap("1m").is_err());
        assert_eq!(heap_bytes("99999999999999G"), None);
    }

    #[test]
    fn a_line_break_cannot_smuggle_in_a_setting() {
        let config = [("a".to_owned(), "1\nzookeeper.connect=evil".to_owned())].into();
        assert!(properties(&config).is_err());
    }

    #[test]
    fn a_cluster_is_named_by_its_id() {
        assert_eq!(cluster_id("prod/kafka"), Ok(()));
        for bad in ["kafka", "/kafka", "prod/", "a/b/c"] {
            assert!(cluster_id(bad).is_err(), "{bad}");
        }
    }
}
