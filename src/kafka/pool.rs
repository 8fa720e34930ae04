//! Kept connections, two to a broker: one for reads, and one for writes, which may take long and would hold up every
//! read behind them (a broker serves one request at a time per connection). Touches the network.

use super::address::Address;
use super::connection::{Connection, Settings};
use super::error::{ConnectError, Error, Outcome};
use super::identity::{Identity, OtherCluster};
use super::model::no_topics;
use super::versions::{ApiTable, api_name};
use crate::dial::Dialer;
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::protocol::Request;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

/// After so long without an answer a connection is asked whether it is still there before it is used: a write into a
/// stream that somebody closed meanwhile looks like a write that was lost.
const IDLE: Duration = Duration::from_secs(1);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    Read,
    Write,
}

/// Why one broker gave no answer to one request.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent.
    Connect(ConnectError),
    /// Sent or not, as `outcome` says; or the broker cannot do it.
    Call(Error),
}

/// The time that one request may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub dial: Duration,
    pub answer: Duration,
    pub until: Instant,
}

impl Limit {
    fn left(&self, most: Duration) -> Duration {
        most.min(self.until.saturating_duration_since(Instant::now()))
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Connection>>>;

pub(super) struct Pool {
    dialer: Arc<dyn Dialer>,
    settings: Settings,
    /// The cluster that every broker has to belong to; none: any.
    expected: Option<Identity>,
    slots: Mutex<HashMap<(Address, Lane), Slot>>,
}

impl Pool {
    pub fn new(dialer: Arc<dyn Dialer>, settings: Settings, expected: Option<Identity>) -> Self {
        Self { dialer, settings, expected, slots: Mutex::default() }
    }

    /// Asks one broker. `build` gets the version to speak and how long the broker may take: less than we wait.
    pub async fn call<R: Request>(
        &self,
        to: &Address,
        lane: Lane,
        limit: Limit,
        build: &(dyn Fn(i16, Duration) -> R + Sync),
    ) -> Result<R::Response, Failure> {
        let begun = Instant::now();
        let slot = self.slot(to, lane);
        let Ok(mut place) = timeout_at(limit.until, slot.lock()).await else {
            return Err(Failure::Connect(ConnectError::TimedOut(begun.elapsed())));
        };
        let mut connection = self.ready(place.take(), to, limit).await?;
        let version = match connection.table().version::<R>() {
            Ok(version) => version,
            Err(unsupported) => {
                *place = Some(connection);
                return Err(Failure::Call(unsupported));
            }
        };
        let answer = limit.left(limit.answer);
        let result = connection.call(&build(version, answer.mul_f32(0.6)), version, answer).await;
        let api = api_name(R::KEY);
        debug!(api, version, broker = %to, micros = begun.elapsed().as_micros(), answered = result.is_ok(), "kafka request");
        match result {
            Ok(response) => {
                *place = Some(connection);
                Ok(response)
            }
            Err(unanswered) => {
                let outcome = if unanswered.sent { Outcome::Unknown } else { Outcome::NotApplied };
                let broker = to.clone();
                Err(Failure::Call(match unanswered.why {
                    None => Error::TimedOut { api, broker, waited: answer, outcome },
                    Some(why) => Error::Lost { api, broker, why, outcome },
                }))
            }
        }
    }

    /// What a broker can do.
    pub async fn table(&self, of: &Address, limit: Limit) -> Result<ApiTable, Failure> {
        let slot = self.slot(of, Lane::Read);
        let late = |_| Failure::Connect(ConnectError::TimedOut(limit.dial));
        let mut place = timeout_at(limit.until, slot.lock()).await.map_err(late)?;
        let connection = self.ready(place.take(), of, limit).await?;
        Ok(place.insert(connection).table().clone())
    }

    /// The kept connection, or a new one when there is none or it is dead.
    async fn ready(&self, kept: Option<Connection>, to: &Address, limit: Limit) -> Result<Connection, Failure> {
        if let Some(mut kept) = kept
            && (kept.idle() < IDLE || kept.alive(limit.left(limit.dial)).await)
        {
            return Ok(kept);
        }
        let opened = Connection::open(&*self.dialer, to, self.settings.clone(), limit.left(limit.dial)).await;
        let mut connection = opened.map_err(Failure::Connect)?;
        if let Some(expected) = &self.expected {
            self.prove(&mut connection, expected, to, limit).await?;
        }
        Ok(connection)
    }

    /// A new connection may lead anywhere: it carries nothing before the broker has said which cluster it belongs to. A kept one
    /// leads where it did.
    async fn prove(&self, connection: &mut Connection, expected: &Identity, to: &Address, limit: Limit) -> Result<(), Failure> {
        let version = connection.table().version::<MetadataRequest>().map_err(Failure::Call)?;
        let answer = connection.call(&no_topics(), version, limit.left(limit.dial)).await.map_err(|unanswered| {
            let silent = ConnectError::TimedOut(limit.dial);
            Failure::Connect(unanswered.why.map_or(silent, |why| ConnectError::Closed(Some(why))))
        })?;
        let Some(found) = expected.contradicted_by(&answer) else { return Ok(()) };
        let (expected, broker, direct) = (expected.clone(), to.clone(), self.dialer.is_direct());
        Err(Failure::Call(Error::OtherCluster(Box::new(OtherCluster { expected, found, broker, direct }))))
    }

    fn slot(&self, to: &Address, lane: Lane) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((to.clone(), lane)).or_default())
    }
}
