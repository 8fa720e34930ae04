//! A Kafka cluster in memory, in ZooKeeper or KRaft mode: N brokers behind a `Dialer`, no sockets. Bytes in, bytes out, so that the
//! real client runs unchanged against it.
//!
//! It keeps topics, their settings with defaults and inherited values, ids and reassignments. Writes are the controller's
//! alone (else code 41); other brokers see them `lag` later; a deleted name is refused for `deleting` after. Requests are
//! counted from 1, ApiVersions not among them; a `Fault` strikes one by its number, or each of an API, or a broker.

use crate::dial::{DialError, Dialed, Dialer};
use crate::kafka::api_name;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

mod answers;
mod settings;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes; nothing is done.
    DropBefore,
    /// It is done; the connection closes without the answer.
    DropAfter,
    /// Refused with this code; nothing is done.
    Code(i16),
    /// It is done; the answer has this code all the same, as 7 (REQUEST_TIMED_OUT) does.
    CodeAfter(i16),
    /// Nothing is done, and no answer comes.
    Hang,
    /// It is done, and no answer comes.
    HangAfter,
}

impl Fault {
    /// Whether the request has its effect.
    pub fn applies(self) -> bool {
        matches!(self, Self::DropAfter | Self::CodeAfter(_) | Self::HangAfter)
    }
}

/// Which requests a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The n-th that the cluster gets, from 1.
    Request(usize),
    /// The next of this API, once.
    Next(i16),
    /// Each of this API.
    Every(i16),
    /// Each that this broker gets.
    Broker(i32),
}

/// How a broker that cannot be dialled behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Connection refused; open connections are closed.
    Refused,
    /// The dial works, and the stream is dead, as a port-forward to a closed port.
    Dead,
    /// The dial hangs.
    Hangs,
    /// The dial works, and no answer ever comes: a process that is frozen while its port is open.
    Silent,
}

/// A request that a broker got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who got it.
    pub broker: i32,
    /// Kafka's API key.
    pub api: i16,
    /// The version it was asked in.
    pub version: i16,
    /// Whether it is one that changes things, asked for real.
    pub write: bool,
}

/// A topic as the fake keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeTopic {
    /// Its id; zeros in the mode of an old release.
    pub id: [u8; 16],
    /// Replicas of each partition.
    pub partitions: Vec<Vec<i32>>,
    /// Set on the topic itself.
    pub configs: BTreeMap<String, String>,
}

type Topics = BTreeMap<String, FakeTopic>;

struct State {
    table: Vec<(i16, i16, i16)>,
    brokers: BTreeMap<i32, Option<Down>>,
    unready: BTreeSet<i32>,
    controller: i32,
    /// Every state of the topics with the time it began: brokers look `lag` back.
    history: Vec<(Instant, Topics)>,
    deleting: BTreeMap<String, Instant>,
    lag: Duration,
    deletion: Duration,
    file: BTreeMap<String, String>,
    dynamic: BTreeMap<String, String>,
    /// What becomes of settings of topics, whatever is written.
    pinned: BTreeMap<String, String>,
    moving: BTreeMap<(String, i32), Vec<i32>>,
    /// Size and free part of each broker's volume, in bytes.
    disks: BTreeMap<i32, (i64, i64)>,
    faults: Vec<(When, Fault)>,
    struck: usize,
    seen: Vec<Seen>,
    changes: usize,
    dials: usize,
    generation: BTreeMap<i32, u64>,
    next_id: u128,
    cluster_id: Option<String>,
}

/// The cluster. Clones are the same cluster.
#[derive(Clone)]
pub struct FakeKafka(Arc<Mutex<State>>);

/// What 3.9 offers in ZooKeeper mode, of the APIs that matter here.
const TABLE_3_9: &[(i16, i16, i16)] = &[
    (0, 0, 11),
    (1, 0, 17),
    (2, 0, 9),
    (3, 0, 12),
    (4, 0, 7),
    (18, 0, 4),
    (19, 0, 7),
    (20, 0, 6),
    (32, 0, 4),
    (33, 0, 2),
    (35, 1, 4),
    (37, 0, 3),
    (44, 0, 1),
    (45, 0, 0),
    (46, 0, 0),
];
/// What 4.1 offers.
const TABLE_4_1: &[(i16, i16, i16)] = &[
    (0, 3, 13),
    (1, 4, 18),
    (2, 1, 10),
    (3, 0, 13),
    (18, 0, 4),
    (19, 2, 7),
    (20, 1, 6),
    (32, 1, 4),
    (33, 0, 2),
    (35, 1, 4),
    (37, 0, 3),
    (44, 0, 1),
    (45, 0, 1),
    (46, 0, 0),
];
/// What 2.2 offers.
const TABLE_2_2: &[(i16, i16, i16)] = &[
    (0, 0, 7),
    (1, 0, 10),
    (2, 0, 5),
    (3, 0, 7),
    (4, 0, 2),
    (18, 0, 2),
    (19, 0, 3),
    (20, 0, 3),
    (32, 0, 2),
    (33, 0, 1),
    (35, 0, 1),
    (37, 0, 1),
];

impl FakeKafka {
    /// Brokers 0 to `brokers` - 1 of Kafka 3.9, the last one the controller. No lag, no deletion window, no fault.
    pub fn new(brokers: i32) -> Self {
        Self::with_table(brokers, TABLE_3_9)
    }

    /// The same of Kafka 2.2: no topic ids, no IncrementalAlterConfigs, no reassignments, ApiVersions up to 2.
    pub fn release_2_2(brokers: i32) -> Self {
        Self::with_table(brokers, TABLE_2_2)
    }

    /// The same of Kafka 4.1 in KRaft mode: every broker is behind, and takes writes.
    pub fn kraft(brokers: i32) -> Self {
        Self::with_table(brokers, TABLE_4_1)
    }

    fn with_table(brokers: i32, table: &[(i16, i16, i16)]) -> Self {
        Self(Arc::new(Mutex::new(State {
            table: table.to_vec(),
            brokers: (0..brokers).map(|id| (id, None)).collect(),
            unready: BTreeSet::new(),
            controller: brokers - 1,
            history: vec![(Instant::now(), Topics::new())],
            deleting: BTreeMap::new(),
            lag: Duration::ZERO,
            deletion: Duration::ZERO,
            file: BTreeMap::from([("min.insync.replicas".to_owned(), "2".to_owned())]),
            dynamic: BTreeMap::new(),
            pinned: BTreeMap::new(),
            moving: BTreeMap::new(),
            disks: (0..brokers).map(|id| (id, (1000, 500))).collect(),
            faults: Vec::new(),
            struck: 0,
            seen: Vec::new(),
            changes: 0,
            dials: 0,
            generation: BTreeMap::new(),
            next_id: 1,
            cluster_id: Some("fake".to_owned()),
        })))
    }

    /// Where the brokers are.
    pub fn bootstrap(&self) -> Vec<(String, u16)> {
        self.lock().brokers.keys().map(|id| (host(*id), PORT)).collect()
    }

    /// The way in.
    pub fn dialer(&self) -> Arc<dyn Dialer> {
        Arc::new(self.clone())
    }

    /// A client with the limits of its defaults.
    pub fn admin(&self) -> crate::kafka::Admin {
        crate::kafka::Admin::new(self.dialer(), self.bootstrap(), "test")
    }

    /// Adds a fault. The first that fits a request strikes.
    pub fn fault(&self, when: When, fault: Fault) {
        self.lock().faults.push((when, fault));
    }

    /// Faults stop.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// How many requests met a fault.
    pub fn struck(&self) -> usize {
        self.lock().struck
    }

    /// How long other brokers than the controller are behind.
    pub fn set_lag(&self, lag: Duration) {
        self.lock().lag = lag;
    }

    /// How long a deleted name cannot be used again.
    pub fn set_deletion(&self, window: Duration) {
        self.lock().deletion = window;
    }

    /// Another broker becomes the controller.
    pub fn move_controller(&self, to: i32) {
        self.lock().controller = to;
    }

    /// A broker goes (`Some`) or comes back (`None`). The controller's part goes to the lowest that is up.
    pub fn set_down(&self, broker: i32, down: Option<Down>) {
        let mut state = self.lock();
        state.brokers.insert(broker, down);
        *state.generation.entry(broker).or_default() += 1;
        if state.brokers.get(&state.controller).is_none_or(Option::is_some) {
            state.controller = state.brokers.iter().find(|(_, down)| down.is_none()).map_or(-1, |(id, _)| *id);
        }
    }

    /// Brokers 0 to `brokers` - 1, and no others.
    pub fn resize(&self, brokers: i32) {
        let mut state = self.lock();
        state.brokers.retain(|id, _| *id < brokers);
        for id in 0..brokers {
            state.brokers.entry(id).or_insert(None);
        }
        state.controller = brokers - 1;
    }

    /// A broker that has just started: it answers, and knows neither brokers nor topics.
    pub fn set_unready(&self, broker: i32, unready: bool) {
        let mut state = self.lock();
        if unready {
            state.unready.insert(broker)
        } else {
            state.unready.remove(&broker)
        };
    }

    /// Which cluster the brokers say they are; none, as very old ones.
    pub fn set_cluster_id(&self, id: Option<&str>) {
        self.lock().cluster_id = id.map(str::to_owned);
    }

    /// How large a broker's volume is, and how much of it is left, in bytes.
    pub fn set_disk(&self, broker: i32, total: i64, free: i64) {
        self.lock().disks.insert(broker, (total, free));
    }

    /// A line of every broker's `server.properties`.
    pub fn set_file(&self, key: &str, value: &str) {
        self.lock().file.insert(key.to_owned(), value.to_owned());
    }

    /// A setting made on all brokers at run time.
    pub fn set_dynamic(&self, key: &str, value: &str) {
        self.lock().dynamic.insert(key.to_owned(), value.to_owned());
    }

    /// Whoever sets this on a topic, it becomes that: brokers of a service that has its own mind.
    pub fn pin(&self, key: &str, value: &str) {
        self.lock().pinned.insert(key.to_owned(), value.to_owned());
    }

    /// Changes a topic behind everybody's back, or makes it; `None` of `change` deletes it.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Option<FakeTopic>)) {
        let mut state = self.lock();
        let mut topics = state.now().clone();
        let mut topic = topics.remove(name);
        change(&mut topic);
        topics.extend(topic.map(|topic| (name.to_owned(), topic)));
        state.history.push((Instant::now(), topics));
    }

    /// The names of all topics.
    pub fn topics(&self) -> Vec<String> {
        self.lock().now().keys().cloned().collect()
    }

    /// Reassignments end by themselves, as on real brokers, until the task is aborted.
    pub fn keep_moving(&self) -> JoinHandle<()> {
        let kafka = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                kafka.finish_moves();
            }
        })
    }

    /// A topic as it is.
    pub fn topic(&self, name: &str) -> Option<FakeTopic> {
        self.lock().now().get(name).cloned()
    }

    /// The brokers that know the topic with that many partitions.
    pub fn knowing(&self, name: &str, partitions: usize) -> Vec<i32> {
        let state = self.lock();
        let knows = |id: &i32| state.known(*id).get(name).is_some_and(|topic| topic.partitions.len() == partitions);
        state.brokers.keys().copied().filter(knows).collect()
    }

    /// Every reassignment under way comes to its end.
    pub fn finish_moves(&self) {
        let mut state = self.lock();
        let mut topics = state.now().clone();
        for ((name, partition), replicas) in std::mem::take(&mut state.moving) {
            let place = topics.get_mut(&name).and_then(|t| t.partitions.get_mut(usize::try_from(partition).ok()?));
            if let Some(place) = place {
                *place = replicas;
            }
        }
        state.history.push((Instant::now(), topics));
    }

    /// All requests, in order; ApiVersions left out.
    pub fn requests(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// Requests that ask for a change, done or not.
    pub fn writes(&self) -> usize {
        self.lock().seen.iter().filter(|seen| seen.write).count()
    }

    /// Changes that were made.
    pub fn changes(&self) -> usize {
        self.lock().changes
    }

    /// Streams that were opened, or tried.
    pub fn dials(&self) -> usize {
        self.lock().dials
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PORT: u16 = 9092;

fn host(id: i32) -> String {
    format!("kafka-{id}.kafka.test.svc")
}

impl Dialer for FakeKafka {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        async move {
            let id = host.strip_prefix("kafka-").and_then(|rest| rest.split('.').next()?.parse().ok());
            let (id, down) = {
                let mut state = self.lock();
                state.dials += 1;
                let known = id.and_then(|id: i32| Some((id, *state.brokers.get(&id)?)));
                known.ok_or_else(|| DialError::Unresolved(host.to_owned()))?
            };
            match down {
                Some(Down::Refused) => return Err(DialError::Refused),
                Some(Down::Hangs) => return futures::future::pending().await,
                _ if port != PORT => return Err(DialError::Refused),
                _ => {}
            }
            let (ours, theirs) = duplex(64 * 1024);
            if down == Some(Down::Silent) {
                tokio::spawn(async move {
                    let _open = theirs;
                    std::future::pending::<()>().await;
                });
                return Ok(Dialed::proven(ours));
            }
            if down == Some(Down::Dead) {
                let why = futures::future::ready(Some("the broker does not listen".to_owned())).boxed();
                return Ok(Dialed { stream: Box::new(ours), why });
            }
            let generation = self.lock().generation.get(&id).copied().unwrap_or_default();
            tokio::spawn(self.clone().serve(id, generation, theirs));
            Ok(Dialed::proven(ours))
        }
        .boxed()
    }
}

impl FakeKafka {
    /// One connection of broker `id`, until somebody closes it or the broker goes.
    async fn serve(self, id: i32, generation: u64, mut stream: DuplexStream) {
        loop {
            let Ok(length) = stream.read_u32().await else { return };
            let mut frame = vec![0; length as usize];
            if stream.read_exact(&mut frame).await.is_err() {
                return;
            }
            let answer = {
                let mut state = self.lock();
                if state.generation.get(&id).copied().unwrap_or_default() != generation {
                    return;
                }
                state.handle(id, frame.into())
            };
            match answer {
                Reply::Bytes(bytes) => {
                    let length = u32::try_from(bytes.len()).unwrap();
                    if stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await.is_err() {
                        return;
                    }
                }
                Reply::Close => return,
                Reply::Hang => {
                    // until the client gives up
                    let _ = stream.read_u8().await;
                    return;
                }
            }
        }
    }
}

enum Reply {
    Bytes(Vec<u8>),
    Close,
    Hang,
}

impl State {
    fn now(&self) -> &Topics {
        &self.history.last().unwrap().1
    }

    /// What a broker knows: the controller everything, others what is older than the lag.
    fn known(&self, broker: i32) -> &Topics {
        let decides = broker == self.controller && !self.is_kraft();
        let before = |at: &Instant| decides || *at + self.lag <= Instant::now();
        self.history.iter().rev().find(|(at, _)| before(at)).map_or(&self.history[0].1, |(_, topics)| topics)
    }

    fn is_old(&self) -> bool {
        !self.table.iter().any(|(api, ..)| *api == 44)
    }

    fn is_kraft(&self) -> bool {
        !self.table.iter().any(|(api, ..)| *api == 4)
    }

    /// The fault that strikes the request just counted.
    fn strike(&mut self) -> Option<Fault> {
        let (number, seen) = (self.seen.len(), self.seen.last().cloned()?);
        let hit = self.faults.iter().position(|(when, _)| match when {
            When::Request(n) => *n == number,
            When::Next(api) | When::Every(api) => *api == seen.api,
            When::Broker(id) => *id == seen.broker,
        })?;
        self.struck += 1;
        match self.faults[hit].0 {
            When::Next(_) => Some(self.faults.remove(hit).1),
            _ => Some(self.faults[hit].1),
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} v{} at broker {}", api_name(self.api), self.version, self.broker)
    }
}
