//! Watches a stack while it is drilled: the drill's topic, the controller, the members, the pods, each as often as makes sense.
//! Network.

use super::load::Clock;
use super::recording::{MemberSample, PartitionSample, Sample};
use crate::kafka::{Limits, Partition, Topic};
use crate::kubernetes::Kind;
use crate::stack::facts::Pod;
use crate::stack::site::Site;
use crate::zookeeper::Mode;
use futures::StreamExt;
use futures::stream::select_all;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two looks at the topic.
const TOPIC: Duration = Duration::from_millis(200);
/// Between two looks at the members.
const MEMBERS: Duration = Duration::from_millis(500);
/// Without a change a sample is kept as often as this, in milliseconds.
const STEADY: u64 = 1000;

/// A stack as it was seen last.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What a recording keeps.
    pub sample: Sample,
    /// The pods.
    pub pods: Vec<Pod>,
}

/// A watch over a stack; it ends when it is dropped.
pub struct Monitor {
    seen: watch::Receiver<Seen>,
    kept: Arc<Mutex<Vec<Sample>>>,
    _tasks: JoinSet<()>,
}

/// Where looks are put together.
#[derive(Clone)]
struct Board {
    seen: watch::Sender<Seen>,
    kept: Arc<Mutex<Vec<Sample>>>,
    clock: Clock,
}

impl Board {
    fn update(&self, change: impl FnOnce(&mut Seen)) {
        let at = self.clock.now();
        self.seen.send_modify(|seen| {
            change(seen);
            seen.sample.at = at;
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |last: &Sample| Sample { at, ..last.clone() } == seen.sample && at - last.at < STEADY;
            if !kept.last().is_some_and(same) {
                kept.push(seen.sample.clone());
            }
        });
    }
}

impl Monitor {
    /// Starts to watch.
    pub fn start(site: &Site, topic: &str, clock: Clock) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let board = Board { seen: sender, kept: Arc::default(), clock };
        let kept = board.kept.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(watch_topic(site.clone(), topic.to_owned(), board.clone()));
        tasks.spawn(watch_members(site.clone(), board.clone()));
        tasks.spawn(watch_pods(site.clone(), board));
        Self { seen, kept, _tasks: tasks }
    }

    /// What was seen last.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits for the next look, and gives what it saw.
    pub async fn next(&mut self) -> Seen {
        // The tasks hold the sender, and never end by themselves.
        let _ = self.seen.changed().await;
        self.seen.borrow_and_update().clone()
    }

    /// Every sample that was kept.
    pub fn samples(self) -> Vec<Sample> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn watch_topic(site: Site, topic: String, board: Board) {
    let second = Duration::from_secs(1);
    let admin = site.admin.with_limits(Limits { dial: second, read: second, write: second, routing: second });
    loop {
        let view = admin.view(&[&topic]).await.ok();
        board.update(|seen| {
            let topics = view.as_ref().map(|(_, topics)| topics.as_slice()).unwrap_or_default();
            seen.sample.controller = view.as_ref().and_then(|(cluster, _)| cluster.controller);
            seen.sample.partitions = topics.first().map(partitions).unwrap_or_default();
        });
        tokio::time::sleep(TOPIC).await;
    }
}

fn partitions(topic: &Topic) -> Vec<PartitionSample> {
    let sample = |one: &Partition| PartitionSample {
        index: one.index,
        leader: one.leader,
        isr: one.isr.clone(),
        replicas: one.replicas.clone(),
    };
    topic.partitions.iter().map(sample).collect()
}

async fn watch_members(site: Site, board: Board) {
    let Some(ensemble) = site.ensemble else { return };
    loop {
        let modes = ensemble.modes().await;
        let sample = |(pod, mode): (String, Result<Mode, String>)| MemberSample { pod, role: role(mode.ok()).to_owned() };
        let members = modes.into_iter().map(sample).collect();
        board.update(|seen| seen.sample.zookeeper = members);
        tokio::time::sleep(MEMBERS).await;
    }
}

fn role(mode: Option<Mode>) -> &'static str {
    mode.map_or("down", Mode::name)
}

async fn watch_pods(site: Site, board: Board) {
    let watch = |one: &crate::stack::site::Endpoints| site.kubernetes.watch(Kind::Pod, &one.namespace, &one.selector);
    let mut changes = select_all(site.workloads().map(watch));
    while changes.next().await.is_some() {
        let mut pods = Vec::new();
        for workload in site.workloads() {
            match workload.pods(&site.kubernetes).await {
                Ok(more) => pods.extend(more),
                Err(failure) => tracing::debug!("the drill does not see pods: {failure}"),
            }
        }
        board.update(|seen| {
            seen.sample.not_ready = pods.iter().filter(|pod| !pod.ready).map(|pod| pod.name.clone()).collect();
            seen.pods = pods;
        });
    }
}
