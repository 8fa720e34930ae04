//! A stack, found by the ids of its cluster and its ensemble, and what brokers, members and Kubernetes say of it. Network.

use super::Stack;
use super::cluster::ENSEMBLE;
use super::facts::{Facts, Pod, Service};
use super::names::{Id, query, workload_in};
use super::profile::Profile;
use crate::dial::Dialer;
use crate::kafka::Admin;
use crate::kubernetes::{Failure, Key, Kind, Kubernetes, Object};
use crate::zookeeper::{self, Mode};
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// How long one member may take to answer: it is asked again anyway.
const ANSWER: Duration = Duration::from_secs(3);

/// One of the two services, and how it is found.
#[derive(Clone)]
pub struct Endpoints {
    /// Which.
    pub service: Service,
    /// Its namespace.
    pub namespace: String,
    /// The name of its StatefulSet and PodDisruptionBudget.
    pub name: String,
    /// The labels of its pods.
    pub selector: String,
    /// The name of each pod by which it is dialled.
    pub hosts: Vec<String>,
    /// The port of clients.
    pub port: u16,
    /// Opens streams to its pods.
    pub dialer: Arc<dyn Dialer>,
}

/// A whole stack.
#[derive(Clone)]
pub struct Site {
    /// Where it runs.
    pub kubernetes: Kubernetes,
    /// Asks its brokers.
    pub admin: Admin,
    /// Its brokers.
    pub brokers: Endpoints,
    /// Its ensemble, where it is known.
    pub ensemble: Option<Endpoints>,
}

impl Endpoints {
    /// The names to dial, with the port.
    pub fn addresses(&self) -> Vec<(String, u16)> {
        self.hosts.iter().map(|host| (host.clone(), self.port)).collect()
    }

    /// Its pods; those that are being deleted count as not ready.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn pods(&self, kubernetes: &Kubernetes) -> Result<Vec<Pod>, Failure> {
        let pods = kubernetes.list(Kind::Pod, Some(&self.namespace), &self.selector).await?;
        // A neighbour's pods may carry the same labels.
        let own = |object: &&Object| object.controllers().any(|owner| owner.get("name") == Some(&(*self.name).into()));
        let pod = |object: &Object| Pod {
            service: self.service,
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
            ready: !object.deleting() && object.condition("Ready") == Some(true),
            node: object.text("/spec/nodeName").to_owned(),
        };
        Ok(pods.iter().filter(own).map(pod).collect())
    }

    /// What each pod, as a member of an ensemble, says of its part.
    pub async fn modes(&self) -> Vec<(String, Result<Mode, String>)> {
        let ask = async |host: &String| {
            let pod = host.split('.').next().unwrap_or_default().to_owned();
            (pod, zookeeper::mode(&*self.dialer, host, self.port, ANSWER).await)
        };
        join_all(self.hosts.iter().map(ask)).await
    }

    async fn budget(&self, kubernetes: &Kubernetes) -> Result<Option<i64>, Failure> {
        let budget = kubernetes.get(&Key::new(Kind::PodDisruptionBudget, &*self.namespace, &*self.name)).await?;
        Ok(budget.map(|budget| budget.int("/status/disruptionsAllowed").unwrap_or(0)))
    }
}

/// Why a stack was not found.
#[derive(Debug)]
pub enum Missing {
    /// The provider made no such cluster.
    Cluster(String),
    /// The provider made no such ensemble.
    Ensemble(String),
    /// Kubernetes does not say.
    Unknown(Failure),
}

impl From<Failure> for Missing {
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure)
    }
}

impl Stack {
    /// Finds the stack of a cluster. Where no ensemble is named, it is the one that the cluster's connection names.
    ///
    /// # Errors
    /// When Kubernetes cannot be asked, or has no such cluster or ensemble of the provider's.
    pub async fn site(&self, cluster: &str, ensemble: Option<&str>) -> Result<Site, Missing> {
        let no_cluster = || Missing::Cluster(cluster.to_owned());
        let id = Id::parse(cluster).ok_or_else(no_cluster)?;
        let (target, profile) = self.anchored(&id).await?.ok_or_else(no_cluster)?;
        let named = match ensemble {
            Some(text) => {
                let no_ensemble = || Missing::Ensemble(text.to_owned());
                let id = Id::parse(text).ok_or_else(no_ensemble)?;
                let profile = self.profile(&id, ENSEMBLE).await?.ok_or_else(no_ensemble)?;
                Some((id, profile))
            }
            None => match profile.zookeeper.as_deref().and_then(workload_in) {
                Some(id) => self.profile(&id, ENSEMBLE).await?.map(|profile| (id, profile)),
                None => None,
            },
        };
        Ok(Site {
            kubernetes: self.kubernetes.clone(),
            admin: self.admin(&target),
            brokers: self.endpoints(Service::Kafka, &id, &profile),
            ensemble: named.map(|(id, profile)| self.endpoints(Service::Zookeeper, &id, &profile)),
        })
    }

    /// How the pods of a workload are found.
    pub fn endpoints(&self, service: Service, id: &Id, profile: &Profile) -> Endpoints {
        Endpoints {
            service,
            namespace: id.namespace.clone(),
            name: id.name.clone(),
            selector: query(service.app(), &id.name),
            hosts: id.hosts(profile.replicas),
            port: profile.port,
            dialer: self.dialer(&id.namespace, &id.name),
        }
    }
}

impl Site {
    /// The services.
    pub fn workloads(&self) -> impl Iterator<Item = &Endpoints> {
        std::iter::once(&self.brokers).chain(&self.ensemble)
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// When Kubernetes does not answer; what brokers and members do not say is part of the facts.
    pub async fn look(&self) -> Result<Facts, Failure> {
        let kafka = async { tokio::try_join!(self.admin.cluster(), self.admin.topics(None)) };
        let modes = async {
            match &self.ensemble {
                Some(ensemble) => ensemble.modes().await,
                None => Vec::new(),
            }
        };
        let kubernetes = async {
            let (mut pods, mut budgets) = (Vec::new(), Vec::new());
            for workload in self.workloads() {
                pods.extend(workload.pods(&self.kubernetes).await?);
                budgets.push((workload.service, workload.budget(&self.kubernetes).await?));
            }
            Ok::<_, Failure>((pods, budgets))
        };
        let (kafka, modes, kubernetes) = tokio::join!(kafka, modes, kubernetes);
        let (pods, budgets) = kubernetes?;
        let count = |workload: &Endpoints| i64::try_from(workload.hosts.len()).unwrap_or(i64::MAX);
        Ok(Facts { brokers: count(&self.brokers), members: self.ensemble.as_ref().map(count), kafka, modes, pods, budgets })
    }
}
