//! Topics against a cluster in memory: every request of every operation meets every fault, and afterwards at most two more runs
//! reach what is wanted, nothing is made twice, and nothing leaves the state but by the controller's word. Simulated time.

use super::apply::Run;
use super::plan::{check_create, check_update, complete};
use super::read::{imported, look, refreshed};
use super::schema::Topic;
use super::step::Seen;
use crate::kafka::Admin;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Plan, Private};
use crate::testing::fake_kafka::{FakeKafka, Fault, When};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod away;
mod update;

const FAULTS: [Fault; 10] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Hang,
    Fault::HangAfter,
    Fault::Code(7),
    Fault::CodeAfter(7),
    Fault::Code(-1),
    Fault::CodeAfter(-1),
    Fault::Code(41),
    Fault::Code(29),
];

fn config(entries: &[(&str, &str)]) -> Attr<BTreeMap<String, String>> {
    Attr::Known(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn topic(partitions: i64, factor: i64, entries: &[(&str, &str)]) -> Topic {
    Topic {
        id: Attr::Known("a".into()),
        name: Attr::Known("a".into()),
        partitions: Attr::Known(partitions),
        replication_factor: Attr::Known(factor),
        config: config(entries),
        deletion_protection: Attr::Known(false),
        topic_id: Attr::unknown(),
        assignments: Attr::unknown(),
        ..Topic::default()
    }
}

fn run(admin: Admin) -> Run<'static> {
    run_for(admin, Duration::from_secs(300))
}

fn run_for(admin: Admin, limit: Duration) -> Run<'static> {
    Run::new(admin, &Context::new(None, CancellationToken::new(), Instant::now() + limit))
}

async fn seen(kafka: &FakeKafka) -> Option<Seen> {
    look(&kafka.admin(), "a", true).await.unwrap()
}

/// A refresh: what core's state becomes. An error keeps it.
async fn refresh(kafka: &FakeKafka, state: Option<Topic>) -> Option<Topic> {
    let state = state?;
    match look(&kafka.admin(), "a", true).await {
        Ok(Some(seen)) => Some(refreshed(&state, &seen)),
        Ok(None) => None,
        Err(_) => Some(state),
    }
}

/// One run of core: refresh, then create or update. A topic that a failed create left behind is imported, as its error says.
async fn apply(kafka: &FakeKafka, state: Option<Topic>, wanted: &Topic) -> Option<Topic> {
    let run = run(kafka.admin());
    match refresh(kafka, state).await {
        None => match run.create(wanted).await {
            Ok(made) => Some(super::read::applied(wanted, made.seen.as_ref())),
            Err(said) if ["topic.exists", "topic.made_by_another", "topic.maybe_created"].contains(&said.kind) => {
                let seen = look(&kafka.admin(), "a", true).await.ok().flatten()?;
                Some(imported(Topic { id: wanted.id.clone(), name: wanted.name.clone(), ..Topic::default() }, &seen))
            }
            Err(_) => None,
        },
        Some(prior) => match run.update(&prior, wanted).await {
            Ok(made) => Some(super::read::applied(wanted, made.seen.as_ref())),
            Err(stopped) => Some(stopped.state),
        },
    }
}

fn is_as_wanted(seen: &Seen, wanted: &Topic) -> bool {
    let config = wanted.config.unwrap_or_default();
    let count = |n: usize| Some(n as i64);
    count(seen.topic.partitions.len()) == wanted.partitions.known().copied()
        && seen.topic.partitions.iter().all(|p| count(p.replicas.len()) == wanted.replication_factor.known().copied())
        && config.iter().all(|(key, value)| seen.own(key) == Some(value))
        && ["retention.ms", "segment.ms"].iter().all(|key| seen.own(key).is_none() || config.contains_key(*key))
}

async fn fresh(old: bool, existing: Option<&Topic>) -> (FakeKafka, Option<Topic>) {
    let kafka = if old { FakeKafka::release_2_2(3) } else { FakeKafka::new(3) };
    let state = match existing {
        Some(existing) => apply(&kafka, None, existing).await,
        None => None,
    };
    assert_eq!(state.is_some(), existing.is_some());
    (kafka, state)
}

/// How many runs a sweep over `existing -> wanted` made.
async fn sweep(old: bool, existing: Option<Topic>, wanted: Topic) -> usize {
    let (kafka, state) = fresh(old, existing.as_ref()).await;
    let mover = kafka.keep_moving();
    let before = kafka.requests().len();
    apply(&kafka, state, &wanted).await;
    mover.abort();
    assert!(is_as_wanted(&seen(&kafka).await.unwrap(), &wanted), "without a fault");
    let requests = kafka.requests().len() - before;
    for number in 1..=requests {
        for fault in FAULTS {
            let (kafka, state) = fresh(old, existing.as_ref()).await;
            let mover = kafka.keep_moving();
            let had = state.is_some();
            kafka.fault(When::Request(kafka.requests().len() + number), fault);
            let mut state = apply(&kafka, state, &wanted).await;
            assert!(!had || state.is_some(), "{fault:?} at {number}: out of the state");
            kafka.heal();
            for _ in 0..2 {
                state = apply(&kafka, state, &wanted).await;
            }
            let found = seen(&kafka).await.unwrap();
            assert!(is_as_wanted(&found, &wanted), "{fault:?} at {number}: {found:?}");
            assert!(state.is_some(), "{fault:?} at {number}: made, and not in the state");
            let changes = kafka.changes();
            apply(&kafka, state, &wanted).await;
            assert_eq!(kafka.changes(), changes, "{fault:?} at {number}: a write though nothing changed");
            mover.abort();
        }
    }
    requests * FAULTS.len()
}

#[tokio::test(start_paused = true)]
async fn a_create_survives_every_fault_at_every_request() {
    for old in [false, true] {
        let runs = sweep(old, None, topic(2, 3, &[("retention.ms", "1000")])).await;
        assert!(runs >= 50, "{runs}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_survives_every_fault_at_every_request() {
    let existing = || Some(topic(1, 1, &[("retention.ms", "1000"), ("segment.ms", "5000")]));
    let runs = sweep(false, existing(), topic(3, 3, &[("retention.ms", "2000"), ("flush.ms", "7")])).await;
    assert!(runs >= 100, "{runs}");
    // 2.2 moves no replicas.
    let runs = sweep(true, existing(), topic(3, 1, &[("retention.ms", "2000"), ("flush.ms", "7")])).await;
    assert!(runs >= 80, "{runs}");
}

#[tokio::test(start_paused = true)]
async fn a_delete_survives_every_fault_at_every_request() {
    for old in [false, true] {
        let wanted = topic(2, 2, &[]);
        let (kafka, _) = fresh(old, Some(&wanted)).await;
        let before = kafka.requests().len();
        run(kafka.admin()).delete("a", None).await.unwrap();
        for number in 1..=kafka.requests().len() - before {
            for fault in FAULTS {
                let (kafka, _) = fresh(old, Some(&wanted)).await;
                kafka.fault(When::Request(kafka.requests().len() + number), fault);
                let first = run(kafka.admin()).delete("a", None).await;
                assert!(first.is_err() || kafka.topic("a").is_none(), "{fault:?} at {number}: said to be gone");
                kafka.heal();
                run(kafka.admin()).delete("a", None).await.unwrap();
                assert_eq!(kafka.topic("a"), None, "{fault:?} at {number}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_controllers_word_takes_a_topic_out_of_the_state() {
    let wanted = topic(1, 3, &[("retention.ms", "1000")]);
    for number in 1..=4 {
        for fault in FAULTS {
            let (kafka, state) = fresh(false, Some(&wanted)).await;
            kafka.fault(When::Request(kafka.requests().len() + number), fault);
            assert!(refresh(&kafka, state.clone()).await.is_some(), "{fault:?} at {number}");
            kafka.heal();
            kafka.edit("a", |topic| *topic = None);
            assert_eq!(refresh(&kafka, state).await, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_somebody_else_is_never_adopted() {
    let (kafka, _) = fresh(false, Some(&topic(1, 1, &[]))).await;
    let changes = kafka.changes();
    let said = run(kafka.admin()).create(&topic(1, 1, &[])).await.unwrap_err();
    assert!(said.text().contains("hint: import it: tofu import kafkastack_topic.NAME a"), "{said:?}");
    assert_eq!(kafka.changes(), changes);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_free_yet_is_waited_for() {
    for old in [false, true] {
        let (kafka, _) = fresh(old, Some(&topic(1, 1, &[]))).await;
        kafka.set_deletion(Duration::from_secs(20));
        run(kafka.admin()).delete("a", None).await.unwrap();
        run(kafka.admin()).create(&topic(2, 1, &[])).await.unwrap();
        assert_eq!(kafka.topic("a").unwrap().partitions.len(), 2);
        run(kafka.admin()).delete("a", None).await.unwrap();
        kafka.set_deletion(Duration::from_secs(3600));
        run(kafka.admin()).create(&topic(2, 1, &[])).await.unwrap();
        run(kafka.admin()).delete("a", None).await.unwrap();
        let said = run(kafka.admin()).create(&topic(2, 1, &[])).await.unwrap_err();
        assert!(said.text().contains("marked for deletion"), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_called_created_when_every_broker_shows_it() {
    for old in [false, true] {
        let (kafka, _) = fresh(old, None).await;
        kafka.set_lag(Duration::from_secs(3));
        let made = run(kafka.admin()).create(&topic(2, 3, &[])).await.unwrap();
        assert!(made.diagnostics.is_empty() && made.seen.is_some());
        assert_eq!(kafka.knowing("a", 2), [0, 1, 2]);
        let (prior, wanted) = (topic(2, 3, &[]), topic(3, 3, &[]));
        run(kafka.admin()).update(&prior, &wanted).await.unwrap();
        assert_eq!(kafka.knowing("a", 3), [0, 1, 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_stays_behind_is_named_and_holds_a_create_up_for_seconds() {
    let stuck: [fn(&FakeKafka); 3] = [
        |kafka| kafka.set_lag(Duration::from_secs(3600)),
        |kafka| kafka.fault(When::Broker(0), Fault::Hang),
        |kafka| kafka.fault(When::Broker(0), Fault::DropBefore),
    ];
    for stick in stuck {
        let (kafka, _) = fresh(false, None).await;
        let admin = kafka.admin();
        admin.topics(None).await.unwrap();
        stick(&kafka);
        let begun = Instant::now();
        let made = run(admin).create(&topic(2, 2, &[])).await.unwrap();
        let said: Vec<_> = made.diagnostics.iter().map(|d| (d.severity, d.text())).collect();
        let [(Severity::Warning, why)] = &said[..] else { panic!("{said:?}") };
        assert!(why.contains("broker 0") || why.contains("kafka-0."), "{why}");
        assert!(made.seen.is_some() && begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn drift_shows_on_declared_settings_only() {
    let (kafka, state) = fresh(false, Some(&topic(1, 3, &[("retention.ms", "1000"), ("flush.ms", "7")]))).await;
    kafka.edit("a", |topic| {
        let topic = topic.as_mut().unwrap();
        topic.configs = [("retention.ms", "5"), ("segment.ms", "9")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        topic.partitions = vec![vec![0, 1, 2], vec![0, 1]];
    });
    let now = refresh(&kafka, state).await.unwrap();
    assert_eq!(now.config, config(&[("retention.ms", "5")]));
    assert_eq!((now.partitions, now.replication_factor), (Attr::Known(2), Attr::Known(2)));
    let identity = Topic { id: now.id.clone(), name: now.name.clone(), ..Topic::default() };
    let all = imported(identity, &seen(&kafka).await.unwrap());
    assert_eq!(all.config, config(&[("retention.ms", "5"), ("segment.ms", "9")]));
}

fn planned(prior: Option<Topic>, planned: Topic) -> Plan<Topic> {
    let mut plan = Plan {
        config: planned.clone(),
        prior,
        planned,
        replace: vec![],
        private: Private::new(),
        diagnostics: Default::default(),
    };
    complete(&mut plan);
    plan
}

/// Severity, path and summary of what was said.
fn said(plan: &Plan<Topic>) -> Vec<(Severity, String, String)> {
    let one = |d: &Diagnostic| (d.severity, d.path.as_ref().map(ToString::to_string).unwrap_or_default(), d.summary.clone());
    plan.diagnostics.iter().map(one).collect()
}

fn error(at: &str, summary: &str) -> Vec<(Severity, String, String)> {
    vec![(Severity::Error, at.to_owned(), summary.to_owned())]
}

fn warning(at: &str, summary: &str) -> Vec<(Severity, String, String)> {
    vec![(Severity::Warning, at.to_owned(), summary.to_owned())]
}

#[test]
fn a_plan_is_held_against_the_brokers_that_there_will_be() {
    let mut auto = planned(None, Topic { replication_factor: Attr::unknown(), ..topic(1, 1, &[("min.insync.replicas", "2")]) });
    auto.config.replication_factor = Attr::Null;
    super::plan::against_brokers(&mut auto, 1);
    assert_eq!(auto.planned.replication_factor, Attr::Known(1));
    assert_eq!(said(&auto), error("config[\"min.insync.replicas\"]", "More in-sync replicas than replicas"));
    let mut open = planned(None, Topic { replication_factor: Attr::unknown(), ..topic(1, 1, &[]) });
    open.config.replication_factor = Attr::unknown();
    super::plan::against_brokers(&mut open, 3);
    assert!(open.planned.replication_factor.is_unknown(), "it is set, and known only at apply");
    let mut many = planned(None, topic(1, 4, &[]));
    super::plan::against_brokers(&mut many, 3);
    assert_eq!(said(&many), error("replication_factor", "More replicas than brokers"));
}

#[test]
fn what_cannot_be_is_refused_at_plan() {
    let fewer = planned(Some(topic(3, 1, &[])), topic(2, 1, &[("retention.ms", "5")]));
    assert_eq!(said(&fewer), error("partitions", "Partitions cannot be removed"));
    let kept = Topic { deletion_protection: Attr::Known(true), ..topic(3, 1, &[]) };
    let renamed = planned(Some(kept.clone()), Topic { name: Attr::Known("b".into()), ..topic(1, 1, &[]) });
    assert_eq!(said(&renamed), error("deletion_protection", "The topic is protected"));
    assert!(super::resource::guard(&kept).is_err());
    let misspelt = planned(None, topic(1, 1, &[("retention.msec", "5")]));
    assert_eq!(said(&misspelt), warning("config[\"retention.msec\"]", "A setting that topics do not have"));
    assert!(misspelt.diagnostics.iter().all(|d| d.text().contains("\"retention.ms\"")));
}

#[tokio::test(start_paused = true)]
async fn the_live_cluster_checks_a_create_at_plan_and_nothing_is_written() {
    let (kafka, _) = fresh(false, Some(&topic(1, 3, &[]))).await;
    let changes = kafka.changes();
    let mut there = planned(None, topic(1, 3, &[]));
    check_create(&kafka.admin(), &mut there, None, false).await.unwrap();
    assert_eq!(said(&there), warning("name", "The topic exists already"));
    let mut replaced = planned(None, topic(1, 3, &[]));
    check_create(&kafka.admin(), &mut replaced, None, true).await.unwrap();
    assert_eq!(said(&replaced), []);
    let other = |factor, entries: &[(&str, &str)]| Topic { name: Attr::Known("b".into()), ..topic(1, factor, entries) };
    let mut bad = planned(None, other(3, &[("retention.ms", "soon")]));
    check_create(&kafka.admin(), &mut bad, None, false).await.unwrap();
    assert_eq!(said(&bad), error("config", "Could not create topic \"b\""));
    let mut alone = planned(None, other(1, &[]));
    check_create(&kafka.admin(), &mut alone, None, false).await.unwrap();
    assert_eq!(said(&alone), warning("replication_factor", "Writes with acks=all will be refused"));
    let mut growing = planned(None, other(5, &[]));
    check_create(&kafka.admin(), &mut growing, Some(5), false).await.unwrap();
    assert_eq!(said(&growing), []);
    assert_eq!(kafka.changes(), changes);
}

#[tokio::test(start_paused = true)]
async fn a_change_says_at_plan_what_it_does_to_records() {
    let compacted = topic(1, 1, &[("cleanup.policy", "compact")]);
    let (kafka, state) = fresh(false, Some(&compacted)).await;
    let mut grown = planned(state.clone(), topic(2, 1, &[("cleanup.policy", "compact")]));
    let prior = state.unwrap();
    check_update(&kafka.admin(), &mut grown, &prior, None).await.unwrap();
    assert_eq!(said(&grown), warning("partitions", "Keys will go to other partitions"));
    let mut more = planned(Some(prior.clone()), topic(1, 3, &[]));
    check_update(&kafka.admin(), &mut more, &prior, None).await.unwrap();
    assert_eq!(said(&more), warning("replication_factor", "Replicas will be moved"));
    let old = FakeKafka::release_2_2(3);
    let mut more = planned(Some(prior.clone()), topic(1, 3, &[]));
    check_update(&old.admin(), &mut more, &prior, None).await.unwrap();
    assert_eq!(said(&more), error("replication_factor", "The brokers are too old to change the number of replicas"));
}
