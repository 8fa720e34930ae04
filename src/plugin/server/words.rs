//! What the server itself says.

use super::super::diagnostic::{Diagnostic, REPORT};
use super::super::path::Path;

/// What core sent does not fit: a fault of core, of a state edited by hand, or of ours.
pub(super) fn unreadable(why: &str, at: Path) -> Diagnostic {
    Diagnostic::error("A value does not fit the schema", format!("{why}.")).at(at)
}

pub(super) fn bug(detail: String, at: Path) -> Diagnostic {
    tracing::error!(detail, "the provider breaks its own plan");
    Diagnostic::error("A fault of the provider", detail).hint(REPORT).at(at)
}
