//! One type of resource, with what its answers are held against before core sees them. Pure.

use super::super::diagnostic::Diagnostic;
use super::super::identity::Identity;
use super::super::path::Path;
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
    pub(super) identity: Option<Identity>,
}

impl<C> Entry<C> {
    pub(super) fn new(resource: Box<dyn AnyResource<C>>) -> Self {
        let shape = Shape::new(resource.schema());
        Self { identity: Identity::of(shape.attributes()), shape, resource }
    }

    /// The identity of what is in `state`, for core; none where there is nothing, or where a plan does not know it yet.
    pub(super) fn identify(&self, state: &Value) -> Result<Option<ResourceIdentityData>, Diagnostic> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let value = identity.value(state);
        if value.is_null() || !value.is_wholly_known() {
            return Ok(None);
        }
        let data = wire::encode(identity.kind(), &value).map_err(|e| unreadable(&e.to_string(), e.path()))?;
        Ok(Some(ResourceIdentityData { identity_data: Some(data) }))
    }

    /// The import id of the object that an identity names.
    pub(super) fn import_id(&self, data: &ResourceIdentityData) -> Result<String, Diagnostic> {
        let Some(identity) = &self.identity else {
            let why = "This resource has no identity.\nhint: import it by its `id`";
            return Err(Diagnostic::error("The identity cannot be used", why));
        };
        let named = wire::decode(identity.kind(), data.identity_data.as_ref())
            .map_err(|e| Diagnostic::error("The identity cannot be used", format!("{e}.")))?;
        if let Some(missing) = identity.missing(&named) {
            return Err(Diagnostic::error("The identity is not whole", format!("It has to name `{missing}`.")));
        }
        Ok(identity.import_id(&identity.complete(&named)))
    }

    /// An object stays the one that it is, for as long as it is not replaced.
    pub(super) fn is_still(&self, old: &Value, new: &Value) -> Result<(), Diagnostic> {
        let changed = match (&self.identity, old, new) {
            (None, ..) | (_, Value::Null, _) | (.., Value::Null) => None,
            (Some(identity), old, new) => identity.changed(old, new),
        };
        match changed {
            Some(at) => Err(bug(format!("`{at}` is part of the identity, and another one than before."), at)),
            None => Ok(()),
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
        let state = state.map(|new| planner::settle(self.shape.attributes(), planned, new));
        if diagnostics.has_errors() {
            let state = state.map(check::unknown_as_null).unwrap_or(prior);
            let private = if kept.is_empty() { private } else { kept };
            return Reply { state: Some(state), private, diagnostics };
        }
        let Err(fault) = self.is_as_planned(operation, &prior, planned, state.as_ref()) else {
            return Reply { state, private: kept, diagnostics };
        };
        diagnostics.push(fault);
        Reply { state: Some(state.map(check::unknown_as_null).unwrap_or(prior)), private: kept, diagnostics }
    }

    fn is_as_planned(&self, operation: Operation, prior: &Value, planned: &Value, new: Option<&Value>) -> Result<(), Diagnostic> {
        let fault = |what: String| Err(bug(what, Path::root()));
        match (operation, new) {
            (Operation::Delete, None) => Ok(()),
            (Operation::Delete, Some(_)) => fault("The delete succeeded, but the resource still exists.".to_owned()),
            (_, None) => fault(format!("The {} succeeded, but nothing exists.", operation.name())),
            (_, Some(new)) => {
                self.shape.wholly_known(new)?;
                if let Some(at) = check::outcome(&self.shape.kind, planned, new, &Path::root()) {
                    return Err(bug(format!("`{at}` is not what was planned."), at));
                }
                self.is_still(prior, new)
            }
        }
    }
}
