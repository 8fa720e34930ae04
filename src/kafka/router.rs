//! Which broker is asked, how often, and what is tried next. Touches the network through the pool.
//!
//! Reads are repeated freely. A write goes to the controller, and is repeated only when it is known that it had no effect:
//! nothing was sent, or the broker said that it is not the controller (41) or that it is asked too much (89).

use super::address::Address;
use super::error::{Class, ConnectError, Error, Outcome, Refusal, Resource};
use super::model::{ClusterView, no_topics};
use super::pool::{Failure, Lane, Limit, Pool};
use super::versions::{ApiTable, api_name};
use futures::future::join_all;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::Request;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often every known broker is tried before they count as unreachable.
const ROUNDS: u32 = 3;

/// How often a read is repeated that a broker failed on for no reason that it knows: a busy one does so.
const STUMBLES: u32 = 3;

/// How long things may take. An overall deadline, where there is one, bounds them all.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A dial with its first answer.
    pub dial: Duration,
    /// One answer to a read.
    pub read: Duration,
    /// One answer to a write; the broker is told to answer in 60 % of it.
    pub write: Duration,
    /// How long a controller that can be asked is looked for, or a throttled write repeated.
    pub routing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { dial: s(10), read: s(15), write: s(60), routing: s(30) }
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The controller: what it does not know does not exist.
    Controller,
    /// Exactly this broker.
    Broker(i32),
}

/// What is known about the cluster, shared by every clone.
pub(super) struct Shared {
    pub pool: Pool,
    pub bootstrap: Vec<Address>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    view: Option<ClusterView>,
    /// Whether the view has to be fetched again before it is relied on; its addresses still serve to ask.
    stale: bool,
    /// Who answered last: asked first.
    good: Option<Address>,
}

#[derive(Clone)]
pub(super) struct Router {
    pub shared: Arc<Shared>,
    pub limits: Limits,
    pub until: Option<Instant>,
}

impl Router {
    pub fn new(pool: Pool, bootstrap: Vec<Address>) -> Self {
        let shared = Arc::new(Shared { pool, bootstrap, known: Mutex::default() });
        Self { shared, limits: Limits::default(), until: None }
    }

    /// Asks `target`, and again while that is safe. `read` turns an answer into a result or the broker's refusal.
    pub async fn ask<R: Request, T>(
        &self,
        target: Target,
        lane: Lane,
        build: &(dyn Fn(i16, Duration) -> R + Sync),
        read: &(dyn Fn(R::Response, i32) -> Result<T, Refusal> + Sync),
    ) -> Result<T, Error> {
        let (begun, mut pause, mut stumbles) = (Instant::now(), Pause::default(), 0);
        let give_up = self.bound(begun + self.limits.routing);
        loop {
            let error = match self.find(target).await? {
                Err(missing) => missing,
                Ok((id, to)) => match self.shared.pool.call(&to, lane, self.limit(lane), build).await {
                    Ok(answer) => match read(answer, id) {
                        Ok(result) => return Ok(result),
                        Err(refusal) if matches!(refusal.class(), Class::NotController | Class::Throttled) => refusal.into(),
                        Err(refusal) if lane == Lane::Read && refusal.is_stumble() && stumbles < STUMBLES => {
                            stumbles += 1;
                            refusal.into()
                        }
                        Err(refusal) => return Err(refusal.into()),
                    },
                    Err(Failure::Connect(why)) if why.is_final() => return Err(Error::Unreachable { tried: vec![(to, why)] }),
                    Err(Failure::Connect(why)) => Error::Unreachable { tried: vec![(to, why)] },
                    Err(Failure::Call(error @ (Error::Unsupported { .. } | Error::OtherCluster(_)))) => return Err(error),
                    Err(Failure::Call(error)) if lane == Lane::Write && error.outcome() == Outcome::Unknown => return Err(error),
                    Err(Failure::Call(error)) => error,
                },
            };
            if !error.is(Class::Throttled) {
                self.forget();
            }
            if !pause.wait(give_up).await {
                return Err(match error {
                    Error::Unreachable { tried } if target == Target::Controller => {
                        let why = tried.first().map_or_else(String::new, |(to, why)| format!("{to}: {why}"));
                        Error::NoController { waited: begun.elapsed(), why }
                    }
                    error => error,
                });
            }
        }
    }

    /// The metadata of any broker that knows the cluster.
    pub async fn metadata(&self, build: &(dyn Fn(i16, Duration) -> MetadataRequest + Sync)) -> Result<MetadataResponse, Error> {
        let mut pause = Pause::default();
        let give_up = self.bound(Instant::now() + self.limits.routing);
        let mut round = 1;
        loop {
            let mut tried = Vec::new();
            for to in self.candidates() {
                match self.shared.pool.call(&to, Lane::Read, self.limit(Lane::Read), build).await {
                    Ok(answer) if answer.brokers.is_empty() => tried.push((to, ConnectError::NotReady)),
                    Ok(answer) => {
                        self.remember(ClusterView::new(&answer), to);
                        return Ok(answer);
                    }
                    Err(Failure::Call(error @ (Error::Unsupported { .. } | Error::OtherCluster(_)))) => return Err(error),
                    Err(failure) => {
                        self.distrust(&to);
                        tried.push((to, ConnectError::from(failure)));
                    }
                }
            }
            if round == ROUNDS || tried.iter().all(|(_, why)| why.is_final()) || !pause.wait(give_up).await {
                return Err(Error::Unreachable { tried });
            }
            round += 1;
        }
    }

    /// The metadata of each broker that is dialled first, asked once.
    pub async fn each(&self, build: &(dyn Fn(i16, Duration) -> MetadataRequest + Sync)) -> Vec<Result<MetadataResponse, Error>> {
        let ask = |to: &Address| {
            let to = to.clone();
            async move {
                match self.shared.pool.call(&to, Lane::Read, self.limit(Lane::Read), build).await {
                    Ok(answer) if answer.brokers.is_empty() => {
                        Err(Error::Unreachable { tried: vec![(to, ConnectError::NotReady)] })
                    }
                    Ok(answer) => Ok(answer),
                    Err(Failure::Connect(why)) => Err(Error::Unreachable { tried: vec![(to, why)] }),
                    Err(Failure::Call(error)) => Err(error),
                }
            }
        };
        join_all(self.shared.bootstrap.iter().map(ask)).await
    }

    /// Like `metadata`, from the controller itself: what is missing there does not exist.
    pub async fn controllers_metadata(
        &self,
        build: &(dyn Fn(i16, Duration) -> MetadataRequest + Sync),
    ) -> Result<MetadataResponse, Error> {
        // in KRaft mode every broker names a random one, and follows the log closely
        let zookeeper = self.table().await?.zookeeper_mode();
        let read = |answer: MetadataResponse, asked: i32| {
            // a broker that has just started knows nothing yet, and one that was cut off still names itself or another
            let named = answer.controller_id.0;
            let behind = answer.brokers.is_empty() || named < 0 || zookeeper && named != asked;
            Refusal::check(api_name(3), Resource::Cluster, if behind { 41 } else { answer.error_code }, None)?;
            Ok(answer)
        };
        self.ask(Target::Controller, Lane::Read, build, &read).await
    }

    /// What the brokers can do: the table of any that answers.
    pub async fn table(&self) -> Result<ApiTable, Error> {
        let mut tried = Vec::new();
        for to in self.candidates() {
            match self.shared.pool.table(&to, self.limit(Lane::Read)).await {
                Ok(table) => return Ok(table),
                Err(Failure::Call(error @ Error::OtherCluster(_))) => return Err(error),
                Err(failure) => tried.push((to, ConnectError::from(failure))),
            }
        }
        Err(Error::Unreachable { tried })
    }

    /// Where `target` listens, from what is known or fresh metadata. The inner error is worth another try.
    async fn find(&self, target: Target) -> Result<Result<(i32, Address), Error>, Error> {
        let named = |view: &ClusterView| match target {
            Target::Controller => view.controller,
            Target::Broker(id) => Some(id),
        };
        let found = |view: &ClusterView| named(view).and_then(|id| Some((id, view.address(id)?)));
        if let Some(found) = self.view().as_ref().and_then(found) {
            return Ok(Ok(found));
        }
        let view = ClusterView::new(&self.metadata(&|_, _| no_topics()).await?);
        match (found(&view), target) {
            (Some(found), _) => Ok(Ok(found)),
            (None, Target::Broker(id)) => {
                Err(Error::NoSuchBroker { id, known: view.brokers.iter().map(|broker| broker.id).collect() })
            }
            (None, Target::Controller) => {
                Ok(Err(Error::NoController { waited: self.limits.routing, why: "the brokers name none".to_owned() }))
            }
        }
    }

    /// Every address that may answer, the one that did last first.
    fn candidates(&self) -> Vec<Address> {
        let known = self.known();
        let advertised = known.view.iter().flat_map(|view| view.brokers.iter().map(super::model::Broker::address));
        let mut all: Vec<Address> = Vec::new();
        for address in known.good.iter().cloned().chain(self.shared.bootstrap.iter().cloned()).chain(advertised) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        all
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> Option<ClusterView> {
        let known = self.known();
        known.view.clone().filter(|_| !known.stale)
    }

    pub fn known_id(&self) -> Option<String> {
        self.known().view.as_ref()?.cluster_id.clone()
    }

    fn remember(&self, view: ClusterView, from: Address) {
        *self.known() = Known { view: Some(view), stale: false, good: Some(from) };
    }

    /// The next call asks for fresh metadata.
    fn forget(&self) {
        self.known().stale = true;
    }

    /// Whoever did not answer is no longer asked first.
    fn distrust(&self, address: &Address) {
        let mut known = self.known();
        if known.good.as_ref() == Some(address) {
            known.good = None;
        }
    }

    fn bound(&self, at: Instant) -> Instant {
        self.until.map_or(at, |until| until.min(at))
    }

    fn limit(&self, lane: Lane) -> Limit {
        let answer = if lane == Lane::Read { self.limits.read } else { self.limits.write };
        let until = self.bound(Instant::now() + self.limits.dial + self.limits.dial + answer);
        Limit { dial: self.limits.dial, answer, until }
    }
}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connect(why) => why,
            Failure::Call(Error::TimedOut { waited, .. }) => Self::TimedOut(waited),
            Failure::Call(error) => Self::Closed(Some(error.to_string())),
        }
    }
}

/// 100 ms, 200 ms, ... 2 s.
#[derive(Default)]
struct Pause(u32);

impl Pause {
    /// False, at once, when the next try would come after `end`.
    async fn wait(&mut self, end: Instant) -> bool {
        let length = Duration::from_millis(100 << self.0.min(4)).min(Duration::from_secs(2));
        self.0 += 1;
        let next = Instant::now() + length;
        if next < end {
            sleep_until(next).await;
        }
        next < end
    }
}
