//! What a real server fills in, and what it does not let change. Pure.

use super::answers::{self, Answer};
use crate::kubernetes::{Key, Kind, Object, quantity};
use serde_json::{Value, json};

/// Kinds whose `metadata.generation` counts changes of the specification.
pub fn has_generation(kind: Kind) -> bool {
    matches!(kind, Kind::StatefulSet | Kind::PodDisruptionBudget)
}

/// The server's defaults, and quantities in their canonical spelling.
pub fn fill_in(object: &mut Object) {
    let kind = object.kind();
    let json = object.json_mut();
    canonical(json, false);
    match kind {
        Kind::StatefulSet => {
            let update = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
            let spec = &mut json["spec"];
            default(spec, "podManagementPolicy", json!("OrderedReady"));
            default(spec, "revisionHistoryLimit", json!(10));
            default(spec, "updateStrategy", update);
            let keep = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            default(spec, "persistentVolumeClaimRetentionPolicy", keep);
            if spec["template"].is_object() {
                fill_in_pod(&mut spec["template"]["spec"]);
            }
            for claim in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
                default(claim, "apiVersion", json!("v1"));
                default(claim, "kind", json!("PersistentVolumeClaim"));
                default(claim, "status", json!({"phase": "Pending"}));
                default(&mut claim["spec"], "volumeMode", json!("Filesystem"));
            }
        }
        Kind::Service => {
            let spec = &mut json["spec"];
            default(spec, "type", json!("ClusterIP"));
            default(spec, "sessionAffinity", json!("None"));
            default(spec, "clusterIP", json!("10.96.0.10"));
            let address = spec["clusterIP"].clone();
            default(spec, "clusterIPs", json!([address]));
            for port in spec["ports"].as_array_mut().into_iter().flatten() {
                default(port, "protocol", json!("TCP"));
                let number = port["port"].clone();
                default(port, "targetPort", number);
            }
        }
        Kind::PersistentVolumeClaim => {
            default(&mut json["spec"], "volumeMode", json!("Filesystem"));
            default(json, "status", json!({"phase": "Pending"}));
            default(&mut json["metadata"], "finalizers", json!(["kubernetes.io/pvc-protection"]));
        }
        Kind::StorageClass => {
            default(json, "reclaimPolicy", json!("Delete"));
            default(json, "volumeBindingMode", json!("Immediate"));
        }
        Kind::Namespace => default(json, "status", json!({"phase": "Active"})),
        _ => {}
    }
}

fn fill_in_pod(spec: &mut Value) {
    default(spec, "restartPolicy", json!("Always"));
    default(spec, "terminationGracePeriodSeconds", json!(30));
    default(spec, "dnsPolicy", json!("ClusterFirst"));
    default(spec, "schedulerName", json!("default-scheduler"));
    default(spec, "securityContext", json!({}));
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        default(container, "imagePullPolicy", json!("IfNotPresent"));
        default(container, "terminationMessagePath", json!("/dev/termination-log"));
        default(container, "terminationMessagePolicy", json!("File"));
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            default(port, "protocol", json!("TCP"));
        }
    }
}

fn default(map: &mut Value, field: &str, value: Value) {
    if map.is_null() {
        *map = json!({});
    }
    let map = map.as_object_mut().unwrap();
    if map.get(field).is_none_or(Value::is_null) {
        map.insert(field.to_owned(), value);
    }
}

fn canonical(value: &mut Value, amounts: bool) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                canonical(value, matches!(name.as_str(), "requests" | "limits" | "capacity" | "hard"));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| canonical(value, false)),
        Value::String(text) if amounts => *text = quantity::canonical(text).unwrap_or_else(|_| text.clone()),
        Value::Number(number) if amounts => *value = quantity::canonical(&number.to_string()).unwrap().into(),
        _ => {}
    }
}

/// The refusal of a change that the server does not allow.
pub fn check_change(key: &Key, before: &Value, after: &Value) -> Option<Answer> {
    let forbidden = |field: &str, why: &str| Some(answers::invalid(key, "FieldValueForbidden", field, why));
    let spec = |json: &Value, except: &[&str]| {
        let mut spec = json["spec"].clone();
        for field in except {
            spec.as_object_mut().map(|spec| spec.remove(*field));
        }
        spec
    };
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    match key.kind {
        Kind::StatefulSet if spec(before, &free) != spec(after, &free) => forbidden(
            "spec",
            "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        Kind::ConfigMap if before["immutable"] == true && (before["data"] != after["data"] || after["immutable"] != true) => {
            forbidden("data", "Forbidden: field is immutable when `immutable` is set")
        }
        Kind::StorageClass => ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]
            .iter()
            .find(|field| before[**field] != after[**field])
            .and_then(|field| forbidden(field, &format!("Forbidden: updates to {field} are forbidden."))),
        Kind::PersistentVolumeClaim => {
            let bound = before["status"]["phase"] == "Bound";
            let except: &[&str] = if bound { &["resources", "volumeAttributesClassName"] } else { &[] };
            let why = "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                       bound claims";
            if spec(before, except) == spec(after, except) { None } else { forbidden("spec", why) }
        }
        Kind::Service if twice(&after["spec"]["ports"]).is_some() => {
            let (index, name) = twice(&after["spec"]["ports"]).unwrap();
            let why = format!("Duplicate value: {name}");
            Some(answers::invalid(key, "FieldValueDuplicate", &format!("spec.ports[{index}].name"), &why))
        }
        Kind::Service if before["spec"]["clusterIP"] != after["spec"]["clusterIP"] => {
            let why = format!("Invalid value: [{}]: may not change once set", after["spec"]["clusterIP"]);
            Some(answers::invalid(key, "FieldValueInvalid", "spec.clusterIPs[0]", &why))
        }
        _ => None,
    }
}

/// The first port that has the name of an earlier one.
fn twice(ports: &Value) -> Option<(usize, &Value)> {
    let ports = ports.as_array()?;
    let names = ports.iter().map(|port| &port["name"]).enumerate();
    names.clone().find(|(index, name)| names.clone().take(*index).any(|(_, other)| other == *name))
}
