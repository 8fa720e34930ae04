//! Which pod to restart next, if any. Pure: it sees the StatefulSet, its pods and what the service says of itself.

use crate::kubernetes::object::Object;

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everyone serves, and everything is in sync; these pods should be restarted last, for they lead.
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

/// Pods go one at a time, only when all others serve; one that is not ready goes first, for it cannot get worse, and those that
/// lead go last, for each move of a leader is felt by clients. Without restarts, what counts is what the service says: the
/// kubelet's probes come after it.
pub fn next(stateful_set: &Object, pods: &[Object], health: &Health) -> Step {
    let wait = |why: String| Step::Wait(why);
    if stateful_set.int("/status/observedGeneration") < stateful_set.int("/metadata/generation") {
        return wait("Kubernetes has not taken up the change of the StatefulSet yet".to_owned());
    }
    let replicas = stateful_set.int("/spec/replicas").unwrap_or(0);
    if let Some(pod) = pods.iter().find(|pod| pod.deleting()) {
        return wait(format!("pod {} is stopping", pod.name()));
    }
    let there = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if there != replicas {
        return wait(format!("{there} of {replicas} pods are there"));
    }
    let wanted = stateful_set.text("/status/updateRevision");
    let outdated: Vec<&Object> = pods.iter().filter(|pod| revision(pod) != wanted).collect();
    let restart = |pod: &Object| Step::Restart { pod: pod.name().to_owned(), uid: pod.uid().to_owned() };
    if let Some(pod) = outdated.iter().find(|pod| !is_ready(pod)) {
        return restart(pod);
    }
    let unready: Vec<&Object> = pods.iter().filter(|pod| !is_ready(pod)).collect();
    if unready.iter().any(|pod| !runs(pod)) || !(unready.is_empty() || outdated.is_empty()) {
        let names: Vec<&str> = unready.iter().map(|pod| pod.name()).collect();
        return wait(format!("not ready: {}", names.join(", ")));
    }
    let leaders = match health {
        Health::Waiting(why) => return wait(why.clone()),
        Health::Healthy { leaders } => leaders,
    };
    let leads = |pod: &&&Object| leaders.iter().any(|leader| leader == pod.name());
    match outdated.iter().find(|pod| !leads(pod)).or(outdated.first()) {
        Some(pod) => restart(pod),
        None => Step::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use serde_json::json;

    fn set(generation: i64, observed: i64) -> Object {
        Object::new(
            Kind::StatefulSet,
            json!({"metadata": {"generation": generation}, "spec": {"replicas": 3},
                "status": {"observedGeneration": observed, "updateRevision": "new"}}),
        )
    }

    fn pod(name: &str, revision: &str, ready: bool) -> Object {
        Object::new(
            Kind::Pod,
            json!({"metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"controller-revision-hash": revision}},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}}),
        )
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

    #[test]
    fn the_leader_restarts_last() {
        let mut pods = vec![pod("a", "old", true), pod("b", "old", true), pod("c", "old", true)];
        let mut order = vec![];
        while let Step::Restart { pod: name, .. } = next(&set(2, 2), &pods, &healthy("a")) {
            let i = pods.iter().position(|p| p.name() == name).unwrap();
            pods[i] = pod(&name, "new", true);
            order.push(name);
        }
        assert_eq!(order, ["b", "c", "a"]);
        assert_eq!(next(&set(2, 2), &pods, &healthy("a")), Step::Done);
    }

    #[test]
    fn nothing_restarts_while_one_is_not_ready_or_the_service_waits() {
        let pods = [pod("a", "old", true), pod("b", "new", false), pod("c", "old", true)];
        assert_eq!(next(&set(2, 2), &pods, &healthy("c")), Step::Wait("not ready: b".into()));
        let pods = [pod("a", "old", true), pod("b", "new", true), pod("c", "old", true)];
        let waiting = Health::Waiting("1 partition is not in sync: t-0".into());
        assert_eq!(next(&set(2, 2), &pods, &waiting), Step::Wait("1 partition is not in sync: t-0".into()));
    }

    #[test]
    fn a_broken_pod_of_the_old_revision_goes_first() {
        let pods = [pod("a", "old", true), pod("b", "old", false), pod("c", "old", true)];
        assert_eq!(restarted(&next(&set(2, 2), &pods, &Health::Waiting(String::new()))), "b");
    }

    #[test]
    fn without_restarts_the_service_is_believed_before_the_kubelet() {
        let mut pods = [pod("a", "new", false), pod("b", "new", true), pod("c", "new", false)];
        assert_eq!(next(&set(2, 2), &pods, &healthy("a")), Step::Done);
        let waiting = Health::Waiting("member c is not in the quorum".into());
        assert_eq!(next(&set(2, 2), &pods, &waiting), Step::Wait("member c is not in the quorum".into()));
        // Nobody has to be asked while a pod does not run.
        pods[2].json_mut()["status"]["phase"] = "Pending".into();
        assert_eq!(next(&set(2, 2), &pods, &healthy("a")), Step::Wait("not ready: a, c".into()));
    }

    #[test]
    fn an_old_status_is_no_basis_for_a_restart() {
        let pods = [pod("a", "old", true), pod("b", "old", true), pod("c", "old", true)];
        assert!(matches!(next(&set(3, 2), &pods, &healthy("a")), Step::Wait(_)));
        assert!(matches!(next(&set(2, 2), &pods[..2], &healthy("a")), Step::Wait(_)));
    }
}
