//! Refusals in the words of a real API server (recorded from 1.34). Pure.

use super::ownership::Conflict;
use crate::kubernetes::{Key, Kind};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// An HTTP status and a body.
pub type Answer = (u16, Bytes);

/// An answer that is JSON.
pub fn json_of(code: u16, body: &impl Serialize) -> Answer {
    (code, serde_json::to_vec(body).unwrap().into())
}

/// `configmaps`, `statefulsets.apps`
fn resource(kind: Kind) -> String {
    match kind.group() {
        "" => kind.plural().to_owned(),
        group => format!("{}.{group}", kind.plural()),
    }
}

/// `ConfigMap`, `StatefulSet.apps`
fn qualified(kind: Kind) -> String {
    match kind.group() {
        "" => kind.name().to_owned(),
        group => format!("{}.{group}", kind.name()),
    }
}

fn failure(code: u16, reason: &str, message: String, details: Value) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    });
    json_of(code, &body)
}

fn details(key: &Key, kind: &str) -> Value {
    match key.kind.group() {
        "" => json!({"name": key.name, "kind": kind}),
        group => json!({"name": key.name, "group": group, "kind": kind}),
    }
}

pub fn not_found(key: &Key) -> Answer {
    let message = format!("{} {:?} not found", resource(key.kind), key.name);
    failure(404, "NotFound", message, details(key, key.kind.plural()))
}

pub fn already_exists(key: &Key, deleting: bool) -> Answer {
    let start = if deleting { "object is being deleted: " } else { "" };
    let message = format!("{start}{} {:?} already exists", resource(key.kind), key.name);
    failure(409, "AlreadyExists", message, details(key, key.kind.plural()))
}

pub fn modified(key: &Key) -> Answer {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    let message = format!("Operation cannot be fulfilled on {} {:?}: {why}", resource(key.kind), key.name);
    failure(409, "Conflict", message, details(key, key.kind.plural()))
}

pub fn other_uid(key: &Key, wanted: &str, found: &str) -> Answer {
    let message = format!(
        "Operation cannot be fulfilled on {} {:?}: the UID in the precondition ({wanted}) does not match the UID in record \
         ({found}). The object might have been deleted and then recreated",
        qualified(key.kind),
        key.name
    );
    failure(409, "Conflict", message, details(key, key.kind.name()))
}

pub fn conflicts(key: &Key, conflicts: &[Conflict]) -> Answer {
    let who = |(_, manager, updates): &Conflict| match updates {
        true => format!("{manager:?} using {}", key.kind.api_version()).replace('\\', ""),
        false => format!("{manager:?}"),
    };
    let cause = |conflict: &Conflict| {
        let message = format!("conflict with {}", who(conflict));
        json!({"reason": "FieldManagerConflict", "message": message, "field": conflict.0})
    };
    let causes: Vec<_> = conflicts.iter().map(cause).collect();
    let message = match conflicts {
        [one] => format!("Apply failed with 1 conflict: conflict with {}: {}", who(one), one.0),
        many => {
            let mut managers: Vec<_> = many.iter().map(who).collect();
            managers.dedup();
            let each = |manager: &String| {
                let fields = many.iter().filter(|conflict| who(conflict) == *manager).map(|(field, ..)| format!("\n- {field}"));
                format!("conflicts with {manager}:{}", fields.collect::<String>())
            };
            let all: Vec<_> = managers.iter().map(each).collect();
            format!("Apply failed with {} conflicts: {}", many.len(), all.join("\n"))
        }
    };
    failure(409, "Conflict", message, json!({ "causes": causes }))
}

pub fn invalid(key: &Key, reason: &str, field: &str, why: &str) -> Answer {
    let message = format!("{} {:?} is invalid: {field}: {why}", qualified(key.kind), key.name);
    let mut details = details(key, key.kind.name());
    details["causes"] = json!([{"reason": reason, "message": why, "field": field}]);
    failure(422, "Invalid", message, details)
}

pub fn forbidden(key: &Key, verb: &str) -> Answer {
    let scope = match &key.namespace {
        Some(namespace) => format!("in the namespace {namespace:?}"),
        None => "at the cluster scope".to_owned(),
    };
    let name = if key.name.is_empty() { String::new() } else { format!("{:?} ", key.name) };
    let message = format!(
        "{} {name}is forbidden: User \"tester\" cannot {verb} resource {:?} in API group {:?} {scope}",
        resource(key.kind),
        key.kind.plural(),
        key.kind.group()
    );
    failure(403, "Forbidden", message, details(key, key.kind.plural()))
}

pub fn unauthorized() -> Answer {
    failure(401, "Unauthorized", "Unauthorized".to_owned(), json!({}))
}

pub fn terminating(key: &Key, namespace: &str) -> Answer {
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let message = format!("{} {:?} is forbidden: {why}", resource(key.kind), key.name);
    let mut details = details(key, key.kind.plural());
    let cause = format!("namespace {namespace} is being terminated");
    details["causes"] = json!([{"reason": "NamespaceTerminating", "message": cause, "field": "metadata.namespace"}]);
    failure(403, "Forbidden", message, details)
}

pub fn refused(key: &Key, status: u16, message: &str) -> Answer {
    let message = match status {
        403 if !message.starts_with("admission webhook") => {
            format!("{} {:?} is forbidden: {message}", resource(key.kind), key.name)
        }
        _ => message.to_owned(),
    };
    let reason = match status {
        403 => "Forbidden",
        409 => "Conflict",
        _ => "BadRequest",
    };
    failure(status, reason, message, details(key, key.kind.plural()))
}

pub fn throttled() -> Answer {
    failure(429, "TooManyRequests", "too many requests, please try again later".to_owned(), json!({}))
}

pub fn over_budget(key: &Key) -> Answer {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    failure(429, "TooManyRequests", message.to_owned(), details(key, key.kind.plural()))
}

pub fn several_budgets() -> Answer {
    let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    failure(500, "InternalError", message.to_owned(), json!({}))
}

pub fn server_error() -> Answer {
    failure(500, "InternalError", "Internal error occurred: etcdserver: leader changed".to_owned(), json!({}))
}

pub fn deleted(key: &Key, uid: &Value) -> Answer {
    let mut details = details(key, key.kind.plural());
    details["uid"] = uid.clone();
    json_of(200, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
}
