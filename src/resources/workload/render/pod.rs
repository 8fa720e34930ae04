//! What each pod is. Pure.

use super::{CONFIG, DATA, Mount, Pods, Source, known, of, set};
use crate::resources::workload::settings::{Apart, Pod, Probe, Spread, Toleration};
use serde_json::{Value, json};

impl Pods<'_> {
    pub(super) fn template(&self) -> Value {
        let pod = known(&self.common.pod);
        let mut labels = self.pod_labels();
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
        set(&mut spec, "containers", vec![self.container(&pod)].into());
        set(&mut spec, "volumes", self.volumes().into());
        set(&mut spec, "nodeSelector", json!(known(&pod.node_selector)));
        set(&mut spec, "tolerations", known(&pod.tolerations).iter().map(toleration).collect());
        let spread = known(&self.common.spread);
        set(&mut spec, "affinity", self.affinity(&pod, &spread));
        set(&mut spec, "topologySpreadConstraints", self.zones(&spread));
        set(&mut spec, "priorityClassName", pod.priority_class.text().into());
        set(&mut spec, "schedulerName", pod.scheduler.text().into());
        set(&mut spec, "serviceAccountName", pod.service_account.text().into());
        set(&mut spec, "imagePullSecrets", known(&pod.image_pull_secrets).iter().map(|name| json!({"name": name})).collect());
        let mut metadata = of([("labels", labels.into())]);
        set(&mut metadata, "annotations", json!(annotations));
        of([("metadata", metadata), ("spec", spec)])
    }

    fn container(&self, pod: &Pod) -> Value {
        let mut env: Vec<Value> = self.env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        env.extend(known(&pod.env).iter().map(|(name, value)| json!({"name": name, "value": value})));
        let mut mounts = vec![
            json!({"name": self.role.names.volume, "mountPath": DATA}),
            json!({"name": "config", "mountPath": CONFIG, "readOnly": true}),
            json!({"name": "tmp", "mountPath": "/tmp"}),
        ];
        mounts.extend(self.mounts.iter().map(|mount| json!({"name": mount.name, "mountPath": mount.path, "readOnly": true})));
        let mut container = json!({
            "name": self.role.container, "image": self.image,
            "command": ["/bin/bash", format!("{CONFIG}/start.sh")],
            "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": known(&pod.security).read_only_root_filesystem.unwrap_or(true),
            },
        });
        let port = |(name, port): &(String, i64)| json!({"name": name, "containerPort": port, "protocol": "TCP"});
        set(&mut container, "ports", self.ports.iter().map(port).collect());
        set(&mut container, "env", env.into());
        set(&mut container, "volumeMounts", mounts.into());
        for (name, probe) in &self.probes {
            let timing = match *name {
                "readinessProbe" => known(&pod.readiness_probe),
                "livenessProbe" => known(&pod.liveness_probe),
                _ => Probe::default(),
            };
            set(&mut container, name, timed(probe.clone(), &timing));
        }
        let wanted = known(&self.common.resources);
        let mut resources = json!({});
        set(&mut resources, "requests", json!(known(&wanted.requests)));
        set(&mut resources, "limits", json!(known(&wanted.limits)));
        set(&mut container, "resources", resources);
        set(&mut container, "imagePullPolicy", json!(pod.image_pull_policy.known().map(|policy| policy.word())));
        container
    }

    fn volumes(&self) -> Vec<Value> {
        let mut volumes = vec![
            json!({"name": "config", "configMap": {"name": self.config_name(), "defaultMode": 0o555}}),
            json!({"name": "tmp", "emptyDir": {}}),
        ];
        volumes.extend(self.mounts.iter().map(volume));
        if self.common.is_ephemeral() {
            volumes.push(json!({"name": self.role.names.volume, "emptyDir": {}}));
        }
        volumes
    }

    fn affinity(&self, pod: &Pod, spread: &Spread) -> Value {
        let mut affinity: Value = serde_json::from_str(pod.affinity.text()).unwrap_or_else(|_| json!({}));
        let term = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": self.selector()}});
        let apart = match spread.by_node() {
            Apart::Required => json!({"requiredDuringSchedulingIgnoredDuringExecution": [term]}),
            Apart::Preferred => {
                json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]})
            }
            Apart::Indifferent => Value::Null,
        };
        if affinity.get("podAntiAffinity").is_none() {
            set(&mut affinity, "podAntiAffinity", apart);
        }
        affinity
    }

    fn zones(&self, spread: &Spread) -> Value {
        let when = match spread.by_zone() {
            Apart::Required => "DoNotSchedule",
            Apart::Preferred => "ScheduleAnyway",
            Apart::Indifferent => return Value::Null,
        };
        json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": when, "labelSelector": {"matchLabels": self.selector()}}])
    }
}

fn volume(mount: &Mount) -> Value {
    match &mount.source {
        Source::Labels => {
            let labels = json!([{"path": "labels", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}}]);
            json!({"name": mount.name, "downwardAPI": {"items": labels, "defaultMode": 0o444}})
        }
        // The group of the volumes reads it, and nobody else.
        Source::Secret(secret) => json!({"name": mount.name, "secret": {"secretName": secret, "defaultMode": 0o440}}),
    }
}

fn toleration(toleration: &Toleration) -> Value {
    let mut object = json!({});
    set(&mut object, "key", toleration.key.text().into());
    set(&mut object, "operator", json!(toleration.operator.known().map(|operator| operator.word())));
    set(&mut object, "value", toleration.value.text().into());
    set(&mut object, "effect", json!(toleration.effect.known().map(|effect| effect.word())));
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
