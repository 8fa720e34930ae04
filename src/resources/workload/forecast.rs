//! Which pods the apply of a plan restarts: every restart is said before it is approved. A change of the template restarts all; a
//! template that a hand changed is taken back, and pods that do not run what is wanted go with it. [`restarts`] is pure.

use super::guard::Site;
use super::plan::is_moved;
use super::roll::revision;
use super::spec::{Spec, is_specified};
use super::template::{self, FIELD};
use super::words;
use crate::kubernetes::difference::{changes, differences};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::context::Context;
use crate::plugin::operations::Plan;
use crate::plugin::path::Path;
use crate::resources::owned::applied::applied;
use crate::resources::owned::drift::{fields, label};
use crate::stack::Stack;
use crate::stack::names;
use serde_json::Value;
use std::collections::BTreeSet;

/// Says which pods the apply restarts, and why; the last word of a plan.
pub async fn forecast<M: Spec>(cx: &Context<'_, Stack>, plan: &mut Plan<M>) {
    let Some(prior) = plan.prior.as_ref().filter(|prior| **prior != plan.planned) else { return };
    // Of a replacement nothing restarts: what was goes, and another one comes.
    if is_moved(prior, &plan.planned) || plan.diagnostics.has_errors() {
        return;
    }
    let replicas = plan.planned.replicas().unwrap_or(1);
    let all = || (0..replicas).map(|ordinal| format!("{}-{ordinal}", prior.name())).collect::<Vec<_>>();
    if !is_specified(&plan.planned) {
        let said = words::may_restart(M::APP, prior.name(), &all()).at(Path::of("id"));
        return plan.diagnostics.push(said);
    }
    let changes = template_changes(plan);
    let drifted = drifted(prior);
    let pods = match cx.client {
        Some(stack) => live(stack, prior, &plan.planned, changes.is_empty()).await,
        None => None,
    };
    let fields: BTreeSet<&str> = changes.iter().chain(&drifted).map(String::as_str).collect();
    let pods = match pods {
        Some(pods) => pods,
        // Nobody can be asked: all of them, where there is a reason at all.
        None if fields.is_empty() => return,
        None => all(),
    };
    if !pods.is_empty() {
        plan.diagnostics.push(
            words::restart_forecast(M::APP, prior.name(), &pods, &fields.into_iter().collect::<Vec<_>>()).at(Path::of("id")),
        );
    }
}

/// The parts of the pods' template that the plan itself changes.
fn template_changes<M: Spec>(plan: &Plan<M>) -> Vec<String> {
    let Some(prior) = &plan.prior else { return Vec::new() };
    let (old, new) = (applied(&plan.private, prior).objects(), plan.planned.objects());
    changes(of(&old), of(&new))
}

fn of(objects: &[Object]) -> &Value {
    objects.iter().find(|object| object.kind() == Kind::StatefulSet).map_or(&Value::Null, template::of)
}

/// The parts of it that the refresh found changed by hand.
fn drifted<M: Spec>(prior: &M) -> Vec<String> {
    let objects = prior.common().objects.unwrap_or_default();
    let set = prior.objects().into_iter().find(|object| object.kind() == Kind::StatefulSet);
    let text = set.and_then(|set| objects.get(&label(&set)).cloned()).unwrap_or_default();
    fields(&text).filter_map(|field| field.strip_prefix(FIELD)).map(str::to_owned).collect()
}

/// The pods that the apply restarts, as far as Kubernetes says. `same`: the specification wants the same template as before.
async fn live<M: Spec>(stack: &Stack, prior: &M, planned: &M, same: bool) -> Option<Vec<String>> {
    let site = Site::look(stack, prior).await.ok()?;
    let replicas = planned.replicas().unwrap_or(1);
    let Some(set) = &site.set else {
        // Pods that somebody orphaned are taken over as they are.
        let target = same.then(|| site.pods.first().map(|pod| revision(pod).to_owned())).flatten();
        return Some(restarts(&site.pods, prior.name(), target.as_deref(), replicas));
    };
    let left = site.template().map(|(_, left)| left);
    let taken_back = left.is_some_and(|left| !template::foreign(left, template::of(set)).is_empty());
    // Another release of the provider may make another template of the same specification.
    let stays = || differences(of(&planned.objects()), left.unwrap_or(template::of(set))).is_empty();
    let target = match (same && stays(), taken_back) {
        (false, _) => None,
        (true, false) => Some(set.text("/status/updateRevision").to_owned()),
        (true, true) => {
            let query = names::query(M::APP, prior.name());
            let revisions = stack.kubernetes.list(Kind::ControllerRevision, Some(prior.namespace()), &query).await;
            left.and_then(|left| template::revision_of(&revisions.unwrap_or_default(), set, left).map(str::to_owned))
        }
    };
    Some(restarts(&site.pods, prior.name(), target.as_deref(), replicas))
}

/// The pods that stay and are not of the revision that is wanted; all that stay where that one is yet to be made.
fn restarts(pods: &[Object], name: &str, target: Option<&str>, replicas: i64) -> Vec<String> {
    let stays = |pod: &&Object| names::ordinal_of_pod(pod.name(), name).is_some_and(|ordinal| ordinal < replicas);
    let other = |pod: &&Object| target.is_none_or(|target| revision(pod) != target);
    pods.iter().filter(stays).filter(other).map(|pod| pod.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_restart_that_stay_and_do_not_run_what_is_wanted() {
        let pod = |name: &str, revision: &str| {
            Object::new(Kind::Pod, json!({"metadata": {"name": name, "labels": {"controller-revision-hash": revision}}}))
        };
        let pods = [pod("kafka-0", "old"), pod("kafka-1", "new"), pod("kafka-2", "old"), pod("kafka-3", "old")];
        assert_eq!(restarts(&pods, "kafka", Some("new"), 4), ["kafka-0", "kafka-2", "kafka-3"]);
        assert_eq!(restarts(&pods, "kafka", Some("old"), 3), ["kafka-1"]);
        assert_eq!(restarts(&pods, "kafka", None, 3), ["kafka-0", "kafka-1", "kafka-2"]);
    }
}
