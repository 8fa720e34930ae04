//! The configurations of pods: each is a ConfigMap that never changes, named by its content, so a pod that a roll has not reached
//! starts again with the one that it had. One goes when no pod uses it any more. Network.

use super::sets::all;
use super::{Spec, template};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::resources::owned::MANAGED_BY;
use crate::resources::owned::delete::delete_this;
use crate::stack::Stack;
use crate::stack::names;
use std::collections::BTreeSet;

/// The configurations of a workload, wanted and earlier ones; none for who may not list ConfigMaps.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn configurations<M: Spec>(stack: &Stack, spec: &M) -> Result<Vec<Object>, Failure> {
    let labels = format!("{}={},{}", MANAGED_BY.0, MANAGED_BY.1, names::query(M::APP, spec.name()));
    let mut found = match stack.kubernetes.list(Kind::ConfigMap, Some(spec.namespace()), &labels).await {
        Err(Failure { class: Class::Forbidden { .. }, .. }) => Vec::new(),
        listed => listed?,
    };
    let roles = spec.roles();
    found.retain(|object| roles.iter().any(|role| names::is_configuration(object.name(), &role.names.set)));
    Ok(found)
}

/// Removes the configurations that are not wanted any more and that no pod uses. What cannot be removed stays until the next
/// apply: it does no harm.
pub async fn tidy<M: Spec>(stack: &Stack, spec: &M) {
    let removed = async {
        let found = configurations(stack, spec).await?;
        let wanted: BTreeSet<_> = spec.objects().iter().map(Object::key).collect();
        let old: Vec<&Object> = found.iter().filter(|object| !wanted.contains(&object.key())).collect();
        if old.is_empty() {
            return Ok(());
        }
        let pods = all(stack, Kind::Pod, spec.namespace(), &spec.roles()).await?;
        let used: BTreeSet<&str> = pods.iter().flat_map(template::config_maps).collect();
        for object in old.into_iter().filter(|object| !used.contains(object.name())) {
            delete_this(&stack.kubernetes, object).await?;
        }
        Ok::<_, Failure>(())
    };
    if let Err(failure) = removed.await {
        tracing::debug!(%failure, "an old configuration stays");
    }
}
