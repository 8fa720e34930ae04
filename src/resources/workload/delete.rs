//! Destroy: objects in reverse order, claims only when the configuration says so, the anchor last. What is gone already is
//! no error, so a destroy that was interrupted is simply run again. Network.

use super::Spec;
use super::anchor::{self, Anchor, Phase};
use super::converge::is_ours;
use super::plan::APPLIED;
use super::pod::Workload;
use crate::diagnostics;
use crate::kubernetes::client::Delete;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::resource::{Change, Context, Reply};
use crate::stack::Stack;
use futures::StreamExt;

/// Destroys a workload.
pub async fn delete<M: Spec>(cx: &Context<'_, Stack>, change: Change<M>) -> Reply<M> {
    let prior = change.prior;
    let stack = match cx.client() {
        Ok(stack) => stack,
        Err(diagnostic) => return Reply::failed(Some(prior), diagnostic),
    };
    let applied = change.private.get(APPLIED).and_then(|text| anchor::decode::<M>(text)).unwrap_or_else(|| prior.clone());
    match remove(cx, stack, &applied, &prior).await {
        Ok(()) => Reply::gone(),
        Err(diagnostics) => Reply::failed(Some(prior), diagnostics).keep(change.private),
    }
}

async fn remove<M: Spec>(cx: &Context<'_, Stack>, stack: &Stack, applied: &M, prior: &M) -> Result<(), Diagnostics> {
    let failed = |failure: Failure| Diagnostics::from(diagnostics::kubernetes(&failure));
    let anchor_key = anchor::key(applied.namespace(), applied.name());
    let found = stack.kubernetes.get(&anchor_key).await.map_err(failed)?;
    let anchor = found.as_ref().and_then(Anchor::<M>::read);
    // A create that never came to its end holds nothing yet, and has to make way for the next try.
    if !anchor.as_ref().is_some_and(|anchor| anchor.phase == Phase::Creating) {
        prior.guard()?;
    }
    if let (Some(found), Some(anchor)) = (&found, &anchor) {
        mark_deleting(stack, found, anchor).await.map_err(failed)?;
    }
    for object in applied.objects().iter().rev() {
        let Some(live) = stack.kubernetes.get(&object.key()).await.map_err(failed)? else { continue };
        if anchor.is_none() && !is_ours(&live) {
            return Err(diagnostics::not_ours(&live.key()).into());
        }
        delete_this(stack, &live).await.map_err(failed)?;
    }
    until_gone(cx, stack, applied, Kind::Pod).await?;
    if prior.shared().delete_claims {
        let query = Workload::query(M::APP, applied.name());
        let claims =
            stack.kubernetes.list(Kind::PersistentVolumeClaim, Some(applied.namespace()), &query).await.map_err(failed)?;
        for claim in &claims {
            delete_this(stack, claim).await.map_err(failed)?;
        }
        until_gone(cx, stack, applied, Kind::PersistentVolumeClaim).await?;
    }
    match stack.kubernetes.get(&anchor_key).await.map_err(failed)? {
        Some(found) if anchor.is_some() => delete_this(stack, &found).await.map_err(failed),
        _ => Ok(()),
    }
}

/// A create that finds this phase takes the name up again instead of saying that it exists.
async fn mark_deleting<M: Spec>(stack: &Stack, found: &Object, anchor: &Anchor<M>) -> Result<(), Failure> {
    let phase = if anchor.phase == Phase::Creating { Phase::Creating } else { Phase::Deleting };
    let mut object = Anchor { phase, spec: anchor.spec.clone(), created: None }.object();
    if found.at("/data") == object.at("/data") {
        return Ok(());
    }
    object.set_metadata("resourceVersion", found.resource_version().into());
    stack.kubernetes.replace(&object).await.map(|_| ())
}

/// This very object: one of the same name that came meanwhile stays.
async fn delete_this(stack: &Stack, object: &Object) -> Result<(), Failure> {
    let how = Delete { uid: Some(object.uid().to_owned()), ..Delete::default() };
    match stack.kubernetes.delete(&object.key(), how).await {
        Ok(_) | Err(Failure { class: Class::NotFound | Class::NamespaceTerminating(_), .. }) => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn until_gone<M: Spec>(cx: &Context<'_, Stack>, stack: &Stack, spec: &M, kind: Kind) -> Result<(), Diagnostics> {
    let query = Workload::query(M::APP, spec.name());
    let mut changes = stack.kubernetes.watch(kind, spec.namespace(), &query);
    loop {
        let left = stack.kubernetes.list(kind, Some(spec.namespace()), &query).await;
        let left = match left {
            Ok(left) if left.is_empty() => return Ok(()),
            Ok(left) => left.iter().map(|object| object.key().to_string()).collect(),
            Err(failure) if matches!(failure.class, Class::Forbidden { .. }) => {
                return Err(diagnostics::kubernetes(&failure).into());
            }
            Err(failure) => vec![failure.to_string()],
        };
        tokio::select! {
            () = cx.cancel.cancelled() => return Err(diagnostics::delete_interrupted(&left).into()),
            () = tokio::time::sleep_until(cx.deadline) => return Err(diagnostics::still_there(&left).into()),
            Some(()) = changes.next() => {}
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
}
