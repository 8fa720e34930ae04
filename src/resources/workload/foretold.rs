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
}

impl Pods {
    /// What private state keeps.
    pub fn kept(private: &Private) -> Self {
        private.get(KEY).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Private state with this.
    #[must_use]
    pub fn keep(&self, mut private: Private) -> Private {
        private.extend(serde_json::to_string(self).ok().map(|text| (KEY.to_owned(), text)));
        private
    }
}

/// Why a pod restarts whose template stays as it is.
pub const STALE: &str = "it runs an earlier revision";

/// The restarts, in their order: one set after the other, in each the leader last. `before`: the roles as they are now; `changes`: the
/// fields of the pods' templates that change, by StatefulSet; `drifted`: those that a hand changed, which are taken back.
pub fn roll(
    before: &[Role],
    wanted: &[Role],
    changes: &BTreeMap<String, Vec<String>>,
    drifted: &[String],
    seen: &Pods,
) -> Vec<PlannedRestart> {
    let mut roll = Vec::new();
    for role in wanted {
        let there = before.iter().find(|before| before.names.set == role.names.set).map_or(0, |before| before.replicas);
        let changed = changes.get(&role.names.set);
        let mut pods: Vec<String> = (0..there.min(role.replicas)).map(|ordinal| role.names.pod(ordinal)).collect();
        pods.retain(|pod| changed.is_some() || seen.stale.contains(pod));
        pods.sort_by_key(|pod| seen.leader.as_ref() == Some(pod));
        let reasons = match (changed, drifted) {
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

    fn names(roll: &[PlannedRestart]) -> Vec<&str> {
        roll.iter().map(|restart| restart.pod.text()).collect()
    }

    #[test]
    fn a_change_restarts_all_that_stay_and_the_leader_last() {
        let changes = [("kafka".to_owned(), vec![".spec.a".to_owned()])].into();
        let seen = Pods { stale: Vec::new(), leader: Some("kafka-0".to_owned()) };
        let planned = roll(&brokers(3), &brokers(2), &changes, &[], &seen);
        assert_eq!(names(&planned), ["kafka-1", "kafka-0"]);
        assert_eq!(planned[0].reasons.unwrap_or_default(), [".spec.a"]);
        assert_eq!(names(&roll(&brokers(1), &brokers(3), &changes, &[], &seen)), ["kafka-0"], "a new one does not restart");
    }

    #[test]
    fn without_a_change_only_what_is_stale_restarts() {
        let seen = Pods { stale: vec!["kafka-2".to_owned()], leader: None };
        let planned = roll(&brokers(3), &brokers(3), &BTreeMap::new(), &[], &seen);
        assert_eq!((names(&planned), planned[0].reasons.unwrap_or_default()), (vec!["kafka-2"], vec![STALE.to_owned()]));
        assert_eq!(Pods::kept(&seen.keep(Private::new())), seen);
        assert_eq!(Pods::kept(&Private::new()), Pods::default());
    }
}
