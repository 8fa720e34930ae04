//! A delete. Where the cluster does not run, nobody can be asked: then the thing goes out of the state with its cluster, or stays,
//! as the cluster's protection says. Network; [`way`] is pure.

use super::reach::{self, Away, Place, Standing, There};
use super::{LATER, Thing, words};
use crate::kafka::{Admin, Error};
use crate::plugin::context::{Context, Halt};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Private;
use crate::stack::{Stack, Target};
use std::time::Duration;

/// Why something was not deleted.
#[derive(Debug)]
pub enum Undeleted {
    /// Nobody could be asked, now.
    Away(Error),
    /// It has no use to ask again.
    Refused(Diagnostic),
    /// The user interrupts, or the time is up.
    Halted(Halt),
}

/// What to do about something that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Ask its brokers.
    Ask,
    /// Brokers may be back in a moment.
    Wait,
    /// Nobody will answer.
    GiveUp,
}

/// What the last call before the deadline gets.
const MARGIN: Duration = Duration::from_secs(1);
/// How long brokers of which none is ready may be on their way back.
const SILENCE: Duration = Duration::from_secs(30);

fn way(standing: Standing, silent: Duration) -> Way {
    match standing {
        Standing::Serves => Way::Ask,
        Standing::Silent if silent < SILENCE => Way::Wait,
        Standing::Silent | Standing::Off => Way::GiveUp,
    }
}

/// Deletes something inside a cluster. `ask`: does it, by this client; what is gone already is no error.
///
/// # Errors
/// Why it stays in the state.
pub async fn delete<F>(
    cx: &Context<'_, Stack>,
    away: &Away,
    thing: Thing<'_>,
    private: &Private,
    ask: impl Fn(Admin) -> F + Sync,
) -> Result<Diagnostics, Diagnostic>
where
    F: Future<Output = Result<(), Undeleted>> + Send,
{
    let stack = cx.client()?;
    let cx = cx.sparing(MARGIN);
    let There { admin, target, .. } = match reach::find(stack, thing, private).await? {
        Place::There(there) => *there,
        Place::Gone => return Ok(words::went_with_its_cluster(thing).into()),
    };
    loop {
        let standing = reach::standing(stack, target.as_ref()).await;
        let waiting = match way(standing, away.silent(thing.cluster, standing)) {
            Way::Ask => match told_apart(thing, private, target.as_ref(), &admin, &ask).await? {
                Ok(said) => return Ok(said),
                Err(Undeleted::Refused(why)) => return Err(why),
                Err(Undeleted::Halted(halt)) => return Err(words::not_deleted(thing, &halt.to_string())),
                Err(Undeleted::Away(error)) => error.to_string(),
            },
            Way::Wait => "none of its brokers is ready".to_owned(),
            Way::GiveUp => return without_brokers(stack, target.as_ref(), thing).await,
        };
        cx.say(&format!("waiting to delete {thing}: {waiting}"));
        cx.pause(LATER).await.map_err(|why| words::not_deleted(thing, &format!("{why}; {waiting}")))?;
    }
}

/// Asks, once it is known that it is the Kafka that the state is about. What was in a cluster that was made anew is gone.
async fn told_apart<F>(
    thing: Thing<'_>,
    private: &Private,
    target: Option<&Target>,
    admin: &Admin,
    ask: &(impl Fn(Admin) -> F + Sync),
) -> Result<Result<Diagnostics, Undeleted>, Diagnostic>
where
    F: Future<Output = Result<(), Undeleted>> + Send,
{
    if admin.known_id().is_none() {
        // That nobody answers is for the deed to find out.
        let _ = admin.cluster().await;
    }
    if reach::is_made_anew(private, target, admin) {
        return Ok(Ok(words::went_with_its_kafka(thing).into()));
    }
    reach::same_kafka(thing, private, target, admin)?;
    Ok(ask(admin.clone()).await.map(|()| Diagnostics::new()))
}

/// A cluster that may be destroyed takes what is in it with it.
async fn without_brokers(stack: &Stack, target: Option<&Target>, thing: Thing<'_>) -> Result<Diagnostics, Diagnostic> {
    match reach::is_protected(stack, target).await? {
        true => Err(words::cluster_is_stopped(thing)),
        false => Ok(words::left_on_its_brokers(thing).into()),
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
