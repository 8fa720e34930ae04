//! Which Kafka a client is for. A name leads wherever the network of the moment says: the id that Kafka gave itself proves who
//! answers. Pure; the pool asks, once on each connection and before anything else.

use super::address::Address;
use kafka_protocol::messages::MetadataResponse;
use thiserror::Error;

/// The cluster that is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// What people call it: `<namespace>/<name>`.
    pub name: String,
    /// Kafka's own id of it.
    pub id: String,
}

/// Another Kafka answers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{broker} belongs to the Kafka cluster {found}, and the id of {} is {}", expected.name, expected.id)]
pub struct OtherCluster {
    /// The cluster that is meant.
    pub expected: Identity,
    /// The id that was answered.
    pub found: String,
    /// Who was asked.
    pub broker: Address,
    /// Whether it was dialled by its own name, so that it was this machine's network that said who that is.
    pub direct: bool,
}

impl Identity {
    /// The id that speaks against it; none from a broker that names no cluster, as very old ones do.
    pub(super) fn contradicted_by(&self, answer: &MetadataResponse) -> Option<String> {
        let found = answer.cluster_id.as_ref().map(ToString::to_string)?;
        (!found.is_empty() && found != self.id).then_some(found)
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
