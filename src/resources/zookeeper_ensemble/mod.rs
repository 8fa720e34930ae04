//! `kafkastack_zookeeper_ensemble`: members that have a quorum, lose one and go on, and keep their data.
//!
//! `schema.rs` attributes · `objects.rs` attributes -> Kubernetes objects · `health.rs` what members say of themselves ·
//! this file: what the common procedure in `workload/` has to know, and the wiring.

pub mod health;
pub mod objects;
pub mod schema;
pub mod users;
pub mod words;

use super::workload::attributes::Common;
use super::workload::record::Record;
use super::workload::roll::Health;
use super::workload::{self, Seen, Spec};
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::resources::owned::applied::Specified;
use crate::stack::Stack;
use crate::stack::cluster::ENSEMBLE;
use crate::stack::profile::Profile;
use schema::Ensemble;

/// The resource.
pub struct ZookeeperEnsemble;

impl Resource for ZookeeperEnsemble {
    type Client = Stack;
    type Model = Ensemble;
    const NAME: &'static str = ENSEMBLE;

    fn validate(&self, config: &Ensemble, diagnostics: &mut Diagnostics) {
        workload::plan::check_storage(&config.common.storage, diagnostics);
    }

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<Ensemble>) -> Result<(), Diagnostics> {
        workload::plan::plan(cx, plan).await;
        workload::forecast::forecast(cx, plan).await;
        Ok(())
    }

    async fn plan_delete(&self, cx: &Context<'_, Stack>, prior: &Ensemble) -> Result<Diagnostics, Diagnostics> {
        workload::guard::at_plan(cx.client, prior).await
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<Ensemble>) -> Result<Done<Ensemble>, Failed<Ensemble>> {
        workload::apply::create(cx, create).await
    }

    async fn read(
        &self,
        cx: &Context<'_, Stack>,
        state: Ensemble,
        private: Private,
    ) -> Result<Option<Done<Ensemble>>, Diagnostics> {
        workload::import::read(cx, state, private).await
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<Ensemble>) -> Result<Done<Ensemble>, Failed<Ensemble>> {
        workload::apply::update(cx, update).await
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<Ensemble>) -> Result<Diagnostics, Failed<Ensemble>> {
        workload::delete::delete(cx, delete).await
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: Ensemble) -> Result<Option<Done<Ensemble>>, Diagnostics> {
        workload::import::import(cx, named).await
    }
}

impl Specified for Ensemble {
    fn without_observations(self) -> Self {
        Self { common: self.common.without_observations(), ..self }
    }
}

impl Spec for Ensemble {
    const RESOURCE: &'static str = ZookeeperEnsemble::NAME;
    const APP: &'static str = "zookeeper";
    const CONFIG_FILE: &'static str = "zoo.cfg";

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn replicas(&self) -> &Attr<i64> {
        &self.members
    }

    fn seen(&mut self) -> Seen<'_> {
        Seen { replicas: &mut self.members, image: &mut self.image, config: &mut self.config, common: &mut self.common }
    }

    fn profile(&self) -> Profile {
        self.common.profile(self.members.unwrap_or(3), u16::try_from(objects::CLIENT).unwrap_or_default(), None)
    }

    fn objects(&self) -> Vec<Object> {
        objects::objects(self)
    }

    fn set_outputs(&mut self) {
        if self.common.is_named() && self.members.known().is_some() {
            self.connection = Attr::Known(objects::connection(self));
        }
        self.common.name_services();
    }

    fn refuse(applied: &Self, planned: &Self, diagnostics: &mut Diagnostics) {
        if let (Some(old), Some(new)) = (applied.members.known(), planned.members.known())
            && old != new
        {
            diagnostics.push(words::members_change(*old, *new));
        }
        if let (Some(old), Some(new)) = (applied.common.storage.known(), planned.common.storage.known()) {
            workload::plan::refuse_storage_changes(old, new, diagnostics);
        }
    }

    async fn users(&self, stack: &Stack, record: &Record) -> Result<Vec<String>, Failure> {
        users::present(stack, self, record).await
    }

    async fn health(&self, stack: &Stack, pods: &[Object]) -> Health {
        health::check(self, stack, pods).await
    }
}
