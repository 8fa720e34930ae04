//! Who owns which field: server-side apply on JSON. Pure.

use crate::kubernetes::difference::{key_value, keys, spell};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What belongs to the server.
const OF_THE_SERVER: [&str; 9] = [
    ".apiVersion",
    ".kind",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.uid",
    ".metadata.resourceVersion",
    ".metadata.generation",
    ".metadata.creationTimestamp",
    ".status",
];

/// The fields of one object by manager. A manager of a subresource is spelled `kubectl" with subresource "scale`. Who applies
/// and who updates are two managers even when they have one name, as on a real server.
#[derive(Clone, Default)]
pub struct Owners(BTreeMap<Manager, BTreeSet<String>>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Manager {
    Applies(String),
    Updates(String),
}

impl Manager {
    fn name(&self) -> &String {
        let (Manager::Applies(name) | Manager::Updates(name)) = self;
        name
    }
}

/// A field, the manager that it belongs to, and whether that one updates (its API version is named then).
pub type Conflict = (String, String, bool);

impl Owners {
    /// The fields of one manager.
    pub fn of(&self, manager: &str) -> BTreeSet<String> {
        let named = self.0.iter().filter(|(other, _)| other.name() == manager);
        named.flat_map(|(_, fields)| fields.iter().cloned()).collect()
    }

    /// A plain write: what it changed is the manager's now.
    pub fn update(&mut self, manager: &str, before: &Value, after: &Value) {
        let (before, after) = (leaves(before), leaves(after));
        for fields in self.0.values_mut() {
            fields.retain(|path| after.contains_key(path) && before.get(path) == after.get(path));
        }
        let changed = after.into_iter().filter(|(path, value)| before.get(path) != Some(value));
        self.0.entry(Manager::Updates(manager.to_owned())).or_default().extend(changed.map(|(path, _)| path));
    }

    /// Server-side apply onto `live`: the new content, or the conflicts.
    pub fn apply(&mut self, manager: &str, live: &Value, wanted: &Value, force: bool) -> Result<Value, Vec<Conflict>> {
        let (there, asked) = (leaves(live), leaves(wanted));
        let manager = Manager::Applies(manager.to_owned());
        let differs = |path: &String| there.get(path).is_some_and(|value| asked.get(path) != Some(value));
        let conflicts: Vec<(String, Manager)> = (self.0.iter().filter(|(other, _)| **other != manager))
            .flat_map(|(other, fields)| fields.iter().map(move |path| (path.clone(), other.clone())))
            .filter(|(path, _)| asked.contains_key(path) && differs(path))
            .collect();
        if !conflicts.is_empty() && !force {
            return Err(conflicts
                .into_iter()
                .map(|(path, other)| (path, other.name().clone(), matches!(other, Manager::Updates(_))))
                .collect());
        }
        for (path, other) in &conflicts {
            self.0.get_mut(other).unwrap().remove(path);
        }
        let mine: BTreeSet<String> = asked.into_keys().collect();
        let before = self.0.insert(manager.clone(), mine.clone()).unwrap_or_default();
        let others: BTreeSet<&String> = self.0.iter().filter(|(other, _)| **other != manager).flat_map(|(_, f)| f).collect();
        let gone = before.into_iter().filter(|path| !mine.contains(path) && !others.contains(path)).collect();
        let mut result = live.clone();
        prune(&mut result, "", "", &gone);
        merge(&mut result, wanted, "");
        Ok(result)
    }
}

/// The leaves that can be owned, by path. A list without keys is one leaf; what belongs to the server is none.
fn leaves(object: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    collect(object, "", "", &mut found);
    found
}

fn collect<'a>(value: &'a Value, path: &str, field: &str, found: &mut BTreeMap<String, &'a Value>) {
    match value {
        _ if OF_THE_SERVER.contains(&path) => {}
        Value::Null => {}
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                collect(value, &format!("{path}.{name}"), name, found);
            }
        }
        Value::Array(list) => match keys(field, list) {
            Some(keys) => {
                for entry in list {
                    collect(entry, &format!("{path}[{}]", spell(keys, entry)), "", found);
                }
            }
            None => {
                found.insert(path.to_owned(), value);
            }
        },
        leaf => {
            found.insert(path.to_owned(), leaf);
        }
    }
}

fn merge(live: &mut Value, wanted: &Value, field: &str) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (name, value) in wanted {
                merge(live.entry(name.clone()).or_insert(Value::Null), value, name);
            }
        }
        (Value::Array(live), Value::Array(wanted)) if keys(field, wanted).is_some() => {
            let keys = keys(field, wanted).unwrap();
            for value in wanted {
                let same = |entry: &Value| keys.iter().all(|key| key_value(key, entry) == key_value(key, value));
                match live.iter().position(same) {
                    Some(index) => merge(&mut live[index], value, ""),
                    None => live.push(value.clone()),
                }
            }
        }
        (_, Value::Null) => {}
        (live, wanted) => *live = wanted.clone(),
    }
}

/// Removes the leaves at these paths, and what is empty then.
fn prune(value: &mut Value, path: &str, field: &str, gone: &BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let old = std::mem::take(map);
            *map = old
                .into_iter()
                .filter_map(|(name, value)| keep(value, format!("{path}.{name}"), &name, gone).map(|v| (name, v)))
                .collect();
        }
        Value::Array(list) => {
            let Some(keys) = keys(field, list) else { return };
            let old = std::mem::take(list);
            *list = old
                .into_iter()
                .filter_map(|e| {
                    let p = format!("{path}[{}]", spell(keys, &e));
                    keep(e, p, "", gone)
                })
                .collect();
        }
        _ => {}
    }
}

fn keep(mut value: Value, path: String, field: &str, gone: &BTreeSet<String>) -> Option<Value> {
    if gone.contains(&path) {
        return None;
    }
    let empty =
        |value: &Value| matches!(value, Value::Object(map) if map.is_empty()) || matches!(value, Value::Array(l) if l.is_empty());
    let was_empty = empty(&value);
    prune(&mut value, &path, field, gone);
    (was_empty || !empty(&value)).then_some(value)
}
