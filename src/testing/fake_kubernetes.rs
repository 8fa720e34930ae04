//! A Kubernetes API server in this process: a `tower::Service` for `kube::Client::new`. No network.
//!
//! Its answers are spelled as those of a real server (1.34); `kubernetes::live_tests` compares the two. It knows the rules that
//! the provider meets: server-side apply with ownership per field, preconditions, immutable fields, namespaces, quotas and
//! webhooks as closures, and the controllers that make claims and pods of a StatefulSet. Not here: port-forward.

mod answers;
mod controllers;
mod ownership;
mod rules;
mod server;

use super::faults::Faults;
use crate::kubernetes::{Key, Kind, Kubernetes, Object, retry::Patience};
pub use controllers::Script;
use ownership::Owners;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::broadcast;

/// What admission is asked: the verb (`create`, `update`, `delete`), and the object as it would become. `Some`: refused with this
/// HTTP status and message.
pub type Admission = dyn Fn(&str, &Object) -> Option<(u16, String)> + Send;

/// What a mutating webhook makes of an object that is written.
pub type Mutation = dyn Fn(&mut Object) + Send;

/// The server, and what a test does to it. Clones are the same server.
#[derive(Clone)]
pub struct FakeKubernetes {
    world: Arc<Mutex<World>>,
    faults: Faults,
    changes: broadcast::Sender<Key>,
}

#[derive(Default)]
struct World {
    objects: BTreeMap<Key, Stored>,
    version: u64,
    uids: u64,
    /// Accepted writes that were not dry runs, as `apply StatefulSet default/kafka`.
    writes: Vec<String>,
    requests: Vec<String>,
    /// Messages of events.
    told: Vec<String>,
    forbidden: BTreeSet<(String, Kind, Option<String>)>,
    admission: Vec<Box<Admission>>,
    mutations: Vec<Box<Mutation>>,
    scripts: BTreeMap<String, Script>,
    logs: BTreeMap<String, String>,
    idle: bool,
}

#[derive(Clone, Default)]
struct Stored {
    json: Value,
    owners: Owners,
}

impl FakeKubernetes {
    /// A server with the namespace `default`, its controllers at work after each write, and these faults.
    pub fn new(faults: Faults) -> Self {
        let fake = Self { world: Arc::default(), faults, changes: broadcast::channel(1024).0 };
        fake.put("kube", Object::of(&Key::cluster_scoped(Kind::Namespace, "default"), json!({"status": {"phase": "Active"}})));
        fake
    }

    /// Another server with the same objects, as it were from a backup; its requests meet these faults.
    pub fn fork(&self, faults: Faults) -> Self {
        let (objects, version, uids) = {
            let world = self.world();
            (world.objects.clone(), world.version, world.uids)
        };
        let world = World { objects, version, uids, ..World::default() };
        Self { world: Arc::new(Mutex::new(world)), faults, changes: broadcast::channel(64).0 }
    }

    /// The same server, whose requests meet other faults from now on.
    pub fn with_faults(&self, faults: Faults) -> Self {
        Self { faults, ..self.clone() }
    }

    /// A client that gives up after the first failure and after 50 ms without an answer: what the code above it must bear.
    pub fn impatient(&self) -> Kubernetes {
        self.client(1)
    }

    /// A client with the retries of the real one, in milliseconds.
    pub fn patient(&self) -> Kubernetes {
        self.client(4)
    }

    fn client(&self, attempts: u32) -> Kubernetes {
        let milli = Duration::from_millis(1);
        let patience = Patience { deadline: milli * 50, attempts, first_wait: milli, longest_wait: milli * 20 };
        Kubernetes::patient(kube::Client::new(server::Server(self.clone()), "default"), patience)
    }

    /// One object as it is.
    pub fn get(&self, key: &Key) -> Option<Object> {
        self.world().objects.get(key).map(|stored| Object::new(key.kind, stored.json.clone()))
    }

    /// Every object of a kind.
    pub fn all(&self, kind: Kind) -> Vec<Object> {
        let world = self.world();
        let found = world.objects.iter().filter(|(key, _)| key.kind == kind);
        found.map(|(_, stored)| Object::new(kind, stored.json.clone())).collect()
    }

    /// Another person writes this object whole (`kubectl create`, `kubectl replace`): no rules, no counting.
    pub fn put(&self, manager: &str, object: Object) {
        let mut world = self.world();
        let key = object.key();
        let _ = self.changes.send(key.clone());
        world.write(manager, &key, object.into_json());
    }

    /// Another person edits one field (`kubectl edit`, `kubectl scale`); `Null` removes it.
    pub fn edit(&self, manager: &str, key: &Key, pointer: &str, value: Value) {
        let mut object = self.get(key).expect("no such object");
        let (parent, field) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = object.json_mut().pointer_mut(parent).expect("no such parent").as_object_mut().expect("not a map");
        let field = field.replace("~1", "/");
        if value.is_null() {
            parent.remove(&field);
        } else {
            parent.insert(field, value);
        }
        self.put(manager, object);
        self.settle();
    }

    /// Another person deletes an object, with all that it owns.
    pub fn remove(&self, key: &Key) {
        let _ = self.changes.send(key.clone());
        self.world().delete(key, false);
        self.settle();
    }

    /// Another person deletes an object and leaves what it owns (`kubectl delete --cascade=orphan`).
    pub fn orphan(&self, key: &Key) {
        let _ = self.changes.send(key.clone());
        self.world().delete(key, true);
    }

    /// Refuses this verb (`get`, `list`, `create`, `patch`, `update`, `delete`) on this kind to everybody, as RBAC does.
    pub fn forbid(&self, verb: &str, kind: Kind) {
        self.world().forbidden.insert((verb.to_owned(), kind, None));
    }

    /// The same in one namespace.
    pub fn forbid_in(&self, namespace: &str, verb: &str, kind: Kind) {
        self.world().forbidden.insert((verb.to_owned(), kind, Some(namespace.to_owned())));
    }

    /// Adds an admission webhook, a quota, a policy.
    pub fn admit(&self, admission: impl Fn(&str, &Object) -> Option<(u16, String)> + Send + 'static) {
        self.world().admission.push(Box::new(admission));
    }

    /// Adds a mutating webhook.
    pub fn mutate(&self, mutation: impl Fn(&mut Object) + Send + 'static) {
        self.world().mutations.push(Box::new(mutation));
    }

    /// What becomes of the pods of the StatefulSet of that name; otherwise they become ready.
    pub fn script(&self, stateful_set: &str, script: Script) {
        self.world().scripts.insert(stateful_set.to_owned(), script);
    }

    /// What the containers of a pod have written.
    pub fn log(&self, pod: &str, text: &str) {
        self.world().logs.insert(pod.to_owned(), text.to_owned());
    }

    /// Stops the controllers (`false`) until [`FakeKubernetes::settle`] is called, or lets them work after each write again.
    pub fn controllers(&self, working: bool) {
        self.world().idle = !working;
    }

    /// Lets the controllers do all that there is to do, once.
    pub fn settle(&self) {
        self.world().settle();
    }

    /// The accepted writes so far (dry runs are none), as `apply StatefulSet default/kafka`.
    pub fn writes(&self) -> Vec<String> {
        self.world().writes.clone()
    }

    /// The messages of all events so far.
    pub fn told(&self) -> Vec<String> {
        self.world().told.clone()
    }

    /// All requests so far, as `PATCH /apis/...`.
    pub fn requests(&self) -> Vec<String> {
        self.world().requests.clone()
    }

    /// The fields that a manager owns.
    pub fn owned(&self, key: &Key, manager: &str) -> BTreeSet<String> {
        self.world().objects.get(key).map(|stored| stored.owners.of(manager)).unwrap_or_default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Stores a new content as an update by `manager`; metadata that is the server's own is kept or made.
    fn write(&mut self, manager: &str, key: &Key, json: Value) {
        let mut stored = self.objects.remove(key).unwrap_or_default();
        let before = Some(&stored.json).filter(|json| !json.is_null());
        let json = self.stamp(key, before, json);
        stored.owners.update(manager, &stored.json, &json);
        stored.json = json;
        let metadata = &stored.json["metadata"];
        let held = metadata["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        let ended = !held && !metadata["deletionTimestamp"].is_null() && key.kind != Kind::Namespace;
        if !ended {
            self.objects.insert(key.clone(), stored);
        }
    }

    /// Defaults, uid, creation time, generation, and a new version if anything changed.
    fn stamp(&mut self, key: &Key, before: Option<&Value>, json: Value) -> Value {
        let mut object = Object::of(key, json);
        rules::fill_in(&mut object);
        match before {
            None => {
                self.uids += 1;
                object.set_metadata("uid", format!("00000000-0000-4000-8000-{:012}", self.uids).into());
                object.set_metadata("creationTimestamp", "2026-01-01T00:00:00Z".into());
                if rules::has_generation(key.kind) {
                    object.set_metadata("generation", 1.into());
                }
            }
            Some(old) => {
                for field in ["uid", "creationTimestamp", "resourceVersion", "generation"] {
                    object.set_metadata(field, old["metadata"][field].clone());
                }
                let generation = old["metadata"]["generation"].as_i64();
                if let Some(generation) = generation.filter(|_| old["spec"] != *object.at("/spec")) {
                    object.set_metadata("generation", (generation + 1).into());
                }
            }
        }
        if let Some(metadata) = object.json_mut()["metadata"].as_object_mut() {
            metadata.retain(|_, value| !value.is_null());
        }
        if before != Some(object.json()) {
            object.set_metadata("resourceVersion", self.next_version().to_string().into());
        }
        object.into_json()
    }

    /// Removes an object, or marks it when finalizers hold it. What it owns goes too, or is left alone.
    fn delete(&mut self, key: &Key, orphan: bool) {
        let version = self.next_version().to_string();
        let Some(stored) = self.objects.get_mut(key) else { return };
        let held = stored.json["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        if held || key.kind == Kind::Namespace {
            let metadata = &mut stored.json["metadata"];
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            metadata["resourceVersion"] = version.into();
            if key.kind == Kind::Namespace {
                stored.json["status"]["phase"] = "Terminating".into();
            }
            return;
        }
        let uid = stored.json["metadata"]["uid"].clone();
        self.objects.remove(key);
        let owned = self.objects.iter().filter(|(_, stored)| *controllers::owner(&stored.json) == uid);
        let owned: Vec<_> = owned.map(|(key, _)| key.clone()).collect();
        for key in owned {
            if orphan {
                let stored = self.objects.get_mut(&key).unwrap();
                stored.json["metadata"].as_object_mut().unwrap().remove("ownerReferences");
            } else {
                self.delete(&key, false);
            }
        }
    }
}
