//! Which cluster something is in -> the client that asks it. The anchor of a `kafkastack_cluster` says where its brokers are; what
//! it said last is kept in private state, so that it outlives an anchor that somebody deleted. Both hold the id by which
//! that Kafka is told from another one that answers under its names. Network.

use super::words;
use crate::diagnostics;
use crate::kafka::Admin;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::operations::Private;
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
    /// Its brokers can be asked; the target where it is a `kafkastack_cluster`.
    There(Admin, Option<Target>),
    /// Kubernetes says that there is no such cluster: neither anchor nor StatefulSet.
    Gone,
}

/// The key under which private state keeps where the cluster is.
const TARGET: &str = "target";

/// What private state keeps of a target.
pub fn remember(target: Option<&Target>) -> Private {
    let text =
        |target: &Target| json!({"port": target.port, "brokers": target.brokers, "cluster_id": target.cluster_id}).to_string();
    target.map(|target| (TARGET.to_owned(), text(target))).into_iter().collect()
}

fn recall(private: &Private, id: &Id) -> Option<Target> {
    let kept: Value = serde_json::from_str(private.get(TARGET)?).ok()?;
    let port = u16::try_from(kept.get("port")?.as_u64()?).ok()?;
    let brokers = kept.get("brokers")?.as_i64()?;
    let cluster_id = kept.get("cluster_id").and_then(Value::as_str).map(str::to_owned);
    Some(Target { id: id.clone(), port, brokers, cluster_id })
}

/// Finds a cluster by its id, which is known; empty where the provider's own settings say which.
///
/// # Errors
/// When Kubernetes cannot be asked, or the provider names no cluster of its own.
pub async fn find(stack: &Stack, cluster: &str, private: &Private) -> Result<Place, Diagnostic> {
    let Some(id) = Id::parse(cluster) else {
        return stack.own_admin().map(|admin| Place::There(admin, None)).ok_or_else(words::no_cluster);
    };
    let target = stack.cluster(&id, recall(private, &id)).await?;
    Ok(target.map_or(Place::Gone, |target| Place::There(stack.admin(&target), Some(target))))
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

/// The cluster, to be asked.
///
/// # Errors
/// When it is not there, or is not known to be.
pub async fn there(stack: &Stack, cluster: &str, private: &Private) -> Result<(Admin, Private), Diagnostic> {
    match find(stack, cluster, private).await? {
        Place::There(admin, target) => Ok((admin, remember(target.as_ref()))),
        Place::Gone => Err(diagnostics::no_such_cluster(cluster)),
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
