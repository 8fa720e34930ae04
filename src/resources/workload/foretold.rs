//! What a plan foretells of a roll as a value. Core plans twice and compares, so it follows from the state and the configuration
//! alone; what the refresh saw of the pods is kept in private state. Pure.

use super::attributes::PlannedRestart;
use super::role::Role;
use crate::plugin::model::Attr;
use crate::plugin::operations::Private;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key under which private state keeps it.
const KEY: &str = "pods";

/// What a refresh saw of the pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pods {
    /// Those that would restart without any change: they run another revision than is wanted.
    pub stale: Vec<String>,
    /// The one that leads, which restarts last.
    pub leader: Option<String>,
    /// What each runs, as far as that is known: the fingerprint of the template that was wanted when its revision was made.
    #[serde(default)]
    pub runs: BTreeMap<String, String>,
    /// The same by the revision's name.
    #[serde(default)]
    pub revisions: BTreeMap<String, String>,
}

impl Pods {
    /// What private state keeps.
    pub fn kept(private: &Private) -> Self {
        private.get(KEY).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What outlives an apply: its restarts make the rest void.
    #[must_use]
    pub fn lasting(&self) -> Self {
        Self { revisions: self.revisions.clone(), ..Self::default() }
    }

    /// Private state with this.
    #[must_use]
    pub fn keep(&self, mut private: Private) -> Private {
        match *self == Self::default() {
            true => drop(private.remove(KEY)),
            false => private.extend(serde_json::to_string(self).ok().map(|text| (KEY.to_owned(), text))),
        }
        private
    }
}

/// Why a pod restarts whose template stays as it is.
pub const STALE: &str = "it runs an earlier revision";

/// What changes in the pods' templates.
#[derive(Debug, Default)]
pub struct Changes {
    /// The fields that the plan changes, by StatefulSet; none where it changes nothing.
    pub fields: BTreeMap<String, Vec<String>>,
    /// The fields that a hand changed, which are taken back.
    pub drifted: Vec<String>,
    /// The fingerprint of the template that is wanted, by StatefulSet.
    pub wanted: BTreeMap<String, String>,
}

/// The restarts, in their order: one set after the other, in each the leader last. `before`: the roles as they are now. A pod that runs what
/// is wanted already, because a change is taken back that never reached it, stays.
pub fn roll(before: &[Role], wanted: &[Role], changes: &Changes, seen: &Pods) -> Vec<PlannedRestart> {
    let mut roll = Vec::new();
    for role in wanted {
        let there = before.iter().find(|before| before.names.set == role.names.set).map_or(0, |before| before.replicas);
        let changed = changes.fields.get(&role.names.set);
        let is_right = |pod: &String| seen.runs.get(pod).is_some_and(|runs| changes.wanted.get(&role.names.set) == Some(runs));
        let mut pods: Vec<String> = (0..there.min(role.replicas)).map(|ordinal| role.names.pod(ordinal)).collect();
        pods.retain(|pod| if changed.is_some() { !is_right(pod) } else { seen.stale.contains(pod) });
        pods.sort_by_key(|pod| seen.leader.as_ref() == Some(pod));
        let reasons = match (changed, &*changes.drifted) {
            (None, []) => vec![STALE.to_owned()],
            (changed, drifted) => changed.into_iter().flatten().chain(drifted).cloned().collect(),
        };
        let restart = |pod| PlannedRestart { pod: Attr::Known(pod), reasons: Attr::Known(reasons.clone()) };
        roll.extend(pods.into_iter().map(restart));
    }
    roll
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::names::Names;

    fn brokers(replicas: i64) -> Vec<Role> {
        vec![Role { names: Names::of("kafka", "kafka"), container: "kafka", file: "", replicas }]
    }

    fn changed() -> Changes {
        let fields = [("kafka".to_owned(), vec![".spec.a".to_owned()])].into();
        Changes { fields, wanted: [("kafka".to_owned(), "good".to_owned())].into(), ..Changes::default() }
    }

    fn names(roll: &[PlannedRestart]) -> Vec<&str> {
        roll.iter().map(|restart| restart.pod.text()).collect()
    }

    #[test]
    fn a_change_restarts_all_that_stay_and_the_leader_last() {
        let changes = changed();
        let seen = Pods { leader: Some("kafka-0".to_owned()), ..Pods::default() };
        let planned = roll(&brokers(3), &brokers(2), &changes, &seen);
        assert_eq!(names(&planned), ["kafka-1", "kafka-0"]);
        assert_eq!(planned[0].reasons.unwrap_or_default(), [".spec.a"]);
        assert_eq!(names(&roll(&brokers(1), &brokers(3), &changes, &seen)), ["kafka-0"], "a new one does not restart");
    }

    #[test]
    fn a_change_that_is_taken_back_restarts_only_those_that_it_reached() {
        let runs = |all: [&str; 3]| (0..).zip(all).map(|(i, what)| (format!("kafka-{i}"), what.to_owned())).collect();
        let seen = |all| Pods { runs: runs(all), ..Pods::default() };
        let planned = |all| roll(&brokers(3), &brokers(3), &changed(), &seen(all));
        assert_eq!(names(&planned(["good", "bad", "good"])), ["kafka-1"]);
        assert_eq!(names(&planned(["bad", "bad", "bad"])), ["kafka-0", "kafka-1", "kafka-2"]);
    }

    #[test]
    fn without_a_change_only_what_is_stale_restarts() {
        let seen = Pods { stale: vec!["kafka-2".to_owned()], ..Pods::default() };
        let planned = roll(&brokers(3), &brokers(3), &Changes::default(), &seen);
        assert_eq!((names(&planned), planned[0].reasons.unwrap_or_default()), (vec!["kafka-2"], vec![STALE.to_owned()]));
        assert_eq!(Pods::kept(&seen.keep(Private::new())), seen);
        assert_eq!(Pods::kept(&Private::new()), Pods::default());
    }
}
