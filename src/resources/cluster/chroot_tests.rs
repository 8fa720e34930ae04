//! Two clusters, and what others left, in one chroot: over servers in this process.

use crate::dial::{DialError, Dialed, Dialer};
use crate::kubernetes::object::Kind;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::value::Value;
use crate::stack::{Access, Stack};
use crate::testing::core::{Core, config};
use crate::testing::faults::Faults;
use crate::testing::world::{Pods, World, cluster, ensemble, made, world};
use crate::zookeeper::session::tests::Ensemble;
use futures::future::BoxFuture;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A cluster of this name, in this chroot of the ensemble `prod/zk`.
fn named<'a>(stack: &'a Stack, name: &str, chroot: &str) -> (Core<'a>, Value) {
    let (resource, mut set) = cluster();
    set["name"] = name.into();
    set["zookeeper"] = json!({"connection": "zk-0.zk-headless.prod.svc:2181", "chroot": chroot});
    let wanted = config(&*resource, set);
    (Core::new(resource, stack), wanted)
}

fn summaries(said: &Diagnostics) -> Vec<&str> {
    said.iter().map(|said| &*said.summary).collect()
}

fn sets(world: &World) -> Vec<String> {
    world.kubernetes.all(Kind::StatefulSet).iter().map(|set| set.name().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_second_cluster_in_a_chroot_is_refused_and_one_beside_it_is_not() {
    let world = world(Faults::none());
    made(&world, ensemble()).await;
    let (mut first, wanted) = named(&world.stack, "kafka", "/kafka");
    assert!(!first.apply(&wanted).await.has_errors());
    let (mut second, other) = named(&world.stack, "other", "/kafka");
    assert!(summaries(&second.plan(&other).await.diagnostics).contains(&"Another cluster lives in this chroot"));
    let said = second.apply(&other).await;
    assert!(said.has_errors() && summaries(&said).contains(&"Another cluster lives in this chroot"), "{said:?}");
    assert_eq!(sets(&world), ["kafka", "zk"]);
    assert!(!second.destroy().await.has_errors());
    let (mut beside, wanted) = named(&world.stack, "beside", "/beside");
    assert!(!beside.apply(&wanted).await.has_errors());
}

#[tokio::test(start_paused = true)]
async fn one_that_was_refused_is_not_in_the_way_of_the_first_when_that_is_made_again() {
    let world = world(Faults::none());
    made(&world, ensemble()).await;
    let (mut first, wanted) = named(&world.stack, "kafka", "/kafka");
    assert!(!first.apply(&wanted).await.has_errors());
    let (mut second, other) = named(&world.stack, "other", "/kafka");
    assert!(second.apply(&other).await.has_errors());
    assert!(!first.destroy().await.has_errors());
    let said = first.apply(&wanted).await;
    assert!(!said.has_errors(), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_are_made_at_once_in_a_chroot_one_comes_to_life() {
    let world = world(Faults::none());
    made(&world, ensemble()).await;
    let (mut first, one) = named(&world.stack, "kafka", "/kafka");
    let (mut second, two) = named(&world.stack, "other", "/kafka");
    let (first, second) = tokio::join!(first.apply(&one), second.apply(&two));
    assert_ne!(first.has_errors(), second.has_errors(), "{first:?} {second:?}");
    assert_eq!(sets(&world).len(), 2);
}

/// Pods beside an ensemble that holds something.
struct Lodged(Pods, Ensemble);

impl Dialer for Lodged {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        match port {
            2181 => self.1.dial(host.split('.').next().unwrap_or_default(), port),
            _ => self.0.dial(host, port),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_of_others_in_the_chroot_are_waited_for_and_then_refused() {
    for goes in [false, true] {
        let (world, zookeeper) = (world(Faults::none()), Ensemble::new());
        let mut session = zookeeper.open().await;
        session.create("/kafka/brokers/ids/0", b"{}").await.unwrap();
        session.create("/kafka/cluster/id", br#"{"version":"1","id":"old"}"#).await.unwrap();
        let access = Access::Through(Arc::new(Lodged(Pods(world.kafka.clone()), zookeeper)));
        let stack = Stack::new(world.kubernetes.impatient(), access, vec![]);
        let (mut core, wanted) = named(&stack, "kafka", "/kafka");
        let later = async {
            tokio::time::sleep(Duration::from_secs(18)).await;
            if goes {
                session.delete("/kafka/brokers/ids/0").await.unwrap();
            }
        };
        let (said, ()) = tokio::join!(core.apply(&wanted), later);
        assert_eq!(said.has_errors(), !goes, "{said:?}");
        if goes {
            assert_eq!(summaries(&said), ["Metadata of an earlier cluster is used again"]);
            // Over its own kept claims there is nothing to say.
            assert!(!core.destroy().await.has_errors());
            assert_eq!(summaries(&core.apply(&wanted).await), ["Kept data is used again"]);
        } else {
            assert_eq!(summaries(&said), ["Brokers of another cluster live in this chroot"]);
            assert_eq!(sets(&world), [""; 0]);
        }
    }
}
