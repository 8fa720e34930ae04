//! Settings of topics and brokers: reading them, and changing some without touching the others. Touches the network; what
//! is written to an old broker is decided by a pure function.

use super::admin::{Admin, UNKNOWN_TOPIC, check, not_mentioned, text};
use super::error::{Class, Error, Refusal, Resource};
use super::model::{ConfigEntry, Source, Topic};
use super::pool::Lane;
use super::router::Target;
use super::versions::api_name;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, ApiKey, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, alter_configs_request as legacy,
    incremental_alter_configs_request as incremental,
};
use std::collections::BTreeMap;

/// Kafka's `ConfigResource.Type`.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Kafka's `AlterConfigOp.OpType`.
const SET: i8 = 0;
const DELETE: i8 = 1;

const MIN_INSYNC: &str = "min.insync.replicas";

impl Admin {
    /// Every setting of the named topics, inherited ones included. Absent topics are absent.
    ///
    /// # Errors
    /// When the controller cannot be asked; `Class::Unauthorized`.
    pub async fn topic_configs(&self, names: &[&str]) -> Result<BTreeMap<String, Vec<ConfigEntry>>, Error> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let build = |_, _| describe(names.iter().map(|name| (TOPIC, (*name).to_owned())));
        let read = |answer: DescribeConfigsResponse, _| {
            let mut found = BTreeMap::new();
            for result in &answer.results {
                let name = result.resource_name.to_string();
                match check(ApiKey::DescribeConfigs, &name, result.error_code, result.error_message.as_ref()) {
                    Err(refusal) if refusal.class() == Class::UnknownTopic => continue,
                    checked => checked?,
                }
                found.insert(name, entries(result));
            }
            Ok(found)
        };
        self.router.ask(Target::Controller, Lane::Read, &build, &read).await
    }

    /// `min.insync.replicas` of each of these topics, as far as it can be told.
    ///
    /// # Errors
    /// When the controller cannot be asked; `Class::Unauthorized`.
    pub async fn min_insync(&self, topics: &[Topic]) -> Result<BTreeMap<String, usize>, Error> {
        let names: Vec<&str> = topics.iter().map(|topic| &*topic.name).collect();
        let needed = |entries: Vec<ConfigEntry>| {
            let known = |entry: &ConfigEntry| entry.name == MIN_INSYNC && entry.source != Source::Other(-1);
            entries.into_iter().find(known)?.value?.parse().ok()
        };
        let found = self.topic_configs(&names).await?;
        Ok(found.into_iter().filter_map(|(name, entries)| Some((name, needed(entries)?))).collect())
    }

    /// Every setting of a broker, from itself: no other one knows them.
    ///
    /// # Errors
    /// `Error::NoSuchBroker`; when it cannot be asked.
    pub async fn broker_configs(&self, broker: i32) -> Result<Vec<ConfigEntry>, Error> {
        let build = |_, _| describe([(BROKER, broker.to_string())]);
        let read = |answer: DescribeConfigsResponse, _| {
            let mut all = Vec::new();
            for result in &answer.results {
                let message = result.error_message.as_deref();
                let resource = if result.error_code == 31 { Resource::Cluster } else { Resource::Broker(broker) };
                Refusal::check(api_name(32), resource, result.error_code, message)?;
                all.extend(entries(result));
            }
            Ok(all)
        };
        self.router.ask(Target::Broker(broker), Lane::Read, &build, &read).await
    }

    /// Sets and unsets settings of a topic; all others keep their values. Unset ones go back to what the brokers have.
    ///
    /// A broker before 2.3 can only replace all settings of a topic at once: what is set there is read and sent along, so
    /// that a change made by somebody else in between is lost. There is no better way with those brokers.
    ///
    /// # Errors
    /// The broker's refusal; `Outcome::Unknown` when the change may be made all the same.
    pub async fn alter_topic_configs(&self, name: &str, set: &BTreeMap<String, String>, unset: &[String]) -> Result<(), Error> {
        if set.is_empty() && unset.is_empty() {
            return Ok(());
        }
        match self.alter_some(name, set, unset).await {
            Err(Error::Unsupported { .. }) => {}
            done => return done,
        }
        let Some(current) = self.topic_configs(&[name]).await?.remove(name) else {
            return Ok(check(ApiKey::AlterConfigs, name, UNKNOWN_TOPIC, None)?);
        };
        self.replace_all(name, &replacement(&current, set, unset)).await
    }

    async fn alter_some(&self, name: &str, set: &BTreeMap<String, String>, unset: &[String]) -> Result<(), Error> {
        let build = |_, _| {
            let operation = |key: &str, operation, value: Option<&String>| {
                incremental::AlterableConfig::default()
                    .with_name(text(key))
                    .with_config_operation(operation)
                    .with_value(value.map(|value| text(value)))
            };
            let sets = set.iter().map(|(key, value)| operation(key, SET, Some(value)));
            let unsets = unset.iter().filter(|key| !set.contains_key(*key)).map(|key| operation(key, DELETE, None));
            let resource = incremental::AlterConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(name))
                .with_configs(sets.chain(unsets).collect());
            IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
        };
        let read = |answer: IncrementalAlterConfigsResponse, _| {
            let answer = answer.responses.first().ok_or_else(|| not_mentioned(ApiKey::IncrementalAlterConfigs, name))?;
            check(ApiKey::IncrementalAlterConfigs, name, answer.error_code, answer.error_message.as_ref())
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }

    async fn replace_all(&self, name: &str, all: &BTreeMap<String, String>) -> Result<(), Error> {
        let build = |_, _| {
            let config = |(key, value): (&String, &String)| {
                legacy::AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)))
            };
            let resource = legacy::AlterConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(name))
                .with_configs(all.iter().map(config).collect());
            AlterConfigsRequest::default().with_resources(vec![resource])
        };
        let read = |answer: AlterConfigsResponse, _| {
            let answer = answer.responses.first().ok_or_else(|| not_mentioned(ApiKey::AlterConfigs, name))?;
            check(ApiKey::AlterConfigs, name, answer.error_code, answer.error_message.as_ref())
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }
}

/// All that a topic will have set on itself: what it has now, without `unset`, with `set`. Inherited values stay inherited.
fn replacement(current: &[ConfigEntry], set: &BTreeMap<String, String>, unset: &[String]) -> BTreeMap<String, String> {
    let own = current.iter().filter(|entry| entry.source == Source::Topic && !unset.contains(&entry.name));
    let kept = own.filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?)));
    kept.chain(set.iter().map(|(key, value)| (key.clone(), value.clone()))).collect()
}

fn describe(resources: impl IntoIterator<Item = (i8, String)>) -> DescribeConfigsRequest {
    let resource = |(kind, name): (i8, String)| {
        DescribeConfigsResource::default().with_resource_type(kind).with_resource_name(text(&name)).with_configuration_keys(None)
    };
    DescribeConfigsRequest::default().with_resources(resources.into_iter().map(resource).collect())
}

fn entries(result: &DescribeConfigsResult) -> Vec<ConfigEntry> {
    let mut entries: Vec<_> = result.configs.iter().map(ConfigEntry::new).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str, source: Source) -> ConfigEntry {
        ConfigEntry { name: name.into(), value: Some(value.into()), source, read_only: false, sensitive: false }
    }

    #[test]
    fn a_full_replacement_keeps_what_nobody_named_and_writes_nothing_inherited() {
        let current = [
            entry("cleanup.policy", "compact", Source::Topic),
            entry("retention.ms", "1", Source::Topic),
            entry("segment.bytes", "2", Source::Topic),
            entry("min.insync.replicas", "2", Source::File),
            entry("max.message.bytes", "3", Source::AllBrokers),
            entry("flush.ms", "4", Source::Default),
        ];
        let set = BTreeMap::from([("retention.ms".to_owned(), "9".to_owned()), ("min.insync.replicas".into(), "1".into())]);
        let all = replacement(&current, &set, &["segment.bytes".to_owned(), "flush.ms".to_owned()]);
        let all: Vec<_> = all.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(all, ["cleanup.policy=compact", "min.insync.replicas=1", "retention.ms=9"]);
    }

    #[test]
    fn what_is_both_set_and_unset_is_set() {
        let set = BTreeMap::from([("retention.ms".to_owned(), "9".to_owned())]);
        let all = replacement(&[entry("retention.ms", "1", Source::Topic)], &set, &["retention.ms".to_owned()]);
        assert_eq!(all["retention.ms"], "9");
    }
}
