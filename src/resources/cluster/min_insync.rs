//! More brokers, or a setting, raise the brokers' `min.insync.replicas`: a topic that has fewer replicas than that, and no value of its
//! own, would take no write with acks=all any more, and neither would the offsets of consumer groups. Such topics keep the value
//! that they had, as a setting of their own. [`stopped`] is pure.

use super::objects::replication;
use super::schema::Cluster;
use crate::kafka::{Admin, ConfigEntry, Error, Source, Topic};
use std::collections::BTreeMap;

/// The setting, of brokers and of topics.
pub const SETTING: &str = "min.insync.replicas";

/// What the brokers of this cluster have for topics without a value of their own.
pub fn default_of(cluster: &Cluster) -> usize {
    let set = cluster.config.known().and_then(|config| config.get(SETTING)?.trim().parse().ok());
    set.unwrap_or_else(|| usize::try_from(replication(cluster.size()).1).unwrap_or(1))
}

/// The topics that would take no write any more when the brokers want `needed` replicas in sync.
fn stopped(topics: &[Topic], settings: &BTreeMap<String, Vec<ConfigEntry>>, needed: usize) -> Vec<String> {
    let own = |topic: &Topic| {
        let entries = settings.get(&topic.name).into_iter().flatten();
        entries.filter(|entry| entry.name == SETTING).any(|entry| entry.source == Source::Topic)
    };
    let factor = |topic: &Topic| topic.partitions.iter().map(|partition| partition.replicas.len()).min().unwrap_or(usize::MAX);
    topics.iter().filter(|topic| factor(topic) < needed && !own(topic)).map(|topic| topic.name.clone()).collect()
}

/// The topics that a change would stop; none where the brokers do not want more than before.
///
/// # Errors
/// When the brokers cannot be asked.
pub async fn of_change(admin: &Admin, before: &Cluster, wanted: &Cluster) -> Result<Vec<String>, Error> {
    let needed = default_of(wanted);
    if needed <= default_of(before) {
        return Ok(Vec::new());
    }
    let topics = admin.topics(None).await?;
    let names: Vec<&str> = topics.iter().map(|topic| &*topic.name).collect();
    Ok(stopped(&topics, &admin.topic_configs(&names).await?, needed))
}

/// Gives each of these topics the value that it had, for its own.
///
/// # Errors
/// When a broker refuses it.
pub async fn keep(admin: &Admin, before: &Cluster, topics: &[String]) -> Result<(), Error> {
    let value = [(SETTING.to_owned(), default_of(before).to_string())].into();
    for topic in topics {
        admin.alter_topic_configs(topic, &value, &[]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::NewTopic;
    use crate::plugin::model::Attr;
    use crate::testing::fake_kafka::FakeKafka;

    fn cluster(brokers: i64, set: Option<&str>) -> Cluster {
        let config = set.map_or(Attr::Null, |value| Attr::Known([(SETTING.to_owned(), value.to_owned())].into()));
        Cluster { brokers: Attr::Known(brokers), config, ..Cluster::default() }
    }

    #[test]
    fn the_default_follows_the_brokers_unless_it_is_set() {
        let of = |brokers, set| default_of(&cluster(brokers, set));
        assert_eq!((of(1, None), of(2, None), of(3, None), of(5, None), of(1, Some("3"))), (1, 1, 2, 2, 3));
    }

    #[tokio::test]
    async fn topics_with_too_few_replicas_keep_what_they_had() {
        for kafka in [FakeKafka::new(3), FakeKafka::release_2_2(3)] {
            let admin = kafka.admin();
            for (name, factor, own) in [("one", 1, None), ("two", 2, None), ("own", 1, Some("1"))] {
                let configs = own.map(|value: &str| (SETTING.to_owned(), value.to_owned())).into_iter().collect();
                let new = NewTopic { name: name.into(), partitions: 1, replication_factor: factor, configs };
                admin.create_topic(&new, false).await.unwrap();
            }
            let (before, wanted) = (cluster(1, None), cluster(3, None));
            assert_eq!(of_change(&admin, &wanted, &before).await.unwrap(), [""; 0], "less is needed");
            let stopped = of_change(&admin, &before, &wanted).await.unwrap();
            assert_eq!(stopped, ["one"]);
            keep(&admin, &before, &stopped).await.unwrap();
            assert_eq!(of_change(&admin, &before, &wanted).await.unwrap(), [""; 0]);
            let topics = admin.topics(None).await.unwrap();
            assert_eq!(admin.min_insync(&topics).await.unwrap()["one"], 1);
        }
    }
}
