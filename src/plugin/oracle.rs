//! What core holds every answer of a resource against, call by call. Pure.
//!
//! The rules are those that OpenTofu and Terraform document; where one is broken they stop with "Provider produced ...".
//! The server asks here first, so that a fault of a resource is named as one, with its place. Tests ask here for every
//! answer of every resource. Only one thing is asked in development builds alone: whether a resource itself keeps its
//! write-only values back, because what core gets is stripped of them in any build.

use super::identity::Identity;
use super::path::Path;
use super::planner::check;
use super::schema::{Attribute, Kind, each_write_only, has_write_only};
use super::value::Value;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub at: Path,
    /// Which, as a sentence.
    pub what: String,
}

impl Violation {
    fn of(at: Path, what: &str) -> Self {
        Self { what: format!("`{at}` {what}."), at }
    }
}

/// Core's rules for the answers of one type of resource.
#[derive(Clone, Debug)]
pub struct Oracle {
    kind: Kind,
    attributes: Vec<Attribute>,
    identity: Option<Identity>,
    write_only: bool,
}

fn held(broken: Option<Path>, what: &str) -> Result<(), Violation> {
    broken.map_or(Ok(()), |at| Err(Violation::of(at, what)))
}

impl Oracle {
    /// The rules for a resource of these attributes.
    pub fn new(attributes: &[Attribute]) -> Self {
        Self {
            kind: Kind::Object(attributes.to_vec()),
            identity: Identity::of(attributes),
            write_only: has_write_only(attributes),
            attributes: attributes.to_vec(),
        }
    }

    /// The resource's identity, if it has one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// A plan: what is configured is planned so, or stays as it was; write-only values are null; only what the provider
    /// may set differs from that.
    ///
    /// # Errors
    /// The rule that is broken first.
    pub fn plan(&self, config: &Value, prior: &Value, planned: &Value) -> Result<(), Violation> {
        let broken = check::plan(&self.attributes, config, prior, planned, &Path::root());
        held(broken, "is planned otherwise than configured")
    }

    /// The plan that core asks for again when it applies: what the first one knew is so in the second one too.
    ///
    /// # Errors
    /// The rule that is broken first.
    pub fn second_plan(&self, first: &Value, second: &Value) -> Result<(), Violation> {
        held(check::outcome(&self.kind, first, second, &Path::root()), "is planned otherwise than before")
    }

    /// A create or an update: something exists, is wholly known, and as planned wherever the plan knew it.
    ///
    /// # Errors
    /// The rule that is broken first.
    pub fn changed(&self, prior: &Value, planned: &Value, new: &Value) -> Result<(), Violation> {
        self.stored(new)?;
        held(check::outcome(&self.kind, planned, new, &Path::root()), "is not what was planned")?;
        self.same_object(prior, new)
    }

    /// A read of what is stored: wholly known, and still the same object.
    ///
    /// # Errors
    /// The rule that is broken first.
    pub fn read(&self, stored: &Value, found: &Value) -> Result<(), Violation> {
        self.stored(found)?;
        self.same_object(stored, found)
    }

    /// Whatever core stores: wholly known, and without write-only values.
    ///
    /// # Errors
    /// The rule that is broken first.
    pub fn stored(&self, value: &Value) -> Result<(), Violation> {
        held(check::unknown(&self.kind, value, &Path::root()), "is still unknown")?;
        self.without_write_only(value)
    }

    /// An answer without write-only values.
    ///
    /// # Errors
    /// When there is one.
    pub fn without_write_only(&self, value: &Value) -> Result<(), Violation> {
        let mut first = None;
        if self.write_only {
            each_write_only(&self.kind, value, &Path::root(), &mut |at| {
                first.get_or_insert(at);
            });
        }
        held(first, "is write-only, and in an answer")
    }

    /// What is changed in place stays the same object.
    fn same_object(&self, old: &Value, new: &Value) -> Result<(), Violation> {
        let changed = match (&self.identity, old, new) {
            (Some(identity), old, new) if !old.is_null() && !new.is_null() => identity.changed(old, new),
            _ => None,
        };
        held(changed, "is part of the identity, and may not be another one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::{Declared, computed, optional, required};

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    fn oracle() -> Oracle {
        let text = |name: &'static str, rules: Declared<String>| Attribute {
            name,
            doc: String::new(),
            kind: Kind::String,
            rules: rules.rules(),
        };
        Oracle::new(&[
            text("name", required().replaces().identifies()),
            text("id", computed()),
            text("token", optional().write_only()),
        ])
    }

    fn thing(name: &str, id: Value, token: Value) -> Value {
        map([("name", name.into()), ("id", id), ("token", token)])
    }

    fn said(outcome: Result<(), Violation>) -> String {
        outcome.unwrap_err().what
    }

    #[test]
    fn every_broken_rule_is_named_with_its_place() {
        let oracle = oracle();
        let config = thing("a", Value::Null, "t".into());
        let planned = thing("a", Value::Unknown, Value::Null);
        let made = thing("a", "1".into(), Value::Null);
        assert_eq!(oracle.plan(&config, &Value::Null, &planned), Ok(()));
        assert_eq!(oracle.changed(&Value::Null, &planned, &made), Ok(()));
        assert_eq!(oracle.read(&made, &Value::Null), Ok(()));
        let leaked = thing("a", "1".into(), "t".into());
        assert_eq!(said(oracle.plan(&config, &Value::Null, &leaked)), "`token` is planned otherwise than configured.");
        assert_eq!(said(oracle.read(&made, &leaked)), "`token` is write-only, and in an answer.");
        assert_eq!(said(oracle.changed(&Value::Null, &planned, &planned)), "`id` is still unknown.");
        let other = thing("b", "1".into(), Value::Null);
        assert_eq!(said(oracle.changed(&Value::Null, &planned, &other)), "`name` is not what was planned.");
        assert_eq!(said(oracle.read(&made, &other)), "`name` is part of the identity, and may not be another one.");
        assert_eq!(said(oracle.second_plan(&made, &other)), "`name` is planned otherwise than before.");
    }
}
