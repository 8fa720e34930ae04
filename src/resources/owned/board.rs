//! Tells the people who watch a cluster what is done with it: what an operation says becomes Kubernetes Events on the anchor, and
//! the anchor's own line of progress. Only where an operation waits anyway, and at its end. Network; [`Queue`] is pure.
//!
//! Events are as <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/> has them, of the core group.

use crate::kubernetes::Kubernetes;
use crate::kubernetes::client::{Apply, FIELD_MANAGER};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::context::{Context, Listener};
use crate::stack::Stack;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The least time between two lines, but for the last one of an operation.
const BETWEEN: Duration = Duration::from_secs(2);
/// How long one line may take: it is never worth waiting for, and the last one has to fit into what core grants after a deadline.
const LIMIT: Duration = Duration::from_millis(800);
/// The longest message that the server takes.
const LONGEST: usize = 1024;
/// Where events of objects without a namespace are.
const ELSEWHERE: &str = "default";

/// Where an operation's lines go.
pub struct Board {
    kubernetes: Kubernetes,
    /// The anchor.
    about: Key,
    /// Whether the anchor has a line of progress, which is the operation's own.
    has_progress: bool,
    queue: Mutex<Queue>,
}

/// Lines that wait to be told.
#[derive(Default)]
struct Queue {
    lines: Vec<String>,
    told: Option<Instant>,
    /// The anchor's uid, once it was seen.
    uid: Option<String>,
    /// Nobody may be told.
    off: bool,
}

impl Queue {
    /// What is to be told now, if anything.
    fn take(&mut self, now: Instant, end: bool) -> Option<String> {
        let early = self.told.is_some_and(|told| now.duration_since(told) < BETWEEN);
        if self.off || self.lines.is_empty() || (early && !end) {
            return None;
        }
        self.told = Some(now);
        let mut text = std::mem::take(&mut self.lines).join("; ");
        while text.len() > LONGEST {
            text.pop();
        }
        Some(text)
    }
}

/// What an operation on what this anchor is of says is heard there, as events and as its line of progress.
pub fn on(cx: &Context<'_, Stack>, stack: &Stack, anchor: Key) {
    cx.heard_by(Arc::new(Board::new(stack, anchor, true)));
}

/// What an operation on something without an anchor of its own says is heard at this object, as events.
pub fn beside(cx: &Context<'_, Stack>, stack: &Stack, about: Key) {
    cx.heard_by(Arc::new(Board::new(stack, about, false)));
}

impl Listener for Board {
    fn hear(&self, line: &str) {
        self.queue().lines.push(line.to_owned());
    }

    fn pass_on(&self, end: bool) -> BoxFuture<'_, ()> {
        async move {
            let text = self.queue().take(Instant::now(), end);
            let Some(text) = text else { return };
            match tokio::time::timeout(LIMIT, self.tell(&text, end)).await {
                Ok(Err(Failure { class: Class::Forbidden { .. }, .. })) => self.queue().off = true,
                Ok(Err(failure)) => tracing::debug!(%failure, "not told"),
                Ok(Ok(())) | Err(_) => {}
            }
        }
        .boxed()
    }
}

impl Board {
    fn new(stack: &Stack, about: Key, has_progress: bool) -> Self {
        Self { kubernetes: stack.kubernetes.clone(), about, has_progress, queue: Mutex::default() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, text: &str, end: bool) -> Result<(), Failure> {
        let Some(uid) = self.uid().await? else { return Ok(()) };
        // The end has written the anchor itself, without such a line.
        if self.has_progress && !end {
            // With its uid: an anchor that is gone is not made anew.
            let line = json!({"metadata": {"uid": uid}, "data": {"progress": text}});
            self.kubernetes.apply(&Object::of(&self.about, line), Apply::default()).await?;
        }
        self.kubernetes.create(&event(&self.about, &uid, text, Timestamp::now())).await.map(|_| ())
    }

    async fn uid(&self) -> Result<Option<String>, Failure> {
        if let Some(uid) = self.queue().uid.clone() {
            return Ok(Some(uid));
        }
        let found = self.kubernetes.get(&self.about).await?.map(|found| found.uid().to_owned());
        self.queue().uid.clone_from(&found);
        Ok(found)
    }
}

/// Why an event is, in one word: the first of its line, and with a "NOT" the one that follows.
fn reason(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    let first = words.next().unwrap_or_default();
    let second = words.next().filter(|_| first == "NOT");
    let capital = |word: &str| -> String {
        let lower = word.to_ascii_lowercase();
        let mut letters = lower.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    };
    capital(first) + &second.map(capital).unwrap_or_default()
}

/// The event of a line.
fn event(about: &Key, uid: &str, text: &str, now: Timestamp) -> Object {
    let namespace = about.namespace.as_deref().unwrap_or(ELSEWHERE);
    let name = format!("{}.{:x}", about.name, now.as_nanosecond());
    let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let kind = if text.starts_with("NOT ") { "Warning" } else { "Normal" };
    Object::of(
        &Key::new(Kind::Event, namespace, name),
        json!({
            "involvedObject": {
                "apiVersion": about.kind.api_version(), "kind": about.kind.name(), "name": about.name,
                "namespace": about.namespace, "uid": uid,
            },
            "reason": reason(text), "message": text, "type": kind, "count": 1,
            "firstTimestamp": seconds, "lastTimestamp": seconds,
            "source": {"component": FIELD_MANAGER}, "reportingComponent": FIELD_MANAGER,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_are_told_together_and_not_more_often_than_they_may_be() {
        let mut queue = Queue::default();
        let begin = Instant::now();
        assert_eq!(queue.take(begin, true), None);
        queue.lines.extend(["applied a".to_owned(), "applied b".to_owned()]);
        assert_eq!(queue.take(begin, false).as_deref(), Some("applied a; applied b"));
        queue.lines.push("waiting".to_owned());
        assert_eq!(queue.take(begin + BETWEEN / 2, false), None);
        assert_eq!(queue.take(begin + BETWEEN, false).as_deref(), Some("waiting"));
        queue.lines.push("serving".to_owned());
        assert_eq!(queue.take(begin + BETWEEN, true).as_deref(), Some("serving"), "the last one does not wait");
        queue.lines.push("é".repeat(LONGEST));
        assert_eq!(queue.take(begin + BETWEEN, true).map(|text| text.len()), Some(LONGEST));
    }

    #[test]
    fn an_event_is_about_the_anchor_and_its_reason_is_one_word() {
        let now = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        let of = |about: &Key, text: &str| event(about, "u", text, now);
        let restarting = of(&Key::new(Kind::ConfigMap, "prod", "kafka-kafkastack"), "restarting kafka-1: it is old");
        assert_eq!((restarting.text("/reason"), restarting.text("/type")), ("Restarting", "Normal"));
        assert_eq!(restarting.key().namespace.as_deref(), Some("prod"));
        assert_eq!(restarting.text("/involvedObject/uid"), "u");
        assert_eq!(restarting.text("/firstTimestamp"), "2026-09-21T14:13:20Z");
        let class = of(&Key::cluster_scoped(Kind::StorageClass, "fast"), "NOT SERVING: the time is up");
        assert_eq!((class.text("/reason"), class.text("/type")), ("NotServing", "Warning"));
        assert_eq!(
            (class.key().namespace.as_deref(), class.text("/involvedObject/apiVersion")),
            (Some("default"), "storage.k8s.io/v1")
        );
    }
}
