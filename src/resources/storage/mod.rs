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

#[cfg(test)]
mod tests;

use crate::diagnostics::storage as words;
use crate::kubernetes::failure::Failure;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::resources::owned::board;
use crate::resources::workload::anchor::Phase;
use crate::resources::workload::converge::Live;
use crate::stack::Stack;
use apply::Run;
use claims::Fate;
use schema::Storage;

/// The key under which private state keeps what was last applied.
pub const APPLIED: &str = "applied";

/// The resource.
pub struct KafkaStorage;

fn applied(private: &Private, prior: &Storage) -> Storage {
    private.get(APPLIED).and_then(|text| objects::decode(text)).unwrap_or_else(|| prior.clone())
}

async fn look(stack: &Stack, storage: &Storage) -> Result<Live, Failure> {
    let class = objects::class_key(storage.name.text());
    let found = stack.kubernetes.get(&class).await?;
    let volumes = plan::live_volumes(stack, storage).await?;
    let volumes = volumes.into_iter().map(|volume| (volume.key(), Some(volume)));
    Ok(volumes.chain([(class, found)]).collect())
}

impl Resource for KafkaStorage {
    type Client = Stack;
    type Model = Storage;
    const NAME: &'static str = "storage";

    fn validate(&self, config: &Storage, diagnostics: &mut Diagnostics) {
        schema::check(config, diagnostics);
    }

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<Storage>) -> Result<(), Diagnostics> {
        plan::complete(&mut plan.planned);
        if let Some(stack) = cx.client {
            plan::check(stack, plan).await?;
        }
        Ok(())
    }

    async fn plan_delete(&self, cx: &Context<'_, Stack>, prior: &Storage) -> Result<Diagnostics, Diagnostics> {
        let Some(stack) = cx.client else { return Ok(Diagnostics::new()) };
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
        let cx = &told(cx, &wanted)?;
        let mut run = Run { cx, stack: cx.client()?, wanted, applied: None, prior: None, diagnostics: Diagnostics::new() };
        run.own().await?;
        let made = run.converge(Phase::Creating).await;
        cx.end().await;
        match made {
            Ok(live) => Ok(finished(run, &live)),
            Err(why) => Err(Failed::from(why).leaving(run.look().await, run.private()).and(run.diagnostics)),
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
        let live = look(cx.client()?, &applied).await?;
        let is_there = live.values().any(Option::is_some);
        Ok(is_there.then(|| Done::new(read::state(&applied, &live)).keep(private)))
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<Storage>) -> Result<Done<Storage>, Failed<Storage>> {
        let mut wanted = update.planned;
        plan::complete(&mut wanted);
        let applied = Some(applied(&update.private, &update.prior));
        let cx = &told(cx, &wanted)?;
        let (stack, prior) = (cx.client()?, Some(update.prior));
        let mut run = Run { cx, stack, wanted, applied, prior, diagnostics: Diagnostics::new() };
        let changed = run.converge(Phase::Updating).await;
        cx.end().await;
        match changed {
            Ok(live) => Ok(finished(run, &live)),
            // What was applied before is kept, so that the next update still knows which volumes have to go.
            Err(why) => Err(Failed::from(why).and(run.diagnostics)),
        }
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<Storage>) -> Result<Diagnostics, Failed<Storage>> {
        let wanted = applied(&delete.private, &delete.prior);
        let cx = &told(cx, &wanted)?;
        let run = Run { cx, stack: cx.client()?, wanted, applied: None, prior: None, diagnostics: Diagnostics::new() };
        let deleted = run.delete().await;
        cx.end().await;
        deleted?;
        Ok(run.diagnostics)
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: Storage) -> Result<Option<Done<Storage>>, Diagnostics> {
        let (stack, name) = (cx.client()?, named.name.text());
        let class = stack.kubernetes.get(&objects::class_key(name)).await?;
        let Some((_, storage)) = class.as_ref().and_then(objects::anchor) else {
            return Err(words::nothing_to_import(name).into());
        };
        let live = look(stack, &storage).await?;
        let private = [(APPLIED.to_owned(), objects::encode(&storage))].into();
        Ok(Some(Done::new(read::state(&storage, &live)).keep(private)))
    }
}

/// The same context, heard at the class too.
fn told<'a>(cx: &Context<'a, Stack>, storage: &Storage) -> Result<Context<'a, Stack>, Diagnostic> {
    Ok(board::beside(cx, cx.client()?, objects::class_key(storage.name.text())))
}

fn finished(run: Run<'_>, live: &Live) -> Done<Storage> {
    Done::new(read::state(&run.wanted, live)).keep(run.private()).and(run.diagnostics)
}
