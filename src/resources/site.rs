//! The ids of a cluster and of its ensemble -> the stack that they name, from the anchors of both. Network.

use crate::diagnostics::{self, topic};
use crate::drill::facts::Service;
use crate::drill::look::{Site, Workload};
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::cluster::schema::Cluster;
use crate::resources::topic::schema::split_cluster;
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::{self, Anchor};
use crate::resources::workload::pod::{self, pod_dns};
use crate::resources::zookeeper_ensemble::objects::{CLIENT, hosts, id_in};
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::{Stack, Target};

/// Finds the stack. Where no ensemble is named, it is the one that the cluster's connection names.
///
/// # Errors
/// When Kubernetes cannot be asked, or has no such cluster or ensemble of the provider's.
pub async fn find(stack: &Stack, cluster: &str, ensemble: Option<&str>) -> Result<Site, Diagnostic> {
    let found = anchored::<Cluster>(stack, cluster).await?;
    let (cluster, cluster_id) = found.ok_or_else(|| topic::no_such_cluster(cluster))?;
    let ensemble = match ensemble {
        Some(id) => Some(anchored::<Ensemble>(stack, id).await?.ok_or_else(|| diagnostics::no_such_ensemble(id))?),
        None => match id_in(cluster.zookeeper.known().map_or("", |zookeeper| zookeeper.connection.text())) {
            Some(id) => anchored::<Ensemble>(stack, &id).await?,
            None => None,
        },
    };
    let target = Target { cluster_id: cluster.proof(stack, cluster_id), ..cluster.target() };
    let brokers = (0..target.brokers).map(|i| pod_dns(&target.namespace, &target.name, i)).collect();
    Ok(Site {
        kubernetes: stack.kubernetes.clone(),
        admin: stack.admin(&target),
        brokers: workload(stack, &cluster, Service::Kafka, brokers, target.port),
        ensemble: ensemble.map(|(ensemble, _)| {
            let port = u16::try_from(CLIENT).unwrap_or_default();
            workload(stack, &ensemble, Service::Zookeeper, hosts(&ensemble), port)
        }),
    })
}

/// What the anchor with this id says was applied, and Kafka's own id where it is a cluster's.
async fn anchored<M: Spec>(stack: &Stack, id: &str) -> Result<Option<(M, Option<String>)>, Diagnostic> {
    let Some((namespace, name)) = split_cluster(id) else { return Ok(None) };
    let found = stack.kubernetes.get(&anchor::key(namespace, name)).await?;
    Ok(found.and_then(|object| Some((Anchor::<M>::read(&object)?.spec, anchor::cluster_id(&object)))))
}

fn workload<M: Spec>(stack: &Stack, spec: &M, service: Service, hosts: Vec<String>, port: u16) -> Workload {
    Workload {
        service,
        namespace: spec.namespace().to_owned(),
        name: spec.name().to_owned(),
        selector: pod::Workload::query(M::APP, spec.name()),
        hosts,
        port,
        dialer: stack.dialer(spec.namespace(), spec.name()),
    }
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
