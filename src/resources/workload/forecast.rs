//! Which pods the apply of a plan restarts: every restart is said before it is approved. A change of the template restarts all; a
//! template that a hand changed is taken back, and pods that do not run what is wanted go with it. [`restarts`] is pure.

use super::change::Change;
use super::foretold::{self, Changes, Pods};
use super::guard::Site;
use super::health::{Duty, Health};
use super::plan::is_moved;
use super::pod::{going, revision};
use super::role::Role;
use super::spec::Spec;
use super::template::{self, FIELD};
use super::words;
use crate::kubernetes::difference::{changes, differences};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::context::Context;
use crate::plugin::model::Attr;
use crate::plugin::operations::Plan;
use crate::plugin::path::Path;
use crate::resources::owned::drift::{fields, label_of};
use crate::resources::owned::fingerprint;
use crate::stack::Stack;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Says which pods the apply restarts, in which order and why; the last word of a plan. `change`: none where it is not known yet; `site`:
/// none where nobody can be asked.
pub async fn forecast<M: Spec>(cx: &Context<'_, Stack>, plan: &mut Plan<M>, change: Option<&Change>, site: Option<&Site<M>>) {
    let Some(prior) = plan.prior.clone().filter(|prior| *prior != plan.planned) else { return };
    // Of a replacement nothing restarts: what was goes, and another one comes.
    if is_moved(&prior, &plan.planned) || plan.diagnostics.has_errors() {
        return;
    }
    let roles = plan.planned.roles();
    let all = || roles.iter().flat_map(Role::pods).collect::<Vec<_>>();
    let Some(change) = change else {
        plan.planned.common_mut().planned_roll = Attr::unknown();
        let said = words::may_restart(M::APP, prior.name(), &all()).at(Path::of("id"));
        return plan.diagnostics.push(said);
    };
    let changes = Changes {
        fields: template_changes(&roles, change),
        drifted: drifted(&prior),
        wanted: roles.iter().map(|role| (role.names.set.clone(), fingerprint(of(&change.wanted, &role.names.set)))).collect(),
    };
    let foretold = foretold::roll(&prior.roles(), &roles, &changes, &Pods::kept(&plan.private));
    let named: BTreeSet<String> = foretold.iter().map(|restart| restart.pod.text().to_owned()).collect();
    plan.planned.common_mut().planned_roll = Attr::Known(foretold);
    let fields = changes.fields.values().flatten().chain(&changes.drifted).cloned();
    let fields: Vec<String> = fields.collect::<BTreeSet<_>>().into_iter().collect();
    let (Some(stack), Some(site)) = (cx.client, site) else {
        // Nobody can be asked: all of them, where there is a reason at all.
        if !fields.is_empty() {
            let roll: Vec<_> = all().into_iter().map(|pod| (pod, Duty::default())).collect();
            plan.diagnostics.push(words::restart_forecast(M::APP, prior.name(), &roll, &fields).at(Path::of("id")));
        }
        return;
    };
    if !site.strangers.is_empty() {
        plan.diagnostics.push(words::strangers(M::APP, prior.name(), &site.strangers).at(Path::of("id")));
    }
    let mut pods = live(stack, &prior, site, &roles, &change.wanted, &changes.fields).await;
    // Of what a change is taken back from, those stay that it never reached.
    let changed = |pod: &str| {
        roles.iter().any(|role| role.names.ordinal_of_pod(pod).is_some() && changes.fields.contains_key(&role.names.set))
    };
    pods.retain(|pod| named.contains(pod) || !changed(pod));
    for (pod, claim) in going(site.pods.iter(), &site.claims).iter().filter(|(pod, _)| pods.contains(pod)) {
        plan.diagnostics.push(words::claim_going(pod, claim).at(Path::of("id")));
    }
    let roll = roll(stack, &prior, site, &roles, pods).await;
    if !roll.is_empty() {
        plan.diagnostics.push(words::restart_forecast(M::APP, prior.name(), &roll, &fields).at(Path::of("id")));
    }
}

/// How long a plan asks a service what it would lose: one that is away is no reason against a plan.
const ASK: Duration = Duration::from_secs(5);

/// The pods in the order of their restarts, each with what the service says of it: sets one after the other, in each who leads last.
async fn roll<M: Spec>(stack: &Stack, prior: &M, site: &Site<M>, roles: &[Role], mut pods: Vec<String>) -> Vec<(String, Duty)> {
    if pods.is_empty() {
        return Vec::new();
    }
    let mut duties = match tokio::time::timeout(ASK, prior.health(stack, &site.pods, true)).await {
        Ok(Health::Known { duties, .. }) => duties,
        Ok(Health::Unknown(_)) | Err(_) => BTreeMap::new(),
    };
    let role = |pod: &str| roles.iter().position(|role| role.names.ordinal_of_pod(pod).is_some());
    pods.sort_by_key(|pod| {
        let (ails, leads) = duties.get(pod).map_or((false, false), |duty| (duty.ails(), duty.leads));
        (role(pod), !ails, leads)
    });
    pods.into_iter().map(|pod| (pod.clone(), duties.remove(&pod).unwrap_or_default())).collect()
}

/// The pods that would restart without any change, what each runs, and who leads, as a refresh sees them. `before`: what the one before saw.
pub async fn seen<M: Spec>(stack: &Stack, applied: &M, site: &Site<M>, before: &Pods) -> Pods {
    let (roles, objects, unchanged) = (applied.roles(), applied.objects(), BTreeMap::new());
    let stale = live(stack, applied, site, &roles, &objects, &unchanged);
    let (stale, leader) = tokio::join!(stale, tokio::time::timeout(ASK, applied.leader(stack)));
    let (runs, revisions) = runs(site, &objects, before);
    Pods { stale, leader: leader.ok().flatten(), runs, revisions }
}

/// What each pod runs, and each of their revisions is: of the one that is wanted now, that is what was applied.
fn runs<M: Spec>(site: &Site<M>, applied: &[Object], before: &Pods) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let mut revisions = before.revisions.clone();
    for set in site.live().filter(|set| set.int("/status/observedGeneration") == set.int("/metadata/generation")) {
        let wanted = of(applied, set.name());
        if differences(wanted, template::of(set)).is_empty() {
            revisions.insert(set.text("/status/updateRevision").to_owned(), fingerprint(wanted));
        }
    }
    let used: BTreeSet<&str> = site.pods.iter().map(revision).collect();
    revisions.retain(|name, _| used.contains(name.as_str()));
    let runs = |pod: &Object| Some((pod.name().to_owned(), revisions.get(revision(pod))?.clone()));
    (site.pods.iter().filter_map(runs).collect(), revisions.clone())
}

/// The parts of the pods' templates that the plan itself changes, by StatefulSet; none where one changes nothing.
fn template_changes(roles: &[Role], change: &Change) -> BTreeMap<String, Vec<String>> {
    let changed = |role: &Role| {
        let set = &role.names.set;
        Some((set.clone(), changes(of(&change.before, set), of(&change.wanted, set)))).filter(|(_, fields)| !fields.is_empty())
    };
    roles.iter().filter_map(changed).collect()
}

/// The template of the StatefulSet of this name.
fn of<'a>(objects: &'a [Object], set: &str) -> &'a Value {
    let of = |object: &&Object| object.kind() == Kind::StatefulSet && object.name() == set;
    objects.iter().find(of).map_or(&Value::Null, template::of)
}

/// The parts of them that the refresh found changed by hand.
fn drifted<M: Spec>(prior: &M) -> Vec<String> {
    let Some(objects) = prior.common().objects.known() else { return Vec::new() };
    let roles = prior.roles();
    let texts = roles.iter().filter_map(|role| objects.get(&label_of(&role.names.key(prior.namespace()))));
    texts.flat_map(|text| fields(text)).filter_map(|field| field.strip_prefix(FIELD)).map(str::to_owned).collect()
}

/// The pods that the apply restarts, as far as Kubernetes says. `changes`: what the specification itself changes, by StatefulSet.
async fn live<M: Spec>(
    stack: &Stack,
    prior: &M,
    site: &Site<M>,
    roles: &[Role],
    wanted: &[Object],
    changes: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let mut restarting = Vec::new();
    for role in roles {
        let same = !changes.contains_key(&role.names.set);
        restarting.extend(live_of(stack, prior.namespace(), site, role, same.then_some(wanted)).await);
    }
    restarting
}

/// Those of one role. `same`: the objects that are wanted, where they want the same template as before.
async fn live_of<M: Spec>(stack: &Stack, namespace: &str, site: &Site<M>, role: &Role, same: Option<&[Object]>) -> Vec<String> {
    let Some(set) = site.live().find(|set| set.name() == role.names.set) else {
        // Pods that somebody orphaned are taken over as they are.
        let pod = site.pods.iter().find(|pod| role.names.ordinal_of_pod(pod.name()).is_some());
        let target = same.and(pod).map(|pod| revision(pod).to_owned());
        return restarts(&site.pods, role, target.as_deref());
    };
    let left = site.left(set);
    let taken_back = left.is_some_and(|left| !template::foreign(left, template::of(set)).is_empty());
    // Another release of the provider may make another template of the same specification.
    let stays = |wanted: &[Object]| differences(of(wanted, &role.names.set), left.unwrap_or(template::of(set))).is_empty();
    let target = match (same.is_some_and(stays), taken_back) {
        (false, _) => None,
        (true, false) => Some(set.text("/status/updateRevision").to_owned()),
        (true, true) => {
            let revisions = stack.kubernetes.list(Kind::ControllerRevision, Some(namespace), &role.names.query()).await;
            left.and_then(|left| template::revision_of(&revisions.unwrap_or_default(), set, left).map(str::to_owned))
        }
    };
    restarts(&site.pods, role, target.as_deref())
}

/// The pods of a role that stay and are not of the revision that is wanted; all that stay where that one is yet to be made.
fn restarts(pods: &[Object], role: &Role, target: Option<&str>) -> Vec<String> {
    let stays = |pod: &&Object| role.names.ordinal_of_pod(pod.name()).is_some_and(|ordinal| ordinal < role.replicas);
    let other = |pod: &&Object| target.is_none_or(|target| revision(pod) != target);
    pods.iter().filter(stays).filter(other).map(|pod| pod.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::names::Names;
    use serde_json::json;

    #[test]
    fn pods_restart_that_stay_and_do_not_run_what_is_wanted() {
        let pod = |name: &str, revision: &str| {
            Object::new(Kind::Pod, json!({"metadata": {"name": name, "labels": {"controller-revision-hash": revision}}}))
        };
        let pods = [pod("kafka-0", "old"), pod("kafka-1", "new"), pod("kafka-2", "old"), pod("kafka-3", "old")];
        let brokers = |replicas| Role { names: Names::of("kafka", "kafka"), container: "kafka", file: "", replicas };
        assert_eq!(restarts(&pods, &brokers(4), Some("new")), ["kafka-0", "kafka-2", "kafka-3"]);
        assert_eq!(restarts(&pods, &brokers(3), Some("old")), ["kafka-1"]);
        assert_eq!(restarts(&pods, &brokers(3), None), ["kafka-0", "kafka-1", "kafka-2"]);
    }
}
