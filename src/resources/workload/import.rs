//! Refresh and import: the anchor tells what was wanted, the live objects what is there. Network.

use super::anchor::Anchor;
use super::apply::look;
use super::forecast;
use super::foretold::Pods;
use super::guard::Site;
use super::role::Templates;
use super::wait::is_serving;
use super::{Spec, read};
use crate::diagnostics;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::{Done, Private};
use crate::resources::owned::applied::{applied, keep};
use crate::resources::owned::phase::Phase;
use crate::resources::owned::which::Which;
use crate::stack::Stack;
use crate::stack::names;

/// Reads a workload.
///
/// # Errors
/// When Kubernetes does not say what there is: not known is not gone.
pub async fn read<M: Spec>(cx: &Context<'_, Stack>, state: M, private: Private) -> Result<Option<Done<M>>, Diagnostics> {
    let stack = cx.client()?;
    let applied = applied(&private, &state);
    let anchor_key = names::anchor(applied.namespace(), applied.name());
    let (live, found) = tokio::try_join!(look(stack, &applied), stack.kubernetes.get(&anchor_key))?;
    // Before anything is said to be gone: it may be there in another Kubernetes cluster.
    let which = Which::meant(&Which::kept(&private), stack, found.as_ref(), M::RESOURCE, &state.id()).await?;
    if found.is_none() && live.values().all(Option::is_none) {
        return Ok(None);
    }
    let anchor = found.as_ref().and_then(Anchor::<M>::read);
    // One that came after its create had ended is not noted as one that has served: the next apply does that.
    let noted = |anchor: &Anchor<M>| anchor.phase == Phase::Ready && anchor.has_served();
    let settled = anchor.as_ref().is_some_and(noted);
    let unknown = Templates::new();
    let left = anchor.as_ref().map_or(&unknown, |anchor| &anchor.record.templates);
    let mut now = read::state(&applied, &live, left, settled);
    // The kubelet's probes come after the service: its own answer counts, as it does for an apply.
    if settled && now.common().ready.known() == Some(&false) && is_serving(stack, &applied).await {
        now.common_mut().ready = Attr::Known(true);
    }
    now.keep_observations(&state);
    now.common_mut().planned_roll = state.common().planned_roll.clone();
    now.identify(anchor.as_ref().and_then(|anchor| anchor.record.cluster_id.as_deref()));
    let pods = match Site::around(stack, &applied).await {
        Ok(site) => forecast::seen(stack, &applied, &site.with(found), &Pods::kept(&private)).await,
        Err(_) => Pods::default(),
    };
    Ok(Some(Done::new(now).keep(pods.keep(which.keep(private)))))
}

/// Finds a workload by its namespace and name.
///
/// # Errors
/// When there is none that this provider made, or Kubernetes does not say.
pub async fn import<M: Spec>(cx: &Context<'_, Stack>, named: M) -> Result<Option<Done<M>>, Diagnostics> {
    let stack = cx.client()?;
    let found = stack.kubernetes.get(&names::anchor(named.namespace(), named.name())).await?;
    let Some(anchor) = found.as_ref().and_then(Anchor::<M>::read) else {
        return Err(diagnostics::nothing_to_import(M::RESOURCE, &named.id()).into());
    };
    let mut spec = anchor.spec;
    spec.identify(anchor.record.cluster_id.as_deref());
    if anchor.phase == Phase::Ready {
        spec.observe(stack).await;
    }
    let private = keep(&spec);
    read(cx, spec, private).await
}
