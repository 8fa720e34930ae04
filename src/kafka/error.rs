//! What can go wrong with a broker, in classes that a caller can decide on, and what is known about a write afterwards. Pure.

use super::address::Address;
use super::identity::OtherCluster;
use super::release::Release;
use crate::dial::DialError;
use kafka_protocol::ResponseError;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// What is known about a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has no effect, now or later.
    NotApplied,
    /// It may have been applied, or may still be: read back before anything else.
    Unknown,
}

/// A call that brought no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// No broker could be asked; nothing was sent.
    #[error("no broker answers: {}", Attempts(tried))]
    Unreachable {
        /// Each address tried, the latest reason of each.
        tried: Vec<(Address, ConnectError)>,
    },
    /// The answer did not come in time.
    #[error("{api} was not answered by {broker} within {waited:?}")]
    TimedOut {
        /// The API.
        api: &'static str,
        /// Who was asked.
        broker: Address,
        /// How long.
        waited: Duration,
        /// What became of it, when it was a write.
        outcome: Outcome,
    },
    /// The stream ended between request and answer, or brought bytes that are no answer.
    #[error("{api} was not answered by {broker}: {why}")]
    Lost {
        /// The API.
        api: &'static str,
        /// Who was asked.
        broker: Address,
        /// What happened to the stream.
        why: String,
        /// What became of it, when it was a write.
        outcome: Outcome,
    },
    /// A broker answered with an error code.
    #[error(transparent)]
    Broker(#[from] Refusal),
    /// Who answers belongs to another cluster, and was asked for nothing but that.
    #[error(transparent)]
    OtherCluster(Box<OtherCluster>),
    /// The broker is too old for it.
    #[error("{api} needs Kafka {since} or later, and the broker is Kafka {found}")]
    Unsupported {
        /// The API.
        api: &'static str,
        /// The first release that has it.
        since: Release,
        /// The broker's release.
        found: Release,
    },
    /// The cluster has no such broker at the moment.
    #[error("the cluster has no broker {id}: it has {known:?}")]
    NoSuchBroker {
        /// The broker asked for.
        id: i32,
        /// Those that are registered.
        known: Vec<i32>,
    },
    /// The brokers agree on no controller, or it cannot be reached; nothing was sent.
    #[error("the controller could not be asked within {waited:?}: {why}")]
    NoController {
        /// How long it was looked for.
        waited: Duration,
        /// The last reason.
        why: String,
    },
}

/// A broker's error code with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{api} for {resource}: {name} ({code}){}", Message(message))]
pub struct Refusal {
    /// The API.
    pub api: &'static str,
    /// What it was about.
    pub resource: Resource,
    /// Kafka's number.
    pub code: i16,
    /// Kafka's name of it, as `INVALID_CONFIG`.
    pub name: String,
    /// The broker's own words.
    pub message: Option<String>,
    /// The topic is on its way out: the broker says so, or says that it exists while the controller does not show it,
    /// which is all that brokers like 2.2 say.
    pub deleting: bool,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A topic.
    Topic(String),
    /// A broker.
    Broker(i32),
    /// The cluster as a whole.
    Cluster,
}

/// What a code means to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // they say it
pub enum Class {
    TopicExists,
    /// Deleted, and not gone yet: creating works after a moment.
    MarkedForDeletion,
    UnknownTopic,
    InvalidName,
    NotController,
    InvalidPartitions,
    InvalidReplicationFactor,
    InvalidConfig,
    PolicyViolation,
    /// `Refusal::resource` says on what.
    Unauthorized,
    Throttled,
    ReassignmentInProgress,
    DeletionDisabled,
    /// The controller gave up waiting, not working.
    TimedOut,
    Other,
}

/// Why a broker could not be asked at all.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConnectError {
    /// There is no stream.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It took too long: the dial, or the first answer.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The stream ended before its first answer.
    #[error("{}", .0.as_deref().unwrap_or("connection closed before the first answer"))]
    Closed(Option<String>),
    /// Who answers there does not speak Kafka.
    #[error("not a Kafka broker: {0}")]
    NotKafka(String),
    /// It answers, and does not know the cluster yet: it has just started.
    #[error("the broker does not know the cluster yet")]
    NotReady,
}

impl Error {
    /// What is known about the write that failed so.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::TimedOut { outcome, .. } | Self::Lost { outcome, .. } => *outcome,
            Self::Broker(refusal) => refusal.outcome(),
            Self::Unreachable { .. }
            | Self::OtherCluster(_)
            | Self::Unsupported { .. }
            | Self::NoSuchBroker { .. }
            | Self::NoController { .. } => Outcome::NotApplied,
        }
    }

    /// The class of a broker's error code; none when there was no answer.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Broker(refusal) => Some(refusal.class()),
            _ => None,
        }
    }

    /// Whether a broker answered with a code of this class.
    pub fn is(&self, class: Class) -> bool {
        self.class() == Some(class)
    }

    /// Whether the brokers cannot be asked at present: the same call may work later.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Lost { .. } | Self::NoController { .. })
    }
}

impl Error {
    /// Whether nobody could be asked for a reason that may pass by itself.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { tried } => tried.is_empty() || tried.iter().any(|(_, why)| !why.is_final()),
            other => other.is_unreachable(),
        }
    }
}

impl ConnectError {
    /// What will not pass by itself.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Dial(DialError::NotAllowed(_)))
    }
}

impl Refusal {
    /// None for code 0.
    pub(super) fn check(api: &'static str, resource: Resource, code: i16, message: Option<&str>) -> Result<(), Self> {
        let Some(known) = ResponseError::try_from_code(code) else { return Ok(()) };
        let name = match known {
            ResponseError::Unknown(_) => "UNKNOWN_ERROR_CODE".to_owned(),
            known => screaming(&known.to_string()),
        };
        let message = message.filter(|text| !text.is_empty()).map(str::to_owned);
        let deleting = code == 36 && message.as_deref().is_some_and(|text| text.contains("marked for deletion"));
        Err(Self { api, resource, code, name, message, deleting })
    }

    /// What the code means.
    pub fn class(&self) -> Class {
        match self.code {
            3 | 100 => Class::UnknownTopic,
            7 => Class::TimedOut,
            17 => Class::InvalidName,
            29 | 31 => Class::Unauthorized,
            36 if self.deleting => Class::MarkedForDeletion,
            36 => Class::TopicExists,
            37 => Class::InvalidPartitions,
            38 => Class::InvalidReplicationFactor,
            40 => Class::InvalidConfig,
            41 => Class::NotController,
            44 => Class::PolicyViolation,
            60 => Class::ReassignmentInProgress,
            73 => Class::DeletionDisabled,
            89 => Class::Throttled,
            _ => Class::Other,
        }
    }

    /// UNKNOWN_SERVER_ERROR: the broker failed, and does not know why.
    pub(super) fn is_stumble(&self) -> bool {
        self.code == -1
    }

    /// Codes that say nothing about the effect: the controller stopped waiting (7) or stumbled (-1), or lost its peer (13).
    pub fn outcome(&self) -> Outcome {
        match self.code {
            -1 | 7 | 13 => Outcome::Unknown,
            _ => Outcome::NotApplied,
        }
    }
}

/// `InvalidConfig` -> `INVALID_CONFIG`, the spelling of Kafka's documentation and logs.
fn screaming(camel: &str) -> String {
    let mut name = String::with_capacity(camel.len() + 4);
    for (i, letter) in camel.char_indices() {
        if i > 0 && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Broker(id) => write!(f, "broker {id}"),
            Self::Cluster => f.write_str("the cluster"),
        }
    }
}

struct Attempts<'a>(&'a [(Address, ConnectError)]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no address is known");
        }
        for (i, (address, why)) in self.0.iter().enumerate() {
            write!(f, "{}{address}: {why}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

struct Message<'a>(&'a Option<String>);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i16, message: Option<&str>) -> Error {
        Refusal::check("CreateTopics", Resource::Topic("a".into()), code, message).unwrap_err().into()
    }

    #[test]
    fn a_refusal_says_what_kafka_calls_it() {
        let error = refusal(40, Some("Unknown topic config name: x"));
        assert_eq!(error.to_string(), "CreateTopics for topic a: INVALID_CONFIG (40): Unknown topic config name: x");
        assert_eq!(refusal(38, None).to_string(), "CreateTopics for topic a: INVALID_REPLICATION_FACTOR (38)");
        assert_eq!(refusal(999, Some("")).to_string(), "CreateTopics for topic a: UNKNOWN_ERROR_CODE (999)");
    }

    #[test]
    fn exists_and_marked_for_deletion_are_told_apart_by_the_text() {
        assert!(refusal(36, Some("Topic 'a' already exists.")).is(Class::TopicExists));
        assert!(refusal(36, Some("Topic 'a' is marked for deletion.")).is(Class::MarkedForDeletion));
    }

    #[test]
    fn a_missing_right_does_not_pass_by_itself() {
        let address = |host: &str| Address { host: host.to_owned(), port: 9092 };
        let (forbidden, refused) = (DialError::NotAllowed("no".to_owned()), DialError::Refused);
        let tried = |whys: &[&DialError]| whys.iter().map(|why| (address("a"), ConnectError::Dial((*why).clone()))).collect();
        assert!(!Error::Unreachable { tried: tried(&[&forbidden, &forbidden]) }.may_pass());
        assert!(Error::Unreachable { tried: tried(&[&forbidden, &refused]) }.may_pass());
        assert!(!refusal(40, None).may_pass());
    }

    #[test]
    fn only_answers_that_say_nothing_leave_the_outcome_open() {
        for code in [-1, 7, 13] {
            assert_eq!(refusal(code, None).outcome(), Outcome::Unknown, "{code}");
        }
        for code in [3, 29, 36, 37, 38, 40, 41, 44, 60, 73, 89] {
            assert_eq!(refusal(code, None).outcome(), Outcome::NotApplied, "{code}");
            assert!(!refusal(code, None).is(Class::Other), "{code}");
        }
    }
}
