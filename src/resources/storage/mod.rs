//! `kafkastack_storage`: a StorageClass, and static volumes of it. The class is its own anchor: it is made atomically, and its
//! annotations say how far the provider came and what was wanted.
//!
//! `schema.rs` attributes · `objects.rs` attributes -> objects · `claims.rs` who uses it · `plan.rs` what that forbids ·
//! `apply.rs` create, update, delete · `read.rs` drift · this file: the wiring.

pub mod apply;
pub mod claims;
pub mod objects;
pub mod plan;
pub mod read;
pub mod schema;
pub mod words;

#[cfg(test)]
mod tests;

use crate::diagnostics;
use crate::kubernetes::failure::Failure;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::provider::Offers;
use crate::plugin::resource::Resource;
use crate::resources::owned::applied::{Specified, applied, keep};
use crate::resources::owned::converge::Live;
use crate::resources::owned::phase::Phase;
use crate::resources::owned::which::Which;
use crate::stack::Stack;
use apply::Run;
use claims::Fate;
use objects::RESOURCE;
use schema::Storage;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(KafkaStorage)
}

/// The resource.
pub struct KafkaStorage;

impl Specified for Storage {
    fn without_observations(self) -> Self {
        Self { objects: Attr::Null, ..self }
    }
}

async fn look(stack: &Stack, storage: &Storage) -> Result<Live, Failure> {
    let class = objects::class_key(storage.name.text());
    let found = stack.kubernetes.get(&class).await?;
    let volumes = plan::live_volumes(stack, storage).await?;
    let volumes = volumes.into_iter().map(|volume| (volume.key(), Some(volume)));
    Ok(volumes.chain([(class, found)]).collect())
}

/// Which one it is. A class has no anchor of its own that would last: who changes its parameters makes it anew.
async fn is_meant(stack: &Stack, storage: &Storage, private: &Private) -> Result<Which, Diagnostic> {
    Which::meant(&Which::kept(private), stack, None, RESOURCE, storage.name.text()).await
}

impl Resource for KafkaStorage {
    type Client = Stack;
    type Model = Storage;
    const NAME: &'static str = RESOURCE;

    fn validate(&self, config: &Storage, diagnostics: &mut Diagnostics) {
        plan::validate(config, diagnostics);
    }

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<Storage>) -> Result<(), Diagnostics> {
        plan::complete(&mut plan.planned);
        if let Some(stack) = cx.client {
            if let Some(prior) = plan.prior.as_ref().filter(|prior| **prior != plan.planned) {
                is_meant(stack, prior, &plan.private).await?;
            }
            plan::check(stack, plan).await?;
        }
        Ok(())
    }

    async fn plan_delete(&self, cx: &Context<'_, Stack>, going: &Delete<Storage>) -> Result<Diagnostics, Diagnostics> {
        let Some(stack) = cx.client else { return Ok(Diagnostics::new()) };
        let prior = &going.prior;
        is_meant(stack, prior, &going.private).await?;
        let mut claims = claims::look(stack, prior.name.text()).await?;
        // Workloads go before the storage that they name. The apply looks again.
        claims.retain(|claim| !matches!(claim.fate, Fate::Going | Fate::GoesWith(_)));
        match claims.is_empty() {
            true => Ok(Diagnostics::new()),
            false => Err(words::class_in_use(prior.name.text(), &claims).into()),
        }
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<Storage>) -> Result<Done<Storage>, Failed<Storage>> {
        let mut wanted = create.planned;
        plan::complete(&mut wanted);
        let mut run = Run::new(cx, cx.client()?, wanted, &Storage::default());
        run.which = Which::seen(cx.client()?, None).await.map_err(Diagnostic::from)?;
        if let Err(stop) = run.own().await {
            return Err(run.words(stop).into());
        }
        match run.converge(Phase::Creating).await {
            Ok(()) => Ok(run.done()),
            Err(stop) => Err(run.unfinished(stop).await),
        }
    }

    async fn read(
        &self,
        cx: &Context<'_, Stack>,
        state: Storage,
        private: Private,
    ) -> Result<Option<Done<Storage>>, Diagnostics> {
        let applied = applied(&private, &state);
        // Not known is not gone.
        let stack = cx.client()?;
        let live = look(stack, &applied).await?;
        let which = is_meant(stack, &state, &private).await?;
        let is_there = live.values().any(Option::is_some);
        Ok(is_there.then(|| Done::new(read::state(&applied, &live)).keep(which.keep(private))))
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<Storage>) -> Result<Done<Storage>, Failed<Storage>> {
        let mut wanted = update.planned;
        plan::complete(&mut wanted);
        let before = applied(&update.private, &update.prior);
        let which = is_meant(cx.client()?, &update.prior, &update.private).await?;
        let mut run = Run::new(cx, cx.client()?, wanted, &update.prior).over(before);
        run.which = which;
        match run.converge(Phase::Updating).await {
            Ok(()) => Ok(run.done()),
            Err(stop) => Err(run.stopped(stop)),
        }
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<Storage>) -> Result<Diagnostics, Failed<Storage>> {
        let there = applied(&delete.private, &delete.prior);
        is_meant(cx.client()?, &delete.prior, &delete.private).await?;
        let run = Run::new(cx, cx.client()?, there, &delete.prior);
        match run.delete().await {
            Ok(()) => Ok(Diagnostics::new()),
            Err(stop) => Err(run.stopped(stop)),
        }
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: Storage) -> Result<Option<Done<Storage>>, Diagnostics> {
        let (stack, name) = (cx.client()?, named.name.text());
        let class = stack.kubernetes.get(&objects::class_key(name)).await?;
        let Some((_, storage)) = class.as_ref().and_then(objects::anchor) else {
            return Err(diagnostics::nothing_to_import(RESOURCE, name).into());
        };
        let live = look(stack, &storage).await?;
        let which = Which::seen(stack, None).await?;
        Ok(Some(Done::new(read::state(&storage, &live)).keep(which.keep(keep(&storage)))))
    }
}
