//! Words about what is guarded: what holds data, what others use, what somebody else has.

use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Key;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;

/// Why it may not be destroyed.
pub fn protected(resource: &str, namespace: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("The {} is protected", noun(resource)),
        format!("`deletion_protection` of kafkastack_{resource} {namespace}/{name} is true, and it may hold data, so it is not destroyed or replaced."),
    ).kind("workload.protected").hint(format!("set `deletion_protection = false`, apply, then destroy; where it is only marked as tainted: tofu untaint kafkastack_{resource}.NAME"))
    .at(Path::of("deletion_protection"))
}

/// The state does not protect it, and what was applied last does.
pub fn protected_by_another(resource: &str, namespace: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("The {} is protected by another configuration", noun(resource)),
        format!("In this state `deletion_protection` is false, but kafkastack_{resource} {namespace}/{name} was last applied with true (ConfigMap {namespace}/{name}-kafkastack), so it is not destroyed or replaced."),
    ).kind("workload.protected_by_another").hint(format!("where it is managed, set `deletion_protection = false` and apply; where this state is the wrong one: tofu state rm kafkastack_{resource}.NAME, and check the Kubernetes context"))
    .at(Path::of("deletion_protection"))
}

/// Others depend on it.
pub fn in_use(resource: &str, namespace: &str, name: &str, users: &[String]) -> Diagnostic {
    Diagnostic::error(
        format!("The {} is in use", noun(resource)),
        format!("These keep their metadata in kafkastack_{resource} {namespace}/{name}, and would not outlive it: kafkastack_cluster {}. Nothing was deleted.", users.join(", ")),
    ).kind("workload.in_use").hint(format!("destroy the cluster first; with `zookeeper.connection = kafkastack_{resource}.NAME.connection` it goes first by itself"))
}

/// A create took the name over while a destroy waited.
pub fn taken_over(resource: &str, id: &str) -> Diagnostic {
    Diagnostic::error(
        "Another apply has taken the name over meanwhile",
        format!("While kafkastack_{resource} {id} was being destroyed, another apply began to make it anew. What has its names by now is that one's, so nothing more was deleted."),
    ).kind("workload.taken_over").hint(format!("when the other apply has ended, plan again: either take this one out of the state (tofu state rm 'kafkastack_{resource}.NAME'), or destroy again"))
}

/// What an apply may restart, where a part of what is wanted is known only then.
pub fn may_restart(app: &str, name: &str, pods: &[String]) -> Diagnostic {
    Diagnostic::warning(
        format!("This change may restart {} {app} pod(s) of {name}", pods.len()),
        format!("{}: some of what is wanted is known only at apply, so this plan cannot tell. One at a time, each only while all others serve and everything is in sync.", pods.join(", ")),
    ).kind("workload.may_restart").hint("apply first what the values depend on, with `-target`, and the plan says it")
}

fn noun(resource: &str) -> &str {
    match resource {
        "zookeeper_ensemble" => "ensemble",
        other => other,
    }
}

/// A cluster could not write itself into its ensemble's anchor.
pub fn not_entered(user: &str, ensemble: &str, failure: &Failure) -> Diagnostic {
    Diagnostic::warning(
        "Nothing keeps the ensemble from being destroyed",
        format!("kafkastack_cluster {user} could not be entered in the ConfigMap of kafkastack_zookeeper_ensemble {ensemble}: {failure}"),
    ).kind("workload.not_entered").hint("only that ensemble's own `deletion_protection` guards the cluster's metadata; give the provider's user `get` and `update` on that ConfigMap")
}

/// Claims of others have names that the pods would use.
pub fn foreign_claims(app: &str, namespace: &str, name: &str, claims: &[&str]) -> Diagnostic {
    let first = claims.first().copied().unwrap_or_default();
    let labels = format!(
        "app.kubernetes.io/managed-by=terraform-provider-kafkastack app.kubernetes.io/name={app} app.kubernetes.io/instance={name}"
    );
    Diagnostic::error(
        "Claims of others have the names that are needed",
        format!("A pod takes a claim by its name alone, and these were not made for this resource: {}. They may hold another one's data. Nothing was written.", claims.join(", ")),
    ).kind("workload.foreign_claims").hint(format!("choose another `name` or `namespace`; or, where the data in them is this one's: kubectl -n {namespace} label --overwrite pvc {first} {labels}"))
    .at(Path::of("name"))
}

/// Another ensemble.
pub fn connection_change(old: &str, new: &str, own: Option<&str>, found: &Result<Option<String>, String>) -> Diagnostic {
    let own = own.map_or_else(|| "is not known".to_owned(), |id| format!("is {id}"));
    let found = match found {
        Ok(Some(id)) => format!("the new one holds that of cluster {id}"),
        Ok(None) => "the new one holds that of no cluster".to_owned(),
        Err(why) => format!("the new one could not be asked: {why}"),
    };
    Diagnostic::error(
        "The cluster's metadata is in another ensemble",
        format!("`zookeeper.connection` is {old:?} and would become {new:?}. These have no member in common. The cluster's metadata (its topics, for one) is in the old one; its id {own}, and {found}. Brokers would not start there, or (before Kafka 2.4) start as an empty cluster."),
    ).kind("workload.connection_change").hint("restore the old value; another address of the same ensemble is accepted when the provider can read <chroot>/cluster/id there")
}

/// The listener that brokers use among themselves.
pub fn first_listener_change(old: &(String, i64), new: &(String, i64)) -> Diagnostic {
    Diagnostic::error(
        "The first listener cannot be changed",
        format!("Brokers reach each other at the first listener, and would lose each other while they restart one by one: it is {:?} at port {} and would be {:?} at port {}.", old.0, old.1, new.0, new.1),
    ).kind("workload.first_listener_change").hint(format!("keep {:?} at port {} as the first one of `listeners`, and put others after it", old.0, old.1))
}

/// The pods' template was changed after the plan was made.
pub fn template_changed(set: &Key, fields: &[String]) -> Diagnostic {
    Diagnostic::error(
        "Somebody else changed the pods' template meanwhile",
        format!("{set} is not as the plan saw it, and a restart would deliver that: {}. Nothing was written.", fields.join(", ")),
    )
    .kind("workload.template_changed")
    .hint("plan again with refresh: what the plan shows as drift, apply puts right")
}
