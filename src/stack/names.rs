//! How workloads and what they are made of are called: one place makes the names, and reads them. Pure.

use crate::kubernetes::object::{Key, Kind};
use std::collections::BTreeMap;
use std::fmt;

/// Which workload: `namespace/name`, as resources name each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Id {
    /// The workload `name` of that namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// Reads `namespace/name`.
    pub fn parse(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        let whole = !namespace.is_empty() && !name.is_empty() && !name.contains('/');
        whole.then(|| Self::new(namespace, name))
    }

    /// Which object is its anchor.
    pub fn anchor(&self) -> Key {
        anchor(&self.namespace, &self.name)
    }

    /// Its StatefulSet.
    pub fn set(&self) -> Key {
        Key::new(Kind::StatefulSet, &*self.namespace, &*self.name)
    }

    /// The DNS name of each of its first pods.
    pub fn hosts(&self, count: i64) -> Vec<String> {
        (0..count).map(|ordinal| pod_dns(&self.namespace, &self.name, ordinal)).collect()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Which object is the anchor of the workload `name`.
pub fn anchor(namespace: &str, name: &str) -> Key {
    Key::new(Kind::ConfigMap, namespace, format!("{name}{ANCHOR}"))
}

/// The claim of the drill that runs on the cluster `name`.
pub fn drill(namespace: &str, name: &str) -> Key {
    Key::new(Kind::ConfigMap, namespace, format!("{name}{ANCHOR}-drill"))
}

/// The workload whose anchor has this name.
pub fn anchored_by(anchor: &str) -> Option<&str> {
    anchor.strip_suffix(ANCHOR)
}

/// What the name of an anchor ends with.
const ANCHOR: &str = "-kafkastack";

/// The name of the headless Service, which gives each pod its DNS name.
pub fn headless(name: &str) -> String {
    format!("{name}-headless")
}

/// The names of a workload's Services: for clients, and headless.
pub fn service_names(name: &str) -> Vec<String> {
    vec![name.to_owned(), headless(name)]
}

/// The DNS name of a pod, without the cluster's domain, which pods need not know.
pub fn pod_dns(namespace: &str, name: &str, ordinal: i64) -> String {
    format!("{name}-{ordinal}.{}.{namespace}.svc", headless(name))
}

/// `<name>-<ordinal>.<name>-headless.<namespace>.svc[.<domain>]` -> the pod.
pub fn pod_of<'a>(host: &'a str, namespace: &str, name: &str) -> Option<&'a str> {
    let (pod, rest) = host.split_once('.')?;
    let full = pod_dns(namespace, name, ordinal_of_pod(pod, name)?);
    let (_, service) = full.split_once('.')?;
    let domain = rest.strip_prefix(service)?;
    (domain.is_empty() || domain.starts_with('.')).then_some(pod)
}

/// The workload whose pod the first host of a list `host:port,...` is.
pub fn workload_in(connection: &str) -> Option<Id> {
    let (host, _) = connection.split(',').next()?.rsplit_once(':')?;
    let (name, _) = host.split('.').next()?.rsplit_once('-')?;
    let namespace = host.split('.').nth(2)?;
    pod_of(host, namespace, name).map(|_| Id::new(namespace, name))
}

/// How one set of pods is called, and what selects them. Ours follow from the workload's name; one that somebody else made keeps
/// what it has, because serviceName, selector and claim template of a StatefulSet never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The StatefulSet, and what the names of its pods begin with.
    pub set: String,
    /// The Service that gives each pod its DNS name (`serviceName`).
    pub governing: String,
    /// The claim template.
    pub volume: String,
    /// The labels that select its pods. Neighbours may have the same.
    pub selector: BTreeMap<String, String>,
}

impl Names {
    /// Those of a set that we make.
    pub fn of(app: &str, name: &str) -> Self {
        let selector = selector(app, name).map(|(label, value)| (label.to_owned(), value)).into();
        Self { set: name.to_owned(), governing: headless(name), volume: VOLUME.to_owned(), selector }
    }

    /// The StatefulSet.
    pub fn key(&self, namespace: &str) -> Key {
        Key::new(Kind::StatefulSet, namespace, &*self.set)
    }

    /// A pod.
    pub fn pod(&self, ordinal: i64) -> String {
        format!("{}-{ordinal}", self.set)
    }

    /// The claim of a pod.
    pub fn claim(&self, ordinal: i64) -> String {
        format!("{}-{}-{ordinal}", self.volume, self.set)
    }

    /// The ordinal of the pod of this name.
    pub fn ordinal_of_pod(&self, pod: &str) -> Option<i64> {
        ordinal_of_pod(pod, &self.set)
    }

    /// The ordinal of the claim of this name.
    pub fn ordinal_of_claim(&self, claim: &str) -> Option<i64> {
        ordinal(claim.strip_prefix(&*self.volume)?.strip_prefix('-')?.strip_prefix(&*self.set)?)
    }

    /// The selector as a query.
    pub fn query(&self) -> String {
        self.selector.iter().map(|(label, value)| format!("{label}={value}")).collect::<Vec<_>>().join(",")
    }
}

/// The number in `-<number>`, as Kubernetes writes it.
fn ordinal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-')?;
    let plain = digits == "0" || !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The ordinal in the name of a pod of the workload `name`.
fn ordinal_of_pod(pod: &str, name: &str) -> Option<i64> {
    ordinal(pod.strip_prefix(name)?)
}

/// The name of the claim template.
const VOLUME: &str = "data";

/// The name of the ConfigMap with a workload's files, of that content.
pub fn configuration(name: &str, fingerprint: &str) -> String {
    format!("{name}-config-{fingerprint}")
}

/// Whether a ConfigMap has the files of the workload `name`. The first version of the provider called it `<name>-config`.
pub fn is_configuration(config_map: &str, name: &str) -> bool {
    let rest = config_map.strip_prefix(name).and_then(|rest| rest.strip_prefix("-config"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The labels that select the pods of a workload. Every chart uses them, so a neighbour's pods may have them too.
pub fn selector(app: &str, name: &str) -> [(&'static str, String); 2] {
    [("app.kubernetes.io/name", app.to_owned()), ("app.kubernetes.io/instance", name.to_owned())]
}

/// The selector as a query.
pub fn query(app: &str, name: &str) -> String {
    selector(app, name).map(|(label, value)| format!("{label}={value}")).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_namespace_and_a_name() {
        assert_eq!(Id::parse("prod/kafka"), Some(Id::new("prod", "kafka")));
        assert_eq!(Id::new("prod", "kafka").to_string(), "prod/kafka");
        for bad in ["", "kafka", "/kafka", "prod/", "a/b/c"] {
            assert_eq!(Id::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_workload_is_found_by_the_names_of_its_pods() {
        let of = |connection| workload_in(connection).map(|id| id.to_string()).unwrap_or_default();
        assert_eq!(of("zk-0.zk-headless.prod.svc:2181,zk-1.zk-headless.prod.svc:2181"), "prod/zk");
        assert_eq!(of("my-zk-2.my-zk-headless.prod.svc.cluster.local:2181"), "prod/my-zk");
        for other in ["", "zookeeper:2181", "zk-0.zk.prod.svc:2181", "10.0.0.1:2181", "zk-a.zk-headless.prod.svc:2181"] {
            assert_eq!(workload_in(other), None, "{other}");
        }
    }

    #[test]
    fn only_the_workloads_own_names_are_its_pods() {
        let pod = |host| pod_of(host, "prod", "kafka");
        assert_eq!(pod("kafka-2.kafka-headless.prod.svc"), Some("kafka-2"));
        assert_eq!(pod("kafka-2.kafka-headless.prod.svc.cluster.local"), Some("kafka-2"));
        for foreign in [
            "kafka-2.kafka-headless.other.svc",
            "kafka-x.kafka-headless.prod.svc",
            "other-2.kafka-headless.prod.svc",
            "kafka-2.kafka-headless.prod.svcx",
            "kafka-2",
            "169.254.169.254",
        ] {
            assert_eq!(pod(foreign), None, "{foreign}");
        }
    }
}
