//! `list "kafkastack_topic_setting"`. Network.

use super::resource::{KafkaTopicSetting, NAME};
use super::schema::{TopicSetting, own};
use crate::diagnostics;
use crate::model;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::list::{List, Listed, Listing, Wanted};
use crate::plugin::model::Attr;
use crate::plugin::operations::Private;
use crate::plugin::schema::required;
use crate::resources::checks;
use crate::resources::inside::Thing;
use crate::resources::inside::reach::there;
use crate::stack::Stack;

model! {
    /// The settings that a topic has itself.
    pub struct Search {
        /// The `id` of a `kafkastack_cluster`.
        cluster: String = required().check(checks::cluster_id),
        /// The topic.
        topic: String = required(),
    }
}

/// The list.
pub struct Settings;

impl List for Settings {
    type Resource = KafkaTopicSetting;
    type Model = Search;

    async fn list(&self, cx: &Context<'_, Stack>, config: Search, wanted: Wanted) -> Result<Listing<TopicSetting>, Diagnostics> {
        let (admin, _) = there(cx.client()?, Thing::any(NAME, config.cluster.text()), &Private::new()).await?;
        let found = admin.until(cx.deadline).topic_configs(&[config.topic.text()]).await;
        let mut found = found.map_err(|error| diagnostics::kafka("list the settings", &error))?;
        let entries = own(found.remove(config.topic.text()).unwrap_or_default()).take(wanted.limit);
        let listed = |entry| {
            let (cluster, topic) = (config.cluster.clone(), config.topic.clone());
            let key = Attr::Known(crate::kafka::ConfigEntry::clone(&entry).name);
            let object = TopicSetting { cluster, topic, key, ..TopicSetting::default() }.complete().found(&entry);
            Listed { display_name: object.id.text().to_owned(), object }
        };
        Ok(Listing::of(entries.map(listed).collect()))
    }
}
