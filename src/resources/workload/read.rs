//! Live objects -> state. What differs from what was applied is shown on the attribute that it is about, and in
//! `objects` by its field; what the server adds by itself is no drift.

use super::role::{Role, Templates};
use super::{Seen, Spec, template};
use crate::kubernetes::difference::differences;
use crate::kubernetes::object::{self, Kind, Object};
use crate::plugin::model::Attr;
use crate::resources::owned::converge::{Live, covers};
use crate::resources::owned::drift::{label, shown};
use crate::stack::names::is_configuration;
use serde_json::Value;
use std::collections::BTreeMap;

/// State, from what was applied and what is there. `left`: the pods' templates as our last write left them. `settled`: the anchor
/// says that the last apply came to its end.
pub fn state<M: Spec>(applied: &M, live: &Live, left: &Templates, settled: bool) -> M {
    let mut state = applied.clone();
    let (wanted, roles) = (applied.objects(), applied.roles());
    let mut objects = BTreeMap::new();
    for object in &wanted {
        let Some(live) = live.get(&object.key()).and_then(Option::as_ref) else { continue };
        let mut fields = differences(object.json(), live.json());
        if let (Kind::StatefulSet, Some(left)) = (object.kind(), left.get(object.name())) {
            let foreign = template::foreign_fields(left, template::of(live));
            let more: Vec<String> = foreign.into_iter().filter(|field| !covers(&fields, field)).collect();
            fields.extend(more);
        }
        objects.insert(label(object), shown(object, &fields));
        attribute_drift(&mut state, &roles, object, live);
    }
    let namespace = applied.namespace();
    let rolled_out = |role: &Role| live.get(&role.names.key(namespace)).and_then(Option::as_ref).is_some_and(is_rolled_out);
    let common = state.common_mut();
    common.ready = Attr::Known(settled && roles.iter().all(rolled_out));
    common.objects = Attr::Known(objects);
    state
}

/// Whether every pod of a StatefulSet is there, as wanted, and ready.
fn is_rolled_out(set: &Object) -> bool {
    let count = |pointer: &str| set.int(pointer).unwrap_or(0);
    let replicas = count("/spec/replicas");
    count("/status/observedGeneration") >= count("/metadata/generation")
        && count("/status/readyReplicas") == replicas
        // Not `currentRevision`: under OnDelete it stays what it was at first.
        && count("/status/updatedReplicas") == replicas
}

/// Carries what was changed by hand over to the attribute that sets it.
fn attribute_drift<M: Spec>(state: &mut M, roles: &[Role], wanted: &Object, live: &Object) {
    drift_of_map(&mut state.common_mut().labels, &live.labels());
    drift_of_map(&mut state.common_mut().annotations, &live.annotations());
    for (i, role) in roles.iter().enumerate() {
        drift_of_role(state.seen(i), role, wanted, live);
    }
}

/// The same for one set of pods, where the object is of it.
fn drift_of_role(seen: Seen<'_>, role: &Role, wanted: &Object, live: &Object) {
    match wanted.kind() {
        Kind::StatefulSet if wanted.name() == role.names.set => {
            if let Some(replicas) = live.int("/spec/replicas") {
                *seen.replicas = Attr::Known(replicas);
            }
            let of = |set: &Object, pointer: &str| {
                let containers = set.list("/spec/template/spec/containers").iter();
                let mut own = containers.filter(|container| container["name"] == role.container);
                own.next().map_or(Value::Null, |container| object::at(container, pointer).clone())
            };
            let changed = |pointer: &str| Some(of(live, pointer)).filter(|found| *found != of(wanted, pointer));
            if let Some(Value::String(image)) = changed("/image") {
                *seen.image = Attr::Known(image);
            }
            if let (Some(found), Some(resources)) = (changed("/resources"), seen.common.resources.known_mut()) {
                for (attribute, name) in [(&mut resources.requests, "requests"), (&mut resources.limits, "limits")] {
                    drift_of_quantities(attribute, found.get(name).unwrap_or(&Value::Null));
                }
            }
        }
        Kind::ConfigMap if is_configuration(wanted.name(), &role.names.set) => {
            let file = |object: &Object| properties(object.strings("/data").get(role.file).copied().unwrap_or_default());
            drift_of_config(seen.config, &file(wanted), &file(live));
        }
        _ => {}
    }
}

/// The entries that the configuration sets, with their live values; one that is gone is not there.
fn drift_of_map(attribute: &mut Attr<BTreeMap<String, String>>, live: &BTreeMap<&str, &str>) {
    let Some(entries) = attribute.known_mut() else { return };
    entries.retain(|key, value| match live.get(key.as_str()) {
        Some(found) => {
            *value = (*found).to_owned();
            true
        }
        None => false,
    });
}

fn drift_of_quantities(attribute: &mut Attr<BTreeMap<String, String>>, live: &Value) {
    let Some(entries) = attribute.known_mut() else { return };
    entries.retain(|key, value| {
        let Some(found) = live.get(key).and_then(Value::as_str) else { return false };
        if !crate::kubernetes::quantity::same(found, value) {
            found.clone_into(value);
        }
        true
    });
}

/// Settings that were changed, added or removed by hand.
fn drift_of_config(
    attribute: &mut Attr<BTreeMap<String, String>>,
    wanted: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) {
    if wanted == live {
        return;
    }
    let mut config = attribute.unwrap_or_default();
    for (key, value) in live {
        if wanted.get(key) != Some(value) {
            config.insert(key.clone(), value.clone());
        }
    }
    config.retain(|key, _| live.contains_key(key));
    if attribute.known().is_some_and(|before| *before != config) || (attribute.is_null() && !config.is_empty()) {
        *attribute = Attr::Known(config);
    }
}

/// `key=value` lines.
fn properties(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(k, v)| (k.trim().to_owned(), v.replace("\\\\", "\\"))).collect()
}
