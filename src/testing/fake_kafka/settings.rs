//! What a broker makes of a topic's settings: it keeps the text, and shows what it read in it, as Kafka prints that.

use super::answers::Refused;
use std::collections::BTreeMap;

/// How a setting is read (`ConfigDef.Type`), and how its values are called in refusals.
enum Type {
    Number(&'static str),
    Double,
    Boolean,
    List,
    Text,
}

/// Settings of a topic with Kafka's defaults; the last one is Confluent Server's.
const SETTINGS: &[(&str, &str, Type)] = &[
    ("cleanup.policy", "delete", Type::List),
    ("compression.type", "producer", Type::Text),
    ("flush.ms", "9223372036854775807", Type::Number("LONG")),
    ("leader.replication.throttled.replicas", "", Type::List),
    ("max.message.bytes", "1048588", Type::Number("INT")),
    ("min.cleanable.dirty.ratio", "0.5", Type::Double),
    ("min.insync.replicas", "1", Type::Number("INT")),
    ("preallocate", "false", Type::Boolean),
    ("retention.bytes", "-1", Type::Number("LONG")),
    ("retention.ms", "604800000", Type::Number("LONG")),
    ("segment.bytes", "1073741824", Type::Number("INT")),
    ("segment.ms", "604800000", Type::Number("LONG")),
    ("unclean.leader.election.enable", "false", Type::Boolean),
    ("confluent.value.schema.validation", "false", Type::Boolean),
];

/// The value as brokers print it, or what they find wrong.
fn shown(kind: &Type, text: &str) -> Result<String, String> {
    let text = text.trim();
    match kind {
        Type::Number(name) => {
            text.parse::<i64>().map(|number| number.to_string()).map_err(|_| format!("Not a number of type {name}"))
        }
        Type::Double => text.parse().map(java).map_err(|_| "Not a number of type DOUBLE".to_owned()),
        Type::Boolean => match text.to_ascii_lowercase() {
            text if text == "true" || text == "false" => Ok(text),
            _ => Err("Expected value to be either true or false".to_owned()),
        },
        Type::List => Ok(text.split(',').map(str::trim).collect::<Vec<_>>().join(",")),
        Type::Text => Ok(text.to_owned()),
    }
}

/// `Double.toString`.
fn java(number: f64) -> String {
    match number.abs() {
        size if size == 0.0 || (1e-3..1e7).contains(&size) => format!("{number:?}"),
        _ => {
            let text = format!("{number:E}");
            let (digits, exponent) = text.split_once('E').unwrap();
            if digits.contains('.') { text } else { format!("{digits}.0E{exponent}") }
        }
    }
}

/// Refuses what Kafka refuses.
pub fn check(configs: &BTreeMap<String, String>) -> Result<(), Refused> {
    for (key, value) in configs {
        let Some((_, _, kind)) = SETTINGS.iter().find(|(name, ..)| name == key) else {
            return Err((40, format!("Unknown topic config name: {key}")));
        };
        shown(kind, value).map_err(|why| (40, format!("Invalid value {value} for configuration {key}: {why}")))?;
    }
    Ok(())
}

/// (name, value, source number) of every setting, from the first of these layers that has it, or else the default.
pub fn describe(layers: &[(&BTreeMap<String, String>, i8)]) -> Vec<(&'static str, String, i8)> {
    let resolve = |(name, default, kind): &(&'static str, &str, Type)| {
        let set = layers.iter().find_map(|(layer, source)| Some((layer.get(*name)?.as_str(), *source)));
        let (value, source) = set.unwrap_or((default, 5));
        (*name, shown(kind, value).unwrap_or_else(|_| value.to_owned()), source)
    };
    SETTINGS.iter().map(resolve).collect()
}
