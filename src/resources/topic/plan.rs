//! Prior + configuration + proposal -> the plan of a topic. What can be refused without a network is refused first; then the
//! planned or the live cluster is asked, the planned one never over the network: it is not there yet.

use super::read::look;
use super::schema::Topic;
use super::setting;
use super::words;
use crate::kafka::{Admin, Class, Error, NewTopic};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::Plan;
use crate::resources::inside::reach::{self, Place};
use crate::stack::{Planned, Stack};
use std::time::Duration;
use tokio::time::Instant;

/// How long a plan asks a cluster that may be away.
const ASK: Duration = Duration::from_secs(20);
/// Kafka's AlterPartitionReassignments, since 2.4.
const REASSIGN: i16 = 45;

/// `<namespace>/<cluster>/<name>`, or the name.
pub fn id(topic: &Topic) -> Attr<String> {
    let Some(name) = topic.name.known() else { return Attr::unknown() };
    match &topic.cluster {
        Attr::Unknown(_) => Attr::unknown(),
        Attr::Null => Attr::Known(name.clone()),
        Attr::Known(cluster) => Attr::Known(format!("{cluster}/{name}")),
    }
}

/// Replicas where the configuration does not say: three, or as many as there are brokers.
pub fn default_factor(brokers: i64) -> i64 {
    brokers.clamp(1, 3)
}

/// What follows from the configuration and the prior state alone.
pub fn complete(plan: &mut Plan<Topic>) {
    plan.planned.id = id(&plan.planned);
    let planned = &mut plan.planned;
    if let Some(prior) = &plan.prior {
        let same = prior.partitions == planned.partitions && prior.replication_factor == planned.replication_factor;
        if same && planned.assignments.is_unknown() {
            planned.assignments = prior.assignments.clone();
        }
        if replaces(prior, planned) {
            if prior.deletion_protection.unwrap_or(false) {
                plan.diagnostics.push(words::protected(prior.id.text()));
            }
        } else {
            refuse(prior, planned, &mut plan.diagnostics);
        }
    }
    check_in_sync(planned, &mut plan.diagnostics);
    let prior = plan.prior.as_ref().map(|prior| prior.config.unwrap_or_default()).unwrap_or_default();
    for key in planned.config.unwrap_or_default().keys().filter(|key| !prior.contains_key(*key)) {
        if let Some(meant) = setting::unknown(key) {
            plan.diagnostics.push(words::unknown_setting(key, meant));
        }
    }
}

fn replaces(prior: &Topic, planned: &Topic) -> bool {
    prior.name != planned.name || prior.cluster != planned.cluster
}

fn refuse(prior: &Topic, planned: &Topic, diagnostics: &mut Diagnostics) {
    if let (Some(old), Some(new)) = (prior.partitions.known(), planned.partitions.known())
        && new < old
    {
        diagnostics.push(words::fewer_partitions(planned.name.text(), *old, *new));
    }
}

/// `min.insync.replicas` against the replicas, where both are known.
fn check_in_sync(planned: &Topic, diagnostics: &mut Diagnostics) {
    let Some(factor) = planned.replication_factor.known() else { return };
    let in_sync = planned.config.known().and_then(|config| config.get("min.insync.replicas")?.trim().parse::<i64>().ok());
    if let Some(in_sync) = in_sync.filter(|in_sync| in_sync > factor) {
        diagnostics.push(words::too_many_in_sync(in_sync, *factor));
    }
}

/// Chooses the replicas where nobody did, and holds them against the brokers that there will be.
pub fn against_brokers(plan: &mut Plan<Topic>, brokers: i64) {
    let Plan { config, planned, diagnostics, .. } = plan;
    let open = planned.replication_factor.is_unknown() || planned.replication_factor.is_null();
    // What is known only at apply is somebody's choice.
    if open && !config.replication_factor.is_unknown() {
        planned.replication_factor = Attr::Known(default_factor(brokers));
        check_in_sync(planned, diagnostics);
    }
    if let Some(factor) = planned.replication_factor.known().filter(|factor| **factor > brokers) {
        diagnostics.push(words::too_many_replicas(*factor, brokers));
    }
}

/// Asks the cluster, planned or live. `may_exist`: a topic of that id is in the state, so it is replaced.
pub async fn check(cx: &Context<'_, Stack>, stack: &Stack, plan: &mut Plan<Topic>, may_exist: bool) {
    if plan.planned.cluster.is_unknown() || plan.planned.name.is_unknown() || plan.diagnostics.has_errors() {
        return;
    }
    let planned_cluster = plan.planned.cluster.known().and_then(|id| stack.planned(id));
    if is_idle(plan) {
        if changes_settings(plan) && planned_cluster.is_none_or(|planned| planned.exists) {
            check_settings(cx, stack, plan).await;
        }
        return;
    }
    if let Some(Planned { brokers, exists: false }) = planned_cluster {
        return against_brokers(plan, brokers);
    }
    let (admin, target) = match reach::find(stack, plan.planned.thing(), &plan.private).await {
        Ok(Place::There(there)) => (there.admin.until((Instant::now() + ASK).min(cx.deadline)), there.target),
        Ok(Place::Gone) => return plan.diagnostics.push(words::no_such_cluster_yet(plan.planned.cluster.text())),
        Err(diagnostic) => return plan.diagnostics.push(diagnostic),
    };
    let growing = planned_cluster.map(|planned| planned.brokers);
    let asked = match plan.prior.clone() {
        None => check_create(&admin, plan, growing, may_exist).await,
        Some(prior) => check_update(&admin, plan, &prior, growing).await,
    };
    let name = plan.planned.name.text();
    match asked {
        Ok(()) => {
            if let Err(other) = reach::same_kafka(plan.planned.thing(), &plan.private, target.as_ref(), &admin) {
                plan.diagnostics.push(other);
            }
        }
        Err(error @ Error::OtherCluster(_)) => plan.diagnostics.push(words::refused("check", name, &error)),
        Err(error) => plan.diagnostics.push(words::not_checked(name, &error)),
    }
}

/// Settings are the brokers' to judge, at apply. That these are another cluster's brokers is said before.
async fn check_settings(cx: &Context<'_, Stack>, stack: &Stack, plan: &mut Plan<Topic>) {
    let Ok(Place::There(there)) = reach::find(stack, plan.planned.thing(), &plan.private).await else { return };
    let admin = there.admin.until((Instant::now() + ASK).min(cx.deadline));
    if let Err(error @ Error::OtherCluster(_)) = admin.cluster().await {
        plan.diagnostics.push(words::refused("check", plan.planned.name.text(), &error));
    }
}

fn changes_settings(plan: &Plan<Topic>) -> bool {
    plan.prior.as_ref().is_some_and(|prior| !replaces(prior, &plan.planned) && prior.config != plan.planned.config)
}

/// Nothing changes that the number of brokers would have to do with.
fn is_idle(plan: &Plan<Topic>) -> bool {
    let Some(prior) = &plan.prior else { return false };
    let planned = &plan.planned;
    // A replacement is planned a second time, as a create.
    replaces(prior, planned) || (prior.partitions == planned.partitions && prior.replication_factor == planned.replication_factor)
}

async fn brokers(admin: &Admin, growing: Option<i64>) -> Result<(i64, i64), Error> {
    let live = i64::try_from(admin.cluster().await?.brokers.len()).unwrap_or(i64::MAX);
    Ok((live, growing.unwrap_or(live)))
}

/// A create that the brokers themselves check: name, settings, policies.
pub async fn check_create(admin: &Admin, plan: &mut Plan<Topic>, growing: Option<i64>, may_exist: bool) -> Result<(), Error> {
    let (live, will_be) = brokers(admin, growing).await?;
    against_brokers(plan, will_be);
    if plan.diagnostics.has_errors() {
        return Ok(());
    }
    let planned = &plan.planned;
    let mut new = new_topic(planned, default_factor(live));
    // With fewer brokers than there will be, the rest can be checked all the same.
    new.replication_factor = new.replication_factor.min(i16::try_from(live).unwrap_or(i16::MAX)).max(1);
    let name = planned.name.text();
    match admin.create_topic(&new, true).await {
        Ok(created) => {
            let in_sync = created.configs.iter().flatten().find(|entry| entry.name == "min.insync.replicas");
            let in_sync = in_sync.and_then(|entry| entry.value.as_deref()?.parse::<i64>().ok());
            let factor = planned.replication_factor.unwrap_or(1);
            if let Some(in_sync) = in_sync.filter(|in_sync| *in_sync > factor) {
                plan.diagnostics.push(words::inherits_too_many_in_sync(name, in_sync, factor));
            }
        }
        Err(error) if error.is(Class::TopicExists) && !may_exist => {
            plan.diagnostics.push(words::exists_at_plan(planned.id.text(), name));
        }
        Err(error) if matches!(error.class(), Some(Class::TopicExists | Class::MarkedForDeletion)) => {}
        Err(error) => match error.class() {
            Some(
                Class::InvalidConfig
                | Class::PolicyViolation
                | Class::InvalidName
                | Class::InvalidPartitions
                | Class::InvalidReplicationFactor,
            ) => plan.diagnostics.push(words::refused("create", name, &error)),
            _ => return Err(error),
        },
    }
    Ok(())
}

/// What a change of partitions or replicas means to the running topic.
pub async fn check_update(admin: &Admin, plan: &mut Plan<Topic>, prior: &Topic, growing: Option<i64>) -> Result<(), Error> {
    let name = plan.planned.name.text().to_owned();
    if let (Some(old), Some(new)) = (prior.partitions.known(), plan.planned.partitions.known())
        && new > old
        && is_compacted(admin, &plan.planned).await?
    {
        plan.diagnostics.push(words::keys_move(&name, *old, *new));
    }
    if let (Some(old), Some(new)) = (prior.replication_factor.known(), plan.planned.replication_factor.known().copied())
        && new != *old
    {
        let (_, will_be) = brokers(admin, growing).await?;
        against_brokers(plan, will_be);
        if admin.apis().await?.offered(REASSIGN).is_none()
            && let Err(error) = admin.list_reassignments().await
        {
            plan.diagnostics.push(words::cannot_move(*old, new, &error));
        } else if !plan.diagnostics.has_errors() {
            plan.diagnostics.push(words::data_moves(&name, *old, new));
        }
    }
    Ok(())
}

async fn is_compacted(admin: &Admin, planned: &Topic) -> Result<bool, Error> {
    let compacts = |policy: &str| policy.contains("compact");
    if let Some(policy) = planned.config.known().and_then(|config| config.get("cleanup.policy")) {
        return Ok(compacts(policy));
    }
    let seen = look(admin, planned.name.text(), false).await?;
    Ok(seen.is_some_and(|seen| seen.effective("cleanup.policy").is_some_and(compacts)))
}

/// The create that makes a planned topic; `factor` where the plan could not tell.
pub fn new_topic(planned: &Topic, factor: i64) -> NewTopic {
    let config = planned.config.unwrap_or_default();
    NewTopic {
        name: planned.name.text().to_owned(),
        partitions: i32::try_from(planned.partitions.unwrap_or(1)).unwrap_or(i32::MAX),
        replication_factor: i16::try_from(planned.replication_factor.unwrap_or(factor)).unwrap_or(i16::MAX),
        configs: config.iter().map(|(key, value)| (key.clone(), setting::sent(key, value))).collect(),
    }
}
