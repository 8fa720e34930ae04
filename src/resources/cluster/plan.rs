//! What the plan of a cluster asks the running one: whether brokers that would go still hold replicas, whether another
//! `zookeeper.connection` leads to its own metadata, and what the first listener of its pods is.

use super::objects::listeners;
use super::schema::{Cluster, Listener};
use super::words;
use super::{chroot, ensemble, min_insync};
use crate::diagnostics;
use crate::kubernetes::object::{Object, at};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::operations::{Plan, Private};
use crate::plugin::path::Path;
use crate::resources::owned::applied::applied;
use crate::resources::workload::Spec;
use crate::resources::workload::guard::Site;
use crate::stack::{Planned, Stack};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Completes the checks of a plan, and remembers the plan for those of topics.
pub async fn check(cx: &Context<'_, Stack>, plan: &mut Plan<Cluster>) {
    if let Some(prior) = plan.prior.clone().filter(|prior| *prior != plan.planned) {
        plan.diagnostics.extend(check_change(cx, &plan.private, &prior, &plan.planned).await);
    }
    let (Some(stack), Some(brokers)) = (cx.client, plan.planned.brokers.known().copied()) else { return };
    if let Some(id) = plan.planned.common.id.known() {
        stack.remember_plan(id, Planned { brokers, exists: plan.prior.is_some() });
    }
    let Some(prior) = &plan.prior else {
        if let Ok(Some(other)) = chroot::neighbour(stack, &plan.planned, false).await {
            plan.diagnostics.push(words::shares_chroot(&other, &chroot::chroot(&plan.planned)));
        }
        return;
    };
    let path = Path::of("brokers");
    if prior.brokers.unwrap_or(brokers) <= brokers {
        return check_min_insync(cx, stack, plan).await;
    }
    let target = match prior.proved_target(stack).await {
        Ok(target) => target,
        Err(failure) => return plan.diagnostics.push(failure.into()),
    };
    let admin = stack.admin(&target).until(cx.deadline);
    match admin.topics(None).await {
        Ok(topics) => {
            let leaving = |id: &i32| i64::from(*id) >= brokers;
            let held: BTreeSet<&str> = topics
                .iter()
                .filter(|topic| topic.partitions.iter().any(|partition| partition.replicas.iter().any(leaving)))
                .map(|topic| topic.name.as_str())
                .collect();
            if !held.is_empty() {
                plan.diagnostics.push(words::stranded(brokers, &held.into_iter().collect::<Vec<_>>()));
            }
        }
        Err(error) => {
            plan.diagnostics.push(diagnostics::kafka("see whether the brokers that would go hold replicas", &error).at(path))
        }
    }
}

/// How long a plan asks what more `min.insync.replicas` would stop: the apply sees to it in any case.
const ASK: Duration = Duration::from_secs(10);

/// Says which topics more brokers, or a setting, would stop, and that they are kept writable.
async fn check_min_insync(cx: &Context<'_, Stack>, stack: &Stack, plan: &mut Plan<Cluster>) {
    let Some(prior) = plan.prior.as_ref().filter(|prior| **prior != plan.planned) else { return };
    let applied = applied(&plan.private, prior);
    if plan.planned.config.is_unknown() || min_insync::default_of(&plan.planned) <= min_insync::default_of(&applied) {
        return;
    }
    let Ok(target) = prior.proved_target(stack).await else { return };
    let admin = stack.admin(&target).until((Instant::now() + ASK).min(cx.deadline));
    if let Ok(topics) = min_insync::of_change(&admin, &applied, &plan.planned).await
        && !topics.is_empty()
    {
        let (old, new) = (min_insync::default_of(&applied), min_insync::default_of(&plan.planned));
        plan.diagnostics.push(words::kept_writable(old, new, &topics).at(Path::of("brokers")));
    }
}

/// Refuses what brokers do not survive.
async fn check_change(cx: &Context<'_, Stack>, private: &Private, prior: &Cluster, planned: &Cluster) -> Diagnostics {
    let mut said = Diagnostics::new();
    // What was applied does not say what was seen.
    let applied = Cluster { cluster_id: prior.cluster_id.clone(), ..applied(private, prior) };
    if let Some(refused) = ensemble::check_change(cx.client, &applied, planned).await {
        said.push(refused.at(Path::of("zookeeper").attribute("connection")));
    }
    if let Some((old, new)) = first_listener_change(&applied, planned)
        && !runs_with(cx.client, planned, &new).await
    {
        said.push(words::first_listener_change(&old, &new).at(Path::of("listeners")));
    }
    said
}

/// The first listener before and after, where it changes.
fn first_listener_change(applied: &Cluster, planned: &Cluster) -> Option<((String, i64), (String, i64))> {
    let unknown = |listener: &Listener| listener.name.is_unknown() || listener.port.is_unknown();
    if planned.listeners.is_unknown() || planned.listeners.known().and_then(|listeners| listeners.first()).is_some_and(unknown) {
        return None;
    }
    let first = |cluster: &Cluster| listeners(cluster).into_iter().next();
    let (old, new) = (first(applied)?, first(planned)?);
    (old != new).then_some((old, new))
}

/// Whether brokers run with this first listener already, or none runs at all: then nobody has to be reached at another one. So a
/// change of a listener that was stopped half-way can be taken back.
async fn runs_with(stack: Option<&Stack>, planned: &Cluster, listener: &(String, i64)) -> bool {
    let Some(stack) = stack else { return false };
    let Ok(site) = Site::look(stack, planned).await else { return false };
    site.pods.is_empty() || site.pods.iter().any(|pod| first_port(pod).as_ref() == Some(listener))
}

/// The first port that a broker's pod names: that of its first listener.
fn first_port(pod: &Object) -> Option<(String, i64)> {
    let container = pod.list("/spec/containers").iter().find(|container| *at(container, "/name") == *Cluster::APP)?;
    let port = at(container, "/ports/0");
    Some((at(port, "/name").as_str()?.to_owned(), at(port, "/containerPort").as_i64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::model::Attr;

    fn cluster(listeners: &[(&str, i64)]) -> Cluster {
        let listener = |(name, port): &(&str, i64)| Listener {
            name: Attr::Known((*name).to_owned()),
            port: Attr::Known(*port),
            ..Listener::default()
        };
        let listeners: Vec<Listener> = listeners.iter().map(listener).collect();
        Cluster { listeners: if listeners.is_empty() { Attr::Null } else { Attr::Known(listeners) }, ..Cluster::default() }
    }

    #[test]
    fn a_first_listener_changes_by_name_by_port_and_by_order() {
        let changes = |old: &[_], new: &[_]| first_listener_change(&cluster(old), &cluster(new)).is_some();
        assert!(changes(&[], &[("plain", 9092)]));
        assert!(changes(&[], &[("internal", 9093)]));
        assert!(changes(&[("a", 9092), ("b", 9093)], &[("b", 9093), ("a", 9092)]));
        assert!(changes(&[("a", 9092)], &[]));
        assert!(!changes(&[], &[("internal", 9092), ("more", 9093)]));
        let mut unknown = cluster(&[("plain", 9092)]);
        unknown.listeners.known_mut().unwrap()[0].port = Attr::unknown();
        assert!(first_listener_change(&cluster(&[]), &unknown).is_none());
    }
}
