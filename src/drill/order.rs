//! What a drill is asked to do, and why it does not begin. Pure.

use super::claim::Unclaimed;
use super::limits::Halt;
use super::objections::Demands;
use super::pace::Pace;
use crate::kafka;
use crate::kubernetes::Failure;
use thiserror::Error;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is asked of the stack, the steps among it.
    pub demands: Demands,
    /// Records each second, and over how many partitions.
    pub pace: Pace,
}

/// Why a drill did not begin, or came to nothing.
#[derive(Debug, Error)]
pub enum Refused {
    /// It must not begin, whatever the stack does.
    #[error("{}", .0.join("; "))]
    Objections(Vec<String>),
    /// The stack is not whole, and did not become so.
    #[error("{}", .0.join("; "))]
    Unwell(Vec<String>),
    /// Brokers of another cluster answer under the names of this one.
    #[error(transparent)]
    OtherKafka(kafka::Error),
    /// No claim.
    #[error(transparent)]
    Unclaimed(#[from] Unclaimed),
    /// Kubernetes refuses.
    #[error(transparent)]
    Kubernetes(#[from] Failure),
    /// What an earlier drill left could not be removed.
    #[error("{}", .0.join("; "))]
    Left(Vec<String>),
    /// The topic, the znode or the load could not be had.
    #[error("{0}")]
    Unprepared(String),
    /// It had to end before its first step.
    #[error(transparent)]
    Halted(#[from] Halt),
}
