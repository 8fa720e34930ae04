//! Deletes a topic. Where its cluster does not run, nobody can be asked: then the topic goes out of the state with its cluster, or
//! stays, as the cluster's protection says. Network; [`way`] is pure.

use super::apply::{INTERVAL, LATER, Run, UNSURE};
use super::reach::{self, Place, Standing};
use super::read::look;
use super::schema::Topic;
use super::words;
use crate::kafka::{Class, Error, Outcome};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Private;
use crate::stack::{Stack, Target};
use std::time::Duration;
use tokio::time::Instant;

/// Why a topic was not deleted.
#[derive(Debug)]
pub enum Undeleted {
    /// Nobody could be asked, now.
    Away(Error),
    /// It has no use to ask again.
    Refused(Diagnostic),
}

/// What to do about a topic that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Ask its brokers.
    Ask,
    /// Brokers may be back in a moment.
    Wait,
    /// Nobody will answer.
    GiveUp,
}

/// How long brokers of which none is ready may be on their way back.
const SILENCE: Duration = Duration::from_secs(30);

fn way(standing: Standing, silent: Duration) -> Way {
    match standing {
        Standing::Serves => Way::Ask,
        Standing::Silent if silent < SILENCE => Way::Wait,
        Standing::Silent | Standing::Off => Way::GiveUp,
    }
}

/// Deletes the topic of a state.
///
/// # Errors
/// Why it stays in the state.
pub async fn delete(
    cx: &Context<'_, Stack>,
    away: &reach::Away,
    prior: &Topic,
    private: &Private,
) -> Result<Diagnostics, Diagnostic> {
    let (stack, name, cluster) = (cx.client()?, prior.name.text(), prior.cluster.text());
    let (admin, target) = match reach::find(stack, prior, private).await? {
        Place::There(admin, target) => (admin, target),
        Place::Gone => return Ok(words::went_with_its_cluster(cluster, name).into()),
    };
    let run = Run::new(admin, cx);
    loop {
        let standing = reach::standing(stack, target.as_ref()).await;
        let waiting = match way(standing, away.silent(cluster, standing)) {
            Way::Ask => match run.delete(name).await {
                Ok(()) => return Ok(Diagnostics::new()),
                Err(Undeleted::Refused(why)) => return Err(why),
                Err(Undeleted::Away(error)) => error.to_string(),
            },
            Way::Wait => "none of its brokers is ready".to_owned(),
            Way::GiveUp => return without_brokers(stack, target.as_ref(), prior).await,
        };
        run.cx.say(&format!("waiting to delete topic {name}: {waiting}"));
        run.cx.pause(LATER).await.map_err(|why| words::not_deleted(name, &format!("{why}; {waiting}")))?;
    }
}

/// A cluster that may be destroyed takes its topics with it.
async fn without_brokers(stack: &Stack, target: Option<&Target>, prior: &Topic) -> Result<Diagnostics, Diagnostic> {
    let (id, name, cluster) = (prior.id.text(), prior.name.text(), prior.cluster.text());
    match reach::is_protected(stack, target).await? {
        true => Err(words::cluster_is_stopped(cluster, name)),
        false => Ok(words::left_on_its_brokers(cluster, id, name).into()),
    }
}

impl Run<'_> {
    /// Deletes a topic; one that is gone already is no error.
    ///
    /// # Errors
    /// Why it is still there.
    pub async fn delete(&self, name: &str) -> Result<(), Undeleted> {
        let refused = |why| Err(Undeleted::Refused(why));
        let mut unsure = 0;
        loop {
            if let Err(halt) = self.cx.go_on() {
                return refused(words::not_deleted(name, &halt.to_string()));
            }
            match self.admin.delete_topic(name).await {
                Ok(()) => break,
                Err(error) if error.is(Class::UnknownTopic) => break,
                Err(error) if error.is(Class::DeletionDisabled) => return refused(words::deletion_disabled(name, &error)),
                Err(error) if error.outcome() == Outcome::Unknown && unsure < UNSURE => unsure += 1,
                Err(error) if error.may_pass() => return Err(Undeleted::Away(error)),
                Err(error) => return refused(words::refused("delete", name, &error)),
            }
            match look(&self.admin, name, false).await {
                Ok(None) => return Ok(()),
                _ => self.cx.pause(LATER).await.or_else(|why| refused(words::still_deleting(name, &why.to_string())))?,
            }
        }
        self.until_gone(name).await.map_err(Undeleted::Refused)
    }

    async fn until_gone(&self, name: &str) -> Result<(), Diagnostic> {
        let begun = Instant::now();
        loop {
            let waiting = match self.admin.topics(Some(&[name])).await {
                Ok(topics) if topics.is_empty() => return Ok(()),
                Ok(_) => "the controller still shows it".to_owned(),
                Err(error) => error.to_string(),
            };
            self.say_after(begun, name, &waiting);
            self.cx.pause(INTERVAL).await.map_err(|why| words::still_deleting(name, &format!("{why}; {waiting}")))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_that_may_come_back_are_waited_for_and_those_that_will_not_are_not() {
        assert_eq!(way(Standing::Serves, SILENCE * 9), Way::Ask);
        assert_eq!(way(Standing::Silent, SILENCE / 2), Way::Wait);
        assert_eq!(way(Standing::Silent, SILENCE), Way::GiveUp);
        assert_eq!(way(Standing::Off, Duration::ZERO), Way::GiveUp);
    }
}
