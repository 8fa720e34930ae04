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

use crate::diagnostics::{self, storage as words};
use crate::kubernetes::failure::Failure;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::resource::{Change, Context, Plan, Private, Reply, Resource};
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

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<Storage>) {
        plan::complete(&mut plan.planned);
        let Some(stack) = cx.client else { return };
        if let Err(failure) = plan::check(stack, plan).await {
            plan.diagnostics.push(diagnostics::kubernetes(&failure));
        }
    }

    async fn plan_delete(&self, cx: &Context<'_, Stack>, prior: &Storage) -> Diagnostics {
        let Some(stack) = cx.client else { return Diagnostics::new() };
        let mut claims = match claims::look(stack, prior.name.text()).await {
            Ok(claims) => claims,
            Err(failure) => return diagnostics::kubernetes(&failure).into(),
        };
        // Workloads go before the storage that they name. The apply looks again.
        claims.retain(|claim| !matches!(claim.fate, Fate::Going | Fate::GoesWith(_)));
        match claims.is_empty() {
            true => Diagnostics::new(),
            false => words::class_in_use(prior.name.text(), &claims).into(),
        }
    }

    async fn create(&self, cx: &Context<'_, Stack>, change: Change<Storage>) -> Reply<Storage> {
        let stack = match cx.client() {
            Ok(stack) => stack,
            Err(diagnostic) => return Reply::failed(None, diagnostic),
        };
        let mut wanted = change.planned;
        plan::complete(&mut wanted);
        let mut run = Run { cx, stack, wanted, applied: None, prior: None, diagnostics: Diagnostics::new() };
        if let Err(diagnostic) = run.own().await {
            return Reply::failed(None, diagnostic);
        }
        match run.converge(Phase::Creating).await {
            Ok(live) => finished(run, &live),
            Err(diagnostic) => Reply::failed(Some(run.look().await), diagnostic).keep(run.private()).and(run.diagnostics),
        }
    }

    async fn read(&self, cx: &Context<'_, Stack>, state: Storage, private: Private) -> Reply<Storage> {
        let stack = match cx.client() {
            Ok(stack) => stack,
            Err(diagnostic) => return Reply::failed(Some(state), diagnostic),
        };
        let applied = applied(&private, &state);
        match look(stack, &applied).await {
            Ok(live) if live.values().all(Option::is_none) => Reply::gone(),
            Ok(live) => Reply::state(read::state(&applied, &live)).keep(private),
            // Not known is not gone.
            Err(failure) => Reply::failed(Some(state), diagnostics::kubernetes(&failure)).keep(private),
        }
    }

    async fn update(&self, cx: &Context<'_, Stack>, change: Change<Storage>) -> Reply<Storage> {
        let (prior, private) = (change.prior, change.private);
        let stack = match cx.client() {
            Ok(stack) => stack,
            Err(diagnostic) => return Reply::failed(Some(prior), diagnostic),
        };
        let mut wanted = change.planned;
        plan::complete(&mut wanted);
        let applied = Some(applied(&private, &prior));
        let mut run = Run { cx, stack, wanted, applied, prior: Some(prior.clone()), diagnostics: Diagnostics::new() };
        match run.converge(Phase::Updating).await {
            Ok(live) => finished(run, &live),
            // What was applied before is kept, so that the next update still knows which volumes have to go.
            Err(diagnostic) => Reply::failed(Some(prior), diagnostic).keep(private).and(run.diagnostics),
        }
    }

    async fn delete(&self, cx: &Context<'_, Stack>, change: Change<Storage>) -> Reply<Storage> {
        let (prior, private) = (change.prior, change.private);
        let stack = match cx.client() {
            Ok(stack) => stack,
            Err(diagnostic) => return Reply::failed(Some(prior), diagnostic),
        };
        let wanted = applied(&private, &prior);
        let run = Run { cx, stack, wanted, applied: None, prior: None, diagnostics: Diagnostics::new() };
        match run.delete().await {
            Ok(()) => Reply::gone(),
            Err(diagnostic) => Reply::failed(Some(prior), diagnostic).keep(private),
        }
    }

    async fn import(&self, cx: &Context<'_, Stack>, id: &str) -> Reply<Storage> {
        match import(cx, id).await {
            Ok(reply) => reply,
            Err(diagnostic) => Reply::failed(None, diagnostic),
        }
    }
}

fn finished(run: Run<'_>, live: &Live) -> Reply<Storage> {
    Reply::state(read::state(&run.wanted, live)).keep(run.private()).and(run.diagnostics)
}

async fn import(cx: &Context<'_, Stack>, id: &str) -> Result<Reply<Storage>, Diagnostic> {
    let stack = cx.client()?;
    let failed = |failure| diagnostics::kubernetes(&failure);
    let class = stack.kubernetes.get(&objects::class_key(id)).await.map_err(failed)?;
    let Some((_, storage)) = class.as_ref().and_then(objects::anchor) else { return Err(words::nothing_to_import(id)) };
    let live = look(stack, &storage).await.map_err(failed)?;
    let private = [(APPLIED.to_owned(), objects::encode(&storage))].into();
    Ok(Reply::state(read::state(&storage, &live)).keep(private))
}
