//! Every operation against real brokers of any release; run where their advertised names resolve:
//! `KAFKASTACK_TEST_BOOTSTRAP=host:port,... KAFKASTACK_TEST_RELEASE=3.9 cargo test --lib kafka::real_tests -- --ignored --nocapture`.

use super::*;
use crate::dial::Direct;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const TOPIC: &str = "kafkastack-test";

fn admin() -> Admin {
    let bootstrap = std::env::var("KAFKASTACK_TEST_BOOTSTRAP").expect("KAFKASTACK_TEST_BOOTSTRAP: host:port,...");
    let split = |one: &str| one.rsplit_once(':').map(|(host, port)| (host.to_owned(), port.parse().unwrap())).unwrap();
    Admin::new(Arc::new(Direct), bootstrap.split(',').map(split).collect(), "kafkastack-test")
}

async fn poll<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>, Error>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await.unwrap() {
            println!("{what}: {:?}", begun.elapsed());
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not come");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn topic(admin: &Admin) -> Result<Option<Topic>, Error> {
    Ok(admin.topics(Some(&[TOPIC])).await?.pop())
}

fn own(configs: &[ConfigEntry]) -> BTreeMap<&str, &str> {
    let own = configs.iter().filter(|entry| entry.source == Source::Topic);
    own.map(|entry| (entry.name.as_str(), entry.value.as_deref().unwrap())).collect()
}

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn create_when_gone(admin: &Admin, new: &NewTopic) -> Created {
    poll("created", async || match admin.create_topic(new, false).await {
        Err(error) if error.is(Class::MarkedForDeletion) => {
            println!("{error}");
            Ok(None)
        }
        done => done.map(Some),
    })
    .await
}

#[tokio::test]
#[ignore = "needs brokers"]
async fn every_operation_works_on_real_brokers() {
    let admin = admin();
    let release = admin.release().await.unwrap();
    let cluster = admin.cluster().await.unwrap();
    println!("release {release}, zookeeper mode: {}\n{cluster:?}", admin.apis().await.unwrap().zookeeper_mode());
    if let Ok(expected) = std::env::var("KAFKASTACK_TEST_RELEASE") {
        assert_eq!(release.to_string(), expected);
    }
    if topic(&admin).await.unwrap().is_some() {
        admin.delete_topic(TOPIC, None).await.unwrap();
    }
    poll("absent", async || Ok(topic(&admin).await?.is_none().then_some(()))).await;
    let factor = i16::try_from(cluster.brokers.len().min(3)).unwrap();
    let new = NewTopic {
        name: TOPIC.into(),
        partitions: 3,
        replication_factor: factor,
        configs: strings(&[("retention.ms", "86400000"), ("segment.bytes", "1048576")]),
    };
    creating(&admin, &new, release).await;
    configuring(&admin).await;
    reassigning(&admin, release, &cluster).await;
    deleting(&admin, &new).await;
}

/// Brokers may be killed meanwhile: no topic is lost, none is made twice, and no call is longer than its limit.
#[tokio::test]
#[ignore = "needs brokers, and somebody who kills them"]
async fn topics_come_and_go_while_brokers_come_and_go() {
    let admin = admin();
    let seconds = std::env::var("KAFKASTACK_TEST_SECONDS").map_or(20, |text| text.parse().unwrap());
    let (begun, mut made, mut unknown, mut longest) = (Instant::now(), 0, 0, Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let new = NewTopic { name: format!("{TOPIC}-{made}"), partitions: 2, replication_factor: 2, configs: BTreeMap::new() };
        for create in [true, false] {
            let there = async || Ok(admin.topics(Some(&[&new.name])).await?.is_empty() != create);
            loop {
                let started = Instant::now();
                let done = match create {
                    true => admin.create_topic(&new, false).await.map(drop),
                    false => admin.delete_topic(&new.name, None).await,
                };
                let took = started.elapsed();
                longest = longest.max(took);
                match done {
                    Ok(()) => assert!(comes(60, there).await, "{} accepted, and did not come", new.name),
                    Err(error) if error.outcome() == Outcome::Unknown => {
                        println!("{:?} unknown after {took:?}: {error}", begun.elapsed());
                        unknown += 1;
                        if !comes(5, there).await {
                            continue;
                        }
                    }
                    Err(error) if error.is(Class::InvalidReplicationFactor) || error.is_unreachable() => {
                        println!("{:?} not now, after {took:?}: {error}", begun.elapsed());
                        sleep(Duration::from_millis(500)).await;
                        continue;
                    }
                    Err(error) => panic!("{:?} {} after {took:?}: {error}", begun.elapsed(), new.name),
                }
                break;
            }
        }
        made += 1;
    }
    println!("{made} topics made and deleted in {:?}, {unknown} outcomes unknown, longest call {longest:?}", begun.elapsed());
}

async fn comes(seconds: u64, ask: impl AsyncFn() -> Result<bool, Error>) -> bool {
    let begun = Instant::now();
    while !ask().await.unwrap_or(false) {
        if begun.elapsed() > Duration::from_secs(seconds) {
            return false;
        }
        sleep(Duration::from_millis(20)).await;
    }
    true
}

async fn creating(admin: &Admin, new: &NewTopic, release: Release) {
    let (live, too_many) = (new.replication_factor, NewTopic { replication_factor: 9, ..new.clone() });
    assert_eq!(admin.create_topic(new, true).await.unwrap().id, None);
    assert!(topic(admin).await.unwrap().is_none(), "validated, not created");
    let error = admin.create_topic(&too_many, false).await.unwrap_err();
    println!("{error}");
    assert!(error.is(Class::InvalidReplicationFactor), "{live} brokers");
    for (key, value) in [("no.such.key", "1"), ("retention.ms", "abc")] {
        let bad = NewTopic { configs: strings(&[(key, value)]), ..new.clone() };
        let error = admin.create_topic(&bad, true).await.unwrap_err();
        println!("{error}");
        assert!(error.is(Class::InvalidConfig));
    }
    let bad = NewTopic { name: "not/a/name".into(), ..new.clone() };
    assert!(admin.create_topic(&bad, false).await.unwrap_err().is(Class::InvalidName));
    let created = create_when_gone(admin, new).await;
    println!("id {:?}, {:?} x {:?}", created.id, created.partitions, created.replication_factor);
    assert_eq!(created.configs.is_some(), release >= Release::new(2, 4));
    assert_eq!(created.id.is_some(), release >= Release::new(2, 8));
    let whole = |topic: Topic| topic.partitions.iter().all(|p| p.leader.is_some()).then_some(topic);
    let seen = poll("visible with leaders", async || Ok(topic(admin).await?.and_then(whole))).await;
    assert_eq!((seen.partitions.len(), seen.replication_factor()), (3, usize::try_from(live).unwrap()));
    assert_eq!(seen.id, created.id);
    let error = admin.create_topic(new, false).await.unwrap_err();
    println!("{error}");
    assert!(error.is(Class::TopicExists) && error.outcome() == Outcome::NotApplied);
    admin.create_partitions(TOPIC, 5, true).await.unwrap();
    admin.create_partitions(TOPIC, 4, false).await.unwrap();
    poll("four partitions", async || Ok(topic(admin).await?.filter(|t| t.partitions.len() == 4).map(drop))).await;
    for total in [4, 2] {
        let error = admin.create_partitions(TOPIC, total, false).await.unwrap_err();
        println!("{error}");
        assert!(error.is(Class::InvalidPartitions));
    }
    assert!(admin.create_partitions("no-such-topic", 4, false).await.unwrap_err().is(Class::UnknownTopic));
    assert!(admin.delete_topic("no-such-topic", None).await.unwrap_err().is(Class::UnknownTopic));
    assert!(admin.topics(None).await.unwrap().iter().any(|topic| topic.name == TOPIC));
    assert!(admin.topics(Some(&["no-such-topic"])).await.unwrap().is_empty(), "and not created by asking");
    assert!(!admin.topics(None).await.unwrap().iter().any(|topic| topic.name == "no-such-topic"));
}

async fn configuring(admin: &Admin) {
    let read = async || Ok::<_, Error>(admin.topic_configs(&[TOPIC, "no-such-topic"]).await?.remove(TOPIC));
    assert_eq!(
        own(&read().await.unwrap().unwrap()),
        BTreeMap::from([("retention.ms", "86400000"), ("segment.bytes", "1048576")])
    );
    let set = strings(&[("max.message.bytes", "2000000"), ("retention.ms", "3600000")]);
    admin.alter_topic_configs(TOPIC, &set, &["segment.bytes".to_owned()]).await.unwrap();
    let expected = BTreeMap::from([("max.message.bytes", "2000000"), ("retention.ms", "3600000")]);
    let all = poll("changed configs", async || Ok(read().await?.filter(|all| own(all) == expected))).await;
    let other = all.iter().find(|entry| entry.name == "segment.bytes").unwrap();
    assert!(matches!(other.source, Source::Default | Source::File), "{other:?}");
    let error = admin.alter_topic_configs(TOPIC, &strings(&[("no.such.key", "1")]), &[]).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error.class(), Some(Class::InvalidConfig | Class::Other)), "{error}");
    assert!(admin.alter_topic_configs("no-such-topic", &set, &[]).await.unwrap_err().is(Class::UnknownTopic));
    for broker in admin.cluster().await.unwrap().brokers {
        let all = admin.broker_configs(broker.id).await.unwrap();
        let heap = all.iter().find(|entry| entry.name == "auto.create.topics.enable").unwrap();
        println!("broker {}: {} settings, {heap:?}", broker.id, all.len());
    }
    assert!(matches!(admin.broker_configs(77).await, Err(Error::NoSuchBroker { id: 77, .. })));
}

async fn reassigning(admin: &Admin, release: Release, cluster: &ClusterView) {
    let first: Vec<_> = cluster.brokers.iter().map(|broker| broker.id).take(1).collect();
    let moved = admin.reassign(TOPIC, &[(0, Some(first.clone()))]).await;
    if release < Release::new(2, 4) {
        println!("{}", moved.unwrap_err());
        println!("{}", admin.list_reassignments().await.unwrap_err());
        return;
    }
    moved.unwrap();
    poll("one replica", async || Ok(topic(admin).await?.filter(|t| t.partitions[0].replicas == first).map(drop))).await;
    poll("nothing moves", async || Ok(admin.list_reassignments().await?.is_empty().then_some(()))).await;
}

async fn deleting(admin: &Admin, new: &NewTopic) {
    admin.delete_topic(TOPIC, None).await.unwrap();
    poll("gone", async || Ok(topic(admin).await?.is_none().then_some(()))).await;
    create_when_gone(admin, new).await;
    admin.delete_topic(TOPIC, None).await.unwrap();
    poll("deleted", async || Ok(topic(admin).await?.is_none().then_some(()))).await;
}
