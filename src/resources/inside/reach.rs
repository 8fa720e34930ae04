//! Which cluster something is in -> the client that asks it. The anchor of a `kafkastack_cluster` says where its brokers are; what
//! it said last is kept in private state, so that it outlives an anchor that somebody deleted. Both hold the id by which
//! that Kafka is told from another one that answers under its names. Network.

use super::{Thing, words};
use crate::diagnostics;
use crate::kafka::Admin;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::operations::Private;
use crate::resources::owned::which::Which;
use crate::stack::cluster::CLUSTER;
use crate::stack::names::Id;
use crate::stack::{Stack, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where the cluster is.
pub enum Place {
    /// Its brokers can be asked.
    There(Box<There>),
    /// Kubernetes says that there is no such cluster: neither anchor nor StatefulSet.
    Gone,
}

/// A cluster whose brokers can be asked.
pub struct There {
    /// The client that asks them.
    pub admin: Admin,
    /// Where they are; none where it is not a `kafkastack_cluster`.
    pub target: Option<Target>,
    /// Which Kubernetes cluster it is in.
    pub which: Which,
}

/// The key under which private state keeps where the cluster is.
const TARGET: &str = "target";

/// The key under which private state keeps the id of the Kafka that answered.
const KAFKA: &str = "kafka_id";

/// The id of the Kafka that answered, where it lasts: what keeps its data in its pods becomes another Kafka when all of them are new.
fn lasting_id(target: Option<&Target>, admin: &Admin) -> Option<String> {
    admin.known_id().filter(|_| target.is_none_or(|target| target.cluster_id.is_some()))
}

/// What private state keeps of a target, and of the Kafka that answered for it.
pub fn remember(which: &Which, target: Option<&Target>, admin: &Admin) -> Private {
    let text =
        |target: &Target| json!({"port": target.port, "brokers": target.brokers, "cluster_id": target.cluster_id}).to_string();
    let target_text = target.map(|target| (TARGET.to_owned(), text(target)));
    let kafka = lasting_id(target, admin).map(|id| (KAFKA.to_owned(), id));
    which.keep(target_text.into_iter().chain(kafka).collect())
}

/// Whether the state is about what another Kafka answers for now.
///
/// # Errors
/// That it is, in words.
pub fn same_kafka(thing: Thing<'_>, private: &Private, target: Option<&Target>, admin: &Admin) -> Result<(), Diagnostic> {
    match (private.get(KAFKA), lasting_id(target, admin)) {
        (Some(kept), Some(now)) if *kept != now => Err(words::other_cluster(thing, kept, &now)),
        _ => Ok(()),
    }
}

/// Whether the cluster was made anew, as its own anchor says, since the state was written: what was in it went with it.
pub fn is_made_anew(private: &Private, target: Option<&Target>, admin: &Admin) -> bool {
    let noted = target.and_then(|target| target.cluster_id.as_ref());
    // What is recalled without an anchor is what the state knows.
    noted.is_some() && noted == admin.known_id().as_ref() && private.get(KAFKA).is_some_and(|kept| Some(kept) != noted)
}

/// Which Kubernetes cluster a named cluster is in.
async fn which(stack: &Stack, thing: Thing<'_>, private: &Private) -> Result<Which, Diagnostic> {
    if thing.cluster.is_empty() {
        return Ok(Which::default());
    }
    Which::meant(&Which::kept(private), stack, None, thing.resource, thing.id).await
}

fn recall(private: &Private, id: &Id) -> Option<Target> {
    let kept: Value = serde_json::from_str(private.get(TARGET)?).ok()?;
    let port = u16::try_from(kept.get("port")?.as_u64()?).ok()?;
    let brokers = kept.get("brokers")?.as_i64()?;
    let cluster_id = kept.get("cluster_id").and_then(Value::as_str).map(str::to_owned);
    Some(Target { id: id.clone(), port, brokers, cluster_id })
}

/// Finds the cluster of a thing by its id, which is known; empty where the provider's own settings say which.
///
/// # Errors
/// When Kubernetes cannot be asked, or is another one than the state is about; or the provider names no cluster of its own.
pub async fn find(stack: &Stack, thing: Thing<'_>, private: &Private) -> Result<Place, Diagnostic> {
    let which = which(stack, thing, private).await?;
    let Some(id) = Id::parse(thing.cluster) else {
        let admin = stack.own_admin().ok_or_else(words::no_cluster)?;
        return Ok(Place::There(Box::new(There { admin, target: None, which })));
    };
    let target = stack.cluster(&id, recall(private, &id)).await?;
    let there = |target: Target| There { admin: stack.admin(&target), target: Some(target), which };
    Ok(target.map_or(Place::Gone, |target| Place::There(Box::new(there(target)))))
}

/// How a cluster stands, as Kubernetes sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A broker is ready, or nobody says otherwise.
    Serves,
    /// None of its brokers is ready.
    Silent,
    /// It has no brokers: its StatefulSet is gone, or scaled to nothing.
    Off,
}

/// How the cluster stands. One that is not a `kafkastack_cluster` is taken to serve.
pub async fn standing(stack: &Stack, target: Option<&Target>) -> Standing {
    let Some(target) = target else { return Standing::Serves };
    match stack.kubernetes.get(&target.id.set()).await {
        Ok(Some(set)) if set.int("/spec/replicas") == Some(0) => Standing::Off,
        Ok(Some(set)) if set.int("/status/readyReplicas").unwrap_or(0) == 0 => Standing::Silent,
        Ok(None) => Standing::Off,
        Ok(Some(_)) | Err(_) => Standing::Serves,
    }
}

/// Whether what was applied last protects the cluster. One without an anchor is protected.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn is_protected(stack: &Stack, target: Option<&Target>) -> Result<bool, Diagnostic> {
    let Some(target) = target else { return Ok(true) };
    let profile = stack.profile(&target.id, CLUSTER).await?;
    Ok(profile.is_none_or(|profile| profile.deletion_protection))
}

/// Since when clusters do not answer, for everything of one run together: each would wait again for what another has waited for.
#[derive(Default)]
pub struct Away(Mutex<BTreeMap<String, Instant>>);

impl Away {
    /// For how long a cluster has not answered, this failure included.
    pub fn failed(&self, cluster: &str) -> Duration {
        let mut away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        away.entry(cluster.to_owned()).or_insert_with(Instant::now).elapsed()
    }

    /// For how long none of its brokers has been ready.
    pub fn silent(&self, cluster: &str, standing: Standing) -> Duration {
        if standing != Standing::Serves {
            return self.failed(cluster);
        }
        self.answered(cluster);
        Duration::ZERO
    }

    /// It answers.
    pub fn answered(&self, cluster: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
    }
}

/// The cluster, to be asked, and what private state is to keep of it.
///
/// # Errors
/// When it is not there, is not known to be, or is another one than the state is about.
pub async fn there(stack: &Stack, thing: Thing<'_>, private: &Private) -> Result<(Admin, Private), Diagnostic> {
    match find(stack, thing, private).await? {
        Place::There(there) => {
            let There { admin, target, which } = *there;
            // Its id is known by then; that nobody answers is for the caller to find out.
            let _ = admin.cluster().await;
            same_kafka(thing, private, target.as_ref(), &admin)?;
            let keep = remember(&which, target.as_ref(), &admin);
            Ok((admin, keep))
        }
        Place::Gone => Err(diagnostics::no_such_cluster(thing.cluster)),
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
