//! What a drill's configuration is refused for, offline. Pure.

use super::schema::DrillOrder;
use super::words;
use crate::drill::objections::contradictions;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::path::Path;

/// A number of the configuration; none while it is unknown.
fn number(attr: &Attr<i64>, default: i64) -> Option<i64> {
    if attr.is_unknown() { None } else { Some(attr.unwrap_or(default)) }
}

/// Refuses settings that contradict each other, and attributes that a step does not have.
pub fn validate(config: &DrillOrder, diagnostics: &mut Diagnostics) {
    let (factor, in_sync) = (number(&config.replication_factor, 3), number(&config.min_insync_replicas, 2));
    let acks = (!config.acks.is_unknown()).then(|| config.acks());
    for (attribute, why) in contradictions(factor, in_sync, acks) {
        diagnostics.push(words::contradiction(&why).at(Path::of(attribute)));
    }
    for (i, step) in config.steps.known().into_iter().flatten().enumerate() {
        for attribute in step.misplaced() {
            let path = Path::of("steps").index(i).attribute(attribute);
            diagnostics.push(words::misplaced(attribute, step.kind.known().map_or("", |kind| kind.word())).at(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::ha_drill::schema::{Acknowledged, DrillStep, StepKind};

    fn said(config: &DrillOrder) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        validate(config, &mut diagnostics);
        diagnostics.iter().map(|one| one.path.as_ref().unwrap().to_string()).collect()
    }

    #[test]
    fn what_cannot_end_well_is_refused_at_plan_with_its_path() {
        let config = DrillOrder::default();
        assert_eq!(said(&config), [""; 0]);
        assert_eq!(said(&DrillOrder { replication_factor: Attr::Known(1), ..config.clone() }), ["replication_factor"]);
        assert_eq!(said(&DrillOrder { min_insync_replicas: Attr::Known(3), ..config.clone() }), ["min_insync_replicas"]);
        let weak = DrillOrder { min_insync_replicas: Attr::Known(1), ..config.clone() };
        assert_eq!(said(&weak), ["min_insync_replicas"]);
        assert_eq!(said(&DrillOrder { acks: Attr::Known(Acknowledged::Leader), ..weak.clone() }), [""; 0]);
        assert_eq!(said(&DrillOrder { acks: Attr::unknown(), ..weak }), [""; 0]);
        let step = DrillStep { kind: Attr::Known(StepKind::Pause), node: Attr::Known("n".into()), ..DrillStep::default() };
        assert_eq!(said(&DrillOrder { steps: Attr::Known(vec![step]), ..config }), ["steps[0].node"]);
    }
}
