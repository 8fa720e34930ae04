//! One type of resource, with what its answers are held against before core sees them. Pure.

use super::super::diagnostic::Diagnostic;
use super::super::oracle::{Oracle, Violation};
use super::super::planner::{self, check};
use super::super::proto::tfplugin6::ResourceIdentityData;
use super::super::resource::{AnyResource, Private, Reply};
use super::super::timeouts::Operation;
use super::super::value::Value;
use super::super::wire;
use super::shape::Shape;
use super::{bug, unreadable};

/// One type of resource.
pub(super) struct Entry<C> {
    pub(super) resource: Box<dyn AnyResource<C>>,
    pub(super) shape: Shape,
    pub(super) oracle: Oracle,
}

/// A broken rule is a fault of the resource's own code.
pub(super) fn broken(violation: Violation) -> Diagnostic {
    bug(violation.what, violation.at)
}

impl<C> Entry<C> {
    pub(super) fn new(resource: Box<dyn AnyResource<C>>) -> Self {
        let shape = Shape::new(resource.schema());
        Self { oracle: Oracle::new(shape.attributes()), shape, resource }
    }

    /// The identity of what is in `state`, for core; none where there is nothing, or where a plan does not know it yet.
    pub(super) fn identify(&self, state: &Value) -> Result<Option<ResourceIdentityData>, Diagnostic> {
        let Some(identity) = self.oracle.identity() else { return Ok(None) };
        let value = identity.value(state);
        if value.is_null() || !value.is_wholly_known() {
            return Ok(None);
        }
        let data = wire::encode(identity.kind(), &value).map_err(|e| unreadable(&e.to_string(), e.path()))?;
        Ok(Some(ResourceIdentityData { identity_data: Some(data) }))
    }

    /// What an identity names, and the import id of that.
    pub(super) fn named(&self, data: &ResourceIdentityData) -> Result<(Value, String), Diagnostic> {
        let Some(identity) = self.oracle.identity() else {
            let why = "This resource has no identity.\nhint: import it by its `id`";
            return Err(Diagnostic::error("The identity cannot be used", why));
        };
        let named = wire::decode(identity.kind(), data.identity_data.as_ref())
            .map_err(|e| Diagnostic::error("The identity cannot be used", format!("{e}.")))?;
        if let Some(missing) = identity.missing(&named) {
            return Err(Diagnostic::error("The identity is not whole", format!("It has to name `{missing}`.")));
        }
        let named = identity.complete(&named);
        let id = identity.import_id(&named);
        Ok((named, id))
    }

    /// What core may store of what was found where `stored` was: null if nothing was.
    pub(super) fn found(&self, stored: &Value, found: Option<Value>) -> Result<Value, Diagnostic> {
        let Some(found) = found else { return Ok(Value::Null) };
        self.own_work(&found)?;
        let found = self.storable(stored, found);
        self.oracle.read(stored, &found).map_err(broken)?;
        Ok(found)
    }

    /// A value as it is stored: in the spelling of `earlier` where both mean the same, and without what is write-only.
    fn storable(&self, earlier: &Value, value: Value) -> Value {
        self.shape.without_write_only(planner::settle(self.shape.attributes(), earlier, value))
    }

    /// What a resource has to see to itself, though core would not notice.
    fn own_work(&self, answer: &Value) -> Result<(), Diagnostic> {
        match cfg!(debug_assertions) {
            true => self.oracle.without_write_only(answer).map_err(broken),
            false => Ok(()),
        }
    }

    /// What is kept of an applied change. A failed one keeps what the resource says that exists, and at least what was
    /// there before; a successful one is held against its plan.
    pub(super) fn outcome(
        &self,
        operation: Operation,
        prior: Value,
        planned: &Value,
        private: Private,
        reply: Reply<Value>,
    ) -> Reply<Value> {
        let Reply { state, private: kept, mut diagnostics } = reply;
        let own_work = state.as_ref().map_or(Ok(()), |state| self.own_work(state));
        let state = state.map(|new| self.storable(planned, new));
        if diagnostics.has_errors() {
            let state = state.map(check::unknown_as_null).unwrap_or(prior);
            let private = if kept.is_empty() { private } else { kept };
            return Reply { state: Some(state), private, diagnostics };
        }
        let held = match operation {
            Operation::Delete => self.oracle.deleted(state.as_ref()),
            _ => self.oracle.changed(&prior, planned, state.as_ref()),
        };
        let Err(fault) = held.map_err(broken).and(own_work) else { return Reply { state, private: kept, diagnostics } };
        diagnostics.push(fault);
        Reply { state: Some(state.map(check::unknown_as_null).unwrap_or(prior)), private: kept, diagnostics }
    }
}
