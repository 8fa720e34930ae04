//! Live objects -> state of a storage: drift on the attribute that it is about, and in `objects` by its fields. Pure.

use super::objects::{anchor, objects};
use super::schema::{BindingMode, DEFAULT_CLASS, ReclaimPolicy, Storage};
use crate::kubernetes::difference::differences;
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::model::Attr;
use crate::resources::owned::converge::Live;
use crate::resources::owned::drift::{label, shown};
use std::collections::BTreeMap;

/// What `objects` says of a volume that is no longer wanted: a change made it, and was cut off.
const NOT_WANTED: &str = "not wanted";

/// State, from what was applied and what is there.
pub fn state(applied: &Storage, live: &Live) -> Storage {
    let mut state = applied.clone();
    let mut told = BTreeMap::new();
    for object in objects(applied) {
        let Some(live) = live.get(&object.key()).and_then(Option::as_ref) else { continue };
        let mut fields = differences(object.json(), live.json());
        if object.kind() == Kind::StorageClass {
            class_drift(&mut state, live);
            if anchor(live).is_none() {
                fields.push(".metadata.annotations".to_owned());
            }
        }
        told.insert(label(&object), shown(&object, &fields));
    }
    let wanted = objects(applied);
    for other in live.values().flatten().filter(|live| !wanted.iter().any(|wanted| wanted.key() == live.key())) {
        told.insert(label(other), NOT_WANTED.to_owned());
    }
    state.objects = Attr::Known(told);
    state
}

fn class_drift(state: &mut Storage, live: &Object) {
    let (labels, annotations) = (live.labels(), live.annotations());
    for (attribute, live) in [(&mut state.labels, &labels), (&mut state.annotations, &annotations)] {
        let Some(entries) = attribute.known_mut() else { continue };
        entries.retain(|key, value| {
            live.get(key.as_str()).is_some_and(|found| {
                (*found).clone_into(value);
                true
            })
        });
    }
    if state.default_class.known().is_some() {
        state.default_class = annotations.get(DEFAULT_CLASS).map(|text| *text == "true").into();
    }
    state.allow_volume_expansion = Attr::Known(live.at("/allowVolumeExpansion").as_bool().unwrap_or(false));
    // A class that somebody deleted and made anew.
    if let Some(provisioner) = state.provisioner.known_mut() {
        live.text("/provisioner").clone_into(provisioner);
    }
    state.reclaim_policy = Attr::from(ReclaimPolicy::named(live.text("/reclaimPolicy")));
    state.volume_binding_mode = Attr::from(BindingMode::named(live.text("/volumeBindingMode")));
    let parameters: BTreeMap<String, String> =
        live.strings("/parameters").into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if parameters != state.parameters.unwrap_or_default() {
        state.parameters = Attr::Known(parameters);
    }
}
