//! The attributes that every workload has, declared once.

use super::settings::{Pod, Resources, Spread, Storage};
use crate::model;
use crate::plugin::model::Attr;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::Timeouts;
use crate::resources::checks;
use crate::stack::names::service_names;
use crate::stack::profile::Profile;
use std::collections::BTreeMap;

model! {
    /// A pod that an apply restarts.
    pub struct PlannedRestart {
        /// Its name.
        pod: String = computed(),
        /// Why: the fields of its template that change, or that it runs an earlier revision.
        reasons: Vec<String> = computed(),
    }
}

model! {
    /// What every workload has.
    pub struct Common {
        /// `<namespace>/<name>`, which is also the import id, and what other resources name it by.
        id: String = computed().stable(),
        /// The namespace of every object.
        namespace: String = optional().defaults_to("default").replaces().identifies().check(checks::dns_label),
        /// Make the namespace where it does not exist. It is never deleted.
        create_namespace: bool = optional().defaults_to(false),
        // Its objects' names begin with it, so it is short enough for a pod's name and a Service's.
        /// The name of the StatefulSet; the other objects' names begin with it.
        name: String = required().replaces().identifies().check(checks::workload_name),
        /// More labels of every object. Those of pods are in `pod`.
        labels: BTreeMap<String, String> = optional().check(checks::labels),
        /// More annotations of every object. Those of pods are in `pod`.
        annotations: BTreeMap<String, String> = optional().check(checks::labels),
        /// CPU and memory of each pod's container.
        resources: Resources = optional(),
        /// Where pods keep their data. It cannot be changed later.
        storage: Storage = required(),
        /// Delete the claims, and so all data, when the resource is destroyed.
        delete_claims: bool = optional().defaults_to(false),
        /// Refuse to destroy or replace what has served. Set it to false and apply before a destroy.
        deletion_protection: bool = optional().defaults_to(true),
        /// How pods are kept apart.
        spread: Spread = optional(),
        /// How pods are run and placed.
        pod: Pod = optional(),
        /// The Services: the one for clients, and the headless one that names the pods.
        service_names: Vec<String> = computed(),
        /// Whether it served when last looked at: every pod as wanted and ready, or the service itself said so. If not, the next apply
        /// waits again.
        ready: bool = computed(),
        /// The pods that the last planned change restarts, in the order that follows from what the refresh saw, each with the reason.
        /// Empty: none.
        planned_roll: Vec<PlannedRestart> = computed(),
        /// Every object, with a fingerprint of what is wanted of it, or the fields in which it differs from that.
        objects: BTreeMap<String, String> = computed(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

impl Common {
    /// Whether namespace and name are known.
    pub fn is_named(&self) -> bool {
        self.namespace.known().is_some() && self.name.known().is_some()
    }

    /// Whether the namespace is made where it does not exist.
    pub fn makes_namespace(&self) -> bool {
        self.create_namespace.unwrap_or(false)
    }

    /// Whether a destroy takes the claims.
    pub fn takes_claims(&self) -> bool {
        self.delete_claims.unwrap_or(false)
    }

    /// Whether it may not be destroyed. States of the first version of an ensemble do not say.
    pub fn is_protected(&self) -> bool {
        self.deletion_protection.unwrap_or(true)
    }

    /// Whether data goes with the pods.
    pub fn is_ephemeral(&self) -> bool {
        self.storage.known().is_some_and(|storage| storage.ephemeral.unwrap_or(false))
    }

    /// Fills in the names of its Services, where namespace and name are known.
    pub fn name_services(&mut self) {
        if self.is_named() {
            self.service_names = Attr::Known(service_names(self.name.text()));
        }
    }

    /// What its anchor tells others.
    pub fn profile(&self, replicas: i64, port: u16, zookeeper: Option<String>) -> Profile {
        Profile {
            replicas,
            port,
            ephemeral: self.is_ephemeral(),
            deletion_protection: self.is_protected(),
            delete_claims: self.takes_claims(),
            zookeeper,
        }
    }

    /// The same without what only the servers know.
    #[must_use]
    pub fn without_observations(self) -> Self {
        Self { ready: Attr::Null, objects: Attr::Null, planned_roll: Attr::Null, ..self }
    }
}
