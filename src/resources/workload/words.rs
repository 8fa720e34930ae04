//! Words about workloads: what is guarded, what is waited for, what does not come.

use super::health::Duty;
use super::own::Differ;
use super::wait::NotServing;
use crate::kubernetes::explain::Reason;
use crate::kubernetes::object::Key;
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::plugin::path::Path;
use crate::stack::ailments::some;
use std::collections::BTreeSet;

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

/// Another run works on it.
pub fn at_work(resource: &str, id: &str, anchor: &Key) -> Diagnostic {
    Diagnostic::error(
        "Another run is at work on it",
        format!("kafkastack_{resource} {id} is being made or changed by another run at this moment: it shows in {anchor} that it lives. Nothing was written."),
    )
    .kind("workload.at_work")
    .hint("wait until that one has ended, and plan again; a state that is locked would have refused the second run before")
}

/// Another run took over in the middle.
pub fn turn_lost(resource: &str, id: &str, anchor: &Key) -> Diagnostic {
    Diagnostic::error(
        "Another run has taken over meanwhile",
        format!("{anchor} names another run at work on kafkastack_{resource} {id}, so this one stopped. Some of its change may be there already."),
    )
    .kind("workload.turn_lost")
    .hint("when the other run has ended, plan again")
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

/// Claims of others have names that the pods would use: those of each set of pods, with the labels that would make them its own.
pub fn foreign_claims(namespace: &str, foreign: &[(String, Vec<&str>)]) -> Diagnostic {
    let claims: Vec<&str> = foreign.iter().flat_map(|(_, claims)| claims).copied().collect();
    let label = |(labels, claims): &(String, Vec<&str>)| {
        format!("kubectl -n {namespace} label --overwrite pvc {} {labels}", claims.join(" "))
    };
    let commands: Vec<String> = foreign.iter().map(label).collect();
    Diagnostic::error(
        "Claims of others have the names that are needed",
        format!("A pod takes a claim by its name alone, and these were not made for this resource: {}. They may hold another one's data. Nothing was written.", claims.join(", ")),
    ).kind("workload.foreign_claims").hint(format!("choose another `name` or `namespace`; or, where the data in them is this one's: {}", commands.join("; ")))
    .at(Path::of("name"))
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

/// Everything is applied, and the service does not come. An error of an update; a warning of a create, because an error there
/// would have the next apply destroy what may only be slow.
pub fn not_serving(resource: &str, name: &str, why: &NotServing, severity: Severity) -> Diagnostic {
    let (summary, detail) = without_service(why, Reason::to_string);
    let said = Diagnostic::error(summary, format!("kafkastack_{resource} {name:?}: {detail}")).kind("not_serving");
    let hint = match why {
        NotServing::Going { .. } => CLAIM_WAY_OUT,
        _ => "`ready` is false in state; put right what is said above, and apply again: it goes on from here",
    };
    Diagnostic { severity, ..said.hint(hint) }
}

/// The same for everybody who may read events and logs of the provider: without what containers wrote.
pub fn not_serving_told(why: &NotServing) -> String {
    let (summary, detail) = without_service(why, |reason| format!("{}: {}", reason.object, reason.text));
    format!("{summary}: {}", detail.replace('\n', " "))
}

fn without_service(why: &NotServing, spell: impl Fn(&Reason) -> String) -> (&'static str, String) {
    let lines = |reasons: &[Reason]| reasons.iter().map(|reason| format!("\n{}", spell(reason))).collect::<String>();
    match why {
        NotServing::Interrupted => {
            ("NOT SERVING: interrupted", "Everything is applied; it was not waited for until it serves.".to_owned())
        }
        NotServing::OutOfTime { waiting, reasons } => {
            ("NOT SERVING in time", format!("Everything is applied. Waiting for: {waiting}{}", lines(reasons)))
        }
        NotServing::Changed(fields) => (
            "NOT SERVING: somebody else changed the pods' template",
            format!(
                "Everything is applied, and then these fields were changed: {}. Nothing more was restarted.",
                fields.join(", ")
            ),
        ),
        NotServing::Stuck(reasons) => {
            ("NOT SERVING, and waiting does not help", format!("Everything is applied.{}", lines(reasons)))
        }
        NotServing::Unneeded { waiting } => (
            "NOT SERVING as a whole",
            format!("Everything is applied, and no pod had to be restarted for it. What is not whole: {waiting}"),
        ),
        NotServing::Going { pod, claim } => (
            "A pod was not restarted, because its data would go with it",
            format!(
                "Everything is applied. {} Pods that were not reached run their earlier specification.",
                claim_goes(pod, claim)
            ),
        ),
        NotServing::Refused(failure) => {
            ("NOT SERVING as far as is known", format!("Everything is applied. It could not be waited for: {failure}"))
        }
    }
}

/// Which pods the apply of a plan restarts, in their order, each with what the service says of it. No fields: they run an earlier
/// specification still.
pub fn restart_forecast(app: &str, name: &str, roll: &[(String, Duty)], fields: &[String]) -> Diagnostic {
    let pods: Vec<&str> = roll.iter().map(|(pod, _)| &**pod).collect();
    let mut why = format!(
        "{}: one at a time, in this order, each only while all others serve and nothing falls with it. ",
        pods.join(", ")
    );
    why += &match fields {
        [] => "They still run an earlier specification.".to_owned(),
        fields => format!("What changes in the pods: {}.", fields.join(", ")),
    };
    let stops: BTreeSet<&String> = roll.iter().flat_map(|(_, duty)| &duty.always).collect();
    if !stops.is_empty() {
        let stops: Vec<String> = stops.into_iter().cloned().collect();
        why += &format!(
            "\nNot written while one of their brokers restarts, because they have no more replicas than they need: {}.",
            some(&stops)
        );
    }
    for (pod, loss) in roll.iter().filter_map(|(pod, duty)| Some((pod, duty.loss.as_ref()?))) {
        why += &format!("\nAs it is now, {pod} would be waited for: {loss}.");
    }
    Diagnostic::warning(format!("This change restarts {} {app} pod(s) of {name}", pods.len()), why).kind("restart_forecast")
}

/// Pods of others look like ours.
pub fn strangers(app: &str, name: &str, pods: &[String]) -> Diagnostic {
    let why = format!(
        "{} carry the labels app.kubernetes.io/name={app} and app.kubernetes.io/instance={name}, and are not of this workload. They are not touched, counted or waited for, and neither Services nor the PodDisruptionBudget select them.",
        pods.join(", ")
    );
    Diagnostic::warning("Pods of others have the same labels", why)
        .kind("strangers")
        .hint("give them other labels, so that people and dashboards tell them apart")
}

/// What a claim that is being deleted means.
fn claim_goes(pod: &str, claim: &str) -> String {
    format!(
        "Somebody deleted the claim {claim}; it stays until pod {pod} ends, and then its volume goes with all data. A deletion cannot be taken back."
    )
}

/// How to go on with a claim that is being deleted.
const CLAIM_WAY_OUT: &str = "see that the others have what it holds (`kafkastack_health`), then delete the pod yourself: it comes back with a new, empty claim, and gets its data from the others; then apply again";

/// A restart would lose data.
pub fn claim_going(pod: &str, claim: &str) -> Diagnostic {
    let why = format!("This change restarts {pod}. {}", claim_goes(pod, claim));
    Diagnostic::error("A restart would lose data", why).kind("claim_going").hint(CLAIM_WAY_OUT)
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

/// Claims of an earlier life, and not those that are wanted.
pub fn other_kept_claims(namespace: &str, Differ { kept, surplus, missing }: &Differ) -> Diagnostic {
    let mut why = format!("These claims are kept from an earlier life: {}. ", kept.join(", "));
    if !missing.is_empty() {
        why += &format!("Pods with {} would find nothing, and could win over those that find their data. ", missing.join(", "));
    }
    if !surplus.is_empty() {
        why += &format!("No pod would use {}, and what only they hold would be missing. ", surplus.join(", "));
    }
    let first = "ask for the number of pods that had these claims, and change it afterwards";
    // What would be used again is never named for deletion, unless it is of no use without what is missing.
    let (when, gone) = match missing.is_empty() {
        true => ("if these hold nothing that is needed, as after a scale down", surplus),
        false => ("if the data of all of them may go", kept),
    };
    Diagnostic::error("Kept data is of another number of pods", why + "Nothing was written.")
        .kind("other_kept_claims")
        .hint(format!("{first}; or, {when}: kubectl -n {namespace} delete pvc {}", gone.join(" ")))
        .at(Path::of("name"))
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

/// Objects that a delete waits for.
pub fn still_there(left: &[String]) -> Diagnostic {
    Diagnostic::error("Out of time", format!("These are being deleted and are still there: {}.", left.join(", ")))
        .kind("still_there")
        .hint("look at their finalizers and events with kubectl describe, then destroy again")
}

/// Claims that would go with their StatefulSet.
pub fn claims_owned(claims: &[String]) -> Diagnostic {
    Diagnostic::error(
        "Claims would go, and are to stay",
        format!("These belong to their StatefulSet and would go with it: {}. Nothing was deleted.", claims.join(", ")),
    )
    .kind("claims_owned")
    .hint("see that .spec.persistentVolumeClaimRetentionPolicy of the StatefulSet says Retain and that the claims have no ownerReferences, then destroy again")
}

/// An object that somebody else made, or took over.
pub fn not_ours(key: &Key) -> Diagnostic {
    Diagnostic::error(
        "An object is not the provider's",
        format!("{key} lacks the label app.kubernetes.io/managed-by=terraform-provider-kafkastack, and the ConfigMap that says whose it is is gone. It was not deleted."),
    ).kind("not_ours").hint("delete it by hand if it should go, then destroy again")
}
