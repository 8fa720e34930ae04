//! Which fields the user saw in a plan: these, and no others, an apply takes over from whoever has them. Pure.

use super::converge::{changed_fields, covers};
use super::drift::{fields, label, label_of};
use crate::kubernetes::object::Object;
use crate::plugin::model::Attr;
use std::collections::BTreeMap;

/// Which fields the user saw in the plan.
pub enum Shown {
    /// Everything is to be made.
    All,
    /// These, by object.
    Fields(BTreeMap<String, Vec<String>>),
}

impl Shown {
    /// What a refresh showed as changed by hand, in the attribute `objects`.
    pub fn of(objects: &Attr<BTreeMap<String, String>>) -> Self {
        let named = |(object, text): (&String, &String)| (object.clone(), fields(text).map(str::to_owned).collect());
        Self::Fields(objects.known().into_iter().flatten().map(named).collect())
    }

    /// Whether the plan showed this field, or one that it lies in or holds.
    pub fn has(&self, object: &Object, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Fields(fields) => fields.get(&label(object)).is_some_and(|fields| covers(fields, field)),
        }
    }

    /// Adds what the plan itself changes.
    pub fn add(&mut self, before: &[Object], wanted: &[Object]) {
        let Self::Fields(shown) = self else { return };
        for (key, fields) in changed_fields(before, wanted) {
            shown.entry(label_of(&key)).or_default().extend(fields);
        }
    }
}
