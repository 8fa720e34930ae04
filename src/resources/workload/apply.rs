//! Create and update: own the name, apply what differs, restart and wait, say that it is done. Interrupted anywhere and
//! run again, it goes on from what is there. Network; the decisions are those of `owned/` and `roll.rs`.

use super::attributes::PlannedRestart;
use super::foretold::Pods;
use super::guard::Site;
use super::read;
use super::record::Record;
use super::role::{Role, Templates};
use super::roll;
use super::tidy::tidy;
use super::turn::Turn;
use super::wait::{NotServing, until_serving};
use super::words;
use super::{Spec, template};
use crate::kubernetes::client::FIELD_MANAGER;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Object};
use crate::plugin::context::{Context, Halt};
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Done, Failed, Private, Update};
use crate::resources::owned::applied::{encode, keep, kept};
use crate::resources::owned::board;
use crate::resources::owned::converge::Live;
use crate::resources::owned::drift::fingerprints;
use crate::resources::owned::phase::Phase;
use crate::resources::owned::shown::Shown;
use crate::resources::owned::which::Which;
use crate::resources::owned::write::{Stop, Writer};
use crate::stack::Stack;
use crate::stack::names;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// One create or update under way.
pub(super) struct Run<'a, M> {
    pub(super) cx: &'a Context<'a, Stack>,
    pub(super) stack: &'a Stack,
    pub(super) spec: M,
    prior: M,
    pub(super) writer: Writer<'a>,
    /// Whether the StatefulSet was there before this create.
    pub(super) taken_up: bool,
    /// What the anchor is to remember.
    pub(super) learnt: Record,
    /// Which one it is.
    pub(super) which: Which,
    /// Whether it is this run's turn.
    pub(super) turn: Turn,
    /// What is known of the revisions of pods.
    pods: Pods,
    /// What was applied last, where that is known; none of a create.
    before: Option<M>,
    /// The restarts that the plan foretold; none where it could not.
    foretold: Attr<Vec<PlannedRestart>>,
}

/// A halt before everything was applied, in words. `interrupted`: what an interrupt means here.
fn halted<M: Spec>(spec: &M, interrupted: fn() -> Diagnostic) -> impl FnOnce(Halt) -> Diagnostic {
    move |halt| match halt {
        Halt::Interrupted => interrupted(),
        Halt::OutOfTime => words::out_of_time(M::RESOURCE, spec.name()),
    }
}

/// Makes a workload.
///
/// # Errors
/// Why it was not made, and what is there all the same.
pub async fn create<M: Spec>(cx: &Context<'_, Stack>, create: Create<M>) -> Result<Done<M>, Failed<M>> {
    let mut run = Run::new(cx, cx.client()?, create.planned, M::default(), Shown::All);
    // Nothing is written then: there is nothing to keep.
    run.own().await.map_err(|stop| stop.words(halted(&run.spec, || words::cancelled(M::RESOURCE))))?;
    if let Err(stop) = run.write(None).await {
        run.leave().await;
        return match stop {
            // State without an error: an error would have core destroy and make again what only has to be gone on with.
            Stop::Halted(Halt::Interrupted) => Ok(run.interrupted()),
            stop => Err(run.unfinished(stop)),
        };
    }
    // Everything is there: from here on nothing is an error.
    if let Err(stop) = run.mark(Phase::Creating, None).await {
        run.tell(stop, Severity::Warning);
    }
    let missing = until_serving(cx, run.stack, &run.spec, &run.templates(), None).await.err();
    run.finish(missing, Some(Timestamp::now()), Severity::Warning).await.or_failed()
}

/// Changes a workload.
///
/// # Errors
/// Why not, and what is there now.
pub async fn update<M: Spec>(cx: &Context<'_, Stack>, update: Update<M>) -> Result<Done<M>, Failed<M>> {
    let (prior, private) = (update.prior, update.private);
    let shown = Shown::of(&prior.common().objects);
    let mut run = Run::new(cx, cx.client()?, update.planned, prior, shown);
    run.which = Which::kept(&private);
    run.pods = Pods::kept(&private).lasting();
    if let Some(before) = kept::<M>(&private) {
        run.writer.changes(&before.objects(), &run.spec.objects(), true);
        run.before = Some(before);
    }
    let site = match run.change().await {
        Ok(site) => site,
        Err(stop) => {
            run.leave().await;
            // The old state: the next refresh sees what of the change is there already.
            let why = stop.words(halted(&run.spec, words::change_interrupted));
            return Err(Failed::from(why).and(run.writer.said));
        }
    };
    let changes_more_than_time = run.before.as_ref().is_some_and(|before| !is_same_but_for_time(before, &run.spec));
    let (patience, severity) = match changes_more_than_time && leaves_pods(&site, &run.writer.seen) {
        // The pods stay as they are, so whether the service is whole is worth a word, and no failure.
        true => (Some(GLANCE), Severity::Warning),
        false => (None, Severity::Error),
    };
    let missing = until_serving(cx, run.stack, &run.spec, &run.templates(), patience).await.err();
    run.finish(missing, None, severity).await.or_failed()
}

/// How long a change that leaves the pods as they are looks at the service.
const GLANCE: Duration = Duration::from_secs(10);

/// Whether two specifications differ in nothing, or in how long operations may take: then the apply is there to wait.
fn is_same_but_for_time<M: Spec>(before: &M, wanted: &M) -> bool {
    let timeless = |spec: &M| {
        let mut spec = spec.clone();
        spec.common_mut().timeouts = Attr::Null;
        encode(&spec)
    };
    timeless(before) == timeless(wanted)
}

/// Whether a change left every pod as it was: no StatefulSet has another template or number, and no pod was to be restarted before.
fn leaves_pods<M: Spec>(site: &Site<M>, now: &Live) -> bool {
    site.sets.iter().all(|set| {
        let Some(before) = &set.live else { return false };
        let Some(now) = now.get(&before.key()).and_then(Option::as_ref) else { return false };
        let own: Vec<&Object> = site.pods.iter().filter(|pod| pod.is_owned_by(before.uid())).collect();
        let seen = roll::Set::of(before, &own, set.role.container);
        let same = |pointer: &str| before.at(pointer) == now.at(pointer);
        same("/metadata/uid")
            && same("/spec/template")
            && same("/spec/replicas")
            && seen.unsettled.is_none()
            && !seen.is_outdated()
    })
}

impl<'a, M: Spec> Run<'a, M> {
    fn new(cx: &'a Context<'a, Stack>, stack: &'a Stack, planned: M, prior: M, shown: Shown) -> Self {
        board::on(cx, stack, names::anchor(planned.namespace(), planned.name()));
        let foretold = planned.common().planned_roll.clone();
        let foretold = if foretold.is_unknown() { Attr::Known(Vec::new()) } else { foretold };
        let mut spec = planned.without_observations();
        spec.set_outputs();
        // Whose id was seen before is asked for again: another Kafka under the same name is not this one.
        spec.keep_observations(&prior);
        let writer = Writer::new(cx, stack, M::RESOURCE, shown);
        Self {
            cx,
            stack,
            spec,
            prior,
            writer,
            taken_up: false,
            learnt: Record::default(),
            which: Which::default(),
            turn: Turn::default(),
            pods: Pods::default(),
            before: None,
            foretold,
        }
    }

    /// The pods' templates as the server has them after our write; none before: what the anchor said of them is void by then.
    pub(super) fn templates(&self) -> Templates {
        let written = |role: &Role| {
            let set = self.writer.seen.get(&role.names.key(self.spec.namespace()))?.as_ref()?;
            Some((set.name().to_owned(), template::of(set).clone()))
        };
        self.spec.roles().iter().filter_map(written).collect()
    }

    pub(super) fn anchor_key(&self) -> Key {
        names::anchor(self.spec.namespace(), self.spec.name())
    }

    /// Applies a change of what is there; what was there before.
    async fn change(&mut self) -> Result<Site<M>, Stop> {
        self.cx.go_on()?;
        let site = self.look_around().await?;
        self.check_templates(&site)?;
        // An anchor of the first version does not know whose it is; the state does.
        if site.anchor.as_ref().is_some_and(|(_, anchor)| anchor.record.served.is_none()) {
            self.learnt.cluster_id = self.prior.known_id();
        }
        // Before the anchor forgets how the templates were left.
        for (set, left) in site.templates() {
            self.put_template_back(set, left).await?;
        }
        self.mark(Phase::Updating, None).await?;
        // What never served has nobody who depends on what it was.
        let before = self.before.clone().filter(|_| site.has_served());
        self.write(before.as_ref()).await?;
        self.mark(Phase::Updating, None).await?;
        Ok(site)
    }

    /// A template that somebody changed after the plan was made would restart pods that the plan did not speak of.
    fn check_templates(&self, site: &Site<M>) -> Result<(), Stop> {
        for (set, left) in site.templates() {
            let fields = template::foreign_fields(left, template::of(set));
            if !fields.iter().all(|field| self.writer.shown.has(set, field)) {
                return Err(words::template_changed(&set.key(), &fields).into());
            }
        }
        Ok(())
    }

    /// What others did to the pods' template is taken back as a whole, so that no roll delivers it.
    async fn put_template_back(&mut self, set: &Object, left: &Value) -> Result<(), Stop> {
        if template::foreign_fields(left, template::of(set)).is_empty() {
            return Ok(());
        }
        let mut object = set.clone();
        if let Some(spec) = object.json_mut().get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("template".to_owned(), left.clone());
        }
        let mut object = self.stack.kubernetes.replace(&object).await?;
        // What was written as a whole is owned by nobody now, and then by the apply that follows: an owner that stays would keep a
        // field that is no longer wanted.
        let ours = |entry: &Value| {
            entry.get("operation") == Some(&"Update".into()) && entry.get("manager") == Some(&FIELD_MANAGER.into())
        };
        let mut owners = object.list("/metadata/managedFields").to_vec();
        owners.retain(|entry| !ours(entry));
        object.set_metadata("managedFields", owners.into());
        self.writer.changed.insert(object.key());
        match self.stack.kubernetes.replace(&object).await {
            Ok(_) | Err(Failure { class: Class::Stale, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Says what an operation goes on without. An interrupt is said by whoever ends it.
    fn tell(&mut self, stop: Stop, severity: Severity) {
        let Stop::Failed(why) = stop else { return };
        why.into_iter().for_each(|why| self.writer.said.push(Diagnostic { severity, ..why }));
    }

    /// Applies what differs, in order. `before`: what was applied last, where it has served.
    async fn write(&mut self, before: Option<&M>) -> Result<(), Stop> {
        let announced = self.spec.announce(self.cx, before).await.map_err(Stop::Failed)?;
        self.writer.said.extend(announced);
        self.writer.write(&self.spec.objects()).await
    }

    /// Ends in the middle, within the time that core grants after a deadline.
    async fn leave(&mut self) {
        let _ = tokio::time::timeout(LAST_WORDS, self.give_up_turn()).await;
    }

    /// A create that failed half-way, with what is there of it. Where an earlier run made what may serve by now there is no
    /// state, so that it is not tainted and the next apply takes it up again.
    fn unfinished(self, stop: Stop) -> Failed<M> {
        let why = stop.words(halted(&self.spec, || words::cancelled(M::RESOURCE)));
        let failed = Failed::from(why);
        let failed = match self.taken_up {
            true => failed,
            false => failed.leaving(self.state(), self.private()),
        };
        failed.and(self.writer.said)
    }

    /// Private state: what was applied, which one it is, and what its pods ran before.
    fn private(&self) -> Private {
        self.pods.keep(self.which.keep(keep(&self.spec)))
    }

    /// State, of what is there.
    fn state(&self) -> M {
        let mut state = read::state(&self.spec, &self.writer.live, &Templates::new(), false);
        state.common_mut().planned_roll = self.foretold.clone();
        state
    }

    /// A create that the user interrupted. Without an error, core wants exactly what was planned; `ready` says that it is not
    /// done, and the next refresh what is missing.
    fn interrupted(self) -> Done<M> {
        let mut state = self.spec.clone();
        let wanted = fingerprints(&self.spec.objects());
        let common = state.common_mut();
        common.planned_roll = self.foretold.clone();
        common.ready = Attr::Known(false);
        common.objects = Attr::Known(wanted);
        Done::new(state).keep(self.private()).and(self.writer.said).and(words::interrupted())
    }

    /// Makes state of what is there, and says in the anchor that everything is applied. `severity`: of what is missing. A create
    /// has only warnings here: after its last object, an error would have core destroy what may only be slow.
    async fn finish(mut self, missing: Option<NotServing>, created: Option<Timestamp>, severity: Severity) -> Done<M> {
        let mut state = self.state();
        state.keep_observations(&self.prior);
        let serving = missing.is_none();
        match &missing {
            Some(missing) => {
                self.cx.say(&words::not_serving_told(missing));
                self.writer.said.push(words::not_serving(M::RESOURCE, self.spec.name(), missing, severity));
            }
            None => self.cx.say("serving: everything is as wanted"),
        }
        let from = if serving { self.cx.deadline } else { Instant::now() };
        let end = from.checked_add(LAST_WORDS).unwrap_or(from);
        let noted = match tokio::time::timeout_at(end, self.note(&mut state, serving, created)).await {
            Ok(noted) => noted,
            Err(_) => Err(words::out_of_time(M::RESOURCE, self.spec.name()).into()),
        };
        // Not noted, it is not done: the next apply sees to it.
        state.common_mut().ready = Attr::Known(serving && noted.is_ok());
        if let Err(stop) = noted {
            self.tell(stop, severity);
        }
        Done::new(state).keep(self.private()).and(self.writer.said)
    }

    /// Notes in the anchor how it ended, and what the running service says of itself.
    async fn note(&mut self, state: &mut M, serving: bool, created: Option<Timestamp>) -> Result<(), Stop> {
        if serving {
            state.observe(self.stack).await;
            let cluster_id = self.spec.identity(self.stack).await;
            let served = Record { served: Some(true), cluster_id, ..Record::default() };
            self.learnt = std::mem::take(&mut self.learnt).and(&served);
        }
        self.mark(Phase::Ready, created).await?;
        if serving {
            tidy(self.stack, &self.spec).await;
        }
        Ok(())
    }
}

/// How long the end of an operation may take when its time is up: core's own patience is [`GRACE`](crate::plugin::guard::GRACE).
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Looks at every object that is wanted.
///
/// # Errors
/// When one cannot be looked at: then nothing is known.
pub async fn look<M: Spec>(stack: &Stack, spec: &M) -> Result<Live, Failure> {
    let wanted = spec.objects();
    let gets = wanted.iter().map(|object| {
        let key = object.key();
        async move { Ok::<_, Failure>((key.clone(), stack.kubernetes.get(&key).await?)) }
    });
    Ok(futures::future::try_join_all(gets).await?.into_iter().collect())
}
