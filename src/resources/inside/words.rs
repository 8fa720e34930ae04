//! Words about what lives inside a cluster, whatever it is.

use super::Thing;
use crate::diagnostics;
use crate::kafka::OtherCluster;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;

/// Neither the resource nor the provider names a cluster.
pub fn no_cluster() -> Diagnostic {
    Diagnostic::error("Which cluster?", "There is no `cluster`, and the provider's `kafka` block has no `bootstrap_servers`.")
        .kind("inside.no_cluster")
        .hint("set `cluster = kafkastack_cluster.NAME.id`, or the provider's `kafka.bootstrap_servers`")
        .at(Path::of("cluster"))
}

/// A refresh while the whole cluster is away: its own plan shows that.
pub fn away(thing: Thing<'_>, why: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("The cluster does not run, so the {} could not be looked at", thing.kind()),
        format!("In state as it was: {thing} of {}, for {why}.", thing.cluster),
    )
    .kind("inside.away")
    .hint("apply brings the cluster back; then plan again")
}

/// A refresh that another Kafka answers: nothing is known of the thing, and an error would stop the very plan that puts it right.
pub fn another_kafka(thing: Thing<'_>, other: &OtherCluster) -> Diagnostic {
    Diagnostic::warning(
        format!("Another Kafka cluster answers, so the {} could not be looked at", thing.kind()),
        format!("In state as it was: {thing}. {other}."),
    )
    .kind("inside.another_kafka")
    .hint(diagnostics::the_right_kafka(other))
}

/// The state is about something in another Kafka.
pub fn other_cluster(thing: Thing<'_>, kept: &str, now: &str) -> Diagnostic {
    Diagnostic::error(
        "This is another Kafka cluster",
        format!("{thing} of this state is in the Kafka cluster {kept}, and {now} answers. Nothing was written."),
    )
    .kind("inside.other_cluster")
    .hint(format!(
        "look at the context and at `bootstrap_servers`; if this is the right one, because the cluster was made anew: tofu state rm ADDRESS, then apply makes the {kind}, or tofu import kafkastack_{resource}.NAME {id}",
        kind = thing.kind(), resource = thing.resource, id = thing.id
    ))
}

/// A delete after the whole cluster went.
pub fn went_with_its_cluster(thing: Thing<'_>) -> Diagnostic {
    let (kind, cluster) = (thing.kind(), thing.cluster);
    Diagnostic::warning(
        format!("The {kind} went with its cluster"),
        format!(
            "There is no kafkastack_cluster {cluster} any more, so there was nothing to ask to delete {thing}. If a cluster is made over its kept claims, the {kind} is there again."
        ),
    )
    .kind("inside.went_with_its_cluster")
}

/// A delete after the cluster was made anew under its name.
pub fn went_with_its_kafka(thing: Thing<'_>) -> Diagnostic {
    let (kind, cluster) = (thing.kind(), thing.cluster);
    Diagnostic::warning(
        format!("The {kind} went with its cluster"),
        format!("kafkastack_cluster {cluster} was made anew since, so {thing} of this state is gone. Nothing was deleted: what has its name there now is another one."),
    )
    .kind("inside.went_with_its_kafka")
}

/// A delete while the whole cluster is stopped for good, and may go.
pub fn left_on_its_brokers(thing: Thing<'_>) -> Diagnostic {
    let (kind, cluster) = (thing.kind(), thing.cluster);
    Diagnostic::warning(
        format!("The {kind} was not deleted from the brokers"),
        format!("None of the brokers of kafkastack_cluster {cluster} is ready, and `deletion_protection` of it is false, so {thing} went out of the state as it goes with its cluster. Where the cluster's data is kept, the {kind} stays in it."),
    )
    .kind("inside.left_on_its_brokers")
    .hint(format!(
        "when brokers run over that data again, kafkastack_drift names what nobody manages, and tofu import kafkastack_{}.NAME {} brings it back into a state",
        thing.resource, thing.id
    ))
}

/// A delete while the whole cluster is stopped, and may not go.
pub fn cluster_is_stopped(thing: Thing<'_>) -> Diagnostic {
    let (kind, resource, cluster) = (thing.kind(), thing.resource, thing.cluster);
    Diagnostic::error(
        format!("The cluster does not run, so the {kind} cannot be deleted"),
        format!("None of the brokers of kafkastack_cluster {cluster} is ready, and the cluster is protected, so {thing} stays in the state."),
    )
    .kind("inside.cluster_is_stopped")
    .hint(format!("bring the cluster back and destroy again; or leave the {kind} in the cluster's data: tofu state rm 'kafkastack_{resource}.NAME'; or, if the cluster is to go as well, set its `deletion_protection = false` and apply first"))
}

/// A delete that reached nobody in time.
pub fn not_deleted(thing: Thing<'_>, why: &str) -> Diagnostic {
    let (kind, resource) = (thing.kind(), thing.resource);
    Diagnostic::error(format!("Could not delete {thing}"), why).kind("inside.not_deleted").hint(format!(
        "see that the brokers run and are ready, and destroy again; or leave the {kind} on the brokers: tofu state rm 'kafkastack_{resource}.NAME'"
    ))
}
