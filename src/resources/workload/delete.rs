//! Destroy: objects in reverse order, claims only when the configuration says so, the anchor last. What is gone already is
//! no error, so a destroy that was interrupted is simply run again. Network.

use super::anchor::Anchor;
use super::guard::Site;
use super::own::{is_orphan, is_own_claim, owns};
use super::record::Record;
use super::sets::{all, changes, claims};
use super::tidy::configurations;
use super::turn::Turn;
use super::words;
use super::{Spec, guard::refusal};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::context::{Context, Halt};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::{Delete, Failed};
use crate::resources::owned::applied::applied;
use crate::resources::owned::board;
use crate::resources::owned::delete::delete_this;
use crate::resources::owned::is_ours;
use crate::resources::owned::phase::Phase;
use crate::resources::owned::which::Which;
use crate::stack::Stack;
use crate::stack::names;
use futures::{Stream, StreamExt};
use serde_json::json;
use std::time::Duration;

/// How long to wait for a change at most before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Destroys a workload.
///
/// # Errors
/// Why something of it is still there.
pub async fn delete<M: Spec>(cx: &Context<'_, Stack>, going: Delete<M>) -> Result<Diagnostics, Failed<M>> {
    let applied = applied(&going.private, &going.prior);
    remove(cx, cx.client()?, &applied, &going).await?;
    Ok(Diagnostics::new())
}

async fn remove<M: Spec>(cx: &Context<'_, Stack>, stack: &Stack, applied: &M, going: &Delete<M>) -> Result<(), Diagnostics> {
    let prior = &going.prior;
    let (namespace, name) = (applied.namespace(), applied.name());
    board::on(cx, stack, names::anchor(namespace, name));
    let interrupted = |_| words::delete_interrupted(&[format!("kafkastack_{} {namespace}/{name}", M::RESOURCE)]);
    let site = Turn::default().site(cx, stack, applied).await.map_err(|stop| stop.words(interrupted))?;
    site.is_meant(stack, prior, &Which::kept(&going.private)).await?;
    may_go(stack, &site, prior).await?;
    if site.anchor.is_none()
        && let Some(other) = site.live().find(|set| !is_ours(set))
    {
        return Err(words::not_ours(&other.key()).into());
    }
    if let Some((found, anchor)) = &site.anchor {
        mark_deleting(stack, found, anchor, site.has_served()).await?;
        cx.say(&format!("deleting kafkastack_{} {namespace}/{name}", M::RESOURCE));
        // While there is an anchor to say it at.
        cx.pass_on().await;
    }
    if !prior.common().takes_claims() {
        keep_claims(cx, stack, applied, &site).await?;
    }
    for object in applied.objects().iter().rev() {
        let Some(live) = stack.kubernetes.get(&object.key()).await? else { continue };
        if site.anchor.is_none() && !is_ours(&live) {
            return Err(words::not_ours(&live.key()).into());
        }
        delete_this(&stack.kubernetes, &live).await?;
        cx.say(&format!("deleted {} {}", live.kind(), live.name()));
    }
    // Whose StatefulSet is gone already ends by no other hand.
    let roles = applied.roles();
    for pod in site.pods.iter().filter(|pod| roles.iter().any(|role| is_orphan(pod, &role.names))) {
        delete_this(&stack.kubernetes, pod).await?;
    }
    until_gone(cx, stack, applied, Kind::Pod, |pod| owns(&site.sets, pod)).await?;
    still_going(stack, &site).await?;
    if prior.common().takes_claims() {
        let claims = stack.kubernetes.list(Kind::PersistentVolumeClaim, Some(namespace), "").await?;
        let own = |claim: &Object| is_own_claim(claim, &roles);
        for claim in claims.iter().filter(|claim| own(claim)) {
            delete_this(&stack.kubernetes, claim).await?;
            cx.say(&format!("deleted {} {}", claim.kind(), claim.name()));
        }
        until_gone(cx, stack, applied, Kind::PersistentVolumeClaim, own).await?;
    }
    for configuration in configurations(stack, applied).await? {
        delete_this(&stack.kubernetes, &configuration).await?;
    }
    match still_going(stack, &site).await? {
        Some(anchor) => Ok(delete_this(&stack.kubernetes, &anchor).await?),
        None => Ok(()),
    }
}

/// Claims that would go with their StatefulSet, because somebody set its retention policy so, are made to stay first: the controller
/// takes their owner away when the policy says `Retain` (KEP-1847).
async fn keep_claims<M: Spec>(cx: &Context<'_, Stack>, stack: &Stack, spec: &M, site: &Site<M>) -> Result<(), Diagnostics> {
    for set in site.live() {
        retain(cx, stack, set).await?;
    }
    let roles = spec.roles();
    let left = || async {
        let all = claims(stack, spec.namespace()).await?;
        let owned = |claim: &&Object| is_own_claim(claim, &roles) && site.live().any(|set| claim.is_owned_by(set.uid()));
        Ok(all.iter().filter(owned).map(|claim| claim.key().to_string()).collect())
    };
    let changes = changes(stack, Kind::PersistentVolumeClaim, spec.namespace(), &roles);
    until_none(cx, changes, left, "do not go with their StatefulSet", words::claims_owned).await
}

const RETENTION: &str = "/spec/persistentVolumeClaimRetentionPolicy";

async fn retain(cx: &Context<'_, Stack>, stack: &Stack, set: &Object) -> Result<(), Diagnostics> {
    let mut set = set.clone();
    while ["/whenDeleted", "/whenScaled"].iter().any(|when| set.text(&format!("{RETENTION}{when}")) == "Delete") {
        cx.go_on().map_err(|_| words::delete_interrupted(&[set.key().to_string()]))?;
        let mut keeping = set.clone();
        if let Some(policy) = keeping.json_mut().pointer_mut(RETENTION) {
            *policy = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
        }
        set = match stack.kubernetes.replace(&keeping).await {
            Ok(kept) => {
                cx.say(&format!("made the claims of StatefulSet {} stay: its retention policy said Delete", set.name()));
                kept
            }
            // Its controller notes something in it now and then.
            Err(Failure { class: Class::Stale, .. }) => match stack.kubernetes.get(&set.key()).await? {
                Some(now) => now,
                None => return Ok(()),
            },
            Err(failure) => return Err(failure.into()),
        };
    }
    Ok(())
}

/// The anchor, if it is still there and still says that everything goes. A create that began meanwhile took it over, and with it
/// whatever has the workload's names by now.
async fn still_going<M: Spec>(stack: &Stack, site: &Site<M>) -> Result<Option<Object>, Diagnostics> {
    let Some((before, anchor)) = &site.anchor else { return Ok(None) };
    let now = stack.kubernetes.get(&before.key()).await?;
    let Some(now) = now else { return Ok(None) };
    let phase = Anchor::<M>::read(&now).map(|anchor| anchor.phase);
    let goes = phase == Some(Phase::Deleting) || phase == Some(Phase::Creating) && anchor.phase == Phase::Creating;
    match goes && now.uid() == before.uid() {
        true => Ok(Some(now)),
        false => Err(words::taken_over(M::RESOURCE, &anchor.spec.id()).into()),
    }
}

/// Asked again at apply, before the first write: what a plan saw may be hours old.
async fn may_go<M: Spec>(stack: &Stack, site: &Site<M>, prior: &M) -> Result<(), Diagnostics> {
    if let Some(refusal) = refusal(site.verdict(prior), prior) {
        return Err(refusal.into());
    }
    // An anchor that somebody deleted takes its record with it.
    let record = site.anchor.as_ref().map(|(_, anchor)| anchor.record.clone()).unwrap_or_default();
    let users = prior.users(stack, &record).await?;
    match users.is_empty() {
        true => Ok(()),
        false => Err(words::in_use(M::RESOURCE, prior.namespace(), prior.name(), &users).into()),
    }
}

/// A create that finds this phase takes the name up again instead of saying that it exists.
async fn mark_deleting<M: Spec>(stack: &Stack, found: &Object, anchor: &Anchor<M>, served: bool) -> Result<(), Failure> {
    let phase = if anchor.phase == Phase::Creating { Phase::Creating } else { Phase::Deleting };
    let record = Record { served: Some(served), ..anchor.history() };
    let mut object = Anchor { phase, spec: anchor.spec.clone(), created: None, record, run: None }.object();
    if found.at("/data") == object.at("/data") {
        return Ok(());
    }
    object.set_metadata("resourceVersion", found.resource_version().into());
    stack.kubernetes.replace(&object).await.map(|_| ())
}

/// Waits until what is the workload's own is gone; neighbours with the same labels are not waited for.
async fn until_gone<M: Spec>(
    cx: &Context<'_, Stack>,
    stack: &Stack,
    spec: &M,
    kind: Kind,
    own: impl Fn(&Object) -> bool + Sync,
) -> Result<(), Diagnostics> {
    let (namespace, roles) = (spec.namespace(), spec.roles());
    let own = &own;
    let left = || async {
        match all(stack, kind, namespace, &roles).await {
            Ok(left) => Ok(left.iter().filter(|object| own(object)).map(|object| object.key().to_string()).collect()),
            Err(failure) if matches!(failure.class, Class::Forbidden { .. }) => Err(failure),
            Err(failure) => Ok(vec![failure.to_string()]),
        }
    };
    until_none(cx, changes(stack, kind, namespace, &roles), left, "are gone", words::still_there).await
}

/// Looks again at each change until nothing is `left`. `what` is waited for of these; `late` says what is left when the time is up.
async fn until_none<F>(
    cx: &Context<'_, Stack>,
    mut changes: impl Stream<Item = ()> + Unpin + Send,
    left: impl Fn() -> F + Sync,
    what: &str,
    late: fn(&[String]) -> Diagnostic,
) -> Result<(), Diagnostics>
where
    F: Future<Output = Result<Vec<String>, Failure>> + Send,
{
    loop {
        let left = left().await?;
        if left.is_empty() {
            return Ok(());
        }
        cx.say(&format!("waiting until these {what}: {}", left.join(", ")));
        let changed = tokio::time::timeout(LOOK_AGAIN, changes.next());
        match cx.wait(changed).await {
            Ok(_) => {}
            Err(Halt::Interrupted) => return Err(words::delete_interrupted(&left).into()),
            Err(Halt::OutOfTime) => return Err(late(&left).into()),
        }
    }
}
