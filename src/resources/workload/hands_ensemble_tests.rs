//! What hands of others do to an ensemble that clusters use: over servers in this process.

use super::hands_tests::{core_settles, key, summaries, with};
use crate::kubernetes::object::Kind;
use crate::plugin::value::Value;
use crate::testing::core::{Core, config};
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, world};
use serde_json::json;

fn open() -> serde_json::Value {
    json!({"deletion_protection": false})
}

/// An ensemble, what was wanted of it, and a cluster that uses it.
async fn in_use(world: &World) -> (Core<'_>, Value, Core<'_>) {
    let (zookeeper, wanted) = made(world, with(ensemble(), &open())).await;
    let connection = zookeeper.state.as_ref().unwrap().value.get("connection").clone();
    let connection = json!({"zookeeper": {"connection": connection.as_str().unwrap(), "chroot": "/kafka"}});
    let (kafka, _) = made(world, with(cluster(), &connection)).await;
    (zookeeper, wanted, kafka)
}

/// A destroy is refused for the cluster that uses it, before the first write.
async fn stays(world: &World, zookeeper: &mut Core<'_>) {
    let writes = world.kubernetes.writes();
    let said = zookeeper.destroy().await;
    assert!(said.iter().any(|d| d.summary == "The ensemble is in use" && d.text().contains("prod/kafka")), "{said:?}");
    assert_eq!(world.kubernetes.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn an_ensemble_does_not_go_before_the_clusters_that_use_it() {
    let world = world(Faults::none());
    let (mut zookeeper, wanted, mut kafka) = in_use(&world).await;
    stays(&world, &mut zookeeper).await;
    // The ensemble's own later writes forget nobody.
    let (_, mut set) = with(ensemble(), &open());
    set["labels"] = json!({"team": "b"});
    assert!(!zookeeper.apply(&config(&*zookeeper.resource, set)).await.has_errors());
    assert!(zookeeper.destroy().await.has_errors());
    assert!(!zookeeper.apply(&wanted).await.has_errors());
    // One that is gone counts no more.
    assert!(!kafka.destroy().await.has_errors());
    let said = zookeeper.destroy().await;
    assert!(!said.has_errors(), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ensemble_whose_anchor_was_deleted_does_not_go_before_its_clusters_either() {
    let world = world(Faults::none());
    let (mut zookeeper, wanted, mut kafka) = in_use(&world).await;
    for written_again in [false, true] {
        world.kubernetes.remove(&key(Kind::ConfigMap, "zk-kafkastack"));
        if written_again {
            core_settles(&mut zookeeper, &wanted).await;
        }
        stays(&world, &mut zookeeper).await;
    }
    assert!(!kafka.destroy().await.has_errors());
    let said = zookeeper.destroy().await;
    assert!(!said.has_errors(), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn an_ensemble_is_held_by_a_cluster_whose_anchor_is_gone() {
    let world = world(Faults::none());
    let (mut zookeeper, ..) = in_use(&world).await;
    world.kubernetes.remove(&key(Kind::ConfigMap, "kafka-kafkastack"));
    assert!(zookeeper.destroy().await.has_errors());
}

#[tokio::test(start_paused = true)]
async fn another_ensemble_is_refused_unless_it_holds_this_clusters_metadata() {
    let world = world(Faults::none());
    let (core, _) = made(&world, cluster()).await;
    let planned = async |connection: &str| {
        let more = json!({"zookeeper": {"connection": connection, "chroot": "/kafka"}});
        core.plan(&config(&*core.resource, with(cluster(), &more).1)).await.diagnostics
    };
    let said = planned("other-0.other-headless.prod.svc:2181").await;
    assert_eq!(summaries(&said), ["The cluster's metadata is in another ensemble"]);
    assert!(said.iter().next().unwrap().text().contains("zk-0.zk:2181"));
    // More members of the same one.
    assert!(!planned("zk-0.zk:2181,zk-1.zk:2181").await.has_errors());
}
