//! Asks brokers, members and Kubernetes for everything that health is judged by. Network.

use super::judge::{Figures, Seen};
use crate::drill::look::{Site, Workload};
use crate::kafka::{Admin, ClusterView, LogDir, Source, Topic};
use crate::kubernetes::{Failure, Key, Kind};
use crate::resources::workload::roll::revision;
use crate::zookeeper::{Mode, mntr, srvr};
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
        (min_insync, disks) = tokio::join!(min_insync_of(&site.admin, topics), disks_of(&site.admin, view));
    }
    Ok(Seen { facts, min_insync, disks, outdated, figures })
}

/// The pods whose revision is not the one that their StatefulSet wants.
async fn outdated(site: &Site) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for Workload { namespace, name, selector, .. } in site.workloads() {
        let key = Key::new(Kind::StatefulSet, namespace, name);
        let (set, pods) =
            tokio::try_join!(site.kubernetes.get(&key), site.kubernetes.list(Kind::Pod, Some(namespace), selector))?;
        let Some(set) = set else { continue };
        let wanted = set.text("/status/updateRevision");
        found.extend(pods.iter().filter(|pod| revision(pod) != wanted).map(|pod| pod.name().to_owned()));
    }
    Ok(found)
}

/// What cannot be asked is left out: then one replica in sync counts as enough.
async fn min_insync_of(admin: &Admin, topics: &[Topic]) -> BTreeMap<String, usize> {
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let found = admin.topic_configs(&names).await.unwrap_or_default();
    let needed = |entries: Vec<crate::kafka::ConfigEntry>| {
        let entry = entries.into_iter().find(|entry| entry.name == "min.insync.replicas" && entry.source != Source::Other(-1));
        entry?.value?.parse().ok()
    };
    found.into_iter().filter_map(|(name, entries)| Some((name, needed(entries)?))).collect()
}

async fn disks_of(admin: &Admin, view: &ClusterView) -> BTreeMap<i32, Result<Vec<LogDir>, String>> {
    let ask = async |id: i32| (id, admin.log_dirs(id).await.map_err(|error| error.to_string()));
    join_all(view.brokers.iter().map(|broker| ask(broker.id))).await.into_iter().collect()
}

/// Members that do not answer are left out: that they are out of the quorum is seen elsewhere.
async fn figures(ensemble: &Workload) -> BTreeMap<String, Figures> {
    let ask = async |host: &String| Some((host.split('.').next()?.to_owned(), figures_of(ensemble, host).await?));
    join_all(ensemble.hosts.iter().map(ask)).await.into_iter().flatten().collect()
}

async fn figures_of(ensemble: &Workload, host: &str) -> Option<Figures> {
    let dial = async || tokio::time::timeout(ANSWER, ensemble.dialer.dial(host, ensemble.port)).await.ok()?.ok();
    let told = srvr(dial().await?.stream, ANSWER).await.ok()?.serving()?;
    // Only the leader knows its followers, and only where `mntr` is allowed.
    let synced_followers = match told.mode {
        Mode::Leader => match dial().await {
            Some(dialed) => mntr(dialed.stream, ANSWER).await.ok().and_then(|a| a.serving()).and_then(|m| m.synced_followers()),
            None => None,
        },
        _ => None,
    };
    Some(Figures { outstanding: Some(told.outstanding), synced_followers })
}
