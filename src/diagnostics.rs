//! Errors -> words for people, as every resource uses them; what one thing alone says is in its own `words.rs`. Each says what
//! failed, the value and why, and the way out as a hint. Pure.

use crate::dial::DialError;
use crate::kafka::{ConnectError, Error as KafkaError, OtherCluster};
use crate::kubernetes::ConfigError;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::Key;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Failed;
use crate::plugin::path::Path;
use crate::stack::site::Missing;

const NOT_CONFIGURED: &str = "The Kubernetes cluster is not configured";
const WHICH_CLUSTER: &str = "the provider's `kubernetes` block or the environment says which cluster and context";

/// Nothing usable says which Kubernetes cluster.
pub fn not_configured(error: &ConfigError) -> Diagnostic {
    Diagnostic::error(NOT_CONFIGURED, error.to_string()).kind("not_configured").hint(WHICH_CLUSTER).at(Path::of("kubernetes"))
}

/// How a state is made to be about another one.
fn adopt_the_other(resource: &str, id: &str) -> String {
    format!(
        "if this is the right one, because it was restored from a backup or made anew on purpose: tofu state rm ADDRESS, then tofu import kafkastack_{resource}.NAME {id}"
    )
}

/// The state is about something in another Kubernetes cluster.
pub fn other_kubernetes(resource: &str, id: &str, kept: &str, seen: &str) -> Diagnostic {
    Diagnostic::error(
        "This is another Kubernetes cluster",
        format!("kafkastack_{resource} {id} of this state is in the Kubernetes cluster whose namespace kube-system has the uid {kept}; the one that answers has {seen}. Nothing was written."),
    )
    .kind("other_kubernetes")
    .hint(format!("look at the context: {WHICH_CLUSTER}; {}", adopt_the_other(resource, id)))
}

/// Another one has the name of what the state is about.
pub fn other_of_the_name(resource: &str, id: &str, kept: &str, seen: &str) -> Diagnostic {
    Diagnostic::error(
        format!("This is another kafkastack_{resource} of the same name"),
        format!("{id} of this state has an anchor with the uid {kept}; the one that is there has {seen}: it was made by somebody else, or anew. Nothing was written."),
    )
    .kind("other_of_the_name")
    .hint(format!("look at who else manages it, and at the context; {}", adopt_the_other(resource, id)))
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
            Missing::Cluster(id) => no_such_cluster(&id),
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

/// A webhook changes what was applied.
pub fn changed_on_the_way(key: &Key, fields: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "The cluster changes what was applied",
        format!("{key} does not have these fields as applied; an admission webhook may set them: {}.", fields.join(", ")),
    )
    .kind("changed_on_the_way")
    .hint("the next plan shows them as drift")
}

/// Nothing of ours has that id.
pub fn nothing_to_import(resource: &str, id: &str) -> Diagnostic {
    Diagnostic::error("Nothing to import", format!("There is no kafkastack_{resource} {id}, or not one that this provider made."))
        .kind("nothing_to_import")
        .hint("check the name and the Kubernetes context")
}

/// The configuration names a cluster that is not there.
pub fn no_such_cluster(cluster: &str) -> Diagnostic {
    Diagnostic::error("The cluster does not exist", format!("There is no kafkastack_cluster {cluster} that this provider made."))
        .kind("topic.no_such_cluster")
        .hint("write `cluster = kafkastack_cluster.NAME.id`, and check the Kubernetes context")
        .at(Path::of("cluster"))
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

#[cfg(test)]
mod tests;
