//! One drill at a time on a cluster, and one that was killed is cleaned up after: a ConfigMap, `<cluster>-kafkastack-drill`, made
//! before anything else and removed last, names what the drill makes. It is written anew every two seconds; one that stands still
//! belongs to a run that was killed. No clock is compared: who waits sees whether it changes. Network.

use super::limits::{Halt, Limits};
use crate::kubernetes::beats::{BEAT, DEAD};
use crate::kubernetes::{Class, Delete, Failure, Key, Kubernetes, Object};
use serde_json::json;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two looks at another one.
const LOOK: Duration = Duration::from_millis(500);

const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", crate::kubernetes::client::FIELD_MANAGER);

/// What a drill makes, and has to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// The topic; also the consumer group.
    pub topic: String,
    /// The znode.
    pub znode: String,
}

/// Why there is no claim.
#[derive(Debug, Error)]
pub enum Unclaimed {
    /// Another drill runs.
    #[error("another drill runs on this cluster: {0}")]
    Busy(String),
    /// An object of that name that is not a drill's.
    #[error("{0} is there, and no drill made it")]
    Taken(Key),
    /// Kubernetes refuses.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The drill has to end first.
    #[error(transparent)]
    Halted(#[from] Halt),
}

/// The claim of a drill that runs.
pub struct Claim {
    kubernetes: Kubernetes,
    key: Key,
    /// What a run that was killed left, and this one has to remove.
    pub earlier: Option<Traces>,
    live: Object,
    beat: u64,
}

impl Claim {
    /// Claims the cluster for a drill that makes `traces`. After one that was killed the claim names what that one left, until
    /// [`Claim::name`].
    ///
    /// # Errors
    /// See [`Unclaimed`].
    pub async fn take(kubernetes: &Kubernetes, key: Key, traces: &Traces, limits: &Limits) -> Result<Self, Unclaimed> {
        let wanted = object(&key, traces, 0);
        loop {
            match kubernetes.create(&wanted).await {
                Ok(live) => return Ok(Self { kubernetes: kubernetes.clone(), key, earlier: None, live, beat: 0 }),
                Err(Failure { class: Class::AlreadyExists, .. }) => {}
                Err(failure) => return Err(failure.into()),
            }
            let Some(found) = kubernetes.get(&key).await? else { continue };
            if found.labels().get(MANAGED_BY.0).copied() != Some(MANAGED_BY.1) {
                return Err(Unclaimed::Taken(key));
            }
            let earlier = Traces { topic: found.text("/data/topic").to_owned(), znode: found.text("/data/znode").to_owned() };
            if !stands_still(kubernetes, &found, limits).await? {
                continue;
            }
            // The names of what is left stay in it until that is removed.
            let mut taken = object(&key, &earlier, 0);
            taken.set_metadata("resourceVersion", found.resource_version().into());
            match kubernetes.replace(&taken).await {
                Ok(live) => return Ok(Self { kubernetes: kubernetes.clone(), key, earlier: Some(earlier), live, beat: 0 }),
                Err(Failure { class: Class::Stale | Class::NotFound, .. }) => return Err(Unclaimed::Busy(earlier.topic)),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Names what this drill makes, in the place of what an earlier one left.
    ///
    /// # Errors
    /// When Kubernetes refuses, or somebody else has it.
    pub async fn name(&mut self, traces: &Traces) -> Result<(), Failure> {
        self.beat += 1;
        let mut next = object(&self.key, traces, self.beat);
        next.set_metadata("resourceVersion", self.live.resource_version().into());
        self.live = self.kubernetes.replace(&next).await?;
        Ok(())
    }

    /// Shows from now on that the drill runs; `limits` end when the claim is lost.
    pub fn keep(mut self, traces: Traces, limits: &Limits) -> Kept {
        let (stop, mut stopped) = watch::channel(false);
        let displaced = limits.displaced.clone();
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return self,
                    () = tokio::time::sleep(BEAT) => {}
                }
                // A server that is away for a moment takes nothing away.
                if let Err(Failure { class: Class::Stale | Class::NotFound, .. }) = self.name(&traces).await {
                    displaced.cancel();
                }
            }
        });
        Kept { stop, task }
    }
}

/// A claim that is kept alive.
pub struct Kept {
    stop: watch::Sender<bool>,
    task: JoinSet<Claim>,
}

impl Kept {
    /// Gives it up: everything is removed.
    ///
    /// # Errors
    /// When the ConfigMap may still be there.
    pub async fn release(mut self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        let Some(Ok(claim)) = self.task.join_next().await else { return Ok(()) };
        let how = Delete { uid: Some(claim.live.uid().to_owned()), ..Delete::default() };
        match claim.kubernetes.delete(&claim.key, how).await {
            Ok(_) | Err(Failure { class: Class::Stale, .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Lets it stand as it is, because something is left: the next run finds it.
    pub fn abandon(self) {
        drop(self);
    }
}

fn object(key: &Key, traces: &Traces, beat: u64) -> Object {
    let data = json!({"topic": traces.topic, "znode": traces.znode, "beat": beat.to_string()});
    Object::of(key, json!({"metadata": {"labels": {MANAGED_BY.0: MANAGED_BY.1}}, "data": data}))
}

/// Watches another drill's ConfigMap: true when nobody writes it any more, false when it is gone.
async fn stands_still(kubernetes: &Kubernetes, found: &Object, limits: &Limits) -> Result<bool, Unclaimed> {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < DEAD {
        limits.pause(LOOK).await?;
        match kubernetes.get(&found.key()).await? {
            None => return Ok(false),
            Some(now) if now.resource_version() != found.resource_version() => {
                return Err(Unclaimed::Busy(found.text("/data/topic").to_owned()));
            }
            Some(_) => {}
        }
    }
    Ok(true)
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
