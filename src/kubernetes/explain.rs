//! Why a StatefulSet is not ready: claims, pods and events turned into sentences. [`explain`] is pure;
//! [`Kubernetes::why_not_ready`] fetches what it needs.

use super::{Failure, Key, Kind, Kubernetes, Object, failure::Class, object::at};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// One reason, about one object. Displays as `Pod default/kafka-0: ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is about.
    pub object: Key,
    /// Why, with the datum that matters: the image, the exit code, the scheduler's words.
    pub text: String,
    /// The last line that a container wrote, for who may read logs: it may hold what others may not see.
    pub said: Option<String>,
    /// Whether it passes by itself.
    pub outlook: Outlook,
}

/// Whether a reason passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Something is under way.
    Transient,
    /// Somebody who is asked for something has no time now.
    Busy,
    /// Nothing is under way, as far as Kubernetes says; room may come for another reason.
    Doubtful,
    /// Waiting alone does not heal it.
    Stuck,
}

impl Outlook {
    fn stuck_if(lost: bool) -> Self {
        if lost { Self::Stuck } else { Self::Transient }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.text)?;
        self.said.iter().try_for_each(|line| write!(f, "; its last log line: {line}"))
    }
}

impl Reason {
    fn new(object: &Object, text: String, outlook: Outlook) -> Self {
        Self { object: object.key(), text, said: None, outlook }
    }
}

/// What there is to be seen of a StatefulSet.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Its pods.
    pub pods: Vec<Object>,
    /// Its claims.
    pub claims: Vec<Object>,
    /// The events of its namespace.
    pub events: Vec<Object>,
    /// All StorageClasses; `None` when they may not be read.
    pub classes: Option<Vec<Object>>,
    /// The last line that a pod's failing container wrote, by the pod's name.
    pub last_lines: BTreeMap<String, String>,
}

/// A crash loop is taken for lasting from this many restarts on.
const CRASHES: i64 = 3;

/// Why `set` is not ready, the most basic reason first; empty when nothing stands out.
pub fn explain(set: &Object, evidence: &Evidence) -> Vec<Reason> {
    let mut reasons: Vec<_> = evidence.claims.iter().filter_map(|claim| unbound(claim, evidence)).collect();
    reasons.extend(not_created(set, evidence));
    let claims_wait = !reasons.is_empty();
    reasons.extend(evidence.pods.iter().filter_map(|pod| not_ready(pod, evidence, claims_wait)));
    reasons
}

fn unbound(claim: &Object, evidence: &Evidence) -> Option<Reason> {
    if claim.text("/status/phase") != "Pending" {
        return None;
    }
    let because = |text: String, outlook| Some(Reason::new(claim, text, outlook));
    let name = claim.text("/spec/storageClassName");
    let class = evidence.classes.as_ref().map(|classes| (classes.iter().find(|class| class.name() == name), classes));
    match class {
        Some((None, classes)) if !name.is_empty() => {
            let there: Vec<_> = classes.iter().map(Object::name).collect();
            let there = if there.is_empty() { "there is none".to_owned() } else { format!("there are: {}", there.join(", ")) };
            return because(format!("StorageClass {name:?} does not exist; {there}"), Outlook::Stuck);
        }
        Some((None, _)) if claim.at("/spec/storageClassName").is_null() => {
            let text = "it names no StorageClass and the cluster has no default one".to_owned();
            return because(text, Outlook::Stuck);
        }
        _ => {}
    }
    let event = latest(evidence, claim);
    // A claim that waits for its pod is as it should be; the pod says why it is not scheduled.
    if event.is_some_and(|event| event.text("/reason") == "WaitForFirstConsumer") {
        return None;
    }
    let waits_for_pod = class.and_then(|(class, _)| class).map(|class| class.text("/volumeBindingMode"));
    match event {
        None if waits_for_pod == Some("WaitForFirstConsumer") => None,
        None => because(format!("no volume is bound to it (StorageClass {name:?})"), Outlook::Transient),
        Some(event) => {
            let outlook = if event.text("/reason") == "ProvisioningFailed" { Outlook::Doubtful } else { Outlook::Transient };
            because(format!("no volume is bound to it (StorageClass {name:?}): {}", event.text("/message")), outlook)
        }
    }
}

/// Pods that the controller may not create.
fn not_created(set: &Object, evidence: &Evidence) -> Option<Reason> {
    let wanted = usize::try_from(set.int("/spec/replicas").unwrap_or(1)).unwrap_or_default();
    if evidence.pods.len() >= wanted {
        return None;
    }
    let event = newest(evidence.events.iter().filter(|event| about(event, set) && event.text("/reason") == "FailedCreate"))?;
    let message = event.text("/message");
    let fatal = message.contains("exceeded quota") || message.contains("forbidden") || message.contains("denied the request");
    Some(Reason::new(set, message.to_owned(), Outlook::stuck_if(fatal)))
}

fn not_ready(pod: &Object, evidence: &Evidence, claims_wait: bool) -> Option<Reason> {
    if pod.condition("Ready") == Some(true) && !pod.deleting() {
        return None;
    }
    let because = |text: String, outlook| Some(Reason::new(pod, text, outlook));
    let said = |reason: Option<Reason>| reason.map(|one| Reason { said: evidence.last_lines.get(pod.name()).cloned(), ..one });
    if pod.deleting() {
        return because("it is being deleted".to_owned(), Outlook::Transient);
    }
    let scheduled = pod.list("/status/conditions").iter().find(|condition| at(condition, "/type") == "PodScheduled");
    if let Some(condition) = scheduled.filter(|condition| at(condition, "/status") == "False") {
        let message = at(condition, "/message").as_str().unwrap_or("no node takes it");
        let told_already = claims_wait && message.contains("unbound immediate PersistentVolumeClaims");
        // A volume may be being made, and the cluster's or Karpenter's autoscaler a node.
        let comes = |event: &&Object| about(event, pod) && ["TriggeredScaleUp", "Nominated"].contains(&event.text("/reason"));
        let waits = message.contains("unbound immediate PersistentVolumeClaims") || evidence.events.iter().any(|e| comes(&e));
        let outlook = if waits { Outlook::Transient } else { Outlook::Doubtful };
        return if told_already { None } else { because(format!("it cannot be scheduled: {message}"), outlook) };
    }
    let containers = pod.list("/status/initContainerStatuses").iter().chain(pod.list("/status/containerStatuses"));
    if let Some((text, outlook)) =
        containers.filter(|status| at(status, "/ready") != true).find_map(|status| stuck(status, pod, evidence))
    {
        return said(because(text, outlook));
    }
    match latest(evidence, pod).filter(|event| event.text("/type") == "Warning") {
        Some(event) => said(because(event.text("/message").to_owned(), Outlook::Transient)),
        None if pod.text("/status/phase") == "Running" => {
            said(because("it runs but is not ready".to_owned(), Outlook::Transient))
        }
        None => because("its containers are being created".to_owned(), Outlook::Transient),
    }
}

/// Why a container does not run: its image, its exit. `None` when its state says nothing.
fn stuck(status: &Value, pod: &Object, evidence: &Evidence) -> Option<(String, Outlook)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(at(status, "/name"));
    let waiting = at(status, "/state/waiting");
    let reason = text(at(waiting, "/reason"));
    match reason.as_str() {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            let image = text(at(status, "/image"));
            // The back-off's own message only repeats the image; an earlier event says why.
            let pulling = |event: &&Object| about(event, pod) && event.text("/message").contains("pull image");
            let event = newest(evidence.events.iter().filter(pulling)).map(|event| event.text("/message").to_owned());
            let why = event.unwrap_or_else(|| text(at(waiting, "/message")));
            let outlook = match () {
                () if is_busy(&why) => Outlook::Busy,
                () if reason == "ErrImagePull" => Outlook::Transient,
                () => Outlook::Stuck,
            };
            Some((format!("image {image:?} of container {name:?} cannot be pulled: {why}"), outlook))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some((format!("container {name:?} cannot be started: {}", text(at(waiting, "/message"))), Outlook::Transient))
        }
        _ => {
            let ended = [at(status, "/state/terminated"), at(status, "/lastState/terminated")];
            let ended = ended.into_iter().find(|ended| at(ended, "/exitCode").as_i64().is_some_and(|code| code != 0))?;
            let restarts = at(status, "/restartCount").as_i64().unwrap_or_default();
            // What ended before does not end what runs now: it may read its log back.
            let runs = !at(status, "/state/running").is_null();
            let why = match text(at(ended, "/reason")).as_str() {
                "OOMKilled" => " (out of memory: its limit is too small)".to_owned(),
                "" | "Error" => String::new(),
                other => format!(" ({other})"),
            };
            let code = at(ended, "/exitCode");
            let text = format!("container {name:?} ended with exit code {code}{why}, {restarts} restarts");
            Some((text, Outlook::stuck_if(restarts >= CRASHES && !runs)))
        }
    }
}

/// What a registry, or the way to it, says that may pass in minutes: the kubelet repeats the words of the container runtime.
const BUSY: [&str; 11] = [
    "too many requests",
    "toomanyrequests",
    "rate limit",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway time",
    "i/o timeout",
    "deadline exceeded",
    "connection reset",
    "unexpected eof",
];

/// Whether a pull failed because somebody has no time: not because there is no such image, or nobody may have it.
fn is_busy(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    BUSY.iter().any(|word| why.contains(word))
}

/// Whether an event is about this very object, not about an earlier one of its name.
fn about(event: &Object, object: &Object) -> bool {
    let uid = event.text("/involvedObject/uid");
    event.text("/involvedObject/name") == object.name()
        && event.text("/involvedObject/kind") == object.kind().name()
        && (uid.is_empty() || object.uid().is_empty() || uid == object.uid())
}

fn latest<'a>(evidence: &'a Evidence, object: &Object) -> Option<&'a Object> {
    newest(evidence.events.iter().filter(|event| about(event, object)))
}

fn newest<'a>(events: impl Iterator<Item = &'a Object>) -> Option<&'a Object> {
    let time = |event: &Object| {
        let fields = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
        fields.iter().map(|field| event.text(field)).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    events.max_by_key(|event| time(event))
}

impl Kubernetes {
    /// Looks why the StatefulSet `key` is not ready. Meant to be asked every few seconds while waiting: five calls, and a log for
    /// each pod that fails.
    pub async fn why_not_ready(&self, key: &Key) -> Result<Vec<Reason>, Failure> {
        let Some(set) = self.get(key).await? else {
            let text = "it does not exist".to_owned();
            return Ok(vec![Reason { object: key.clone(), text, said: None, outlook: Outlook::Transient }]);
        };
        let namespace = set.namespace().unwrap_or_default();
        let labels: Vec<_> = set.strings("/spec/selector/matchLabels").iter().map(|(k, v)| format!("{k}={v}")).collect();
        let labels = labels.join(",");
        let (pods, claims, events, classes) = futures::join!(
            self.list(Kind::Pod, Some(namespace), &labels),
            self.list(Kind::PersistentVolumeClaim, Some(namespace), ""),
            self.list(Kind::Event, Some(namespace), ""),
            self.list(Kind::StorageClass, None, ""),
        );
        // A neighbour's pods may carry the same labels.
        let pods = pods?.into_iter().filter(|pod| pod.is_owned_by(set.uid())).collect();
        let mut evidence = Evidence { pods, classes: classes.ok(), ..Evidence::default() };
        // Without the right to read these, the pods still say most of it.
        evidence.events = readable(events)?;
        evidence.claims = readable(claims)?;
        evidence.claims.retain(|claim| belongs(claim, &set));
        for pod in evidence.pods.iter().filter(|pod| pod.condition("Ready") != Some(true)) {
            if let Some(line) = self.last_line(pod).await {
                evidence.last_lines.insert(pod.name().to_owned(), line);
            }
        }
        Ok(explain(&set, &evidence))
    }

    /// The last line of the first container that is not ready; of the run before when it is between two.
    async fn last_line(&self, pod: &Object) -> Option<String> {
        let statuses = pod.list("/status/initContainerStatuses").iter().chain(pod.list("/status/containerStatuses"));
        let status = statuses.into_iter().find(|status| at(status, "/ready") != true)?;
        let started = at(status, "/restartCount") != 0 || at(status, "/state").get("waiting").is_none();
        let previous = at(status, "/state").get("running").is_none() && at(status, "/state").get("terminated").is_none();
        let container = at(status, "/name").as_str()?;
        let namespace = pod.namespace()?;
        let log = if started { self.log_tail(namespace, pod.name(), container, 5, previous).await.ok()? } else { return None };
        let line = log.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(line.chars().take(300).collect())
    }
}

fn readable(listed: Result<Vec<Object>, Failure>) -> Result<Vec<Object>, Failure> {
    match listed {
        Err(failure) if matches!(failure.class, Class::Forbidden { .. }) => Ok(Vec::new()),
        other => other,
    }
}

/// Whether a claim is one that the set makes: `<template>-<set>-<ordinal>`.
fn belongs(claim: &Object, set: &Object) -> bool {
    set.list("/spec/volumeClaimTemplates").iter().any(|template| {
        let prefix = format!("{}-{}-", at(template, "/metadata/name").as_str().unwrap_or_default(), set.name());
        let ordinal = claim.name().strip_prefix(&prefix);
        ordinal.is_some_and(|ordinal| !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
