//! The wiring of `kafkastack_topic`: what core asks, and whose it is to answer. Network.

use super::apply::{Made, Run};
use super::schema::Topic;
use super::{plan, read, step, words};
use crate::diagnostics;
use crate::kafka::{Admin, Error};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Delete, Done, Failed, Limits, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::resources::inside::look::Looked;
use crate::resources::inside::reach::{Away, there};
use crate::resources::inside::{self, Thing};
use crate::stack::Stack;
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
    away: Away,
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

impl Topic {
    /// As what it is found and named.
    pub fn thing(&self) -> Thing<'_> {
        Thing { resource: KafkaTopic::NAME, name: self.name.text(), id: self.id.text(), cluster: self.cluster.text() }
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

    async fn plan_delete(&self, _cx: &Context<'_, Stack>, going: &Delete<Topic>) -> Result<Diagnostics, Diagnostics> {
        self.remember(&going.prior.id);
        guard(&going.prior)?;
        Ok(Diagnostics::new())
    }

    async fn create(&self, cx: &Context<'_, Stack>, create: Create<Topic>) -> Result<Done<Topic>, Failed<Topic>> {
        let planned = Topic { id: plan::id(&create.planned), ..create.planned };
        let (admin, private) = there(cx.client()?, planned.thing(), &Private::new()).await?;
        planned.thing().told(cx)?;
        let made = Run::new(admin, cx).create(&planned).await?;
        Ok(finished(&planned, &made).keep(private))
    }

    async fn read(&self, cx: &Context<'_, Stack>, state: Topic, private: Private) -> Result<Option<Done<Topic>>, Diagnostics> {
        self.remember(&state.id);
        let found = inside::look::look(cx, &self.away, state.thing(), &private, |admin| look(admin, &state)).await?;
        Ok(match found {
            Looked::Seen(Some(found), _) if read::is_another(&state, &found) => {
                return Err(words::another(state.id.text(), state.topic_id.text(), found.topic.id.as_deref()).into());
            }
            Looked::Seen(found, target) => found.map(|found| Done::new(read::refreshed(&state, &found)).keep(target)),
            Looked::Kept(warning) => Some(Done::new(state).keep(private).and(warning)),
        })
    }

    async fn update(&self, cx: &Context<'_, Stack>, update: Update<Topic>) -> Result<Done<Topic>, Failed<Topic>> {
        let Update { prior, planned, private, .. } = update;
        // `deletion_protection` and `timeouts` are the provider's own: no cluster is needed for them.
        if (&prior.partitions, &prior.replication_factor, &prior.config)
            == (&planned.partitions, &planned.replication_factor, &planned.config)
        {
            return Ok(Done::new(read::applied(&planned, None)).keep(private));
        }
        let (admin, now) = there(cx.client()?, planned.thing(), &private).await?;
        planned.thing().told(cx)?;
        match Run::new(admin, cx).update(&prior, &planned).await {
            Ok(made) => Ok(finished(&planned, &made).keep(now)),
            Err(stopped) => Err(Failed::from(stopped.why).leaving(stopped.state, private)),
        }
    }

    async fn delete(&self, cx: &Context<'_, Stack>, delete: Delete<Topic>) -> Result<Diagnostics, Failed<Topic>> {
        guard(&delete.prior)?;
        let thing = delete.prior.thing();
        thing.told(cx)?;
        let id = delete.prior.topic_id.known().map(String::as_str);
        let ask = |admin| async move { Run::new(admin, cx).delete(thing.name, id).await };
        Ok(inside::delete::delete(cx, &self.away, thing, &delete.private, ask).await?)
    }

    async fn import(&self, cx: &Context<'_, Stack>, named: Topic) -> Result<Option<Done<Topic>>, Diagnostics> {
        let identity = Topic { id: plan::id(&named), ..named };
        let (id, name) = (identity.id.text(), identity.name.text());
        let (admin, private) = there(cx.client()?, identity.thing(), &Private::new()).await?;
        let seen = read::look(&admin.until(cx.deadline), name, true).await;
        let seen = seen.map_err(|error| diagnostics::kafka(&format!("look at topic {name:?}"), &error))?;
        let seen = seen.ok_or_else(|| words::nothing_to_import(id, name))?;
        Ok(Some(Done::new(read::imported(identity, &seen)).keep(private)))
    }
}

pub(super) fn guard(topic: &Topic) -> Result<(), Diagnostic> {
    match topic.deletion_protection.unwrap_or(false) {
        true => Err(words::protected(topic.id.text())),
        false => Ok(()),
    }
}

/// What moves is looked at only where it could be why the replicas are not those of the state.
async fn look(admin: Admin, state: &Topic) -> Result<Option<step::Seen>, Error> {
    let differs = |seen: &step::Seen| i64::try_from(seen.factor()).ok().as_ref() != state.replication_factor.known();
    match read::look(&admin, state.name.text(), false).await? {
        Some(seen) if differs(&seen) => read::look(&admin, state.name.text(), true).await,
        seen => Ok(seen),
    }
}
