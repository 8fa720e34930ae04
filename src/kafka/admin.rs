//! The operations on clusters, topics and partitions. Each is one request, made from plain values and read into plain
//! values; who is asked and what is repeated is the router's. Touches the network.

use super::address::Address;
use super::connection::{Security, Settings};
use super::error::{Class, Error, Refusal, Resource};
use super::identity::Identity;
use super::model::{ClusterView, Created, NewTopic, Reassignment, Topic, no_topics, uuid_text};
use super::pool::{Lane, Pool};
use super::release::Release;
use super::router::{Limits, Router, Target};
use super::versions::{ApiTable, api_name};
use crate::dial::Dialer;
use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ApiKey, BrokerId, CreatePartitionsRequest,
    CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A client of one cluster's administration. Clones share connections and are safe to use at the same time.
#[derive(Clone)]
pub struct Admin {
    pub(super) router: Router,
}

impl Admin {
    /// A client that dials `bootstrap` first and then the names that the brokers advertise. Nothing is dialled yet.
    pub fn new(dialer: Arc<dyn Dialer>, bootstrap: Vec<(String, u16)>, client_id: &str) -> Self {
        Self::proving(None, dialer, bootstrap, client_id)
    }

    /// The same, where every call ends with `Error::OtherCluster` as soon as a broker says that it belongs to another cluster
    /// than this one.
    pub fn proving(expected: Option<Identity>, dialer: Arc<dyn Dialer>, bootstrap: Vec<(String, u16)>, client_id: &str) -> Self {
        let settings = Settings { client: StrBytes::from_string(client_id.to_owned()), security: Security::default() };
        let bootstrap = bootstrap.into_iter().map(|(host, port)| Address { host, port }).collect();
        Self { router: Router::new(Pool::new(dialer, settings, expected), bootstrap) }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.router.limits = limits;
        self
    }

    /// The same client, none of whose calls goes on after `deadline`.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.router.until = Some(deadline);
        self
    }

    /// Who belongs to the cluster, as any broker sees it.
    ///
    /// # Errors
    /// `Error::Unreachable` when no broker answers.
    pub async fn cluster(&self) -> Result<ClusterView, Error> {
        Ok(ClusterView::new(&self.router.metadata(&|_, _| no_topics()).await?))
    }

    /// The id of the Kafka that answered last, if one did.
    pub fn known_id(&self) -> Option<String> {
        self.router.known_id()
    }

    /// The cluster as each broker that is dialled first sees it, asked once: who is asked answers himself, or nobody does.
    pub async fn views(&self) -> Vec<Result<ClusterView, Error>> {
        let answers = self.router.each(&|_, _| no_topics()).await;
        answers.into_iter().map(|answer| answer.map(|answer| ClusterView::new(&answer))).collect()
    }

    /// The cluster and the named topics as any broker sees them, as a client does: it may be behind the controller.
    ///
    /// # Errors
    /// `Error::Unreachable` when no broker answers.
    pub async fn view(&self, names: &[&str]) -> Result<(ClusterView, Vec<Topic>), Error> {
        let named = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let topics = names.iter().map(named).collect::<Vec<_>>();
        let build = |_, _| MetadataRequest::default().with_topics(Some(topics.clone())).with_allow_auto_topic_creation(false);
        let answer = self.router.metadata(&build).await?;
        Ok((ClusterView::new(&answer), answer.topics.iter().map(Topic::new).collect()))
    }

    /// Every API that a broker offers.
    ///
    /// # Errors
    /// `Error::Unreachable` when no broker answers.
    pub async fn apis(&self) -> Result<ApiTable, Error> {
        self.router.table().await
    }

    /// The brokers' Kafka release, read off what they can do.
    ///
    /// # Errors
    /// `Error::Unreachable` when no broker answers.
    pub async fn release(&self) -> Result<Release, Error> {
        Ok(self.apis().await?.release())
    }

    /// The named topics, or all. What is missing in the answer does not exist: the controller itself says so. A topic that
    /// was just created may be missing for a moment, or have partitions without a leader.
    ///
    /// # Errors
    /// When the controller cannot be asked, so that nothing can be said; `Class::Unauthorized` for a topic by name.
    pub async fn topics(&self, names: Option<&[&str]>) -> Result<Vec<Topic>, Error> {
        let named = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let build = |_, _| {
            let topics = names.map(|names| names.iter().map(named).collect());
            MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(false)
        };
        if names.is_some_and(<[_]>::is_empty) {
            return Ok(Vec::new());
        }
        let answer = self.router.controllers_metadata(&build).await?;
        let mut topics = known(&answer)?;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// A topic as this broker shows it, which may be behind the controller; none while it has not heard of it.
    ///
    /// # Errors
    /// When the broker cannot be asked, or does not belong to the cluster.
    pub async fn topic_at(&self, broker: i32, name: &str) -> Result<Option<Topic>, Error> {
        let build = |_, _| {
            let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
            MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false)
        };
        let read = |answer: MetadataResponse, _| Ok(known(&answer)?.pop());
        self.router.ask(Target::Broker(broker), Lane::Read, &build, &read).await
    }

    /// Creates a topic, or only lets the broker check it: with its defaults, policies and live brokers.
    ///
    /// # Errors
    /// The broker's refusal; `Outcome::Unknown` when the topic may exist, or come to exist, all the same.
    /// `Class::MarkedForDeletion` when an old one of that name is not gone yet: it works after a moment.
    pub async fn create_topic(&self, topic: &NewTopic, validate_only: bool) -> Result<Created, Error> {
        match self.create_once(topic, validate_only).await {
            Err(Error::Broker(refusal)) if refusal.class() == Class::TopicExists => {
                let deleting = self.topics(Some(&[&topic.name])).await.is_ok_and(|topics| topics.is_empty());
                Err(Refusal { deleting, ..refusal }.into())
            }
            done => done,
        }
    }

    async fn create_once(&self, topic: &NewTopic, validate_only: bool) -> Result<Created, Error> {
        let build = |_, wait: Duration| {
            let configs = topic
                .configs
                .iter()
                .map(|(name, value)| CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value))));
            let topic = CreatableTopic::default()
                .with_name(topic_name(&topic.name))
                .with_num_partitions(topic.partitions)
                .with_replication_factor(topic.replication_factor)
                .with_configs(configs.collect());
            CreateTopicsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(millis(wait))
                .with_validate_only(validate_only)
        };
        let read = |answer: CreateTopicsResponse, _| {
            let answer = answer.topics.first().ok_or_else(|| not_mentioned(ApiKey::CreateTopics, &topic.name))?;
            check(ApiKey::CreateTopics, &topic.name, answer.error_code, answer.error_message.as_ref())?;
            let created = Created::new(answer);
            // KRaft invents an id for a topic that it only validates, and another one when it makes it
            Ok(if validate_only { Created { id: None, ..created } } else { created })
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }

    /// Deletes a topic; with `id` exactly that one, where brokers know ids (KIP-516, from 2.8 on). Success means accepted: it is gone when `topics` no longer shows it. Creating it before that meets
    /// `Class::TopicExists` (seen with 2.2), and for some time after `Class::MarkedForDeletion`.
    ///
    /// # Errors
    /// The broker's refusal; `Outcome::Unknown` when it may be deleted all the same.
    pub async fn delete_topic(&self, name: &str, id: Option<&str>) -> Result<(), Error> {
        let id = id.and_then(uuid_text).and_then(|text| text.parse().ok());
        let build = |version, wait: Duration| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(millis(wait));
            match (version, id) {
                (..6, _) => request.with_topic_names(vec![topic_name(name)]),
                // A name beside the id is refused.
                (_, Some(id)) => request.with_topics(vec![DeleteTopicState::default().with_name(None).with_topic_id(id)]),
                (_, None) => request.with_topics(vec![DeleteTopicState::default().with_name(Some(topic_name(name)))]),
            }
        };
        let read = |answer: DeleteTopicsResponse, _| {
            let answer = answer.responses.first().ok_or_else(|| not_mentioned(ApiKey::DeleteTopics, name))?;
            check(ApiKey::DeleteTopics, name, answer.error_code, answer.error_message.as_ref())
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }

    /// Grows a topic to `total` partitions, or only lets the broker check it.
    ///
    /// # Errors
    /// The broker's refusal, `Class::InvalidPartitions` also when it has that many already; `Outcome::Unknown` when it may
    /// grow all the same.
    pub async fn create_partitions(&self, name: &str, total: i32, validate_only: bool) -> Result<(), Error> {
        let build = |_, wait: Duration| {
            let topic = CreatePartitionsTopic::default().with_name(topic_name(name)).with_count(total).with_assignments(None);
            CreatePartitionsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(millis(wait))
                .with_validate_only(validate_only)
        };
        let read = |answer: CreatePartitionsResponse, _| {
            let answer = answer.results.first().ok_or_else(|| not_mentioned(ApiKey::CreatePartitions, name))?;
            check(ApiKey::CreatePartitions, name, answer.error_code, answer.error_message.as_ref())
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }

    /// Starts to move partitions of a topic: (index, new replicas with the preferred leader first; none ends a move under
    /// way). Success means started.
    ///
    /// # Errors
    /// `Error::Unsupported` before Kafka 2.4; the broker's first refusal.
    pub async fn reassign(&self, topic: &str, moves: &[(i32, Option<Vec<i32>>)]) -> Result<(), Error> {
        let build = |_, wait: Duration| {
            let partition = |(index, replicas): &(i32, Option<Vec<i32>>)| {
                let replicas = replicas.as_ref().map(|ids| ids.iter().copied().map(BrokerId).collect());
                ReassignablePartition::default().with_partition_index(*index).with_replicas(replicas)
            };
            let partitions = moves.iter().map(partition).collect();
            let topic = ReassignableTopic::default().with_name(topic_name(topic)).with_partitions(partitions);
            AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]).with_timeout_ms(millis(wait))
        };
        let read = |answer: AlterPartitionReassignmentsResponse, _| {
            check(ApiKey::AlterPartitionReassignments, topic, answer.error_code, answer.error_message.as_ref())?;
            let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
            partitions
                .try_for_each(|one| check(ApiKey::AlterPartitionReassignments, topic, one.error_code, one.error_message.as_ref()))
        };
        self.router.ask(Target::Controller, Lane::Write, &build, &read).await
    }

    /// Every partition that moves now.
    ///
    /// # Errors
    /// `Error::Unsupported` before Kafka 2.4; when the controller cannot be asked.
    pub async fn list_reassignments(&self) -> Result<Vec<Reassignment>, Error> {
        let build =
            |_, wait: Duration| ListPartitionReassignmentsRequest::default().with_topics(None).with_timeout_ms(millis(wait));
        let read = |answer: ListPartitionReassignmentsResponse, _| {
            let text = answer.error_message.as_deref();
            Refusal::check(api_name(46), Resource::Cluster, answer.error_code, text)?;
            let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect();
            let moving = answer.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |one| (topic, one)));
            let reassignment = moving.map(|(topic, one)| Reassignment {
                topic: topic.name.to_string(),
                partition: one.partition_index,
                replicas: ids(&one.replicas),
                adding: ids(&one.adding_replicas),
                removing: ids(&one.removing_replicas),
            });
            Ok(reassignment.collect())
        };
        self.router.ask(Target::Controller, Lane::Read, &build, &read).await
    }
}

pub(super) const UNKNOWN_TOPIC: i16 = 3;
const LEADER_NOT_AVAILABLE: i16 = 5;

/// The topics that exist, by the word of whom was asked.
fn known(answer: &MetadataResponse) -> Result<Vec<Topic>, Refusal> {
    let mut topics = Vec::with_capacity(answer.topics.len());
    for topic in &answer.topics {
        let found = Topic::new(topic);
        match topic.error_code {
            UNKNOWN_TOPIC => continue,
            LEADER_NOT_AVAILABLE => {}
            code => Refusal::check("Metadata", Resource::Topic(found.name.clone()), code, None)?,
        }
        topics.push(found);
    }
    Ok(topics)
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

/// A refusal when `code` is one. Cluster-wide rights (31) are missing on the cluster, not on the topic.
pub(super) fn check(api: ApiKey, topic: &str, code: i16, message: Option<&StrBytes>) -> Result<(), Refusal> {
    let resource = if code == 31 { Resource::Cluster } else { Resource::Topic(topic.to_owned()) };
    Refusal::check(api_name(api as i16), resource, code, message.map(|text| text.as_str()))
}

/// An answer that does not mention what was asked: as little is known as after UNKNOWN_SERVER_ERROR.
pub(super) fn not_mentioned(api: ApiKey, topic: &str) -> Refusal {
    Refusal {
        api: api_name(api as i16),
        resource: Resource::Topic(topic.to_owned()),
        code: -1,
        name: "UNKNOWN_SERVER_ERROR".to_owned(),
        message: Some("the answer does not mention it".to_owned()),
        deleting: false,
    }
}
