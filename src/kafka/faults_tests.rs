//! The client against a cluster with faults, in simulated time.

use super::*;
use crate::testing::fake_kafka::{Down, FakeKafka, Fault, When};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, advance};

const CREATE: i16 = 19;
const METADATA: i16 = 3;
const DESCRIBE: i16 = 32;

fn new_topic() -> NewTopic {
    let configs = BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]);
    NewTopic { name: "a".into(), partitions: 2, replication_factor: 3, configs }
}

async fn with_topic(kafka: &FakeKafka) -> Admin {
    let admin = kafka.admin();
    admin.create_topic(&new_topic(), false).await.unwrap();
    admin
}

fn set(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_to_the_controller_and_only_there() {
    let kafka = FakeKafka::new(3);
    let admin = with_topic(&kafka).await;
    let topic = admin.topics(Some(&["a"])).await.unwrap().remove(0);
    assert_eq!((topic.partitions.len(), topic.replication_factor()), (2, 3));
    assert!(topic.id.is_some());
    let creates: Vec<_> = kafka.requests().into_iter().filter(|seen| seen.api == CREATE).collect();
    assert_eq!(creates.len(), 1);
    assert_eq!(creates[0].broker, 2, "the controller");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_moved_is_found_again() {
    let kafka = FakeKafka::new(3);
    let admin = kafka.admin();
    assert_eq!(admin.cluster().await.unwrap().controller, Some(2));
    kafka.move_controller(0);
    admin.create_topic(&new_topic(), false).await.unwrap();
    let creates: Vec<_> = kafka.requests().into_iter().filter(|seen| seen.api == CREATE).map(|seen| seen.broker).collect();
    assert_eq!(creates, [2, 0], "refused by the old one, done by the new one");
    assert_eq!(kafka.changes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_a_broker_stumbles_over_is_repeated_a_few_times() {
    let kafka = FakeKafka::new(3);
    let admin = with_topic(&kafka).await;
    kafka.fault(When::Next(DESCRIBE), Fault::Code(-1));
    assert_eq!(admin.topic_configs(&["a"]).await.unwrap().len(), 1);
    kafka.fault(When::Every(DESCRIBE), Fault::Code(-1));
    let before = kafka.requests().len();
    let error = admin.topic_configs(&["a"]).await.unwrap_err();
    assert!(error.to_string().contains("UNKNOWN_SERVER_ERROR"), "{error}");
    let asked = kafka.requests()[before..].iter().filter(|seen| seen.api == DESCRIBE).count();
    assert_eq!(asked, 4);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_have_been_done_is_never_repeated() {
    for fault in [Fault::DropBefore, Fault::DropAfter, Fault::Hang, Fault::HangAfter, Fault::Code(7), Fault::CodeAfter(7)] {
        let kafka = FakeKafka::new(3);
        kafka.fault(When::Next(CREATE), fault);
        let begun = Instant::now();
        let error = kafka.admin().create_topic(&new_topic(), false).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{fault:?}: {error}");
        assert_eq!(kafka.writes(), 1, "{fault:?}");
        assert_eq!(kafka.topic("a").is_some(), fault.applies(), "{fault:?}");
        assert!(begun.elapsed() <= Limits::default().write + Duration::from_secs(1), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_not_done_is_repeated_or_reported_as_such() {
    for code in [41, 89] {
        let kafka = FakeKafka::new(3);
        kafka.fault(When::Next(CREATE), Fault::Code(code));
        kafka.admin().create_topic(&new_topic(), false).await.unwrap();
        assert_eq!((kafka.writes(), kafka.changes()), (2, 1), "{code}");
    }
    for code in [29, 38, 40, 44] {
        let kafka = FakeKafka::new(3);
        kafka.fault(When::Every(CREATE), Fault::Code(code));
        let error = kafka.admin().create_topic(&new_topic(), false).await.unwrap_err();
        assert_eq!((kafka.writes(), error.outcome()), (1, Outcome::NotApplied), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_survive_any_single_fault() {
    for fault in [Fault::DropBefore, Fault::DropAfter, Fault::Hang, Fault::Code(41)] {
        for n in 2..=5 {
            let kafka = FakeKafka::new(3);
            let admin = with_topic(&kafka).await;
            kafka.fault(When::Request(kafka.requests().len() + n - 1), fault);
            assert_eq!(admin.cluster().await.unwrap().brokers.len(), 3);
            if fault != Fault::Code(41) {
                assert_eq!(admin.topics(Some(&["a"])).await.unwrap().len(), 1, "{fault:?} {n}");
                assert_eq!(admin.topic_configs(&["a"]).await.unwrap().len(), 1, "{fault:?} {n}");
            }
            assert!(admin.broker_configs(1).await.is_ok(), "{fault:?} {n}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_broker_that_is_up_is_enough_for_reads() {
    for down in [Down::Refused, Down::Dead, Down::Hangs] {
        let kafka = FakeKafka::new(3);
        kafka.set_down(0, Some(down));
        kafka.set_down(2, Some(down));
        let cluster = kafka.admin().cluster().await.unwrap();
        assert_eq!(cluster.brokers.iter().map(|broker| broker.id).collect::<Vec<_>>(), [1], "{down:?}");
        assert_eq!(cluster.controller, Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_takes_requests_and_never_answers_is_gone_round_for_reads_of_the_cluster() {
    let kafka = FakeKafka::new(3);
    kafka.fault(When::Broker(0), Fault::Hang);
    let admin = kafka.admin();
    assert_eq!(admin.cluster().await.unwrap().controller, Some(2));
    assert!(admin.topics(None).await.unwrap().is_empty());
    assert!(admin.broker_configs(0).await.unwrap_err().is_unreachable(), "only it knows its settings");
    kafka.heal();
    kafka.set_file("retention.ms", "5");
    let all = admin.broker_configs(0).await.unwrap();
    let entry = all.iter().find(|entry| entry.name == "retention.ms").unwrap();
    assert_eq!((entry.source, entry.value.as_deref()), (Source::File, Some("5")));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_is_named_broker_by_broker() {
    let kafka = FakeKafka::new(2);
    kafka.set_down(0, Some(Down::Refused));
    kafka.set_down(1, Some(Down::Dead));
    let error = kafka.admin().create_topic(&new_topic(), false).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no broker answers: kafka-0.kafka.test.svc:9092: connection refused; kafka-1.kafka.test.svc:9092: the broker does not listen"
    );
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.is_unreachable());
}

#[tokio::test(start_paused = true)]
async fn the_whole_call_ends_with_the_callers_deadline() {
    for down in [Down::Hangs, Down::Dead, Down::Refused] {
        let kafka = FakeKafka::new(3);
        (0..3).for_each(|id| kafka.set_down(id, Some(down)));
        let begun = Instant::now();
        let admin = kafka.admin().until(begun + Duration::from_secs(7));
        assert!(admin.cluster().await.is_err());
        assert!(admin.create_topic(&new_topic(), false).await.is_err());
        assert!(begun.elapsed() <= Duration::from_secs(8), "{down:?} {:?}", begun.elapsed());
    }
    let kafka = FakeKafka::new(3);
    kafka.fault(When::Every(METADATA), Fault::Hang);
    let begun = Instant::now();
    assert!(kafka.admin().until(begun + Duration::from_secs(7)).topics(None).await.is_err());
    assert!(begun.elapsed() <= Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn only_the_controller_says_that_a_topic_does_not_exist() {
    let kafka = FakeKafka::new(3);
    kafka.set_lag(Duration::from_secs(60));
    let admin = with_topic(&kafka).await;
    assert_eq!(admin.topics(Some(&["a"])).await.unwrap().len(), 1, "though two of three do not know it yet");
    kafka.set_unready(2, true);
    let error = admin.topics(Some(&["a"])).await.unwrap_err();
    assert!(error.is(Class::NotController), "a controller that knows nothing is no witness: {error}");
    kafka.set_unready(2, false);
    kafka.set_down(2, Some(Down::Refused));
    assert_eq!(kafka.admin().cluster().await.unwrap().controller, Some(0));
}

#[tokio::test(start_paused = true)]
async fn asking_for_a_topic_never_makes_it() {
    let kafka = FakeKafka::new(1);
    assert!(kafka.admin().topics(Some(&["b"])).await.unwrap().is_empty());
    assert_eq!((kafka.topic("b"), kafka.writes()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_idle_is_proved_before_a_write() {
    let kafka = FakeKafka::new(1);
    let admin = kafka.admin();
    let single = NewTopic { replication_factor: 1, ..new_topic() };
    admin.create_topic(&single, false).await.unwrap();
    kafka.set_down(0, Some(Down::Refused)); // closes what is open, as an idle limit does
    kafka.set_down(0, None);
    kafka.move_controller(0);
    advance(Duration::from_secs(601)).await;
    admin.delete_topic("a", None).await.unwrap();
    assert_eq!(kafka.changes(), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_are_kept_and_shared_by_clones() {
    let kafka = FakeKafka::new(1);
    let (admin, refused) = (kafka.admin(), NewTopic { name: "x y".into(), ..new_topic() });
    for _ in 0..20 {
        let clone = admin.clone();
        let both = futures::join!(clone.topics(None), clone.create_topic(&refused, true));
        assert!(both.0.is_ok() && both.1.is_err());
    }
    assert_eq!(kafka.dials(), 2, "one for reads, one for writes");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_leaves_no_half_read_answer() {
    let kafka = FakeKafka::new(1);
    let admin = kafka.admin();
    admin.cluster().await.unwrap();
    kafka.fault(When::Next(METADATA), Fault::Hang);
    assert!(tokio::time::timeout(Duration::from_secs(1), admin.cluster()).await.is_err());
    assert_eq!(admin.cluster().await.unwrap().cluster_id.as_deref(), Some("fake"));
    assert_eq!(kafka.dials(), 2, "the connection with the open request is not used again");
}

#[tokio::test(start_paused = true)]
async fn unset_settings_go_back_to_what_the_brokers_have_and_others_stay() {
    for kafka in [FakeKafka::new(3), FakeKafka::release_2_2(3)] {
        kafka.set_dynamic("max.message.bytes", "77");
        let admin = with_topic(&kafka).await;
        kafka.edit("a", |topic| drop(topic.as_mut().unwrap().configs.insert("segment.ms".into(), "5".into())));
        admin.alter_topic_configs("a", &set("retention.bytes", "9"), &["retention.ms".to_owned()]).await.unwrap();
        let own = BTreeMap::from([("retention.bytes".to_owned(), "9".to_owned()), ("segment.ms".into(), "5".into())]);
        assert_eq!(kafka.topic("a").unwrap().configs, own);
        let all = admin.topic_configs(&["a", "absent"]).await.unwrap();
        let source = |name: &str| all["a"].iter().find(|entry| entry.name == name).map(|entry| entry.source);
        assert_eq!(source("retention.ms"), Some(Source::Default));
        assert_eq!(source("min.insync.replicas"), Some(Source::File));
        assert_eq!(source("max.message.bytes"), Some(Source::AllBrokers));
        assert_eq!(source("retention.bytes"), Some(Source::Topic));
        assert!(!all.contains_key("absent"));
        let changes = kafka.changes();
        admin.alter_topic_configs("a", &BTreeMap::new(), &[]).await.unwrap();
        assert_eq!(kafka.changes(), changes, "nothing to do is no write");
        let error = admin.alter_topic_configs("absent", &set("retention.ms", "1"), &[]).await.unwrap_err();
        assert!(error.is(Class::UnknownTopic));
        let error = admin.alter_topic_configs("a", &set("no.such", "1"), &[]).await.unwrap_err();
        assert!(error.is(Class::InvalidConfig));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_still_being_deleted_is_told_from_a_topic_that_exists() {
    for kafka in [FakeKafka::new(3), FakeKafka::release_2_2(3)] {
        kafka.set_deletion(Duration::from_secs(5));
        let admin = with_topic(&kafka).await;
        assert!(admin.create_topic(&new_topic(), false).await.unwrap_err().is(Class::TopicExists));
        admin.delete_topic("a", None).await.unwrap();
        assert!(admin.create_topic(&new_topic(), false).await.unwrap_err().is(Class::MarkedForDeletion));
        advance(Duration::from_secs(6)).await;
        admin.create_topic(&new_topic(), false).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_broker_is_spoken_to_in_its_own_versions() {
    let kafka = FakeKafka::release_2_2(3);
    let admin = with_topic(&kafka).await;
    assert_eq!(admin.release().await.unwrap(), Release::new(2, 2));
    assert_eq!(admin.topics(None).await.unwrap()[0].id, None);
    admin.create_partitions("a", 4, false).await.unwrap();
    assert_eq!(kafka.topic("a").unwrap().partitions.len(), 4);
    let error = admin.reassign("a", &[(0, Some(vec![0]))]).await.unwrap_err();
    assert_eq!(error.to_string(), "AlterPartitionReassignments needs Kafka 2.4 or later, and the broker is Kafka 2.2");
    admin.delete_topic("a", None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn partitions_move_and_are_seen_to_move() {
    let kafka = FakeKafka::new(3);
    let admin = with_topic(&kafka).await;
    admin.reassign("a", &[(1, Some(vec![0]))]).await.unwrap();
    let moving = admin.list_reassignments().await.unwrap();
    assert_eq!((moving.len(), moving[0].topic.as_str(), moving[0].partition), (1, "a", 1));
    kafka.finish_moves();
    assert!(admin.list_reassignments().await.unwrap().is_empty());
    assert_eq!(admin.topics(Some(&["a"])).await.unwrap()[0].partitions[1].replicas, [0]);
}

#[tokio::test(start_paused = true)]
async fn validating_changes_nothing() {
    let kafka = FakeKafka::new(3);
    let created = kafka.admin().create_topic(&new_topic(), true).await.unwrap();
    assert_eq!((created.id, created.partitions, created.replication_factor), (None, Some(2), Some(3)));
    assert_eq!((kafka.writes(), kafka.changes()), (0, 0));
    let many = NewTopic { replication_factor: 4, ..new_topic() };
    assert!(kafka.admin().create_topic(&many, true).await.unwrap_err().is(Class::InvalidReplicationFactor));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_not_registered_is_named_with_those_that_are() {
    let error = FakeKafka::new(2).admin().broker_configs(7).await.unwrap_err();
    assert_eq!(error.to_string(), "the cluster has no broker 7: it has [0, 1]");
}
