//! `data "kafkastack_topic_setting"`. Network.

use crate::diagnostics;
use crate::model;
use crate::plugin::context::Context;
use crate::plugin::data_source::DataSource;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::operations::{Done, Private};
use crate::plugin::schema::{computed, required};
use crate::resources::checks;
use crate::resources::inside::Thing;
use crate::resources::inside::reach::there;
use crate::stack::Stack;

model! {
    /// What a setting of a topic is, wherever it comes from.
    pub struct Asked {
        /// The `id` of a `kafkastack_cluster`.
        cluster: String = required().check(checks::cluster_id),
        /// The topic.
        topic: String = required(),
        /// The setting.
        key: String = required(),
        /// Its value.
        value: String = computed(),
    }
}

/// The data source.
pub struct Setting;

impl DataSource for Setting {
    type Client = Stack;
    type Model = Asked;
    const NAME: &'static str = super::resource::NAME;

    async fn read(&self, cx: &Context<'_, Stack>, config: Asked) -> Result<Done<Asked>, Diagnostics> {
        let (admin, _) = there(cx.client()?, Thing::any(Self::NAME, config.cluster.text()), &Private::new()).await?;
        let found = admin.until(cx.deadline).topic_configs(&[config.topic.text()]).await;
        let mut found = found.map_err(|error| diagnostics::kafka("look at the topic", &error))?;
        let entries = found.remove(config.topic.text()).unwrap_or_default();
        let value = entries.into_iter().find(|entry| entry.name == config.key.text()).and_then(|entry| entry.value);
        Ok(Done::new(Asked { value: Attr::from(value), ..config }))
    }
}
