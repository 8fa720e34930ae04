//! A request's bytes -> its effect on the fake cluster and the answer's bytes.

use super::{FakeTopic, Fault, PORT, Reply, Seen, State, Topics, host, settings};
use crate::kafka::ApiTable;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult};
use kafka_protocol::messages::list_partition_reassignments_response::{OngoingPartitionReassignment, OngoingTopicReassignment};
use kafka_protocol::messages::metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use std::collections::BTreeMap;
use tokio::time::Instant;

pub(super) type Refused = (i16, String);

fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

fn split(result: Result<(), Refused>) -> (i16, Option<StrBytes>) {
    result.map_or_else(|(code, message)| (code, (!message.is_empty()).then(|| text(message))), |()| (0, None))
}

fn encode<R: Request>(header: &RequestHeader, body: &R::Response, version: i16) -> Reply {
    let mut bytes = BytesMut::new();
    let head = ResponseHeader::default().with_correlation_id(header.correlation_id);
    head.encode(&mut bytes, R::Response::header_version(version)).unwrap();
    body.encode(&mut bytes, version).unwrap();
    Reply::Bytes(bytes.to_vec())
}

/// An answer that is decided: how it looks with a code forced on it by a fault.
trait Coded {
    fn force(&mut self, code: i16);
}

impl Coded for MetadataResponse {
    fn force(&mut self, code: i16) {
        self.topics.iter_mut().for_each(|topic| topic.error_code = code);
    }
}
impl Coded for CreateTopicsResponse {
    fn force(&mut self, code: i16) {
        self.topics.iter_mut().for_each(|topic| topic.error_code = code);
    }
}
impl Coded for DeleteTopicsResponse {
    fn force(&mut self, code: i16) {
        self.responses.iter_mut().for_each(|topic| topic.error_code = code);
    }
}
impl Coded for CreatePartitionsResponse {
    fn force(&mut self, code: i16) {
        self.results.iter_mut().for_each(|topic| topic.error_code = code);
    }
}
impl Coded for DescribeConfigsResponse {
    fn force(&mut self, code: i16) {
        self.results.iter_mut().for_each(|result| result.error_code = code);
    }
}
impl Coded for IncrementalAlterConfigsResponse {
    fn force(&mut self, code: i16) {
        self.responses.iter_mut().for_each(|result| result.error_code = code);
    }
}
impl Coded for AlterConfigsResponse {
    fn force(&mut self, code: i16) {
        self.responses.iter_mut().for_each(|result| result.error_code = code);
    }
}
impl Coded for AlterPartitionReassignmentsResponse {
    fn force(&mut self, code: i16) {
        self.error_code = code;
    }
}
impl Coded for ListPartitionReassignmentsResponse {
    fn force(&mut self, code: i16) {
        self.error_code = code;
    }
}

impl Coded for DescribeLogDirsResponse {
    fn force(&mut self, code: i16) {
        self.error_code = code;
    }
}

impl State {
    pub(super) fn handle(&mut self, broker: i32, mut frame: Bytes) -> Reply {
        let key = i16::from_be_bytes([frame[0], frame[1]]);
        let version = i16::from_be_bytes([frame[2], frame[3]]);
        let api = ApiKey::try_from(key).unwrap();
        let header = RequestHeader::decode(&mut frame, api.request_header_version(version)).unwrap();
        if api == ApiKey::ApiVersions {
            return self.api_versions(&header, version);
        }
        let offered = ApiTable::of(self.table.iter().copied()).offered(key);
        assert!(offered.is_some_and(|(min, max)| (min..=max).contains(&version)), "{api:?} v{version} is not offered");
        match api {
            ApiKey::Metadata => self.go(broker, &header, version, frame, |_: &MetadataRequest| false, Self::metadata),
            ApiKey::CreateTopics => {
                self.go(broker, &header, version, frame, |r: &CreateTopicsRequest| !r.validate_only, Self::create_topics)
            }
            ApiKey::DeleteTopics => self.go(broker, &header, version, frame, |_: &DeleteTopicsRequest| true, Self::delete_topics),
            ApiKey::CreatePartitions => {
                self.go(broker, &header, version, frame, |r: &CreatePartitionsRequest| !r.validate_only, Self::create_partitions)
            }
            ApiKey::DescribeConfigs => {
                self.go(broker, &header, version, frame, |_: &DescribeConfigsRequest| false, Self::describe_configs)
            }
            ApiKey::DescribeLogDirs => {
                self.go(broker, &header, version, frame, |_: &DescribeLogDirsRequest| false, Self::describe_log_dirs)
            }
            ApiKey::IncrementalAlterConfigs => {
                self.go(broker, &header, version, frame, |r: &IncrementalAlterConfigsRequest| !r.validate_only, Self::alter_some)
            }
            ApiKey::AlterConfigs => {
                self.go(broker, &header, version, frame, |r: &AlterConfigsRequest| !r.validate_only, Self::alter_all)
            }
            ApiKey::AlterPartitionReassignments => {
                self.go(broker, &header, version, frame, |_: &AlterPartitionReassignmentsRequest| true, Self::reassign)
            }
            ApiKey::ListPartitionReassignments => {
                self.go(broker, &header, version, frame, |_: &ListPartitionReassignmentsRequest| false, Self::list_moves)
            }
            other => panic!("the fake offers no {other:?}"),
        }
    }

    /// Counts, strikes, applies, answers.
    fn go<R: Request>(
        &mut self,
        broker: i32,
        header: &RequestHeader,
        version: i16,
        mut frame: Bytes,
        writes: impl Fn(&R) -> bool,
        apply: impl Fn(&mut Self, i32, &R) -> R::Response,
    ) -> Reply
    where
        R::Response: Coded,
    {
        let request = R::decode(&mut frame, version).unwrap();
        assert!(frame.is_empty(), "bytes left over in the request");
        self.seen.push(Seen { broker, api: R::KEY, version, write: writes(&request) });
        let fault = self.strike();
        let before = (self.history.len(), self.changes, self.deleting.clone(), self.moving.clone(), self.next_id);
        let mut answer = apply(self, broker, &request);
        if fault.is_some_and(|fault| !fault.applies()) {
            self.history.truncate(before.0);
            (self.changes, self.deleting, self.moving, self.next_id) = (before.1, before.2, before.3, before.4);
        }
        match fault {
            Some(Fault::DropBefore | Fault::DropAfter) => return Reply::Close,
            Some(Fault::Hang | Fault::HangAfter) => return Reply::Hang,
            Some(Fault::Code(code) | Fault::CodeAfter(code)) => answer.force(code),
            None => {}
        }
        encode::<R>(header, &answer, version)
    }

    fn api_versions(&self, header: &RequestHeader, version: i16) -> Reply {
        let row = |(key, min, max): &(i16, i16, i16)| {
            api_versions_response::ApiVersion::default().with_api_key(*key).with_min_version(*min).with_max_version(*max)
        };
        let known = self.table.iter().any(|(key, _, max)| *key == 18 && version <= *max);
        let (code, version) = if known { (0, version) } else { (35, 0) };
        let keys = if known { self.table.iter().map(row).collect() } else { Vec::new() };
        let answer = ApiVersionsResponse::default().with_error_code(code).with_api_keys(keys);
        encode::<ApiVersionsRequest>(header, &answer, version)
    }

    fn metadata(&mut self, broker: i32, request: &MetadataRequest) -> MetadataResponse {
        assert!(!request.allow_auto_topic_creation, "a read that would create topics");
        if self.unready.contains(&broker) {
            return MetadataResponse::default().with_controller_id((-1).into());
        }
        let up = self.brokers.iter().filter(|(_, down)| down.is_none()).map(|(id, _)| *id);
        let brokers = up.clone().map(|id| {
            let broker = MetadataResponseBroker::default().with_node_id(id.into()).with_host(text(host(id)));
            broker.with_port(i32::from(PORT)).with_rack(Some(text(format!("zone-{id}"))))
        });
        let (known, up) = (self.known(broker), up.collect::<Vec<_>>());
        // In KRaft mode any broker takes a client's orders, and passes them on.
        let controller = if self.is_kraft() { up[self.seen.len() % up.len()] } else { self.controller };
        let names: Vec<String> = match &request.topics {
            None => known.keys().cloned().collect(),
            Some(topics) => topics.iter().filter_map(|t| t.name.as_ref().map(|name| name.to_string())).collect(),
        };
        let topics = names.into_iter().map(|name| match known.get(&name) {
            Some(topic) => described(name, topic, &up),
            None => MetadataResponseTopic::default().with_name(Some(text(name).into())).with_error_code(3),
        });
        MetadataResponse::default()
            .with_brokers(brokers.collect())
            .with_cluster_id(self.cluster_id.clone().map(text))
            .with_controller_id(controller.into())
            .with_topics(topics.collect())
    }

    fn create_topics(&mut self, broker: i32, request: &CreateTopicsRequest) -> CreateTopicsResponse {
        let results = request.topics.iter().map(|new| {
            let made = self.create(broker, new, request.validate_only);
            let answer = CreatableTopicResult::default().with_name(new.name.clone());
            match made {
                Err(refused) => {
                    let (code, message) = split(Err(refused));
                    answer.with_error_code(code).with_error_message(message)
                }
                Ok(topic) => {
                    let configs = self.configs(&topic.configs).into_iter().map(|(name, value, source)| {
                        CreatableTopicConfigs::default()
                            .with_name(text(name))
                            .with_value(Some(text(value)))
                            .with_config_source(source)
                    });
                    let factor = topic.partitions.first().map_or(0, Vec::len);
                    answer
                        .with_topic_id(uuid(topic.id))
                        .with_num_partitions(i32::try_from(topic.partitions.len()).unwrap())
                        .with_replication_factor(i16::try_from(factor).unwrap())
                        .with_configs(Some(configs.collect()))
                }
            }
        });
        CreateTopicsResponse::default().with_topics(results.collect::<Vec<_>>())
    }

    fn create(&mut self, broker: i32, new: &CreatableTopic, validate_only: bool) -> Result<FakeTopic, Refused> {
        self.controller_only(broker)?;
        let name = new.name.to_string();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            return Err((17, format!("Topic name is invalid: '{name}'")));
        }
        if self.now().contains_key(&name) {
            return Err((36, format!("Topic '{name}' already exists.")));
        }
        if self.deleting.get(&name).is_some_and(|until| Instant::now() < *until) {
            let how = if self.is_old() { "already exists" } else { "is marked for deletion" };
            return Err((36, format!("Topic '{name}' {how}.")));
        }
        let up: Vec<i32> = self.brokers.iter().filter(|(_, down)| down.is_none()).map(|(id, _)| *id).collect();
        let factor = usize::try_from(new.replication_factor).unwrap_or(1);
        if new.num_partitions == 0 || new.num_partitions < -1 {
            return Err((37, "Number of partitions must be larger than 0.".into()));
        }
        if factor == 0 || factor > up.len() {
            return Err((38, format!("Replication factor: {factor} larger than available brokers: {}.", up.len())));
        }
        let given =
            new.configs.iter().map(|c| (c.name.to_string(), c.value.as_ref().map(ToString::to_string).unwrap_or_default()));
        let configs: BTreeMap<_, _> = given.collect();
        settings::check(&configs)?;
        let replicas = |partition| (0..factor).map(|i| up[(partition + i) % up.len()]).collect();
        let partitions = (0..usize::try_from(new.num_partitions).unwrap_or(1)).map(replicas).collect();
        let id = if self.is_old() || validate_only { 0 } else { self.next_id };
        let topic = FakeTopic { id: id.to_be_bytes(), partitions, configs };
        if !validate_only {
            self.next_id += 1;
            self.change(|topics| topics.insert(name, topic.clone()));
        }
        Ok(topic)
    }

    fn delete_topics(&mut self, broker: i32, request: &DeleteTopicsRequest) -> DeleteTopicsResponse {
        let topics = self.now();
        let of_id = |id: String| topics.iter().find(|(_, topic)| digits(topic.id) == id).map(|(name, _)| text(name).into());
        let asked =
            request.topics.iter().map(|topic| topic.name.clone().or_else(|| of_id(topic.topic_id.to_string().replace('-', ""))));
        let asked: Vec<Option<TopicName>> = asked.chain(request.topic_names.iter().cloned().map(Some)).collect();
        let results = asked.into_iter().map(|name| {
            let Some(name) = name else {
                return delete_topics_response::DeletableTopicResult::default().with_error_code(100);
            };
            let done = self.controller_only(broker).and_then(|()| self.exists(&name)).map(|()| {
                self.deleting.insert(name.to_string(), Instant::now() + self.deletion);
                self.change(|topics| topics.remove(&name.to_string()));
            });
            let (code, message) = split(done);
            let answer = delete_topics_response::DeletableTopicResult::default().with_name(Some(name));
            answer.with_error_code(code).with_error_message(message.filter(|_| !self.is_old()))
        });
        DeleteTopicsResponse::default().with_responses(results.collect::<Vec<_>>())
    }

    fn create_partitions(&mut self, broker: i32, request: &CreatePartitionsRequest) -> CreatePartitionsResponse {
        let results = request.topics.iter().map(|wanted| {
            let grow = |state: &mut Self| {
                state.controller_only(broker)?;
                state.exists(&wanted.name)?;
                let mut topic = state.now()[&wanted.name.to_string()].clone();
                let (has, count) = (topic.partitions.len(), usize::try_from(wanted.count).unwrap_or(0));
                if count == has {
                    return Err((37, format!("Topic already has {has} partitions.")));
                }
                if count < has {
                    return Err((
                        37,
                        format!("Topic currently has {has} partitions, which is higher than the requested {count}."),
                    ));
                }
                topic.partitions.resize(count, topic.partitions[0].clone());
                if !request.validate_only {
                    state.change(|topics| topics.insert(wanted.name.to_string(), topic));
                }
                Ok(())
            };
            let (code, message) = split(grow(self));
            let answer = create_partitions_response::CreatePartitionsTopicResult::default().with_name(wanted.name.clone());
            answer.with_error_code(code).with_error_message(message)
        });
        CreatePartitionsResponse::default().with_results(results.collect::<Vec<_>>())
    }

    fn describe_configs(&mut self, broker: i32, request: &DescribeConfigsRequest) -> DescribeConfigsResponse {
        let results = request.resources.iter().map(|resource| {
            let answer = DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            let own = match resource.resource_type {
                2 => self.known(broker).get(&resource.resource_name.to_string()).map(|topic| topic.configs.clone()).ok_or(3),
                _ if *resource.resource_name == *broker.to_string() => Ok(BTreeMap::new()),
                _ => Err(42),
            };
            match own {
                Err(code) => answer.with_error_code(code),
                Ok(own) => answer.with_configs(
                    self.configs(&own)
                        .into_iter()
                        .map(|(name, value, source)| {
                            let entry = DescribeConfigsResourceResult::default().with_name(text(name));
                            entry.with_value(Some(text(value))).with_config_source(source)
                        })
                        .collect(),
                ),
            }
        });
        DescribeConfigsResponse::default().with_results(results.collect::<Vec<_>>())
    }

    /// A partition takes ten bytes on each broker that has it.
    fn describe_log_dirs(&mut self, broker: i32, request: &DescribeLogDirsRequest) -> DescribeLogDirsResponse {
        use describe_log_dirs_response::{DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic};
        assert!(request.topics.is_none(), "the fake tells of all topics only");
        let topics = self.known(broker).iter().map(|(name, topic)| {
            let here = topic.partitions.iter().filter(|replicas| replicas.contains(&broker));
            let partitions = here.map(|_| DescribeLogDirsPartition::default().with_partition_size(10)).collect();
            DescribeLogDirsTopic::default().with_name(text(name).into()).with_partitions(partitions)
        });
        let (total, free) = self.disks.get(&broker).copied().unwrap_or((-1, -1));
        let dir = DescribeLogDirsResult::default().with_log_dir(text("/var/lib/kafka")).with_topics(topics.collect());
        DescribeLogDirsResponse::default().with_results(vec![dir.with_total_bytes(total).with_usable_bytes(free)])
    }

    fn alter_some(&mut self, _: i32, request: &IncrementalAlterConfigsRequest) -> IncrementalAlterConfigsResponse {
        let results = request.resources.iter().map(|resource| {
            let done = self.alter(&resource.resource_name, |configs| {
                for change in &resource.configs {
                    match (change.config_operation, &change.value) {
                        (0, Some(value)) => drop(configs.insert(change.name.to_string(), value.to_string())),
                        _ => drop(configs.remove(&change.name.to_string())),
                    }
                }
            });
            let (code, message) = split(done);
            let answer = incremental_alter_configs_response::AlterConfigsResourceResponse::default();
            answer.with_error_code(code).with_error_message(message).with_resource_name(resource.resource_name.clone())
        });
        IncrementalAlterConfigsResponse::default().with_responses(results.collect::<Vec<_>>())
    }

    fn alter_all(&mut self, _: i32, request: &AlterConfigsRequest) -> AlterConfigsResponse {
        let results = request.resources.iter().map(|resource| {
            let all = resource.configs.iter().filter_map(|c| Some((c.name.to_string(), c.value.as_ref()?.to_string()))).collect();
            let (code, message) = split(self.alter(&resource.resource_name, |configs| *configs = all));
            let answer = alter_configs_response::AlterConfigsResourceResponse::default();
            answer.with_error_code(code).with_error_message(message).with_resource_name(resource.resource_name.clone())
        });
        AlterConfigsResponse::default().with_responses(results.collect::<Vec<_>>())
    }

    fn alter(&mut self, name: &StrBytes, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<(), Refused> {
        self.exists(name)?;
        let mut topic = self.now()[&name.to_string()].clone();
        change(&mut topic.configs);
        settings::check(&topic.configs)?;
        let pinned = self.pinned.iter().filter(|(key, _)| topic.configs.contains_key(*key));
        let pinned: Vec<_> = pinned.map(|(key, value)| (key.clone(), value.clone())).collect();
        topic.configs.extend(pinned);
        self.change(|topics| topics.insert(name.to_string(), topic));
        Ok(())
    }

    fn reassign(&mut self, broker: i32, request: &AlterPartitionReassignmentsRequest) -> AlterPartitionReassignmentsResponse {
        if self.controller_only(broker).is_err() {
            return AlterPartitionReassignmentsResponse::default().with_error_code(41);
        }
        for topic in &request.topics {
            for partition in &topic.partitions {
                let key = (topic.name.to_string(), partition.partition_index);
                match &partition.replicas {
                    Some(replicas) => drop(self.moving.insert(key, replicas.iter().map(|id| id.0).collect())),
                    None => drop(self.moving.remove(&key)),
                }
            }
            self.changes += 1;
        }
        AlterPartitionReassignmentsResponse::default()
    }

    fn list_moves(&mut self, broker: i32, _: &ListPartitionReassignmentsRequest) -> ListPartitionReassignmentsResponse {
        if self.controller_only(broker).is_err() {
            return ListPartitionReassignmentsResponse::default().with_error_code(41);
        }
        let topics = self.moving.iter().map(|((name, partition), replicas)| {
            let ids: Vec<BrokerId> = replicas.iter().copied().map(BrokerId).collect();
            let one = OngoingPartitionReassignment::default().with_partition_index(*partition).with_replicas(ids);
            OngoingTopicReassignment::default().with_name(text(name).into()).with_partitions(vec![one])
        });
        ListPartitionReassignmentsResponse::default().with_topics(topics.collect())
    }

    fn controller_only(&self, broker: i32) -> Result<(), Refused> {
        if self.is_kraft() || broker == self.controller { Ok(()) } else { Err((41, String::new())) }
    }

    fn exists(&self, name: &StrBytes) -> Result<(), Refused> {
        let found = self.now().contains_key(&name.to_string());
        found.then_some(()).ok_or_else(|| (3, "This server does not host this topic-partition.".to_owned()))
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Topics) -> T) {
        let mut topics = self.now().clone();
        change(&mut topics);
        self.history.push((Instant::now(), topics));
        self.changes += 1;
    }

    /// (name, value, source number) of every setting.
    fn configs(&self, own: &BTreeMap<String, String>) -> Vec<(&'static str, String, i8)> {
        settings::describe(&[(own, 1), (&self.dynamic, 3), (&self.file, 4)])
    }
}

fn described(name: String, topic: &FakeTopic, up: &[i32]) -> MetadataResponseTopic {
    let ids = |ids: Vec<i32>| ids.into_iter().map(BrokerId).collect::<Vec<_>>();
    let partitions = topic.partitions.iter().enumerate().map(|(index, replicas)| {
        let (isr, offline): (Vec<i32>, Vec<i32>) = replicas.iter().partition(|id| up.contains(id));
        MetadataResponsePartition::default()
            .with_partition_index(i32::try_from(index).unwrap())
            .with_leader_id(isr.first().copied().unwrap_or(-1).into())
            .with_replica_nodes(ids(replicas.clone()))
            .with_isr_nodes(ids(isr))
            .with_offline_replicas(ids(offline))
    });
    let partitions = partitions.collect();
    MetadataResponseTopic::default().with_name(Some(text(name).into())).with_topic_id(uuid(topic.id)).with_partitions(partitions)
}

/// The message type's id, whose crate is not a dependency of ours.
fn uuid<T: std::str::FromStr<Err: std::fmt::Debug>>(id: [u8; 16]) -> T {
    digits(id).parse().unwrap()
}

fn digits(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}
