//! `list "kafkastack_topic"`: the topics of a cluster, whoever made them. One request, and one more for their settings where
//! whole topics are wanted.

use super::resource::KafkaTopic;
use super::schema::Topic;
use super::step::Seen;
use super::words;
use super::{plan, read};
use crate::diagnostics;
use crate::kafka::{self, Admin, ConfigEntry, Error};
use crate::model;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::list::{List, Listed, Listing, Wanted};
use crate::plugin::model::Attr;
use crate::plugin::operations::Private;
use crate::plugin::schema::optional;
use crate::plugin::timeouts::ReadTimeouts;
use crate::resources::checks::cluster_id;
use crate::resources::inside::reach::there;
use crate::stack::Stack;

model! {
    /// Lists the topics of a Kafka cluster, whoever made them. Those that Kafka makes for itself are left out.
    pub struct Search {
        /// The `id` of a `kafkastack_cluster`. Without it: the cluster of the provider's `kafka.bootstrap_servers`.
        cluster: String = optional().check(cluster_id),
        /// Only topics whose names begin with this.
        prefix: String = optional(),
        /// How long the list may take.
        timeouts: ReadTimeouts = optional(),
    }
}

/// The list of topics.
pub struct Topics;

impl List for Topics {
    type Resource = KafkaTopic;
    type Model = Search;

    async fn list(&self, cx: &Context<'_, Stack>, config: Search, wanted: Wanted) -> Result<Listing<Topic>, Diagnostics> {
        let of = Topic { cluster: config.cluster, ..Topic::default() };
        let (admin, _) = there(cx.client()?, of.thing(), &Private::new()).await?;
        let found = match cx.race(look(&admin.until(cx.deadline), config.prefix.text(), wanted)).await {
            Ok(found) => found.map_err(|error| diagnostics::kafka("list the topics", &error))?,
            Err(halt) => return Err(words::not_listed(halt).into()),
        };
        Ok(Listing::of(found.into_iter().map(|found| listed(&of, found)).collect()))
    }
}

/// A topic, and its settings where they are wanted.
type Found = (kafka::Topic, Option<Vec<ConfigEntry>>);

async fn look(admin: &Admin, prefix: &str, wanted: Wanted) -> Result<Vec<Found>, Error> {
    let mut topics = admin.topics(None).await?;
    topics.retain(|topic| !topic.internal && topic.name.starts_with(prefix));
    topics.truncate(wanted.limit);
    if !wanted.whole {
        return Ok(topics.into_iter().map(|topic| (topic, None)).collect());
    }
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let mut configs = admin.topic_configs(&names).await?;
    // One that is gone by now has no settings.
    Ok(topics.into_iter().filter_map(|topic| configs.remove(&topic.name).map(|of| (topic, Some(of)))).collect())
}

fn listed(of: &Topic, (topic, configs): Found) -> Listed<Topic> {
    let mut named = Topic { name: Attr::Known(topic.name.clone()), ..of.clone() };
    named.id = plan::id(&named);
    let object = match configs {
        Some(configs) => read::imported(named, &Seen { topic: topic.clone(), configs, moving: Vec::new() }),
        None => named,
    };
    Listed { display_name: object.id.text().to_owned(), object }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fake_kafka::{FakeKafka, FakeTopic};

    fn cluster() -> FakeKafka {
        let kafka = FakeKafka::new(3);
        for (n, name) in ["orders.b", "orders.a", "payments"].into_iter().enumerate() {
            let configs = [("retention.ms".to_owned(), "1000".to_owned())].into();
            let id = [u8::try_from(n).unwrap() + 1; 16];
            kafka.edit(name, |topic| *topic = Some(FakeTopic { id, partitions: vec![vec![0, 1, 2]], configs }));
        }
        kafka
    }

    async fn names(limit: usize, whole: bool) -> Vec<String> {
        let found = look(&cluster().admin(), "orders.", Wanted { limit, whole }).await.unwrap();
        found.into_iter().map(|(topic, _)| topic.name).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn topics_are_listed_by_prefix_in_their_order_and_up_to_the_limit() {
        assert_eq!(names(usize::MAX, false).await, ["orders.a", "orders.b"]);
        assert_eq!(names(1, true).await, ["orders.a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_topic_is_listed_as_an_import_would_have_it() {
        let kafka = cluster();
        let of = Topic { cluster: Attr::Known("prod/kafka".to_owned()), ..Topic::default() };
        let found = look(&kafka.admin(), "pay", Wanted { limit: 9, whole: true }).await.unwrap().remove(0);
        let Listed { display_name, object } = listed(&of, found);
        assert_eq!(display_name, "prod/kafka/payments");
        let seen = read::look(&kafka.admin(), "payments", true).await.unwrap().unwrap();
        let id = Attr::Known(display_name);
        assert_eq!(object, read::imported(Topic { id, name: Attr::Known("payments".to_owned()), ..of.clone() }, &seen));
        assert_eq!(object.config.unwrap_or_default().len(), 1);
        let named = look(&kafka.admin(), "pay", Wanted { limit: 9, whole: false }).await.unwrap().remove(0);
        assert!(listed(&of, named).object.partitions.is_null());
    }
}
