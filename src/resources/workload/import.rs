//! Refresh and import: the anchor tells what was wanted, the live objects what is there. Network.

use super::anchor::{self, Anchor, Phase};
use super::apply::look;
use super::plan::{APPLIED, applied};
use super::wait::is_serving;
use super::{Spec, read};
use crate::diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::resource::{Context, Private, Reply};
use crate::stack::Stack;

/// Reads a workload.
pub async fn read<M: Spec>(cx: &Context<'_, Stack>, state: M, private: Private) -> Reply<M> {
    let stack = match cx.client() {
        Ok(stack) => stack,
        Err(diagnostic) => return Reply::failed(Some(state), diagnostic),
    };
    let applied = applied(&private, &state);
    let anchor_key = anchor::key(applied.namespace(), applied.name());
    let (live, found) = match tokio::try_join!(look(stack, &applied), stack.kubernetes.get(&anchor_key)) {
        Ok(seen) => seen,
        // Not known is not gone.
        Err(failure) => return Reply::failed(Some(state), diagnostics::kubernetes(&failure)).keep(private),
    };
    if found.is_none() && live.values().all(Option::is_none) {
        return Reply::gone();
    }
    let anchor = found.as_ref().and_then(Anchor::<M>::read);
    // One that came after its create had ended is not noted as one that has served: the next apply does that.
    let noted = |anchor: &Anchor<M>| anchor.phase == Phase::Ready && anchor.has_served();
    let settled = anchor.as_ref().is_some_and(noted);
    let left = anchor.as_ref().and_then(|anchor| anchor.record.template.as_ref());
    let mut now = read::state(&applied, &live, left, settled);
    // The kubelet's probes come after the service: its own answer counts, as it does for an apply.
    if settled && now.shared().ready.known() == Some(&false) && is_serving(stack, &applied).await {
        *now.common().ready = Attr::Known(true);
    }
    now.keep_observations(&state);
    now.identify(anchor.as_ref().and_then(|anchor| anchor.record.cluster_id.as_deref()));
    Reply::state(now).keep(private)
}

/// Finds a workload by `<namespace>/<name>`.
pub async fn import<M: Spec>(cx: &Context<'_, Stack>, id: &str) -> Reply<M> {
    let stack = match cx.client() {
        Ok(stack) => stack,
        Err(diagnostic) => return Reply::failed(None, diagnostic),
    };
    let Some((namespace, name)) = id.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('/')) else {
        return Reply::failed(None, diagnostics::import_id(id, "`namespace/name`"));
    };
    let found = match stack.kubernetes.get(&anchor::key(namespace, name)).await {
        Ok(found) => found,
        Err(failure) => return Reply::failed(None, diagnostics::kubernetes(&failure)),
    };
    let Some(anchor) = found.as_ref().and_then(Anchor::<M>::read) else {
        return Reply::failed(None, diagnostics::nothing_to_import(M::RESOURCE, id));
    };
    let mut spec = anchor.spec;
    spec.identify(anchor.record.cluster_id.as_deref());
    if anchor.phase == Phase::Ready {
        spec.observe(stack).await;
    }
    let private = [(APPLIED.to_owned(), anchor::encode(&spec))].into();
    read(cx, spec, private).await
}
