//! The clusters that keep their metadata in an ensemble. Each wrote itself into the ensemble's anchor; one that is gone, or moved
//! to another ensemble, counts no more. Network.

use super::schema::Ensemble;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::resources::owned::{MANAGED_BY, is_ours};
use crate::resources::workload::Spec;
use crate::resources::workload::record::Record;
use crate::stack::Stack;
use crate::stack::cluster::CLUSTER;
use crate::stack::names::{self, Id, workload_in};
use crate::stack::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};

/// Those that are still there.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn present(stack: &Stack, ensemble: &Ensemble, record: &Record) -> Result<Vec<String>, Failure> {
    let id = Id::new(ensemble.namespace(), ensemble.name());
    let mut present = Vec::new();
    let beside = neighbours(stack, ensemble.namespace()).await?;
    let entered = record.users.iter().filter_map(|user| Id::parse(user));
    for user in entered.chain(beside.keys().cloned()).collect::<BTreeSet<Id>>() {
        let asked = match beside.get(&user) {
            Some(profile) => Ok(Some(profile.clone())),
            None => stack.profile(&user, CLUSTER).await,
        };
        let profile = match asked {
            Ok(profile) => profile,
            // Who may not look does not know that it is gone.
            Err(Failure { class: Class::Forbidden { .. }, .. }) => {
                present.push(format!("{user} (which may not be looked at)"));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let uses = match profile {
            Some(profile) => profile.zookeeper.as_deref().and_then(workload_in).as_ref() == Some(&id),
            // Without its anchor it may run all the same.
            None => stack.kubernetes.get(&user.set()).await?.as_ref().is_some_and(is_ours),
        };
        if uses {
            present.push(user.to_string());
        }
    }
    Ok(present)
}

/// The clusters beside it, whose entries an anchor that somebody deleted took with it; none for who may not list ConfigMaps.
async fn neighbours(stack: &Stack, namespace: &str) -> Result<BTreeMap<Id, Profile>, Failure> {
    let query = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
    let found = match stack.kubernetes.list(Kind::ConfigMap, Some(namespace), &query).await {
        Err(Failure { class: Class::Forbidden { .. } | Class::NamespaceMissing(_), .. }) => Vec::new(),
        listed => listed?,
    };
    let cluster = |anchor: &Object| {
        let profile = Profile::read(anchor, CLUSTER)?;
        Some((Id::new(namespace, names::anchored_by(anchor.name())?), profile))
    };
    Ok(found.iter().filter_map(cluster).collect())
}
