//! A workload as a resource: what core asks is answered by the same procedure for each, over what [`Spec`] says of it.

use super::spec::Spec;
use super::{apply, delete, forecast, guard, import, plan};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::stack::Stack;
use std::marker::PhantomData;

/// The resource of a workload.
#[derive(Default)]
pub struct Workload<M>(PhantomData<fn() -> M>);

impl<M: Spec> Resource for Workload<M> {
    type Client = Stack;
    type Model = M;
    const NAME: &'static str = M::RESOURCE;

    fn validate(&self, config: &M, diagnostics: &mut Diagnostics) {
        plan::check_storage(&config.common().storage, diagnostics);
    }

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<M>) -> Result<(), Diagnostics> {
        let (change, site) = plan::plan(cx, plan).await;
        if plan.diagnostics.has_errors() {
            return Ok(());
        }
        // A replacement is planned once more, as a create.
        if !plan.prior.as_ref().is_some_and(|prior| plan::is_moved(prior, &plan.planned)) {
            M::ask(cx, plan).await;
        }
        forecast::forecast(cx, plan, change.as_ref(), site.as_ref()).await;
        Ok(())
    }

    async fn plan_delete(&self, cx: &Context<'_, Stack>, going: &Delete<M>) -> Result<Diagnostics, Diagnostics> {
        guard::at_plan(cx.client, &going.prior, &going.private).await
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<M>) -> Result<Done<M>, Failed<M>> {
        apply::create(cx, create).await
    }

    async fn read(&self, cx: &Context<'_, Stack>, state: M, private: Private) -> Result<Option<Done<M>>, Diagnostics> {
        import::read(cx, state, private).await
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<M>) -> Result<Done<M>, Failed<M>> {
        apply::update(cx, update).await
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<M>) -> Result<Diagnostics, Failed<M>> {
        delete::delete(cx, delete).await
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: M) -> Result<Option<Done<M>>, Diagnostics> {
        import::import(cx, named).await
    }
}
