//! Errors -> words for people; the only place with user prose. Each says what failed, the value, why, and the way out on a
//! last line that begins with `hint: `. Pure.

pub mod drill;
pub mod guard;
pub mod storage;
pub mod topic;

use crate::dial::DialError;
use crate::kafka::{ConnectError, Error as KafkaError, OtherCluster};
use crate::kubernetes::ConfigError;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::Key;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::plugin::operations::Failed;
use crate::plugin::path::Path;
use crate::resources::workload::wait::NotServing;
use crate::stack::site::Missing;

const NOT_CONFIGURED: &str = "The Kubernetes cluster is not configured";
const WHICH_CLUSTER: &str = "the provider's `kubernetes` block or the environment says which cluster and context";

/// Nothing usable says which Kubernetes cluster.
pub fn not_configured(error: &ConfigError) -> Diagnostic {
    Diagnostic::error(NOT_CONFIGURED, error.to_string()).kind("not_configured").hint(WHICH_CLUSTER).at(Path::of("kubernetes"))
}

/// A call to Kubernetes that failed.
pub fn kubernetes(failure: &Failure) -> Diagnostic {
    let (summary, hint) = match &failure.class {
        Class::Unreachable(_) | Class::Lost(_) | Class::TimedOut(_) | Class::Protocol => (
            "The Kubernetes API server does not answer",
            "check the provider's `kubernetes` settings, KUBECONFIG and the current context; nothing is lost, the next apply goes on from here".to_owned(),
        ),
        Class::NotConfigured(_) => (NOT_CONFIGURED, WHICH_CLUSTER.to_owned()),
        Class::Unauthorized => ("Kubernetes does not accept the credentials", "renew the token, certificate or login that the provider's `kubernetes` settings or KUBECONFIG name".to_owned()),
        Class::Forbidden { verb, resource, namespace, .. } => ("Kubernetes forbids it", rbac_rule(verb, resource, namespace)),
        Class::NamespaceMissing(name) => (
            "The namespace does not exist",
            format!("set `create_namespace = true`, or make it first: kubectl create namespace {name}"),
        ),
        Class::NamespaceTerminating(name) => ("The namespace is being deleted", format!("wait until namespace {name} is gone, or use another one, and apply again")),
        Class::Conflict(conflicts) => {
            let fields: Vec<String> = conflicts.iter().map(|c| format!("{} (managed by {:?})", c.field, c.manager)).collect();
            return Diagnostic::error(
                "Somebody else manages a field",
                format!("{}: these fields are set by others and were not taken over: {}.", failure.doing, fields.join(", ")),
            ).kind("kubernetes").hint("plan again with refresh: what the plan shows as drift, apply puts right; or let the other manager give the field up");
        }
        Class::Stale => ("Somebody else changed it meanwhile", "another apply may be running; when it has ended, plan and apply again".to_owned()),
        Class::Denied if failure.message.contains("quota") => ("A quota of the namespace refuses it", "raise the ResourceQuota, or ask for less".to_owned()),
        Class::Denied => ("The cluster's admission rules refuse it", "see the message: a webhook or the namespace's Pod Security level; `pod.security` holds what pods ask for".to_owned()),
        Class::Invalid(_) => ("Kubernetes refuses the object", "see the field that the message names; nothing that was there before is changed".to_owned()),
        Class::Throttled { .. } | Class::Server { .. } => ("The Kubernetes API server failed", "nothing is lost; apply again, it goes on from here".to_owned()),
        Class::NotFound | Class::AlreadyExists => ("The object is not as expected", "plan and apply again".to_owned()),
    };
    Diagnostic::error(summary, failure.to_string()).kind("kubernetes").hint(hint)
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        kubernetes(&failure)
    }
}

impl From<Failure> for Diagnostics {
    fn from(failure: Failure) -> Self {
        kubernetes(&failure).into()
    }
}

impl<M> From<Failure> for Failed<M> {
    fn from(failure: Failure) -> Self {
        kubernetes(&failure).into()
    }
}

impl From<Missing> for Diagnostics {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Cluster(id) => topic::no_such_cluster(&id),
            Missing::Ensemble(id) => no_such_ensemble(&id),
            Missing::Unknown(failure) => kubernetes(&failure),
        }
        .into()
    }
}

fn rbac_rule(verb: &str, resource: &str, namespace: &str) -> String {
    if verb.is_empty() {
        return "add the missing rule to the Role of the provider's user".to_owned();
    }
    let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
    let kind = if namespace.is_empty() { "ClusterRole".to_owned() } else { format!("Role in namespace {namespace}") };
    format!("add to a {kind} of that user: {{apiGroups: [{group:?}], resources: [{name:?}], verbs: [{verb:?}]}}")
}

/// A call to Kafka that failed. `doing`: what was being done, such as "create topic `orders`".
pub fn kafka(doing: &str, error: &KafkaError) -> Diagnostic {
    let hint = match error {
        KafkaError::OtherCluster(other) => {
            let detail = format!("{other}. That Kafka was asked for nothing more, and nothing in it was changed.");
            return Diagnostic::error(format!("Could not {doing}: another Kafka cluster answers"), detail)
                .kind("kafka")
                .hint(the_right_kafka(other));
        }
        KafkaError::Unreachable { tried } if tried.iter().any(|(to, why)| is_a_pods_name(&to.host) && is_unresolved(why)) => {
            "the provider runs where these names mean nothing: set `kafka.access = \"port_forward\"` in the provider block, which reaches brokers through the Kubernetes API server; state is kept"
        }
        error if error.is_unreachable() => {
            "see that the brokers run and are ready; reaching them through Kubernetes needs `get` and `create` on `pods/portforward`; state is kept"
        }
        _ => "see the broker's answer above; nothing else was changed",
    };
    Diagnostic::error(format!("Could not {doing}"), error.to_string()).kind("kafka").hint(hint)
}

/// `<name>-<ordinal>.<name>-headless.<namespace>.svc`: only the network of the pod's own cluster knows it.
fn is_a_pods_name(host: &str) -> bool {
    host.contains("-headless.") && host.contains(".svc")
}

/// Only names that are dialled directly have to resolve.
fn is_unresolved(why: &ConnectError) -> bool {
    matches!(why, ConnectError::Dial(DialError::Unresolved(_)))
}

/// The ways out where another Kafka answers than the one that is meant.
pub fn the_right_kafka(other: &OtherCluster) -> String {
    let (namespace, name) = other.expected.name.split_once('/').unwrap_or_default();
    let elsewhere = match other.direct {
        true => {
            "this machine's network leads the name to another cluster: set `kafka.access = \"port_forward\"` in the provider block"
        }
        false => "check the Kubernetes context",
    };
    format!(
        "{elsewhere}; or, where the Kafka that answers is the right one (restored, or made anew), have the old id forgotten and apply: kubectl -n {namespace} patch configmap {name}-kafkastack --type merge -p '{{\"data\":{{\"cluster_id\":null}}}}'"
    )
}

/// Another object has the name.
pub fn name_taken(key: &Key, resource: &str) -> Diagnostic {
    Diagnostic::error("The name is taken", format!("{key} exists, and no kafkastack_{resource} made it. Nothing was written."))
        .kind("name_taken")
        .hint("choose another `name` or `namespace`, or remove that object")
}

/// It exists, and is in no state that this run knows.
pub fn exists(resource: &str, id: &str) -> Diagnostic {
    Diagnostic::error(
        "It exists already",
        format!(
            "A kafkastack_{resource} {id} exists, made by this provider, and this state does not know it. Nothing was written."
        ),
    )
    .kind("exists")
    .hint(format!("import it: tofu import kafkastack_{resource}.NAME {id}"))
}

/// An earlier run was cut off.
pub fn resuming(resource: &str, id: &str) -> Diagnostic {
    Diagnostic::warning(
        "An earlier run was cut off and is taken up again",
        format!("kafkastack_{resource} {id} was being made or removed by a run that did not end. What it left is used."),
    )
    .kind("resuming")
}

/// Objects of ours without an anchor.
pub fn taking_up(objects: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Objects of an earlier kafkastack resource are taken up",
        format!("These carry the provider's label, and the ConfigMap that said whose they are is gone: {}.", objects.join(", ")),
    )
    .kind("taking_up")
}

/// Data is there already.
pub fn kept_claims(claims: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Kept data is used again",
        format!("These claims are there already, and the pods will find their data in them: {}.", claims.join(", ")),
    )
    .kind("kept_claims")
}

/// The StorageClass is not there.
pub fn no_storage_class(class: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::error(
        "The StorageClass does not exist",
        format!("`storage.class` is {class:?}, and the cluster has: {}. Nothing was written.", known.join(", ")),
    )
    .kind("no_storage_class")
    .hint("use one of these, or make it with a `kafkastack_storage`")
}

/// The user interrupted before anything was written.
pub fn cancelled(resource: &str) -> Diagnostic {
    Diagnostic::error(
        "Interrupted",
        format!("The create of the kafkastack_{resource} was interrupted before anything was written."),
    )
    .kind("cancelled")
}

/// The user interrupted.
pub fn interrupted() -> Diagnostic {
    Diagnostic::warning("Interrupted", "What is there is kept in state, as not ready.")
        .kind("interrupted")
        .hint("apply again, it goes on from here")
}

/// The user interrupted a change.
pub fn change_interrupted() -> Diagnostic {
    Diagnostic::error("Interrupted", "Some of the change may be there already.")
        .kind("change_interrupted")
        .hint("apply again, it goes on from here")
}

/// The user interrupted a delete.
pub fn delete_interrupted(left: &[String]) -> Diagnostic {
    Diagnostic::error("Interrupted", format!("These are still there: {}.", left.join(", ")))
        .kind("delete_interrupted")
        .hint("destroy again, it goes on from here")
}

/// The time was up before everything was written.
pub fn out_of_time(resource: &str, name: &str) -> Diagnostic {
    Diagnostic::error("Out of time", format!("kafkastack_{resource} {name:?} was not written completely in time."))
        .kind("out_of_time")
        .hint("apply again, it goes on from here; `timeouts` holds the limits")
}

/// A webhook changes what was applied.
pub fn changed_on_the_way(key: &Key, fields: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "The cluster changes what was applied",
        format!("{key} does not have these fields as applied; an admission webhook may set them: {}.", fields.join(", ")),
    )
    .kind("changed_on_the_way")
    .hint("the next plan shows them as drift")
}

/// Objects that a delete waits for.
pub fn still_there(left: &[String]) -> Diagnostic {
    Diagnostic::error("Out of time", format!("These are being deleted and are still there: {}.", left.join(", ")))
        .kind("still_there")
        .hint("look at their finalizers and events with kubectl describe, then destroy again")
}

/// An object that somebody else made, or took over.
pub fn not_ours(key: &Key) -> Diagnostic {
    Diagnostic::error(
        "An object is not the provider's",
        format!("{key} lacks the label app.kubernetes.io/managed-by=terraform-provider-kafkastack, and the ConfigMap that says whose it is is gone. It was not deleted."),
    ).kind("not_ours").hint("delete it by hand if it should go, then destroy again")
}

/// Everything is applied, and the service does not come. An error of an update; a warning of a create, for an error there
/// would have the next apply destroy what may only be slow.
pub fn not_serving(resource: &str, name: &str, why: &NotServing, severity: Severity) -> Diagnostic {
    let (summary, detail) = match why {
        NotServing::Interrupted => {
            ("NOT SERVING: interrupted", "Everything is applied; it was not waited for until it serves.".to_owned())
        }
        NotServing::OutOfTime(waiting) => ("NOT SERVING in time", format!("Everything is applied. Waiting for: {waiting}")),
        NotServing::Changed(fields) => (
            "NOT SERVING: somebody else changed the pods' template",
            format!(
                "Everything is applied, and then these fields were changed: {}. Nothing more was restarted.",
                fields.join(", ")
            ),
        ),
        NotServing::Hopeless(reasons) => {
            let lines: Vec<String> = reasons.iter().map(|reason| format!("{}: {}", reason.object, reason.text)).collect();
            ("NOT SERVING, and waiting does not help", format!("Everything is applied.\n{}", lines.join("\n")))
        }
        NotServing::Refused(failure) => {
            ("NOT SERVING as far as is known", format!("Everything is applied. It could not be waited for: {failure}"))
        }
    };
    let said = Diagnostic::error(summary, format!("kafkastack_{resource} {name:?}: {detail}")).kind("not_serving");
    let hint = "`ready` is false in state; put right what is said above, and apply again: it goes on from here";
    Diagnostic { severity, ..said.hint(hint) }
}

/// Which pods the apply of a plan restarts. No fields: they run an earlier specification still.
pub fn restart_forecast(app: &str, name: &str, pods: &[String], fields: &[&str]) -> Diagnostic {
    let why = match fields.is_empty() {
        true => "They still run an earlier specification.".to_owned(),
        false => format!("What changes in the pods: {}.", fields.join(", ")),
    };
    Diagnostic::warning(
        format!("This change restarts {} {app} pod(s) of {name}", pods.len()),
        format!("{}: one at a time, each only while all others serve and everything is in sync. {why}", pods.join(", ")),
    )
    .kind("restart_forecast")
}

/// Storage stays where it is.
pub fn storage_moves(attribute: &'static str) -> Diagnostic {
    let why = format!("`storage.{attribute}` cannot be changed: the data would have to move.");
    Diagnostic::error("Storage cannot be moved", why)
        .kind("storage_moves")
        .hint("make a second one with the new storage and move the data there, or restore the old value")
        .at(Path::of("storage").attribute(attribute))
}

/// The size of claims stays as it is.
pub fn storage_size(old: &str, new: &str) -> Diagnostic {
    let why = format!(
        "`storage.size` is {old:?} and cannot become {new:?}: Kubernetes keeps a StatefulSet's claim templates as they are."
    );
    Diagnostic::error("The size of claims cannot be changed", why)
        .kind("storage_size")
        .hint(format!("restore \"{old}\""))
        .at(Path::of("storage").attribute("size"))
}

/// Claims need a size.
pub fn no_storage_size() -> Diagnostic {
    let why = "`storage.size` has to be set, such as \"10Gi\", unless `storage.ephemeral` is true.";
    Diagnostic::error("Missing value", why).kind("no_storage_size").at(Path::of("storage").attribute("size"))
}

/// Claims, and data in the pod.
pub fn two_storages() -> Diagnostic {
    let why = "`storage.ephemeral` is true, so `size` and `class` would mean nothing; remove them.";
    Diagnostic::error("Two kinds of storage", why).kind("two_storages").at(Path::of("storage").attribute("ephemeral"))
}

/// An import id of the wrong form.
pub fn import_id(id: &str, form: &str) -> Diagnostic {
    Diagnostic::error("Not an import id", format!("{id:?} is not of the form {form}.")).kind("import_id")
}

/// Nothing of ours has that id.
pub fn nothing_to_import(resource: &str, id: &str) -> Diagnostic {
    Diagnostic::error("Nothing to import", format!("There is no kafkastack_{resource} {id}, or not one that this provider made."))
        .kind("nothing_to_import")
        .hint("check the name and the Kubernetes context")
}

/// The configuration names an ensemble that is not there.
pub fn no_such_ensemble(id: &str) -> Diagnostic {
    Diagnostic::error(
        "The ensemble does not exist",
        format!("There is no kafkastack_zookeeper_ensemble {id} that this provider made."),
    )
    .kind("no_such_ensemble")
    .hint("write `zookeeper_ensemble = kafkastack_zookeeper_ensemble.NAME.id`, and check the Kubernetes context")
    .at(Path::of("zookeeper_ensemble"))
}

/// An ensemble keeps its size.
pub fn members_change(old: i64, new: i64) -> Diagnostic {
    let why = format!(
        "The ensemble has {old} members and cannot get {new}: while old and new members disagree on how many make a quorum, two halves could both believe to be it."
    );
    Diagnostic::error("The number of members cannot be changed", why)
        .kind("members_change")
        .hint(format!("restore `members = {old}`, or make a second ensemble"))
        .at(Path::of("members"))
}

/// A cluster keeps its chroot.
pub fn chroot_change(old: &str, new: &str) -> Diagnostic {
    let why = format!(
        "`zookeeper.chroot` is {old:?} and cannot become {new:?}: the cluster's metadata is there. Brokers would not start elsewhere, or (before Kafka 2.4) start as an empty cluster."
    );
    Diagnostic::error("The chroot cannot be changed", why)
        .kind("chroot_change")
        .hint("restore the old value")
        .at(Path::of("zookeeper").attribute("chroot"))
}

/// Topics keep brokers from going.
pub fn stranded(brokers: i64, topics: &[&str]) -> Diagnostic {
    let some = topics.iter().take(10).copied().collect::<Vec<_>>().join(", ");
    let more = if topics.len() > 10 { format!(" and {} more", topics.len() - 10) } else { String::new() };
    let why =
        format!("With {brokers} brokers, those with an id from {brokers} on would go, and they hold replicas of: {some}{more}.");
    Diagnostic::error("Brokers that would go hold replicas", why)
        .kind("stranded")
        .hint("move these replicas first (kafka-reassign-partitions), or keep the brokers")
        .at(Path::of("brokers"))
}

#[cfg(test)]
mod tests;
