//! What every resource is given: the Kubernetes cluster, and through it the brokers and members of any workload. Network.
//!
//! `names.rs` how everything is called · `profile.rs` what an anchor tells others · `cluster.rs` finds a cluster · `site.rs` finds
//! a whole stack and looks at it · `facts.rs` what is seen · `ailments.rs` what of it is not whole · `losses.rs` what it would lose
//! with one pod. What is found are values and failures; the words for people are made by others.

pub mod ailments;
pub mod cluster;
pub mod facts;
pub mod losses;
pub mod names;
pub mod profile;
pub mod site;

use crate::dial::{DialError, Dialed, Dialer, Direct};
use crate::kafka::{Admin, Identity};
use crate::kubernetes::Kubernetes;
use crate::kubernetes::client::FIELD_MANAGER;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind};
use futures::FutureExt;
use futures::future::BoxFuture;
use names::{Id, pod_of};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OnceCell;

/// How brokers and members are reached.
#[derive(Clone, Default)]
pub enum Access {
    /// Through the API server's port-forward: nothing has to be exposed, and Kubernetes' RBAC decides who may.
    #[default]
    PortForward,
    /// By their own names: from inside the cluster's network.
    Direct,
    /// Through a dialer of the caller's own.
    Through(Arc<dyn Dialer>),
}

/// Which cluster's brokers are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Its id.
    pub id: Id,
    /// The port of the listener that brokers use among themselves.
    pub port: u16,
    /// How many brokers: names to begin with.
    pub brokers: i64,
    /// Kafka's own id of it: who answers has to say the same. None where it is not known.
    pub cluster_id: Option<String>,
}

/// What is planned for a cluster in this run, for the plans of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// How many brokers it will have.
    pub brokers: i64,
    /// Whether it is there already.
    pub exists: bool,
}

/// The provider's clients and what they share within one run.
pub struct Stack {
    /// The Kubernetes cluster.
    pub kubernetes: Kubernetes,
    /// The Kafka cluster of the provider's own `kafka` block, for topics that name none.
    pub bootstrap_servers: Vec<(String, u16)>,
    access: Access,
    planned: Mutex<BTreeMap<String, Planned>>,
    admins: Mutex<BTreeMap<Target, Admin>>,
    own: OnceLock<Admin>,
    kubernetes_uid: OnceCell<Option<String>>,
}

impl Stack {
    /// A stack on this Kubernetes cluster.
    pub fn new(kubernetes: Kubernetes, access: Access, bootstrap_servers: Vec<(String, u16)>) -> Self {
        Self {
            kubernetes,
            bootstrap_servers,
            access,
            planned: Mutex::default(),
            admins: Mutex::default(),
            own: OnceLock::new(),
            kubernetes_uid: OnceCell::new(),
        }
    }

    /// What tells this Kubernetes cluster from all others: the uid of `kube-system`. None for who may not read that, or may read only
    /// some namespaces through a proxy.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn kubernetes_uid(&self) -> Result<Option<String>, Failure> {
        let ask = || async {
            match self.kubernetes.get(&Key::cluster_scoped(Kind::Namespace, "kube-system")).await {
                Ok(found) => Ok(found.map(|found| found.uid().to_owned())),
                Err(Failure { class: Class::Forbidden { .. } | Class::Denied | Class::Protocol, .. }) => Ok(None),
                Err(failure) => Err(failure),
            }
        };
        self.kubernetes_uid.get_or_try_init(ask).await.cloned()
    }

    /// Remembers what is planned for the cluster `id`.
    pub fn remember_plan(&self, id: &str, planned: Planned) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), planned);
    }

    /// What is planned for the cluster `id` in this run, if its plan was made in it.
    pub fn planned(&self, id: &str) -> Option<Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    /// The admin client of a cluster, which refuses another Kafka's brokers; all users of one target share its connections.
    pub fn admin(&self, target: &Target) -> Admin {
        let mut admins = self.admins.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let Id { namespace, name } = &target.id;
            let bootstrap = target.id.hosts(target.brokers).into_iter().map(|host| (host, target.port)).collect();
            let expected = target.cluster_id.clone().map(|id| Identity { name: target.id.to_string(), id });
            Admin::proving(expected, self.dialer(namespace, name), bootstrap, FIELD_MANAGER)
        };
        admins.entry(target.clone()).or_insert_with(new).clone()
    }

    /// The admin client of the provider's own `kafka` block; all topics share its connections.
    pub fn own_admin(&self) -> Option<Admin> {
        if self.bootstrap_servers.is_empty() {
            return None;
        }
        let new = || Admin::new(Arc::new(Direct), self.bootstrap_servers.clone(), FIELD_MANAGER);
        Some(self.own.get_or_init(new).clone())
    }

    /// Whether names of pods are resolved where this process runs: another cluster's may answer.
    pub fn is_direct(&self) -> bool {
        matches!(self.access, Access::Direct)
    }

    /// Opens streams to the pods of the workload `name`.
    pub fn dialer(&self, namespace: &str, name: &str) -> Arc<dyn Dialer> {
        match &self.access {
            Access::Through(dialer) => dialer.clone(),
            Access::Direct => Arc::new(Direct),
            Access::PortForward => Arc::new(PortForward {
                kubernetes: self.kubernetes.clone(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
        }
    }
}

/// Dials pods of one workload through the API server. A name that brokers advertise is only a key: it has to be one of the
/// workload's own, or a broker could send the provider anywhere.
struct PortForward {
    kubernetes: Kubernetes,
    namespace: String,
    name: String,
}

impl Dialer for PortForward {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        async move {
            let pod = pod_of(host, &self.namespace, &self.name).ok_or_else(|| {
                DialError::NotAllowed(format!("{host:?} is not the name of a pod of {}/{}", self.namespace, self.name))
            })?;
            let tunnel = self
                .kubernetes
                .dial(&self.namespace, pod, port)
                .await
                .map_err(|failure| refused(&failure, &self.namespace, pod))?;
            Ok(Dialed { stream: Box::new(tunnel.io), why: tunnel.why })
        }
        .boxed()
    }
}

fn refused(failure: &Failure, namespace: &str, pod: &str) -> DialError {
    match &failure.class {
        Class::Forbidden { .. } | Class::Unauthorized => DialError::NotAllowed(failure.to_string()),
        Class::NotFound => DialError::Other(format!("Pod {namespace}/{pod} is not there")),
        Class::TimedOut(after) => DialError::TimedOut(*after),
        _ => DialError::Other(failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_is_not_there_is_named() {
        let failure =
            Failure { doing: "connect to port 9092 of Pod prod/kafka-0".into(), class: Class::NotFound, message: String::new() };
        assert_eq!(refused(&failure, "prod", "kafka-0").to_string(), "Pod prod/kafka-0 is not there");
    }
}
