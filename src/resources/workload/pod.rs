//! What Kubernetes says of a pod, as far as a roll has to know it. Pure.

use crate::kubernetes::object::{Object, at};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far a pod came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It does not come as it is: nothing is lost when it is taken away.
    Broken,
    /// It has no node yet, or no container.
    Pending,
    /// Its containers run, and have not passed their startup probes.
    Starting,
    /// It listens, and is not ready.
    Up,
    /// It is ready.
    Ready,
}

impl Stage {
    /// How far this one came.
    pub fn of(pod: &Object) -> Self {
        let runs = pod.text("/status/phase") == "Running";
        match () {
            () if is_ready(pod) => Self::Ready,
            () if is_broken(pod) => Self::Broken,
            () if is_up(pod) => Self::Up,
            () if runs => Self::Starting,
            () => Self::Pending,
        }
    }

    /// Whether its containers run, so that the service in it can be asked.
    pub fn runs(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Ready)
    }

    /// Whether the process in it listens; it may wait for others.
    pub fn listens(self) -> bool {
        matches!(self, Self::Up | Self::Ready)
    }
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Object) -> bool {
    !pod.deleting() && pod.condition("Ready") == Some(true)
}

/// The revision of the StatefulSet that a pod runs.
pub fn revision(pod: &Object) -> &str {
    pod.labels().get("controller-revision-hash").copied().unwrap_or_default()
}

/// The claim of each pod whose claim is being deleted: it goes with the pod.
pub fn going<'a>(pods: impl Iterator<Item = &'a Object>, claims: &[Object]) -> BTreeMap<String, String> {
    let goes = |claim: &&str| claims.iter().any(|found| found.name() == *claim && found.deleting());
    let of = |pod: &'a Object| Some((pod.name().to_owned(), claims_of(pod).find(goes)?.to_owned()));
    pods.filter_map(of).collect()
}

fn claims_of(pod: &Object) -> impl Iterator<Item = &str> {
    pod.list("/spec/volumes").iter().filter_map(|volume| at(volume, "/persistentVolumeClaim/claimName").as_str())
}

/// Whether every container of a pod runs and has passed its startup probe.
pub fn is_up(pod: &Object) -> bool {
    let started = |container: &Value| *at(container, "/started") == true;
    pod.text("/status/phase") == "Running" && pod.list("/status/containerStatuses").iter().all(started)
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

fn is_broken(pod: &Object) -> bool {
    let stuck = |container: &Value| {
        let waits = at(container, "/state/waiting/reason").as_str().is_some_and(|reason| STUCK.contains(&reason));
        let ended_again = !at(container, "/state/terminated").is_null() && at(container, "/restartCount").as_i64() > Some(0);
        waits || ended_again
    };
    let mut containers = pod.list("/status/initContainerStatuses").iter().chain(pod.list("/status/containerStatuses"));
    pod.text("/status/phase") == "Failed" || pod.condition("PodScheduled") == Some(false) || containers.any(stuck)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use serde_json::json;

    fn stage(status: Value) -> Stage {
        Stage::of(&Object::new(Kind::Pod, json!({"metadata": {"name": "a"}, "status": status})))
    }

    fn running(ready: &str, container: Value) -> Stage {
        stage(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [container]}))
    }

    #[test]
    fn a_pod_comes_in_stages() {
        assert_eq!(running("True", json!({"started": true, "state": {"running": {}}})), Stage::Ready);
        assert_eq!(running("False", json!({"started": true, "restartCount": 2, "state": {"running": {}}})), Stage::Up);
        assert_eq!(running("False", json!({"started": false, "restartCount": 2, "state": {"running": {}}})), Stage::Starting);
        assert_eq!(stage(json!({"phase": "Pending"})), Stage::Pending);
        let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]});
        assert_eq!(stage(unscheduled), Stage::Broken);
        assert_eq!(stage(json!({"phase": "Failed"})), Stage::Broken);
        assert_eq!(running("False", json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}})), Stage::Broken);
        assert_eq!(running("False", json!({"restartCount": 1, "state": {"terminated": {"exitCode": 1}}})), Stage::Broken);
        // Its first end may be its last.
        assert_eq!(running("False", json!({"restartCount": 0, "state": {"terminated": {"exitCode": 1}}})), Stage::Starting);
    }
}
