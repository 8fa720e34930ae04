//! Checks of single values, offline: each says what is allowed; the attribute's path is added by the caller.

use crate::kubernetes::quantity;
use crate::plugin::value::Value;
use std::cmp::Ordering;

type Checked = Result<(), String>;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// One of a few words.
pub fn one_of(value: &Value, allowed: &[&str]) -> Checked {
    let text = text(value);
    if allowed.contains(&text) { Ok(()) } else { Err(format!("{text:?} is not one of {}.", allowed.join(", "))) }
}

/// A whole number of at least 1.
pub fn positive(value: &Value) -> Checked {
    at_least(value, 1)
}

/// A whole number of at least 0.
pub fn not_negative(value: &Value) -> Checked {
    at_least(value, 0)
}

fn at_least(value: &Value, least: i64) -> Checked {
    match whole(value) {
        Some(n) if n >= least && n <= i64::from(i32::MAX) => Ok(()),
        Some(n) => Err(format!("{n} is not between {least} and {}.", i32::MAX)),
        None => Err("it has to be a whole number.".to_owned()),
    }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// An RFC 1123 label, as names of namespaces and pods are.
pub fn dns_label(value: &Value) -> Checked {
    let text = text(value);
    if is_label(text) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a Kubernetes name: 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit."
    ))
}

/// An RFC 1123 subdomain, as names of StorageClasses and volumes are.
pub fn dns_subdomain(value: &Value) -> Checked {
    let text = text(value);
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a Kubernetes name: labels of lower-case letters, digits and `-`, with `.` between them, at most 253 characters."
    ))
}

/// The name of an ensemble or cluster: a Service name (RFC 1035) that leaves room for `-headless` and `-kafkastack`, and
/// for the hash that the StatefulSet controller adds to the name of a revision.
pub fn workload_name(value: &Value) -> Checked {
    let text = text(value);
    if is_label(text) && text.len() <= 45 && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not a usable name: at most 45 lower-case letters, digits and `-`, beginning with a letter and ending with a letter or digit."
    ))
}

/// A Kubernetes quantity greater than 0.
pub fn quantity(value: &Value) -> Checked {
    quantity_text(text(value))
}

fn quantity_text(text: &str) -> Checked {
    match quantity::compare(text, "0") {
        Ok(Ordering::Greater) => Ok(()),
        _ => Err(format!("{text:?} is not a positive Kubernetes quantity such as 40Gi, 500m or 2.")),
    }
}

/// A map of quantities.
pub fn quantities(value: &Value) -> Checked {
    let Value::Map(entries) = value else { return Ok(()) };
    entries.iter().try_for_each(|(key, value)| quantity_text(text(value)).map_err(|why| format!("{key}: {why}")))
}

/// Whether two quantities are the same amount: `1Gi` and `1024Mi`.
pub fn same_quantity(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a == b || quantity::same(a, b),
        _ => a == b,
    }
}

/// Whether two maps of quantities are the same amounts.
pub fn same_quantities(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_quantity(value, other)))
        }
        _ => a == b,
    }
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
pub fn heap(value: &Value) -> Checked {
    match heap_bytes(text(value)) {
        Some(bytes) if bytes >= 64 << 20 => Ok(()),
        Some(_) => Err(format!("{:?} is less than 64m, too little to start.", text(value))),
        None => Err(format!("{:?} is not a JVM heap size such as 512m or 2G.", text(value))),
    }
}

/// Whether two heap sizes are the same: `1G` and `1024m`.
pub fn same_heap(a: &Value, b: &Value) -> bool {
    a == b || matches!((heap_bytes(text(a)), heap_bytes(text(b))), (Some(a), Some(b)) if a == b)
}

/// A JSON object.
pub fn json_object(value: &Value) -> Checked {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text(value)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it is not a JSON object: {error}.")),
    }
}

/// Whether two texts are the same JSON.
pub fn same_json(a: &Value, b: &Value) -> bool {
    let parse = |value: &Value| serde_json::from_str::<serde_json::Value>(text(value)).ok();
    a == b || matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
}

/// What the provider's own labels and annotations begin with.
pub const OWN_PREFIX: &str = "terraform-provider-kafkastack/";

/// Labels or annotations that a user may add: none that the provider sets itself.
pub fn labels(value: &Value) -> Checked {
    let Value::Map(entries) = value else { return Ok(()) };
    const OWN: [&str; 4] =
        ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", "app.kubernetes.io/managed-by"];
    match entries.keys().find(|key| OWN.contains(&key.as_str()) || key.starts_with(OWN_PREFIX)) {
        Some(key) => Err(format!("{key:?} is set by the provider; choose another key.")),
        None => Ok(()),
    }
}

/// Keys and values of a properties file: no line breaks, which would add settings of their own.
pub fn properties(value: &Value) -> Checked {
    let Value::Map(entries) = value else { return Ok(()) };
    for (key, value) in entries {
        let bad_key = key.is_empty() || key.contains(|c: char| c.is_whitespace() || c.is_control() || "=:#!\\".contains(c));
        if bad_key {
            return Err(format!("{key:?} is not the name of a setting."));
        }
        if text(value).contains(|c: char| c.is_control()) {
            return Err(format!("the value of {key:?} has a control character or a line break."));
        }
    }
    Ok(())
}

/// A container image.
pub fn image(value: &Value) -> Checked {
    let text = text(value);
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
            assert_eq!(workload_name(&Value::from(good)), Ok(()));
        }
        for bad in ["", "Kafka", "-a", "a-", "2a", "a.b", "a_b", "ä", &"a".repeat(46)] {
            assert!(workload_name(&Value::from(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(dns_subdomain(&Value::from("fast.disks-2")), Ok(()));
    }

    #[test]
    fn heap_sizes_are_compared_by_their_bytes() {
        assert!(same_heap(&Value::from("1G"), &Value::from("1024m")));
        assert!(!same_heap(&Value::from("1G"), &Value::from("1000m")));
        assert!(heap(&Value::from("2 G")).is_err());
        assert!(heap(&Value::from("1m")).is_err());
        assert_eq!(heap_bytes("99999999999999G"), None);
    }

    #[test]
    fn a_line_break_cannot_smuggle_in_a_setting() {
        let config = Value::Map([("a".to_owned(), Value::from("1\nzookeeper.connect=evil"))].into());
        assert!(properties(&config).is_err());
    }
}
