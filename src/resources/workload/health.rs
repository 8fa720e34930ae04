//! What a service says of itself, pod by pod. Pure.

use std::collections::BTreeMap;

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It was not asked, or does not answer: why.
    Unknown(String),
    /// It answers.
    Known {
        /// What is not whole, the gravest; none: everyone serves, and everything is in sync.
        waits: Option<String>,
        /// What each of its pods does, by the pod's name. One that is not here does not serve.
        duties: BTreeMap<String, Duty>,
    },
}

impl Health {
    /// What this pod does, where that is known.
    pub fn duty(&self, pod: &str) -> Option<&Duty> {
        match self {
            Self::Known { duties, .. } => duties.get(pod),
            Self::Unknown(_) => None,
        }
    }

    /// Whether this pod is known to serve.
    pub fn serves(&self, pod: &str) -> bool {
        self.duty(pod).is_some_and(|duty| duty.serves)
    }

    /// Whether nobody was asked.
    pub fn is_unasked(&self) -> bool {
        matches!(self, Self::Unknown(why) if why.is_empty())
    }
}

/// What a pod does in a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// It answers, and has its place.
    pub serves: bool,
    /// It has not yet all that it should have.
    pub behind: bool,
    /// It leads: each move of a leader is felt by clients.
    pub leads: bool,
    /// What the service would lose if this pod went now, where waiting helps.
    pub loss: Option<String>,
    /// What it does not serve whenever this pod is away: topics by name.
    pub always: Vec<String>,
}

impl Duty {
    /// What serves, and may go.
    pub fn served() -> Self {
        Self { serves: true, ..Self::default() }
    }

    /// Whether it is not as it should be.
    pub fn ails(&self) -> bool {
        !self.serves || self.behind
    }
}
