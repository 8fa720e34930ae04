//! Settings -> the pod template and StatefulSet of a workload. Pure.

use super::settings::{Pod, Probe, Resources, Spread, Storage};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::model::Attr;
use crate::resources::owned::MANAGED_BY;
use crate::stack::names::{self, VOLUME};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where a pod keeps its data.
pub const DATA: &str = "/var/lib/kafkastack";
/// Where a pod finds the files of its ConfigMap.
pub const CONFIG: &str = "/etc/kafkastack";

/// What tells one workload from another; everything else is [`Settings`].
pub struct Workload<'a> {
    /// The namespace of every object.
    pub namespace: &'a str,
    /// The name of the StatefulSet.
    pub name: &'a str,
    /// `zookeeper` or `kafka`: the container's name and the value of `app.kubernetes.io/name`.
    pub app: &'static str,
    /// How many pods.
    pub replicas: i64,
    /// More labels of every object.
    pub labels: BTreeMap<String, String>,
    /// More annotations of every object.
    pub annotations: BTreeMap<String, String>,
    /// The container's image.
    pub image: &'a str,
    /// Environment variables, before the user's.
    pub env: Vec<(&'static str, String)>,
    /// Named ports.
    pub ports: Vec<(String, i64)>,
    /// The content of the ConfigMap: a change restarts the pods.
    pub files: BTreeMap<&'static str, String>,
    /// Startup, readiness and liveness probe, each with its timing.
    pub probes: [(&'static str, Value); 3],
    /// Whether the pod sees its own labels, in `/etc/kafkastack-pod/labels`.
    pub sees_labels: bool,
    /// Seconds for a clean stop, unless the user says otherwise.
    pub grace: i64,
    /// The user's settings.
    pub pod: Pod,
    /// The user's settings.
    pub resources: Resources,
    /// The user's settings.
    pub storage: Storage,
    /// The user's settings.
    pub spread: Spread,
}

fn known<T: Clone + Default>(attr: &Attr<T>) -> T {
    attr.unwrap_or_default()
}

/// An object of these entries. It moves the values, which `json!` would copy.
fn of<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Adds `key` unless there is nothing to say.
fn set(object: &mut Value, key: &str, value: Value) {
    let nothing = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if let (false, Value::Object(entries)) = (nothing, object) {
        entries.insert(key.to_owned(), value);
    }
}

impl Workload<'_> {
    /// What the Services and the StatefulSet select by; it never changes.
    pub fn selector(&self) -> Value {
        names::selector(self.app, self.name)
            .map(|(label, value)| (label.to_owned(), value.into()))
            .into_iter()
            .collect::<Map<_, _>>()
            .into()
    }

    fn own_labels(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        labels.extend(names::selector(self.app, self.name).map(|(label, value)| (label.to_owned(), value.into())));
        labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
        labels
    }

    /// The metadata of an object of this workload.
    pub fn metadata(&self, name: &str) -> Value {
        let mut labels = self.own_labels();
        labels.extend(self.labels.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
        let mut metadata = of([("name", name.into()), ("namespace", self.namespace.into()), ("labels", labels.into())]);
        set(&mut metadata, "annotations", json!(self.annotations));
        metadata
    }

    /// The name of the ConfigMap with the files: another content has another name.
    fn config_name(&self) -> String {
        names::configuration(self.name, &crate::resources::owned::fingerprint(&json!(self.files)))
    }

    /// The ConfigMap with the files. It never changes, for pods read it at each start of a container.
    pub fn config_map(&self) -> Object {
        let metadata = self.metadata(&self.config_name());
        Object::new(Kind::ConfigMap, of([("metadata", metadata), ("immutable", true.into()), ("data", json!(self.files))]))
    }

    /// The Service that clients use, and the headless one. Pods are in the headless one before they are ready: members
    /// have to find each other to become ready.
    pub fn services(&self, client_ports: &[(String, i64)]) -> [Object; 2] {
        let ports = |ports: &[(String, i64)]| -> Value {
            ports.iter().map(|(name, port)| json!({"name": name, "port": port, "targetPort": name, "protocol": "TCP"})).collect()
        };
        let service = |name: &str, spec| Object::new(Kind::Service, of([("metadata", self.metadata(name)), ("spec", spec)]));
        let clients = of([("selector", self.selector()), ("ports", ports(client_ports))]);
        let members = of([
            ("clusterIP", "None".into()),
            ("publishNotReadyAddresses", true.into()),
            ("selector", self.selector()),
            ("ports", ports(&self.ports)),
        ]);
        [service(self.name, clients), service(&names::headless(self.name), members)]
    }

    /// How many pods a drain or an upgrade of nodes may take away at once.
    pub fn disruption_budget(&self, max_unavailable: i64) -> Object {
        let spec = json!({"maxUnavailable": max_unavailable, "selector": {"matchLabels": self.selector()}});
        Object::new(Kind::PodDisruptionBudget, of([("metadata", self.metadata(self.name)), ("spec", spec)]))
    }

    /// The StatefulSet. `OnDelete`: the provider restarts pods itself, for Kubernetes knows neither quorum nor in-sync replicas.
    pub fn stateful_set(&self) -> Object {
        let mut spec = json!({
            "serviceName": names::headless(self.name), "replicas": self.replicas, "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "OnDelete"}, "revisionHistoryLimit": 5,
            "selector": {"matchLabels": self.selector()},
        });
        set(&mut spec, "template", self.template());
        if !known(&self.storage.ephemeral) {
            set(&mut spec, "volumeClaimTemplates", vec![self.claim()].into());
        }
        Object::new(Kind::StatefulSet, of([("metadata", self.metadata(self.name)), ("spec", spec)]))
    }

    fn claim(&self) -> Value {
        let mut spec =
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": self.storage.size.text()}}});
        set(&mut spec, "storageClassName", self.storage.class.text().into());
        // Written out for the API server does, and a template may not change.
        set(&mut spec, "volumeMode", "Filesystem".into());
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": VOLUME, "labels": self.own_labels()}, "spec": spec})
    }

    fn template(&self) -> Value {
        let pod = &self.pod;
        let mut labels = self.own_labels();
        labels.extend(known(&pod.labels).into_iter().map(|(k, v)| (k, v.into())));
        let annotations = known(&pod.annotations);
        let security = known(&pod.security);
        let mut spec = json!({
            "automountServiceAccountToken": false,
            // A Service called `kafka` would put KAFKA_PORT into the environment, which the images take for a setting.
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": pod.termination_grace_period_seconds.unwrap_or(self.grace),
            "securityContext": {
                "runAsNonRoot": security.run_as_non_root.unwrap_or(true),
                "runAsUser": security.run_as_user.unwrap_or(1000), "runAsGroup": security.run_as_group.unwrap_or(1000),
                "fsGroup": security.fs_group.unwrap_or(1000), "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        });
        set(&mut spec, "containers", vec![self.container()].into());
        set(&mut spec, "volumes", self.volumes().into());
        set(&mut spec, "nodeSelector", json!(known(&pod.node_selector)));
        set(&mut spec, "tolerations", known(&pod.tolerations).iter().map(toleration).collect());
        set(&mut spec, "affinity", self.affinity());
        set(&mut spec, "topologySpreadConstraints", self.zones());
        set(&mut spec, "priorityClassName", pod.priority_class.text().into());
        set(&mut spec, "schedulerName", pod.scheduler.text().into());
        set(&mut spec, "serviceAccountName", pod.service_account.text().into());
        set(&mut spec, "imagePullSecrets", known(&pod.image_pull_secrets).iter().map(|name| json!({"name": name})).collect());
        let mut metadata = of([("labels", labels.into())]);
        set(&mut metadata, "annotations", json!(annotations));
        of([("metadata", metadata), ("spec", spec)])
    }

    fn container(&self) -> Value {
        let mut env: Vec<Value> = self.env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        env.extend(known(&self.pod.env).iter().map(|(name, value)| json!({"name": name, "value": value})));
        let mut mounts = vec![
            json!({"name": VOLUME, "mountPath": DATA}),
            json!({"name": "config", "mountPath": CONFIG, "readOnly": true}),
            json!({"name": "tmp", "mountPath": "/tmp"}),
        ];
        if self.sees_labels {
            mounts.push(json!({"name": "pod", "mountPath": "/etc/kafkastack-pod", "readOnly": true}));
        }
        let mut container = json!({
            "name": self.app, "image": self.image,
            "command": ["/bin/bash", format!("{CONFIG}/start.sh")],
            "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": known(&self.pod.security).read_only_root_filesystem.unwrap_or(true),
            },
        });
        let port = |(name, port): &(String, i64)| json!({"name": name, "containerPort": port, "protocol": "TCP"});
        set(&mut container, "ports", self.ports.iter().map(port).collect());
        set(&mut container, "env", env.into());
        set(&mut container, "volumeMounts", mounts.into());
        for (name, probe) in &self.probes {
            let timing = match *name {
                "readinessProbe" => known(&self.pod.readiness_probe),
                "livenessProbe" => known(&self.pod.liveness_probe),
                _ => Probe::default(),
            };
            set(&mut container, name, timed(probe.clone(), &timing));
        }
        let mut resources = json!({});
        set(&mut resources, "requests", json!(known(&self.resources.requests)));
        set(&mut resources, "limits", json!(known(&self.resources.limits)));
        set(&mut container, "resources", resources);
        set(&mut container, "imagePullPolicy", self.pod.image_pull_policy.text().into());
        container
    }

    fn volumes(&self) -> Vec<Value> {
        let mut volumes = vec![
            json!({"name": "config", "configMap": {"name": self.config_name(), "defaultMode": 0o555}}),
            json!({"name": "tmp", "emptyDir": {}}),
        ];
        if self.sees_labels {
            let labels = json!([{"path": "labels", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}}]);
            volumes.push(json!({"name": "pod", "downwardAPI": {"items": labels, "defaultMode": 0o444}}));
        }
        if known(&self.storage.ephemeral) {
            volumes.push(json!({"name": VOLUME, "emptyDir": {}}));
        }
        volumes
    }

    fn affinity(&self) -> Value {
        let mut affinity: Value = serde_json::from_str(self.pod.affinity.text()).unwrap_or_else(|_| json!({}));
        let term = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": self.selector()}});
        let apart = match self.spread.nodes.known().map_or("preferred", String::as_str) {
            "required" => json!({"requiredDuringSchedulingIgnoredDuringExecution": [term]}),
            "preferred" => json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}),
            _ => Value::Null,
        };
        if affinity.get("podAntiAffinity").is_none() {
            set(&mut affinity, "podAntiAffinity", apart);
        }
        affinity
    }

    fn zones(&self) -> Value {
        let when = match self.spread.zones.known().map_or("preferred", String::as_str) {
            "required" => "DoNotSchedule",
            "preferred" => "ScheduleAnyway",
            _ => return Value::Null,
        };
        json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": when, "labelSelector": {"matchLabels": self.selector()}}])
    }
}

fn toleration(toleration: &super::settings::Toleration) -> Value {
    let mut object = json!({});
    set(&mut object, "key", toleration.key.text().into());
    set(&mut object, "operator", toleration.operator.text().into());
    set(&mut object, "value", toleration.value.text().into());
    set(&mut object, "effect", toleration.effect.text().into());
    set(&mut object, "tolerationSeconds", json!(toleration.toleration_seconds.known()));
    object
}

fn timed(mut probe: Value, timing: &Probe) -> Value {
    set(&mut probe, "initialDelaySeconds", json!(timing.initial_delay_seconds.known()));
    set(&mut probe, "periodSeconds", json!(timing.period_seconds.known()));
    set(&mut probe, "timeoutSeconds", json!(timing.timeout_seconds.known()));
    set(&mut probe, "failureThreshold", json!(timing.failure_threshold.known()));
    probe
}
