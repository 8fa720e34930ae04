//! What the people who watch a cluster are told of an operation: over servers in this process.

use super::hands_tests::{key, with};
use crate::kubernetes::object::Kind;
use crate::testing::core::{Core, config};
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, world};
use serde_json::json;

fn progress(world: &World, name: &str) -> Option<String> {
    let anchor = world.kubernetes.get(&key(Kind::ConfigMap, &format!("{name}-kafkastack")))?;
    anchor.at("/data/progress").as_str().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_is_told_what_was_made_which_pods_restart_and_how_it_ends() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        let told = world.kubernetes.told().join("\n");
        for line in [&*format!("applied StatefulSet {name}"), "serving: everything is as wanted"] {
            assert!(told.contains(line), "{line}: {told}");
        }
        assert_eq!(progress(&world, name), None, "it has come to its end");
        let before = world.kubernetes.told().len();
        assert!(!core.apply(&wanted).await.has_errors());
        assert_eq!(world.kubernetes.told().len(), before, "nothing is said of an apply that changes nothing");

        let changed = config(&*core.resource, with(subject(), &json!({"heap": "300m"})).1);
        assert!(!core.apply(&changed).await.has_errors());
        let told = world.kubernetes.told()[before..].join("\n");
        for ordinal in 0..3 {
            let line = format!("restarting {name}-{ordinal}, which runs an earlier specification");
            assert!(told.contains(&line), "{line}: {told}");
        }
        let before = world.kubernetes.told().len();
        assert!(!core.destroy().await.has_errors());
        let told = world.kubernetes.told()[before..].join("\n");
        assert!(told.contains(&format!("deleted StatefulSet {name}")), "{told}");
        assert_eq!(world.kubernetes.get(&key(Kind::ConfigMap, &format!("{name}-kafkastack"))), None, "no line makes it anew");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_stands_in_the_anchor_of_a_run_that_was_killed() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    world.kubernetes.script("kafka", Script::NotReady);
    let changed = config(&*core.resource, with(cluster(), &json!({"heap": "300m"})).1);
    let killed = tokio::time::timeout(std::time::Duration::from_secs(20), core.apply(&changed)).await;
    assert!(killed.is_err());
    let line = progress(&world, "kafka").unwrap();
    assert!(line.contains("waiting for: "), "{line}");
    let said = world.kubernetes.told();
    assert!(said.len() <= 10, "at most one line in two seconds: {said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_told_with_its_reason() {
    let world = world(Faults::none());
    world.kubernetes.script("kafka", Script::ImagePull("nowhere".to_owned()));
    made(&world, cluster()).await;
    let told = world.kubernetes.told();
    let last = told.last().unwrap();
    assert!(last.starts_with("NOT SERVING") && last.contains("nowhere"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_events_works_all_the_same() {
    for subject in [ensemble, cluster] {
        let world = world(Faults::none());
        world.kubernetes.forbid("create", Kind::Event);
        let (mut core, wanted) = made(&world, subject()).await;
        let changed = config(&*core.resource, with(subject(), &json!({"heap": "300m"})).1);
        assert!(!core.apply(&changed).await.has_errors());
        assert!(core.is_settled(&changed).await && !core.apply(&wanted).await.has_errors());
        assert!(world.kubernetes.told().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_containers_write_is_said_to_the_user_and_to_nobody_else() {
    let world = world(Faults::none());
    world.kubernetes.script("kafka", Script::CrashLoop { exit_code: 1, restarts: 4 });
    world.kubernetes.log("kafka-0", "sasl password=hunter2 is not valid");
    let (resource, set) = cluster();
    let wanted = config(&*resource, set);
    let said = Core::new(resource, &world.stack).apply(&wanted).await;
    assert!(format!("{said:?}").contains("its last log line: sasl password=hunter2"), "{said:?}");
    let told = world.kubernetes.told().join("\n");
    assert!(told.contains("ended with exit code 1") && !told.contains("hunter2"), "{told}");
    assert!(!world.kubernetes.all(Kind::ConfigMap).iter().any(|object| object.json().to_string().contains("hunter2")));
}
