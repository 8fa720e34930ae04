//! Restarts pods one at a time and waits until the service is really there: not when pods say Ready, but when the service
//! does. When it does not come, says why at once instead of at the timeout. The decisions are `roll.rs`'s. Network.

use super::role::{Role, Set, Templates};
use super::roll::{Health, Step, is_ready, next};
use super::sets::{all, changes, sets};
use super::zones::Zones;
use super::{Spec, template};
use crate::kubernetes::client::Delete;
use crate::kubernetes::explain::{Outlook, Reason};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::context::{Context, Halt};
use crate::stack::Stack;
use futures::StreamExt;
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
    /// Kubernetes refused something.
    Refused(Failure),
}

/// How long to wait at most before looking again although no pod changed: a service may come without a change of its pods.
/// Most come within the first minute; who waits longer has time.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOK_AGAIN_LATER: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(60);
/// How long a hopeless reason has to stand: an image is tried again, a volume may be on its way.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long one with little outlook: an autoscaler looks every 10 s and says when it makes a node.
const MORE_PATIENCE: Duration = Duration::from_secs(30);
/// How long they are looked for when the time is up.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// How often such reasons are looked for: that takes several requests.
const LOOK_FOR_REASONS: Duration = Duration::from_secs(2);

/// `templates`: those of the pods as our own writes left them. Restarts what has to be restarted, one role after the other, and
/// returns when every pod is as wanted and the service is healthy.
///
/// # Errors
/// Why it did not come.
pub async fn until_serving<M: Spec>(
    cx: &Context<'_, Stack>,
    stack: &Stack,
    spec: &M,
    templates: &Templates,
) -> Result<(), NotServing> {
    let (namespace, roles) = (spec.namespace(), spec.roles());
    let mut changes = changes(stack, Kind::Pod, namespace, &roles);
    let mut waiting = String::from("its pods");
    let mut stall = Stall::default();
    let mut zones = Zones::default();
    let begun = Instant::now();
    loop {
        let seen = match cx.race(look(stack, spec, &roles, templates)).await {
            Ok(seen) => seen,
            Err(halt) => return Err(halted(halt, stack, spec, waiting).await),
        };
        if let (true, Ok(seen)) = (spec.wants_zone(), &seen) {
            zones.tell(stack, &seen.pods).await;
        }
        match seen {
            Ok(Seen { foreign, .. }) if !foreign.is_empty() => return Err(NotServing::Changed(foreign)),
            Ok(Seen { step: Step::Done, .. }) => return Ok(()),
            Ok(Seen { step: Step::Restart { pod, uid }, .. }) => {
                cx.say(&format!("restarting {pod}, which runs an earlier specification"));
                restart(stack, namespace, &pod, uid).await?;
                stall = Stall::default();
            }
            Ok(Seen { step: Step::Wait(why), pods, .. }) => {
                cx.say(&format!("waiting for: {why}"));
                waiting = why;
                if pods.is_empty() || !pods.iter().all(is_ready) {
                    stall.look(stack, spec).await?;
                } else {
                    stall = Stall::default();
                }
            }
            // A call that failed in passing is made again; what is refused stays refused.
            Err(failure) if is_passing(&failure) => waiting = failure.to_string(),
            Err(failure) => return Err(NotServing::Refused(failure)),
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
    let (mut parts, mut foreign) = (Vec::new(), Vec::new());
    for Set { role, live } in sets {
        let key = role.names.key(namespace);
        let set = live.ok_or_else(|| Failure::new(format!("read {key}"), Class::NotFound, "it was deleted meanwhile"))?;
        let own: Vec<Object> = pods.extract_if(.., |pod| pod.is_owned_by(set.uid())).collect();
        if let Some(left) = templates.get(set.name()) {
            foreign.extend(template::foreign_fields(left, template::of(&set)));
        }
        parts.push((set, own));
    }
    // The service is asked only when its pods run: before that it could not answer.
    let step = match next(&parts, &Health::Waiting(String::new())) {
        Step::Wait(why) if why.is_empty() => {
            let pods: Vec<Object> = parts.iter().flat_map(|(_, own)| own.clone()).collect();
            next(&parts, &spec.health(stack, &pods).await)
        }
        step => step,
    };
    Ok(Seen { step, pods: parts.into_iter().flat_map(|(_, own)| own).collect(), foreign })
}

async fn restart(stack: &Stack, namespace: &str, pod: &str, uid: String) -> Result<(), NotServing> {
    let how = Delete { uid: Some(uid), ..Delete::default() };
    match stack.kubernetes.delete(&Key::new(Kind::Pod, namespace, pod), how).await {
        Ok(_) => Ok(()),
        // Another pod of that name: somebody else restarted it.
        Err(Failure { class: Class::Stale | Class::NotFound, .. }) => Ok(()),
        Err(failure) if is_passing(&failure) => Ok(()),
        Err(failure) => Err(NotServing::Refused(failure)),
    }
}

fn is_passing(failure: &Failure) -> bool {
    let lasting = [Class::Denied, Class::NotFound, Class::Unauthorized].contains(&failure.class);
    !lasting && !matches!(failure.class, Class::Forbidden { .. } | Class::Invalid(_) | Class::NotConfigured(_))
}

/// How long there has been no hope.
#[derive(Default)]
struct Stall {
    looked: Option<Instant>,
    since: Option<Instant>,
}

impl Stall {
    /// Looks for reasons for which waiting would not help, now and then.
    async fn look<M: Spec>(&mut self, stack: &Stack, spec: &M) -> Result<(), NotServing> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_FOR_REASONS) {
            return Ok(());
        }
        let mut reasons = explain(stack, spec).await;
        reasons.retain(|reason| reason.outlook != Outlook::Transient);
        self.looked = Some(Instant::now());
        let since = *self.since.get_or_insert_with(Instant::now);
        match reasons.is_empty() {
            true => self.since = None,
            false => {
                let lost = reasons.iter().any(|reason| reason.outlook == Outlook::Stuck);
                if since.elapsed() >= if lost { PATIENCE } else { MORE_PATIENCE } {
                    return Err(NotServing::Stuck(reasons));
                }
            }
        }
        Ok(())
    }
}

/// Why the pods are not there, as far as Kubernetes says.
pub async fn explain<M: Spec>(stack: &Stack, spec: &M) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for role in spec.roles() {
        reasons.extend(stack.kubernetes.why_not_ready(&role.names.key(spec.namespace())).await.unwrap_or_default());
    }
    reasons
}
