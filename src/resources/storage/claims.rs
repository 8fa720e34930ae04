//! The claims that are bound in a storage: which there are, whose they are, and which will be gone before it goes. The looking is
//! network; [`fate`] is pure.

use super::objects::{CLAIMED_FROM, bound_to, is_bound_to};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::resources::owned::is_ours;
use crate::stack::Stack;
use crate::stack::cluster::{CLUSTER, ENSEMBLE};
use crate::stack::facts::Service;
use crate::stack::names::{self, Names};
use crate::stack::profile::Profile;
use std::collections::{BTreeMap, BTreeSet};

/// A claim that keeps a storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// `namespace/name`.
    pub name: String,
    /// What will become of it.
    pub fate: Fate,
}

/// What will become of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is being deleted.
    Going,
    /// This workload deletes it with itself.
    GoesWith(String),
    /// This workload keeps it, by its `delete_claims` or its protection.
    KeptBy(String),
    /// The workload that made it is gone, and left it.
    LeftBehind,
    /// Nothing of the provider made it.
    Foreign,
}

/// The claims that are bound in this class. A volume may say that it is bound for a moment after its claim is gone: that one
/// does not count.
///
/// # Errors
/// When Kubernetes does not say: then nothing may be removed.
pub async fn look(stack: &Stack, class: &str) -> Result<Vec<Held>, Failure> {
    // In this order: a volume that is bound after the first answer has a claim that is in the second.
    let mut volumes = stack.kubernetes.list(Kind::PersistentVolume, None, "").await?;
    volumes.retain(|volume| volume.text("/spec/storageClassName") == class && volume.text("/status/phase") == "Bound");
    let (mut claims, unseen) = match list(stack, None).await? {
        Some(claims) => (claims, Vec::new()),
        None => beside(stack, &volumes).await?,
    };
    let is_bound = |claim: &Object| claim.text("/spec/storageClassName") == class && claim.text("/status/phase") == "Bound";
    claims.retain(|claim| is_bound(claim) || volumes.iter().any(|volume| is_bound_to(volume, claim)));
    let anchors = anchors(stack, &claims).await?;
    let held = claims.iter().map(|claim| Held { name: full_name(claim), fate: fate(claim, &anchors) });
    Ok(held.chain(unseen.into_iter().map(|name| Held { name, fate: Fate::Foreign })).collect())
}

/// The claims of a namespace, or of all; none where they may not be listed.
async fn list(stack: &Stack, namespace: Option<&str>) -> Result<Option<Vec<Object>>, Failure> {
    match stack.kubernetes.list(Kind::PersistentVolumeClaim, namespace, "").await {
        Ok(claims) => Ok(Some(claims)),
        Err(Failure { class: Class::Forbidden { .. }, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// For who may not list the claims of all namespaces: those of the namespaces that volumes name, and what volumes say of the others.
async fn beside(stack: &Stack, volumes: &[Object]) -> Result<(Vec<Object>, Vec<String>), Failure> {
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    let namespaces: BTreeSet<&str> = volumes.iter().map(|volume| volume.text(CLAIMED_FROM)).collect();
    for namespace in namespaces {
        match list(stack, Some(namespace)).await? {
            Some(claims) => seen.extend(claims),
            None => {
                let here = volumes.iter().filter(|volume| volume.text(CLAIMED_FROM) == namespace);
                unseen.extend(here.filter_map(bound_to).collect::<BTreeSet<_>>());
            }
        }
    }
    Ok((seen, unseen))
}

/// Whether the claim that a volume says it is bound to is there: the volume may say so for a moment longer. Who may not see claims
/// believes the volume.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn is_there(stack: &Stack, volume: &Object) -> Result<bool, Failure> {
    let claims = list(stack, Some(volume.text(CLAIMED_FROM))).await?;
    Ok(claims.is_none_or(|claims| claims.iter().any(|claim| is_bound_to(volume, claim))))
}

fn full_name(claim: &Object) -> String {
    format!("{}/{}", claim.namespace().unwrap_or_default(), claim.name())
}

/// What is known of the anchors of the workloads that claims name. `None`: there is none.
type Anchors = BTreeMap<(String, String), Option<Object>>;

/// Namespace and name of the workload that made a claim: it carries the provider's mark and has one of the workload's names.
fn maker(claim: &Object) -> Option<(&str, &str)> {
    let instance = claim.labels().get("app.kubernetes.io/instance").copied()?;
    (is_ours(claim) && Names::of("", instance).ordinal_of_claim(claim.name()).is_some()).then_some((claim.namespace()?, instance))
}

/// An anchor that may not be read is not in the answer.
async fn anchors(stack: &Stack, claims: &[Object]) -> Result<Anchors, Failure> {
    let mut anchors = Anchors::new();
    for (namespace, name) in claims.iter().filter_map(maker) {
        let key = (namespace.to_owned(), name.to_owned());
        if anchors.contains_key(&key) {
            continue;
        }
        match stack.kubernetes.get(&names::anchor(namespace, name)).await {
            Ok(found) => drop(anchors.insert(key, found)),
            Err(Failure { class: Class::Forbidden { .. }, .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(anchors)
}

fn fate(claim: &Object, anchors: &Anchors) -> Fate {
    if claim.deleting() {
        return Fate::Going;
    }
    let Some((namespace, name)) = maker(claim) else { return Fate::Foreign };
    match anchors.get(&(namespace.to_owned(), name.to_owned())) {
        None => Fate::KeptBy(format!("{namespace}/{name}")),
        Some(None) => Fate::LeftBehind,
        Some(Some(anchor)) => {
            let of = |service, resource| said_by(claim, anchor, service, resource);
            of(Service::Kafka, CLUSTER).or_else(|| of(Service::Zookeeper, ENSEMBLE)).unwrap_or(Fate::Foreign)
        }
    }
}

/// What an anchor of this kind of workload says of a claim.
fn said_by(claim: &Object, anchor: &Object, service: Service, resource: &str) -> Option<Fate> {
    let profile = Profile::read(anchor, resource).filter(|_| is_ours(anchor))?;
    let (namespace, name) = maker(claim)?;
    let workload = format!("kafkastack_{resource} {namespace}/{name}");
    let made_it = claim.labels().get("app.kubernetes.io/name").copied() == Some(service.app());
    let goes = profile.delete_claims && !profile.deletion_protection;
    made_it.then_some(if goes { Fate::GoesWith(workload) } else { Fate::KeptBy(workload) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::model::Attr;
    use crate::resources::cluster::schema::Cluster;
    use crate::resources::owned::MANAGED_BY;
    use crate::resources::owned::phase::Phase;
    use crate::resources::workload::anchor::Anchor;
    use crate::resources::workload::attributes::Common;
    use serde_json::json;

    fn claim(name: &str, manager: &str, app: &str) -> Object {
        let labels = json!({MANAGED_BY.0: manager, "app.kubernetes.io/name": app, "app.kubernetes.io/instance": "kafka"});
        let key = crate::kubernetes::object::Key::new(Kind::PersistentVolumeClaim, "prod", name);
        Object::of(&key, json!({"metadata": {"labels": labels}}))
    }

    fn cluster(delete_claims: bool, deletion_protection: Attr<bool>) -> Object {
        let text = |text: &str| Attr::Known(text.to_owned());
        let common = Common {
            namespace: text("prod"),
            name: text("kafka"),
            delete_claims: Attr::Known(delete_claims),
            deletion_protection,
            ..Common::default()
        };
        let spec = Cluster { common, ..Cluster::default() };
        Anchor { phase: Phase::Ready, spec, created: None, record: Default::default(), run: None }.object()
    }

    fn anchors(anchor: Option<Object>) -> Anchors {
        [(("prod".to_owned(), "kafka".to_owned()), anchor)].into()
    }

    #[test]
    fn a_claim_goes_with_its_workload_when_that_deletes_claims_and_is_not_protected() {
        let ours = claim("data-kafka-0", MANAGED_BY.1, "kafka");
        let of = |anchor| fate(&ours, &anchors(Some(anchor)));
        let workload = "kafkastack_cluster prod/kafka".to_owned();
        assert_eq!(of(cluster(true, Attr::Known(false))), Fate::GoesWith(workload.clone()));
        for kept in [cluster(false, Attr::Known(false)), cluster(true, Attr::Known(true)), cluster(true, Attr::Null)] {
            assert_eq!(of(kept), Fate::KeptBy(workload.clone()));
        }
        assert_eq!(fate(&ours, &anchors(None)), Fate::LeftBehind);
        assert_eq!(fate(&ours, &Anchors::new()), Fate::KeptBy("prod/kafka".to_owned()), "the anchor may not be read");
    }

    #[test]
    fn a_claim_of_somebody_else_stays_whatever_its_labels_say() {
        let anchor = || anchors(Some(cluster(true, Attr::Known(false))));
        for foreign in [
            claim("data-kafka-0", "Helm", "kafka"),
            claim("data-other-0", MANAGED_BY.1, "kafka"),
            claim("data-kafka-0-old", MANAGED_BY.1, "kafka"),
            claim("data-kafka-0", MANAGED_BY.1, "zookeeper"),
        ] {
            assert_eq!(fate(&foreign, &anchor()), Fate::Foreign, "{}", foreign.name());
        }
        let mut going = claim("data-kafka-0", "Helm", "kafka");
        going.set_metadata("deletionTimestamp", "2026-01-01T00:00:00Z".into());
        assert_eq!(fate(&going, &anchor()), Fate::Going);
    }
}
