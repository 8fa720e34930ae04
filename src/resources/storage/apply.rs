//! Create, update and delete of a storage: own the class, write what differs, say that it is done. Interrupted anywhere and run
//! again, it goes on from what is there. Network; the decisions are in `objects.rs`, `plan.rs` and `owned/converge.rs`.

use super::claims::{self, Fate};
use super::objects::{RESOURCE, anchor, bound_to, class, class_key, is_its_volume, is_other_class, volumes, written};
use super::plan::{leaving, live_volumes};
use super::read::state;
use super::schema::Storage;
use super::words;
use crate::diagnostics;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Object};
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::operations::{Done, Failed};
use crate::resources::owned::applied::keep;
use crate::resources::owned::board;
use crate::resources::owned::converge::Live;
use crate::resources::owned::delete::delete_this;
use crate::resources::owned::phase::Phase;
use crate::resources::owned::shown::Shown;
use crate::resources::owned::which::Which;
use crate::resources::owned::write::{Stop, Writer};
use crate::stack::Stack;
use std::time::Duration;

/// One operation under way.
pub struct Run<'a> {
    cx: &'a Context<'a, Stack>,
    stack: &'a Stack,
    /// What is wanted.
    wanted: Storage,
    /// What was applied before.
    applied: Option<Storage>,
    writer: Writer<'a>,
    /// Which one it is.
    pub which: Which,
}

/// Between two looks at a volume that is on its way out.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl<'a> Run<'a> {
    /// `prior`: what the plan was made from; what it showed as changed by hand is taken back.
    pub fn new(cx: &'a Context<'a, Stack>, stack: &'a Stack, wanted: Storage, prior: &Storage) -> Self {
        board::beside(cx, stack, class_key(wanted.name.text()));
        let writer = Writer::new(cx, stack, RESOURCE, Shown::of(&prior.objects));
        Self { cx, stack, wanted, applied: None, writer, which: Which::default() }
    }

    /// The same, over what was applied before.
    #[must_use]
    pub fn over(self, applied: Storage) -> Self {
        Self { applied: Some(applied), ..self }
    }

    fn name(&self) -> &str {
        self.wanted.name.text()
    }

    async fn get(&self, key: &Key) -> Result<Option<Object>, Stop> {
        self.cx.go_on()?;
        Ok(self.stack.kubernetes.get(key).await?)
    }

    /// Owns the name. Nothing foreign is touched, and everything foreign is found before anything is written.
    ///
    /// # Errors
    /// Why not; nothing was written.
    pub async fn own(&mut self) -> Result<(), Stop> {
        for volume in volumes(&self.wanted) {
            if let Some(live) = self.get(&volume.key()).await?.filter(|live| !is_its_volume(live, self.name())) {
                return Err(self.taken(&live));
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
            let Some((phase, applied)) = anchor(&live) else { return Err(self.taken(&live)) };
            if matches!(phase, Phase::Ready | Phase::Updating) {
                return Err(diagnostics::exists(RESOURCE, self.name()).into());
            }
            let resuming = diagnostics::resuming(RESOURCE, self.name());
            self.writer.said.push(resuming);
            if !is_other_class(&class(&self.wanted), &live) {
                self.applied = Some(applied);
                return Ok(());
            }
            // Unfinished, and of another kind than what is wanted now.
            self.refuse_claims().await?;
            delete_this(&self.stack.kubernetes, &live).await?;
        }
    }

    fn taken(&self, by: &Object) -> Stop {
        diagnostics::name_taken(&by.key(), RESOURCE).into()
    }

    /// Makes everything as wanted.
    ///
    /// # Errors
    /// Where it stopped; run again, it goes on.
    pub async fn converge(&mut self, phase: Phase) -> Result<(), Stop> {
        self.check_volumes().await?;
        self.mark(phase).await?;
        self.remove_volumes().await?;
        let wanted = volumes(&self.wanted);
        let before = self.applied.as_ref().map(volumes).unwrap_or_default();
        self.writer.changes(&before, &wanted, false);
        self.writer.write(&wanted).await?;
        let class = self.mark(Phase::Ready).await?;
        self.writer.live.insert(class.key(), Some(class));
        Ok(())
    }

    /// The volumes that are its own, as they are.
    async fn mine(&self) -> Result<Vec<Object>, Stop> {
        self.cx.go_on()?;
        let nothing = Storage { name: self.wanted.name.clone(), ..Storage::default() };
        Ok(live_volumes(self.stack, self.applied.as_ref().unwrap_or(&nothing)).await?)
    }

    /// Before the first write: nothing foreign is taken, nothing that a claim uses is moved.
    async fn check_volumes(&self) -> Result<(), Stop> {
        let (wanted, mine) = (volumes(&self.wanted), self.mine().await?);
        for object in wanted.iter().filter(|wanted| !mine.iter().any(|mine| mine.key() == wanted.key())) {
            if let Some(foreign) = self.get(&object.key()).await? {
                return Err(self.taken(&foreign));
            }
        }
        match leaving(&wanted, &mine).into_iter().find_map(|volume| Some((volume, bound_to(volume)?))) {
            Some((volume, claim)) => Err(words::volume_in_use(volume.name(), &claim).into()),
            None => Ok(()),
        }
    }

    /// Volumes that are not wanted any more, or in another place.
    async fn remove_volumes(&self) -> Result<(), Stop> {
        let mine = self.mine().await?;
        for volume in leaving(&volumes(&self.wanted), &mine) {
            self.remove(volume).await?;
        }
        Ok(())
    }

    /// Deletes a volume that no claim is bound to, and waits until it is gone.
    async fn remove(&self, live: &Object) -> Result<(), Stop> {
        if let Some(claim) = bound_to(live)
            && claims::is_there(self.stack, live).await?
        {
            return Err(words::volume_in_use(live.name(), &claim).into());
        }
        loop {
            delete_this(&self.stack.kubernetes, live).await?;
            if self.get(&live.key()).await?.is_none_or(|found| found.uid() != live.uid()) {
                return Ok(());
            }
            self.cx.say(&format!("waiting until {} is gone", live.key()));
            self.cx.pause(LOOK_AGAIN).await?;
        }
    }

    /// Writes class and phase, if they are not there yet.
    async fn mark(&self, phase: Phase) -> Result<Object, Stop> {
        let found = self.get(&class_key(self.name())).await?;
        let wanted = written(&self.wanted, phase, found.as_ref(), self.applied.as_ref());
        let Some(found) = found else { return Ok(self.stack.kubernetes.create(&wanted).await?) };
        let same = |field: &str| wanted.at(field) == found.at(field);
        if same("/metadata/labels") && same("/metadata/annotations") && same("/allowVolumeExpansion") {
            return Ok(found);
        }
        // The version of `found`: two runs never interleave unseen.
        Ok(self.stack.kubernetes.replace(&wanted).await?)
    }

    /// Refuses what claims forbid. Those that are on their way out are waited for.
    async fn refuse_claims(&self) -> Result<(), Stop> {
        loop {
            let claims = claims::look(self.stack, self.name()).await?;
            if claims.is_empty() {
                return Ok(());
            }
            if claims.iter().any(|claim| claim.fate != Fate::Going) {
                return Err(words::class_in_use(self.name(), &claims).into());
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
    pub async fn delete(&self) -> Result<(), Stop> {
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
            Some(class) => Ok(delete_this(&self.stack.kubernetes, &class).await?),
            None => Ok(()),
        }
    }

    /// A stop, in words.
    pub fn words(&self, stop: Stop) -> Diagnostics {
        stop.words(|halt| words::unfinished(self.name(), &halt.to_string()))
    }

    /// Everything is as wanted.
    pub fn done(self) -> Done<Storage> {
        Done::new(state(&self.wanted, &self.writer.live)).keep(self.which.keep(keep(&self.wanted))).and(self.writer.said)
    }

    /// A create that stopped half-way, with what is there of it.
    pub async fn unfinished(self, stop: Stop) -> Failed<Storage> {
        let mut live = Live::new();
        for object in super::objects::objects(&self.wanted) {
            let found = self.stack.kubernetes.get(&object.key()).await.ok().flatten();
            live.insert(object.key(), found);
        }
        let failed = Failed::from(self.words(stop)).leaving(state(&self.wanted, &live), self.which.keep(keep(&self.wanted)));
        failed.and(self.writer.said)
    }

    /// A change that stopped. What was applied before stays in private state, so that the next update still knows which volumes
    /// have to go.
    pub fn stopped(self, stop: Stop) -> Failed<Storage> {
        Failed::from(self.words(stop)).and(self.writer.said)
    }
}
