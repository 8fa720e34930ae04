//! The load: librdkafka as real applications run it. One thread writes at a steady pace, as safely as is asked for (`Acks`);
//! another reads along in a consumer group; at the end everything is read back once more, from the first record on. Network and
//! threads; the pace is `pace.rs`'s.

use super::ffi::{self, connect_through};
use super::limits::Limits;
use super::pace::Pace;
use super::recording::{Outcome, Read, Write};
use super::sockets::Sockets;
use crate::dial::Dialer;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Records of one drill at most: with all that is noted of each, about 200 MB.
const MOST: usize = 2_000_000;
/// How long librdkafka tries to get a record written before it counts as failed.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long the group's first assignment may take: a broker waits `group.initial.rebalance.delay.ms`, 3 s, for more members.
const JOIN: Duration = Duration::from_secs(60);
/// How many things that a client said are kept.
const SAID: usize = 8;
/// A record's size in bytes.
const SIZE: usize = 100;

/// Which acknowledgement a write waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// From every in-sync replica, by an idempotent producer.
    All,
    /// From the leader alone.
    Leader,
}

impl Acks {
    /// As Kafka spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Leader => "1",
        }
    }
}

/// What is written and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The topic, which is the drill's own; also the consumer group.
    pub topic: String,
    /// How much.
    pub pace: Pace,
    /// How safely.
    pub acks: Acks,
    /// Brokers to begin with.
    pub brokers: Vec<(String, u16)>,
}

/// Milliseconds since the first record.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Now.
    pub fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What was written and read. Shared with the threads.
#[derive(Default)]
struct Log {
    began: OnceLock<Clock>,
    writes: Mutex<Vec<Write>>,
    unsettled: AtomicU64,
    acknowledged: AtomicU64,
    reads: Mutex<Vec<Read>>,
    /// The group's next offset of each partition.
    next: Mutex<BTreeMap<i32, i64>>,
    stop_writing: AtomicBool,
    stop_reading: AtomicBool,
    assigned: watch::Sender<bool>,
    /// What the group's client said last, the latest at the end.
    said: Mutex<VecDeque<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    fn now(&self) -> u64 {
        self.began.get().map_or(0, |began| began.now())
    }

    fn settle(&self, index: usize, outcome: Outcome) {
        if matches!(outcome, Outcome::Acknowledged { .. }) {
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(write) = lock(&self.writes).get_mut(index) {
            write.outcome = outcome;
        }
        self.unsettled.fetch_sub(1, Ordering::Relaxed);
    }

    /// Keeps what was said, for who has to tell why something did not come.
    fn note(&self, text: String) {
        let mut said = lock(&self.said);
        if said.len() >= SAID {
            said.pop_front();
        }
        said.push_back(text);
    }

    fn last_words(&self) -> String {
        lock(&self.said).iter().map(|text| format!("\n  {text}")).collect()
    }
}

/// What librdkafka calls back.
struct Callbacks {
    sockets: Sockets,
    log: Arc<Log>,
}

impl ClientContext for Callbacks {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "librdkafka: {message}");
        self.log.note(message.to_owned());
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!("librdkafka: {error}: {reason}");
        self.log.note(format!("{error}: {reason}"));
    }
}

impl ffi::Sockets for Callbacks {
    fn open(&self) -> Option<RawFd> {
        self.sockets.open()
    }

    fn connect(&self, descriptor: RawFd, broker: &str) -> bool {
        self.sockets.connect(descriptor, broker)
    }

    fn close(&self, descriptor: RawFd) {
        self.sockets.close(descriptor);
    }
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let at = self.log.now();
        let outcome = match result {
            Ok(message) => Outcome::Acknowledged { at, offset: message.offset() },
            Err((error, _)) => Outcome::Failed { at, error: error.to_string() },
        };
        self.log.settle(index, outcome);
    }
}

impl ConsumerContext for Callbacks {
    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.log.assigned.send_replace(partitions.count() > 0);
        }
    }
}

/// A load that runs. Dropped, it stops by itself; nobody waits for its threads then.
pub struct Load {
    plan: Plan,
    dialer: Arc<dyn Dialer>,
    log: Arc<Log>,
    clock: Clock,
    threads: Vec<JoinHandle<()>>,
}

/// What a load left.
pub struct Recorded {
    /// Every record that was sent.
    pub writes: Vec<Write>,
    /// What the group read along.
    pub reads: Vec<Read>,
    /// What was in the topic in the end; or why it could not be read.
    pub found: Result<Vec<Read>, String>,
}

impl Load {
    /// Starts to read, and when the group has its partitions, to write.
    ///
    /// # Errors
    /// When librdkafka does not start, or the group gets no partitions in time.
    pub async fn start(plan: Plan, dialer: Arc<dyn Dialer>) -> Result<Self, String> {
        let log = Arc::new(Log::default());
        let consumer = consumer(&plan, &dialer, &log, &plan.topic, true)?;
        consumer.subscribe(&[&plan.topic]).map_err(|error| error.to_string())?;
        let producer = producer(&plan, &dialer, &log)?;
        let mut load = Self { plan, dialer, log, clock: Clock(Instant::now()), threads: Vec::new() };
        let log = load.log.clone();
        load.spawn("drill-reader", move || read_along(&consumer, &log))?;
        let mut assigned = load.log.assigned.subscribe();
        match tokio::time::timeout(JOIN, assigned.wait_for(|yes| *yes)).await {
            Ok(Ok(_)) => {}
            _ => {
                let (group, said) = (&load.plan.topic, load.log.last_words());
                return Err(format!("the consumer group {group} got no partitions within {JOIN:?}; its client said last:{said}"));
            }
        }
        load.clock = Clock(Instant::now());
        load.log.began.get_or_init(|| load.clock);
        let (log, plan) = (load.log.clone(), load.plan.clone());
        load.spawn("drill-writer", move || write(&producer, &plan, &log))?;
        Ok(load)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        self.threads.push(thread.map_err(|error| format!("no thread for the load: {error}"))?);
        Ok(())
    }

    /// Counts from the first record.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// How many records were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.log.acknowledged.load(Ordering::Relaxed)
    }

    /// Whether no more can be noted.
    pub fn is_full(&self) -> bool {
        lock(&self.log.writes).len() >= MOST
    }

    /// Stops to write, waits for what is under way, lets the group read up to the end, and reads everything back. When `limits`
    /// end, it waits for nothing more.
    pub async fn stop(mut self, limits: &Limits) -> Recorded {
        self.log.stop_writing.store(true, Ordering::Relaxed);
        let settled = until(limits, DELIVERY, || self.log.unsettled.load(Ordering::Relaxed) == 0).await;
        let found = match settled {
            true => limits.race(self.read_back()).await.unwrap_or_else(|halt| Err(halt.to_string())),
            false => Err("some writes were not answered".to_owned()),
        };
        let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
        for read in found.iter().flatten() {
            let end = ends.entry(read.partition).or_default();
            *end = (*end).max(read.offset + 1);
        }
        let caught_up = || ends.iter().all(|(partition, end)| lock(&self.log.next).get(partition) >= Some(end));
        until(limits, CATCH_UP, caught_up).await;
        self.log.stop_reading.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut self.threads);
        let ended = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let _ = limits.race(tokio::time::timeout(CATCH_UP, ended)).await;
        Recorded { writes: std::mem::take(&mut lock(&self.log.writes)), reads: std::mem::take(&mut lock(&self.log.reads)), found }
    }

    async fn read_back(&self) -> Result<Vec<Read>, String> {
        let consumer = consumer(&self.plan, &self.dialer, &self.log, &format!("{}-check", self.plan.topic), false)?;
        let (plan, log) = (self.plan.clone(), self.log.clone());
        let read = tokio::task::spawn_blocking(move || read_all(&consumer, &plan, &log));
        read.await.map_err(|_| "the reader ended early".to_owned())?
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.log.stop_writing.store(true, Ordering::Relaxed);
        self.log.stop_reading.store(true, Ordering::Relaxed);
    }
}

/// How long the group may take to read what is left, and threads to end.
const CATCH_UP: Duration = Duration::from_secs(20);
/// How long it may take to read everything back.
const READ_BACK: Duration = Duration::from_secs(60);

/// Waits until something holds, because there is no event to wait for in a foreign thread; false when it does not come to hold.
async fn until(limits: &Limits, longest: Duration, holds: impl Fn() -> bool) -> bool {
    let end = tokio::time::Instant::now() + longest;
    while !holds() {
        if tokio::time::Instant::now() >= end || limits.pause(Duration::from_millis(20)).await.is_err() {
            return holds();
        }
    }
    true
}

fn common() -> ClientConfig {
    let mut config = ClientConfig::new();
    let pairs = [
        ("client.id", "terraform-provider-kafkastack-drill"),
        // Through a tunnel every address is the one that `ffi::resolve` gives.
        ("broker.address.family", "v4"),
        ("socket.keepalive.enable", "false"),
        ("socket.timeout.ms", "10000"),
        ("reconnect.backoff.ms", "100"),
        ("reconnect.backoff.max.ms", "1000"),
    ];
    for (name, value) in pairs {
        config.set(name, value);
    }
    config
}

fn callbacks(dialer: &Arc<dyn Dialer>, log: &Arc<Log>) -> Callbacks {
    Callbacks { sockets: Sockets::new(dialer.clone()), log: log.clone() }
}

fn producer(plan: &Plan, dialer: &Arc<dyn Dialer>, log: &Arc<Log>) -> Result<BaseProducer<Callbacks>, String> {
    let mut config = common();
    let idempotent = plan.acks == Acks::All;
    config.set("acks", plan.acks.name()).set("enable.idempotence", if idempotent { "true" } else { "false" });
    config.set("delivery.timeout.ms", DELIVERY.as_millis().to_string()).set("request.timeout.ms", "10000");
    let producer: BaseProducer<Callbacks> =
        config.create_with_context(callbacks(dialer, log)).map_err(|error| error.to_string())?;
    connect_through(producer.client(), &plan.brokers)?;
    Ok(producer)
}

fn consumer(
    plan: &Plan,
    dialer: &Arc<dyn Dialer>,
    log: &Arc<Log>,
    group: &str,
    commit: bool,
) -> Result<BaseConsumer<Callbacks>, String> {
    let mut config = common();
    // How the group comes about: few lines, and the only ones that tell why it does not.
    config.set("debug", "cgrp").set_log_level(RDKafkaLogLevel::Debug);
    config.set("group.id", group).set("enable.auto.commit", if commit { "true" } else { "false" });
    config.set("auto.offset.reset", "earliest").set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Callbacks> =
        config.create_with_context(callbacks(dialer, log)).map_err(|error| error.to_string())?;
    connect_through(consumer.client(), &plan.brokers)?;
    Ok(consumer)
}

/// The text of a record: topic, partition and sequence number, and dots up to its size.
fn payload(topic: &str, partition: i32, sequence: u64) -> String {
    format!("{:.<SIZE$}", format!("{topic} {partition} {sequence} "))
}

/// What a record says of itself; none for one that is not the drill's.
fn parse(topic: &str, payload: Option<&[u8]>) -> Option<(i32, u64)> {
    let mut words = std::str::from_utf8(payload?).ok()?.split(' ');
    let ours = words.next() == Some(topic);
    let (partition, sequence) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    ours.then_some((partition, sequence))
}

fn write(producer: &BaseProducer<Callbacks>, plan: &Plan, log: &Log) {
    let mut sent = 0;
    let began = Instant::now();
    while !log.stop_writing.load(Ordering::Relaxed) && lock(&log.writes).len() < MOST {
        for _ in 0..plan.pace.due(began.elapsed(), sent) {
            if !send(producer, plan, log, sent) {
                break;
            }
            sent += 1;
        }
        producer.poll(Duration::from_millis(5));
    }
    let end = Instant::now() + DELIVERY;
    while log.unsettled.load(Ordering::Relaxed) > 0 && !log.stop_reading.load(Ordering::Relaxed) && Instant::now() < end {
        producer.poll(Duration::from_millis(20));
    }
}

/// Sends the record `n`; false when librdkafka's queue is full.
fn send(producer: &BaseProducer<Callbacks>, plan: &Plan, log: &Log, n: u64) -> bool {
    let (partition, sequence) = plan.pace.place(n);
    let text = payload(&plan.topic, partition, sequence);
    let index = {
        let mut writes = lock(&log.writes);
        writes.push(Write { partition, sequence, sent: log.now(), outcome: Outcome::Pending });
        writes.len() - 1
    };
    log.unsettled.fetch_add(1, Ordering::Relaxed);
    let record: BaseRecord<'_, (), str, usize> =
        BaseRecord::with_opaque_to(&plan.topic, index).partition(partition).payload(text.as_str());
    match producer.send(record) {
        Ok(()) => true,
        Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
            lock(&log.writes).pop();
            log.unsettled.fetch_sub(1, Ordering::Relaxed);
            false
        }
        Err((error, _)) => {
            log.settle(index, Outcome::Failed { at: log.now(), error: error.to_string() });
            true
        }
    }
}

fn read_along(consumer: &BaseConsumer<Callbacks>, log: &Log) {
    let topic = consumer.subscription().map(|list| list.elements().first().map(|one| one.topic().to_owned()));
    let topic = topic.ok().flatten().unwrap_or_default();
    while !log.stop_reading.load(Ordering::Relaxed) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
        lock(&log.next).insert(message.partition(), message.offset() + 1);
        if let Some((partition, sequence)) = parse(&topic, message.payload()) {
            let read = Read { partition, offset: message.offset(), sequence, at: log.now() };
            let mut reads = lock(&log.reads);
            if reads.len() < 2 * MOST {
                reads.push(read);
            }
        }
    }
}

/// Reads every partition from its first record to its end of this moment.
fn read_all(consumer: &BaseConsumer<Callbacks>, plan: &Plan, log: &Log) -> Result<Vec<Read>, String> {
    let mut partitions = TopicPartitionList::new();
    let mut left: Vec<i32> = (0..i32::try_from(plan.pace.partitions).unwrap_or_default()).collect();
    for partition in &left {
        partitions.add_partition_offset(&plan.topic, *partition, Offset::Beginning).map_err(|error| error.to_string())?;
    }
    consumer.assign(&partitions).map_err(|error| error.to_string())?;
    let (end, mut found, mut why) = (Instant::now() + READ_BACK, Vec::new(), String::new());
    while !left.is_empty() {
        if Instant::now() >= end {
            return Err(format!("partitions {left:?} could not be read back within {READ_BACK:?}{why}"));
        }
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                if let Some((partition, sequence)) = parse(&plan.topic, message.payload()) {
                    found.push(Read { partition, offset: message.offset(), sequence, at: log.now() });
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => left.retain(|one| *one != partition),
            Some(Err(error)) => why = format!(": {error}"),
            None => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_it_is() {
        let text = payload("drill-1", 2, 77);
        assert_eq!((text.len(), parse("drill-1", Some(text.as_bytes()))), (SIZE, Some((2, 77))));
        assert_eq!(parse("drill-2", Some(text.as_bytes())), None);
        assert_eq!(parse("drill-1", Some(b"drill-1 x")), None);
        assert_eq!(parse("drill-1", None), None);
    }
}
