//! Which fields the user saw in a plan: these, and no others, an apply takes over from whoever has them. Pure.

use super::Spec;
use super::converge::{changed_fields, covers};
use super::plan::label;
use super::read::DIFFERS;
use crate::kubernetes::object::Object;
use std::collections::BTreeMap;

/// Which fields the user saw in the plan.
pub(super) enum Shown {
    /// Everything is to be made.
    All,
    /// These, by object.
    Fields(BTreeMap<String, Vec<String>>),
}

impl Shown {
    /// What a refresh showed as changed by hand.
    pub(super) fn of<M: Spec>(prior: &M) -> Self {
        let objects = prior.shared().objects.unwrap_or_default();
        let fields = objects.into_iter().filter_map(|(object, text)| {
            let fields = text.strip_prefix(DIFFERS)?.split(", ").map(str::to_owned).collect();
            Some((object, fields))
        });
        Self::Fields(fields.collect())
    }

    /// Whether the plan showed this field, or one that it lies in or holds.
    pub(super) fn has(&self, object: &Object, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Fields(fields) => fields.get(&label(object)).is_some_and(|fields| covers(fields, field)),
        }
    }

    /// Adds what the plan itself changes.
    pub(super) fn add(&mut self, before: &[Object], wanted: &[Object]) {
        let Self::Fields(shown) = self else { return };
        for (key, fields) in changed_fields(before, wanted) {
            shown.entry(format!("{}/{}", key.kind, key.name)).or_default().extend(fields);
        }
    }
}
