//! Asks Kubernetes and the brokers for everything that drift is seen by. Network.

use super::compare::{Applied, Looked, Seen, Topic};
use super::schema::StackDrift;
use crate::diagnostics;
use crate::kafka::{Admin, Error, Source};
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::cluster::schema::Cluster;
use crate::resources::owned::MANAGED_BY;
use crate::resources::workload::Spec;
use crate::resources::workload::anchor::Anchor;
use crate::resources::workload::apply;
use crate::resources::zookeeper_ensemble::schema::Ensemble;
use crate::stack::Stack;
use crate::stack::names::{self, Id};
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long the brokers may take to answer: the objects are told of all the same.
const ANSWER: Duration = Duration::from_secs(20);

/// The kinds of object that a stack is made of, or that could be taken for a part of it.
const KINDS: [Kind; 6] =
    [Kind::StatefulSet, Kind::Service, Kind::ConfigMap, Kind::PodDisruptionBudget, Kind::PersistentVolumeClaim, Kind::Pod];

/// Looks at everything.
///
/// # Errors
/// When Kubernetes does not answer, or something is forbidden. Brokers that do not answer are part of what is seen.
pub async fn look(stack: &Stack, asked: &StackDrift) -> Result<Seen, Diagnostic> {
    let cluster = anchored::<Cluster>(stack, asked.cluster.text()).await?;
    let target = match Id::parse(asked.cluster.text()) {
        Some(id) => stack.cluster(&id, None).await?,
        None => None,
    };
    let mut workloads = vec![workload(stack, cluster).await?];
    if let Some(id) = asked.zookeeper_ensemble.known() {
        let ensemble = anchored::<Ensemble>(stack, id).await?;
        workloads.push(workload(stack, ensemble).await?);
    }
    let objects = objects(stack, &workloads).await?;
    let topics = match (&target, asked.topics.known()) {
        (Some(target), Some(_)) => match topics(&stack.admin(target).until(Instant::now() + ANSWER)).await {
            Ok(topics) => Some(Ok(topics)),
            Err(error) if error.is_unreachable() || matches!(error, Error::OtherCluster(_)) => Some(Err(error.to_string())),
            Err(error) => return Err(diagnostics::kafka(&format!("look at the topics of {}", asked.cluster.text()), &error)),
        },
        _ => None,
    };
    Ok(Seen { workloads, objects, topics })
}

/// A workload, and what its anchor says.
struct Anchored<M> {
    namespace: String,
    name: String,
    anchor: Option<Anchor<M>>,
}

async fn anchored<M: Spec>(stack: &Stack, id: &str) -> Result<Anchored<M>, Failure> {
    let Id { namespace, name } = Id::parse(id).unwrap_or_else(|| Id::new("", ""));
    let found = stack.kubernetes.get(&names::anchor(&namespace, &name)).await?;
    let anchor = found.as_ref().and_then(Anchor::<M>::read);
    Ok(Anchored { namespace, name, anchor })
}

async fn workload<M: Spec>(stack: &Stack, anchored: Anchored<M>) -> Result<Looked, Failure> {
    let Anchored { namespace, name, anchor } = anchored;
    let applied = match anchor {
        None => None,
        Some(Anchor { phase, spec, record, .. }) => {
            let (live, wanted) = (apply::look(stack, &spec).await?, spec.objects());
            Some(Applied { phase, live, wanted, roles: spec.roles(), templates: record.templates })
        }
    };
    Ok(Looked { resource: M::RESOURCE, namespace, name, applied })
}

/// Every object with the provider's label or that of one of the workloads, in their namespaces.
async fn objects(stack: &Stack, workloads: &[Looked]) -> Result<Vec<Object>, Failure> {
    let mut queries = Vec::new();
    for Looked { namespace, name, .. } in workloads {
        for labels in [format!("{}={}", MANAGED_BY.0, MANAGED_BY.1), format!("app.kubernetes.io/instance={name}")] {
            queries.extend(KINDS.map(|kind| (kind, namespace.as_str(), labels.clone())));
        }
    }
    queries.sort();
    queries.dedup();
    let lists = queries.iter().map(|(kind, namespace, labels)| stack.kubernetes.list(*kind, Some(namespace), labels));
    let found: BTreeMap<_, _> = try_join_all(lists).await?.into_iter().flatten().map(|object| (object.key(), object)).collect();
    Ok(found.into_values().collect())
}

/// Every topic with what is set on it.
async fn topics(admin: &Admin) -> Result<Vec<Topic>, Error> {
    let found = admin.topics(None).await?;
    let names: Vec<&str> = found.iter().filter(|topic| !topic.internal).map(|topic| topic.name.as_str()).collect();
    let mut configs = admin.topic_configs(&names).await?;
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let topic = |topic: &crate::kafka::Topic| {
        let entries = configs.remove(&topic.name).unwrap_or_default();
        let own = entries.into_iter().filter(|entry| entry.source == Source::Topic);
        Topic {
            name: topic.name.clone(),
            partitions: number(topic.partitions.len()),
            replication_factor: number(topic.replication_factor()),
            config: own.filter_map(|entry| Some((entry.name, entry.value?))).collect(),
        }
    };
    Ok(found.iter().filter(|topic| !topic.internal).map(topic).collect())
}
