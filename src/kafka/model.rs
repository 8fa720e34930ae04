//! What brokers tell, and what they are asked to make, in our own words. Pure: the only reader of Kafka's message types
//! besides the operations.

use super::address::Address;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};
use std::collections::BTreeMap;

/// A cluster as one of its brokers sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterView {
    /// Its id, given once and kept in ZooKeeper.
    pub cluster_id: Option<String>,
    /// The controller; none while there is none. In KRaft mode any broker that is alive.
    pub controller: Option<i32>,
    /// The registered brokers, by id.
    pub brokers: Vec<Broker>,
}

/// A request for the cluster alone. Without `allow_auto_topic_creation = false` a read would make topics.
pub(super) fn no_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new())).with_allow_auto_topic_creation(false)
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// `broker.id`.
    pub id: i32,
    /// The advertised name.
    pub host: String,
    /// The advertised port.
    pub port: u16,
    /// `broker.rack`.
    pub rack: Option<String>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id in Kafka's own spelling; none from brokers before 2.8, and where the topic is older than that.
    pub id: Option<String>,
    /// Whether Kafka made it for itself.
    pub internal: bool,
    /// By index.
    pub partitions: Vec<Partition>,
}

/// A partition of a topic. Replicas are broker ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// From 0.
    pub index: i32,
    /// None while there is none.
    pub leader: Option<i32>,
    /// Preferred leader first.
    pub replicas: Vec<i32>,
    /// Those that have everything.
    pub isr: Vec<i32>,
    /// Those on brokers or disks that are gone.
    pub offline: Vec<i32>,
}

/// A topic to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many; -1 is the brokers' default, since 2.4.
    pub partitions: i32,
    /// Replicas of each; -1 is the brokers' default, since 2.4.
    pub replication_factor: i16,
    /// Only what differs from the brokers' defaults.
    pub configs: BTreeMap<String, String>,
}

/// What the broker made of a `NewTopic`, or would. Brokers before 2.4 tell nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// The new topic's id; since 2.8, and not when only validated.
    pub id: Option<String>,
    /// Since 2.4.
    pub partitions: Option<i32>,
    /// Since 2.4.
    pub replication_factor: Option<i16>,
    /// Every setting with its source; since 2.4.
    pub configs: Option<Vec<ConfigEntry>>,
}

/// One setting of a topic or broker.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// None when it is sensitive, or has no value.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
    /// Whether it can only be changed by a restart.
    pub read_only: bool,
    /// Whether the broker hides the value.
    pub sensitive: bool,
}

/// Where a setting's value comes from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Set on the topic itself.
    Topic,
    /// Set at run time on this broker.
    Broker,
    /// Set at run time on all brokers.
    AllBrokers,
    /// The broker's `server.properties`.
    File,
    /// Kafka's own default.
    Default,
    /// A source that is not known here, by Kafka's number.
    Other(i8),
}

/// A partition on its way to other brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// All replicas of the moment, coming and going ones included.
    pub replicas: Vec<i32>,
    /// Coming.
    pub adding: Vec<i32>,
    /// Going.
    pub removing: Vec<i32>,
}

impl ClusterView {
    /// Where a broker listens.
    pub fn address(&self, id: i32) -> Option<Address> {
        self.brokers.iter().find(|broker| broker.id == id).map(Broker::address)
    }

    pub(super) fn new(answer: &MetadataResponse) -> Self {
        let mut brokers: Vec<_> = answer
            .brokers
            .iter()
            .map(|broker| Broker {
                id: broker.node_id.0,
                host: broker.host.to_string(),
                port: u16::try_from(broker.port).unwrap_or_default(),
                rack: broker.rack.as_ref().map(ToString::to_string),
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        let controller = Some(answer.controller_id.0).filter(|id| brokers.iter().any(|broker| broker.id == *id));
        Self { cluster_id: answer.cluster_id.as_ref().map(ToString::to_string), controller, brokers }
    }
}

impl Broker {
    /// Where it listens.
    pub fn address(&self) -> Address {
        Address { host: self.host.clone(), port: self.port }
    }
}

impl Topic {
    /// The size of the largest replica set; the topic's replication factor while nothing moves.
    pub fn replication_factor(&self) -> usize {
        self.partitions.iter().map(|partition| partition.replicas.len()).max().unwrap_or_default()
    }

    /// Whether it has that many partitions, or more, and each of them a leader.
    pub fn is_led(&self, partitions: i32) -> bool {
        let complete = usize::try_from(partitions).is_ok_and(|n| self.partitions.len() >= n);
        complete && self.partitions.iter().all(|partition| partition.leader.is_some())
    }

    pub(super) fn new(answer: &MetadataResponseTopic) -> Self {
        let ids = |brokers: &[kafka_protocol::messages::BrokerId]| brokers.iter().map(|id| id.0).collect();
        let mut partitions: Vec<_> = answer
            .partitions
            .iter()
            .map(|partition| Partition {
                index: partition.partition_index,
                leader: Some(partition.leader_id.0).filter(|id| *id >= 0),
                replicas: ids(&partition.replica_nodes),
                isr: ids(&partition.isr_nodes),
                offline: ids(&partition.offline_replicas),
            })
            .collect();
        partitions.sort_by_key(|partition| partition.index);
        Self {
            name: answer.name.as_ref().map(|name| name.to_string()).unwrap_or_default(),
            id: topic_id(*answer.topic_id.as_bytes()),
            internal: answer.is_internal,
            partitions,
        }
    }
}

impl Created {
    pub(super) fn new(answer: &CreatableTopicResult) -> Self {
        Self {
            id: topic_id(*answer.topic_id.as_bytes()),
            partitions: Some(answer.num_partitions).filter(|n| *n > 0),
            replication_factor: Some(answer.replication_factor).filter(|n| *n > 0),
            configs: answer.configs.as_ref().filter(|_| answer.num_partitions > 0).map(|configs| {
                let entry = |config: &kafka_protocol::messages::create_topics_response::CreatableTopicConfigs| ConfigEntry {
                    name: config.name.to_string(),
                    value: config.value.as_ref().map(ToString::to_string),
                    source: Source::from(config.config_source),
                    read_only: config.read_only,
                    sensitive: config.is_sensitive,
                };
                configs.iter().map(entry).collect()
            }),
        }
    }
}

impl ConfigEntry {
    pub(super) fn new(answer: &DescribeConfigsResourceResult) -> Self {
        Self {
            name: answer.name.to_string(),
            value: answer.value.as_ref().map(ToString::to_string),
            source: Source::from(answer.config_source),
            read_only: answer.read_only,
            sensitive: answer.is_sensitive,
        }
    }
}

impl std::fmt::Debug for ConfigEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = if self.sensitive { Some("(sensitive)") } else { self.value.as_deref() };
        write!(f, "{} = {:?} ({:?})", self.name, value, self.source)
    }
}

impl From<i8> for Source {
    /// Kafka's `DescribeConfigsResponse.ConfigSource`.
    fn from(number: i8) -> Self {
        match number {
            1 => Self::Topic,
            2 => Self::Broker,
            3 => Self::AllBrokers,
            4 => Self::File,
            5 => Self::Default,
            other => Self::Other(other),
        }
    }
}

/// Kafka spells ids as base64 for URLs, without padding; sixteen zeros are no id.
fn topic_id(bytes: [u8; 16]) -> Option<String> {
    (bytes != [0; 16]).then(|| URL_SAFE_NO_PAD.encode(bytes))
}

/// Such an id as the digits of a UUID: the message type's own is of a crate that is no dependency of ours.
pub(super) fn uuid_text(id: &str) -> Option<String> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
    use kafka_protocol::protocol::StrBytes;

    #[test]
    fn a_topic_id_is_spelled_as_kafka_spells_it() {
        assert_eq!(topic_id([0; 16]), None);
        assert_eq!(topic_id([0xff; 16]).unwrap(), "_____________________w");
        assert_eq!(uuid_text("_____________________w").unwrap(), "f".repeat(32));
        assert_eq!(uuid_text("not an id"), None);
    }

    #[test]
    fn a_controller_that_is_not_registered_is_none() {
        let broker = MetadataResponseBroker::default().with_host(StrBytes::from_static_str("k-0")).with_port(9092);
        let answer = MetadataResponse::default().with_brokers(vec![broker]);
        assert_eq!(ClusterView::new(&answer.clone().with_controller_id(0.into())).controller, Some(0));
        assert_eq!(ClusterView::new(&answer.clone().with_controller_id(2.into())).controller, None);
        assert_eq!(ClusterView::new(&answer.with_controller_id((-1).into())).controller, None);
    }

    #[test]
    fn a_sensitive_value_is_not_printed() {
        let entry = ConfigEntry {
            name: "ssl.key.password".into(),
            value: Some("hunter2".into()),
            source: Source::File,
            read_only: true,
            sensitive: true,
        };
        assert!(!format!("{entry:?}").contains("hunter2"));
    }
}
