//! Which pod to restart next, if any. Pure: it sees the StatefulSets, their pods and what the service says of itself.
//!
//! One rule: a restart takes nothing from the service that it has now. What does not serve may therefore go at any time, unless one
//! that was restarted has not come yet; what serves goes only while all others do, and while nothing would fall with it.

use super::health::{Duty, Health};
use super::pod::{Stage, revision};
use crate::kubernetes::object::Object;
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// A StatefulSet, as far as a roll has to know it.
#[derive(Clone, Debug)]
pub struct Set {
    /// Its pods.
    pub pods: Vec<Pod>,
    /// Why nothing can be told of it yet.
    pub unsettled: Option<String>,
}

/// A pod of a StatefulSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its uid: the one that comes back has another.
    pub uid: String,
    /// The version in which it was seen.
    pub version: String,
    /// Whether it runs another revision than its StatefulSet wants.
    pub outdated: bool,
    /// How far it came.
    pub stage: Stage,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Look again later; why.
    Wait(String),
    /// Take this pod away, so that it comes back with the wanted specification.
    Restart {
        /// Which.
        pod: Pod,
        /// Whether it serves, so that whoever else takes pods away has to be asked: the budget of disruptions.
        serves: bool,
    },
    /// A pod has to be restarted, and its data would go with it.
    Refuse {
        /// Its name.
        pod: String,
        /// Its claim, which is being deleted.
        claim: String,
    },
    /// Every pod is as wanted, and the service is whole.
    Done,
}

impl Set {
    /// A StatefulSet and the pods that it owns. `container`: the name of the one that the pods are for.
    pub fn of(stateful_set: &Object, pods: &[impl Borrow<Object>], container: &str) -> Self {
        let pods: Vec<&Object> = pods.iter().map(Borrow::borrow).collect();
        let wanted = stateful_set.text("/status/updateRevision");
        let pod = |pod: &Object| Pod {
            name: pod.name().to_owned(),
            uid: pod.uid().to_owned(),
            version: pod.resource_version().to_owned(),
            outdated: revision(pod) != wanted,
            stage: Stage::of(pod, container),
        };
        Self { unsettled: unsettled(stateful_set, &pods), pods: pods.into_iter().map(pod).collect() }
    }

    fn outdated(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.outdated)
    }

    /// Whether one of its pods has to be restarted.
    pub fn is_outdated(&self) -> bool {
        self.outdated().next().is_some()
    }

    /// Whether its roll has begun, and has not ended.
    fn is_begun(&self) -> bool {
        self.is_outdated() && !self.pods.iter().all(|pod| pod.outdated)
    }
}

/// Why nothing can be told yet of a StatefulSet and its pods.
fn unsettled(stateful_set: &Object, pods: &[&Object]) -> Option<String> {
    if stateful_set.int("/status/observedGeneration") < stateful_set.int("/metadata/generation") {
        return Some("Kubernetes has not taken up the change of the StatefulSet yet".to_owned());
    }
    if let Some(pod) = pods.iter().find(|pod| pod.deleting()) {
        return Some(format!("pod {} is stopping", pod.name()));
    }
    let replicas = stateful_set.int("/spec/replicas").unwrap_or(0);
    let there = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    (there != replicas).then(|| format!("{there} of {replicas} pods are there"))
}

fn not_ready<'a>(pods: impl Iterator<Item = &'a Pod>) -> String {
    format!("not ready: {}", pods.map(|pod| &*pod.name).collect::<Vec<_>>().join(", "))
}

/// Decides for all StatefulSets of a workload at once: one is begun when those before it have come to their end. `going`: the claim of
/// each pod that loses it with its next end. [`Health::Unknown`] without a word: it was not asked, and is to be when that is the
/// answer.
pub fn next(sets: &[Set], health: &Health, going: &BTreeMap<String, String>) -> Step {
    if let Some(why) = sets.iter().find_map(|set| set.unsettled.clone()) {
        return Step::Wait(why);
    }
    let outdated = || sets.iter().flat_map(Set::outdated);
    if outdated().next().is_some() {
        let lost = outdated().find_map(|pod| Some((pod.name.clone(), going.get(&pod.name)?.clone())));
        return match (choose(sets, health), lost) {
            (Err(why), _) => Step::Wait(why),
            (Ok(_), Some((pod, claim))) => Step::Refuse { pod, claim },
            (Ok((pod, serves)), None) => Step::Restart { pod: pod.clone(), serves },
        };
    }
    let down = || sets.iter().flat_map(|set| &set.pods).filter(|pod| pod.stage != Stage::Ready);
    if !down().all(|pod| pod.stage.runs()) {
        return Step::Wait(not_ready(down()));
    }
    // The service is believed before the kubelet: its probes come later.
    match health {
        Health::Unknown(why) | Health::Known { waits: Some(why), .. } => Step::Wait(why.clone()),
        Health::Known { waits: None, .. } => Step::Done,
    }
}

/// The outdated pod that goes next, and whether it serves; or why none does.
fn choose<'a>(sets: &'a [Set], health: &Health) -> Result<(&'a Pod, bool), String> {
    let all = || sets.iter().flat_map(|set| &set.pods);
    let new_down = || all().filter(|pod| !pod.outdated && pod.stage != Stage::Ready);
    // While one that was restarted does not come, no other goes, whatever state that one is in.
    if !new_down().all(|pod| pod.stage.listens()) {
        return Err(not_ready(new_down()));
    }
    // A restarted one may wait for these: members that crash make no quorum.
    let broken: Vec<&Pod> = all().filter(|pod| pod.outdated && pod.stage == Stage::Broken && !health.serves(&pod.name)).collect();
    if !broken.is_empty() && !health.is_unasked() {
        return without_loss(&broken, health).map(|pod| (pod, false));
    }
    let nobody = || all().filter(|pod| pod.outdated).all(|pod| pod.stage != Stage::Ready);
    match health {
        _ if !broken.is_empty() => Err(String::new()),
        // Nobody serves, so whoever listens may wait for the others: they come one after another.
        Health::Known { duties, .. } if nobody() && !duties.values().any(|duty| duty.serves) => {
            without_loss(&all().filter(|pod| pod.outdated).collect::<Vec<_>>(), health).map(|pod| (pod, false))
        }
        _ if new_down().next().is_some() => Err(not_ready(new_down())),
        // Nobody was taken yet, and nobody is there: the first one begins.
        Health::Unknown(why) if nobody() && !why.is_empty() && !sets.iter().any(Set::is_begun) => {
            all().find(|pod| pod.outdated).map(|pod| (pod, false)).ok_or_else(String::new)
        }
        Health::Unknown(why) => Err(why.clone()),
        Health::Known { waits, .. } => choose_by(sets, waits.as_deref(), health),
    }
}

/// The first of these with which nothing is lost; or what would be.
fn without_loss<'a>(pods: &[&'a Pod], health: &Health) -> Result<&'a Pod, String> {
    let loss = |pod: &Pod| health.duty(&pod.name).and_then(|duty| duty.loss.clone());
    let free = pods.iter().find(|pod| loss(pod).is_none());
    free.copied().ok_or_else(|| pods.first().and_then(|pod| loss(pod)).unwrap_or_default())
}

/// The same where the service says what each pod does.
fn choose_by<'a>(sets: &'a [Set], waits: Option<&str>, health: &Health) -> Result<(&'a Pod, bool), String> {
    let ails = |pod: &&Pod| !pod.stage.runs() || health.duty(&pod.name).is_none_or(Duty::ails);
    let ailing: Vec<&Pod> = sets.iter().flat_map(|set| &set.pods).filter(ails).collect();
    let mut candidates: Vec<&Pod> = match ailing.as_slice() {
        [] => sets.iter().map(|set| set.outdated().collect::<Vec<_>>()).find(|outdated| !outdated.is_empty()).unwrap_or_default(),
        // The only ailment is put right before any other pod goes, whatever the kubelet says of it.
        [only] if only.outdated => vec![only],
        _ => return Err(waits.map_or_else(|| not_ready(ailing.iter().copied()), str::to_owned)),
    };
    let leads = |pod: &Pod| health.duty(&pod.name).is_some_and(|duty| duty.leads);
    candidates.sort_by_key(|pod| (pod.stage == Stage::Ready, leads(pod)));
    without_loss(&candidates, health).map(|pod| (pod, health.serves(&pod.name)))
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;
