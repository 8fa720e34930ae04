//! Takes a pod away, so that it comes back with the wanted specification: exactly the one that was looked at, and only while nobody
//! else takes pods away. Network.

use super::Spec;
use super::pod::Stage;
use super::roll::Pod;
use crate::kubernetes::beats::Beats;
use crate::kubernetes::client::{Delete, Eviction};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind};
use crate::stack::{Stack, names};
use std::time::Duration;
use tokio::time::Instant;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Taking {
    /// It goes. With why it was not evicted, where it would have been.
    Taken(Option<Failure>),
    /// It is not the one any more that was looked at.
    Changed,
    /// Somebody else has a say in it, and does not let it go now: why.
    Held(String),
}

/// What the API server says then.
const SEVERAL_BUDGETS: &str = "more than one PodDisruptionBudget";

/// Whether evictions are closed to us, so that a pod is deleted that nobody needs. A neighbour's budget may select our pods too, and
/// then the server asks neither; rights of an earlier release know no evictions.
fn may_not_evict(failure: &Failure) -> bool {
    failure.message.contains(SEVERAL_BUDGETS) || matches!(failure.class, Class::Forbidden { .. } | Class::Denied)
}

/// What takes the pods of a workload away.
#[derive(Default)]
pub struct Taker {
    drills: Beats,
    held: Option<Hold>,
}

/// Since when a budget holds a pod.
struct Hold {
    uid: String,
    since: Instant,
}

/// How long a budget may hold a pod that the kubelet does not call ready. Budgets count by the kubelet's word alone: where its probes fail
/// on several pods that serve, none would ever go, and neither would the change that mends the probes.
const HOLDS: Duration = Duration::from_secs(10);

impl Taker {
    /// Takes this pod away. `serves`: then it is evicted, because drains of nodes go by the same budget; one that does not serve is
    /// deleted, and so is one that is alone, because no budget can let it go.
    ///
    /// # Errors
    /// When Kubernetes refuses.
    pub async fn take<M: Spec>(&mut self, stack: &Stack, spec: &M, pod: &Pod, serves: bool) -> Result<Taking, Failure> {
        if let Some(cluster) = self.drilled(stack, spec).await? {
            return Ok(Taking::Held(format!("a drill on {cluster} to end")));
        }
        let key = Key::new(Kind::Pod, spec.namespace(), &*pod.name);
        let alone = spec.roles().iter().any(|role| role.replicas == 1 && role.names.ordinal_of_pod(&pod.name).is_some());
        let mut unasked = None;
        if serves && !alone {
            match stack.kubernetes.evict(&key, &pod.uid, Some(&pod.version)).await {
                Ok(Eviction::Evicted) => return Ok(Taking::Taken(None)),
                Ok(Eviction::Missed) => return Ok(Taking::Changed),
                Ok(Eviction::Held(why)) => match self.holds(pod) {
                    true => return Ok(Taking::Held(format!("the eviction of {}: {why}", pod.name))),
                    false => unasked = Some(Failure::new(format!("evict {}", pod.name), Class::Denied, why)),
                },
                Err(failure) if may_not_evict(&failure) => unasked = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        let how = Delete { uid: Some(pod.uid.clone()), version: Some(pod.version.clone()), ..Delete::default() };
        match stack.kubernetes.delete(&key, how).await {
            Ok(true) => Ok(Taking::Taken(unasked)),
            Ok(false) | Err(Failure { class: Class::Stale | Class::NotFound, .. }) => Ok(Taking::Changed),
            Err(failure) => Err(failure),
        }
    }

    /// Whether a budget that holds this pod is waited for.
    fn holds(&mut self, pod: &Pod) -> bool {
        let (uid, now) = (pod.uid.clone(), Instant::now());
        let hold = self.held.take().filter(|held| held.uid == uid).unwrap_or(Hold { uid, since: now });
        let waits = pod.stage == Stage::Ready || hold.since.elapsed() < HOLDS;
        self.held = Some(hold);
        waits
    }

    /// The cluster on which a drill runs that may take pods of this workload away.
    async fn drilled<M: Spec>(&mut self, stack: &Stack, spec: &M) -> Result<Option<String>, Failure> {
        for id in spec.drilled(stack).await? {
            let found = match stack.kubernetes.get(&names::drill(&id.namespace, &id.name)).await {
                // In a namespace of others: a drill that nobody lets us see cannot be respected.
                Err(Failure { class: Class::Forbidden { .. } | Class::Denied, .. }) => None,
                found => found?,
            };
            if found.is_some_and(|found| self.drills.may_live(&found)) {
                return Ok(Some(id.to_string()));
            }
        }
        Ok(None)
    }
}
