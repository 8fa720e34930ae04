//! Which pods and claims are a workload's own. The labels that select them are those that every chart uses, so a neighbour's
//! may carry them too: a pod is ours by its owner, a claim by our mark and by its name. Pure.

use super::role::{Role, Set};
use crate::kubernetes::object::{Kind, Object, at};
use crate::resources::owned::{MANAGED_BY, is_ours};
use crate::stack::names::Names;
use std::collections::BTreeSet;

/// Whether a claim was made for this workload: it carries the provider's mark, and labels and name of one of its own sets.
pub fn is_own_claim(claim: &Object, roles: &[Role]) -> bool {
    let labels = claim.labels();
    let has = |names: &Names| names.selector.iter().all(|(label, value)| labels.get(label.as_str()) == Some(&value.as_str()));
    is_ours(claim) && roles.iter().any(|role| has(&role.names) && role.names.ordinal_of_claim(claim.name()).is_some())
}

/// The labels that make a claim of its names one of this role, as `kubectl label` takes them.
pub fn own_marks(role: &Role) -> String {
    let of_role = role.names.selector.iter().map(|(label, value)| format!("{label}={value}"));
    std::iter::once(format!("{}={}", MANAGED_BY.0, MANAGED_BY.1)).chain(of_role).collect::<Vec<_>>().join(" ")
}

/// The claims of others whose names the pods of a role with these ordinals would use: a StatefulSet takes a claim by its name alone.
pub fn foreign_claims<'a>(claims: &'a [Object], role: &Role, ordinals: std::ops::Range<i64>) -> Vec<&'a str> {
    let wanted = |claim: &&Object| role.names.ordinal_of_claim(claim.name()).is_some_and(|ordinal| ordinals.contains(&ordinal));
    let foreign = |claim: &&Object| !is_own_claim(claim, std::slice::from_ref(role));
    claims.iter().filter(wanted).filter(foreign).map(Object::name).collect()
}

/// Whether a pod is of one of these sets; where its StatefulSet is gone already, of one of its name. What somebody orphaned is ours
/// still.
pub fn owns(sets: &[Set], pod: &Object) -> bool {
    let by = |Set { role, live }: &Set| match live {
        Some(set) => pod.is_owned_by(set.uid()),
        None => is_owned_by_name(pod, &role.names.set),
    };
    sets.iter().any(|set| is_orphan(pod, &set.role.names) || by(set))
}

/// Whether a pod of a set lost its StatefulSet without ending (`kubectl delete --cascade=orphan`): it carries our mark and one of the
/// set's names, and nobody owns it. The next StatefulSet of that name takes it over.
pub fn is_orphan(pod: &Object, names: &Names) -> bool {
    pod.controllers().next().is_none() && is_ours(pod) && names.ordinal_of_pod(pod.name()).is_some()
}

/// Whether a StatefulSet of this name owns the pod, or did before it was deleted.
fn is_owned_by_name(pod: &Object, set: &str) -> bool {
    pod.controllers().any(|owner| *at(owner, "/kind") == *Kind::StatefulSet.name() && *at(owner, "/name") == *set)
}

/// Claims that are there, and not those that are wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differ {
    /// Those that are there.
    pub kept: Vec<String>,
    /// Those of them that no pod would use.
    pub surplus: Vec<String>,
    /// Those that would be new beside them.
    pub missing: Vec<String>,
}

/// How the kept claims of a role differ from those that its pods would use; none: they are just these, or there are none.
pub fn differ(claims: &[Object], role: &Role) -> Option<Differ> {
    let own = claims.iter().filter(|claim| is_own_claim(claim, std::slice::from_ref(role)));
    let kept: BTreeSet<String> = own.map(|claim| claim.name().to_owned()).collect();
    let wanted: BTreeSet<String> = role.claims().into_iter().collect();
    let less = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let (surplus, missing) = (less(&kept, &wanted), less(&wanted, &kept));
    (!kept.is_empty() && kept != wanted).then(|| Differ { kept: kept.into_iter().collect(), surplus, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Key;
    use crate::resources::owned::MANAGED_BY;
    use serde_json::json;

    fn claim(name: &str, manager: &str, app: &str, instance: &str) -> Object {
        let labels = json!({MANAGED_BY.0: manager, "app.kubernetes.io/name": app, "app.kubernetes.io/instance": instance});
        Object::of(&Key::new(Kind::PersistentVolumeClaim, "prod", name), json!({"metadata": {"labels": labels}}))
    }

    fn brokers() -> Role {
        Role { names: Names::of("kafka", "kafka"), container: "kafka", file: "server.properties", replicas: 3 }
    }

    #[test]
    fn a_claim_is_ours_by_our_mark_and_by_one_of_our_names() {
        let own = |claim: Object| is_own_claim(&claim, &[brokers()]);
        assert!(own(claim("data-kafka-0", MANAGED_BY.1, "kafka", "kafka")));
        assert!(own(claim("data-kafka-12", MANAGED_BY.1, "kafka", "kafka")));
        for foreign in [
            claim("data-kafka-0", "Helm", "kafka", "kafka"),
            claim("data-kafka-0", "", "kafka", "kafka"),
            claim("foreign-data", MANAGED_BY.1, "kafka", "kafka"),
            claim("data-kafka-0-old", MANAGED_BY.1, "kafka", "kafka"),
            claim("data-kafka-00", MANAGED_BY.1, "kafka", "kafka"),
            claim("data-kafka-+1", MANAGED_BY.1, "kafka", "kafka"),
            // The first claim of a workload called `kafka-1`.
            claim("data-kafka-1-0", MANAGED_BY.1, "kafka", "kafka-1"),
            claim("data-kafka-0", MANAGED_BY.1, "zookeeper", "kafka"),
        ] {
            assert!(!own(foreign.clone()), "{foreign:?}");
        }
    }

    #[test]
    fn claims_of_others_count_only_where_a_pod_would_take_them() {
        let claims = [
            claim("data-kafka-0", MANAGED_BY.1, "kafka", "kafka"),
            claim("data-kafka-1", "Helm", "kafka", "kafka"),
            claim("data-kafka-3", "Helm", "kafka", "kafka"),
            claim("data-other-0", "Helm", "kafka", "kafka"),
        ];
        assert_eq!(foreign_claims(&claims, &brokers(), 0..3), ["data-kafka-1"]);
        assert_eq!(foreign_claims(&claims, &brokers(), 3..5), ["data-kafka-3"]);
    }

    #[test]
    fn a_pod_is_ours_by_its_owner() {
        let pod = |owner: serde_json::Value| Object::new(Kind::Pod, json!({"metadata": {"ownerReferences": [owner]}}));
        let owned = pod(json!({"kind": "StatefulSet", "name": "kafka", "uid": "1", "controller": true}));
        assert!(owned.is_owned_by("1") && is_owned_by_name(&owned, "kafka"));
        assert!(!owned.is_owned_by("2") && !owned.is_owned_by("") && !is_owned_by_name(&owned, "zk"));
        let other = pod(json!({"kind": "ReplicaSet", "name": "kafka", "uid": "2", "controller": true}));
        assert!(!other.is_owned_by("1") && !is_owned_by_name(&other, "kafka"));
        assert!(!is_owned_by_name(&Object::new(Kind::Pod, json!({})), "kafka"));
    }

    fn differs(kept: &[i64], replicas: i64) -> Option<(usize, Vec<String>, Vec<String>)> {
        let role = Role { names: Names::of("kafka", "kafka"), container: "kafka", file: "", replicas };
        let claim = |ordinal: &i64| {
            let labels =
                json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "kafka"});
            Object::of(
                &Key::new(Kind::PersistentVolumeClaim, "prod", role.names.claim(*ordinal)),
                json!({"metadata": {"labels": labels}}),
            )
        };
        let claims: Vec<Object> = kept.iter().map(claim).collect();
        differ(&claims, &role).map(|differ| (differ.kept.len(), differ.surplus, differ.missing))
    }

    #[test]
    fn claims_differ_by_what_is_missing_and_by_what_is_too_much() {
        assert_eq!(differs(&[], 3), None);
        assert_eq!(differs(&[0, 1, 2], 3), None);
        let names = |ordinals: &[i64]| ordinals.iter().map(|ordinal| format!("data-kafka-{ordinal}")).collect::<Vec<_>>();
        assert_eq!(differs(&[0, 1, 2, 3, 4], 3), Some((5, names(&[3, 4]), vec![])));
        assert_eq!(differs(&[0, 1], 3), Some((2, vec![], names(&[2]))));
        assert_eq!(differs(&[3], 1), Some((1, names(&[3]), names(&[0]))));
    }
}
