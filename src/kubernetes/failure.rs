//! What went wrong in one call: the server's answer, or its absence, turned into a class that decisions can be made on. Pure.

use super::object::at;
use kube::client::AuthError;
use serde_json::Value;
use std::{fmt, time::Duration};

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {class}{}", detail(.class, .message))]
pub struct Failure {
    /// What was being done: `apply StatefulSet prod/kafka`.
    pub doing: String,
    /// What kind of failure it is.
    pub class: Class,
    /// The server's own words; empty when it said nothing.
    pub message: String,
}

/// Adds the server's words where the class does not already say it all.
fn detail(class: &Class, message: &str) -> String {
    match class {
        Class::Unreachable(_) | Class::Lost(_) | Class::NamespaceMissing(_) => String::new(),
        _ if message.is_empty() => String::new(),
        _ => format!(": {message}"),
    }
}

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field as the server writes it: `.spec.template.spec.containers[name="kafka"].image`.
    pub field: String,
    /// Who owns it: `kubectl-client-side-apply`.
    pub manager: String,
}

/// One field that the server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field: `spec.template.spec.containers[0].image`; empty when the server names none.
    pub field: String,
    /// Why.
    pub message: String,
}

/// The kinds of failure that call for different actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The object is not there (authoritative).
    NotFound,
    /// An object of that name is there already.
    AlreadyExists,
    /// Other managers own these fields.
    Conflict(Vec<FieldConflict>),
    /// The object is not the one (uid) or the version (resourceVersion) that was meant.
    Stale,
    /// The server refuses the content; may name no field.
    Invalid(Vec<FieldError>),
    /// Admission refuses it: a webhook, Pod Security, a quota.
    Denied,
    /// RBAC refuses it. Empty where the server does not say.
    Forbidden {
        /// `create`
        verb: Box<str>,
        /// `statefulsets`, with its API group: `statefulsets.apps`
        resource: Box<str>,
        /// The namespace; empty for the whole cluster.
        namespace: Box<str>,
        /// `system:serviceaccount:ci:deployer`
        user: Box<str>,
    },
    /// The namespace is not there.
    NamespaceMissing(String),
    /// The namespace is being deleted.
    NamespaceTerminating(String),
    /// The credentials are not accepted, or could not be had.
    Unauthorized,
    /// The server asks to come back later.
    Throttled {
        /// How long to wait, if it says.
        after: Option<Duration>,
    },
    /// The server failed (5xx).
    Server {
        /// The HTTP status.
        status: u16,
        /// How long to wait, if it says.
        after: Option<Duration>,
    },
    /// Nothing usable says which cluster; why.
    NotConfigured(String),
    /// No connection: the request was never sent.
    Unreachable(String),
    /// The connection ended before the answer.
    Lost(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// An answer that is not Kubernetes' API.
    Protocol,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Class::NotFound => f.write_str("not found"),
            Class::AlreadyExists => f.write_str("already exists"),
            Class::Conflict(_) => f.write_str("fields are managed by others"),
            Class::Stale => f.write_str("changed meanwhile"),
            Class::Invalid(_) => f.write_str("invalid"),
            Class::Denied => f.write_str("denied by admission"),
            Class::Forbidden { .. } => f.write_str("forbidden"),
            Class::NamespaceMissing(name) => write!(f, "namespace {name:?} does not exist"),
            Class::NamespaceTerminating(name) => write!(f, "namespace {name:?} is being deleted"),
            Class::Unauthorized => f.write_str("credentials not accepted"),
            Class::Throttled { .. } => f.write_str("throttled by the API server"),
            Class::Server { status, .. } => write!(f, "the API server failed (HTTP {status})"),
            Class::NotConfigured(why) => f.write_str(why),
            Class::Unreachable(why) => write!(f, "the API server cannot be reached: {why}"),
            Class::Lost(why) => write!(f, "the connection ended before the answer: {why}"),
            Class::TimedOut(after) => write!(f, "no answer within {} s", after.as_secs_f64()),
            Class::Protocol => f.write_str("the answer is not that of a Kubernetes API server"),
        }
    }
}

/// Whether a failed write may have happened all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did not happen.
    Rejected,
    /// It may have happened: only reading tells.
    Unknown,
}

impl Failure {
    /// A failure in our own words.
    pub fn new(doing: impl Into<String>, class: Class, message: impl Into<String>) -> Self {
        Self { doing: doing.into(), class, message: message.into() }
    }

    /// Whether the effect may have happened all the same.
    pub fn outcome(&self) -> Outcome {
        match self.class {
            Class::Server { .. } | Class::Lost(_) | Class::TimedOut(_) | Class::Protocol => Outcome::Unknown,
            _ => Outcome::Rejected,
        }
    }

    /// Reads an answer with an HTTP status outside 2xx. `retry_after` is the header of that name, in seconds.
    ///
    /// The forms are those of Kubernetes 1.34, recorded from a real server (see the tests).
    pub fn from_answer(doing: &str, status: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        if at(&parsed, "/kind") != "Status" {
            return Self::from_foreign_answer(doing, status, retry_after, body);
        }
        let message = at(&parsed, "/message").as_str().unwrap_or_default().to_owned();
        let after = retry_after.or_else(|| at(&parsed, "/details/retryAfterSeconds").as_u64()).map(Duration::from_secs);
        let class = classify(status, &parsed, &message, after);
        // Which budget holds a pod back, and why, is among the causes only.
        let budgets = causes(&parsed).filter(|(reason, ..)| *reason == "DisruptionBudget").map(|(.., message)| message);
        let message = std::iter::once(&*message).chain(budgets).collect::<Vec<_>>().join(" ");
        Self { doing: doing.to_owned(), class, message }
    }

    /// An error page of something on the way: a proxy, a load balancer, the authentication layer.
    fn from_foreign_answer(doing: &str, status: u16, retry_after: Option<u64>, body: &[u8]) -> Self {
        let after = retry_after.map(Duration::from_secs);
        let class = match status {
            401 => Class::Unauthorized,
            429 => Class::Throttled { after },
            500..=599 => Class::Server { status, after },
            _ => Class::Protocol,
        };
        let line: String = String::from_utf8_lossy(body).lines().next().unwrap_or_default().chars().take(200).collect();
        Self::new(doing, class, if line.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {line}") })
    }
}

fn classify(status: u16, parsed: &Value, message: &str, after: Option<Duration>) -> Class {
    let reason = at(parsed, "/reason").as_str().unwrap_or_default();
    // A webhook may choose any status for its refusal.
    if message.contains("admission webhook") && message.contains("denied the request") {
        return Class::Denied;
    }
    match (status, reason) {
        (404, _) if at(parsed, "/details/kind") == "namespaces" => {
            Class::NamespaceMissing(at(parsed, "/details/name").as_str().unwrap_or_default().to_owned())
        }
        (404, _) => Class::NotFound,
        (409, "AlreadyExists") => Class::AlreadyExists,
        (409, _) => conflicts(parsed).map_or(Class::Stale, Class::Conflict),
        (410, _) => Class::Stale,
        (400 | 405 | 406 | 413 | 415 | 422, _) => Class::Invalid(field_errors(parsed)),
        // Server-side apply answers 500 to a field that its schema does not know or that has another type.
        (500, _) if message.starts_with("failed to create typed patch object") => Class::Invalid(field_errors(parsed)),
        (403, _) => forbidden(parsed, message),
        (401, _) => Class::Unauthorized,
        (429, _) => Class::Throttled { after },
        (500..=599, _) => Class::Server { status, after },
        _ => Class::Protocol,
    }
}

fn causes(parsed: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    at(parsed, "/details/causes").as_array().into_iter().flatten().map(|cause| {
        let field = |name: &str| cause[name].as_str().unwrap_or_default();
        (field("reason"), field("field"), field("message"))
    })
}

/// `conflict with "kubectl" with subresource "scale" using apps/v1`, one for each field; `None` when it is no such conflict.
fn conflicts(parsed: &Value) -> Option<Vec<FieldConflict>> {
    let found: Vec<_> = causes(parsed)
        .filter(|(reason, ..)| *reason == "FieldManagerConflict")
        .map(|(_, field, message)| FieldConflict {
            field: field.to_owned(),
            manager: message.split('"').nth(1).unwrap_or(message).to_owned(),
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

fn field_errors(parsed: &Value) -> Vec<FieldError> {
    causes(parsed).map(|(_, field, message)| FieldError { field: field.to_owned(), message: message.to_owned() }).collect()
}

/// RBAC names user, verb and resource; everything else that answers 403 is admission.
fn forbidden(parsed: &Value, message: &str) -> Class {
    if causes(parsed).any(|(reason, ..)| reason == "NamespaceTerminating") {
        let namespace = between(message, "in namespace ", " because").unwrap_or_default();
        return Class::NamespaceTerminating(namespace.to_owned());
    }
    let Some(user) = between(message, "User \"", "\" cannot ") else { return Class::Denied };
    let verb = between(message, "\" cannot ", " ").unwrap_or_default();
    let resource = between(message, " resource \"", "\"").unwrap_or_default();
    let group = between(message, "in API group \"", "\"").unwrap_or_default();
    let namespace = between(message, "in the namespace \"", "\"").unwrap_or_default();
    Class::Forbidden {
        verb: verb.into(),
        resource: if group.is_empty() { resource.into() } else { format!("{resource}.{group}").into() },
        namespace: namespace.into(),
        user: user.into(),
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

/// Why there are no credentials, without what a plugin printed: kube's words contain it.
pub(super) fn auth_words(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => format!("the exec plugin cannot be started: {error}"),
        AuthError::AuthExecRun { out, .. } => format!("the exec plugin failed with {}", out.status),
        AuthError::AuthExecParse(_) => "the exec plugin did not print credentials".to_owned(),
        other => {
            // The first sentence is fixed text; what follows may quote a response.
            let text = other.to_string();
            text.split(':').next().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As a 1.34 server answers.
    fn class(code: u16, reason: &str, message: &str, details: Value) -> Class {
        let body = json!({"kind": "Status", "status": "Failure", "message": message, "reason": reason, "details": details});
        Failure::from_answer("apply", code, None, body.to_string().as_bytes()).class
    }

    #[test]
    fn a_conflict_names_each_field_and_its_manager() {
        let cause = |message, field| json!({"reason": "FieldManagerConflict", "message": message, "field": field});
        let causes = json!({"causes": [
            cause("conflict with \"kubectl\" with subresource \"scale\" using apps/v1", ".spec.replicas"),
            cause("conflict with \"kubectl-edit\" using apps/v1", ".spec.template.spec.containers[name=\"c\"].image"),
        ]});
        let conflict = |field: &str, manager: &str| FieldConflict { field: field.into(), manager: manager.into() };
        assert_eq!(
            class(409, "Conflict", "Apply failed with 2 conflicts: ...", causes),
            Class::Conflict(vec![
                conflict(".spec.replicas", "kubectl"),
                conflict(".spec.template.spec.containers[name=\"c\"].image", "kubectl-edit"),
            ])
        );
        let modified = "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please ...";
        assert_eq!(class(409, "Conflict", modified, json!({"name": "a", "kind": "configmaps"})), Class::Stale);
        let exists = "object is being deleted: configmaps \"c3\" already exists";
        assert_eq!(class(409, "AlreadyExists", exists, json!({})), Class::AlreadyExists);
    }

    #[test]
    fn rbac_is_told_from_admission_and_from_a_namespace_that_ends() {
        let rbac = "statefulsets.apps \"s\" is forbidden: User \"system:serviceaccount:ci:deployer\" cannot patch resource \
                    \"statefulsets\" in API group \"apps\" in the namespace \"prod\"";
        let words = |text: &str| text.to_owned();
        assert_eq!(
            class(403, "Forbidden", rbac, json!({})),
            Class::Forbidden {
                verb: "patch".into(),
                resource: "statefulsets.apps".into(),
                namespace: "prod".into(),
                user: "system:serviceaccount:ci:deployer".into(),
            }
        );
        let quota = "configmaps \"c1\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: \
                     configmaps=1";
        assert_eq!(class(403, "Forbidden", quota, json!({})), Class::Denied);
        let webhook = "admission webhook \"policy.example.com\" denied the request: no";
        assert_eq!(class(400, "BadRequest", webhook, json!({})), Class::Denied);
        let ending =
            "configmaps \"c9\" is forbidden: unable to create new content in namespace prod because it is being terminated";
        let cause = json!({"causes": [{"reason": "NamespaceTerminating", "message": "", "field": "metadata.namespace"}]});
        assert_eq!(class(403, "Forbidden", ending, cause), Class::NamespaceTerminating(words("prod")));
        let missing = json!({"name": "prod", "kind": "namespaces"});
        assert_eq!(class(404, "NotFound", "namespaces \"prod\" not found", missing), Class::NamespaceMissing(words("prod")));
    }

    #[test]
    fn content_that_is_refused_is_invalid_whatever_its_status() {
        let unknown = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .daat: field not declared in schema";
        assert_eq!(class(500, "", unknown, json!(null)), Class::Invalid(vec![]));
        let cause =
            json!({"causes": [{"reason": "FieldValueInvalid", "message": "Invalid value: -1", "field": "spec.replicas"}]});
        let error = FieldError { field: "spec.replicas".to_owned(), message: "Invalid value: -1".to_owned() };
        assert_eq!(class(422, "Invalid", "...", cause), Class::Invalid(vec![error]));
    }

    #[test]
    fn only_an_answer_that_came_before_the_effect_says_that_nothing_happened() {
        let unknown = |code| Failure::from_answer("apply", code, None, b"<html>bad gateway</html>").outcome();
        assert_eq!(unknown(502), Outcome::Unknown);
        assert_eq!(unknown(429), Outcome::Rejected);
        assert_eq!(Failure::new("", Class::Unreachable("refused".into()), "").outcome(), Outcome::Rejected);
        assert_eq!(Failure::new("", Class::Lost("reset".into()), "").outcome(), Outcome::Unknown);
        let throttled = Failure::from_answer("apply", 429, Some(7), b"{}").class;
        assert_eq!(throttled, Class::Throttled { after: Some(Duration::from_secs(7)) });
    }
}
