//! What members say of themselves -> whether the ensemble serves. Network; the judgement is `stack::ailments`'s.

use super::schema::Ensemble;
use crate::kubernetes::object::Object;
use crate::resources::workload::Spec;
use crate::resources::workload::roll::Health;
use crate::stack::Stack;
use crate::stack::ailments::of_members;
use crate::stack::facts::{Service, leads};
use crate::stack::names::Id;

/// Asks every member for its role. An ensemble serves when one member leads and every other one follows it.
pub async fn check(ensemble: &Ensemble, stack: &Stack, _pods: &[Object]) -> Health {
    let id = Id::new(ensemble.namespace(), ensemble.name());
    let modes = stack.endpoints(Service::Zookeeper, &id, &ensemble.profile()).modes().await;
    match of_members(&modes).first() {
        Some(ailment) => Health::Waiting(ailment.to_string()),
        None => Health::Healthy { leaders: modes.into_iter().filter(|(_, mode)| leads(mode)).map(|(pod, _)| pod).collect() },
    }
}
