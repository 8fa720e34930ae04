//! The clusters that keep their metadata in an ensemble. Each wrote itself into the ensemble's anchor; one that is gone, or moved
//! to another ensemble, counts no more. Network.

use super::schema::Ensemble;
use crate::kubernetes::failure::{Class, Failure};
use crate::resources::owned::is_ours;
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::Record;
use crate::stack::Stack;
use crate::stack::cluster::CLUSTER;
use crate::stack::names::{Id, workload_in};

/// Those that are still there.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn present(stack: &Stack, ensemble: &Ensemble, record: &Record) -> Result<Vec<String>, Failure> {
    let id = Id::new(ensemble.namespace(), ensemble.name());
    let mut present = Vec::new();
    for user in record.users.iter().filter_map(|user| Id::parse(user)) {
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
