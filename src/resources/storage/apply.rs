//! Create, update and delete of a storage: own the class, write what differs, say that it is done. Interrupted anywhere and run
//! again, it goes on from what is there. Network; the decisions are in `objects.rs`, `plan.rs` and `workload/converge.rs`.

use super::claims::{self, Fate};
use super::objects::{anchor, bound_to, class, class_key, encode, is_its_volume, is_other_class, volumes, written};
use super::plan::{leaving, live_volumes};
use super::read::state;
use super::schema::Storage;
use crate::diagnostics::{self, storage as words};
use crate::kubernetes::client::{Apply, Delete};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Object};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Private;
use crate::resources::workload::anchor::Phase;
use crate::resources::workload::converge::{Live, Step, changed, next};
use crate::resources::workload::plan::label;
use crate::resources::workload::read::DIFFERS;
use crate::stack::Stack;
use std::collections::BTreeSet;
use std::time::Duration;

/// One operation under way.
pub struct Run<'a> {
    /// Deadline and interruption.
    pub cx: &'a Context<'a, Stack>,
    /// The Kubernetes cluster.
    pub stack: &'a Stack,
    /// What is wanted.
    pub wanted: Storage,
    /// What was applied before.
    pub applied: Option<Storage>,
    /// What the plan was made from: what it showed as changed by hand is taken back.
    pub prior: Option<Storage>,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// Between two looks at a volume that is on its way out.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Run<'_> {
    fn name(&self) -> &str {
        self.wanted.name.text()
    }

    fn go_on(&self) -> Result<(), Diagnostic> {
        self.cx.go_on().map_err(|halt| words::unfinished(self.name(), &halt.to_string()))
    }

    async fn pause(&self) -> Result<(), Diagnostic> {
        self.cx.pause(LOOK_AGAIN).await.map_err(|halt| words::unfinished(self.name(), &halt.to_string()))
    }

    async fn get(&self, key: &Key) -> Result<Option<Object>, Diagnostic> {
        self.go_on()?;
        Ok(self.stack.kubernetes.get(key).await?)
    }

    /// Owns the name. Nothing foreign is touched, and everything foreign is found before anything is written.
    ///
    /// # Errors
    /// Why not; nothing was written.
    pub async fn own(&mut self) -> Result<(), Diagnostic> {
        for volume in volumes(&self.wanted) {
            if let Some(live) = self.get(&volume.key()).await?.filter(|live| !is_its_volume(live, self.name())) {
                return Err(words::name_taken(&live.key()));
            }
        }
        loop {
            let Some(live) = self.get(&class_key(self.name())).await? else {
                let class = written(&self.wanted, Phase::Creating, None, None);
                match self.stack.kubernetes.create(&class).await {
                    Ok(_) => return Ok(()),
                    Err(Failure { class: Class::AlreadyExists, .. }) => continue,
                    Err(failure) => return Err(failure.into()),
                }
            };
            let Some((phase, applied)) = anchor(&live) else { return Err(words::name_taken(&live.key())) };
            if matches!(phase, Phase::Ready | Phase::Updating) {
                return Err(words::exists(self.name()));
            }
            self.diagnostics.push(words::resuming(self.name()));
            if !is_other_class(&class(&self.wanted), &live) {
                self.applied = Some(applied);
                return Ok(());
            }
            // Unfinished, and of another kind than what is wanted now.
            self.refuse_claims().await?;
            self.delete_this(&live).await?;
        }
    }

    /// Makes everything as wanted.
    ///
    /// # Errors
    /// Where it stopped; run again, it goes on.
    pub async fn converge(&mut self, phase: Phase) -> Result<Live, Diagnostic> {
        self.check_volumes().await?;
        self.mark(phase).await?;
        self.remove_volumes().await?;
        let wanted = volumes(&self.wanted);
        let before = self.applied.as_ref().map(volumes).unwrap_or_default();
        let mut otherwise = changed(&before, &wanted);
        let (mut live, mut applied) = (Live::new(), BTreeSet::new());
        loop {
            self.go_on()?;
            match next(&wanted, &live, true, &otherwise) {
                Step::Look(object) => {
                    live.insert(object.key(), self.get(&object.key()).await?);
                }
                Step::Apply(object, fields) if applied.contains(&object.key()) => {
                    self.diagnostics.push(diagnostics::changed_on_the_way(&object.key(), &fields));
                    live.insert(object.key(), Some(object.clone()));
                }
                Step::Apply(object, _) => {
                    let done = self.apply(object).await?;
                    self.cx.say(&format!("applied {} {}", object.kind(), object.name()));
                    otherwise.remove(&object.key());
                    applied.insert(object.key());
                    live.insert(object.key(), Some(done));
                }
                Step::Refuse(key) => return Err(words::name_taken(&key)),
                Step::Done => break,
            }
        }
        let class = self.mark(Phase::Ready).await?;
        live.insert(class.key(), Some(class));
        Ok(live)
    }

    /// The volumes that are its own, as they are.
    async fn mine(&self) -> Result<Vec<Object>, Diagnostic> {
        self.go_on()?;
        let nothing = Storage { name: self.wanted.name.clone(), ..Storage::default() };
        Ok(live_volumes(self.stack, self.applied.as_ref().unwrap_or(&nothing)).await?)
    }

    /// Before the first write: nothing foreign is taken, nothing that a claim uses is moved.
    async fn check_volumes(&self) -> Result<(), Diagnostic> {
        let (wanted, mine) = (volumes(&self.wanted), self.mine().await?);
        for object in wanted.iter().filter(|wanted| !mine.iter().any(|mine| mine.key() == wanted.key())) {
            if let Some(foreign) = self.get(&object.key()).await? {
                return Err(words::name_taken(&foreign.key()));
            }
        }
        match leaving(&wanted, &mine).into_iter().find_map(|volume| Some((volume, bound_to(volume)?))) {
            Some((volume, claim)) => Err(words::volume_in_use(volume.name(), &claim)),
            None => Ok(()),
        }
    }

    /// Volumes that are not wanted any more, or in another place.
    async fn remove_volumes(&self) -> Result<(), Diagnostic> {
        let mine = self.mine().await?;
        for volume in leaving(&volumes(&self.wanted), &mine) {
            self.remove(volume).await?;
        }
        Ok(())
    }

    /// Deletes a volume that no claim is bound to, and waits until it is gone.
    async fn remove(&self, live: &Object) -> Result<(), Diagnostic> {
        if let Some(claim) = bound_to(live)
            && claims::is_there(self.stack, live).await?
        {
            return Err(words::volume_in_use(live.name(), &claim));
        }
        loop {
            self.delete_this(live).await?;
            if self.get(&live.key()).await?.is_none_or(|found| found.uid() != live.uid()) {
                return Ok(());
            }
            self.cx.say(&format!("waiting until {} is gone", live.key()));
            self.pause().await?;
        }
    }

    /// This very object: one of the same name that came meanwhile stays.
    async fn delete_this(&self, object: &Object) -> Result<(), Diagnostic> {
        let how = Delete { uid: Some(object.uid().to_owned()), ..Delete::default() };
        match self.stack.kubernetes.delete(&object.key(), how).await {
            Ok(_) | Err(Failure { class: Class::NotFound, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Fields of others are taken over only where the plan showed them.
    async fn apply(&self, object: &Object) -> Result<Object, Diagnostic> {
        let applied = self.stack.kubernetes.apply(object, Apply::default()).await;
        let Err(Failure { class: Class::Conflict(conflicts), .. }) = &applied else { return Ok(applied?) };
        let shown = self.prior.as_ref().and_then(|prior| prior.objects.known()?.get(&label(object)));
        let shown = |field: &str| {
            let fields = shown.and_then(|text| text.strip_prefix(DIFFERS));
            fields.is_some_and(|fields| fields.split(", ").any(|one| one == field))
        };
        if !conflicts.iter().all(|conflict| shown(&conflict.field)) {
            return Ok(applied?);
        }
        Ok(self.stack.kubernetes.apply(object, Apply { force: true, dry_run: false }).await?)
    }

    /// Writes class and phase, if they are not there yet.
    async fn mark(&self, phase: Phase) -> Result<Object, Diagnostic> {
        let found = self.get(&class_key(self.name())).await?;
        let wanted = written(&self.wanted, phase, found.as_ref(), self.applied.as_ref());
        let Some(found) = found else {
            return Ok(self.stack.kubernetes.create(&wanted).await?);
        };
        let same = |field: &str| wanted.at(field) == found.at(field);
        if same("/metadata/labels") && same("/metadata/annotations") && same("/allowVolumeExpansion") {
            return Ok(found);
        }
        // The version of `found`: two runs never interleave unseen.
        Ok(self.stack.kubernetes.replace(&wanted).await?)
    }

    /// Refuses what claims forbid. Those that are on their way out are waited for.
    async fn refuse_claims(&self) -> Result<(), Diagnostic> {
        loop {
            let claims = claims::look(self.stack, self.name()).await?;
            if claims.is_empty() {
                return Ok(());
            }
            if claims.iter().any(|claim| claim.fate != Fate::Going) {
                return Err(words::class_in_use(self.name(), &claims));
            }
            let named: Vec<&str> = claims.iter().map(|claim| claim.name.as_str()).collect();
            self.cx.say(&format!("waiting until these claims are gone: {}", named.join(", ")));
            self.cx.pause(LOOK_AGAIN).await.map_err(|_| words::claims_linger(self.name(), &claims))?;
        }
    }

    /// Removes everything: refused while claims are bound. `wanted` is what exists.
    ///
    /// # Errors
    /// Where it stopped; run again, it goes on.
    pub async fn delete(&self) -> Result<(), Diagnostic> {
        let live = self.get(&class_key(self.name())).await?;
        let ours = live.filter(|live| anchor(live).is_some());
        if ours.is_some() {
            self.refuse_claims().await?;
            self.mark(Phase::Deleting).await?;
        }
        for volume in self.mine().await?.iter().filter(|volume| is_its_volume(volume, self.name())) {
            self.remove(volume).await?;
        }
        match ours {
            Some(class) => self.delete_this(&class).await,
            None => Ok(()),
        }
    }

    /// What is there of an operation that stopped half-way.
    pub async fn look(&self) -> Storage {
        let mut live = Live::new();
        for object in super::objects::objects(&self.wanted) {
            let found = self.stack.kubernetes.get(&object.key()).await.ok().flatten();
            live.insert(object.key(), found);
        }
        state(&self.wanted, &live)
    }

    /// Private state.
    pub fn private(&self) -> Private {
        [(super::APPLIED.to_owned(), encode(&self.wanted))].into()
    }
}
