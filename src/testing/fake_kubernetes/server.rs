//! HTTP requests turned into changes of the world and answers.

use super::{
    FakeKubernetes, Stored, World,
    answers::{self, Answer, json_of},
    controllers,
    ownership::Owners,
    rules,
};
use crate::{
    kubernetes::{Key, Kind, Object},
    testing::faults::Fault,
};
use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream};
use http::{Method, Request, Response, request::Parts};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::client::Body;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    task::{Context, Poll},
};
use tower::{BoxError, Service};

/// The service that a `kube::Client` talks to.
pub struct Server(pub FakeKubernetes);

type Answered = Response<UnsyncBoxBody<Bytes, BoxError>>;

impl Service<Request<Body>> for Server {
    type Response = Answered;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answered, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fake = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            answer(&fake, &Asked::read(&head, &body)).await
        })
    }
}

/// A request as far as it is understood.
struct Asked {
    method: Method,
    line: String,
    key: Key,
    subresource: String,
    query: BTreeMap<String, String>,
    body: Value,
}

impl Asked {
    fn read(head: &Parts, body: &[u8]) -> Self {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let path: Vec<String> = head.uri.path().split('/').skip(1).map(decode).collect();
        let query = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let body = serde_json::from_slice(body).unwrap_or_default();
        let (version, rest) = match path.first().map(String::as_str) {
            Some("api") => (path[1].clone(), &path[2..]),
            _ => (format!("{}/{}", path[1], path[2]), &path[3..]),
        };
        let (namespace, rest) = match rest {
            [word, namespace, rest @ ..] if word == "namespaces" && !rest.is_empty() => (Some(namespace.clone()), rest),
            rest => (None, rest),
        };
        let known = |kind: &&Kind| kind.plural() == rest[0] && kind.api_version() == version;
        let kind = *Kind::ALL.iter().find(known).unwrap_or_else(|| panic!("no such kind: {}", head.uri));
        Self {
            method: head.method.clone(),
            line: format!("{} {}", head.method, head.uri),
            key: Key { kind, namespace, name: rest.get(1).cloned().unwrap_or_default() },
            subresource: rest.get(2).cloned().unwrap_or_default(),
            query: query.map(|(name, value)| (name.to_owned(), decode(value))).collect(),
            body,
        }
    }

    fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn watch(&self) -> bool {
        self.get("watch") == "true"
    }

    fn verb(&self) -> &'static str {
        match self.method {
            Method::GET if self.watch() => "watch",
            Method::GET if self.key.name.is_empty() => "list",
            Method::GET => "get",
            Method::POST => "create",
            Method::PATCH => "patch",
            Method::PUT => "update",
            _ => "delete",
        }
    }
}

/// Watches are not counted: when they happen is not the scenario's choice.
async fn answer(fake: &FakeKubernetes, asked: &Asked) -> Result<Answered, BoxError> {
    if asked.watch() {
        return Ok(watch(fake, asked));
    }
    let fault = fake.faults.next();
    let lost = || Err(BoxError::from("connection reset by peer"));
    match fault {
        Some(Fault::Throttled) => return Ok(respond(answers::throttled())),
        Some(Fault::ServerError) => return Ok(respond(answers::server_error())),
        Some(Fault::Forbidden) => return Ok(respond(answers::forbidden(&asked.key, asked.verb()))),
        Some(Fault::Unauthorized) => return Ok(respond(answers::unauthorized())),
        Some(Fault::Conflict) => return Ok(respond(answers::modified(&asked.key))),
        Some(Fault::DropBefore) => return lost(),
        Some(Fault::HangBefore) => std::future::pending().await,
        Some(Fault::DropAfter | Fault::HangAfter) | None => {}
    }
    let answered = fake.perform(asked);
    match fault {
        Some(Fault::DropAfter) => lost(),
        Some(Fault::HangAfter) => std::future::pending().await,
        _ => Ok(respond(answered)),
    }
}

fn respond((status, body): Answer) -> Answered {
    let body = Full::from(body).map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}

/// One line for each change of an object of that kind, without end.
fn watch(fake: &FakeKubernetes, asked: &Asked) -> Answered {
    if fake.world().forbids("watch", &asked.key) {
        return respond(answers::forbidden(&asked.key, "watch"));
    }
    let (kind, namespace) = (asked.key.kind, asked.key.namespace.clone());
    let changes = stream::unfold(fake.changes.subscribe(), |mut changes| async { Some((changes.recv().await.ok()?, changes)) });
    let lines = changes.filter_map(move |key| {
        let line = json!({"type": "MODIFIED", "object": {"kind": kind.name(), "metadata": {"name": key.name}}});
        let ours = key.kind == kind && key.namespace == namespace;
        std::future::ready(ours.then(|| Ok::<_, BoxError>(Frame::data(Bytes::from(format!("{line}\n"))))))
    });
    Response::new(StreamBody::new(lines).boxed_unsync())
}

impl FakeKubernetes {
    fn perform(&self, asked: &Asked) -> Answer {
        let mut world = self.world();
        world.requests.push(asked.line.clone());
        if world.forbids(asked.verb(), &asked.key) {
            return answers::forbidden(&asked.key, asked.verb());
        }
        let answered = match asked.verb() {
            "get" if asked.subresource == "log" => world.read_log(&asked.key),
            "get" => world.read(&asked.key),
            "list" => world.list(asked),
            "create" if asked.subresource == "eviction" => world.evict(asked),
            "create" => world.create(asked),
            "patch" => world.apply(asked),
            "update" => world.replace(asked),
            _ => world.remove(asked),
        };
        let write = asked.method != Method::GET && asked.get("dryRun").is_empty() && answered.0 < 300;
        if write {
            let verb = match asked.verb() {
                "patch" => "apply",
                "create" if asked.subresource == "eviction" => "evict",
                verb => verb,
            };
            let mut key = asked.key.clone();
            if key.name.is_empty() {
                asked.body["metadata"]["name"].as_str().unwrap_or_default().clone_into(&mut key.name);
            }
            match key.kind {
                Kind::Event => world.told.push(asked.body["message"].as_str().unwrap_or_default().to_owned()),
                _ => world.writes.push(format!("{verb} {key}")),
            }
            if !world.idle && controllers::watch(key.kind) {
                world.settle();
            }
            drop(world);
            let _ = self.changes.send(key);
        }
        answered
    }
}

/// What a list is answered with.
#[derive(Serialize)]
struct List<'a> {
    kind: &'static str,
    metadata: Value,
    items: Vec<&'a Value>,
}

impl World {
    fn forbids(&self, verb: &str, key: &Key) -> bool {
        let all = |namespace: Option<String>| self.forbidden.contains(&(verb.to_owned(), key.kind, namespace));
        all(None) || key.namespace.clone().is_some_and(|namespace| all(Some(namespace)))
    }

    fn read(&self, key: &Key) -> Answer {
        match self.objects.get(key) {
            Some(stored) => json_of(200, &stored.json),
            None => answers::not_found(key),
        }
    }

    fn read_log(&self, key: &Key) -> Answer {
        match self.objects.contains_key(key) {
            true => (200, self.logs.get(&key.name).cloned().unwrap_or_default().into()),
            false => answers::not_found(key),
        }
    }

    fn list(&self, asked: &Asked) -> Answer {
        let wanted = |(key, stored): &(&Key, &Stored)| {
            key.kind == asked.key.kind
                && asked.key.namespace.as_ref().is_none_or(|namespace| key.namespace.as_ref() == Some(namespace))
                && selected(&stored.json["metadata"]["labels"], asked.get("labelSelector"))
                && match asked.get("fieldSelector").split_once('=') {
                    Some(("involvedObject.name", name)) => stored.json["involvedObject"]["name"] == name,
                    _ => true,
                }
        };
        let items: Vec<&Value> = self.objects.iter().filter(wanted).map(|(_, stored)| &stored.json).collect();
        json_of(200, &List { kind: "List", metadata: json!({"resourceVersion": self.version.to_string()}), items })
    }

    /// Namespace, admission: what every write of content passes.
    fn admit(&self, verb: &str, key: &Key, content: &Value) -> Option<Answer> {
        if let Some(namespace) = &key.namespace {
            let home = Key::cluster_scoped(Kind::Namespace, namespace);
            match self.objects.get(&home) {
                None => return Some(answers::not_found(&home)),
                Some(home) if verb == "create" && home.json["status"]["phase"] == "Terminating" => {
                    return Some(answers::terminating(key, namespace));
                }
                Some(_) => {}
            }
        }
        if self.admission.is_empty() {
            return None;
        }
        let object = Object::of(key, content.clone());
        let refused = self.admission.iter().find_map(|admission| admission(verb, &object));
        refused.map(|(status, message)| answers::refused(key, status, &message))
    }

    /// The content as mutating webhooks leave it.
    fn mutated(&self, key: &Key, content: Value) -> Value {
        let mut object = Object::of(key, content);
        self.mutations.iter().for_each(|mutation| mutation(&mut object));
        object.into_json()
    }

    fn create(&mut self, asked: &Asked) -> Answer {
        let name = asked.body["metadata"]["name"].as_str().unwrap_or_default();
        let key = Key { name: name.to_owned(), ..asked.key.clone() };
        if let Some(refusal) = self.admit("create", &key, &asked.body) {
            return refusal;
        }
        if let Some(stored) = self.objects.get(&key) {
            return answers::already_exists(&key, !stored.json["metadata"]["deletionTimestamp"].is_null());
        }
        let content = self.mutated(&key, asked.body.clone());
        self.write(asked.get("fieldManager"), &key, content);
        json_of(201, &self.objects[&key].json)
    }

    fn replace(&mut self, asked: &Asked) -> Answer {
        let key = &asked.key;
        let Some(stored) = self.objects.get(key) else { return answers::not_found(key) };
        let version = &asked.body["metadata"]["resourceVersion"];
        if !version.is_null() && *version != stored.json["metadata"]["resourceVersion"] {
            return answers::modified(key);
        }
        let before = stored.json.clone();
        let refusal = self.admit("update", key, &asked.body).or_else(|| rules::check_change(key, &before, &asked.body));
        if let Some(refusal) = refusal {
            return refusal;
        }
        let content = self.mutated(key, asked.body.clone());
        self.write(asked.get("fieldManager"), key, content);
        json_of(200, self.objects.get(key).map_or(&asked.body, |stored| &stored.json))
    }

    fn apply(&mut self, asked: &Asked) -> Answer {
        let key = &asked.key;
        let (before, mut owners) = match self.objects.get(key) {
            Some(stored) => (Some(stored.json.clone()), stored.owners.clone()),
            None => (None, Owners::default()),
        };
        let live = before.clone().unwrap_or_else(|| json!({}));
        let (wanted, found) = (&asked.body["metadata"]["uid"], &live["metadata"]["uid"]);
        if let Some(wanted) = wanted.as_str().filter(|wanted| *found != **wanted) {
            return answers::other_uid(key, wanted, found.as_str().unwrap_or_default());
        }
        // What the server would make of it: amounts in their canonical spelling, nothing else.
        let applied = owners.apply(asked.get("fieldManager"), &live, &asked.body, asked.get("force") == "true");
        let content = match applied {
            Ok(content) => content,
            Err(conflicts) => return answers::conflicts(key, &conflicts),
        };
        let (version, uids) = (self.version, self.uids);
        let content = self.mutated(key, content);
        let content = self.stamp(key, before.as_ref(), content);
        let verb = if before.is_some() { "update" } else { "create" };
        let refusal = self.admit(verb, key, &content);
        let refusal = refusal.or_else(|| before.as_ref().and_then(|before| rules::check_change(key, before, &content)));
        if refusal.is_some() || !asked.get("dryRun").is_empty() {
            (self.version, self.uids) = (version, uids);
            return refusal.unwrap_or_else(|| json_of(200, &content));
        }
        let answer = json_of(if before.is_some() { 200 } else { 201 }, &content);
        self.objects.insert(key.clone(), Stored { json: content, owners });
        answer
    }

    fn remove(&mut self, asked: &Asked) -> Answer {
        let key = &asked.key;
        let Some(stored) = self.objects.get(key) else { return answers::not_found(key) };
        let object = Object::new(key.kind, stored.json.clone());
        if let Some(refusal) = unmet(&object, &asked.body["preconditions"]) {
            return refusal;
        }
        if let Some(refusal) = self.admit("delete", key, object.json()) {
            return refusal;
        }
        self.delete(key, asked.body["propagationPolicy"] == "Orphan");
        match self.objects.get(key) {
            Some(stored) => json_of(200, &stored.json),
            None => answers::deleted(key, object.at("/metadata/uid")),
        }
    }
}

/// Why a deletion is refused: it is of another object, or of another version of this one.
fn unmet(object: &Object, preconditions: &Value) -> Option<Answer> {
    let wanted = |name: &str| preconditions[name].as_str();
    if let Some(uid) = wanted("uid").filter(|uid| *uid != object.uid()) {
        return Some(answers::other_uid(&object.key(), uid, object.uid()));
    }
    wanted("resourceVersion").filter(|version| *version != object.resource_version()).map(|_| answers::modified(&object.key()))
}

impl World {
    /// As the API server does it: the one budget that selects a pod is asked, and by more than one it fails.
    fn evict(&mut self, asked: &Asked) -> Answer {
        let key = &asked.key;
        let Some(stored) = self.objects.get(key) else { return answers::not_found(key) };
        let pod = Object::new(key.kind, stored.json.clone());
        if let Some(refusal) = unmet(&pod, &asked.body["deleteOptions"]["preconditions"]) {
            return refusal;
        }
        if let Some(refusal) = self.admit("delete", key, pod.json()) {
            return refusal;
        }
        let ready = |json: &Value| json["status"]["conditions"][0]["status"] == "True";
        let selects = |budget: &Value, json: &Value| {
            let wanted = budget["spec"]["selector"]["matchLabels"].as_object();
            wanted.is_some_and(|wanted| wanted.iter().all(|(label, value)| json["metadata"]["labels"][label] == *value))
        };
        let of = |kind: Kind| {
            let here = move |(at, _): &(&Key, &Stored)| at.kind == kind && at.namespace == key.namespace;
            self.objects.iter().filter(here).map(|(_, stored)| &stored.json)
        };
        let budgets: Vec<&Value> = of(Kind::PodDisruptionBudget).filter(|budget| selects(budget, pod.json())).collect();
        match budgets.as_slice() {
            [] => {}
            [budget] => {
                let pods: Vec<&Value> = of(Kind::Pod).filter(|json| selects(budget, json)).collect();
                let away = pods.iter().filter(|json| !ready(json)).count();
                let may = usize::try_from(budget["spec"]["maxUnavailable"].as_i64().unwrap_or(0)).unwrap_or(0);
                // `unhealthyPodEvictionPolicy: IfHealthyBudget`, the default.
                let within = if ready(pod.json()) { away < may } else { away <= may };
                if !within {
                    return answers::over_budget(key);
                }
            }
            _ => return answers::several_budgets(),
        }
        self.delete(key, false);
        json_of(201, &json!({"kind": "Status", "status": "Success"}))
    }
}

/// Whether labels match `a=b,c=d`.
fn selected(labels: &Value, selector: &str) -> bool {
    selector.split(',').filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
        Some((name, value)) => labels[name] == value.trim_start_matches('='),
        None => !labels[part].is_null(),
    })
}
