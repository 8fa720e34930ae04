//! How clients find a pod, and pods each other. Pure.

use super::{Pods, of};
use crate::kubernetes::object::{Kind, Object};
use serde_json::{Value, json};

impl Pods<'_> {
    /// The Service that clients use, and the headless one. Pods are in the headless one before they are ready: members
    /// have to find each other to become ready.
    pub fn services(&self, client_ports: &[(String, i64)]) -> [Object; 2] {
        let ports = |ports: &[(String, i64)]| -> Value {
            ports.iter().map(|(name, port)| json!({"name": name, "port": port, "targetPort": name, "protocol": "TCP"})).collect()
        };
        let service = |name: &str, spec| Object::new(Kind::Service, of([("metadata", self.metadata(name)), ("spec", spec)]));
        let clients = of([("selector", self.own_selector()), ("ports", ports(client_ports))]);
        let members = of([
            ("clusterIP", "None".into()),
            ("publishNotReadyAddresses", true.into()),
            ("selector", self.own_selector()),
            ("ports", ports(&self.ports)),
        ]);
        [service(&self.role.names.set, clients), service(&self.role.names.governing, members)]
    }
}
