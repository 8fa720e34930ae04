//! Storage -> its Kubernetes objects: the StorageClass, which is its own anchor, and PersistentVolumes. Pure.

use super::schema::{AccessMode, BindingMode, DEFAULT_CLASS, NO_PROVISIONER, ReclaimPolicy, Storage};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::model::Attr;
use crate::resources::checks::OWN_PREFIX;
use crate::resources::owned::applied::{decode, encode};
use crate::resources::owned::phase::Phase;
use crate::resources::owned::{MANAGED_BY, is_ours};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The type's name without the provider's.
pub const RESOURCE: &str = "storage";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// The key of the StorageClass.
pub fn class_key(name: &str) -> Key {
    Key::cluster_scoped(Kind::StorageClass, name)
}

fn labels(storage: &Storage) -> BTreeMap<String, String> {
    let mut labels = storage.labels.unwrap_or_default();
    labels.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
    // A class's name may be longer than a label's value.
    labels.insert(INSTANCE.to_owned(), instance(storage.name.text()));
    labels
}

fn instance(name: &str) -> String {
    if name.len() <= 63 { name.to_owned() } else { crate::resources::owned::fingerprint(&name.into()) }
}

/// The StorageClass as wanted, without what makes it an anchor.
pub fn class(storage: &Storage) -> Object {
    let mut annotations = storage.annotations.unwrap_or_default();
    if let Some(default) = storage.default_class.known() {
        annotations.insert(DEFAULT_CLASS.to_owned(), default.to_string());
    }
    let mut content = json!({
        "metadata": {"labels": labels(storage), "annotations": annotations},
        "provisioner": storage.provisioner.unwrap_or(NO_PROVISIONER.to_owned()),
        "reclaimPolicy": storage.reclaim_policy.unwrap_or(ReclaimPolicy::Retain).word(),
        "volumeBindingMode": storage.volume_binding_mode.unwrap_or(BindingMode::WaitForFirstConsumer).word(),
        "allowVolumeExpansion": storage.allow_volume_expansion.unwrap_or(true),
    });
    if let (Some(content), Some(parameters)) = (content.as_object_mut(), storage.parameters.known()) {
        content.insert("parameters".into(), json!(parameters));
    }
    if let (Some(content), Some(options)) = (content.as_object_mut(), storage.mount_options.known()) {
        content.insert("mountOptions".into(), json!(options));
    }
    Object::of(&class_key(storage.name.text()), content)
}

/// The fields of a StorageClass that Kubernetes does not let change.
const FIXED: [&str; 5] = ["/provisioner", "/parameters", "/reclaimPolicy", "/volumeBindingMode", "/mountOptions"];

/// Whether one class cannot become the other in place.
pub fn is_other_class(wanted: &Object, live: &Object) -> bool {
    let empty = |value: &Value| value.is_null() || *value == json!({}) || *value == json!([]);
    FIXED.iter().any(|field| {
        let (wanted, live) = (wanted.at(field), live.at(field));
        wanted != live && !(empty(wanted) && empty(live))
    })
}

/// One static volume, whatever is behind it.
struct Volume<'a> {
    name: &'a str,
    capacity: &'a str,
    modes: Vec<&'static str>,
    source: (&'static str, Value),
    node: Option<&'a str>,
}

fn volume(storage: &Storage, volume: Volume<'_>) -> Object {
    let (source, content) = volume.source;
    let mut spec = json!({
        "capacity": {"storage": volume.capacity},
        "accessModes": volume.modes,
        "persistentVolumeReclaimPolicy": storage.reclaim_policy.unwrap_or(ReclaimPolicy::Retain).word(),
        "storageClassName": storage.name.text(),
        "volumeMode": "Filesystem",
        source: content,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(spec) = spec.as_object_mut() {
            spec.insert(name.to_owned(), value);
        }
    };
    if let Some(options) = storage.mount_options.known().filter(|options| !options.is_empty()) {
        set("mountOptions", json!(options));
    }
    if let Some(node) = volume.node {
        let here = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]});
        set("nodeAffinity", json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}));
    }
    let key = Key::cluster_scoped(Kind::PersistentVolume, volume.name);
    Object::of(&key, json!({"metadata": {"labels": labels(storage)}, "spec": spec}))
}

/// The static volumes as wanted.
pub fn volumes(storage: &Storage) -> Vec<Object> {
    let modes = |modes: &Attr<Vec<AccessMode>>, default: &[AccessMode]| {
        modes.known().map_or(default, Vec::as_slice).iter().map(|mode| mode.word()).collect()
    };
    let (local, nfs) = (storage.local_volumes.unwrap_or_default(), storage.nfs_volumes.unwrap_or_default());
    let local = local.iter().map(|local| {
        let source = ("local", json!({"path": local.path.text()}));
        let modes = modes(&local.access_modes, &[AccessMode::ReadWriteOnce]);
        let node = Some(local.node.text());
        volume(storage, Volume { name: local.name.text(), capacity: local.capacity.text(), modes, source, node })
    });
    let nfs = nfs.iter().map(|nfs| {
        let source = ("nfs", json!({"server": nfs.server.text(), "path": nfs.path.text()}));
        let modes = modes(&nfs.access_modes, &[AccessMode::ReadWriteOnce, AccessMode::ReadWriteMany]);
        volume(storage, Volume { name: nfs.name.text(), capacity: nfs.capacity.text(), modes, source, node: None })
    });
    local.chain(nfs).collect()
}

/// Every object, the class first.
pub fn objects(storage: &Storage) -> Vec<Object> {
    std::iter::once(class(storage)).chain(volumes(storage)).collect()
}

/// Whether two volumes are other data: Kubernetes does not let one become the other.
pub fn is_other_volume(wanted: &Object, live: &Object) -> bool {
    ["/spec/local", "/spec/nfs", "/spec/nodeAffinity"].iter().any(|field| {
        let (wanted, live) = (wanted.at(field), live.at(field));
        wanted.is_null() != live.is_null() || !crate::kubernetes::differences(wanted, live).is_empty()
    })
}

/// Whether a live volume was made for the storage `name`.
pub fn is_its_volume(live: &Object, name: &str) -> bool {
    is_ours(live) && live.labels().get(INSTANCE).copied() == Some(&*instance(name))
}

/// Selects the volumes that were made for the storage `name`.
pub fn query(name: &str) -> String {
    format!("{}={},{INSTANCE}={}", MANAGED_BY.0, MANAGED_BY.1, instance(name))
}

/// The claim that a volume is bound to, as `namespace/name`.
pub fn bound_to(volume: &Object) -> Option<String> {
    (volume.text("/status/phase") == "Bound")
        .then(|| format!("{}/{}", volume.text(CLAIMED_FROM), volume.text("/spec/claimRef/name")))
}

/// Where a volume has the namespace of its claim.
pub const CLAIMED_FROM: &str = "/spec/claimRef/namespace";

/// Whether a volume is bound to this very claim, and not to an earlier one of its name.
pub fn is_bound_to(volume: &Object, claim: &Object) -> bool {
    let same = |field: &str, value: &str| volume.text(field) == value;
    let uid = volume.text("/spec/claimRef/uid");
    same("/status/phase", "Bound")
        && same(CLAIMED_FROM, claim.namespace().unwrap_or_default())
        && same("/spec/claimRef/name", claim.name())
        && (uid.is_empty() || uid == claim.uid())
}

fn own(name: &str) -> String {
    format!("{OWN_PREFIX}{name}")
}

/// What the anchor's annotations say, if the class is one of ours.
pub fn anchor(live: &Object) -> Option<(Phase, Storage)> {
    let annotations = live.annotations();
    let get = |name: &str| annotations.get(&*own(name)).copied();
    let phase = Phase::named(get("phase")?)?;
    (get("resource")? == RESOURCE).then_some((phase, decode(get("spec")?)?))
}

/// The class as it is to be written: as wanted, an anchor in this phase, and what others put on the live one left there. `applied`:
/// what was wanted before, whose labels and annotations go where they are no longer wanted.
pub fn written(storage: &Storage, phase: Phase, live: Option<&Object>, applied: Option<&Storage>) -> Object {
    let wanted = class(storage);
    let mut result = wanted.clone();
    let old = applied.map(class);
    for field in ["labels", "annotations"] {
        let pointer = format!("/metadata/{field}");
        let mut entries: Map<String, Value> = live.and_then(|live| live.at(&pointer).as_object().cloned()).unwrap_or_default();
        let gone = old.iter().flat_map(|old| old.strings(&pointer).into_keys().map(str::to_owned).collect::<Vec<_>>());
        for key in gone {
            entries.remove(&key);
        }
        entries.extend(wanted.at(&pointer).as_object().cloned().unwrap_or_default());
        if field == "annotations" {
            entries.insert(own("resource"), RESOURCE.into());
            entries.insert(own("phase"), phase.name().into());
            entries.insert(own("spec"), encode(storage).into());
        }
        result.set_metadata(field, Value::Object(entries));
    }
    if let Some(live) = live {
        result.set_metadata("resourceVersion", live.resource_version().into());
    }
    result
}
