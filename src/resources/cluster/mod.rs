//! `kafkastack_cluster`: brokers that are registered, in sync, and keep their data.
//!
//! `schema.rs` attributes · `objects.rs` attributes -> Kubernetes objects · `health.rs` what brokers say of themselves ·
//! `plan.rs` what a plan asks the running cluster · `chroot.rs` whose a chroot is · this file: what the common procedure in `workload/`
//! has to know.

pub mod chroot;
pub mod ensemble;
pub mod health;
pub mod min_insync;
pub mod objects;
pub mod plan;
pub mod schema;
pub mod words;

use super::workload::attributes::Common;
use super::workload::health::Health;
use super::workload::resource::Workload;
use super::workload::role::Role;
use super::workload::{Seen, Spec};
use crate::diagnostics;
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::operations::Plan;
use crate::plugin::provider::Offers;
use crate::resources::owned::applied::Specified;
use crate::stack::cluster::{CLUSTER, cluster_id};
use crate::stack::names::Id;
use crate::stack::profile::Profile;
use crate::stack::{Stack, Target};
use schema::Cluster;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(Workload::<Cluster>::default())
}

impl Cluster {
    /// How many brokers.
    pub fn size(&self) -> i64 {
        self.brokers.unwrap_or(3)
    }

    /// How the brokers are found.
    pub fn target(&self) -> Target {
        Target {
            id: Id::new(self.common.namespace.text(), self.common.name.text()),
            port: u16::try_from(objects::port(self)).unwrap_or_default(),
            brokers: self.size(),
            cluster_id: self.cluster_id.known().cloned(),
        }
    }

    /// Topics that this change would stop keep the `min.insync.replicas` that they had.
    async fn keep_writable(&self, stack: &Stack, before: &Self) -> Result<(), Diagnostic> {
        if min_insync::default_of(self) <= min_insync::default_of(before) {
            return Ok(());
        }
        let admin = stack.admin(&before.proved_target(stack).await?);
        let kept = async {
            let topics = min_insync::of_change(&admin, before, self).await?;
            min_insync::keep(&admin, before, &topics).await
        };
        kept.await.map_err(|error| diagnostics::kafka("keep topics writable under more `min.insync.replicas`", &error))
    }

    /// The same, with the id that the anchor holds now: who takes it out there says that another Kafka is the right one.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn proved_target(&self, stack: &Stack) -> Result<Target, Failure> {
        let target = self.target();
        let found = stack.kubernetes.get(&target.id.anchor()).await?;
        Ok(match found {
            Some(found) => Target { cluster_id: stack.proof(self.common.is_ephemeral(), cluster_id(&found)), ..target },
            None => target,
        })
    }
}

impl Specified for Cluster {
    fn without_observations(self) -> Self {
        let common = self.common.without_observations();
        Self { common, cluster_id: Attr::Null, kafka_version: Attr::Null, ..self }
    }
}

impl Spec for Cluster {
    const RESOURCE: &'static str = CLUSTER;
    const APP: &'static str = "kafka";

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn roles(&self) -> Vec<Role> {
        vec![objects::brokers(self)]
    }

    fn seen(&mut self, _role: usize) -> Seen<'_> {
        Seen { replicas: &mut self.brokers, image: &mut self.image, config: &mut self.config, common: &mut self.common }
    }

    fn profile(&self) -> Profile {
        let Target { brokers, port, .. } = self.target();
        self.common.profile(brokers, port, Some(ensemble::connection(self).to_owned()))
    }

    fn objects(&self) -> Vec<Object> {
        objects::objects(self)
    }

    fn set_outputs(&mut self) {
        let named = self.common.is_named();
        let port_unknown = |listeners: &Vec<_>| listeners.iter().any(|listener: &schema::Listener| listener.port.is_unknown());
        if named && !self.listeners.is_unknown() && !self.listeners.known().is_some_and(port_unknown) {
            self.bootstrap_servers = Attr::Known(objects::bootstrap_servers(self));
        }
        self.common.name_services();
    }

    fn keep_observations(&mut self, earlier: &Self) {
        self.cluster_id = earlier.cluster_id.clone();
        self.kafka_version = earlier.kafka_version.clone();
    }

    fn expect_observations(&mut self) {
        for unasked in [&mut self.cluster_id, &mut self.kafka_version] {
            if unasked.is_null() {
                *unasked = Attr::unknown();
            }
        }
    }

    async fn ask(cx: &Context<'_, Stack>, plan: &mut Plan<Self>) {
        plan::check(cx, plan).await;
    }

    fn refuse(applied: &Self, planned: &Self, diagnostics: &mut Diagnostics) {
        let chroot = |cluster: &Self| cluster.zookeeper.known().map(|zookeeper| zookeeper.chroot.clone());
        if let (Some(old), Some(new)) = (chroot(applied), chroot(planned))
            && old != new
            && !new.is_unknown()
        {
            diagnostics.push(words::chroot_change(old.text(), new.text()));
        }
    }

    fn known_id(&self) -> Option<String> {
        self.cluster_id.known().cloned()
    }

    fn identify(&mut self, cluster_id: Option<&str>) {
        if let Some(id) = cluster_id {
            self.cluster_id = Attr::Known(id.to_owned());
        }
    }

    async fn identity(&self, stack: &Stack) -> Option<String> {
        let target = self.proved_target(stack).await.ok()?;
        stack.admin(&target).cluster().await.ok()?.cluster_id
    }

    async fn announce(&self, cx: &Context<'_, Stack>, before: Option<&Self>) -> Result<Diagnostics, Diagnostics> {
        let stack = cx.client()?;
        if let Some(before) = before {
            self.keep_writable(stack, before).await?;
        }
        // Entered first, so that of two at once at least one sees the other.
        let mut said = ensemble::enter(stack, self).await?;
        if before.is_none() {
            said.extend(chroot::enter(cx, self).await?);
        }
        Ok(said)
    }

    fn wants_zone(&self) -> bool {
        objects::wants_zone(self)
    }

    async fn health(&self, stack: &Stack, pods: &[Object], restarts: bool) -> Health {
        health::check(self, stack, pods, restarts).await
    }

    async fn leader(&self, stack: &Stack) -> Option<String> {
        let target = self.proved_target(stack).await.ok()?;
        let controller = stack.admin(&target).cluster().await.ok()?.controller?;
        Some(objects::brokers(self).names.pod(controller.into()))
    }

    async fn drilled(&self, _: &Stack) -> Result<Vec<Id>, Failure> {
        Ok(vec![self.target().id])
    }

    async fn observe(&mut self, stack: &Stack) {
        let admin = stack.admin(&self.target());
        if let Ok(view) = admin.cluster().await {
            self.cluster_id = Attr::from(view.cluster_id);
        }
        if let Ok(release) = admin.release().await {
            self.kafka_version = Attr::Known(release.to_string());
        }
    }
}
