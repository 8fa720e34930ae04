//! Which one a state is about: names alone may lead to another Kubernetes cluster, or to another thing of the same name. Kept in
//! private state, and taken where a state does not have it yet. Network; [`Which::other`] is pure.

use crate::diagnostics;
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::operations::Private;
use crate::stack::Stack;

/// The keys under which private state keeps it.
const KUBERNETES: &str = "kubernetes_uid";
const ANCHOR: &str = "anchor_uid";
/// Where an anchor that was written anew says whose place it took.
pub const SUCCEEDS: &str = "succeeds";

/// Which one; what is not known is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// The uid of the namespace `kube-system`, which lives as long as its Kubernetes cluster.
    kubernetes: Option<String>,
    /// The anchor's uid.
    pub anchor: Option<String>,
    /// The uid of the anchor whose place it took.
    succeeds: Option<String>,
}

impl Which {
    /// What a state is about.
    pub fn kept(private: &Private) -> Self {
        let kept = |key: &str| private.get(key).cloned();
        Self { kubernetes: kept(KUBERNETES), anchor: kept(ANCHOR), succeeds: None }
    }

    /// What is there.
    ///
    /// # Errors
    /// When Kubernetes does not say; who may not read `kube-system` is not told.
    pub async fn seen(stack: &Stack, anchor: Option<&Object>) -> Result<Self, Failure> {
        Ok(Self { kubernetes: stack.kubernetes_uid().await?, ..Self::of(anchor) })
    }

    fn of(anchor: Option<&Object>) -> Self {
        let succeeds = anchor.map(|anchor| anchor.text(&format!("/data/{SUCCEEDS}"))).filter(|uid| !uid.is_empty());
        Self { anchor: anchor.map(|anchor| anchor.uid().to_owned()), succeeds: succeeds.map(str::to_owned), ..Self::default() }
    }

    /// What a state is about and what is there, together. `kept`: what the state knows; `resource` and `id` name it.
    ///
    /// # Errors
    /// That it is another one, in words; or Kubernetes does not say.
    pub async fn meant(
        kept: &Self,
        stack: &Stack,
        anchor: Option<&Object>,
        resource: &str,
        id: &str,
    ) -> Result<Self, Diagnostic> {
        let seen = Self::seen(stack, anchor).await?;
        match kept.other(&seen, resource, id) {
            Some(other) => Err(other),
            None => Ok(kept.clone().and(seen)),
        }
    }

    /// The same of this anchor.
    #[must_use]
    pub fn at(self, anchor: &Object) -> Self {
        self.and(Self::of(Some(anchor)))
    }

    /// Both together: what is seen counts.
    #[must_use]
    fn and(self, seen: Self) -> Self {
        Self {
            kubernetes: seen.kubernetes.or(self.kubernetes),
            anchor: seen.anchor.or(self.anchor),
            succeeds: seen.succeeds.or(self.succeeds),
        }
    }

    /// What private state keeps, with this.
    #[must_use]
    pub fn keep(&self, mut private: Private) -> Private {
        let entries = [(KUBERNETES, &self.kubernetes), (ANCHOR, &self.anchor)];
        private.extend(entries.into_iter().filter_map(|(key, uid)| Some((key.to_owned(), uid.clone()?))));
        private
    }

    /// Whether this is the anchor that is meant, as far as that is known.
    ///
    /// # Errors
    /// That it is another one, in words.
    pub fn is_at(&self, anchor: &Object, resource: &str, id: &str) -> Result<(), Diagnostic> {
        self.other(&Self::of(Some(anchor)), resource, id).map_or(Ok(()), Err)
    }

    /// Why what is there is not what the state is about; `resource` and `id` name it.
    fn other(&self, seen: &Self, resource: &str, id: &str) -> Option<Diagnostic> {
        let differ = |kept: &Option<String>, seen: &Option<String>| {
            let (kept, seen) = (kept.as_deref()?, seen.as_deref()?);
            (kept != seen).then(|| (kept.to_owned(), seen.to_owned()))
        };
        if let Some((kept, seen)) = differ(&self.kubernetes, &seen.kubernetes) {
            return Some(diagnostics::other_kubernetes(resource, id, &kept, &seen));
        }
        if self.anchor.is_some() && self.anchor == seen.succeeds {
            return None;
        }
        differ(&self.anchor, &seen.anchor).map(|(kept, seen)| diagnostics::other_of_the_name(resource, id, &kept, &seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::{Key, Kind};
    use serde_json::json;

    fn which(kubernetes: Option<&str>, anchor: Option<&str>) -> Which {
        Which { kubernetes: kubernetes.map(str::to_owned), anchor: anchor.map(str::to_owned), succeeds: None }
    }

    #[test]
    fn another_one_is_another_by_its_uid_and_not_by_what_is_unknown() {
        let kept = which(Some("k1"), Some("a1"));
        let other = |seen: &Which| kept.other(seen, "cluster", "prod/kafka").map(|said| said.kind);
        assert_eq!(other(&kept), None);
        assert_eq!(other(&which(None, None)), None);
        assert_eq!(other(&which(Some("k2"), Some("a1"))), Some("other_kubernetes"));
        assert_eq!(other(&which(Some("k1"), Some("a2"))), Some("other_of_the_name"));
        assert_eq!(which(None, None).other(&kept, "cluster", "prod/kafka"), None, "a state of an earlier version takes it");
        // One that our own apply wrote anew, after a hand had deleted it.
        let anchor =
            Object::of(&Key::new(Kind::ConfigMap, "prod", "x"), json!({"metadata": {"uid": "a2"}, "data": {SUCCEEDS: "a1"}}));
        assert_eq!(other(&Which::of(Some(&anchor))), None);
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let kept = which(Some("k1"), Some("a1"));
        assert_eq!(Which::kept(&kept.keep(Private::new())), kept);
        assert_eq!(which(None, Some("a0")).and(which(Some("k1"), Some("a1"))), kept);
    }
}
