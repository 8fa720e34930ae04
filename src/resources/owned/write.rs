//! Brings the live objects to the wanted ones: look at all, then apply what differs, in order. Network; the decisions are
//! `converge.rs`'s and `shown.rs`'s.

use super::converge::{Live, Step, changed, next};
use super::delete::delete_this;
use super::shown::Shown;
use crate::diagnostics;
use crate::kubernetes::Kubernetes;
use crate::kubernetes::client::{Apply, FIELD_MANAGER};
use crate::kubernetes::failure::{Class, Failure, FieldConflict};
use crate::kubernetes::object::{Key, Kind, Object, at};
use crate::plugin::context::{Context, Halt};
use crate::plugin::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::Stack;
use serde_json::Value;
use std::collections::BTreeSet;

/// Why an operation stopped before everything was applied.
pub enum Stop {
    /// It had to.
    Halted(Halt),
    /// Something is in the way.
    Failed(Diagnostics),
}

impl Stop {
    /// Why, in words. `halted`: what a halt means here.
    pub fn words(self, halted: impl FnOnce(Halt) -> Diagnostic) -> Diagnostics {
        match self {
            Self::Halted(halt) => halted(halt).into(),
            Self::Failed(why) => why,
        }
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

/// What writes the objects of one resource.
pub struct Writer<'a> {
    cx: &'a Context<'a, Stack>,
    kubernetes: &'a Kubernetes,
    /// The resource's type without the provider's name.
    resource: &'static str,
    /// Fields that may be taken over from whoever has them.
    pub shown: Shown,
    /// Objects that are wanted otherwise than they were last applied.
    pub changed: BTreeSet<Key>,
    /// What is there. One that somebody changes on the way counts as it was written.
    pub live: Live,
    /// The same as the server shows it.
    pub seen: Live,
    /// What there is to say.
    pub said: Diagnostics,
}

impl<'a> Writer<'a> {
    /// A writer of the objects of a `kafkastack_<resource>`.
    pub fn new(cx: &'a Context<'a, Stack>, stack: &'a Stack, resource: &'static str, shown: Shown) -> Self {
        let (changed, live, seen) = (BTreeSet::new(), Live::new(), Live::new());
        Self { cx, kubernetes: &stack.kubernetes, resource, shown, changed, live, seen, said: Diagnostics::new() }
    }

    /// Notes what is wanted otherwise than it was last applied. `planned`: the plan showed that.
    pub fn changes(&mut self, before: &[Object], wanted: &[Object], planned: bool) {
        self.changed = changed(before, wanted);
        if planned {
            self.shown.add(before, wanted);
        }
    }

    /// Looks at every object, before anything is owned or written.
    ///
    /// # Errors
    /// When one of that name is somebody else's, or Kubernetes does not say.
    pub async fn look(&mut self, wanted: &[Object]) -> Result<(), Stop> {
        while let Step::Look(object) = next(wanted, &self.live, false, &self.changed) {
            self.cx.go_on()?;
            let found = self.kubernetes.get(&object.key()).await?;
            self.live.insert(object.key(), found);
        }
        match next(wanted, &self.live, false, &self.changed) {
            Step::Refuse(key) => Err(diagnostics::name_taken(&key, self.resource).into()),
            _ => Ok(()),
        }
    }

    /// Applies what differs, in order. The anchor has to be ours by now.
    ///
    /// # Errors
    /// Where it stopped; run again, it goes on.
    pub async fn write(&mut self, wanted: &[Object]) -> Result<(), Stop> {
        let mut written = BTreeSet::new();
        self.live.clear();
        self.seen.clear();
        loop {
            self.cx.go_on()?;
            match next(wanted, &self.live, true, &self.changed) {
                Step::Look(object) => {
                    let found = self.kubernetes.get(&object.key()).await?;
                    self.see(object.key(), found);
                }
                Step::Apply(object, fields) if written.contains(&object.key()) => {
                    // A webhook of the cluster has other ideas: said, and not fought over.
                    self.said.push(diagnostics::changed_on_the_way(&object.key(), &fields));
                    self.live.insert(object.key(), Some(object.clone()));
                }
                Step::Apply(object, fields) => {
                    let applied = self.apply(object).await?;
                    self.cx.say(&what_was_applied(object, &fields));
                    self.changed.remove(&object.key());
                    written.insert(object.key());
                    self.see(object.key(), Some(applied));
                }
                Step::Refuse(key) => return Err(diagnostics::name_taken(&key, self.resource).into()),
                Step::Done => return Ok(()),
            }
        }
    }

    fn see(&mut self, key: Key, found: Option<Object>) {
        self.seen.insert(key.clone(), found.clone());
        self.live.insert(key, found);
    }

    /// Fields of others are taken over only where the plan showed them.
    async fn apply(&self, object: &Object) -> Result<Object, Stop> {
        self.make_room(object).await?;
        let applied = self.kubernetes.apply(object, Apply::default()).await;
        let Err(Failure { class: Class::Conflict(conflicts), .. }) = &applied else { return Ok(applied?) };
        // What we wrote as a whole is ours, too.
        let may = |conflict: &FieldConflict| conflict.manager == FIELD_MANAGER || self.shown.has(object, &conflict.field);
        if !conflicts.iter().all(may) {
            return Ok(applied?);
        }
        Ok(self.kubernetes.apply(object, Apply { force: true, ..Apply::default() }).await?)
    }

    /// What stands in the way of an apply. What is immutable, and was made anew by a hand with another content, cannot become as it
    /// was. A Service's port to which a hand gave another number is another entry to the server, and has the name of ours.
    async fn make_room(&self, object: &Object) -> Result<(), Stop> {
        let Some(live) = self.live.get(&object.key()).and_then(Option::as_ref) else { return Ok(()) };
        if *live.at("/immutable") == true && live.at("/data") != object.at("/data") {
            delete_this(self.kubernetes, live).await?;
        }
        if object.kind() == Kind::Service && self.shown.has(object, PORTS) && has_foreign_port(live, object) {
            let mut whole = live.clone();
            if let Some(ports) = whole.json_mut().pointer_mut("/spec/ports") {
                *ports = object.at("/spec/ports").clone();
            }
            self.kubernetes.replace(&whole).await?;
        }
        Ok(())
    }
}

const PORTS: &str = ".spec.ports";

/// Whether a port of a live Service has the name of a wanted one, and another number or protocol.
fn has_foreign_port(live: &Object, wanted: &Object) -> bool {
    let twin = |port: &Value, field: &str, other: &Value| at(port, field) == at(other, field);
    let same = |port: &Value, other: &Value| twin(port, "/port", other) && twin(port, "/protocol", other);
    let wanted = wanted.list("/spec/ports");
    let foreign =
        |port: &Value| wanted.iter().any(|other| twin(port, "/name", other)) && !wanted.iter().any(|other| same(port, other));
    live.list("/spec/ports").iter().any(foreign)
}

/// How many fields of an object are named in a line.
const MOST: usize = 3;

fn what_was_applied(object: &Object, fields: &[String]) -> String {
    let colon = if fields.is_empty() { "" } else { ": " };
    let named = fields.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    let more = match fields.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("applied {} {}{colon}{named}{more}", object.kind(), object.name())
}
