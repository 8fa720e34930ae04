//! Changes a topic that is there: look, do the one next thing, look again. What was written before a change stopped is in the state
//! that it leaves, or nobody would ever take it back. Network, but for how long brokers are borne with.

use super::apply::{BEHIND, INTERVAL, Made, Run, UNSURE};
use super::read::{self, look};
use super::reassign;
use super::schema::Topic;
use super::step::{Seen, Step, Wanted, next};
use super::words;
use crate::kafka::{Class, Error, Outcome};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::resources::inside::LATER;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A change that did not come to its end.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub why: Diagnostic,
    /// What there is.
    pub state: Topic,
}

/// What a topic has set on itself of some settings.
type Shown = BTreeMap<String, Option<String>>;

/// What brokers were told in this change.
#[derive(Default)]
struct Told {
    /// Whether anything of it may be there.
    anything: bool,
    /// Settings that may be there.
    settings: BTreeMap<String, String>,
    /// What they showed before they took settings; none: they took none yet.
    before: Option<Shown>,
    /// Since when they show something else than they took.
    otherwise: Option<Instant>,
}

/// How long they may show what nobody wrote: another write of ours may be on its way.
const OTHERWISE: Duration = Duration::from_secs(3);
/// What a last look may take of the time that core grants after the deadline.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// How long brokers may show something else than they took.
fn patience(before: &Shown, now: &Shown) -> Duration {
    let still = now.iter().all(|(key, value)| before.get(key) == Some(value));
    if still { BEHIND } else { OTHERWISE }
}

fn shown<'a>(seen: &Seen, keys: impl Iterator<Item = &'a String>) -> Shown {
    keys.map(|key| (key.clone(), seen.own(key).map(str::to_owned))).collect()
}

impl Told {
    /// Remembers a step that was done, or may have been.
    fn note(&mut self, step: &Step, seen: &Seen, done: &Result<(), Error>) {
        if !matches!(step, Step::Configure(..)) {
            self.otherwise = None;
        }
        if done.as_ref().is_err_and(|error| error.outcome() == Outcome::NotApplied) {
            return;
        }
        match step {
            Step::Configure(set, unset) => {
                self.settings.extend(set.clone());
                if self.before.is_none() && done.is_ok() {
                    self.before = Some(shown(seen, set.keys().chain(unset)));
                }
            }
            Step::Grow(_) | Step::Reassign(_) => {}
            Step::AwaitMoves(_) | Step::TooMany(_) | Step::Done => return,
        }
        self.anything = true;
    }

    /// Brokers that took settings show something else. They are not told again: what they did with the first write they would do
    /// with a second one.
    fn bear_with(&mut self, name: &str, set: &BTreeMap<String, String>, unset: &[String], seen: &Seen) -> Result<(), Diagnostic> {
        let now = shown(seen, set.keys().chain(unset));
        let since = *self.otherwise.get_or_insert_with(Instant::now);
        match &self.before {
            Some(before) if since.elapsed() >= patience(before, &now) => Err(words::shown_otherwise(name, set, &now)),
            _ => Ok(()),
        }
    }
}

impl Run<'_> {
    /// Changes a topic that is there.
    ///
    /// # Errors
    /// Why it did not come to its end; what the brokers have begun goes on.
    pub async fn update(&self, prior: &Topic, planned: &Topic) -> Result<Made, Box<Stopped>> {
        let mut told = Told::default();
        match self.change(prior, planned, &mut told).await {
            Ok(made) => Ok(made),
            Err(why) => Err(Box::new(Stopped { why, state: self.left(prior, &told).await })),
        }
    }

    async fn change(&self, prior: &Topic, planned: &Topic, told: &mut Told) -> Result<Made, Diagnostic> {
        let (name, wanted) = (planned.name.text(), Wanted::of(prior, planned));
        let factor = planned.replication_factor.unwrap_or(1);
        let (mut unsure, mut grew) = (0, false);
        loop {
            self.cx.go_on().map_err(|halt| words::unfinished(name, &halt.to_string()))?;
            let seen = self.look(name, wanted.factor.is_some()).await;
            let seen = seen.map_err(|error| words::refused("look at", name, &error))?.ok_or_else(|| words::gone(name))?;
            if read::is_another(prior, &seen) {
                return Err(words::another(prior.id.text(), prior.topic_id.text(), seen.topic.id.as_deref()));
            }
            let step = next(&wanted, &seen);
            let done = match &step {
                Step::Done if grew => break,
                Step::Done => return Ok(Made { seen: Some(seen), factor, diagnostics: Diagnostics::new() }),
                Step::TooMany(has) => {
                    let has = i64::try_from(*has).unwrap_or(i64::MAX);
                    return Err(words::fewer_partitions(name, has, planned.partitions.unwrap_or(1)));
                }
                Step::Configure(set, unset) if told.before.is_some() => told.bear_with(name, set, unset, &seen).map(Ok)?,
                step => self.take(step, &seen).await,
            };
            told.note(&step, &seen, &done);
            grew |= matches!(step, Step::Grow(_));
            if let Err(error) = done {
                self.judge(name, error, grew, &mut unsure)?;
            }
            let wait = match step {
                Step::AwaitMoves(_) => {
                    self.cx.say(&format!("waiting for topic {name}: {step}"));
                    LATER
                }
                _ => INTERVAL,
            };
            self.cx.pause(wait).await.map_err(|why| words::unfinished(name, &format!("{why}; {step}")))?;
        }
        let partitions = i32::try_from(wanted.partitions).unwrap_or(i32::MAX);
        let (seen, why) = self.until_led(name, partitions).await;
        let diagnostics = why.map(|why| words::no_leaders_yet(name, &why).into()).unwrap_or_default();
        Ok(Made { seen, factor, diagnostics })
    }

    /// Does one step.
    async fn take(&self, step: &Step, seen: &Seen) -> Result<(), Error> {
        let name = &seen.topic.name;
        match step {
            Step::Grow(total) => self.admin.create_partitions(name, *total, false).await,
            Step::Configure(set, unset) => self.admin.alter_topic_configs(name, set, unset).await,
            Step::Reassign(factor) => self.reassign(seen, *factor).await,
            Step::AwaitMoves(_) | Step::TooMany(_) | Step::Done => Ok(()),
        }
    }

    /// Whether a step that failed ends the change. What is there now says whether it was done; a second growth to the same size is
    /// refused by itself.
    fn judge(&self, name: &str, error: Error, grew: bool, unsure: &mut u32) -> Result<(), Diagnostic> {
        let open = error.outcome() == Outcome::Unknown || (grew && error.is(Class::InvalidPartitions));
        *unsure += u32::from(open);
        match open && *unsure <= UNSURE || error.is(Class::ReassignmentInProgress) {
            true => Ok(()),
            false => Err(words::refused("change", name, &error)),
        }
    }

    async fn reassign(&self, seen: &Seen, factor: usize) -> Result<(), Error> {
        let (view, all) = tokio::try_join!(self.admin.cluster(), self.admin.topics(None))?;
        let moves = reassign::moves(&seen.topic.partitions, factor, &view.brokers, reassign::load(&all));
        let moves: Vec<_> = moves.into_iter().map(|(index, replicas)| (index, Some(replicas))).collect();
        self.admin.reassign(&seen.topic.name, &moves).await
    }

    /// The state after a change that stopped.
    async fn left(&self, prior: &Topic, told: &Told) -> Topic {
        if !told.anything {
            return prior.clone();
        }
        let end = Instant::now() + LAST_LOOK;
        let admin = self.admin.clone().until(end);
        let seen = timeout_at(end, look(&admin, prior.name.text(), true)).await;
        read::stopped(prior, &told.settings, seen.ok().and_then(Result::ok).flatten().as_ref())
    }
}
