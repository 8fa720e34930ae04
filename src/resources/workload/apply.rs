//! Create and update: own the name, apply what differs, restart and wait, say that it is done. Interrupted anywhere and
//! run again, it goes on from what is there. Network; the decisions are `converge.rs`'s and `roll.rs`'s.

use super::anchor::{self, Anchor, Phase};
use super::converge::{Live, Step, changed, next};
use super::plan::{APPLIED, fingerprints, label};
use super::pod::Workload;
use super::read::{self, DIFFERS};
use super::wait::until_serving;
use super::{Spec, converge};
use crate::diagnostics;
use crate::kubernetes::client::Apply;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::model::Attr;
use crate::plugin::resource::{Change, Context, Private, Reply};
use crate::stack::Stack;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One create or update under way.
struct Run<'a, M> {
    cx: &'a Context<'a, Stack>,
    stack: &'a Stack,
    spec: M,
    prior: M,
    live: Live,
    /// Objects that are wanted otherwise than they were last applied.
    changed: BTreeSet<Key>,
    /// Fields that the plan showed as changed by hand, by object: these are taken back from whoever changed them.
    shown: BTreeMap<String, Vec<String>>,
    diagnostics: Diagnostics,
}

/// Why a run stopped before everything was applied.
enum Stop {
    Cancelled,
    Failed(Diagnostic),
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(diagnostics::kubernetes(&failure))
    }
}

/// Makes a workload.
pub async fn create<M: Spec>(cx: &Context<'_, Stack>, change: Change<M>) -> Reply<M> {
    let stack = match cx.client() {
        Ok(stack) => stack,
        Err(diagnostic) => return Reply::failed(None, diagnostic),
    };
    let mut run = Run::new(cx, stack, change.planned, M::default());
    match run.own().await {
        Ok(()) => {}
        // Nothing was written: there is nothing to keep.
        Err(Stop::Cancelled) => return Reply::failed(None, diagnostics::cancelled(M::RESOURCE)),
        Err(Stop::Failed(diagnostic)) => return Reply::failed(None, diagnostic),
    }
    match run.converge().await {
        Ok(()) => {}
        // State without an error: an error would have core destroy and make again what only has to be gone on with.
        Err(Stop::Cancelled) => return run.interrupted(),
        Err(Stop::Failed(diagnostic)) => return run.unfinished().and(diagnostic),
    }
    let halt = until_serving(cx, stack, &run.spec).await.err();
    let warning = halt.map(|halt| diagnostics::not_serving(M::RESOURCE, run.spec.name(), &halt, false));
    run.finish(warning, Some(Timestamp::now())).await
}

/// Changes a workload.
pub async fn update<M: Spec>(cx: &Context<'_, Stack>, change: Change<M>) -> Reply<M> {
    let stack = match cx.client() {
        Ok(stack) => stack,
        Err(diagnostic) => return Reply::failed(Some(change.prior), diagnostic),
    };
    let (prior, private) = (change.prior, change.private);
    let mut run = Run::new(cx, stack, change.planned, prior.clone());
    if let Some(before) = private.get(APPLIED).and_then(|text| anchor::decode::<M>(text)) {
        run.changed = changed(&before.objects(), &run.spec.objects());
    }
    let applied = match run.mark(Phase::Updating, None).await {
        Ok(()) => run.converge().await,
        Err(stop) => Err(stop),
    };
    match applied {
        Ok(()) => {}
        // The old state: the next refresh sees what of the change is there already.
        Err(Stop::Cancelled) => return Reply::failed(Some(prior), diagnostics::change_interrupted()).keep(private),
        Err(Stop::Failed(diagnostic)) => return Reply::failed(Some(prior), diagnostic).keep(private),
    }
    let halt = until_serving(cx, stack, &run.spec).await.err();
    let error = halt.map(|halt| diagnostics::not_serving(M::RESOURCE, run.spec.name(), &halt, true));
    run.finish(error, None).await
}

impl<'a, M: Spec> Run<'a, M> {
    fn new(cx: &'a Context<'a, Stack>, stack: &'a Stack, planned: M, prior: M) -> Self {
        let mut spec = planned.without_observations();
        spec.set_outputs();
        let shown = prior.shared().objects.unwrap_or_default();
        let shown = shown.into_iter().filter_map(|(object, text)| {
            let fields = text.strip_prefix(DIFFERS)?.split(", ").map(str::to_owned).collect();
            Some((object, fields))
        });
        Self {
            cx,
            stack,
            spec,
            prior,
            live: Live::new(),
            changed: BTreeSet::new(),
            shown: shown.collect(),
            diagnostics: Diagnostics::new(),
        }
    }

    fn go_on(&self) -> Result<(), Stop> {
        if self.cx.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        if tokio::time::Instant::now() >= self.cx.deadline {
            return Err(diagnostics::out_of_time(M::RESOURCE, self.spec.name()).into());
        }
        Ok(())
    }

    fn anchor_key(&self) -> Key {
        anchor::key(self.spec.namespace(), self.spec.name())
    }

    /// Owns the name: takes up what an earlier run began, or begins. Nothing foreign is touched.
    async fn own(&mut self) -> Result<(), Stop> {
        loop {
            self.go_on()?;
            let Some(found) = self.stack.kubernetes.get(&self.anchor_key()).await? else {
                self.look_for_others().await?;
                if self.begin().await? {
                    return Ok(());
                }
                continue;
            };
            let Some(anchor) = Anchor::<M>::read(&found) else {
                return Err(diagnostics::name_taken(&found.key(), M::RESOURCE).into());
            };
            match anchor.phase {
                Phase::Ready | Phase::Updating if !anchor.may_be_unheard_of(&self.spec, Timestamp::now()) => {
                    return Err(diagnostics::exists(M::RESOURCE, self.spec.namespace(), self.spec.name()).into());
                }
                Phase::Ready | Phase::Updating | Phase::Creating | Phase::Deleting => {
                    self.diagnostics.push(diagnostics::resuming(M::RESOURCE, self.spec.namespace(), self.spec.name()));
                    self.changed = changed(&anchor.spec.objects(), &self.spec.objects());
                    return self.mark(Phase::Creating, None).await;
                }
            }
        }
    }

    /// Everything that could refuse the create is looked at before the first write.
    async fn look_for_others(&mut self) -> Result<(), Stop> {
        let wanted = self.spec.objects();
        while let Step::Look(object) = next(&wanted, &self.live, false, &self.changed) {
            let found = self.stack.kubernetes.get(&object.key()).await?;
            self.live.insert(object.key(), found);
        }
        if let Step::Refuse(key) = next(&wanted, &self.live, false, &self.changed) {
            return Err(diagnostics::name_taken(&key, M::RESOURCE).into());
        }
        let found: Vec<String> = self.live.values().flatten().map(|object| object.key().to_string()).collect();
        if !found.is_empty() {
            self.diagnostics.push(diagnostics::taking_up(&found));
        }
        self.check_storage_class().await?;
        let query = Workload::query(M::APP, self.spec.name());
        let claims = self.stack.kubernetes.list(Kind::PersistentVolumeClaim, Some(self.spec.namespace()), &query).await;
        let claims: Vec<String> = claims.unwrap_or_default().iter().map(|claim| claim.name().to_owned()).collect();
        if !claims.is_empty() {
            self.diagnostics.push(diagnostics::kept_claims(&claims));
        }
        Ok(())
    }

    async fn check_storage_class(&self) -> Result<(), Stop> {
        let storage = self.spec.shared().storage.unwrap_or_default();
        let class = storage.class.text();
        if class.is_empty() {
            return Ok(());
        }
        match self.stack.kubernetes.get(&Key::cluster(Kind::StorageClass, class)).await {
            Ok(None) => {
                let classes = self.stack.kubernetes.list(Kind::StorageClass, None, "").await.unwrap_or_default();
                let classes: Vec<&str> = classes.iter().map(Object::name).collect();
                Err(diagnostics::no_storage_class(class, &classes).into())
            }
            // Who may not read classes may still use them.
            Ok(Some(_)) | Err(Failure { class: Class::Forbidden { .. }, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes the anchor, atomically; false when somebody else was faster.
    async fn begin(&mut self) -> Result<bool, Stop> {
        let object = Anchor { phase: Phase::Creating, spec: self.spec.clone(), created: None }.object();
        match self.stack.kubernetes.create(&object).await {
            Ok(_) => Ok(true),
            Err(Failure { class: Class::AlreadyExists, .. }) => Ok(false),
            Err(Failure { class: Class::NamespaceMissing(name), .. }) if self.spec.shared().create_namespace => {
                let namespace = Object::of(&Key::cluster(Kind::Namespace, name), serde_json::json!({}));
                match self.stack.kubernetes.create(&namespace).await {
                    Ok(_) | Err(Failure { class: Class::AlreadyExists, .. }) => Ok(false),
                    Err(failure) => Err(failure.into()),
                }
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes phase and specification into the anchor, if they are not there yet.
    async fn mark(&mut self, phase: Phase, created: Option<Timestamp>) -> Result<(), Stop> {
        let wanted = Anchor { phase, spec: self.spec.clone(), created }.object();
        let Some(found) = self.stack.kubernetes.get(&self.anchor_key()).await? else {
            self.stack.kubernetes.create(&wanted).await?;
            return Ok(());
        };
        if Anchor::<M>::read(&found).is_none() {
            return Err(diagnostics::name_taken(&found.key(), M::RESOURCE).into());
        }
        if found.at("/data") == wanted.at("/data") {
            return Ok(());
        }
        let mut object = wanted;
        // Another run that changed it meanwhile makes this write fail: two runs never interleave unseen.
        object.set_metadata("resourceVersion", found.resource_version().into());
        self.stack.kubernetes.replace(&object).await?;
        Ok(())
    }

    /// Applies what differs, in order.
    async fn converge(&mut self) -> Result<(), Stop> {
        let wanted = self.spec.objects();
        let mut written = BTreeSet::new();
        self.live.clear();
        loop {
            self.go_on()?;
            match next(&wanted, &self.live, true, &self.changed) {
                Step::Look(object) => {
                    let found = self.stack.kubernetes.get(&object.key()).await?;
                    self.live.insert(object.key(), found);
                }
                Step::Apply(object, fields) if written.contains(&object.key()) => {
                    // A webhook of the cluster has other ideas: said, and not fought over.
                    self.diagnostics.push(diagnostics::changed_on_the_way(&object.key(), &fields));
                    self.live.insert(object.key(), Some(object.clone()));
                }
                Step::Apply(object, _) => {
                    let applied = self.apply(object).await?;
                    self.changed.remove(&object.key());
                    written.insert(object.key());
                    self.live.insert(object.key(), Some(applied));
                }
                Step::Refuse(key) => return Err(diagnostics::name_taken(&key, M::RESOURCE).into()),
                Step::Done => return Ok(()),
            }
        }
    }

    /// Fields of others are taken over only where the plan showed them.
    async fn apply(&self, object: &Object) -> Result<Object, Stop> {
        let applied = self.stack.kubernetes.apply(object, Apply::default()).await;
        let Err(Failure { class: Class::Conflict(conflicts), .. }) = &applied else { return Ok(applied?) };
        let shown = self.shown.get(&label(object));
        let all_shown = conflicts.iter().all(|conflict| shown.is_some_and(|fields| fields.contains(&conflict.field)));
        if !all_shown {
            return Ok(applied?);
        }
        Ok(self.stack.kubernetes.apply(object, Apply { force: true, dry_run: false }).await?)
    }

    /// What is there of a create that failed half-way.
    fn unfinished(self) -> Reply<M> {
        let state = read::state(&self.spec, &self.live, false);
        Reply::state(state).keep(applied(&self.spec)).and(self.diagnostics)
    }

    /// A create that the user interrupted. Without an error, core wants exactly what was planned; `ready` says that it is not
    /// done, and the next refresh what is missing.
    fn interrupted(self) -> Reply<M> {
        let mut state = self.spec.clone();
        let wanted = fingerprints(&self.spec.objects());
        let common = state.common();
        *common.ready = Attr::Known(false);
        *common.objects = Attr::Known(wanted);
        Reply::state(state).keep(applied(&self.spec)).and(self.diagnostics).and(diagnostics::interrupted())
    }

    /// Says in the anchor that everything is applied, and makes state of what is there.
    async fn finish(mut self, halt: Option<Diagnostic>, created: Option<Timestamp>) -> Reply<M> {
        let serving = halt.is_none();
        if let Some(diagnostic) = halt {
            self.diagnostics.push(diagnostic);
        }
        let settled = self.mark(Phase::Ready, created).await;
        if let Err(Stop::Failed(diagnostic)) = settled {
            self.diagnostics.push(diagnostic);
        }
        let mut state = read::state(&self.spec, &self.live, false);
        state.keep_observations(&self.prior);
        *state.common().ready = Attr::Known(serving);
        if serving {
            state.observe(self.stack).await;
        }
        Reply::state(state).keep(applied(&self.spec)).and(self.diagnostics)
    }
}

/// Private state: what was applied.
fn applied<M: Spec>(spec: &M) -> Private {
    [(APPLIED.to_owned(), anchor::encode(spec))].into()
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
