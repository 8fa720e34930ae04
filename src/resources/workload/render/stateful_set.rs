//! The StatefulSet, and the claims of its pods. Pure.

use super::{Pods, known, of, set};
use crate::kubernetes::object::{Kind, Object};
use serde_json::{Value, json};

impl Pods<'_> {
    /// The StatefulSet. `OnDelete`: the provider restarts pods itself, for Kubernetes knows neither quorum nor in-sync replicas.
    pub fn stateful_set(&self) -> Object {
        let mut spec = json!({
            "serviceName": self.role.names.governing, "replicas": self.role.replicas, "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "OnDelete"}, "revisionHistoryLimit": 5,
            // The default, written out so that another hand's is seen: with `Delete`, claims go with the StatefulSet or the pod
            // (KEP-1847).
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "selector": {"matchLabels": self.selector()},
        });
        set(&mut spec, "template", self.template());
        if !self.common.is_ephemeral() {
            set(&mut spec, "volumeClaimTemplates", vec![self.claim()].into());
        }
        Object::new(Kind::StatefulSet, of([("metadata", self.metadata(&self.role.names.set)), ("spec", spec)]))
    }

    fn claim(&self) -> Value {
        let storage = known(&self.common.storage);
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.size.text()}}});
        set(&mut spec, "storageClassName", storage.class.text().into());
        // Written out for the API server does, and a template may not change.
        set(&mut spec, "volumeMode", "Filesystem".into());
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": self.role.names.volume, "labels": self.own_labels()}, "spec": spec})
    }
}
