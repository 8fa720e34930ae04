//! The wiring. Network.

use super::schema::{TopicSetting, own};
use super::words;
use crate::diagnostics;
use crate::kafka::{Admin, ConfigEntry, Error, Outcome};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::resource::Resource;
use crate::resources::inside::delete::Undeleted;
use crate::resources::inside::look::Looked;
use crate::resources::inside::reach::{Away, there};
use crate::resources::inside::{delete, look};
use crate::stack::Stack;

pub const NAME: &str = "topic_setting";

/// The resource.
#[derive(Default)]
pub struct KafkaTopicSetting {
    away: Away,
}

async fn find(admin: Admin, of: &TopicSetting) -> Result<Option<ConfigEntry>, Error> {
    let mut all = admin.topic_configs(&[of.topic.text()]).await?;
    Ok(own(all.remove(of.topic.text()).unwrap_or_default()).find(|entry| entry.name == of.key.text()))
}

async fn set(admin: &Admin, of: &TopicSetting) -> Result<(), Diagnostics> {
    let value = [(of.key.text().to_owned(), of.value.text().to_owned())].into();
    let Err(error) = admin.alter_topic_configs(of.topic.text(), &value, &[]).await else { return Ok(()) };
    // An answer that was lost: what is there says whether it was done. Without this, a create that was done would end without state,
    // and find its own work as somebody else's.
    if error.outcome() == Outcome::Unknown
        && let Ok(Some(there)) = find(admin.clone(), of).await
        && there.value.as_deref() == Some(of.value.text())
    {
        return Ok(());
    }
    Err(diagnostics::kafka(&format!("set {}", of.thing()), &error).into())
}

async fn unset(admin: Admin, of: &TopicSetting) -> Result<(), Undeleted> {
    match admin.alter_topic_configs(of.topic.text(), &[].into(), &[of.key.text().to_owned()]).await {
        Ok(()) => Ok(()),
        Err(error) if error.may_pass() => Err(Undeleted::Away(error)),
        Err(error) => Err(Undeleted::Refused(diagnostics::kafka(&format!("delete {}", of.thing()), &error))),
    }
}

impl Resource for KafkaTopicSetting {
    type Client = Stack;
    type Model = TopicSetting;
    const NAME: &'static str = NAME;

    async fn plan(&self, _: &Context<'_, Stack>, plan: &mut Plan<TopicSetting>) -> Result<(), Diagnostics> {
        plan.planned = std::mem::take(&mut plan.planned).complete();
        Ok(())
    }

    async fn create(
        &self,
        cx: &Context<'_, Stack>,
        create: Create<TopicSetting>,
    ) -> Result<Done<TopicSetting>, Failed<TopicSetting>> {
        let wanted = create.planned.complete();
        let (admin, private) = there(cx.client()?, wanted.thing(), &Private::new()).await?;
        wanted.thing().told(cx)?;
        let there = find(admin.clone(), &wanted).await.map_err(|error| diagnostics::kafka("look at the topic", &error))?;
        if let Some(there) = there {
            return Err(words::set_already(wanted.thing(), &there).into());
        }
        set(&admin, &wanted).await?;
        Ok(Done::new(wanted).keep(private))
    }

    async fn read(
        &self,
        cx: &Context<'_, Stack>,
        state: TopicSetting,
        private: Private,
    ) -> Result<Option<Done<TopicSetting>>, Diagnostics> {
        let state = state.complete();
        let found = look::look(cx, &self.away, state.thing(), &private, |admin| find(admin, &state)).await?;
        Ok(match found {
            Looked::Seen(found, target) => found.map(|found| Done::new(state.found(&found)).keep(target)),
            Looked::Kept(warning) => Some(Done::new(state).keep(private).and(warning)),
        })
    }

    async fn update(
        &self,
        cx: &Context<'_, Stack>,
        update: Update<TopicSetting>,
    ) -> Result<Done<TopicSetting>, Failed<TopicSetting>> {
        let (admin, private) = there(cx.client()?, update.planned.thing(), &update.private).await?;
        update.planned.thing().told(cx)?;
        set(&admin, &update.planned).await?;
        Ok(Done::new(update.planned).keep(private))
    }

    async fn delete(&self, cx: &Context<'_, Stack>, going: Delete<TopicSetting>) -> Result<Diagnostics, Failed<TopicSetting>> {
        let prior = &going.prior;
        prior.thing().told(cx)?;
        Ok(delete::delete(cx, &self.away, prior.thing(), &going.private, |admin| unset(admin, prior)).await?)
    }

    /// Not a read: that keeps what it cannot look at, and an import has nothing to keep.
    async fn import(&self, cx: &Context<'_, Stack>, named: TopicSetting) -> Result<Option<Done<TopicSetting>>, Diagnostics> {
        let named = named.complete();
        let (admin, private) = there(cx.client()?, named.thing(), &Private::new()).await?;
        let found = find(admin.until(cx.deadline), &named).await;
        let found = found.map_err(|error| diagnostics::kafka(&format!("look at {}", named.thing()), &error))?;
        Ok(found.map(|found| Done::new(named.found(&found)).keep(private)))
    }
}
