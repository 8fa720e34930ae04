//! Create of a topic, and what all operations have in common. A write whose outcome is not known is never repeated
//! blindly: what is there afterwards decides. Network.

use super::plan::{default_factor, new_topic};
use super::read::look;
use super::schema::Topic;
use super::step::Seen;
use super::words;
use crate::kafka::{Admin, Class, Error, NewTopic, Outcome};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::resources::inside::{AWAY, LATER};
use crate::stack::Stack;
use futures::future::try_join_all;
use std::time::Duration;
use tokio::time::Instant;

/// What an operation works with.
pub struct Run<'a> {
    /// The topic's cluster.
    pub admin: Admin,
    /// Until when something new is begun, and whether.
    pub cx: Context<'a, Stack>,
}

/// A created topic.
#[derive(Debug)]
pub struct Made {
    /// How it looks; none where it took too long to show.
    pub seen: Option<Seen>,
    /// Replicas of each partition, as asked for.
    pub factor: i64,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// How long a topic may take to show after a create whose answer was lost.
const SHOWS: Duration = Duration::from_secs(5);
/// How often a write may be tried again after an unknown outcome.
pub(super) const UNSURE: u32 = 4;
/// How long brokers may be behind the controller. On busy machines it is tenths of a second; one that is stuck is said to be.
pub(super) const BEHIND: Duration = Duration::from_secs(15);
/// Between two looks.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);
/// What takes longer is told.
const LONG: Duration = Duration::from_secs(2);
/// What the last call before the deadline gets.
const MARGIN: Duration = Duration::from_secs(1);

impl<'a> Run<'a> {
    /// The client whose calls end with the operation.
    pub fn new(admin: Admin, cx: &Context<'a, Stack>) -> Self {
        // A write that is begun with no time left would end as one of which nothing is known.
        Self { admin: admin.until(cx.deadline), cx: cx.sparing(MARGIN) }
    }

    /// Looks at the topic, for a while also again: brokers that restart are soon back.
    pub(super) async fn look(&self, name: &str, moves: bool) -> Result<Option<Seen>, Error> {
        let end = Instant::now() + AWAY;
        loop {
            match look(&self.admin, name, moves).await {
                Err(error) if error.may_pass() && Instant::now() < end => self.cx.pause(LATER).await.map_err(|_| error)?,
                done => return done,
            }
        }
    }

    /// Makes a topic that is not there.
    ///
    /// # Errors
    /// Why not; then nothing was made, or the error says that it is not known.
    pub async fn create(&self, planned: &Topic) -> Result<Made, Diagnostic> {
        let name = planned.name.text();
        let refused = |error: Error| words::refused("create", name, &error);
        self.cx.go_on().map_err(|halt| words::not_created(name, &halt.to_string()))?;
        if self.look(name, false).await.map_err(refused)?.is_some() {
            return Err(words::exists(planned.id.text(), name));
        }
        let factor = match planned.replication_factor.known() {
            Some(factor) => *factor,
            None => default_factor(i64::try_from(self.admin.cluster().await.map_err(refused)?.brokers.len()).unwrap_or(1)),
        };
        let new = new_topic(planned, factor);
        self.ask_for(planned, &new).await?;
        let (seen, why) = self.until_led(name, new.partitions).await;
        let mut diagnostics = Diagnostics::new();
        if let Some(why) = why {
            diagnostics.push(words::no_leaders_yet(name, &why));
        }
        let in_sync = seen.as_ref().and_then(|seen| seen.effective("min.insync.replicas")?.parse::<i64>().ok());
        if let Some(in_sync) = in_sync.filter(|in_sync| *in_sync > factor) {
            diagnostics.push(words::inherits_too_many_in_sync(name, in_sync, factor));
        }
        Ok(Made { seen, factor, diagnostics })
    }

    /// Asks until the brokers have accepted the topic. It was not there before: one that is there after an answer was lost is
    /// ours if it is what was asked for.
    async fn ask_for(&self, planned: &Topic, new: &NewTopic) -> Result<(), Diagnostic> {
        let (id, name) = (planned.id.text(), planned.name.text());
        let (mut unsure, mut lingers) = (0, false);
        loop {
            let error = match self.admin.create_topic(new, false).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let exists = error.is(Class::TopicExists);
            if error.outcome() == Outcome::Unknown || (exists && unsure > 0) {
                unsure += 1;
                match self.shows(name).await {
                    Some(seen) if seen.is_made_from(new) => return Ok(()),
                    Some(_) => return Err(words::made_by_another(id, name)),
                    None => {}
                }
            } else if error.is(Class::MarkedForDeletion) {
                lingers = true;
            } else if exists {
                return Err(words::exists(id, name));
            } else if unsure == 0 || !error.is_unreachable() {
                return Err(words::refused("create", name, &error));
            }
            let stop = match self.cx.pause(LATER).await {
                Ok(()) if unsure <= UNSURE => continue,
                Ok(()) => error.to_string(),
                Err(why) => format!("{why}; {error}"),
            };
            return Err(match (unsure, lingers) {
                (0, true) => words::lingers(name),
                (0, false) => words::not_created(name, &stop),
                _ => words::maybe_created(id, name, &stop),
            });
        }
    }

    /// The topic, if it comes to be seen within a moment.
    async fn shows(&self, name: &str) -> Option<Seen> {
        let end = Instant::now() + SHOWS;
        loop {
            if let Ok(Some(seen)) = look(&self.admin, name, false).await {
                return Some(seen);
            }
            if Instant::now() >= end || self.cx.pause(INTERVAL).await.is_err() {
                return None;
            }
        }
    }

    /// Waits until the topic has that many partitions, and each a leader, and every broker knows; what was seen last, and why the
    /// waiting ended if not.
    pub(super) async fn until_led(&self, name: &str, partitions: i32) -> (Option<Seen>, Option<String>) {
        let (mut last, begun) = (None, Instant::now());
        loop {
            let waiting = match look(&self.admin, name, false).await {
                Ok(Some(seen)) => {
                    let led = seen.topic.is_led(partitions);
                    last = Some(seen);
                    match led {
                        true => return (last, self.until_known(name, partitions).await.err()),
                        false => "partitions wait for a leader".to_owned(),
                    }
                }
                Ok(None) => "the controller does not show it yet".to_owned(),
                Err(error) => error.to_string(),
            };
            self.say_after(begun, name, &waiting);
            if let Err(why) = self.cx.pause(INTERVAL).await {
                return (last, Some(format!("{why}; {waiting}")));
            }
        }
    }

    /// Says what is waited for, once that takes long.
    pub(super) fn say_after(&self, begun: Instant, name: &str, waiting: &str) {
        if begun.elapsed() >= LONG {
            self.cx.say(&format!("waiting for topic {name}: {waiting}"));
        }
    }

    /// Waits until every broker shows what the controller does; who did not, if not. A client asks any of them, and one that has
    /// not heard of its own part refuses records.
    async fn until_known(&self, name: &str, partitions: i32) -> Result<(), String> {
        let begun = Instant::now();
        let end = self.cx.deadline.min(begun + BEHIND);
        let admin = self.admin.clone().until(end + MARGIN);
        loop {
            let waiting = match behind(&admin, name, partitions).await {
                Ok(None) => return Ok(()),
                Ok(Some(broker)) => format!("broker {broker} does not show it yet"),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= end {
                return Err(waiting);
            }
            self.say_after(begun, name, &waiting);
            self.cx.pause(INTERVAL).await.map_err(|why| format!("{why}; {waiting}"))?;
        }
    }
}

/// A registered broker that does not show the topic with that many partitions, each with a leader.
async fn behind(admin: &Admin, name: &str, partitions: i32) -> Result<Option<i32>, Error> {
    let brokers = admin.cluster().await?.brokers;
    let shown = try_join_all(brokers.iter().map(|broker| admin.topic_at(broker.id, name))).await?;
    let mut shown = brokers.iter().zip(shown);
    let behind = shown.find(|(_, topic)| !topic.as_ref().is_some_and(|topic| topic.is_led(partitions)));
    Ok(behind.map(|(broker, _)| broker.id))
}
