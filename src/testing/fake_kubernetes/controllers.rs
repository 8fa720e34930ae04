//! The controllers: claims, volumes and pods of StatefulSets, and the ends of namespaces. Pure steps on the world.

use super::{Stored, World};
use crate::kubernetes::{Key, Kind, Object};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What becomes of the pods of one StatefulSet.
#[derive(Clone, Debug, Default)]
pub enum Script {
    /// They run and are ready.
    #[default]
    Ready,
    /// They run and never become ready.
    NotReady,
    /// They run, and beside them a container crashes that somebody injected.
    Beside,
    /// No node takes them: the scheduler's words.
    Unschedulable(String),
    /// Their image cannot be pulled: the kubelet's words.
    ImagePull(String),
    /// They end with this code, again and again.
    CrashLoop {
        /// The exit code.
        exit_code: i64,
        /// How often it has restarted.
        restarts: i64,
    },
    /// They cannot be created (quota, Pod Security): the API server's words.
    FailedCreate(String),
}

/// Whether some controller has something to do when an object of this kind was written.
pub fn watch(kind: Kind) -> bool {
    !matches!(kind, Kind::Event | Kind::ConfigMap | Kind::Service | Kind::PodDisruptionBudget)
}

/// The uid of the object that this one belongs to.
pub fn owner(json: &Value) -> &Value {
    json.pointer("/metadata/ownerReferences/0/uid").unwrap_or(&Value::Null)
}

fn owned_by(set: &Object) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": set.name(), "uid": set.uid(), "controller": true}])
}

impl World {
    /// Does all that there is to do.
    pub fn settle(&mut self) {
        self.end_namespaces();
        self.bind_claims();
        let sets: Vec<Key> = self.objects.keys().filter(|key| key.kind == Kind::StatefulSet).cloned().collect();
        for key in sets {
            let set = Object::new(Kind::StatefulSet, self.objects[&key].json.clone());
            if !set.deleting() {
                self.run_set(&key, &set);
            }
        }
        self.bind_claims();
        self.release_claims();
    }

    fn end_namespaces(&mut self) {
        let ending = |(key, stored): (&Key, &Stored)| {
            (key.kind == Kind::Namespace && !stored.json["metadata"]["deletionTimestamp"].is_null()).then(|| key.name.clone())
        };
        let names: Vec<String> = self.objects.iter().filter_map(ending).collect();
        for name in names {
            let inside: Vec<Key> = self.objects.keys().filter(|key| key.namespace.as_ref() == Some(&name)).cloned().collect();
            inside.iter().for_each(|key| self.delete(key, false));
            self.release_claims();
            if !self.objects.keys().any(|key| key.namespace.as_ref() == Some(&name)) {
                self.objects.remove(&Key::cluster_scoped(Kind::Namespace, name));
            }
        }
    }

    fn run_set(&mut self, key: &Key, set: &Object) {
        let namespace = key.namespace.clone().unwrap_or_default();
        let script = self.scripts.get(&key.name).cloned().unwrap_or_default();
        let replicas = set.int("/spec/replicas").unwrap_or(1);
        let revision = revision(key, set);
        let on_delete = set.text("/spec/updateStrategy/type") == "OnDelete";
        self.adopt(&namespace, set, replicas);
        let pods: Vec<Key> = self
            .objects
            .iter()
            .filter(|(_, stored)| *owner(&stored.json) == *set.at("/metadata/uid"))
            .map(|(key, _)| key.clone())
            .collect();
        for pod in pods {
            let ordinal: i64 = pod.name.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(i64::MAX);
            let old = self.objects[&pod].json["metadata"]["labels"]["controller-revision-hash"] != revision.as_str();
            if ordinal >= replicas || (old && !on_delete) {
                self.delete(&pod, false);
            }
        }
        for ordinal in 0..replicas {
            self.make_claims(&namespace, &key.name, set, ordinal);
            let pod = Key::new(Kind::Pod, &namespace, format!("{}-{ordinal}", key.name));
            if let Script::FailedCreate(why) = &script {
                if !self.objects.contains_key(&pod) {
                    let text = format!("create Pod {} in StatefulSet {} failed error: {why}", pod.name, key.name);
                    self.event(key, "FailedCreate", &text);
                }
                continue;
            }
            if !self.objects.contains_key(&pod) {
                self.make_pod(&pod, set, &revision);
            }
            self.run_pod(&pod, &script);
        }
        self.retain_claims(&namespace, set);
        self.report(key, set, &revision, replicas);
    }

    /// Claims belong to the StatefulSet while its policy says that they go with it.
    fn retain_claims(&mut self, namespace: &str, set: &Object) {
        let go = set.text("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete";
        let (uid, owners) = (set.at("/metadata/uid").clone(), owned_by(set));
        let of_set = |key: &Key| {
            let prefix =
                |template: &Value| format!("{}-{}-", template["metadata"]["name"].as_str().unwrap_or_default(), set.name());
            let ordinal =
                |template: &Value| key.name.strip_prefix(&prefix(template)).is_some_and(|rest| rest.parse::<u32>().is_ok());
            set.list("/spec/volumeClaimTemplates").iter().any(ordinal)
        };
        for (key, stored) in &mut self.objects {
            if key.kind != Kind::PersistentVolumeClaim || key.namespace.as_deref() != Some(namespace) || !of_set(key) {
                continue;
            }
            if go {
                stored.json["metadata"]["ownerReferences"] = owners.clone();
            } else if *owner(&stored.json) == uid {
                stored.json["metadata"].as_object_mut().unwrap().remove("ownerReferences");
            }
        }
    }

    /// Pods that match and belong to nobody are taken over as they are.
    fn adopt(&mut self, namespace: &str, set: &Object, replicas: i64) {
        for ordinal in 0..replicas {
            let pod = Key::new(Kind::Pod, namespace, format!("{}-{ordinal}", set.name()));
            let Some(stored) = self.objects.get_mut(&pod).filter(|stored| owner(&stored.json).is_null()) else { continue };
            stored.json["metadata"]["ownerReferences"] = owned_by(set);
        }
    }

    fn make_claims(&mut self, namespace: &str, set_name: &str, set: &Object, ordinal: i64) {
        for template in set.list("/spec/volumeClaimTemplates") {
            let name = template["metadata"]["name"].as_str().unwrap_or_default();
            let claim = Key::new(Kind::PersistentVolumeClaim, namespace, format!("{name}-{set_name}-{ordinal}"));
            if !self.objects.contains_key(&claim) {
                // Those of the template, and the selector's over them.
                let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
                labels.extend(set.at("/spec/selector/matchLabels").as_object().cloned().unwrap_or_default());
                let content = json!({"metadata": {"labels": labels}, "spec": template["spec"]});
                self.write("kube-controller-manager", &claim, content);
            }
        }
    }

    fn make_pod(&mut self, pod: &Key, set: &Object, revision: &str) {
        let mut content = set.at("/spec/template").clone();
        content["metadata"]["labels"]["controller-revision-hash"] = revision.into();
        content["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = pod.name.as_str().into();
        content["metadata"]["ownerReferences"] = owned_by(set);
        let ordinal = pod.name.rsplit_once('-').map_or("0", |(_, ordinal)| ordinal);
        let claims = set.list("/spec/volumeClaimTemplates").iter().map(|template| {
            let name = template["metadata"]["name"].as_str().unwrap_or_default();
            json!({"name": name, "persistentVolumeClaim": {"claimName": format!("{name}-{}-{ordinal}", set.name())}})
        });
        let mut volumes = content["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        volumes.extend(claims);
        content["spec"]["volumes"] = volumes.into();
        self.write("kube-controller-manager", pod, content);
        self.bind_claims();
    }

    fn run_pod(&mut self, pod: &Key, script: &Script) {
        let pending =
            self.claims_of(pod).iter().any(|claim| self.objects.get(claim).is_none_or(|c| c.json["status"]["phase"] != "Bound"));
        let waiting = |reason: &str, text: &str, last: Value| {
            json!({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{
                "name": "main", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": reason, "message": text}},
                "lastState": last,
            }]})
        };
        let unscheduled = |text: &str| {
            let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text});
            json!({"phase": "Pending", "conditions": [condition]})
        };
        let (status, event) = match script {
            _ if pending => {
                let text = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
                (unscheduled(text), Some(("FailedScheduling", text.to_owned())))
            }
            Script::Ready | Script::FailedCreate(_) => (running(true), None),
            Script::NotReady => (running(false), None),
            Script::Beside => {
                let mut status = running(false);
                let crashes = json!({"name": "proxy", "started": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
                status["containerStatuses"].as_array_mut().unwrap().push(crashes);
                (status, None)
            }
            Script::Unschedulable(text) => (unscheduled(text), Some(("FailedScheduling", text.clone()))),
            Script::ImagePull(text) => (waiting("ImagePullBackOff", text, json!({})), Some(("Failed", text.clone()))),
            Script::CrashLoop { exit_code, restarts } => {
                let last = json!({"terminated": {"exitCode": exit_code, "reason": "Error"}});
                let mut status = waiting("CrashLoopBackOff", "back-off restarting failed container", last);
                status["phase"] = "Running".into();
                status["containerStatuses"][0]["restartCount"] = (*restarts).into();
                (status, Some(("BackOff", "Back-off restarting failed container".to_owned())))
            }
        };
        let mut status = status;
        let main = &self.objects[pod].json["spec"]["containers"][0];
        if let Some(container) = status.pointer_mut("/containerStatuses/0") {
            container["name"] = main["name"].clone();
            container["image"] = main["image"].clone();
        }
        self.set_status(pod, status);
        if let Some((reason, text)) = event {
            self.event(pod, reason, &text);
        }
    }

    fn claims_of(&self, pod: &Key) -> Vec<Key> {
        let volumes = self.objects[pod].json["spec"]["volumes"].as_array();
        let name = |volume: &Value| volume.pointer("/persistentVolumeClaim/claimName")?.as_str().map(str::to_owned);
        let namespace = pod.namespace.clone().unwrap_or_default();
        volumes
            .into_iter()
            .flatten()
            .filter_map(name)
            .map(|name| Key::new(Kind::PersistentVolumeClaim, &namespace, name))
            .collect()
    }

    fn bind_claims(&mut self) {
        let loose = |(key, stored): &(&Key, &Stored)| {
            key.kind == Kind::PersistentVolumeClaim && stored.json["status"]["phase"] != "Bound"
        };
        let claims: Vec<Key> = self.objects.iter().filter(loose).map(|(key, _)| key.clone()).collect();
        if claims.is_empty() {
            return;
        }
        let used: Vec<Key> = self.used_claims();
        for key in claims {
            let claim = Object::new(key.kind, self.objects[&key].json.clone());
            let class = Key::cluster_scoped(Kind::StorageClass, claim.text("/spec/storageClassName"));
            match self.objects.get(&class) {
                // With no class there is nothing to wait for in this world: a volume is there.
                _ if class.name.is_empty() => self.bind(&key, &claim),
                None => {
                    let text = format!("storageclass.storage.k8s.io {:?} not found", class.name);
                    self.event(&key, "ProvisioningFailed", &text);
                }
                Some(class) if class.json["volumeBindingMode"] == "WaitForFirstConsumer" && !used.contains(&key) => {}
                Some(_) => self.bind(&key, &claim),
            }
        }
    }

    fn bind(&mut self, key: &Key, claim: &Object) {
        let stored = self.objects.get_mut(key).unwrap();
        stored.json["spec"]["volumeName"] = format!("pvc-{}", claim.uid()).into();
        let capacity = json!({"storage": claim.at("/spec/resources/requests/storage")});
        self.set_status(key, json!({"phase": "Bound", "capacity": capacity}));
    }

    fn used_claims(&self) -> Vec<Key> {
        let pods: Vec<Key> = self.objects.keys().filter(|key| key.kind == Kind::Pod).cloned().collect();
        pods.iter().flat_map(|pod| self.claims_of(pod)).collect()
    }

    /// The protection of claims ends when no pod uses them.
    fn release_claims(&mut self) {
        let used = self.used_claims();
        self.objects.retain(|key, stored| {
            let ending = key.kind == Kind::PersistentVolumeClaim && !stored.json["metadata"]["deletionTimestamp"].is_null();
            !ending || used.contains(key)
        });
    }

    fn report(&mut self, key: &Key, set: &Object, revision: &str, replicas: i64) {
        let pods: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(_, stored)| *owner(&stored.json) == *set.at("/metadata/uid"))
            .map(|(_, stored)| &stored.json)
            .collect();
        let count = |test: &dyn Fn(&Value) -> bool| pods.iter().filter(|pod| test(pod)).count() as i64;
        let ready = count(&|pod| pod["status"]["conditions"][0]["status"] == "True");
        let updated = count(&|pod| pod["metadata"]["labels"]["controller-revision-hash"] == revision);
        let old = set.text("/status/currentRevision");
        // The real controller moves it at the end of a rolling update, and of no other (1.34, `completeRollingUpdate`).
        let rolls = set.text("/spec/updateStrategy/type") != "OnDelete";
        let current = if (rolls && updated == replicas) || old.is_empty() { revision } else { old };
        let status = json!({
            "observedGeneration": set.at("/metadata/generation"), "replicas": pods.len(), "readyReplicas": ready,
            "availableReplicas": ready, "updatedReplicas": updated, "currentReplicas": count(&|pod| {
                pod["metadata"]["labels"]["controller-revision-hash"] == current
            }),
            "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
        });
        self.set_status(key, status);
    }

    fn set_status(&mut self, key: &Key, status: Value) {
        if self.objects[key].json["status"] != status {
            let version = self.next_version().to_string();
            let stored = self.objects.get_mut(key).unwrap();
            stored.json["status"] = status;
            stored.json["metadata"]["resourceVersion"] = version.into();
        }
    }

    /// One event about an object, or one more occurrence of it.
    fn event(&mut self, about: &Key, reason: &str, text: &str) {
        let namespace = about.namespace.clone().unwrap_or_default();
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        let key = Key::new(Kind::Event, &namespace, format!("{}.{:x}", about.name, hash.finish()));
        let count = self.objects.get(&key).and_then(|stored| stored.json["count"].as_i64()).unwrap_or(0) + 1;
        let involved = json!({"kind": about.kind.name(), "name": about.name, "namespace": namespace});
        let content = json!({"involvedObject": involved, "reason": reason, "message": text, "type": "Warning", "count": count});
        self.write("kube-controller-manager", &key, content);
    }
}

fn running(ready: bool) -> Value {
    let container =
        json!({"name": "main", "ready": ready, "started": true, "restartCount": 0, "state": {"running": {}}, "lastState": {}});
    let status = if ready { "True" } else { "False" };
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}], "containerStatuses": [container]})
}

/// A name for the template, as the controller gives it.
fn revision(key: &Key, set: &Object) -> String {
    let mut hash = DefaultHasher::new();
    set.at("/spec/template").hash(&mut hash);
    format!("{}-{:08x}", key.name, hash.finish() as u32)
}
