//! What a live object lacks of a wanted one, field by field. Pure.
//!
//! Only what is wanted counts: what the live object has besides (the server's defaults, a webhook's sidecar) is not ours.

use super::quantity;
use serde_json::Value;

/// A field of a live object that is not as desired.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference<'a> {
    /// Spelled as in the server's conflicts: `.spec.template.spec.containers[name="kafka"].image`.
    pub field: String,
    /// What it should be.
    pub desired: &'a Value,
    /// What it is; null when it is not there.
    pub live: &'a Value,
}

/// The fields of `desired` that `live` does not have as desired.
pub fn compared<'a>(desired: &'a Value, live: &'a Value) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    compare(&Place::Root, desired, live, &mut found);
    found
}

/// The names of these fields.
pub fn differences(desired: &Value, live: &Value) -> Vec<String> {
    compared(desired, live).into_iter().map(|difference| difference.field).collect()
}

/// The fields in which two wanted objects differ: new and other ones, then gone ones.
pub fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut changed = differences(after, before);
    let gone = differences(before, after).into_iter().filter(|field| !changed.contains(field)).collect::<Vec<_>>();
    changed.extend(gone);
    changed
}

static NOTHING: Value = Value::Null;

/// The lists whose entries are known by keys, by the name of the list, as the server's schemas say (`x-kubernetes-list-map-keys`;
/// `ports` is a container's or a service's). Every other list is one value: order and length count.
const KEYED: [(&str, &[&str]); 13] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["port", "protocol"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("hostAliases", &["ip"]),
    ("ownerReferences", &["uid"]),
];

/// Fields under these hold quantities, and these fields do.
const AMOUNTS: [&str; 6] = ["requests", "limits", "capacity", "hard", "sizeLimit", "divisor"];

/// Fields that the server does not send when they are false or empty.
const OMITTED: [&str; 11] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "value",
    "subPath",
    "subPathExpr",
];

/// Where in the object: the last step, and what it was taken from. Its path is spelled only where there is a difference.
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Entry(&'a Place<'a>, &'a str),
}

impl<'a> Place<'a> {
    fn field(&'a self, name: &'a str) -> Self {
        Self::Field(self, name)
    }

    fn entry(&'a self, key: &'a str) -> Self {
        Self::Entry(self, key)
    }

    fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(above, name) => format!("{}.{name}", above.path()),
            Self::Entry(above, key) => format!("{}[{key}]", above.path()),
        }
    }

    /// The field's name; empty for an entry of a list.
    fn name(&self) -> &'a str {
        match self {
            Self::Field(_, name) => name,
            Self::Root | Self::Entry(..) => "",
        }
    }

    fn differs<'v>(&self, desired: &'v Value, live: &'v Value) -> Difference<'v> {
        Difference { field: self.path(), desired, live }
    }

    fn holds_amount(&self) -> bool {
        let above = match self {
            Self::Root => "",
            Self::Field(above, _) | Self::Entry(above, _) => above.name(),
        };
        AMOUNTS.contains(&self.name()) || AMOUNTS.contains(&above)
    }
}

fn compare<'a>(place: &Place<'_>, desired: &'a Value, live: &'a Value, found: &mut Vec<Difference<'a>>) {
    match (desired, live) {
        (Value::Null, _) => {}
        (Value::Object(desired), _) => {
            for (name, value) in desired {
                let live = live.as_object().and_then(|live| live.get(name)).unwrap_or(&NOTHING);
                compare(&place.field(name), value, live, found);
            }
        }
        (Value::Array(these), Value::Array(those)) => compare_lists(place, [desired, live], [these, those], found),
        (Value::Array(desired), Value::Null) if desired.is_empty() => {}
        (desired, live) if same(place, desired, live) => {}
        _ => found.push(place.differs(desired, live)),
    }
}

/// Two lists; `whole` are the same two as values.
fn compare_lists<'a>(place: &Place<'_>, whole: [&'a Value; 2], lists: [&'a [Value]; 2], found: &mut Vec<Difference<'a>>) {
    let [desired, live] = lists;
    if let Some(keys) = keys(place.name(), desired) {
        for wanted in desired {
            let key = spell(keys, wanted);
            let here = place.entry(&key);
            match live.iter().find(|entry| keys.iter().all(|key| key_value(key, entry) == key_value(key, wanted))) {
                Some(entry) => compare(&here, wanted, entry, found),
                None => found.push(here.differs(wanted, &NOTHING)),
            }
        }
    } else if desired.len() == live.len() {
        for (index, (wanted, entry)) in desired.iter().zip(live).enumerate() {
            compare(&place.entry(&index.to_string()), wanted, entry, found);
        }
    } else {
        let [desired, live] = whole;
        found.push(place.differs(desired, live));
    }
}

/// The keys of a list; `None` when its entries are known by their places.
pub(crate) fn keys(list: &str, entries: &[Value]) -> Option<&'static [&'static str]> {
    let present = |keys: &[&str]| {
        !entries.is_empty() && entries.iter().all(|entry| keys.first().is_some_and(|key| entry.get(*key).is_some()))
    };
    KEYED.iter().find(|(name, keys)| *name == list && present(keys)).map(|(_, keys)| *keys)
}

pub(crate) fn key_value(key: &str, entry: &Value) -> Value {
    match entry.get(key) {
        None if key == "protocol" => "TCP".into(),
        None => Value::Null,
        Some(value) => value.clone(),
    }
}

pub(crate) fn spell(keys: &[&str], entry: &Value) -> String {
    let parts: Vec<_> = keys.iter().map(|key| format!("{key}={}", key_value(key, entry))).collect();
    parts.join(",")
}

fn same(place: &Place<'_>, desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (desired, Value::Null) => {
            OMITTED.contains(&place.name()) && (*desired == Value::Bool(false) || desired.as_str() == Some(""))
        }
        (Value::Number(desired), Value::Number(live)) if desired.as_f64() == live.as_f64() => true,
        (desired, live) if desired == live => true,
        _ if place.holds_amount() => match (amount(desired), amount(live)) {
            (Some(desired), Some(live)) => quantity::same(&desired, &live),
            _ => false,
        },
        _ => false,
    }
}

fn amount(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> Value {
        json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "kafka"}},
            "spec": {"replicas": 3, "template": {"spec": {
                "hostNetwork": false,
                "tolerations": [],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
                "containers": [{
                    "name": "kafka", "image": "apache/kafka:3.9.2", "args": ["a", "b"],
                    "env": [{"name": "HEAP", "value": "2G"}, {"name": "NONE", "value": ""}],
                    "ports": [{"containerPort": 9092, "name": "kafka"}],
                    "resources": {"requests": {"cpu": "0.5", "memory": "2048Mi"}, "limits": {"cpu": 2}},
                }],
            }}},
        })
    }

    fn live() -> Value {
        json!({
            "metadata": {"uid": "1", "labels": {"app.kubernetes.io/name": "kafka", "other": "x"}},
            "spec": {"replicas": 3, "revisionHistoryLimit": 10, "template": {"spec": {
                "volumes": [{"name": "injected"}, {"name": "tmp", "emptyDir": {}}],
                "containers": [{"name": "sidecar", "image": "x"}, {
                    "name": "kafka", "image": "apache/kafka:3.9.2", "args": ["a", "b"], "imagePullPolicy": "IfNotPresent",
                    "env": [{"name": "NONE"}, {"name": "HEAP", "value": "2G"}],
                    "ports": [{"containerPort": 9092, "protocol": "TCP", "name": "kafka"}],
                    "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"cpu": "2"}},
                }],
            }}},
        })
    }

    fn after(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut live = live();
        change(&mut live);
        differences(&wanted(), &live)
    }

    #[test]
    fn what_the_server_and_others_add_is_no_difference() {
        assert_eq!(after(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn a_difference_has_both_values() {
        let (wanted, live) = (json!({"spec": {"replicas": 3}, "data": {"a": "b"}}), json!({"spec": {"replicas": 5}}));
        let found: Vec<_> = compared(&wanted, &live).into_iter().map(|d| (d.field, d.desired.clone(), d.live.clone())).collect();
        assert_eq!(found, [(".data.a".to_owned(), json!("b"), Value::Null), (".spec.replicas".to_owned(), json!(3), json!(5))]);
    }

    #[test]
    fn each_changed_field_is_named_as_the_server_names_it() {
        let kafka = r#".spec.template.spec.containers[name="kafka"]"#;
        let set = |at: &'static str, value: Value| {
            move |live: &mut Value| {
                let (parent, field) = at.rsplit_once('/').unwrap();
                live.pointer_mut(parent).unwrap()[field] = value.clone();
            }
        };
        assert_eq!(after(set("/spec/replicas", json!(5))), [".spec.replicas"]);
        assert_eq!(after(set("/spec/template/spec/containers/1/image", json!("other"))), [format!("{kafka}.image")]);
        assert_eq!(after(set("/spec/template/spec/containers/1/args", json!(["a"]))), [format!("{kafka}.args")]);
        assert_eq!(after(set("/spec/template/spec/containers/1/args", json!(["b", "b"]))), [format!("{kafka}.args[0]")]);
        assert_eq!(
            after(set("/spec/template/spec/containers/1/resources/requests/memory", json!("3Gi"))),
            [format!("{kafka}.resources.requests.memory")]
        );
        assert_eq!(
            after(set("/spec/template/spec/containers/1/env", json!([{"name": "NONE"}]))),
            [format!(r#"{kafka}.env[name="HEAP"]"#)]
        );
        assert_eq!(
            after(set("/spec/template/spec/containers/1/ports/0/protocol", json!("UDP"))),
            [format!(r#"{kafka}.ports[containerPort=9092,protocol="TCP"]"#)]
        );
        assert_eq!(after(set("/metadata/labels", json!(null))), [".metadata.labels.app.kubernetes.io/name"]);
        assert_eq!(after(set("/spec/template/spec/hostNetwork", json!(true))), [".spec.template.spec.hostNetwork"]);
        assert_eq!(after(set("/spec/template/spec/tolerations", json!([{}]))), [".spec.template.spec.tolerations"]);
    }

    #[test]
    fn amounts_are_compared_as_amounts_only_where_amounts_are() {
        let storage = |text| json!({"spec": {"resources": {"requests": {"storage": text}}}});
        assert!(differences(&storage("1024Mi"), &storage("1Gi")).is_empty());
        let label = |text| json!({"metadata": {"labels": {"size": text}}});
        assert_eq!(differences(&label("1024Mi"), &label("1Gi")), [".metadata.labels.size"]);
    }

    #[test]
    fn a_false_that_the_server_keeps_is_not_the_same_as_nothing() {
        let wanted = json!({"spec": {"automountServiceAccountToken": false}});
        assert_eq!(differences(&wanted, &json!({"spec": {}})), [".spec.automountServiceAccountToken"]);
    }
}
