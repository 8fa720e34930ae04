//! `kafkastack_topic_setting`, which is not shipped: one setting of a topic as a resource of its own, with a data source and a
//! list. It proves what `docs/adding-a-resource.md` says, because it is a folder, and a line in the provider of `tests.rs`.
//!
//! `schema.rs` attributes · `resource.rs` the wiring · `data_source.rs`, `list.rs` the same as these · `words.rs` what it alone says.

mod data_source;
mod list;
mod resource;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use crate::plugin::provider::Offers;
use crate::stack::Stack;

/// What there is of it.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(resource::KafkaTopicSetting::default()).data_source(data_source::Setting).list(list::Settings)
}
