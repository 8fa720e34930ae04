//! Which pod to restart next, if any. Pure: it sees the StatefulSet, its pods and what the service says of itself.

use crate::kubernetes::object::{Object, at};
use serde_json::Value;

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everyone serves, and everything is in sync; these pods should be restarted last, because they lead.
    Healthy {
        /// The pods of the leader or controller.
        leaders: Vec<String>,
    },
    /// Not yet, and why.
    Waiting(String),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Look again later; why.
    Wait(String),
    /// Delete this pod, so that it comes back with the wanted specification.
    Restart {
        /// Its name.
        pod: String,
        /// Its uid: the one that comes back has another.
        uid: String,
    },
    /// Every pod is as wanted, ready, and the service is healthy.
    Done,
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Object) -> bool {
    !pod.deleting() && pod.condition("Ready") == Some(true)
}

/// The revision of the StatefulSet that a pod runs.
pub fn revision(pod: &Object) -> &str {
    pod.labels().get("controller-revision-hash").copied().unwrap_or_default()
}

/// Whether a pod's containers run, so that the service in it can be asked.
fn runs(pod: &Object) -> bool {
    pod.text("/status/phase") == "Running"
}

fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    pod.list("/status/initContainerStatuses").iter().chain(pod.list("/status/containerStatuses"))
}

/// Whether every container of a pod runs and has passed its startup probe: the process listens, and may wait for others.
pub fn is_up(pod: &Object) -> bool {
    runs(pod) && pod.list("/status/containerStatuses").iter().all(|container| *at(container, "/started") == true)
}

/// What the kubelet says of a container that does not come by itself.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// Whether a pod is down and does not come back as it is: nothing is lost when it is taken away.
fn is_broken(pod: &Object) -> bool {
    let stuck = |container: &Value| {
        let waits = at(container, "/state/waiting/reason").as_str().is_some_and(|reason| STUCK.contains(&reason));
        let ended_again = !at(container, "/state/terminated").is_null() && at(container, "/restartCount").as_i64() > Some(0);
        waits || ended_again
    };
    pod.text("/status/phase") == "Failed" || pod.condition("PodScheduled") == Some(false) || containers(pod).any(stuck)
}

/// The pods of a workload, by what a roll has to know of them.
struct Sorted<'a> {
    /// Of an earlier revision, by StatefulSet.
    outdated: Vec<Vec<&'a Object>>,
    /// Of an earlier revision, and not ready.
    old_down: Vec<&'a Object>,
    /// Of the wanted revision, and not ready.
    new_down: Vec<&'a Object>,
    /// Whether no pod of a StatefulSet that has outdated ones is of the wanted revision yet.
    first: bool,
}

impl<'a> Sorted<'a> {
    fn of(sets: &'a [(Object, Vec<Object>)]) -> Self {
        let mut sorted = Self { outdated: Vec::new(), old_down: Vec::new(), new_down: Vec::new(), first: true };
        for (set, pods) in sets {
            let wanted = set.text("/status/updateRevision");
            let (outdated, new): (Vec<&Object>, Vec<&Object>) = pods.iter().partition(|pod| revision(pod) != wanted);
            let down = |pods: &[&'a Object]| pods.iter().copied().filter(|pod| !is_ready(pod)).collect::<Vec<_>>();
            sorted.old_down.extend(down(&outdated));
            sorted.new_down.extend(down(&new));
            sorted.first &= outdated.is_empty() || new.is_empty();
            sorted.outdated.push(outdated);
        }
        sorted
    }

    /// The outdated pods of the StatefulSet whose turn it is: those before it have none.
    fn turn(&self) -> &[&'a Object] {
        self.outdated.iter().find(|outdated| !outdated.is_empty()).map_or(&[], Vec::as_slice)
    }

    /// The pod that has to be put right before any other, or why nothing is taken now. At most one pod is ever down by our hand:
    /// while one that was restarted does not come, no other goes, whatever state that one is in.
    fn repair(&self) -> Result<Option<&'a Object>, String> {
        if !self.new_down.iter().all(|pod| is_up(pod)) {
            return Err(not_ready(&self.new_down));
        }
        // A restarted one may wait for these: members that crash make no quorum.
        if let Some(pod) = self.old_down.iter().find(|pod| is_broken(pod)) {
            return Ok(Some(pod));
        }
        if !self.new_down.is_empty() {
            return Err(not_ready(&self.new_down));
        }
        // Nobody was taken yet: one that is down alone, or with all others, goes first.
        let outdated: usize = self.outdated.iter().map(Vec::len).sum();
        let alone = self.old_down.len() == 1 || self.old_down.len() == outdated;
        Ok(self.old_down.first().copied().filter(|_| self.first && alone))
    }
}

fn not_ready(pods: &[&Object]) -> String {
    let names: Vec<&str> = pods.iter().map(|pod| pod.name()).collect();
    format!("not ready: {}", names.join(", "))
}

/// Why nothing can be told yet of a StatefulSet and its pods.
fn unsettled(stateful_set: &Object, pods: &[Object]) -> Option<String> {
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

/// Pods go one at a time, only when all others of the workload serve, whichever StatefulSet they are of; one that is broken goes
/// first, because it cannot get worse, and those that lead go last, because each move of a leader is felt by clients. A StatefulSet
/// is begun when those before it have come to their end. Without restarts, what counts is what the service says: the kubelet's
/// probes come after it. `sets`: each StatefulSet with the pods that it owns.
pub fn next(sets: &[(Object, Vec<Object>)], health: &Health) -> Step {
    if let Some(why) = sets.iter().find_map(|(set, pods)| unsettled(set, pods)) {
        return Step::Wait(why);
    }
    let sorted = Sorted::of(sets);
    let turn = sorted.turn();
    let restart = |pod: &Object| Step::Restart { pod: pod.name().to_owned(), uid: pod.uid().to_owned() };
    if !turn.is_empty() {
        match sorted.repair() {
            Err(why) => return Step::Wait(why),
            Ok(Some(pod)) => return restart(pod),
            Ok(None) => {}
        }
    }
    let down: Vec<&Object> = sets.iter().flat_map(|(_, pods)| pods).filter(|pod| !is_ready(pod)).collect();
    if down.iter().any(|pod| !runs(pod)) {
        return Step::Wait(not_ready(&down));
    }
    let leaders = match health {
        Health::Waiting(why) => return Step::Wait(why.clone()),
        Health::Healthy { leaders } => leaders,
    };
    let leads = |pod: &&&Object| leaders.iter().any(|leader| leader == pod.name());
    let is_down = turn.iter().find(|pod| !is_ready(pod));
    match is_down.or_else(|| turn.iter().find(|pod| !leads(pod))).or_else(|| turn.first()) {
        Some(pod) => restart(pod),
        None => Step::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use proptest::prelude::*;
    use serde_json::json;

    fn set(generation: i64, observed: i64) -> Object {
        Object::new(
            Kind::StatefulSet,
            json!({"metadata": {"generation": generation}, "spec": {"replicas": 3},
                "status": {"observedGeneration": observed, "updateRevision": "new"}}),
        )
    }

    /// What a pod is like.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Like {
        Ready,
        /// It listens, and is not ready.
        Up,
        /// Its first start goes on.
        Starting,
        /// It runs, and crashed before.
        Blinking,
        Crashing,
        Unschedulable,
    }

    fn pod(name: &str, revision: &str, like: Like) -> Object {
        let running = json!({"running": {}});
        let (started, restarts, state) = match like {
            Like::Ready | Like::Up => (true, 0, running),
            Like::Starting => (false, 0, running),
            Like::Blinking => (true, 2, running),
            Like::Crashing | Like::Unschedulable => (false, 2, json!({"waiting": {"reason": "CrashLoopBackOff"}})),
        };
        let container = json!({"name": "main", "started": started, "restartCount": restarts, "state": state});
        let ready = if like == Like::Ready { "True" } else { "False" };
        let status = match like {
            Like::Unschedulable => json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}),
            _ => {
                json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [container]})
            }
        };
        let metadata = json!({"name": name, "uid": format!("uid-{name}"), "labels": {"controller-revision-hash": revision}});
        Object::new(Kind::Pod, json!({"metadata": metadata, "status": status}))
    }

    fn waiting(why: &str) -> Health {
        Health::Waiting(why.to_owned())
    }

    fn healthy(leader: &str) -> Health {
        Health::Healthy { leaders: vec![leader.to_owned()] }
    }

    fn restarted(step: &Step) -> &str {
        match step {
            Step::Restart { pod, .. } => pod,
            _ => "",
        }
    }

    use Like::{Blinking, Crashing, Ready, Starting, Unschedulable, Up};

    fn three(states: [(&str, Like); 3]) -> Vec<Object> {
        ["a", "b", "c"].iter().zip(states).map(|(name, (revision, like))| pod(name, revision, like)).collect()
    }

    fn one(set: Object, pods: &[Object]) -> Vec<(Object, Vec<Object>)> {
        vec![(set, pods.to_vec())]
    }

    fn step(states: [(&str, Like); 3], health: &Health) -> Step {
        next(&one(set(2, 2), &three(states)), health)
    }

    #[test]
    fn the_leader_restarts_last() {
        let mut pods = three([("old", Ready); 3]);
        let mut order = vec![];
        while let Step::Restart { pod: name, .. } = next(&one(set(2, 2), &pods), &healthy("a")) {
            let i = pods.iter().position(|p| p.name() == name).unwrap();
            pods[i] = pod(&name, "new", Ready);
            order.push(name);
        }
        assert_eq!(order, ["b", "c", "a"]);
        assert_eq!(next(&one(set(2, 2), &pods), &healthy("a")), Step::Done);
    }

    /// Pods `a`, `b`, `c` of one set, and `d`, `e`, `f` of the next.
    fn six(first: [(&str, Like); 3], second: [(&str, Like); 3]) -> Vec<(Object, Vec<Object>)> {
        let second = ["d", "e", "f"].iter().zip(second).map(|(name, (revision, like))| pod(name, revision, like)).collect();
        vec![(set(2, 2), three(first)), (set(2, 2), second)]
    }

    #[test]
    fn a_set_is_begun_when_those_before_it_have_ended() {
        let (old, new) = ([("old", Ready); 3], [("new", Ready); 3]);
        assert_eq!(restarted(&next(&six(old, old), &healthy("c"))), "a");
        assert_eq!(restarted(&next(&six(new, old), &healthy("d"))), "e");
        assert_eq!(next(&six(new, new), &healthy("a")), Step::Done);
        assert_eq!(next(&six(new, new), &waiting("")), Step::Wait(String::new()));
        let begun = [("new", Starting), ("old", Ready), ("old", Ready)];
        assert_eq!(next(&six(begun, old), &healthy("c")), Step::Wait("not ready: a".into()));
        // Pods of the second that wait for those of the first.
        assert_eq!(next(&six(begun, [("old", Up); 3]), &waiting("x")), Step::Wait("not ready: a".into()));
    }

    #[test]
    fn a_pod_of_another_set_that_is_down_by_our_hand_stops_a_roll() {
        let old = [("old", Ready); 3];
        for like in [Up, Starting, Crashing, Unschedulable] {
            let begun = [("new", like), ("new", Ready), ("new", Ready)];
            assert_eq!(next(&six(old, begun), &healthy("c")), Step::Wait("not ready: d".into()), "{like:?}");
            assert_eq!(next(&six(begun, old), &healthy("c")), Step::Wait("not ready: a".into()), "{like:?}");
        }
    }

    #[test]
    fn what_is_down_is_put_right_first_whichever_set_it_is_of() {
        let old = [("old", Ready); 3];
        for like in [Up, Crashing] {
            assert_eq!(
                restarted(&next(&six(old, [("old", Ready), ("old", like), ("old", Ready)]), &waiting(""))),
                "e",
                "{like:?}"
            );
        }
        // A restarted one may wait for those of another set that crash.
        let waits = [("new", Up), ("old", Ready), ("old", Ready)];
        assert_eq!(restarted(&next(&six(waits, [("old", Crashing); 3]), &waiting(""))), "d");
        // Two that are down are nobody's only ailment.
        let two = [("old", Up), ("old", Up), ("old", Ready)];
        assert_eq!(next(&six(old, two), &waiting("why")), Step::Wait("why".into()));
    }

    #[test]
    fn nothing_restarts_while_one_is_not_ready_or_the_service_waits() {
        let new_down = [("old", Ready), ("new", Starting), ("old", Ready)];
        assert_eq!(step(new_down, &healthy("c")), Step::Wait("not ready: b".into()));
        let why = "1 partition is not in sync: t-0";
        assert_eq!(step([("old", Ready), ("new", Ready), ("old", Ready)], &waiting(why)), Step::Wait(why.into()));
    }

    #[test]
    fn while_a_new_pod_does_not_come_no_other_goes_whatever_its_state() {
        for like in [Ready, Up, Starting, Blinking, Crashing, Unschedulable] {
            for new in [Starting, Crashing, Unschedulable] {
                for health in [healthy("c"), waiting("")] {
                    let said = step([("new", new), ("old", like), ("old", Ready)], &health);
                    assert_eq!(said, Step::Wait("not ready: a".into()), "{new:?} {like:?}");
                }
            }
        }
    }

    #[test]
    fn a_pod_that_blinks_in_a_roll_is_waited_for() {
        for like in [Up, Starting, Blinking] {
            let said = step([("new", Ready), ("old", like), ("old", Ready)], &waiting("member b is not in the quorum"));
            assert_eq!(said, Step::Wait("member b is not in the quorum".into()), "{like:?}");
        }
        // The kubelet does not see it, but the service says that it serves.
        assert_eq!(restarted(&step([("new", Ready), ("old", Up), ("old", Ready)], &healthy("c"))), "b");
    }

    #[test]
    fn a_broken_pod_of_the_old_revision_goes_first() {
        for like in [Up, Starting, Blinking, Crashing, Unschedulable] {
            assert_eq!(restarted(&step([("old", Ready), ("old", like), ("old", Ready)], &waiting(""))), "b", "{like:?}");
        }
        assert_eq!(restarted(&step([("new", Ready), ("old", Ready), ("old", Crashing)], &waiting(""))), "c");
    }

    #[test]
    fn an_ensemble_whose_members_all_crash_is_put_right_by_a_good_configuration() {
        // The first one is right again, and waits for a quorum with the others.
        assert_eq!(restarted(&step([("old", Crashing); 3], &waiting(""))), "a");
        assert_eq!(restarted(&step([("new", Up), ("old", Crashing), ("old", Crashing)], &waiting(""))), "b");
        assert_eq!(restarted(&step([("new", Up), ("new", Up), ("old", Crashing)], &waiting(""))), "c");
        // With probes that nobody passes, too.
        assert_eq!(restarted(&step([("old", Up); 3], &waiting(""))), "a");
    }

    #[test]
    fn without_restarts_the_service_is_believed_before_the_kubelet() {
        let states = [("new", Up), ("new", Ready), ("new", Up)];
        assert_eq!(step(states, &healthy("a")), Step::Done);
        let why = "member c is not in the quorum";
        assert_eq!(step(states, &waiting(why)), Step::Wait(why.into()));
        // Nobody has to be asked while a pod does not run.
        let mut pods = three(states);
        pods[2].json_mut()["status"]["phase"] = "Pending".into();
        assert_eq!(next(&one(set(2, 2), &pods), &healthy("a")), Step::Wait("not ready: a, c".into()));
    }

    #[test]
    fn an_old_status_is_no_basis_for_a_restart() {
        let pods = three([("old", Ready); 3]);
        assert!(matches!(next(&one(set(3, 2), &pods), &healthy("a")), Step::Wait(_)));
        assert!(matches!(next(&one(set(2, 2), &pods[..2]), &healthy("a")), Step::Wait(_)));
    }

    fn any_like() -> impl Strategy<Value = Like> {
        prop::sample::select(vec![Ready, Up, Starting, Blinking, Crashing, Unschedulable])
    }

    proptest! {
        #[test]
        fn what_serves_is_taken_only_when_nothing_else_is_missing(
            states in prop::collection::vec((prop::bool::ANY, any_like()), 3),
            health in prop::bool::ANY,
        ) {
            let revision = |new: bool| if new { "new" } else { "old" };
            let pods: Vec<_> =
                ["a", "b", "c"].iter().zip(&states).map(|(name, (new, like))| pod(name, revision(*new), *like)).collect();
            let health = if health { healthy("a") } else { waiting("no") };
            if let Step::Restart { pod: name, .. } = next(&one(set(2, 2), &pods), &health) {
                let taken = pods.iter().find(|pod| pod.name() == name).unwrap();
                prop_assert_eq!(revision(false), super::revision(taken), "what is as wanted stays");
                let new_down = pods.iter().any(|pod| super::revision(pod) == "new" && !is_ready(pod));
                let serves = !is_broken(taken) && (is_ready(taken) || pods.iter().any(|pod| super::revision(pod) == "new"));
                prop_assert!(!serves || (!new_down && health == healthy("a")));
            }
        }
    }
}
