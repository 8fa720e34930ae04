//! The drill as an action of Terraform 1.14 and newer: run on request, with its progress told. The drill is that of the resource.

use super::apply;
use super::plan;
use super::schema::DrillOrder;
use crate::model;
use crate::plugin::action::Action;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::schema::optional;
use crate::plugin::timeouts::{is_duration, parse_duration};
use crate::stack::Stack;
use std::time::Duration;

model! {
    /// A high availability drill: pods of a running cluster are taken away, one at a time, while a load runs as real applications
    /// run it. It fails when an acknowledged record is lost, or a bound is not kept. What the attributes mean in detail, and what a
    /// drill needs and leaves: see the resource of the same name, which keeps the figures.
    pub struct Drill {
        ..order: DrillOrder,
        /// How long the whole drill may take. Default: `30m`.
        timeout: String = optional().check(is_duration),
    }
}

/// The action.
pub struct KafkaDrill;

impl Action for KafkaDrill {
    type Client = Stack;
    type Model = Drill;
    const NAME: &'static str = "ha_drill";

    fn limit(&self, config: &Drill) -> Duration {
        let given = config.timeout.known().and_then(|text| parse_duration(text).ok());
        given.unwrap_or(Duration::from_secs(30 * 60))
    }

    fn validate(&self, config: &Drill, diagnostics: &mut Diagnostics) {
        plan::validate(&config.order, diagnostics);
    }

    async fn invoke(&self, cx: &Context<'_, Stack>, config: Drill) -> Result<Diagnostics, Diagnostics> {
        let (report, said) = apply::drill(cx, &config.order).await?;
        cx.say(&report.summary);
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::action::AnyAction as _;
    use crate::plugin::erased::AnyResource;
    use crate::plugin::model::Attr;
    use crate::plugin::types::Replace;
    use crate::resources::ha_drill::KafkaHaDrill;

    #[test]
    fn an_action_is_asked_for_what_the_resource_is() {
        let action = KafkaDrill.schema().attributes;
        let resource = AnyResource::schema(&KafkaHaDrill).attributes;
        let asked = resource.iter().filter(|attribute| attribute.rules.required || attribute.rules.optional);
        let missing: Vec<_> =
            asked.filter(|one| !action.iter().any(|other| other.name == one.name)).map(|one| one.name).collect();
        assert_eq!(missing, ["triggers", "timeouts"]);
        // Core keeps nothing of an action: its attributes are given or not.
        assert!(action.iter().all(|attribute| !attribute.rules.computed && attribute.rules.replace == Replace::Never));
        let drill = Drill { timeout: Attr::Known("5m".into()), ..Drill::default() };
        assert_eq!(Action::limit(&KafkaDrill, &drill), Duration::from_secs(300));
    }
}
