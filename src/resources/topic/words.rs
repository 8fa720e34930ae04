//! Words about topics.

use crate::diagnostics;
use crate::kafka::{Class, Error};
use crate::plugin::context::Halt;
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::plugin::path::Path;
use std::collections::BTreeMap;

/// The cluster is not there, at plan: it may come before the topic does.
pub fn no_such_cluster_yet(cluster: &str) -> Diagnostic {
    Diagnostic::warning(
        "The cluster does not exist yet",
        format!("There is no kafkastack_cluster {cluster}, and none is planned before this topic, so the topic is not checked against it."),
    ).kind("topic.no_such_cluster_yet").hint("write `cluster = kafkastack_cluster.NAME.id`, so that the cluster comes first")
    .at(Path::of("cluster"))
}

/// The cluster cannot be asked at plan of a create.
pub fn not_checked(name: &str, error: &Error) -> Diagnostic {
    Diagnostic::warning("The topic could not be checked against its cluster", format!("Topic {name:?}: {error}"))
        .kind("topic.not_checked")
        .hint("the apply will meet what this plan could not see")
}

/// It exists, and this state does not know it.
pub fn exists(id: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "The topic exists already",
        format!("Topic {name:?} is there, and this state does not know it; it is not taken over."),
    )
    .kind("topic.exists")
    .hint(format!("import it: tofu import kafkastack_topic.NAME {id}"))
    .at(Path::of("name"))
}

/// The same, at plan. A warning: core plans what is configured before a destroy too, and an error would stop that.
pub fn exists_at_plan(id: &str, name: &str) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..exists(id, name) }
}

/// The answer to a create was lost, and what is there now is something else.
pub fn made_by_another(id: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "Somebody else made the topic meanwhile",
        format!("Topic {name:?} was not there before, the answer to its create was lost, and what is there now is not what was asked for."),
    ).kind("topic.made_by_another").hint(format!("if it is the right one, import it: tofu import kafkastack_topic.NAME {id}"))
}

/// The answer to a create was lost, and nothing could be seen afterwards.
pub fn maybe_created(id: &str, name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        "It is not known whether the topic was created",
        format!("The answer to the create of topic {name:?} was lost, and it could not be looked for afterwards: {why}"),
    )
    .kind("topic.maybe_created")
    .hint(format!("plan again: if the topic is there by then, import it: tofu import kafkastack_topic.NAME {id}"))
}

/// Interrupted before anything was asked for.
pub fn not_created(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("The topic was not created", format!("Topic {name:?}: {why}")).kind("topic.not_created").hint("apply again")
}

/// Stopped before every topic was looked at.
pub fn not_listed(halt: Halt) -> Diagnostic {
    Diagnostic::error("The topics were not listed", format!("Before the brokers had answered, {halt}."))
        .kind("topic.not_listed")
        .hint("query again")
}

/// A deleted topic of that name lingers.
pub fn lingers(name: &str) -> Diagnostic {
    Diagnostic::error(
        "A deleted topic of that name is not gone yet",
        format!("Topic {name:?} is marked for deletion, and the brokers have not removed it in time: one that holds a replica may be down."),
    ).kind("topic.lingers").hint("see that every broker runs, then apply again; `timeouts.create` says how long to wait")
}

/// Made, and without leaders.
pub fn no_leaders_yet(name: &str, why: &str) -> Diagnostic {
    Diagnostic::warning("The topic is there, and not every partition has a leader yet", format!("Topic {name:?}: {why}"))
        .kind("topic.no_leaders_yet")
        .hint("see that every broker runs; the next plan shows what is there")
}

/// A refusal of a broker, at the attribute that it is about.
pub fn refused(doing: &str, name: &str, error: &Error) -> Diagnostic {
    let diagnostic = diagnostics::kafka(&format!("{doing} topic {name:?}"), error);
    match error.class() {
        Some(Class::InvalidReplicationFactor) => diagnostic.at(Path::of("replication_factor")),
        Some(Class::InvalidConfig | Class::PolicyViolation) => diagnostic.at(Path::of("config")),
        Some(Class::InvalidPartitions) => diagnostic.at(Path::of("partitions")),
        Some(Class::InvalidName) => diagnostic.at(Path::of("name")),
        _ => diagnostic,
    }
}

/// More replicas than brokers.
pub fn too_many_replicas(factor: i64, brokers: i64) -> Diagnostic {
    Diagnostic::error(
        "More replicas than brokers",
        format!("`replication_factor` is {factor}, and the cluster has {brokers} broker(s): 1 to {brokers} is possible."),
    )
    .kind("topic.too_many_replicas")
    .hint("lower it, or raise `brokers` of the cluster first")
    .at(Path::of("replication_factor"))
}

/// `min.insync.replicas` above the replication factor.
pub fn too_many_in_sync(in_sync: i64, factor: i64) -> Diagnostic {
    Diagnostic::error(
        "More in-sync replicas than replicas",
        format!("`min.insync.replicas` is {in_sync}, and each partition has {factor} replica(s): every write with acks=all would be refused. 1 to {factor} is possible."),
    ).kind("topic.too_many_in_sync").hint(format!("{} leaves room for one broker to restart", (factor - 1).max(1)))
    .at(Path::of("config").key("min.insync.replicas"))
}

/// The same by inheritance from the brokers.
pub fn inherits_too_many_in_sync(name: &str, in_sync: i64, factor: i64) -> Diagnostic {
    Diagnostic::warning(
        "Writes with acks=all will be refused",
        format!("Topic {name:?} has {factor} replica(s) of each partition and inherits `min.insync.replicas` {in_sync} from the brokers."),
    ).kind("topic.inherits_too_many_in_sync").hint(format!("set `config = {{ \"min.insync.replicas\" = \"{}\" }}`, or raise `replication_factor`", (factor - 1).max(1)))
    .at(Path::of("replication_factor"))
}

/// A setting that no release has.
pub fn unknown_setting(key: &str, meant: Option<&str>) -> Diagnostic {
    let meant = meant.map_or(String::new(), |meant| format!(" Did you mean {meant:?}?"));
    Diagnostic::warning(
        "A setting that topics do not have",
        format!("{key:?} is no topic setting of a Kafka release that is known here.{meant} The brokers decide at apply."),
    )
    .kind("topic.unknown_setting")
    .at(Path::of("config").key(key))
}

/// Partitions cannot go.
pub fn fewer_partitions(name: &str, old: i64, new: i64) -> Diagnostic {
    Diagnostic::error(
        "Partitions cannot be removed",
        format!("Topic {name:?} has {old} partitions and cannot have {new}: Kafka cannot take partitions away, with their records. Nothing of this change is applied."),
    ).kind("topic.fewer_partitions").hint(format!("restore `partitions = {old}`, or make a new topic with {new} and move the records there; to throw the records away, replace the topic: tofu apply -replace=ADDRESS"))
    .at(Path::of("partitions"))
}

/// More partitions of a compacted topic.
pub fn keys_move(name: &str, old: i64, new: i64) -> Diagnostic {
    Diagnostic::warning(
        "Keys will go to other partitions",
        format!("Topic {name:?} is compacted and grows from {old} to {new} partitions: by Kafka's default rule most keys then go to another partition, and their older values stay in the one where they are, for ever."),
    ).kind("topic.keys_move").hint(format!("make a new topic with {new} partitions instead, and copy the records there, where consumers rely on the latest value of a key"))
    .at(Path::of("partitions"))
}

/// Replicas that will move.
pub fn data_moves(name: &str, old: i64, new: i64) -> Diagnostic {
    Diagnostic::warning(
        "Replicas will be moved",
        format!("Topic {name:?} goes from {old} to {new} replica(s) of each partition. Leaders stay where they are. Brokers copy the data at full speed; the apply waits until it is done."),
    ).kind("topic.data_moves")
    .at(Path::of("replication_factor"))
}

/// The brokers cannot move replicas.
pub fn cannot_move(old: i64, new: i64, error: &Error) -> Diagnostic {
    Diagnostic::error(
        "The brokers are too old to change the number of replicas",
        format!("`replication_factor` is {old} and cannot become {new} in place: {error}. Nothing of this change is applied."),
    ).kind("topic.cannot_move").hint(format!("restore `replication_factor = {old}`, move the replicas with kafka-reassign-partitions and set it afterwards, or upgrade the brokers"))
    .at(Path::of("replication_factor"))
}

/// Why it may not be destroyed or replaced.
pub fn protected(id: &str) -> Diagnostic {
    Diagnostic::error(
        "The topic is protected",
        format!("`deletion_protection` of topic {id} is true, so it is not destroyed or replaced."),
    )
    .kind("topic.protected")
    .hint("set `deletion_protection = false`, apply, then destroy")
    .at(Path::of("deletion_protection"))
}

/// Another topic of the same name. `id` is that of the resource.
pub fn another(id: &str, old: &str, new: Option<&str>) -> Diagnostic {
    let new = new.unwrap_or("none");
    Diagnostic::error(
        "This is another topic of the same name",
        format!(
            "Topic {id} of this state has the id {old}, and the one that is there has {new}: somebody deleted it and made it anew, or this is another Kafka cluster. Nothing was written."
        ),
    )
    .kind("topic.another")
    .hint(format!("if this is the right one, though the records of the old one are gone: tofu state rm ADDRESS, then tofu import kafkastack_topic.NAME {id}"))
}

/// It is gone at an update.
pub fn gone(name: &str) -> Diagnostic {
    Diagnostic::error("The topic is gone", format!("Topic {name:?} was deleted after the plan. Nothing was changed."))
        .kind("topic.gone")
        .hint("plan again, it will be made anew")
}

/// An update came to no end.
pub fn unfinished(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("The change of the topic did not come to its end", format!("Topic {name:?}: {why}"))
        .kind("topic.unfinished")
        .hint("what the brokers have begun goes on; plan and apply again, it goes on from there")
}

/// Brokers took settings and show others.
pub fn shown_otherwise(name: &str, written: &BTreeMap<String, String>, shown: &BTreeMap<String, Option<String>>) -> Diagnostic {
    let lines: Vec<String> = shown
        .iter()
        .map(|(key, shown)| {
            let wanted = written.get(key).map_or("was removed".to_owned(), |value| format!("was written as {value:?}"));
            let found = shown.as_ref().map_or("is not set on the topic".to_owned(), |value| format!("is shown as {value:?}"));
            format!("{key:?} {wanted} and {found}")
        })
        .collect();
    let spelled: Vec<String> = shown
        .iter()
        .filter_map(|(key, shown)| Some(format!("{key:?} = {:?}", written.contains_key(key).then_some(shown.as_ref()?)?)))
        .collect();
    let write = match spelled.is_empty() {
        true => String::new(),
        false => format!(
            "if that is the same in another spelling, write it as the brokers do: config = {{ {} }}; otherwise ",
            spelled.join(", ")
        ),
    };
    Diagnostic::error(
        "The brokers show settings otherwise than they were written",
        format!(
            "Topic {name:?}: the brokers took these settings, and show others: {}. They are not written again.",
            lines.join("; ")
        ),
    )
    .kind("topic.shown_otherwise")
    .hint(format!("{write}see what else sets them: another tool, or a policy of the brokers"))
    .at(Path::of("config"))
}

/// Deletes are off.
pub fn deletion_disabled(name: &str, error: &Error) -> Diagnostic {
    Diagnostic::error(
        "The brokers do not delete topics",
        format!("Topic {name:?}: {error}: `delete.topic.enable` is false on the controller."),
    )
    .kind("topic.deletion_disabled")
    .hint("set it to \"true\" in `config` of the cluster, or take the topic out of the state and leave it: tofu state rm ADDRESS")
}

/// Deleted, and still there.
pub fn still_deleting(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("The topic is being deleted and still there", format!("Topic {name:?}: {why}"))
        .kind("topic.still_deleting")
        .hint("the controller deletes it when every broker that holds a replica answers; see that all run, then destroy again")
}

/// An import of what is not there.
pub fn nothing_to_import(id: &str, name: &str) -> Diagnostic {
    Diagnostic::error("Nothing to import", format!("{id:?}: the cluster has no topic {name:?}."))
        .kind("topic.nothing_to_import")
        .hint("check the name, and which cluster it is")
}
