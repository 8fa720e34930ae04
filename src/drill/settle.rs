//! Waits until a stack is whole. Network; `ailments` says when it is.

use super::limits::Limits;
use super::objections::{Demands, objections};
use super::order::Refused;
use crate::kafka;
use crate::stack::ailments::ailments;
use crate::stack::facts::Facts;
use crate::stack::site::Site;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at everything.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until the stack is whole; refuses at once another Kafka, and with demands what they do not allow.
pub(super) async fn settle(site: &Site, demands: Option<&Demands>, limits: &Limits, longest: Duration) -> Result<Facts, Refused> {
    let end = Instant::now() + longest;
    loop {
        let facts = limits.race(site.look()).await??;
        if let Err(error @ kafka::Error::OtherCluster(_)) = &facts.kafka {
            return Err(Refused::OtherKafka(error.clone()));
        }
        let objections = demands.map(|demands| objections(&facts, demands)).unwrap_or_default();
        if !objections.is_empty() {
            return Err(Refused::Objections(objections));
        }
        let ailments: Vec<String> = ailments(&facts).iter().map(ToString::to_string).collect();
        if ailments.is_empty() {
            return Ok(facts);
        }
        if Instant::now() >= end {
            return Err(Refused::Unwell(ailments));
        }
        limits.pause(LOOK).await?;
    }
}
