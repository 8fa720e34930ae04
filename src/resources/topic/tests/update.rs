//! Updates that brokers answer in other words than they were told, and updates that stop on their way.

use super::*;
use crate::plugin::value::Value;
use crate::resources::topic::update::Stopped;
use crate::testing::core::{Core, config as configuration, resource};
use crate::testing::fake_kafka::Down;
use crate::testing::faults::Faults;
use crate::testing::world;
use serde_json::json;

const KINDS: [fn(i32) -> FakeKafka; 3] = [FakeKafka::release_2_2, FakeKafka::new, FakeKafka::kraft];
/// IncrementalAlterConfigs and, for 2.2, AlterConfigs.
const ALTER: [i16; 2] = [44, 33];
const REASSIGN: i16 = 45;

/// How often brokers were told settings.
fn told(kafka: &FakeKafka) -> usize {
    kafka.requests().iter().filter(|seen| ALTER.contains(&seen.api)).count()
}

async fn made(kafka: &FakeKafka, wanted: &Topic) -> Topic {
    apply(kafka, None, wanted).await.unwrap()
}

async fn stops(run: &Run<'_>, prior: &Topic, planned: &Topic) -> Stopped {
    *run.update(prior, planned).await.unwrap_err()
}

fn own(kafka: &FakeKafka) -> BTreeMap<String, String> {
    kafka.topic("a").unwrap().configs
}

#[tokio::test(start_paused = true)]
async fn every_spelling_that_brokers_read_is_written_once_and_is_no_drift() {
    let spellings = [
        ("cleanup.policy", "compact, delete"),
        ("min.cleanable.dirty.ratio", "0.50"),
        ("min.cleanable.dirty.ratio", "5e-1"),
        ("min.cleanable.dirty.ratio", "0.0001"),
        ("preallocate", "TRUE"),
        ("retention.ms", "0604800000"),
        ("retention.ms", "+5"),
        ("unclean.leader.election.enable", "False"),
        ("leader.replication.throttled.replicas", "0:1, 0:2"),
        ("compression.type", " gzip "),
    ];
    for (kind, (key, value)) in KINDS.into_iter().flat_map(|kind| spellings.map(|spelling| (kind, spelling))) {
        let kafka = kind(3);
        let prior = made(&kafka, &topic(1, 1, &[])).await;
        let (begun, wanted) = (Instant::now(), topic(1, 1, &[(key, value)]));
        let state = apply(&kafka, Some(prior), &wanted).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{key} = {value:?}: {:?}", begun.elapsed());
        assert_eq!(told(&kafka), 1, "{key} = {value:?}");
        assert_eq!(refresh(&kafka, state.clone()).await, state, "{key} = {value:?}");
        apply(&kafka, state, &wanted).await;
        let anew = kind(3);
        let state = Some(made(&anew, &wanted).await);
        assert_eq!(refresh(&anew, state.clone()).await, state, "{key} = {value:?}: made so");
        apply(&anew, state, &wanted).await;
        assert_eq!((told(&kafka), told(&anew)), (1, 0), "{key} = {value:?}: a write though nothing changed");
        assert!(!own(&kafka)[key].contains(", ") && !own(&anew)[key].contains(", "));
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_write_that_changes_nothing_ends_the_update_within_seconds_and_names_the_spelling() {
    for kind in KINDS {
        let kafka = kind(3);
        // A setting whose type nobody here knows.
        let prior = made(&kafka, &topic(1, 1, &[("confluent.value.schema.validation", "true")])).await;
        let (begun, wanted) = (Instant::now(), topic(1, 1, &[("confluent.value.schema.validation", "TRUE")]));
        let stopped = stops(&run(kafka.admin()), &prior, &wanted).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(told(&kafka), 1);
        let detail = stopped.why.text();
        assert!(
            detail.contains(r#""confluent.value.schema.validation" was written as "TRUE" and is shown as "true""#),
            "{detail}"
        );
        assert!(detail.contains(r#"config = { "confluent.value.schema.validation" = "true" }"#), "{detail}");
        assert_eq!(stopped.state.config, config(&[("confluent.value.schema.validation", "true")]));
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_with_a_mind_of_their_own_are_told_once_and_named() {
    let kafka = FakeKafka::new(3);
    let prior = made(&kafka, &topic(1, 1, &[("segment.ms", "5")])).await;
    kafka.pin("retention.ms", "1000");
    let (begun, wanted) = (Instant::now(), topic(1, 1, &[("segment.ms", "6"), ("retention.ms", "2000")]));
    let stopped = stops(&run(kafka.admin()), &prior, &wanted).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "a third value is not waited for: {:?}", begun.elapsed());
    assert_eq!(told(&kafka), 1);
    assert!(stopped.why.text().contains(r#""retention.ms" was written as "2000" and is shown as "1000""#), "{stopped:?}");
    assert!(!stopped.why.text().contains("segment.ms"), "{stopped:?}");
    assert_eq!(stopped.state.config, config(&[("retention.ms", "1000"), ("segment.ms", "6")]));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_behind_is_waited_for_and_told_once() {
    let kafka = FakeKafka::kraft(3);
    let prior = made(&kafka, &topic(1, 1, &[("segment.ms", "5")])).await;
    kafka.set_lag(Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let made = run(kafka.admin()).update(&prior, &topic(1, 1, &[("retention.ms", "7")])).await.unwrap();
    assert_eq!((made.seen.unwrap().own("retention.ms"), told(&kafka)), (Some("7"), 1));
    assert_eq!(own(&kafka).keys().collect::<Vec<_>>(), ["retention.ms"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_stopped_update_wrote_is_in_its_state_and_its_removal_is_planned() {
    let kafka = FakeKafka::new(3);
    let prior = made(&kafka, &topic(1, 3, &[("segment.ms", "5"), ("flush.ms", "7")])).await;
    kafka.fault(When::Every(REASSIGN), Fault::Code(29));
    let wanted = topic(1, 2, &[("segment.ms", "5"), ("preallocate", "TRUE"), ("cleanup.policy", "compact, delete")]);
    let Stopped { why, state } = stops(&run(kafka.admin()), &prior, &wanted).await;
    assert!(why.summary.contains("Could not change"), "{why:?}");
    let kept = state.config.known().unwrap();
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["cleanup.policy", "preallocate", "segment.ms"]);
    assert_eq!((kept["preallocate"].as_str(), state.replication_factor.clone()), ("TRUE", Attr::Known(3)));
    // Written out again, they go.
    run(kafka.admin()).update(&state, &topic(1, 3, &[("segment.ms", "5")])).await.unwrap();
    assert_eq!(own(&kafka).keys().collect::<Vec<_>>(), ["segment.ms"]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_wrote_nothing_leaves_the_state_as_it_was() {
    let kafka = FakeKafka::new(3);
    let prior = made(&kafka, &topic(1, 1, &[("segment.ms", "5")])).await;
    kafka.edit("a", |topic| drop(topic.as_mut().unwrap().configs.insert("retention.ms".to_owned(), "9".to_owned())));
    let Stopped { state, .. } = stops(&run(kafka.admin()), &prior, &topic(1, 1, &[("retention.ms", "soon")])).await;
    assert_eq!(state, prior, "what somebody else set is not taken for ours");
}

#[tokio::test(start_paused = true)]
async fn an_update_out_of_time_says_what_it_waits_for_and_keeps_what_it_wrote() {
    let kafka = FakeKafka::new(3);
    let prior = made(&kafka, &topic(1, 3, &[("segment.ms", "5")])).await;
    // Nobody moves the replicas.
    let run = run_for(kafka.admin(), Duration::from_secs(20));
    let begun = Instant::now();
    let Stopped { why, state } = stops(&run, &prior, &topic(1, 2, &[("retention.ms", "9")])).await;
    assert!(begun.elapsed() < Duration::from_secs(25));
    assert!(why.text().contains("the time is up; 1 partition(s) still move"), "{why:?}");
    assert_eq!(state.config, config(&[("retention.ms", "9")]));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_in_the_state_when_nobody_can_be_asked_any_more() {
    let kafka = FakeKafka::new(3);
    let prior = made(&kafka, &topic(1, 3, &[("segment.ms", "5")])).await;
    let (run, brokers) = (run(kafka.admin()), kafka.clone());
    let cut = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        (0..3).for_each(|broker| brokers.set_down(broker, Some(Down::Refused)));
    });
    let Stopped { state, .. } = stops(&run, &prior, &topic(1, 2, &[("retention.ms", "9")])).await;
    cut.await.unwrap();
    assert_eq!(state.config, config(&[("retention.ms", "9"), ("segment.ms", "5")]), "what may still be there as well");
}

#[tokio::test(start_paused = true)]
async fn core_keeps_what_a_failed_apply_wrote_and_takes_it_back() {
    let world = world::world(Faults::none());
    world::made(&world, world::cluster()).await;
    let mut core = Core::new(resource("topic"), &world.stack);
    let wanted = |settings: serde_json::Value| -> Value {
        let whole = json!({"name": "a", "cluster": "prod/kafka", "replication_factor": 1, "config": settings});
        configuration(&*resource("topic"), whole)
    };
    let first = wanted(json!({"segment.ms": "5"}));
    let second = wanted(json!({"retention.ms": "05", "confluent.value.schema.validation": "TRUE"}));
    let third = wanted(json!({"segment.ms": "6"}));
    assert!(!core.apply(&first).await.has_errors());
    assert!(core.apply(&second).await.has_errors());
    let kept = core.state.as_ref().unwrap().value.get("config").clone();
    assert_eq!(kept.get("retention.ms"), &Value::from("05"));
    assert_eq!(kept.get("confluent.value.schema.validation"), &Value::from("true"));
    let said = core.apply(&third).await;
    assert!(!said.has_errors(), "{said:?}");
    assert!(core.is_settled(&third).await);
    assert_eq!(world.kafka.topic("a").unwrap().configs.keys().collect::<Vec<_>>(), ["segment.ms"]);
}
