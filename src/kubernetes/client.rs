//! Every call to the API server that the provider makes: one function a call, JSON in, JSON out, failures classified.
//!
//! No call waits longer than [`Patience::deadline`] for one answer. Calls that may be made twice are made again when the server
//! asks for it or fails; those that may not (`create`, `replace`) are read back instead, so that an effect whose answer was lost
//! is found and not repeated.

use super::{
    difference::differences,
    failure::{Class, Failure, Outcome, auth_words},
    object::{Key, Kind, Object, at},
    retry::Patience,
    settings::ConfigError,
};
use http::{Method, Request, header};
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{
    error::Error,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Semaphore;
use tower::BoxError;

/// Who asks, as audit logs have it.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
/// The field manager of everything that the provider applies.
pub const FIELD_MANAGER: &str = "terraform-provider-kafkastack";

/// How many tunnels are opened at the same time at most: hundreds at once overwhelm a relay on the way.
const DIALS: usize = 8;

/// How to apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Apply {
    /// Take over fields that other managers own.
    pub force: bool,
    /// Check and answer, but keep nothing.
    pub dry_run: bool,
    /// As a part of us that owns its fields alone: what one part applies takes nothing away of another one's.
    pub part: Option<&'static str>,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub struct Delete {
    /// Delete this very object: one of the same name with another uid stays (`Stale`).
    pub uid: Option<String>,
    /// Delete it only as long as it is as it was in this version (`Stale`).
    pub version: Option<String>,
    /// Leave what it owns (the pods of a StatefulSet); otherwise that is deleted in the background.
    pub orphan: bool,
    /// Seconds that pods get to end; `None`: as their specification says.
    pub grace_seconds: Option<u32>,
}

/// What became of an eviction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// The pod goes.
    Evicted,
    /// It is gone, is another one, or is not as it was.
    Missed,
    /// A budget, or the server, does not allow it now: its words.
    Held(String),
}

fn preconditions(uid: Option<&str>, version: Option<&str>) -> Value {
    let entries = [("uid", uid), ("resourceVersion", version)];
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))).collect()
}

/// A connection to one API server. Cheap to clone.
#[derive(Clone)]
pub struct Kubernetes {
    shared: Arc<Shared>,
}

struct Shared {
    client: RwLock<kube::Client>,
    /// Makes the client anew when its credentials are refused: runs an exec plugin again.
    renew: Option<Box<dyn Fn() -> Option<kube::Client> + Send + Sync>>,
    patience: Patience,
    dials: Semaphore,
    namespace: String,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// Calls through `client`, which must not retry by itself (`kube::Client::new` over a service of one's own does not).
    pub fn new(client: kube::Client) -> Self {
        Self::with(client, Patience::default(), None)
    }

    /// The same with other limits.
    pub fn patient(client: kube::Client, patience: Patience) -> Self {
        Self::with(client, patience, None)
    }

    /// A connection to nowhere: each call fails with what is wrong with the configuration. For those who may never call.
    pub fn not_configured(error: ConfigError) -> Self {
        let fails = tower::service_fn(move |_: Request<Body>| {
            std::future::ready(Err::<http::Response<Body>, BoxError>(Box::new(error.clone())))
        });
        Self::new(kube::Client::new(fails, "default"))
    }

    pub(super) fn with(
        client: kube::Client,
        patience: Patience,
        renew: Option<Box<dyn Fn() -> Option<kube::Client> + Send + Sync>>,
    ) -> Self {
        let namespace = client.default_namespace().to_owned();
        let (client, dials) = (RwLock::new(client), Semaphore::new(DIALS));
        Self { shared: Arc::new(Shared { client, renew, patience, dials, namespace }) }
    }

    /// The namespace that the kubeconfig's context names; `default` otherwise.
    pub fn default_namespace(&self) -> &str {
        &self.shared.namespace
    }

    /// One object; `None` when the server says that it is not there.
    pub async fn get(&self, key: &Key) -> Result<Option<Object>, Failure> {
        let call = Call::new(Method::GET, format!("get {key}"), path(key));
        match self.repeat(&call).await {
            Ok(json) => Ok(Some(Object::new(key.kind, json))),
            Err(failure) if matches!(failure.class, Class::NotFound | Class::NamespaceMissing(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The objects with these labels (`a=b,c=d`; empty: all), in one namespace or (`None`) everywhere.
    pub async fn list(&self, kind: Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Object>, Failure> {
        self.list_where(kind, namespace, &[("labelSelector", labels)]).await
    }

    async fn list_where(&self, kind: Kind, namespace: Option<&str>, filter: &[(&str, &str)]) -> Result<Vec<Object>, Failure> {
        let doing = match namespace {
            Some(namespace) => format!("list {kind}s in {namespace}"),
            None => format!("list {kind}s"),
        };
        let mut objects = Vec::new();
        let mut more = String::new();
        loop {
            let mut call = Call::new(Method::GET, doing.clone(), collection(kind, namespace)).query("limit", "500");
            for (name, value) in filter {
                call = call.query(name, value);
            }
            let mut page = self.repeat(&call.query("continue", &more)).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                objects.extend(items.into_iter().map(|item| Object::new(kind, item)));
            }
            at(&page, "/metadata/continue").as_str().unwrap_or_default().clone_into(&mut more);
            if more.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// Makes an object; fails with `AlreadyExists` when one of that name is there. When the answer is lost, the object is read
    /// back: it is a success when it is as wanted.
    pub async fn create(&self, object: &Object) -> Result<Object, Failure> {
        let key = object.key();
        let call = Call::new(Method::POST, format!("create {key}"), collection(key.kind, key.namespace.as_deref()))
            .query("fieldManager", FIELD_MANAGER)
            .query("fieldValidation", "Strict")
            .body("application/json", object.json());
        self.once(&call, object, |_| false).await
    }

    /// Puts the object in the place of the one with its `resourceVersion`, as a whole; fails with `Stale` when that has changed.
    pub async fn replace(&self, object: &Object) -> Result<Object, Failure> {
        let key = object.key();
        let call = Call::new(Method::PUT, format!("replace {key}"), path(&key))
            .query("fieldManager", FIELD_MANAGER)
            .query("fieldValidation", "Strict")
            .body("application/json", object.json());
        self.once(&call, object, |live| live.resource_version() == object.resource_version()).await
    }

    /// Server-side apply: the fields in `object` become as given and ours; others stay. Refused with `Conflict` when other
    /// managers own some of them, unless forced.
    pub async fn apply(&self, object: &Object, how: Apply) -> Result<Object, Failure> {
        let key = object.key();
        let doing = if how.dry_run { format!("check {key}") } else { format!("apply {key}") };
        let manager = how.part.map_or(FIELD_MANAGER.to_owned(), |part| format!("{FIELD_MANAGER}-{part}"));
        let call = Call::new(Method::PATCH, doing, path(&key))
            .query("fieldManager", &manager)
            .query("fieldValidation", "Strict")
            .query("force", if how.force { "true" } else { "" })
            .query("dryRun", if how.dry_run { "All" } else { "" })
            .body("application/apply-patch+yaml", object.json());
        self.repeat(&call).await.map(|json| Object::new(key.kind, json))
    }

    /// Deletes an object; `false` when it was not there. It may be there for some time yet: look until it is gone.
    pub async fn delete(&self, key: &Key, how: Delete) -> Result<bool, Failure> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": if how.orphan { "Orphan" } else { "Background" },
            "gracePeriodSeconds": how.grace_seconds,
            "preconditions": preconditions(how.uid.as_deref(), how.version.as_deref()),
        });
        let call = Call::new(Method::DELETE, format!("delete {key}"), path(key)).body("application/json", &options);
        let mut unknown = false;
        for attempt in 1.. {
            let failure = match self.send(&call).await {
                Ok(_) => return Ok(true),
                Err(failure) => failure,
            };
            match failure.class {
                Class::NotFound | Class::NamespaceMissing(_) => return Ok(unknown),
                // Ours went with an earlier attempt, and another one has its name.
                Class::Stale if unknown && how.uid.is_some() => return Ok(true),
                _ => {}
            }
            unknown |= failure.outcome() == Outcome::Unknown;
            // By name alone the second attempt could hit another object.
            if unknown && how.uid.is_none() {
                return Err(failure);
            }
            self.pause(attempt, failure).await?;
        }
        Ok(unknown)
    }

    /// Asks for a pod's eviction: a deletion that PodDisruptionBudgets have a say in. Only the pod with this uid is meant, and only
    /// as long as it is as it was in `version`, if that is given.
    pub async fn evict(&self, pod: &Key, uid: &str, version: Option<&str>) -> Result<Eviction, Failure> {
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": { "name": pod.name, "namespace": pod.namespace },
            "deleteOptions": { "preconditions": preconditions(Some(uid), version) },
        });
        let call = Call::new(Method::POST, format!("evict {pod}"), format!("{}/eviction", path(pod)));
        match self.send(&call.body("application/json", &eviction)).await {
            Ok(_) => Ok(Eviction::Evicted),
            Err(Failure { class: Class::NotFound | Class::Stale, .. }) => Ok(Eviction::Missed),
            Err(Failure { class: Class::Throttled { .. }, message, .. }) => Ok(Eviction::Held(message)),
            Err(failure) => Err(failure),
        }
    }

    /// The events about objects of that name, oldest first as the server keeps them.
    pub async fn events(&self, namespace: &str, involved: &str) -> Result<Vec<Object>, Failure> {
        let selector = format!("involvedObject.name={involved}");
        self.list_where(Kind::Event, Some(namespace), &[("fieldSelector", &selector)]).await
    }

    /// The last `lines` lines (at most 64 KiB) that a container wrote; `previous`: the run before this one.
    pub async fn log_tail(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        lines: u32,
        previous: bool,
    ) -> Result<String, Failure> {
        let key = Key::new(Kind::Pod, namespace, pod);
        let call = Call::new(Method::GET, format!("read the log of {key}"), format!("{}/log", path(&key)))
            .query("container", container)
            .query("tailLines", &lines.to_string())
            .query("limitBytes", "65536")
            .query("previous", if previous { "true" } else { "" });
        let bytes = self.persist(&call).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Makes a call whose effect is the same when it is made twice.
    async fn repeat(&self, call: &Call) -> Result<Value, Failure> {
        parse(call, &self.persist(call).await?)
    }

    async fn persist(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        for attempt in 1.. {
            match self.send(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.pause(attempt, failure).await?,
            }
        }
        Ok(Vec::new())
    }

    /// Makes a call that must not happen twice. After a lost answer the object is read: as wanted is a success; not there (or
    /// `untouched`) means that the call may be made again.
    async fn once(&self, call: &Call, wanted: &Object, untouched: impl Fn(&Object) -> bool) -> Result<Object, Failure> {
        let mut unknown = false;
        for attempt in 1.. {
            let failure = match self.send(call).await {
                Ok(answer) => return parse(call, &answer).map(|json| Object::new(wanted.kind(), json)),
                Err(failure) => failure,
            };
            unknown |= failure.outcome() == Outcome::Unknown;
            if unknown {
                // When even reading fails, the first failure is the one to tell.
                match self.get(&wanted.key()).await {
                    Ok(Some(live)) if as_wanted(wanted, &live) => return Ok(live),
                    Ok(Some(live)) if !untouched(&live) => return Err(superseded(call, failure)),
                    Ok(_) => {}
                    Err(_) => return Err(failure),
                }
            }
            self.pause(attempt, failure).await?;
        }
        Err(Failure::new(&call.doing, Class::Protocol, ""))
    }

    /// Waits before the next attempt, or gives the failure back.
    async fn pause(&self, attempt: u32, failure: Failure) -> Result<(), Failure> {
        match self.shared.patience.wait(attempt, &failure, random()) {
            Some(wait) => {
                tracing::debug!(attempt, wait_ms = wait.as_millis(), "{failure}; trying again");
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(failure),
        }
    }

    /// One request and its answer's body. Refused credentials are renewed once.
    async fn send(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        let refused = match self.request(call).await {
            Err(failure) if failure.class == Class::Unauthorized => failure,
            other => return other,
        };
        let shared = self.shared.clone();
        let renewed = tokio::task::spawn_blocking(move || shared.renew.as_ref().and_then(|renew| renew())).await;
        let Ok(Some(client)) = renewed else { return Err(refused) };
        *self.shared.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        self.request(call).await
    }

    async fn request(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        let deadline = self.shared.patience.deadline;
        let exchange = async {
            let answer = self.client().send(call.request()?).await.map_err(|error| no_answer(&call.doing, &error))?;
            let (head, body) = answer.into_parts();
            let body = body.collect_bytes().await.map_err(|error| no_answer(&call.doing, &error))?;
            if head.status.is_success() {
                return Ok(body.to_vec());
            }
            let after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Failure::from_answer(&call.doing, head.status.as_u16(), after, &body))
        };
        let timed_out = |_| Failure::new(&call.doing, Class::TimedOut(deadline), "");
        tokio::time::timeout(deadline, exchange).await.map_err(timed_out)?
    }

    pub(super) fn client(&self) -> kube::Client {
        self.shared.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn deadline(&self) -> Duration {
        self.shared.patience.deadline
    }

    pub(super) fn dials(&self) -> &Semaphore {
        &self.shared.dials
    }
}

/// One request, as often as it is made.
struct Call {
    method: Method,
    doing: String,
    path: String,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Call {
    fn new(method: Method, doing: String, path: String) -> Self {
        Self { method, doing, path, content_type: "application/json", body: Vec::new() }
    }

    /// Adds a parameter; an empty value leaves it out.
    fn query(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            let separator = if self.path.contains('?') { '&' } else { '?' };
            self.path = format!("{}{separator}{name}={}", self.path, utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        self
    }

    fn body(mut self, content_type: &'static str, body: &Value) -> Self {
        self.content_type = content_type;
        self.body = body.to_string().into_bytes();
        self
    }

    fn request(&self) -> Result<Request<Body>, Failure> {
        Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::CONTENT_TYPE, self.content_type)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .body(Body::from(self.body.clone()))
            .map_err(|error| Failure::new(&self.doing, Class::Protocol, error.to_string()))
    }
}

/// The URL path of all objects of a kind.
pub(super) fn collection(kind: Kind, namespace: Option<&str>) -> String {
    let root = if kind.group().is_empty() { "/api" } else { "/apis" };
    let version = kind.api_version();
    match namespace.filter(|_| kind.namespaced()) {
        Some(namespace) => format!("{root}/{version}/namespaces/{}/{}", segment(namespace), kind.plural()),
        None => format!("{root}/{version}/{}", kind.plural()),
    }
}

/// The URL path of one object.
pub(super) fn path(key: &Key) -> String {
    format!("{}/{}", collection(key.kind, key.namespace.as_deref()), segment(&key.name))
}

fn segment(text: &str) -> String {
    const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn parse(call: &Call, answer: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(answer).map_err(|error| Failure::new(&call.doing, Class::Protocol, error.to_string()))
}

/// Whether the server has what was to be written: everything but the version that the write was based on.
fn as_wanted(wanted: &Object, live: &Object) -> bool {
    let mut wanted = wanted.clone();
    for field in ["resourceVersion", "managedFields", "generation"] {
        wanted.set_metadata(field, Value::Null);
    }
    if let Some(content) = wanted.json_mut().as_object_mut() {
        content.remove("status");
    }
    differences(wanted.json(), live.json()).is_empty()
}

/// What is there now is neither what was wanted nor what was there before: someone else wrote it.
fn superseded(call: &Call, failure: Failure) -> Failure {
    let class = if call.method == Method::POST { Class::AlreadyExists } else { Class::Stale };
    Failure { class, ..failure }
}

/// Reads why there was no answer. Never the plugin's output: kube's own words for a failed exec plugin contain it.
pub(super) fn no_answer(doing: &str, error: &kube::Error) -> Failure {
    let class = match error {
        kube::Error::Auth(auth) => {
            return Failure::new(doing, Class::Unauthorized, auth_words(auth));
        }
        kube::Error::Service(inner) if inner.is::<ConfigError>() => Class::NotConfigured(inner.to_string()),
        kube::Error::Service(inner) => {
            let never_sent = inner.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect());
            let why = innermost(inner.as_ref());
            if never_sent { Class::Unreachable(why) } else { Class::Lost(why) }
        }
        other => Class::Lost(innermost(other)),
    };
    Failure::new(doing, class, "")
}

/// The words of the last cause that says something: `Connection refused (os error 111)`.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Between 0 and 1, different each time.
fn random() -> f64 {
    f64::from((crate::random::bits() >> 40) as u32) / f64::from(1_u32 << 24)
}
