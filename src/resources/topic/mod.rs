//! `kafkastack_topic`: a topic that is as declared, in a `kafkastack_cluster` or any other.
//!
//! ```text
//!            plan.rs: replicas chosen, refusals, what the planned or live cluster would say
//! create ─┐
//! update ─┼─▶ apply.rs, update.rs: look ─▶ step.rs: next(wanted, seen) ─▶ one write ─▶ look again      reassign.rs: which replicas move
//! delete ─┘
//! read, import ─▶ read.rs: what the controller shows ─▶ state      list.rs: every topic of a cluster, as an import would have it
//! ```
//!
//! `schema.rs` attributes · `setting.rs` when two spellings are one value · `reach.rs` which cluster · this file: the wiring.

pub mod apply;
pub mod delete;
pub mod list;
pub mod plan;
pub mod reach;
pub mod read;
pub mod reassign;
pub mod schema;
pub mod setting;
pub mod step;
pub mod update;
pub mod words;

#[cfg(test)]
mod tests;

use crate::diagnostics;
use crate::kafka::{Admin, Error};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Delete, Done, Failed, Limits, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::resources::owned::board;
use crate::stack::Stack;
use crate::stack::names::Id;
use apply::{AWAY, LATER, Made, Run};
use reach::{Place, Standing};
use schema::Topic;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The resource.
#[derive(Default)]
pub struct KafkaTopic {
    /// Ids that were read or planned with a prior state in this run: a create of one of these is the second half of a
    /// replacement, and finds the topic still there.
    in_state: Mutex<BTreeSet<String>>,
    /// Clusters that do not answer.
    away: reach::Away,
}

impl KafkaTopic {
    fn remember(&self, id: &Attr<String>) {
        if let Some(id) = id.known() {
            self.in_state.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        }
    }

    fn is_in_state(&self, id: &Attr<String>) -> bool {
        self.in_state.lock().unwrap_or_else(PoisonError::into_inner).contains(id.text())
    }
}

/// The topic's cluster, to be asked.
async fn there(stack: &Stack, topic: &Topic, private: &Private) -> Result<(Admin, Private), Diagnostic> {
    match reach::find(stack, topic, private).await? {
        Place::There(admin, target) => Ok((admin, reach::remember(target.as_ref()))),
        Place::Gone => Err(diagnostics::no_such_cluster(topic.cluster.text())),
    }
}

fn finished(planned: &Topic, made: &Made) -> Done<Topic> {
    let mut state = read::applied(planned, made.seen.as_ref());
    if state.replication_factor.is_null() {
        state.replication_factor = Attr::Known(made.factor);
    }
    Done::new(state).and(made.diagnostics.clone())
}

impl Resource for KafkaTopic {
    type Client = Stack;
    type Model = Topic;
    const NAME: &'static str = "topic";

    fn limits(&self) -> Limits {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        // Moving replicas takes as long as there is data.
        Limits { create: minutes(5), read: minutes(2), update: minutes(60), delete: minutes(5) }
    }

    async fn plan(&self, cx: &Context<'_, Stack>, plan: &mut Plan<Topic>) -> Result<(), Diagnostics> {
        plan::complete(plan);
        if let Some(prior) = &plan.prior {
            self.remember(&prior.id);
        }
        let may_exist = self.is_in_state(&plan.planned.id);
        if let Some(stack) = cx.client {
            plan::check(cx, stack, plan, may_exist).await;
        }
        Ok(())
    }

    async fn plan_delete(&self, _cx: &Context<'_, Stack>, prior: &Topic) -> Result<Diagnostics, Diagnostics> {
        self.remember(&prior.id);
        guard(prior)?;
        Ok(Diagnostics::new())
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<Topic>) -> Result<Done<Topic>, Failed<Topic>> {
        let planned = Topic { id: plan::id(&create.planned), ..create.planned };
        let (admin, private) = there(cx.client()?, &planned, &Private::new()).await?;
        told(cx, &planned)?;
        let made = Run::new(admin, cx).create(&planned).await?;
        Ok(finished(&planned, &made).keep(private))
    }

    async fn read(&self, cx: &Context<'_, Stack>, state: Topic, private: Private) -> Result<Option<Done<Topic>>, Diagnostics> {
        self.remember(&state.id);
        refresh(cx, &self.away, state, private).await
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<Topic>) -> Result<Done<Topic>, Failed<Topic>> {
        let Update { prior, planned, private, .. } = update;
        // `deletion_protection` and `timeouts` are the provider's own: no cluster is needed for them.
        if (&prior.partitions, &prior.replication_factor, &prior.config)
            == (&planned.partitions, &planned.replication_factor, &planned.config)
        {
            return Ok(Done::new(read::applied(&planned, None)).keep(private));
        }
        let (admin, now) = there(cx.client()?, &planned, &private).await?;
        told(cx, &planned)?;
        match Run::new(admin, cx).update(&prior, &planned).await {
            Ok(made) => Ok(finished(&planned, &made).keep(now)),
            Err(stopped) => Err(Failed::from(stopped.why).leaving(stopped.state, private)),
        }
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<Topic>) -> Result<Diagnostics, Failed<Topic>> {
        guard(&delete.prior)?;
        told(cx, &delete.prior)?;
        Ok(delete::delete(cx, &self.away, &delete.prior, &delete.private).await?)
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: Topic) -> Result<Option<Done<Topic>>, Diagnostics> {
        let identity = Topic { id: plan::id(&named), ..named };
        let (id, name) = (identity.id.text(), identity.name.text());
        let (admin, private) = there(cx.client()?, &identity, &Private::new()).await?;
        let seen = read::look(&admin.until(cx.deadline), name, true).await;
        let seen = seen.map_err(|error| diagnostics::kafka(&format!("look at topic {name:?}"), &error))?;
        let seen = seen.ok_or_else(|| words::nothing_to_import(id, name))?;
        Ok(Some(Done::new(read::imported(identity, &seen)).keep(private)))
    }
}

/// What is said is heard at the anchor of the topic's cluster, where it has one.
fn told(cx: &Context<'_, Stack>, topic: &Topic) -> Result<(), Diagnostic> {
    if let Some(id) = topic.cluster.known().and_then(|id| Id::parse(id)) {
        board::beside(cx, cx.client()?, id.anchor());
    }
    Ok(())
}

fn guard(topic: &Topic) -> Result<(), Diagnostic> {
    match topic.deletion_protection.unwrap_or(false) {
        true => Err(words::protected(topic.id.text())),
        false => Ok(()),
    }
}

/// Only the controller's word that there is no such topic takes it out of the state. While its whole cluster is away, or another
/// one answers, it is kept with a warning, for an error would stop the very plan that puts the cluster right.
async fn refresh(
    cx: &Context<'_, Stack>,
    away: &reach::Away,
    state: Topic,
    private: Private,
) -> Result<Option<Done<Topic>>, Diagnostics> {
    let (stack, name, cluster) = (cx.client()?, state.name.text(), state.cluster.text());
    let kept = |warning| Ok(Some(Done::new(state.clone()).keep(private.clone()).and(warning)));
    let (admin, target) = match reach::find(stack, &state, &private).await? {
        Place::There(admin, target) => (admin.until(cx.deadline), target),
        Place::Gone => return kept(words::cluster_is_away(cluster, name, "neither its ConfigMap nor its StatefulSet is there")),
    };
    let seen = loop {
        if reach::standing(stack, target.as_ref()).await != Standing::Serves {
            return kept(words::cluster_is_away(cluster, name, "none of its brokers is ready"));
        }
        match look(&admin, &state).await {
            Ok(seen) => break seen,
            Err(Error::OtherCluster(other)) => return kept(words::another_kafka(name, &other)),
            // Kubernetes may not have seen yet that they are gone, or they are on their way back.
            Err(error) if error.may_pass() && away.failed(cluster) < AWAY && cx.pause(LATER).await.is_ok() => {}
            Err(error) => return Err(diagnostics::kafka(&format!("look at topic {name:?}"), &error).into()),
        }
    };
    away.answered(cluster);
    let Some(seen) = seen else { return Ok(None) };
    let now = read::refreshed(&state, &seen);
    let mut said = Diagnostics::new();
    if let (Some(old), Some(new)) = (state.topic_id.known(), now.topic_id.known())
        && old != new
    {
        said.push(words::made_anew(name, old, new));
    }
    Ok(Some(Done::new(now).keep(reach::remember(target.as_ref())).and(said)))
}

/// What moves is looked at only where it could be why the replicas are not those of the state.
async fn look(admin: &Admin, state: &Topic) -> Result<Option<step::Seen>, Error> {
    let differs = |seen: &step::Seen| i64::try_from(seen.factor()).ok().as_ref() != state.replication_factor.known();
    match read::look(admin, state.name.text(), false).await? {
        Some(seen) if differs(&seen) => read::look(admin, state.name.text(), true).await,
        seen => Ok(seen),
    }
}
