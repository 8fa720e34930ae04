//! Two runs at once on one workload: over servers in this process.

use crate::kubernetes::object::Kind;
use crate::plugin::diagnostic::{Diagnostics, Severity};
use crate::plugin::value::Value;
use crate::testing::core::{Core, config};
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{SUBJECTS, Subject, World, made, script, settles, world};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn labelled((resource, mut set): Subject, team: &str) -> (Value, Subject) {
    set["labels"] = json!({"team": team});
    (config(&*resource, set.clone()), (resource, set))
}

fn refused(said: &Diagnostics) {
    let summaries: Vec<&str> = said.iter().filter(|said| said.severity == Severity::Error).map(|said| &*said.summary).collect();
    assert_eq!(summaries, ["Another run is at work on it"], "{said:?}");
}

/// The anchor as it is, but for what shows that a run lives.
fn specified(world: &World) -> Vec<String> {
    let anchors = world.kubernetes.all(Kind::ConfigMap);
    anchors.iter().map(|anchor| format!("{} {}", anchor.text("/data/phase"), anchor.text("/data/spec"))).collect()
}

#[tokio::test(start_paused = true)]
async fn of_two_creates_at_once_the_second_is_refused_and_the_first_ends_well() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (wanted, first) = labelled(subject(), "first");
        let (other, second) = labelled(subject(), "second");
        script(&world, &Script::Unschedulable("0/3 nodes are available".to_owned()));
        let (mut first, mut second) = (Core::new(first.0, &world.stack), Core::new(second.0, &world.stack));
        let late = async {
            sleep(Duration::from_secs(5)).await;
            let before = specified(&world);
            refused(&second.apply(&other).await);
            assert_eq!(specified(&world), before);
            assert!(second.state.is_none());
            script(&world, &Script::Ready);
            world.kubernetes.settle();
        };
        let (said, ()) = tokio::join!(first.apply(&wanted), late);
        assert!(said.iter().next().is_none(), "{said:?}");
        assert!(first.is_settled(&wanted).await);
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_change_is_at_work_another_change_and_a_destroy_are_refused() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut first, _) = made(&world, subject()).await;
        let mut second = Core::new(subject().0, &world.stack);
        second.state = first.state.clone();
        let mut set = subject().1;
        set["heap"] = "300m".into();
        let wanted = config(&*first.resource, set);
        let (other, _) = labelled(subject(), "second");
        script(&world, &Script::NotReady);
        let late = async {
            sleep(Duration::from_secs(5)).await;
            let before = specified(&world);
            refused(&second.apply(&other).await);
            refused(&second.destroy().await);
            assert_eq!(specified(&world), before);
            script(&world, &Script::Ready);
            world.kubernetes.settle();
        };
        let (said, ()) = tokio::join!(first.apply(&wanted), late);
        assert!(!said.has_errors(), "{said:?}");
        settles(&mut first, &wanted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_is_followed_after_ten_seconds_and_one_that_failed_at_once() {
    for subject in SUBJECTS {
        for killed in [true, false] {
            let world = world(Faults::none());
            let (mut core, _) = made(&world, subject()).await;
            let (wanted, _) = labelled(subject(), "first");
            if killed {
                script(&world, &Script::NotReady);
                world.kubernetes.settle();
                let mut set = subject().1;
                set["heap"] = "300m".into();
                let changed = config(&*core.resource, set);
                let before = core.state.clone();
                let _ = tokio::time::timeout(Duration::from_secs(7), core.apply(&changed)).await;
                core.state = before;
                script(&world, &Script::Ready);
                world.kubernetes.settle();
            } else {
                world.kubernetes.forbid("patch", Kind::Service);
                assert!(core.apply(&wanted).await.has_errors());
            }
            let begun = Instant::now();
            let mut next = Core::new(subject().0, &world.stack);
            next.state = core.state.clone();
            let said = next.apply(&wanted).await;
            assert!(!summary_of(&said, "Another run"), "{said:?}");
            let watched = begun.elapsed() >= Duration::from_secs(10);
            assert_eq!(watched, killed, "{:?}", begun.elapsed());
        }
    }
}

fn summary_of(said: &Diagnostics, words: &str) -> bool {
    said.iter().any(|said| said.summary.contains(words))
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hung_while_another_one_took_over_stops() {
    for subject in SUBJECTS {
        let world = world(Faults::none());
        let (mut first, _) = made(&world, subject()).await;
        let name = subject().1["name"].as_str().unwrap().to_owned();
        let anchor = crate::stack::names::anchor("prod", &name);
        let (wanted, _) = labelled(subject(), "first");
        // The other one noted its name between this one's first write and its second.
        let once = std::sync::atomic::AtomicBool::new(true);
        let kubernetes = world.kubernetes.clone();
        let of_anchor = anchor.clone();
        let hand = tokio::spawn(async move {
            while once.load(std::sync::atomic::Ordering::SeqCst) {
                let at_work = kubernetes.get(&of_anchor).is_some_and(|found| !found.text("/data/run").is_empty());
                if at_work {
                    kubernetes.edit("other", &of_anchor, "/data/run", json!("another"));
                    once.store(false, std::sync::atomic::Ordering::SeqCst);
                }
                tokio::task::yield_now().await;
            }
        });
        let said = first.apply(&wanted).await;
        hand.await.unwrap();
        assert!(summary_of(&said, "Another run has taken over"), "{said:?}");
        assert_eq!(world.kubernetes.get(&anchor).unwrap().text("/data/run"), "another");
    }
}
