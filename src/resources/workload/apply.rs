//! Create and update: own the name, apply what differs, restart and wait, say that it is done. Interrupted anywhere and
//! run again, it goes on from what is there. Network; the decisions are `converge.rs`'s and `roll.rs`'s.

use super::anchor::{self, Phase, Record};
use super::converge::{Live, Step, changed, next};
use super::delete::delete_this;
use super::guard::Site;
use super::plan::{APPLIED, fingerprints};
use super::read;
use super::shown::Shown;
use super::tidy::tidy;
use super::wait::{NotServing, until_serving};
use super::{Spec, converge, template};
use crate::diagnostics;
use crate::kubernetes::client::{Apply, FIELD_MANAGER};
use crate::kubernetes::failure::{Class, Failure, FieldConflict};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::context::{Context, Halt};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::plugin::model::Attr;
use crate::plugin::operations::{Create, Done, Failed, Private, Update};
use crate::resources::owned::board;
use crate::stack::Stack;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// One create or update under way.
pub(super) struct Run<'a, M> {
    pub(super) cx: &'a Context<'a, Stack>,
    pub(super) stack: &'a Stack,
    pub(super) spec: M,
    prior: M,
    pub(super) live: Live,
    /// Objects that are wanted otherwise than they were last applied.
    pub(super) changed: BTreeSet<Key>,
    /// Fields that the plan showed, by object: these are taken over from whoever has them.
    shown: Shown,
    /// Whether the StatefulSet was there before this create.
    pub(super) taken_up: bool,
    /// What the anchor is to remember.
    pub(super) learnt: Record,
    /// The pods' template as the server has it after our write; none before: what the anchor said of it is void by then.
    pub(super) template: Option<Value>,
    pub(super) diagnostics: Diagnostics,
}

/// Why a run stopped before everything was applied.
pub(super) enum Stop {
    Halted(Halt),
    Failed(Diagnostics),
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl Stop {
    /// Why, in words. `interrupted`: what an interrupt means here.
    fn words<M: Spec>(self, spec: &M, interrupted: impl FnOnce() -> Diagnostic) -> Diagnostics {
        match self {
            Self::Halted(Halt::Interrupted) => interrupted().into(),
            Self::Halted(Halt::OutOfTime) => diagnostics::out_of_time(M::RESOURCE, spec.name()).into(),
            Self::Failed(why) => why,
        }
    }
}

/// Makes a workload.
///
/// # Errors
/// Why it was not made, and what is there all the same.
pub async fn create<M: Spec>(cx: &Context<'_, Stack>, create: Create<M>) -> Result<Done<M>, Failed<M>> {
    let cx = &heard::<M>(cx, &create.planned)?;
    let ended = make(cx, create).await;
    cx.end().await;
    ended
}

/// The same context, heard at the workload's anchor.
pub(super) fn heard<'a, M: Spec>(cx: &Context<'a, Stack>, spec: &M) -> Result<Context<'a, Stack>, Diagnostic> {
    Ok(board::on(cx, cx.client()?, anchor::key(spec.namespace(), spec.name())))
}

async fn make<M: Spec>(cx: &Context<'_, Stack>, create: Create<M>) -> Result<Done<M>, Failed<M>> {
    let mut run = Run::new(cx, cx.client()?, create.planned, M::default(), Shown::All);
    // Nothing is written then: there is nothing to keep.
    run.own().await.map_err(|stop| stop.words(&run.spec, || diagnostics::cancelled(M::RESOURCE)))?;
    match run.write().await {
        Ok(()) => {}
        // State without an error: an error would have core destroy and make again what only has to be gone on with.
        Err(Stop::Halted(Halt::Interrupted)) => return Ok(run.interrupted()),
        Err(stop) => return Err(run.unfinished(stop)),
    }
    // Everything is there: from here on nothing is an error.
    if let Err(stop) = run.mark(Phase::Creating, None).await {
        run.tell(stop, Severity::Warning);
    }
    let missing = until_serving(cx, run.stack, &run.spec, run.template.as_ref()).await.err();
    run.finish(missing, Some(Timestamp::now()), Severity::Warning).await.or_failed()
}

/// Changes a workload.
///
/// # Errors
/// Why not, and what is there now.
pub async fn update<M: Spec>(cx: &Context<'_, Stack>, update: Update<M>) -> Result<Done<M>, Failed<M>> {
    let cx = &heard::<M>(cx, &update.planned)?;
    let ended = change(cx, update).await;
    cx.end().await;
    ended
}

async fn change<M: Spec>(cx: &Context<'_, Stack>, update: Update<M>) -> Result<Done<M>, Failed<M>> {
    let (prior, private) = (update.prior, update.private);
    let before = private.get(APPLIED).and_then(|text| anchor::decode::<M>(text)).map(|applied| applied.objects());
    let mut run = Run::new(cx, cx.client()?, update.planned, prior.clone(), Shown::of(&prior));
    if let Some(before) = before {
        run.changes(&before);
    }
    if let Err(stop) = run.change().await {
        // The old state: the next refresh sees what of the change is there already.
        let why = stop.words(&run.spec, diagnostics::change_interrupted);
        return Err(Failed::from(why).and(run.diagnostics));
    }
    let missing = until_serving(cx, run.stack, &run.spec, run.template.as_ref()).await.err();
    run.finish(missing, None, Severity::Error).await.or_failed()
}

impl<'a, M: Spec> Run<'a, M> {
    fn new(cx: &'a Context<'a, Stack>, stack: &'a Stack, planned: M, prior: M, shown: Shown) -> Self {
        let mut spec = planned.without_observations();
        spec.set_outputs();
        // Whose id was seen before is asked for again: another Kafka under the same name is not this one.
        spec.keep_observations(&prior);
        let (live, changed) = (Live::new(), BTreeSet::new());
        let (learnt, diagnostics) = (Record::default(), Diagnostics::new());
        Self { cx, stack, spec, prior, live, changed, shown, taken_up: false, learnt, template: None, diagnostics }
    }

    /// Notes what the plan changes of what was applied before.
    fn changes(&mut self, before: &[Object]) {
        let wanted = self.spec.objects();
        self.changed = changed(before, &wanted);
        self.shown.add(before, &wanted);
    }

    pub(super) fn anchor_key(&self) -> Key {
        anchor::key(self.spec.namespace(), self.spec.name())
    }

    /// Applies a change of what is there.
    async fn change(&mut self) -> Result<(), Stop> {
        self.cx.go_on()?;
        let site = self.look_around().await?;
        self.check_template(&site)?;
        // An anchor of the first version does not know whose it is; the state does.
        if site.anchor.as_ref().is_some_and(|(_, anchor)| anchor.record.served.is_none()) {
            self.learnt.cluster_id = self.prior.known_id();
        }
        // Before the anchor forgets how the template was left.
        self.put_template_back(&site).await?;
        self.mark(Phase::Updating, None).await?;
        self.write().await?;
        self.mark(Phase::Updating, None).await
    }

    /// A template that somebody changed after the plan was made would restart pods that the plan did not speak of.
    fn check_template(&self, site: &Site<M>) -> Result<(), Stop> {
        let Some((set, left)) = site.template() else { return Ok(()) };
        let fields = template::foreign_fields(left, template::of(set));
        match fields.iter().all(|field| self.shown.has(set, field)) {
            true => Ok(()),
            false => Err(diagnostics::guard::template_changed(&set.key(), &fields).into()),
        }
    }

    /// What others did to the pods' template is taken back as a whole, so that no roll delivers it.
    async fn put_template_back(&mut self, site: &Site<M>) -> Result<(), Stop> {
        let Some((set, left)) = site.template() else { return Ok(()) };
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
        self.changed.insert(object.key());
        match self.stack.kubernetes.replace(&object).await {
            Ok(_) | Err(Failure { class: Class::Stale, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Says what an operation goes on without. An interrupt is said by whoever ends it.
    fn tell(&mut self, stop: Stop, severity: Severity) {
        let Stop::Failed(why) = stop else { return };
        why.into_iter().for_each(|why| self.diagnostics.push(Diagnostic { severity, ..why }));
    }

    /// Applies what differs, in order.
    async fn write(&mut self) -> Result<(), Stop> {
        self.diagnostics.extend(self.spec.announce(self.stack).await?);
        let wanted = self.spec.objects();
        let mut written = BTreeSet::new();
        self.live.clear();
        loop {
            self.cx.go_on()?;
            match next(&wanted, &self.live, true, &self.changed) {
                Step::Look(object) => {
                    let found = self.stack.kubernetes.get(&object.key()).await?;
                    self.see(object.key(), found);
                }
                Step::Apply(object, fields) if written.contains(&object.key()) => {
                    // A webhook of the cluster has other ideas: said, and not fought over.
                    self.diagnostics.push(diagnostics::changed_on_the_way(&object.key(), &fields));
                    self.live.insert(object.key(), Some(object.clone()));
                }
                Step::Apply(object, fields) => {
                    let applied = self.apply(object).await?;
                    self.cx.say(&what_was_applied(object, &fields));
                    self.changed.remove(&object.key());
                    written.insert(object.key());
                    self.see(object.key(), Some(applied));
                }
                Step::Refuse(key) => return Err(diagnostics::name_taken(&key, M::RESOURCE).into()),
                Step::Done => return Ok(()),
            }
        }
    }

    fn see(&mut self, key: Key, found: Option<Object>) {
        if let (Kind::StatefulSet, Some(set)) = (key.kind, &found) {
            self.template = Some(template::of(set).clone());
        }
        self.live.insert(key, found);
    }

    /// Fields of others are taken over only where the plan showed them.
    async fn apply(&self, object: &Object) -> Result<Object, Stop> {
        self.make_room(object).await?;
        let applied = self.stack.kubernetes.apply(object, Apply::default()).await;
        let Err(Failure { class: Class::Conflict(conflicts), .. }) = &applied else { return Ok(applied?) };
        // What we wrote as a whole is ours, too.
        let may = |conflict: &FieldConflict| conflict.manager == FIELD_MANAGER || self.shown.has(object, &conflict.field);
        if !conflicts.iter().all(may) {
            return Ok(applied?);
        }
        Ok(self.stack.kubernetes.apply(object, Apply { force: true, dry_run: false }).await?)
    }

    /// A configuration that a hand made anew with another content cannot become as it was.
    async fn make_room(&self, object: &Object) -> Result<(), Stop> {
        let live = self.live.get(&object.key()).and_then(Option::as_ref);
        let other = |live: &&Object| *live.at("/immutable") == true && live.at("/data") != object.at("/data");
        if let Some(live) = live.filter(other) {
            delete_this(self.stack, live).await?;
        }
        Ok(())
    }

    /// A create that failed half-way, with what is there of it. Where an earlier run made what may serve by now there is no
    /// state, so that it is not tainted and the next apply takes it up again.
    fn unfinished(self, stop: Stop) -> Failed<M> {
        let why = stop.words(&self.spec, || diagnostics::cancelled(M::RESOURCE));
        let failed = Failed::from(why).and(self.diagnostics);
        match self.taken_up {
            true => failed,
            false => failed.leaving(read::state(&self.spec, &self.live, None, false), applied(&self.spec)),
        }
    }

    /// A create that the user interrupted. Without an error, core wants exactly what was planned; `ready` says that it is not
    /// done, and the next refresh what is missing.
    fn interrupted(self) -> Done<M> {
        let mut state = self.spec.clone();
        let wanted = fingerprints(&self.spec.objects());
        let common = state.common();
        *common.ready = Attr::Known(false);
        *common.objects = Attr::Known(wanted);
        Done::new(state).keep(applied(&self.spec)).and(self.diagnostics).and(diagnostics::interrupted())
    }

    /// Makes state of what is there, and says in the anchor that everything is applied. `severity`: of what is missing. A create
    /// has only warnings here: after its last object, an error would have core destroy what may only be slow.
    async fn finish(mut self, missing: Option<NotServing>, created: Option<Timestamp>, severity: Severity) -> Done<M> {
        let mut state = read::state(&self.spec, &self.live, None, false);
        state.keep_observations(&self.prior);
        let serving = missing.is_none();
        match &missing {
            Some(missing) => {
                let why = diagnostics::not_serving(M::RESOURCE, self.spec.name(), missing, severity);
                self.cx.say(&format!("{}: {}", why.summary, why.detail.lines().next().unwrap_or_default()));
                self.diagnostics.push(why);
            }
            None => self.cx.say("serving: everything is as wanted"),
        }
        let from = if serving { self.cx.deadline } else { Instant::now() };
        let end = from.checked_add(LAST_WORDS).unwrap_or(from);
        let noted = match tokio::time::timeout_at(end, self.note(&mut state, serving, created)).await {
            Ok(noted) => noted,
            Err(_) => Err(diagnostics::out_of_time(M::RESOURCE, self.spec.name()).into()),
        };
        // Not noted, it is not done: the next apply sees to it.
        *state.common().ready = Attr::Known(serving && noted.is_ok());
        if let Err(stop) = noted {
            self.tell(stop, severity);
        }
        Done::new(state).keep(applied(&self.spec)).and(self.diagnostics)
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

/// Private state: what was applied.
fn applied<M: Spec>(spec: &M) -> Private {
    [(APPLIED.to_owned(), anchor::encode(spec))].into()
}

/// How many fields of an object are named in a line.
const MOST: usize = 3;

fn what_was_applied(object: &Object, fields: &[String]) -> String {
    let more = fields.len().saturating_sub(MOST);
    let mut named = fields.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 {
        named.push_str(&format!(" and {more} more"));
    }
    let colon = if fields.is_empty() { "" } else { ": " };
    format!("applied {} {}{colon}{named}", object.kind(), object.name())
}

/// Looks at every object that is wanted.
///
/// # Errors
/// When one cannot be looked at: then nothing is known.
pub async fn look<M: Spec>(stack: &Stack, spec: &M) -> Result<converge::Live, Failure> {
    let wanted = spec.objects();
    let gets = wanted.iter().map(|object| {
        let key = object.key();
        async move { Ok::<_, Failure>((key.clone(), stack.kubernetes.get(&key).await?)) }
    });
    Ok(futures::future::try_join_all(gets).await?.into_iter().collect())
}
