//! Prior + configuration + proposal -> the plan of a workload: what can be chosen is chosen here, what would lose data
//! is refused here.

use super::change::Change;
use super::guard::Site;
use super::rehearse::rehearse;
use super::settings::Storage;
use super::spec::{Spec, is_specified};
use super::{guard, kept, words};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::Plan;
use crate::resources::checks::same_quantity;
use crate::resources::owned::applied::applied;
use crate::resources::owned::drift::fingerprints;
use crate::resources::owned::which::Which;
use crate::stack::Stack;

/// Plans a workload: what follows from the configuration, what cannot be, what may not be replaced, what the server would refuse.
/// With it what there is, as far as Kubernetes says. No change: nothing changes, or what is wanted is not known yet.
pub async fn plan<M: Spec>(cx: &Context<'_, Stack>, plan: &mut Plan<M>) -> (Option<Change>, Option<Site<M>>) {
    let change = complete(plan);
    // A plan that changes nothing asks nothing: nothing is written then.
    let site = match (cx.client, plan.prior.as_ref().filter(|prior| **prior != plan.planned)) {
        (Some(stack), Some(prior)) => Site::look(stack, prior).await.ok(),
        _ => None,
    };
    if let (Some(stack), None) = (cx.client, &plan.prior)
        && let Some(refused) = kept::at_plan(stack, &plan.planned).await
    {
        plan.diagnostics.push(refused);
    }
    if let (Some(stack), Some(prior), Some(site)) = (cx.client, &plan.prior, &site)
        && let Err(other) = site.is_meant(stack, prior, &Which::kept(&plan.private)).await
    {
        plan.diagnostics.push(other);
        return (change, None);
    }
    if let Some(prior) = plan.prior.as_ref().filter(|prior| is_moved(*prior, &plan.planned)) {
        let said = guard::may_go_at_plan(site.as_ref(), prior);
        plan.diagnostics.extend(said.unwrap_or_else(|refused| refused));
    }
    if let Some(change) = change.as_ref().filter(|_| !plan.diagnostics.has_errors()) {
        rehearse(cx, change).await.into_iter().for_each(|refused| plan.diagnostics.push(refused));
    }
    (change, site)
}

/// Whether another one is planned under another name.
pub fn is_moved<M: Spec>(prior: &M, planned: &M) -> bool {
    prior.namespace() != planned.namespace() || prior.name() != planned.name()
}

/// Fills in what follows from the configuration, and refuses what cannot be.
fn complete<M: Spec>(plan: &mut Plan<M>) -> Option<Change> {
    plan.planned.set_outputs();
    let specified = is_specified(&plan.planned);
    let (namespace, name) = (plan.planned.namespace().to_owned(), plan.planned.name().to_owned());
    let wanted = specified.then(|| plan.planned.objects());
    let prior_ready = plan.prior.as_ref().and_then(|prior| prior.common().ready.known().copied());
    let common = plan.planned.common_mut();
    if !namespace.is_empty() && !name.is_empty() {
        common.id = Attr::Known(format!("{namespace}/{name}"));
    }
    common.objects = wanted.as_deref().map_or_else(Attr::unknown, |wanted| Attr::Known(fingerprints(wanted)));
    // A workload that was not ready is waited for again by the next apply.
    if prior_ready == Some(false) {
        common.ready = Attr::unknown();
    }
    if plan.prior.is_none() {
        plan.planned.common_mut().planned_roll = Attr::Known(Vec::new());
    }
    let Some(prior) = &plan.prior else { return wanted.map(|wanted| Change { before: Vec::new(), wanted }) };
    if plan.planned == *prior {
        return None;
    }
    // What a change leaves is seen at its end: an ailment of today is said then, and is no reason against the change.
    plan.planned.common_mut().ready = Attr::unknown();
    plan.planned.expect_observations();
    let applied = applied(&plan.private, prior);
    // Another one under another name may be otherwise in everything.
    if !is_moved(prior, &plan.planned) {
        refuse(&applied, &plan.planned, &mut plan.diagnostics);
    }
    wanted.map(|wanted| Change { before: applied.objects(), wanted })
}

/// Refuses what loses data or breaks the service: of the storage, which every workload has, and of what this one alone has.
pub fn refuse<M: Spec>(applied: &M, planned: &M, diagnostics: &mut Diagnostics) {
    if let (Some(old), Some(new)) = (applied.common().storage.known(), planned.common().storage.known()) {
        refuse_storage_changes(old, new, diagnostics);
    }
    M::refuse(applied, planned, diagnostics);
}

/// Nothing here can carry these out without moving data.
fn refuse_storage_changes(applied: &Storage, planned: &Storage, diagnostics: &mut Diagnostics) {
    if applied.ephemeral.unwrap_or(false) != planned.ephemeral.unwrap_or(false) {
        diagnostics.push(words::storage_moves("ephemeral"));
    }
    if !planned.class.is_unknown() && applied.class != planned.class {
        diagnostics.push(words::storage_moves("class"));
    }
    if !planned.size.is_unknown() && !same_quantity(applied.size.text(), planned.size.text()) {
        diagnostics.push(words::storage_size(applied.size.text(), planned.size.text()));
    }
}

/// Refuses storage that says too little or two things at once.
pub fn check_storage(storage: &Attr<Storage>, diagnostics: &mut Diagnostics) {
    let Some(storage) = storage.known() else { return };
    let ephemeral = storage.ephemeral.unwrap_or(false);
    if !ephemeral && !storage.ephemeral.is_unknown() && storage.size.is_null() {
        diagnostics.push(words::no_storage_size());
    }
    if ephemeral && !(storage.size.is_null() && storage.class.is_null()) {
        diagnostics.push(words::two_storages());
    }
}
