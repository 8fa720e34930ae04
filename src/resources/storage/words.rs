//! Words about storage.

use super::claims::{Fate, Held};
use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;
use std::collections::BTreeSet;

/// Neither a provisioner nor volumes.
pub fn no_provisioner() -> Diagnostic {
    let why = "`provisioner` has to be set unless there are `local_volumes` or `nfs_volumes`.";
    Diagnostic::error("Missing value", why)
        .kind("storage.no_provisioner")
        .hint("kubectl get storageclass shows the provisioners that the cluster knows")
        .at(Path::of("provisioner"))
}

/// A provisioner besides static volumes.
pub fn both(provisioner: &str) -> Diagnostic {
    let why = format!("`provisioner` is {provisioner:?}, and volumes that are listed here are made by nobody else.");
    Diagnostic::error("Static volumes have no provisioner", why)
        .kind("storage.both")
        .hint("remove `provisioner`, or the volumes into a kafkastack_storage of their own")
        .at(Path::of("provisioner"))
}

/// `Delete` for static volumes.
pub fn nobody_deletes() -> Diagnostic {
    let why = "`reclaim_policy` is \"Delete\", and nothing in the cluster can delete static volumes: they would only fail.";
    Diagnostic::error("Static volumes are not deleted", why)
        .kind("storage.nobody_deletes")
        .hint("use \"Retain\"")
        .at(Path::of("reclaim_policy"))
}

/// A name used twice.
pub fn twice(name: &str, path: Path) -> Diagnostic {
    Diagnostic::error("Two volumes have one name", format!("{name:?} is the name of another volume already."))
        .kind("storage.twice")
        .at(path)
}

/// Claims keep the class from being removed.
pub fn class_in_use(name: &str, claims: &[Held]) -> Diagnostic {
    let any = |fate: &Fate| claims.iter().any(|claim| claim.fate == *fate);
    let keeping = workloads(claims, |fate| if let Fate::KeptBy(workload) = fate { Some(workload) } else { None });
    let taking = workloads(claims, |fate| if let Fate::GoesWith(workload) = fate { Some(workload) } else { None });
    let ways = [
        keeping.map(|it| format!("if the data may go, set `delete_claims = true` and `deletion_protection = false` on {it}, apply, and destroy again")),
        taking.map(|it| format!("destroy {it} first")),
        any(&Fate::LeftBehind).then(|| "claims that a destroyed workload left go by hand, if their data may go: kubectl delete pvc -n NAMESPACE NAME".to_owned()),
        any(&Fate::Foreign).then(|| "of claims of others remove what uses them first, then the claims".to_owned()),
        Some("to keep the storage, take it out of the state: tofu state rm 'kafkastack_storage.NAME'".to_owned()),
    ];
    let ways: Vec<String> = ways.into_iter().flatten().collect();
    Diagnostic::error(
        "Claims are bound to the storage",
        format!("kafkastack_storage {name} is not removed while claims use it: {}.", some(claims)),
    )
    .kind("storage.class_in_use")
    .hint(ways.join("; "))
}

/// The workloads of claims with a certain fate, if there are such claims.
fn workloads(claims: &[Held], of: fn(&Fate) -> Option<&String>) -> Option<String> {
    let all: BTreeSet<&str> = claims.iter().filter_map(|claim| of(&claim.fate)).map(String::as_str).collect();
    (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join(", "))
}

/// Claims keep the class as it is.
pub fn class_not_replaced(name: &str, claims: &[Held]) -> Diagnostic {
    Diagnostic::error(
        "Claims are bound to the storage",
        format!("kafkastack_storage {name} would be made anew, and is not while claims use it: {}.", some(claims)),
    )
    .kind("storage.class_not_replaced")
    .hint("restore what the plan shows as \"forces replacement\", or make a second kafkastack_storage for new workloads")
}

/// Claims that are being deleted, and stay.
pub fn claims_linger(name: &str, claims: &[Held]) -> Diagnostic {
    Diagnostic::error(
        "Claims are being deleted and are still there",
        format!("kafkastack_storage {name} waits for: {}.", some(claims)),
    )
    .kind("storage.claims_linger")
    .hint("a claim goes when no pod uses it any more: kubectl describe pvc -n NAMESPACE NAME; then destroy again")
}

/// A claim keeps a volume.
pub fn volume_in_use(volume: &str, claim: &str) -> Diagnostic {
    Diagnostic::error(
        "A claim is bound to the volume",
        format!("Volume {volume:?} is not removed, and its place not changed, while claim {claim} uses it. Nothing was written."),
    )
    .kind("storage.volume_in_use")
    .hint("restore the volume as it was; or remove what uses the claim, and the claim if its data may go")
}

/// A volume that gives way to another one.
pub fn volume_replaced(volume: &str) -> Diagnostic {
    Diagnostic::warning(
        "A volume is made anew",
        format!("Volume {volume:?} gets another place. No claim is bound to it. The data in the old place stays there."),
    )
    .kind("storage.volume_replaced")
}

/// Out of time or interrupted.
pub fn unfinished(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("The storage was not written completely", format!("kafkastack_storage {name}: {why}"))
        .kind("storage.unfinished")
        .hint("apply again, it goes on from here; `timeouts` holds the limits")
}

fn some(claims: &[Held]) -> String {
    let shown = claims.iter().take(10).map(|claim| claim.name.as_str()).collect::<Vec<_>>().join(", ");
    if claims.len() > 10 { format!("{shown} and {} more", claims.len() - 10) } else { shown }
}
