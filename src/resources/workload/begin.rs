//! The beginning of a create or an update: the name becomes ours, or is ours, and what would be harmed is found before the first
//! write. Network.

use super::Spec;
use super::anchor::Anchor;
use super::apply::Run;
use super::guard::Site;
use super::kept;
use super::own::{foreign_claims, is_own_claim, own_marks};
use super::plan;
use super::record::Record;
use super::role::{Role, Set};
use super::sets::claims;
use super::words;
use crate::diagnostics;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::resources::owned::phase::Phase;
use crate::resources::owned::which::Which;
use crate::resources::owned::write::Stop;
use jiff::Timestamp;

impl<M: Spec> Run<'_, M> {
    /// Owns the name: takes up what an earlier run began, or begins. Nothing foreign is touched.
    ///
    /// # Errors
    /// Why not; nothing was written but the anchor.
    pub(super) async fn own(&mut self) -> Result<(), Stop> {
        loop {
            self.cx.go_on()?;
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
            if !self.turn.is_free(self.cx, self.stack, &self.spec, &found).await? {
                continue;
            }
            match anchor.phase {
                Phase::Ready | Phase::Updating if !anchor.may_be_unheard_of(&self.spec, Timestamp::now()) => {
                    return Err(diagnostics::exists(M::RESOURCE, &self.spec.id()).into());
                }
                Phase::Ready | Phase::Updating | Phase::Creating | Phase::Deleting => return self.take_up(&anchor).await,
            }
        }
    }

    /// Goes on with what an earlier run began. What that run left may serve by now, though nobody noted it.
    async fn take_up(&mut self, anchor: &Anchor<M>) -> Result<(), Stop> {
        let site = self.look_around().await?;
        if site.has_served() {
            self.refuse(&anchor.spec)?;
        }
        self.taken_up = site.live().next().is_some();
        // A destroy that came as far as the StatefulSets left their claims.
        if anchor.phase == Phase::Deleting {
            let gone = site.sets.iter().filter(|set| set.live.is_none()).map(|set| &set.role);
            self.refuse_other_claims(&site.claims, gone)?;
        }
        self.writer.said.push(diagnostics::resuming(M::RESOURCE, &self.spec.id()));
        self.writer.changes(&anchor.spec.objects(), &self.spec.objects(), false);
        self.mark(Phase::Creating, None).await
    }

    /// Looks at what is there, and refuses claims of others that new pods would take.
    ///
    /// # Errors
    /// When there are some, or Kubernetes does not say.
    pub(super) async fn look_around(&mut self) -> Result<Site<M>, Stop> {
        let site = self.turn.site(self.cx, self.stack, &self.spec).await?;
        self.which = site.is_meant(self.stack, &self.spec, &self.which).await?;
        let runs = |set: &Set| set.live.as_ref().and_then(|live| live.int("/spec/replicas")).unwrap_or(0);
        self.refuse_foreign_claims(&site.claims, site.sets.iter().map(|set| (&set.role, runs(set))))?;
        if site.is_up() {
            self.learnt.served = Some(true);
        }
        Ok(site)
    }

    /// `new`: each role, and its first pod that is not there yet.
    fn refuse_foreign_claims<'a>(&self, claims: &[Object], new: impl Iterator<Item = (&'a Role, i64)>) -> Result<(), Stop> {
        if self.spec.common().is_ephemeral() {
            return Ok(());
        }
        let of_role = |(role, from): (&'a Role, i64)| (own_marks(role), foreign_claims(claims, role, from..role.replicas));
        let foreign: Vec<(String, Vec<&str>)> = new.map(of_role).filter(|(_, claims)| !claims.is_empty()).collect();
        match foreign.is_empty() {
            true => Ok(()),
            false => Err(words::foreign_claims(self.spec.namespace(), &foreign).into()),
        }
    }

    /// What a plan refuses, an apply refuses too.
    fn refuse(&self, applied: &M) -> Result<(), Stop> {
        let mut refused = Diagnostics::new();
        plan::refuse(applied, &self.spec, &mut refused);
        if refused.has_errors() { Err(Stop::Failed(refused)) } else { Ok(()) }
    }

    /// Everything that could refuse the create is looked at before the first write.
    async fn look_for_others(&mut self) -> Result<(), Stop> {
        self.writer.look(&self.spec.objects()).await?;
        let found = || self.writer.live.values().flatten();
        let set = found().any(|object| object.kind() == Kind::StatefulSet);
        let found: Vec<String> = found().map(|object| object.key().to_string()).collect();
        self.taken_up = set;
        let all = claims(self.stack, self.spec.namespace()).await?;
        let roles = self.spec.roles();
        self.refuse_foreign_claims(&all, roles.iter().map(|role| (role, 0)))?;
        self.check_storage_class().await?;
        if !found.is_empty() {
            self.writer.said.push(words::taking_up(&found));
        }
        let is_live = |role: &&Role| matches!(self.writer.live.get(&role.names.key(self.spec.namespace())), Some(Some(_)));
        self.refuse_other_claims(&all, roles.iter().filter(|role| !is_live(role)))?;
        let own = all.iter().filter(|claim| is_own_claim(claim, &roles));
        let own: Vec<String> = own.map(|claim| claim.name().to_owned()).collect();
        if !own.is_empty() {
            self.writer.said.push(words::kept_claims(&own));
        }
        // What lost its anchor may have served for years.
        self.learnt = Record { served: Some(set), kept_claims: !own.is_empty(), ..Record::default() };
        Ok(())
    }

    /// `new`: the roles whose pods are all made.
    fn refuse_other_claims<'a>(&self, all: &[Object], mut new: impl Iterator<Item = &'a Role>) -> Result<(), Stop> {
        match new.find_map(|role| kept::refusal(&self.spec, all, role)) {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }

    async fn check_storage_class(&self) -> Result<(), Stop> {
        let storage = self.spec.common().storage.unwrap_or_default();
        let class = storage.class.text();
        if class.is_empty() {
            return Ok(());
        }
        match self.stack.kubernetes.get(&Key::cluster_scoped(Kind::StorageClass, class)).await {
            Ok(None) => {
                let classes = self.stack.kubernetes.list(Kind::StorageClass, None, "").await.unwrap_or_default();
                let classes: Vec<&str> = classes.iter().map(Object::name).collect();
                Err(words::no_storage_class(class, &classes).into())
            }
            // Who may not read classes may still use them.
            Ok(Some(_)) | Err(Failure { class: Class::Forbidden { .. }, .. }) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes the anchor, atomically; false when somebody else was faster.
    async fn begin(&mut self) -> Result<bool, Stop> {
        let object = self.anchor(Phase::Creating, None, self.learnt.clone());
        let seen = Which::seen(self.stack, None).await?;
        match self.stack.kubernetes.create(&object).await {
            Ok(made) => {
                self.which = seen.at(&made);
                self.turn.begin(&self.stack.kubernetes, &made);
                Ok(true)
            }
            Err(Failure { class: Class::AlreadyExists, .. }) => Ok(false),
            Err(Failure { class: Class::NamespaceMissing(name), .. }) if self.spec.common().makes_namespace() => {
                let namespace = Object::of(&Key::cluster_scoped(Kind::Namespace, name), serde_json::json!({}));
                match self.stack.kubernetes.create(&namespace).await {
                    Ok(_) | Err(Failure { class: Class::AlreadyExists, .. }) => Ok(false),
                    Err(failure) => Err(failure.into()),
                }
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes phase, specification and what was learnt into the anchor, if they are not there yet; from then on the turn is this run's,
    /// until the phase is [`Phase::Ready`].
    ///
    /// # Errors
    /// When it cannot be written, or another run has the turn.
    pub(super) async fn mark(&mut self, phase: Phase, created: Option<Timestamp>) -> Result<(), Stop> {
        if phase == Phase::Ready {
            self.turn.end().await;
        }
        // A sign of life, and who enters itself, write between the look and the deed now and then.
        while !self.marked(phase, created).await? {
            self.cx.go_on()?;
        }
        Ok(())
    }

    /// The same once; false where somebody was faster.
    async fn marked(&mut self, phase: Phase, created: Option<Timestamp>) -> Result<bool, Stop> {
        let Some(found) = self.stack.kubernetes.get(&self.anchor_key()).await? else {
            // The state knows the one that was there before.
            let succeeds = self.which.anchor.clone();
            let object = self.anchor(phase, created, Record { succeeds, ..self.learnt.clone() });
            let made = self.stack.kubernetes.create(&object).await?;
            self.which.anchor = Some(made.uid().to_owned());
            self.begin_turn(phase, &made);
            return Ok(true);
        };
        let Some(anchor) = Anchor::<M>::read(&found) else {
            return Err(diagnostics::name_taken(&found.key(), M::RESOURCE).into());
        };
        self.which.is_at(&found, M::RESOURCE, &self.spec.id())?;
        if !self.turn.has(&found) {
            return Err(words::turn_lost(M::RESOURCE, &self.spec.id(), &found.key()).into());
        }
        let mut object = self.anchor(phase, created, anchor.history().and(&self.learnt));
        if found.at("/data") == object.at("/data") {
            self.begin_turn(phase, &found);
            return Ok(true);
        }
        // Another run that changed it meanwhile makes this write fail: two runs never interleave unseen.
        object.set_metadata("resourceVersion", found.resource_version().into());
        match self.stack.kubernetes.replace(&object).await {
            Ok(written) => {
                self.begin_turn(phase, &written);
                Ok(true)
            }
            Err(Failure { class: Class::Stale, .. }) => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    fn begin_turn(&mut self, phase: Phase, anchor: &Object) {
        if phase != Phase::Ready {
            self.turn.begin(&self.stack.kubernetes, anchor);
        }
    }

    fn anchor(&self, phase: Phase, created: Option<Timestamp>, record: Record) -> Object {
        let record = Record { templates: self.templates(), ..record };
        let run = (phase != Phase::Ready).then(|| self.turn.run.clone());
        Anchor { phase, spec: self.spec.clone(), created, record, run }.object()
    }

    /// Gives the turn back, so that who applies again need not watch for a sign of life. What it was not given back of, others find out.
    pub(super) async fn give_up_turn(&mut self) {
        self.turn.end().await;
        let Ok(Some(mut found)) = self.stack.kubernetes.get(&self.anchor_key()).await else { return };
        if found.text("/data/run") == self.turn.run {
            let data = found.json_mut().get_mut("data").and_then(serde_json::Value::as_object_mut);
            data.map(|data| data.remove("run"));
            let _ = self.stack.kubernetes.replace(&found).await;
        }
    }
}
