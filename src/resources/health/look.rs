//! Asks brokers, members and Kubernetes for everything that health is judged by. Network.

use super::judge::{Figures, Seen};
use crate::kafka::{Admin, ClusterView, LogDir};
use crate::kubernetes::{Failure, Key, Kind};
use crate::resources::workload::pod::revision;
use crate::stack::site::{Endpoints, Site};
use crate::zookeeper::{Answer, Mode, mntr, srvr};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long brokers, and each member, may take to answer: one that hangs must not use up the whole read.
const ANSWER: Duration = Duration::from_secs(10);

/// Looks at everything at once.
///
/// # Errors
/// When Kubernetes does not answer; what brokers and members do not say is part of what is seen.
pub async fn look(site: &Site) -> Result<Seen, Failure> {
    let site = Site { admin: site.admin.clone().until(Instant::now() + ANSWER), ..site.clone() };
    let figures = async {
        match &site.ensemble {
            Some(ensemble) => figures(ensemble).await,
            None => BTreeMap::new(),
        }
    };
    let (facts, outdated, figures) = tokio::join!(site.look(), outdated(&site), figures);
    let (facts, outdated) = (facts?, outdated?);
    let (mut min_insync, mut disks) = (BTreeMap::new(), BTreeMap::new());
    if let Ok((view, topics)) = &facts.kafka {
        let (needed, found) = tokio::join!(site.admin.min_insync(topics), disks_of(&site.admin, view));
        // What cannot be asked is left out: then one replica in sync counts as enough.
        (min_insync, disks) = (needed.unwrap_or_default(), found);
    }
    Ok(Seen { facts, min_insync, disks, outdated, figures })
}

/// The pods whose revision is not the one that their StatefulSet wants.
async fn outdated(site: &Site) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for Endpoints { namespace, name, selector, .. } in site.workloads() {
        let key = Key::new(Kind::StatefulSet, namespace, name);
        let (set, pods) =
            tokio::try_join!(site.kubernetes.get(&key), site.kubernetes.list(Kind::Pod, Some(namespace), selector))?;
        let Some(set) = set else { continue };
        let wanted = set.text("/status/updateRevision");
        found.extend(
            pods.iter().filter(|pod| pod.is_owned_by(set.uid()) && revision(pod) != wanted).map(|pod| pod.name().to_owned()),
        );
    }
    Ok(found)
}

async fn disks_of(admin: &Admin, view: &ClusterView) -> BTreeMap<i32, Result<Vec<LogDir>, String>> {
    let ask = async |id: i32| (id, admin.log_dirs(id).await.map_err(|error| error.to_string()));
    join_all(view.brokers.iter().map(|broker| ask(broker.id))).await.into_iter().collect()
}

/// Members that do not answer are left out: that they are out of the quorum is seen elsewhere.
async fn figures(ensemble: &Endpoints) -> BTreeMap<String, Figures> {
    let ask = async |host: &String| Some((host.split('.').next()?.to_owned(), figures_of(ensemble, host).await?));
    join_all(ensemble.hosts.iter().map(ask)).await.into_iter().flatten().collect()
}

async fn figures_of(ensemble: &Endpoints, host: &str) -> Option<Figures> {
    let dial = async || tokio::time::timeout(ANSWER, ensemble.dialer.dial(host, ensemble.port)).await.ok()?.ok();
    let told = srvr(dial().await?.stream, ANSWER).await.ok()?.serving()?;
    // Only the leader knows its followers, and only where `mntr` is allowed.
    let synced_followers = match told.mode {
        Mode::Leader => match dial().await {
            Some(dialed) => mntr(dialed.stream, ANSWER).await.ok().and_then(Answer::serving).and_then(|m| m.synced_followers()),
            None => None,
        },
        _ => None,
    };
    Some(Figures { outstanding: Some(told.outstanding), synced_followers: synced_followers.map(u64::from) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{NewTopic, Topic};
    use crate::testing::fake_kafka::FakeKafka;

    async fn with_a_topic(kafka: &FakeKafka) -> (ClusterView, Vec<Topic>) {
        let admin = kafka.admin();
        let new = NewTopic { name: "orders".into(), partitions: 2, replication_factor: 3, ..NewTopic::default() };
        admin.create_topic(&new, false).await.unwrap();
        (admin.cluster().await.unwrap(), admin.topics(None).await.unwrap())
    }

    #[tokio::test]
    async fn each_broker_tells_of_its_own_disks() {
        let kafka = FakeKafka::new(3);
        let (view, topics) = with_a_topic(&kafka).await;
        kafka.set_disk(1, 1000, 9);
        let disks = disks_of(&kafka.admin(), &view).await;
        let of = |id: i32| disks[&id].as_ref().unwrap()[0].clone();
        assert_eq!((of(1).bytes, of(1).total, of(1).usable), (20, Some(1000), Some(9)));
        assert_eq!(of(2).usable, Some(500));
        assert_eq!(kafka.admin().min_insync(&topics).await.unwrap(), [("orders".to_owned(), 2)].into());
    }

    #[tokio::test]
    async fn an_old_broker_tells_no_size_of_its_disk() {
        let kafka = FakeKafka::release_2_2(3);
        let (view, _) = with_a_topic(&kafka).await;
        let disks = disks_of(&kafka.admin(), &view).await;
        let dir = &disks[&0].as_ref().unwrap()[0];
        assert_eq!((dir.bytes, dir.total, dir.usable, dir.online), (20, None, None, true));
    }

    #[tokio::test]
    async fn a_broker_that_refuses_is_a_reason_and_no_error() {
        use crate::testing::fake_kafka::{Fault, When};
        let kafka = FakeKafka::new(3);
        let (view, _) = with_a_topic(&kafka).await;
        kafka.fault(When::Every(35), Fault::Code(31));
        assert!(disks_of(&kafka.admin(), &view).await.values().all(Result::is_err));
    }
}
