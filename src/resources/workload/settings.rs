//! The attributes that the ensemble and the cluster share: where pods run, what they may use, what they keep.

use crate::plugin::schema::optional;
use crate::resources::checks;
use crate::{choice, model};
use std::collections::BTreeMap;

model! {
    /// What a container asks for and is held to, as Kubernetes quantities.
    pub struct Resources {
        /// What the scheduler reserves: `{ cpu = "1", memory = "2Gi" }`.
        requests: BTreeMap<String, String> = optional().check(checks::quantities).same_if(checks::same_quantities),
        /// What the container is held to: `{ cpu = "2", memory = "4Gi" }`.
        limits: BTreeMap<String, String> = optional().check(checks::quantities).same_if(checks::same_quantities),
    }
}

model! {
    /// What a pod keeps its data on.
    pub struct Storage {
        /// The StorageClass of the claims. Without it: the Kubernetes cluster's default class.
        class: String = optional(),
        /// The size of each claim, such as `40Gi`. It has to be set unless `ephemeral` is true.
        size: String = optional().check(checks::quantity).same_if(checks::same_quantity),
        /// Keep data in the pod only: it is gone with the pod. For tests.
        ephemeral: bool = optional(),
    }
}

choice! {
    /// How much it matters that pods are apart.
    pub enum Apart {
        /// Where it can be had.
        Preferred = "preferred",
        /// A pod that cannot have it waits.
        Required = "required",
        /// Not at all.
        Indifferent = "none",
    }
}

model! {
    /// How pods are kept apart.
    pub struct Spread {
        /// Apart by node: `preferred` (the default), `required` or `none`.
        nodes: Apart = optional(),
        /// Apart by zone (`topology.kubernetes.io/zone`): `preferred` (the default), `required` or `none`.
        zones: Apart = optional(),
    }
}

impl Spread {
    /// Apart by node.
    pub fn by_node(&self) -> Apart {
        self.nodes.unwrap_or(Apart::Preferred)
    }

    /// Apart by zone.
    pub fn by_zone(&self) -> Apart {
        self.zones.unwrap_or(Apart::Preferred)
    }
}

choice! {
    /// How a toleration compares a taint's value.
    pub enum Operator {
        /// It is the same.
        Equal = "Equal",
        /// Whatever it is.
        Exists = "Exists",
    }
}

choice! {
    /// What a taint does to pods that do not tolerate it.
    pub enum Effect {
        /// They do not come.
        NoSchedule = "NoSchedule",
        /// They come only where there is nothing else.
        PreferNoSchedule = "PreferNoSchedule",
        /// They go.
        NoExecute = "NoExecute",
    }
}

choice! {
    /// When a node pulls an image.
    pub enum PullPolicy {
        /// At each start.
        Always = "Always",
        /// Where it is not there yet.
        IfNotPresent = "IfNotPresent",
        /// It has to be there.
        Never = "Never",
    }
}

model! {
    /// What a pod tolerates of a node.
    pub struct Toleration {
        /// The taint's key. Without it: every key, and `operator` has to be `Exists`.
        key: String = optional(),
        /// `Equal` (the default) or `Exists`.
        operator: Operator = optional(),
        /// The taint's value.
        value: String = optional(),
        /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Without it: every effect.
        effect: Effect = optional(),
        /// How long a `NoExecute` taint is tolerated, in seconds.
        toleration_seconds: i64 = optional().check(checks::not_negative),
    }
}

model! {
    /// When the kubelet asks, and how often it may be disappointed.
    pub struct Probe {
        /// Seconds before the first question.
        initial_delay_seconds: i64 = optional().check(checks::not_negative),
        /// Seconds between two questions.
        period_seconds: i64 = optional().check(checks::positive),
        /// Seconds until a question counts as unanswered.
        timeout_seconds: i64 = optional().check(checks::positive),
        /// How many failures in a row count.
        failure_threshold: i64 = optional().check(checks::positive),
    }
}

model! {
    /// As whom the container runs. The defaults pass the `restricted` Pod Security level.
    pub struct Security {
        /// The user id. Default 1000.
        run_as_user: i64 = optional().check(checks::not_negative),
        /// The group id. Default 1000.
        run_as_group: i64 = optional().check(checks::not_negative),
        /// The group that owns the volumes. Default 1000.
        fs_group: i64 = optional().check(checks::not_negative),
        /// Whether root is refused. Default true; an old image that needs root sets it to false, and the namespace has to allow that.
        run_as_non_root: bool = optional(),
        /// Whether the image's own files are read-only. Default true.
        read_only_root_filesystem: bool = optional(),
    }
}

model! {
    /// How pods are run and placed.
    pub struct Pod {
        /// Labels that a node has to have.
        node_selector: BTreeMap<String, String> = optional(),
        /// Taints that the pods tolerate.
        tolerations: Vec<Toleration> = optional(),
        /// A Kubernetes `Affinity` object as JSON (`jsonencode({ nodeAffinity = ... })`). Its pod anti-affinity replaces `spread.nodes`.
        affinity: String = optional().check(checks::json_object).same_if(checks::same_json),
        /// The PriorityClass.
        priority_class: String = optional(),
        /// The scheduler. Without it: the default one.
        scheduler: String = optional(),
        /// The ServiceAccount. Its token is not mounted.
        service_account: String = optional(),
        /// Secrets that images are pulled with.
        image_pull_secrets: Vec<String> = optional(),
        /// `Always`, `IfNotPresent` or `Never`.
        image_pull_policy: PullPolicy = optional(),
        /// More environment variables of the container. Not for secrets: they would be in state.
        env: BTreeMap<String, String> = optional(),
        /// More labels of the pods.
        labels: BTreeMap<String, String> = optional().check(checks::labels),
        /// More annotations of the pods.
        annotations: BTreeMap<String, String> = optional(),
        /// Seconds for a clean stop before the pod is killed.
        termination_grace_period_seconds: i64 = optional().check(checks::not_negative),
        /// Timing of the readiness probe.
        readiness_probe: Probe = optional(),
        /// Timing of the liveness probe.
        liveness_probe: Probe = optional(),
        /// As whom the container runs.
        security: Security = optional(),
    }
}
