//! Takes a pod away, so that it comes back with the wanted specification: exactly the one that was looked at, and only while nobody
//! else takes pods away. Network.

use super::Spec;
use super::roll::Pod;
use crate::kubernetes::beats::Beats;
use crate::kubernetes::client::{Delete, Eviction};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind};
use crate::stack::{Stack, names};

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Taking {
    /// It goes.
    Taken,
    /// It is not the one any more that was looked at.
    Changed,
    /// Somebody else has a say in it, and does not let it go now: why.
    Held(String),
}

/// What the API server says then.
const SEVERAL_BUDGETS: &str = "more than one PodDisruptionBudget";

/// What takes the pods of a workload away.
#[derive(Default)]
pub struct Taker {
    drills: Beats,
}

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
        if serves && !alone {
            match stack.kubernetes.evict(&key, &pod.uid, Some(&pod.version)).await {
                Ok(Eviction::Evicted) => return Ok(Taking::Taken),
                Ok(Eviction::Missed) => return Ok(Taking::Changed),
                Ok(Eviction::Held(why)) => return Ok(Taking::Held(format!("the eviction of {}: {why}", pod.name))),
                // A neighbour's budget selects our pods too, and then the server asks neither.
                Err(failure) if failure.message.contains(SEVERAL_BUDGETS) => {}
                Err(failure) => return Err(failure),
            }
        }
        let how = Delete { uid: Some(pod.uid.clone()), version: Some(pod.version.clone()), ..Delete::default() };
        match stack.kubernetes.delete(&key, how).await {
            Ok(true) => Ok(Taking::Taken),
            Ok(false) | Err(Failure { class: Class::Stale | Class::NotFound, .. }) => Ok(Taking::Changed),
            Err(failure) => Err(failure),
        }
    }

    /// The cluster on which a drill runs that may take pods of this workload away.
    async fn drilled<M: Spec>(&mut self, stack: &Stack, spec: &M) -> Result<Option<String>, Failure> {
        for id in spec.drilled(stack).await? {
            let found = stack.kubernetes.get(&names::drill(&id.namespace, &id.name)).await?;
            if found.is_some_and(|found| self.drills.may_live(&found)) {
                return Ok(Some(id.to_string()));
            }
        }
        Ok(None)
    }
}
