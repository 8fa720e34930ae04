//! A topic as its cluster has it -> state. The looking is network, the rest is pure.

use super::schema::Topic;
use super::setting;
use super::step::Seen;
use crate::kafka::{self, Admin, Error, Source};
use crate::plugin::model::Attr;
use std::collections::BTreeMap;

/// Looks at a topic; `None` when the controller says that it does not exist. `moves`: also at what moves.
///
/// # Errors
/// When the brokers cannot be asked: then nothing is known.
pub async fn look(admin: &Admin, name: &str, moves: bool) -> Result<Option<Seen>, Error> {
    let names = [name];
    let (mut topics, mut configs) = tokio::try_join!(admin.topics(Some(&names)), admin.topic_configs(&names))?;
    let Some(topic) = topics.pop() else { return Ok(None) };
    let moving = if moves { moving(admin, name).await? } else { Vec::new() };
    Ok(Some(Seen { topic, configs: configs.remove(name).unwrap_or_default(), moving }))
}

async fn moving(admin: &Admin, name: &str) -> Result<Vec<kafka::Reassignment>, Error> {
    match admin.list_reassignments().await {
        Ok(mut all) => {
            all.retain(|one| one.topic == name);
            Ok(all)
        }
        Err(Error::Unsupported { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The brokers of each partition, preferred leader first.
fn assignments(topic: &kafka::Topic) -> BTreeMap<String, String> {
    let ids = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    topic.partitions.iter().map(|partition| (partition.index.to_string(), ids(&partition.replicas))).collect()
}

fn number(n: usize) -> Attr<i64> {
    Attr::Known(i64::try_from(n).unwrap_or(i64::MAX))
}

/// State after a refresh: `state` with what is there. Settings that are not in it are not looked at, and those that have the
/// same value keep their spelling.
pub fn refreshed(state: &Topic, seen: &Seen) -> Topic {
    let mut now = state.clone();
    if let Some(config) = now.config.known_mut() {
        config.retain(|key, value| match seen.own(key) {
            Some(own) if setting::same(key, own, value) => true,
            Some(own) => {
                own.clone_into(value);
                true
            }
            None => false,
        });
    }
    now.partitions = number(seen.topic.partitions.len());
    now.replication_factor = number(seen.factor());
    now.topic_id = seen.topic.id.clone().into();
    now.assignments = Attr::Known(assignments(&seen.topic));
    now
}

/// State after an update that stopped half-way: what is there of all that was managed before or `written` since. Where the topic
/// cannot be looked at, what was written is taken to be there: the next refresh drops what is not, and nothing is forgotten.
pub fn stopped(prior: &Topic, written: &BTreeMap<String, String>, seen: Option<&Seen>) -> Topic {
    let mut now = prior.clone();
    if !written.is_empty() {
        let config = prior.config.unwrap_or_default().into_iter().chain(written.clone()).collect();
        now.config = Attr::Known(config);
    }
    if let Some(seen) = seen {
        now = refreshed(&now, seen);
    }
    if prior.config.is_null() && now.config.known().is_some_and(BTreeMap::is_empty) {
        now.config = Attr::Null;
    }
    now
}

/// Whether a topic of the same name is not the one of the state. Brokers before 2.8 give no ids.
pub fn is_another(state: &Topic, seen: &Seen) -> bool {
    matches!((state.topic_id.known(), &seen.topic.id), (Some(old), Some(new)) if old != new)
}

/// State of an import: everything that is set on the topic itself is taken as declared.
pub fn imported(identity: Topic, seen: &Seen) -> Topic {
    let own = seen.configs.iter().filter(|entry| entry.source == Source::Topic);
    let config: BTreeMap<_, _> = own.filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?))).collect();
    let config = if config.is_empty() { Attr::Null } else { Attr::Known(config) };
    refreshed(&Topic { config, deletion_protection: Attr::Known(false), ..identity }, seen)
}

/// State after an apply: what was planned, and what only the cluster knows. Nothing is seen where it took too long to show.
pub fn applied(planned: &Topic, seen: Option<&Seen>) -> Topic {
    let mut now = planned.clone();
    let fill = |attr: &mut Attr<i64>, n: Option<usize>| {
        if attr.is_unknown() {
            *attr = n.map_or(Attr::Null, number);
        }
    };
    fill(&mut now.replication_factor, seen.map(Seen::factor));
    if now.topic_id.is_unknown() {
        now.topic_id = seen.and_then(|seen| seen.topic.id.clone()).into();
    }
    if now.assignments.is_unknown() {
        now.assignments = Attr::Known(seen.map(|seen| assignments(&seen.topic)).unwrap_or_default());
    }
    now
}
