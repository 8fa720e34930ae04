//! Kafka's administration: plain requests -> plain answers, or an error that says what is known. Effects only.
//!
//! ```text
//! Admin (admin, configs, log_dirs)  one operation each: plain values <-> Kafka's messages
//!   router                who is asked: the controller, one broker, any; what may be repeated
//!     pool                kept connections, one for reads and one for writes to each broker, each proved to be of the cluster
//!       connection        dial -> secure -> ApiVersions -> one request at a time
//!         frame           bytes, over a stream of `crate::dial`
//! ```
//!
//! A write is repeated only when it is known that it had no effect. Any other failure of a write has
//! `Error::outcome() == Outcome::Unknown`: read back, then decide.

mod address;
mod admin;
mod configs;
mod connection;
mod error;
mod frame;
mod identity;
mod log_dirs;
mod model;
mod pool;
mod release;
mod router;
mod versions;

#[cfg(test)]
mod faults_tests;
#[cfg(test)]
mod real_tests;

pub use address::Address;
pub use admin::Admin;
pub use connection::Security;
pub use error::{Class, ConnectError, Error, Outcome, Refusal, Resource};
pub use identity::{Identity, OtherCluster};
pub use log_dirs::LogDir;
pub use model::{Broker, ClusterView, ConfigEntry, Created, NewTopic, Partition, Reassignment, Source, Topic};
pub use release::Release;
pub use router::Limits;
pub use versions::{ApiTable, api_name};
