//! The clusters that keep their metadata in an ensemble. Each wrote itself into the ensemble's anchor; one that is gone, or moved
//! to another ensemble, counts no more. Network.

use super::objects::id_in;
use super::schema::Ensemble;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind};
use crate::resources::cluster::{ensemble::connection, schema::Cluster};
use crate::resources::owned::is_ours;
use crate::resources::topic::schema::split_cluster;
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::{self, Anchor, Record};
use crate::stack::Stack;

/// Those that are still there.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn present(stack: &Stack, ensemble: &Ensemble, record: &Record) -> Result<Vec<String>, Failure> {
    let id = format!("{}/{}", ensemble.namespace(), ensemble.name());
    let mut present = Vec::new();
    for user in &record.users {
        let Some((namespace, name)) = split_cluster(user) else { continue };
        let found = match stack.kubernetes.get(&anchor::key(namespace, name)).await {
            Ok(found) => found,
            // Who may not look does not know that it is gone.
            Err(Failure { class: Class::Forbidden { .. }, .. }) => {
                present.push(format!("{user} (which may not be looked at)"));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let uses = match found.as_ref().and_then(Anchor::<Cluster>::read) {
            Some(anchor) => id_in(connection(&anchor.spec)).as_deref() == Some(&*id),
            // Without its anchor it may run all the same.
            None => stack.kubernetes.get(&Key::new(Kind::StatefulSet, namespace, name)).await?.as_ref().is_some_and(is_ours),
        };
        if uses {
            present.push(user.clone());
        }
    }
    Ok(present)
}
