//! Restarts pods one at a time and waits until the service is really there: not when pods say Ready, but when the service
//! does. When it does not come, says why at once instead of at the timeout. The decisions are `roll.rs`'s. Network.

use super::health::Health;
use super::pod::{self, going};
use super::role::{Role, Set, Templates};
use super::roll::{self, Step, next};
use super::sets::{all, changes, claims, sets};
use super::stall::{Stall, explain};
use super::take::{Taker, Taking};
use super::zones::Zones;
use super::{Spec, template};
use crate::kubernetes::explain::Reason;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::context::{Context, Halt};
use crate::stack::Stack;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Why waiting ended before the service was there.
#[derive(Debug)]
pub enum NotServing {
    /// The user interrupts.
    Interrupted,
    /// The time is up.
    OutOfTime {
        /// What was waited for last.
        waiting: String,
        /// Why it did not come, as far as Kubernetes says.
        reasons: Vec<Reason>,
    },
    /// Somebody changed these fields of the pods' template after our write: a restart would deliver them.
    Changed(Vec<String>),
    /// Waiting would not help.
    Stuck(Vec<Reason>),
    /// A pod has to be restarted, and its data would go with it.
    Going {
        /// Its name.
        pod: String,
        /// Its claim, which is being deleted.
        claim: String,
    },
    /// Nothing that was done needs the service, and it is not whole.
    Unneeded {
        /// What was waited for last.
        waiting: String,
    },
    /// Kubernetes refused something.
    Refused(Failure),
}

/// How long to wait at most before looking again although no pod changed: a service may come without a change of its pods.
/// Most come within the first minute; who waits longer has time.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOK_AGAIN_LATER: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(60);
/// How long they are looked for when the time is up.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Restarts what has to be restarted, one role after the other, and returns when every pod is as wanted and the service is whole.
/// `templates`: those of the pods as our own writes left them; `patience`: how long to wait where nothing that was done needs the
/// service.
///
/// # Errors
/// Why it did not come.
pub async fn until_serving<M: Spec>(
    cx: &Context<'_, Stack>,
    stack: &Stack,
    spec: &M,
    templates: &Templates,
    patience: Option<Duration>,
) -> Result<(), NotServing> {
    let (namespace, roles) = (spec.namespace(), spec.roles());
    let mut changes = changes(stack, Kind::Pod, namespace, &roles);
    let mut waiting = String::from("its pods");
    let (mut stall, mut taker) = (Stall::default(), Taker::default());
    let mut zones = Zones::default();
    let begun = Instant::now();
    loop {
        let seen = match cx.race(look(stack, spec, &roles, templates)).await {
            Ok(seen) => seen,
            Err(halt) => return Err(halted(halt, stack, spec, waiting).await),
        };
        if let (true, Ok(seen)) = (spec.wants_zone(), &seen)
            && zones.tell(stack, &seen.pods).await
        {
            continue;
        }
        let step = match seen {
            Ok(Seen { foreign, .. }) if !foreign.is_empty() => return Err(NotServing::Changed(foreign)),
            Ok(Seen { step: Step::Restart { pod, serves }, .. }) => match taker.take(stack, spec, &pod, serves).await {
                Ok(Taking::Taken(unasked)) => {
                    cx.say(&format!("restarting {}, which runs an earlier specification", pod.name));
                    if let Some(failure) = unasked {
                        cx.say(&format!("{} was deleted, not evicted, so no budget was asked: {failure}", pod.name));
                    }
                    stall = Stall::default();
                    None
                }
                Ok(Taking::Changed) => None,
                Ok(Taking::Held(by)) => Some((by, true)),
                Err(failure) => Some((passing(failure)?, true)),
            },
            Ok(Seen { step: Step::Wait(why), pods, .. }) => Some((why, !pods.is_empty() && pods.iter().all(pod::is_ready))),
            Ok(Seen { step: Step::Refuse { pod, claim }, .. }) => return Err(NotServing::Going { pod, claim }),
            Ok(Seen { step: Step::Done, .. }) => return Ok(()),
            Err(failure) => Some((passing(failure)?, true)),
        };
        if let Some((why, all_ready)) = step {
            cx.say(&format!("waiting for: {why}"));
            waiting = why;
            match all_ready {
                true => stall = Stall::default(),
                false => stall.look(stack, spec).await.map_err(NotServing::Stuck)?,
            }
        }
        if patience.is_some_and(|patience| begun.elapsed() >= patience) {
            return Err(NotServing::Unneeded { waiting });
        }
        let pause = if begun.elapsed() < LATER { LOOK_AGAIN } else { LOOK_AGAIN_LATER };
        if let Err(halt) = cx.wait(timeout(pause, changes.next())).await {
            return Err(halted(halt, stack, spec, waiting).await);
        }
    }
}

async fn halted<M: Spec>(halt: Halt, stack: &Stack, spec: &M, waiting: String) -> NotServing {
    match halt {
        Halt::Interrupted => NotServing::Interrupted,
        // The time is up already: what is known by now has to do.
        Halt::OutOfTime => {
            let reasons = timeout(LAST_LOOK, explain(stack, spec)).await.unwrap_or_default();
            NotServing::OutOfTime { waiting, reasons }
        }
    }
}

/// Whether every pod is as wanted and the service healthy at this moment.
pub async fn is_serving<M: Spec>(stack: &Stack, spec: &M) -> bool {
    let seen = look(stack, spec, &spec.roles(), &Templates::new()).await;
    matches!(seen, Ok(Seen { step: Step::Done, .. }))
}

struct Seen {
    step: Step,
    pods: Vec<Object>,
    /// Fields of the pods' template that somebody changed after our write.
    foreign: Vec<String>,
}

async fn look<M: Spec>(stack: &Stack, spec: &M, roles: &[Role], templates: &Templates) -> Result<Seen, Failure> {
    let namespace = spec.namespace();
    let (sets, mut pods) = tokio::try_join!(sets(stack, namespace, roles), all(stack, Kind::Pod, namespace, roles))?;
    let (mut parts, mut rolled, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
    for Set { role, live } in sets {
        let key = role.names.key(namespace);
        let set = live.ok_or_else(|| Failure::new(format!("read {key}"), Class::NotFound, "it was deleted meanwhile"))?;
        let own: Vec<Object> = pods.extract_if(.., |pod| pod.is_owned_by(set.uid())).collect();
        if let Some(left) = templates.get(set.name()) {
            foreign.extend(template::foreign_fields(left, template::of(&set)));
        }
        rolled.push(roll::Set::of(&set, &own, role.container));
        parts.push((set, own));
    }
    let own = || parts.iter().flat_map(|(_, pods)| pods);
    let (mut health, nobody) = (Health::Unknown(String::new()), BTreeMap::new());
    let mut step = next(&rolled, &health, &nobody);
    // The service is asked only when that decides: before its pods run it could not answer.
    if step == Step::Wait(String::new()) {
        let pods: Vec<Object> = own().cloned().collect();
        health = spec.health(stack, &pods, rolled.iter().any(roll::Set::is_outdated)).await;
        step = next(&rolled, &health, &nobody);
    }
    if matches!(step, Step::Restart { .. }) {
        let (now, claims) = tokio::try_join!(all(stack, Kind::Pod, namespace, roles), claims(stack, namespace))?;
        let same = versions(own()) == versions(now.iter().filter(|pod| parts.iter().any(|(set, _)| pod.is_owned_by(set.uid()))));
        // What the service said may be as old as its answer took.
        step = match same {
            true => next(&rolled, &health, &going(own(), &claims)),
            false => Step::Wait("pods that change while they are looked at".to_owned()),
        };
    }
    Ok(Seen { step, pods: parts.into_iter().flat_map(|(_, own)| own).collect(), foreign })
}

/// Which pods these are, and as what they were seen.
fn versions<'a>(pods: impl Iterator<Item = &'a Object>) -> BTreeSet<(&'a str, &'a str)> {
    pods.map(|pod| (pod.uid(), pod.resource_version())).collect()
}

/// A call that failed in passing is made again: why, to wait for; what is refused stays refused.
fn passing(failure: Failure) -> Result<String, NotServing> {
    let lasting = [Class::Denied, Class::NotFound, Class::Unauthorized].contains(&failure.class)
        || matches!(failure.class, Class::Forbidden { .. } | Class::Invalid(_) | Class::NotConfigured(_));
    if lasting { Err(NotServing::Refused(failure)) } else { Ok(failure.to_string()) }
}
