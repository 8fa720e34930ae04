//! The clusters that keep their metadata in an ensemble. Each wrote itself into the ensemble's anchor; one that is gone, or moved
//! to another ensemble, counts no more. Network.

use super::schema::Ensemble;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::Kind;
use crate::resources::owned::{MANAGED_BY, is_ours};
use crate::resources::workload::Spec;
use crate::resources::workload::record::Record;
use crate::stack::Stack;
use crate::stack::cluster::CLUSTER;
use crate::stack::names::{self, Id, workload_in};
use crate::stack::profile::Profile;
use std::collections::BTreeSet;

/// Those that are still there.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn present(stack: &Stack, ensemble: &Ensemble, record: &Record) -> Result<Vec<String>, Failure> {
    let id = Id::new(ensemble.namespace(), ensemble.name());
    let mut present = Vec::new();
    let entered = record.users.iter().filter_map(|user| Id::parse(user));
    let users: BTreeSet<Id> = entered.chain(neighbours(stack, ensemble.namespace()).await?).collect();
    for user in users {
        let profile = match stack.profile(&user, CLUSTER).await {
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
async fn neighbours(stack: &Stack, namespace: &str) -> Result<Vec<Id>, Failure> {
    let query = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
    let found = match stack.kubernetes.list(Kind::ConfigMap, Some(namespace), &query).await {
        Err(Failure { class: Class::Forbidden { .. } | Class::NamespaceMissing(_), .. }) => Vec::new(),
        listed => listed?,
    };
    let clusters = found.iter().filter(|anchor| Profile::read(anchor, CLUSTER).is_some());
    Ok(clusters.filter_map(|anchor| names::anchored_by(anchor.name()).map(|name| Id::new(namespace, name))).collect())
}
