//! Tells pods the zone of their node, as a label that they see from inside. Kubernetes does this itself from 1.35 on
//! (KEP-4742); before that, pods may not ask and the provider does. Network.

use crate::kubernetes::client::Apply;
use crate::kubernetes::object::{Key, Kind, Object};
use crate::stack::Stack;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The label of nodes and pods that holds the zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// The zones of the nodes seen so far; none for a node without one, or that may not be looked at.
#[derive(Default)]
pub struct Zones {
    of: BTreeMap<String, Option<String>>,
    /// The pods that were told, by their uids.
    told: BTreeSet<String>,
}

impl Zones {
    /// Labels the pods that are on a node and do not know its zone. Best effort: without it a broker has no rack. Whether one was: then
    /// it is not as it was looked at, and an eviction that misses it holds its budget for two minutes.
    pub async fn tell(&mut self, stack: &Stack, pods: &[Object]) -> bool {
        let before = self.told.len();
        for pod in pods.iter().filter(|pod| !pod.deleting() && !pod.labels().contains_key(ZONE)) {
            if self.told.contains(pod.uid()) {
                continue;
            }
            let node = pod.text("/spec/nodeName");
            let Some(zone) = (if node.is_empty() { None } else { self.zone(stack, node).await }) else { continue };
            // With its uid: the label must not make a pod out of nothing when this one is gone.
            let metadata = json!({"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid(), "labels": {ZONE: zone}});
            let labelled = stack.kubernetes.apply(&Object::new(Kind::Pod, json!({"metadata": metadata})), Apply::default()).await;
            match labelled {
                Ok(_) => drop(self.told.insert(pod.uid().to_owned())),
                Err(failure) => tracing::debug!(%failure, "a pod does not know its zone"),
            }
        }
        self.told.len() > before
    }

    async fn zone(&mut self, stack: &Stack, node: &str) -> Option<String> {
        if let Some(known) = self.of.get(node) {
            return known.clone();
        }
        let found = stack.kubernetes.get(&Key::cluster_scoped(Kind::Node, node)).await;
        let zone = found.ok().flatten().and_then(|node| node.labels().get(ZONE).map(|zone| (*zone).to_owned()));
        self.of.insert(node.to_owned(), zone.clone());
        zone
    }
}
