//! A chroot is one cluster's: brokers of a second one would take the first one's ids, or become brokers of it. Network.

use super::ensemble::{connection, is_same_ensemble, lodger_at};
use super::schema::Cluster;
use super::words;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::Anchor;
use crate::resources::workload::sets::claims;
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::Stack;
use crate::stack::names::{Id, workload_in};
use std::time::Duration;
use tokio::time::Instant;

/// How long brokers that were not stopped in order stay registered: as long as their session (18 s at most by default), and more.
const SESSION: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Where a cluster's metadata is, in its ensemble.
pub fn chroot(cluster: &Cluster) -> String {
    let zookeeper = cluster.zookeeper.unwrap_or_default();
    format!("/{}", zookeeper.chroot.text().trim_matches('/'))
}

/// Another cluster that keeps its metadata in the same place, as its own anchor says. `older`: only one that was there before.
pub async fn neighbour(stack: &Stack, cluster: &Cluster, older: bool) -> Result<Option<Id>, Failure> {
    let Some(ensemble) = workload_in(connection(cluster)) else { return Ok(None) };
    let Some(found) = look(stack, &ensemble).await? else { return Ok(None) };
    let Some(anchor) = Anchor::<Ensemble>::read(&found) else { return Ok(None) };
    let own = look(stack, &Id::new(cluster.namespace(), cluster.name())).await?;
    for id in anchor.record.users.iter().filter(|user| **user != cluster.id()).filter_map(|user| Id::parse(user)) {
        let Some(found) = look(stack, &id).await? else { continue };
        let Some(other) = Anchor::<Cluster>::read(&found) else { continue };
        let shares = is_same_ensemble(connection(&other.spec), connection(cluster)) && chroot(&other.spec) == chroot(cluster);
        let counts = !older || own.as_ref().is_none_or(|own| age(&found) < age(own));
        if shares && counts && comes_to_something(stack, &id, &other).await? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Whether it is one, or is being made: a create that was refused leaves its anchor alone.
async fn comes_to_something(stack: &Stack, id: &Id, other: &Anchor<Cluster>) -> Result<bool, Failure> {
    Ok(other.has_served() || other.run.is_some() || stack.kubernetes.get(&id.set()).await?.is_some())
}

/// Of two that were made at once, one is older for both.
fn age(anchor: &Object) -> (&str, &str) {
    (anchor.text("/metadata/creationTimestamp"), anchor.uid())
}

/// An anchor; none for who may not look there.
async fn look(stack: &Stack, id: &Id) -> Result<Option<Object>, Failure> {
    match stack.kubernetes.get(&id.anchor()).await {
        Err(Failure { class: Class::Forbidden { .. }, .. }) => Ok(None),
        found => found,
    }
}

/// Refuses a chroot in which another cluster lives; called before the first object of a new cluster is made. Says that metadata of an
/// earlier one is used again.
///
/// # Errors
/// That one lives there, or Kubernetes does not say. An ensemble that does not answer says nothing of it.
pub async fn enter(cx: &Context<'_, Stack>, cluster: &Cluster) -> Result<Diagnostics, Diagnostics> {
    let stack = cx.client()?;
    if let Some(other) = neighbour(stack, cluster, true).await? {
        return Err(words::shared_chroot(&other, &chroot(cluster)).into());
    }
    // Its own brokers are registered there, and may be.
    let id = Id::new(cluster.namespace(), cluster.name());
    if stack.kubernetes.get(&id.set()).await?.is_some() {
        return Ok(Diagnostics::new());
    }
    let begun = Instant::now();
    loop {
        let Ok(found) = lodger_at(stack, cluster).await else { return Ok(Diagnostics::new()) };
        if found.brokers.is_empty() {
            return Ok(earlier(stack, cluster, found.id.as_deref()).await?);
        }
        if begun.elapsed() >= SESSION {
            return Err(words::lived_in(&chroot(cluster), &found.brokers).into());
        }
        cx.say(&format!(
            "waiting for: the brokers that are registered under {} to go: {}",
            chroot(cluster),
            found.brokers.join(", ")
        ));
        cx.pause(LOOK_AGAIN).await.map_err(|_| words::lived_in(&chroot(cluster), &found.brokers))?;
    }
}

/// What there is to say of metadata whose data is gone.
async fn earlier(stack: &Stack, cluster: &Cluster, id: Option<&str>) -> Result<Diagnostics, Failure> {
    let Some(id) = id else { return Ok(Diagnostics::new()) };
    let wanted: Vec<String> = cluster.roles().iter().flat_map(|role| role.claims()).collect();
    let kept = claims(stack, cluster.namespace()).await?.iter().any(|claim| wanted.iter().any(|name| name == claim.name()));
    Ok(if kept { Diagnostics::new() } else { words::earlier_metadata(&chroot(cluster), id).into() })
}

#[cfg(test)]
#[path = "chroot_tests.rs"]
mod tests;
