//! `kafkastack_zookeeper_ensemble`: members that have a quorum, lose one and go on, and keep their data.
//!
//! `schema.rs` attributes · `objects.rs` attributes -> Kubernetes objects · `health.rs` what members say of themselves ·
//! this file: what the common procedure in `workload/` has to know.

pub mod health;
pub mod objects;
pub mod schema;
pub mod users;
pub mod words;

use super::workload::anchor::Anchor;
use super::workload::attributes::Common;
use super::workload::health::Health;
use super::workload::record::Record;
use super::workload::resource::Workload;
use super::workload::role::Role;
use super::workload::{Seen, Spec};
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::provider::Offers;
use crate::resources::owned::applied::Specified;
use crate::stack::Stack;
use crate::stack::cluster::ENSEMBLE;
use crate::stack::names::{Id, anchor};
use crate::stack::profile::Profile;
use schema::Ensemble;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(Workload::<Ensemble>::default())
}

impl Ensemble {
    /// How many members.
    pub fn size(&self) -> i64 {
        self.members.unwrap_or(3)
    }
}

impl Specified for Ensemble {
    fn without_observations(self) -> Self {
        Self { common: self.common.without_observations(), ..self }
    }
}

impl Spec for Ensemble {
    const RESOURCE: &'static str = ENSEMBLE;
    const APP: &'static str = "zookeeper";

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn roles(&self) -> Vec<Role> {
        vec![objects::members(self)]
    }

    fn seen(&mut self, _role: usize) -> Seen<'_> {
        Seen { replicas: &mut self.members, image: &mut self.image, config: &mut self.config, common: &mut self.common }
    }

    fn profile(&self) -> Profile {
        self.common.profile(self.size(), u16::try_from(objects::CLIENT).unwrap_or_default(), None)
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
    }

    async fn users(&self, stack: &Stack, record: &Record) -> Result<Vec<String>, Failure> {
        users::present(stack, self, record).await
    }

    async fn health(&self, stack: &Stack, _pods: &[Object], _restarts: bool) -> Health {
        health::check(self, stack).await
    }

    async fn leader(&self, stack: &Stack) -> Option<String> {
        health::leader(self, stack).await
    }

    async fn drilled(&self, stack: &Stack) -> Result<Vec<Id>, Failure> {
        let anchor = stack.kubernetes.get(&anchor(self.namespace(), self.name())).await?;
        let users = anchor.and_then(|anchor| Anchor::<Self>::read(&anchor)).map(|anchor| anchor.record.users);
        Ok(users.unwrap_or_default().iter().filter_map(|user| Id::parse(user)).collect())
    }
}
