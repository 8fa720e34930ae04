//! Whether a workload may be destroyed or replaced. What has served, or holds what an earlier life left, goes only when state and
//! anchor both say so; what never came to anything may always make way. [`judge`] is pure, the rest looks.

use super::Spec;
use super::anchor::Anchor;
use super::own::{is_own_claim, owns};
use super::pod::Stage;
use super::role::Set;
use super::sets::{all, claims, sets};
use super::words;
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::plugin::operations::Private;
use crate::resources::owned::is_ours;
use crate::resources::owned::which::Which;
use crate::stack::Stack;
use crate::stack::names;
use serde_json::Value;

/// What there is of a workload.
pub struct Site<M> {
    /// Its anchor, as an object and as what it says; none where it says nothing.
    pub anchor: Option<(Object, Anchor<M>)>,
    /// What has the anchor's name, whatever it says.
    found: Option<Object>,
    /// Its StatefulSets.
    pub sets: Vec<Set>,
    /// Its own pods.
    pub pods: Vec<Object>,
    /// Pods of others that have the labels of its own.
    pub strangers: Vec<String>,
    /// Every claim of its namespace; none for who may not list them.
    pub claims: Vec<Object>,
}

/// Whether it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may go.
    Free,
    /// The configuration protects it.
    Protected,
    /// The state at hand does not protect it; what was applied last does.
    ProtectedByAnother,
}

/// What decides.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    /// Whether the state protects it.
    here: bool,
    /// What the anchor says: that it is protected, and that there is data.
    anchor: Option<(bool, bool)>,
    /// Whether a pod listens, or listened until just now.
    up: bool,
    /// Whether its StatefulSet or a claim of it is there.
    anything: bool,
}

fn judge(evidence: Evidence) -> Verdict {
    let Evidence { here, anchor, up, anything } = evidence;
    // Claims that its own create made hold nothing until it has served. Without an anchor nobody knows that.
    let data = anchor.map_or(anything, |(_, data)| data || up);
    match (data, here, anchor) {
        (false, ..) => Verdict::Free,
        (true, true, _) => Verdict::Protected,
        (true, false, Some((true, _))) => Verdict::ProtectedByAnother,
        (true, false, _) => Verdict::Free,
    }
}

impl<M: Spec> Site<M> {
    /// Looks at the workload that `spec` names.
    ///
    /// # Errors
    /// When Kubernetes does not say. Who may not list claims sees none.
    pub async fn look(stack: &Stack, spec: &M) -> Result<Self, Failure> {
        let namespace = spec.namespace();
        let anchor = names::anchor(namespace, spec.name());
        let (anchor, around, claims) =
            tokio::try_join!(stack.kubernetes.get(&anchor), Self::around(stack, spec), claims(stack, namespace))?;
        Ok(Self { claims, ..around.with(anchor) })
    }

    /// Looks at its StatefulSets and pods alone.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn around(stack: &Stack, spec: &M) -> Result<Self, Failure> {
        let (namespace, roles) = (spec.namespace(), spec.roles());
        let (sets, pods) = tokio::try_join!(sets(stack, namespace, &roles), all(stack, Kind::Pod, namespace, &roles))?;
        let (pods, strangers): (Vec<Object>, _) = pods.into_iter().partition(|pod| owns(&sets, pod));
        let strangers = strangers.iter().map(|pod| pod.name().to_owned()).collect();
        Ok(Self { anchor: None, found: None, sets, pods, strangers, claims: Vec::new() })
    }

    /// The same with its anchor.
    #[must_use]
    pub fn with(self, anchor: Option<Object>) -> Self {
        let found = anchor.clone();
        Self { anchor: anchor.and_then(|object| Anchor::read(&object).map(|anchor| (object, anchor))), found, ..self }
    }

    /// Which one it is. What the state is about has to be there, or nothing at all.
    ///
    /// # Errors
    /// When it is another one, or Kubernetes does not say.
    pub async fn is_meant(&self, stack: &Stack, spec: &M, kept: &Which) -> Result<Which, Diagnostic> {
        Which::meant(kept, stack, self.found.as_ref(), M::RESOURCE, &spec.id()).await
    }

    /// Its StatefulSets that are there.
    pub fn live(&self) -> impl Iterator<Item = &Object> {
        self.sets.iter().filter_map(|set| set.live.as_ref())
    }

    /// The pods' template of a set as our last write left it, where that is known.
    pub fn left(&self, set: &Object) -> Option<&Value> {
        let (_, anchor) = self.anchor.as_ref()?;
        anchor.record.templates.get(set.name())
    }

    /// Each StatefulSet with its pods' template as our last write left it, where both are known.
    pub fn templates(&self) -> impl Iterator<Item = (&Object, &Value)> {
        self.live().filter_map(|set| Some((set, self.left(set)?)))
    }

    /// Whether it serves, or did until just now.
    pub fn is_up(&self) -> bool {
        let listens = |set: &Set| self.pods.iter().any(|pod| Stage::of(pod, set.role.container).listens());
        self.sets.iter().any(listens)
    }

    /// Whether there is something to lose.
    pub fn has_served(&self) -> bool {
        self.is_up() || self.anchor.as_ref().is_some_and(|(_, anchor)| anchor.has_served())
    }

    /// Whether it may go. `prior`: what the state says.
    pub fn verdict(&self, prior: &M) -> Verdict {
        let anchor = self.anchor.as_ref().map(|(_, anchor)| {
            let data = anchor.has_served() || anchor.record.kept_claims;
            (anchor.spec.common().is_protected(), data)
        });
        let roles = prior.roles();
        let anything = self.live().any(is_ours) || self.claims.iter().any(|claim| is_own_claim(claim, &roles));
        judge(Evidence { here: prior.common().is_protected(), anchor, up: self.is_up(), anything })
    }
}

/// The refusal, in words.
pub fn refusal<M: Spec>(verdict: Verdict, prior: &M) -> Option<Diagnostic> {
    let (namespace, name) = (prior.namespace(), prior.name());
    match verdict {
        Verdict::Free => None,
        Verdict::Protected => Some(words::protected(M::RESOURCE, namespace, name)),
        Verdict::ProtectedByAnother => Some(words::protected_by_another(M::RESOURCE, namespace, name)),
    }
}

/// What a plan says to a destroy or a replacement. Where nobody can be asked, what the state protects stays.
///
/// # Errors
/// Why it may not go.
pub async fn at_plan<M: Spec>(stack: Option<&Stack>, prior: &M, private: &Private) -> Result<Diagnostics, Diagnostics> {
    let site = match stack {
        Some(stack) => Site::look(stack, prior).await.ok(),
        None => None,
    };
    if let (Some(stack), Some(site)) = (stack, &site) {
        site.is_meant(stack, prior, &Which::kept(private)).await?;
    }
    may_go_at_plan(site.as_ref(), prior)
}

/// The same, where it was looked already, and is the one that is meant.
///
/// # Errors
/// Why it may not go.
pub fn may_go_at_plan<M: Spec>(site: Option<&Site<M>>, prior: &M) -> Result<Diagnostics, Diagnostics> {
    let verdict = match site {
        Some(site) => site.verdict(prior),
        None if prior.common().is_protected() => Verdict::Protected,
        // The apply asks again.
        None => Verdict::Free,
    };
    refusal(verdict, prior).map_or_else(|| Ok(Diagnostics::new()), |why| Err(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Evidence = Evidence { here: true, anchor: None, up: false, anything: false };

    #[test]
    fn what_never_served_makes_way() {
        assert_eq!(judge(NOTHING), Verdict::Free);
        assert_eq!(judge(Evidence { anchor: Some((true, false)), anything: true, ..NOTHING }), Verdict::Free);
    }

    #[test]
    fn what_has_served_is_protected_whatever_is_left_of_it() {
        for (up, anything) in [(false, false), (true, true)] {
            assert_eq!(judge(Evidence { anchor: Some((true, true)), up, anything, ..NOTHING }), Verdict::Protected);
        }
        // A create that was killed while it waited: nobody noted that it serves.
        assert_eq!(judge(Evidence { anchor: Some((true, false)), up: true, ..NOTHING }), Verdict::Protected);
        // Without an anchor nobody knows what the claims hold.
        assert_eq!(judge(Evidence { anything: true, ..NOTHING }), Verdict::Protected);
    }

    #[test]
    fn state_and_anchor_have_to_agree() {
        let here = false;
        assert_eq!(judge(Evidence { here, anchor: Some((true, true)), ..NOTHING }), Verdict::ProtectedByAnother);
        assert_eq!(judge(Evidence { here, anchor: Some((false, true)), ..NOTHING }), Verdict::Free);
        assert_eq!(judge(Evidence { here, anything: true, ..NOTHING }), Verdict::Free);
        assert_eq!(judge(Evidence { anchor: Some((false, true)), ..NOTHING }), Verdict::Protected);
    }
}
