//! How far the provider came with something, as its anchor says it. Pure.

/// How far the provider came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Objects are being made for the first time.
    Creating,
    /// Everything is applied.
    Ready,
    /// A change is being applied.
    Updating,
    /// Objects are being removed.
    Deleting,
}

impl Phase {
    const ALL: [(Phase, &'static str); 4] =
        [(Phase::Creating, "creating"), (Phase::Ready, "ready"), (Phase::Updating, "updating"), (Phase::Deleting, "deleting")];

    /// As anchors spell it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }

    /// The phase that is spelled so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(phase, _)| *phase)
    }
}
