//! Words about ensembles.

use crate::plugin::diagnostic::Diagnostic;
use crate::plugin::path::Path;

/// An ensemble keeps its size.
pub fn members_change(old: i64, new: i64) -> Diagnostic {
    let why = format!(
        "The ensemble has {old} members and cannot get {new}: while old and new members disagree on how many make a quorum, two halves could both believe to be it."
    );
    Diagnostic::error("The number of members cannot be changed", why)
        .kind("members_change")
        .hint(format!("restore `members = {old}`, or make a second ensemble"))
        .at(Path::of("members"))
}
