//! A cluster and the ensemble that holds its metadata: it enters itself there, so that the ensemble is not destroyed under it, and
//! it changes to another connection only when that leads to the same metadata.

use super::schema::Cluster;
use super::words;
use crate::dial::DialError;
use crate::kubernetes::failure::{Class, Failure};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::Anchor;
use crate::resources::workload::record::Record;
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::Stack;
use crate::stack::ailments::{Ailment, of_members};
use crate::stack::cluster::ENSEMBLE;
use crate::stack::facts::Service;
use crate::stack::names::workload_in;
use crate::zookeeper::{Lodger, kafka_under};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long an ensemble may take to say what it holds.
const ANSWER: Duration = Duration::from_secs(10);
/// How often another run may be faster.
const TRIES: u32 = 5;

/// What a cluster's `zookeeper.connection` says.
pub fn connection(cluster: &Cluster) -> &str {
    cluster.zookeeper.known().map_or("", |zookeeper| zookeeper.connection.text())
}

/// Writes the cluster into the anchor of its ensemble, if that is a `kafkastack_zookeeper_ensemble`.
///
/// # Errors
/// When Kubernetes does not take it. Who may not write there is warned that nothing holds the ensemble back.
pub async fn enter(stack: &Stack, cluster: &Cluster) -> Result<Diagnostics, Failure> {
    let Some(id) = workload_in(connection(cluster)) else { return Ok(Diagnostics::new()) };
    let (user, key) = (cluster.id(), id.anchor());
    for attempt in 1.. {
        let entered = match stack.kubernetes.get(&key).await {
            Ok(Some(found)) => {
                let Some(anchor) = Anchor::<Ensemble>::read(&found) else { break };
                if anchor.record.users.contains(&user) {
                    break;
                }
                let entry = Record { users: [user.clone()].into(), ..Record::default() };
                let record = anchor.history().and(&entry);
                let mut object = Anchor { record, ..anchor }.object();
                object.set_metadata("resourceVersion", found.resource_version().into());
                stack.kubernetes.replace(&object).await.map(|_| ())
            }
            Ok(None) => break,
            Err(failure) => Err(failure),
        };
        match entered {
            Ok(()) => break,
            Err(Failure { class: Class::Stale, .. }) if attempt < TRIES => {}
            Err(failure) if matches!(failure.class, Class::Forbidden { .. }) => {
                return Ok(words::not_entered(&user, &id.to_string(), &failure).into());
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(Diagnostics::new())
}

/// Why no broker may be restarted, as far as its ensemble says: it has no quorum, and a broker that starts has to register there.
/// None where the ensemble is not one that the provider made, or may not be asked.
pub async fn lost_quorum(stack: &Stack, cluster: &Cluster) -> Option<String> {
    let id = workload_in(connection(cluster))?;
    let profile = stack.profile(&id, ENSEMBLE).await.ok()??;
    let members = stack.endpoints(Service::Zookeeper, &id, &profile);
    let modes = members.modes().await;
    let lost = of_members(&modes).into_iter().find(|ailment| matches!(ailment, Ailment::NoQuorum(..)))?;
    let first = members.dialer.dial(members.hosts.first()?, members.port).await;
    (!matches!(first, Err(DialError::NotAllowed(_)))).then(|| format!("{lost}, and a broker that starts has to register there"))
}

/// Whether two connections are of one ensemble: of one that the provider made, or with a member in common.
pub fn is_same_ensemble(old: &str, new: &str) -> bool {
    let members = |text: &str| text.split(',').map(|member| member.trim().to_ascii_lowercase()).collect::<BTreeSet<_>>();
    let ids = (workload_in(old), workload_in(new));
    (ids.0.is_some() && ids.0 == ids.1) || !members(old).is_disjoint(&members(new))
}

/// Refuses another connection, unless it is of the same ensemble or leads to this cluster's own metadata.
pub async fn check_change(stack: Option<&Stack>, applied: &Cluster, planned: &Cluster) -> Option<Diagnostic> {
    let (old, new) = (connection(applied), connection(planned));
    let unknown = planned.zookeeper.known().is_none_or(|zookeeper| zookeeper.connection.is_unknown());
    if unknown || old.is_empty() || is_same_ensemble(old, new) {
        return None;
    }
    let found = match stack {
        Some(stack) => lodger_at(stack, planned).await.map(|found| found.id),
        None => Err("the provider is not configured yet".to_owned()),
    };
    let own = applied.cluster_id.known();
    match (own, &found) {
        (Some(own), Ok(Some(found))) if own == found => None,
        _ => Some(words::connection_change(old, new, own.map(String::as_str), &found)),
    }
}

/// What the planned connection holds.
pub async fn lodger_at(stack: &Stack, planned: &Cluster) -> Result<Lodger, String> {
    let zookeeper = planned.zookeeper.unwrap_or_default();
    let id = workload_in(zookeeper.connection.text());
    let (namespace, name) = id.as_ref().map_or(("", ""), |id| (&*id.namespace, &*id.name));
    let member = |member: &str| {
        let (host, port) = member.rsplit_once(':')?;
        Some((host.to_owned(), port.parse().ok()?))
    };
    let members = zookeeper.connection.text().split(',').filter_map(member).collect();
    kafka_under(stack.dialer(namespace, name), members, zookeeper.chroot.text(), ANSWER).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_of_one_ensemble_by_its_name_or_by_a_common_member() {
        let of = |name: &str, members: std::ops::Range<u8>| {
            members.map(|i| format!("{name}-{i}.{name}-headless.prod.svc:2181")).collect::<Vec<_>>().join(",")
        };
        assert!(is_same_ensemble(&of("zk", 0..3), &of("zk", 0..5)));
        assert!(is_same_ensemble("zk-0.zk-headless.prod.svc:2181", "zk-1.zk-headless.prod.svc.cluster.local:2181"));
        assert!(is_same_ensemble("a:2181,b:2181", "B:2181,c:2181"));
        assert!(!is_same_ensemble(&of("zk", 0..3), &of("zk2", 0..3)));
        assert!(!is_same_ensemble("a:2181", "a:2182"));
        assert!(!is_same_ensemble("a:2181", &of("zk", 0..3)));
    }
}
