//! `kafkastack_ha_drill`: the proof that a cluster survives the loss of a pod.
//!
//! ```text
//!            plan.rs: settings that contradict each other, attributes of other kinds of step
//! create ───▶ ../site.rs: the stack ─▶ apply.rs: drill::run, verdict, report ─▶ read.rs: state
//! read, update ─▶ state as it is          delete ─▶ nothing: the drill has cleaned up after itself
//! ```
//!
//! `schema.rs` attributes · `action.rs` the same as an action · this file: the wiring.

pub mod action;
pub mod apply;
pub mod plan;
pub mod read;
pub mod schema;
pub mod words;

use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::operations::{Create, Delete, Done, Failed, Limits, Private, Update};
use crate::plugin::provider::Offers;
use crate::plugin::resource::Resource;
use crate::stack::Stack;
use schema::HaDrill;
use std::time::Duration;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(KafkaHaDrill).action(action::KafkaDrill)
}

/// The resource.
pub struct KafkaHaDrill;

impl Resource for KafkaHaDrill {
    type Client = Stack;
    type Model = HaDrill;
    const NAME: &'static str = "ha_drill";

    fn limits(&self) -> Limits {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Limits { create: minutes(30), read: minutes(2), update: minutes(2), delete: minutes(2) }
    }

    fn validate(&self, config: &HaDrill, diagnostics: &mut Diagnostics) {
        plan::validate(&config.order, diagnostics);
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<HaDrill>) -> Result<Done<HaDrill>, Failed<HaDrill>> {
        apply::create(cx, &create.planned).await
    }

    /// What was measured does not change.
    async fn read(
        &self,
        _cx: &Context<'_, Stack>,
        state: HaDrill,
        private: Private,
    ) -> Result<Option<Done<HaDrill>>, Diagnostics> {
        Ok(Some(Done::new(state).keep(private)))
    }

    /// Only `timeouts` can change without a new drill.
    async fn update(&self, _cx: &Context<'_, Stack>, update: Update<HaDrill>) -> Result<Done<HaDrill>, Failed<HaDrill>> {
        Ok(Done::new(HaDrill { timeouts: update.planned.timeouts, ..update.prior }))
    }

    async fn delete(&self, _cx: &Context<'_, Stack>, _delete: Delete<HaDrill>) -> Result<Diagnostics, Failed<HaDrill>> {
        Ok(Diagnostics::new())
    }

    async fn import(&self, _cx: &Context<'_, Stack>, _named: HaDrill) -> Result<Option<Done<HaDrill>>, Diagnostics> {
        Err(words::not_importable().into())
    }
}
