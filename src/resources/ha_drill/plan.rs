//! What a drill's configuration is refused for, offline. Pure.

use super::schema::{Acknowledged, HaDrill};
use super::words;
use crate::drill::load::Acks;
use crate::drill::objections::contradictions;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::Attr;
use crate::plugin::path::Path;

/// The acknowledgements that a drill's writes wait for.
pub fn acks(drill: &HaDrill) -> Acks {
    match drill.acks.unwrap_or(Acknowledged::All) {
        Acknowledged::All => Acks::All,
        Acknowledged::Leader => Acks::Leader,
    }
}

/// A number of the configuration; none while it is unknown.
fn number(attr: &Attr<i64>, default: i64) -> Option<i64> {
    if attr.is_unknown() { None } else { Some(attr.unwrap_or(default)) }
}

/// Refuses settings that contradict each other, and attributes that a step does not have.
pub fn validate(config: &HaDrill, diagnostics: &mut Diagnostics) {
    let (factor, in_sync) = (number(&config.replication_factor, 3), number(&config.min_insync_replicas, 2));
    let acks = (!config.acks.is_unknown()).then(|| acks(config));
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
    use crate::resources::ha_drill::schema::DrillStep;
    use crate::resources::ha_drill::schema::StepKind;

    fn said(config: &HaDrill) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        validate(config, &mut diagnostics);
        diagnostics.iter().map(|one| one.path.as_ref().unwrap().to_string()).collect()
    }

    #[test]
    fn what_cannot_end_well_is_refused_at_plan_with_its_path() {
        let config = HaDrill::default();
        assert_eq!(said(&config), [""; 0]);
        assert_eq!(said(&HaDrill { replication_factor: Attr::Known(1), ..config.clone() }), ["replication_factor"]);
        assert_eq!(said(&HaDrill { min_insync_replicas: Attr::Known(3), ..config.clone() }), ["min_insync_replicas"]);
        let weak = HaDrill { min_insync_replicas: Attr::Known(1), ..config.clone() };
        assert_eq!(said(&weak), ["min_insync_replicas"]);
        assert_eq!(said(&HaDrill { acks: Attr::Known(Acknowledged::Leader), ..weak.clone() }), [""; 0]);
        assert_eq!(said(&HaDrill { acks: Attr::unknown(), ..weak }), [""; 0]);
        let step = DrillStep { kind: Attr::Known(StepKind::Pause), node: Attr::Known("n".into()), ..DrillStep::default() };
        assert_eq!(said(&HaDrill { steps: Attr::Known(vec![step]), ..config }), ["steps[0].node"]);
    }
}
