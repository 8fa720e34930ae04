//! What the plan of a cluster asks the running one: whether brokers that would go still hold replicas.

use super::schema::Cluster;
use crate::diagnostics;
use crate::plugin::path::Path;
use crate::plugin::resource::{Context, Plan};
use crate::stack::{Planned, Stack};
use std::collections::BTreeSet;

/// Completes the checks of a plan, and remembers the plan for those of topics.
pub async fn check(cx: &Context<'_, Stack>, plan: &mut Plan<Cluster>) {
    let (Some(stack), Some(brokers)) = (cx.client, plan.planned.brokers.known().copied()) else { return };
    if let Some(id) = plan.planned.id.known() {
        stack.plan(id, Planned { brokers, exists: plan.prior.is_some() });
    }
    let Some(prior) = &plan.prior else { return };
    if prior.brokers.unwrap_or(brokers) <= brokers {
        return;
    }
    let path = Path::of("brokers");
    let target = match prior.proved_target(stack).await {
        Ok(target) => target,
        Err(failure) => return plan.diagnostics.push(diagnostics::kubernetes(&failure)),
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
                let detail = diagnostics::stranded(brokers, &held.into_iter().collect::<Vec<_>>());
                plan.diagnostics.error_at(path, "Brokers that would go hold replicas", detail);
            }
        }
        Err(error) => {
            plan.diagnostics.push(diagnostics::kafka("see whether the brokers that would go hold replicas", &error).at(path))
        }
    }
}
