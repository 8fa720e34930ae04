//! A plan as `show -json` prints it, and what differs in it, named. Pure.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// What a plan would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One for each resource, `no-op` ones too.
    pub changes: Vec<Change>,
    /// What a refresh found changed outside.
    pub drift: Vec<Change>,
    /// The outputs that would change, by name.
    pub outputs: Vec<String>,
    /// The whole document.
    pub json: Value,
}

/// What would happen to one resource.
#[derive(Clone, Debug)]
pub struct Change {
    /// `kafkastack_topic.test1`.
    pub address: String,
    /// `["no-op"]`, `["create"]`, `["delete", "create"]`, ...
    pub actions: Vec<String>,
    /// Null for a create.
    pub before: Value,
    /// Null for a delete; unknown parts are missing.
    pub after: Value,
    /// `true` in the place of each unknown value.
    pub after_unknown: Value,
    /// The attributes that make it a replacement.
    pub replace_paths: Value,
    /// The id that it is imported by; empty where it is not.
    pub importing: String,
}

impl Plan {
    /// Reads what `show -json` printed.
    pub fn parse(json: Value) -> Self {
        let list = |name: &str| json[name].as_array().into_iter().flatten().map(Change::parse).collect();
        let outputs = json["output_changes"].as_object().into_iter().flatten();
        let changed = outputs.filter(|(_, change)| change["actions"] != serde_json::json!(["no-op"]));
        Self {
            changes: list("resource_changes"),
            drift: list("resource_drift"),
            outputs: changed.map(|(name, _)| name.clone()).collect(),
            json: json.clone(),
        }
    }

    /// The change of one resource.
    ///
    /// # Panics
    /// When the plan does not have it.
    pub fn change(&self, address: &str) -> &Change {
        let found = self.changes.iter().find(|change| change.address == address);
        found.unwrap_or_else(|| panic!("no {address} in the plan:\n{self}"))
    }

    /// Whether an apply would do nothing.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.changes.iter().all(Change::is_no_op)
    }

    /// # Panics
    /// When an apply would do something, or a refresh found something: names the attributes.
    pub fn assert_empty(&self, when: &str) {
        assert!(self.is_empty() && self.drift.is_empty(), "{when}: not an empty plan:\n{self}");
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in self.changes.iter().filter(|change| !change.is_no_op()) {
            write!(f, "{change}")?;
        }
        for drift in &self.drift {
            write!(f, "changed outside: {drift}")?;
        }
        self.outputs.iter().try_for_each(|name| writeln!(f, "output {name}"))
    }
}

impl Change {
    fn parse(json: &Value) -> Self {
        let change = &json["change"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            address: text(&json["address"]),
            actions: change["actions"].as_array().into_iter().flatten().map(text).collect(),
            before: change["before"].clone(),
            after: change["after"].clone(),
            after_unknown: change["after_unknown"].clone(),
            replace_paths: change["replace_paths"].clone(),
            importing: text(&change["importing"]["id"]),
        }
    }

    /// Whether nothing happens to it.
    pub fn is_no_op(&self) -> bool {
        self.actions == ["no-op"]
    }

    /// The attributes that differ, as `config.retention: "1" -> "2"`; unknown ones as `(known after apply)`.
    pub fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        compare("", &self.before, &self.after, &self.after_unknown, &mut found);
        found
    }

    /// Their names alone, in order.
    pub fn changed_attributes(&self) -> Vec<String> {
        self.differences().iter().filter_map(|line| line.split_once(": ")).map(|(path, _)| path.to_owned()).collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.actions.join("+"), self.address)?;
        self.differences().iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

fn compare(path: &str, before: &Value, after: &Value, unknown: &Value, found: &mut Vec<String>) {
    let part = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (before, after) {
        _ if unknown == &Value::Bool(true) => found.push(format!("{path}: {before} -> (known after apply)")),
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<_> =
                old.keys().chain(new.keys()).chain(unknown.as_object().into_iter().flat_map(Map::keys)).collect();
            let value = |object: &Map<String, Value>, name| object.get(name).cloned().unwrap_or_default();
            for name in names {
                compare(&part(name), &value(old, name), &value(new, name), &unknown[name.as_str()], found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&part(&index.to_string()), old, new, &unknown[index], found);
            }
        }
        _ if before != after => found.push(format!("{path}: {before} -> {after}")),
        _ => {}
    }
}

#[test]
fn a_plan_names_each_attribute_that_differs() {
    let plan = Plan::parse(serde_json::json!({"resource_changes": [
        {"address": "a.b", "change": {"actions": ["update"],
            "before": {"same": 1, "config": {"x": "1", "gone": true}, "list": [1, 2], "grown": [1]},
            "after": {"same": 1, "config": {"x": "2"}, "list": [1, 3], "grown": [1, 2]},
            "after_unknown": {"id": true, "config": {}}}},
        {"address": "a.c", "change": {"actions": ["no-op"], "before": {}, "after": {}, "after_unknown": {}}}]}));
    assert!(!plan.is_empty());
    assert_eq!(plan.change("a.b").changed_attributes(), ["config.gone", "config.x", "grown", "id", "list.1"]);
    assert!(plan.to_string().contains("config.x: \"1\" -> \"2\""), "{plan}");
    assert!(!plan.to_string().contains("a.c"), "{plan}");
}
