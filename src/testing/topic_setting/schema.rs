//! The attributes. Pure.

use crate::kafka::{ConfigEntry, Source};
use crate::model;
use crate::plugin::model::Attr;
use crate::plugin::schema::{computed, optional, required};
use crate::resources::checks;
use crate::resources::inside::Thing;

model! {
    /// A setting of a topic.
    pub struct TopicSetting {
        /// `<namespace>/<cluster>/<topic>/<key>`.
        id: String = computed().stable(),
        /// The `id` of a `kafkastack_cluster`.
        cluster: String = optional().replaces().identifies().check(checks::cluster_id),
        /// The topic.
        topic: String = required().replaces().identifies(),
        /// The setting.
        key: String = required().replaces().identifies(),
        /// Its value.
        value: String = required(),
    }
}

impl TopicSetting {
    /// The same, with what follows from the rest.
    #[must_use]
    pub fn complete(self) -> Self {
        let parts = [&self.cluster, &self.topic, &self.key];
        let id = match parts.iter().any(|part| part.is_unknown()) {
            true => Attr::unknown(),
            false => Attr::Known(parts.iter().filter_map(|part| part.known()).cloned().collect::<Vec<_>>().join("/")),
        };
        Self { id, ..self }
    }

    /// As what it is found and named.
    pub fn thing(&self) -> Thing<'_> {
        Thing { resource: super::resource::NAME, name: self.key.text(), id: self.id.text(), cluster: self.cluster.text() }
    }

    /// The same, as it is there.
    #[must_use]
    pub fn found(self, entry: &ConfigEntry) -> Self {
        Self { value: Attr::from(entry.value.clone()), ..self }
    }
}

/// The settings that a topic has itself.
pub fn own(entries: Vec<ConfigEntry>) -> impl Iterator<Item = ConfigEntry> {
    entries.into_iter().filter(|entry| entry.source == Source::Topic)
}
