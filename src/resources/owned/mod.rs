//! What every resource has in common that owns objects of a Kubernetes cluster: one way to decide on writes, to make them, to
//! take back what others changed, to delete, and to tell what is done.
//!
//! ```text
//! wanted objects ─▶ converge.rs: next(wanted, live) ─▶ write.rs: look, apply ─▶ live objects ─▶ drift.rs: the attribute `objects`
//!                   shown.rs: fields that may be taken over        delete.rs: this very object        board.rs: events, progress
//! ```
//!
//! `phase.rs` how far the provider came, as the anchor says it · `applied.rs` what was applied last, as text.

pub mod applied;
pub mod board;
pub mod converge;
pub mod delete;
pub mod drift;
pub mod phase;
pub mod shown;
pub mod which;
pub mod write;

use crate::kubernetes::client::FIELD_MANAGER;
use crate::kubernetes::object::Object;
use sha2::{Digest, Sha256};

/// The label that says which program manages an object.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", FIELD_MANAGER);

/// Whether the provider made the object. One that was ours when last looked at and lost the label has drifted.
pub fn is_ours(object: &Object) -> bool {
    object.labels().get(MANAGED_BY.0).copied() == Some(MANAGED_BY.1)
}

/// Whether the provider made the object for what `wanted` is of: two workloads may have names that meet, as `a` with its Service
/// `a-headless` and another workload of that name.
pub fn is_ours_for(object: &Object, wanted: &Object) -> bool {
    let (labels, own) = (object.labels(), wanted.labels());
    is_ours(object) && INSTANCE.iter().all(|label| labels.get(label) == own.get(label))
}

/// The labels that say which application, and which one of them, an object is of.
const INSTANCE: [&str; 2] = ["app.kubernetes.io/name", "app.kubernetes.io/instance"];

/// A short name of a content: equal contents have equal fingerprints.
pub fn fingerprint(content: &serde_json::Value) -> String {
    let text = serde_json::to_vec(content).unwrap_or_default();
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
