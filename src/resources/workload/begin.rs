//! The beginning of a create or an update: the name becomes ours, or is ours, and what would be harmed is found before the first
//! write. Network.

use super::Spec;
use super::anchor::Anchor;
use super::apply::Run;
use super::guard::Site;
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
use std::collections::BTreeSet;

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
        self.writer.said.push(diagnostics::resuming(M::RESOURCE, &self.spec.id()));
        self.writer.changes(&anchor.spec.objects(), &self.spec.objects(), false);
        self.mark(Phase::Creating, None).await
    }

    /// Looks at what is there, and refuses claims of others that new pods would take.
    ///
    /// # Errors
    /// When there are some, or Kubernetes does not say.
    pub(super) async fn look_around(&mut self) -> Result<Site<M>, Stop> {
        let site = Site::look(self.stack, &self.spec).await?;
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
        self.refuse_other_claims(&all, &roles)?;
        let own = all.iter().filter(|claim| is_own_claim(claim, &roles));
        let own: Vec<String> = own.map(|claim| claim.name().to_owned()).collect();
        if !own.is_empty() {
            self.writer.said.push(words::kept_claims(&own));
        }
        // What lost its anchor may have served for years.
        self.learnt = Record { served: Some(set), kept_claims: !own.is_empty(), ..Record::default() };
        Ok(())
    }

    /// Kept claims have to be exactly those of the pods that are wanted: members that find nothing may outvote those that find their
    /// data, and a broker that does not come back takes its replicas with it.
    fn refuse_other_claims(&self, all: &[Object], roles: &[Role]) -> Result<(), Stop> {
        for role in roles {
            let own = all.iter().filter(|claim| is_own_claim(claim, std::slice::from_ref(role)));
            let kept: BTreeSet<&str> = own.map(Object::name).collect();
            let wanted = role.claims();
            let differ = kept.len() != wanted.len() || !wanted.iter().all(|claim| kept.contains(claim.as_str()));
            if !kept.is_empty() && differ && !self.spec.common().is_ephemeral() {
                let kept: Vec<&str> = kept.into_iter().collect();
                return Err(words::other_kept_claims(self.spec.namespace(), &kept, &wanted).into());
            }
        }
        Ok(())
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
        match self.stack.kubernetes.create(&object).await {
            Ok(made) => {
                self.which = Which::seen(self.stack, Some(&made)).await?;
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

    /// Writes phase, specification and what was learnt into the anchor, if they are not there yet.
    ///
    /// # Errors
    /// When it cannot be written, or another run wrote it meanwhile.
    pub(super) async fn mark(&mut self, phase: Phase, created: Option<Timestamp>) -> Result<(), Stop> {
        let Some(found) = self.stack.kubernetes.get(&self.anchor_key()).await? else {
            // The state knows the one that was there before.
            let succeeds = self.which.anchor.clone();
            let object = self.anchor(phase, created, Record { succeeds, ..self.learnt.clone() });
            self.which.anchor = Some(self.stack.kubernetes.create(&object).await?.uid().to_owned());
            return Ok(());
        };
        let Some(anchor) = Anchor::<M>::read(&found) else {
            return Err(diagnostics::name_taken(&found.key(), M::RESOURCE).into());
        };
        let mut object = self.anchor(phase, created, anchor.history().and(&self.learnt));
        if found.at("/data") == object.at("/data") {
            return Ok(());
        }
        // Another run that changed it meanwhile makes this write fail: two runs never interleave unseen.
        object.set_metadata("resourceVersion", found.resource_version().into());
        self.stack.kubernetes.replace(&object).await?;
        Ok(())
    }

    fn anchor(&self, phase: Phase, created: Option<Timestamp>, record: Record) -> Object {
        let record = Record { templates: self.templates(), ..record };
        Anchor { phase, spec: self.spec.clone(), created, record }.object()
    }
}
