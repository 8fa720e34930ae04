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
    /// The process in it listens, and it is not ready.
    Up,
    /// It is ready.
    Ready,
}

impl Stage {
    /// How far this one came. `container`: the name of its own one; what others injected may be broken beside one that serves.
    pub fn of(pod: &Object, container: &str) -> Self {
        let runs = pod.text("/status/phase") == "Running";
        match () {
            () if is_ready(pod) => Self::Ready,
            () if is_up(pod, container) => Self::Up,
            () if is_broken(pod) => Self::Broken,
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

/// Whether the container of this name runs and has passed its startup probe.
fn is_up(pod: &Object, container: &str) -> bool {
    let up = |status: &Value| *at(status, "/name") == *container && *at(status, "/started") == true;
    pod.text("/status/phase") == "Running" && pod.list("/status/containerStatuses").iter().any(up)
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
    let waits = |container: &Value| at(container, "/state/waiting/reason").as_str().is_some_and(|why| STUCK.contains(&why));
    let ended_again =
        |container: &Value| !at(container, "/state/terminated").is_null() && at(container, "/restartCount").as_i64() > Some(0);
    // One that prepares the pod has done so when it ends with 0.
    let failed_again =
        |container: &Value| ended_again(container) && at(container, "/state/terminated/exitCode").as_i64() != Some(0);
    let mut preparing = pod.list("/status/initContainerStatuses").iter();
    let mut containers = pod.list("/status/containerStatuses").iter();
    pod.text("/status/phase") == "Failed"
        || pod.condition("PodScheduled") == Some(false)
        || preparing.any(|container| waits(container) || failed_again(container))
        || containers.any(|container| waits(container) || ended_again(container))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use serde_json::json;

    fn stage(status: Value) -> Stage {
        Stage::of(&Object::new(Kind::Pod, json!({"metadata": {"name": "a"}, "status": status})), "kafka")
    }

    fn running(ready: &str, container: Value) -> Stage {
        beside(ready, container, json!({"name": "proxy", "started": true, "state": {"running": {}}}))
    }

    fn beside(ready: &str, mut own: Value, other: Value) -> Stage {
        own["name"] = "kafka".into();
        stage(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": [other, own]}))
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

    #[test]
    fn what_others_injected_says_nothing_of_the_process_that_listens() {
        let crashes = json!({"name": "proxy", "started": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        let listens = json!({"started": true, "state": {"running": {}}});
        assert_eq!(beside("False", listens, crashes.clone()), Stage::Up);
        assert_eq!(beside("False", json!({"started": false, "state": {"running": {}}}), crashes), Stage::Broken);
    }

    #[test]
    fn a_container_that_prepared_the_pod_at_its_second_try_has_done_so() {
        let prepared = |code: i64| {
            let status = json!({"name": "init", "restartCount": 1, "state": {"terminated": {"exitCode": code}}});
            let own = json!({"name": "kafka", "started": false, "state": {"running": {}}});
            stage(json!({"phase": "Running", "initContainerStatuses": [status], "containerStatuses": [own]}))
        };
        assert_eq!((prepared(0), prepared(1)), (Stage::Starting, Stage::Broken));
    }
}
