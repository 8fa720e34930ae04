//! One type of resource, with what its answers are held against before core sees them. Pure.

use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::erased::{AnyResource, Outcome};
use super::super::operations::{Done, Failed, Private};
use super::super::oracle::{Oracle, Violation};
use super::super::path::Path;
use super::super::planner::{self, check};
use super::super::proto::tfplugin6::ResourceIdentityData;
use super::super::schema;
use super::super::value::Value;
use super::super::wire;
use super::shape::Shape;
use super::words::{bug, unreadable};

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

    /// What an identity names.
    pub(super) fn named(&self, data: &ResourceIdentityData) -> Result<Value, Diagnostic> {
        let Some(identity) = self.oracle.identity() else {
            let why = Diagnostic::error("The identity cannot be used", "This resource has no identity.");
            return Err(why.hint("import it by its `id`"));
        };
        let named = wire::decode(identity.kind(), data.identity_data.as_ref())
            .map_err(|e| Diagnostic::error("The identity cannot be used", format!("{e}.")))?;
        if let Some(missing) = identity.missing(&named) {
            return Err(Diagnostic::error("The identity is not whole", format!("It has to name `{missing}`.")));
        }
        self.fits(identity.complete(&named), "The identity cannot be used")
    }

    /// What an import id names: the parts of the identity, or the attribute `id` where there is none.
    pub(super) fn named_by_id(&self, id: &str) -> Result<Value, Diagnostic> {
        let Some(identity) = self.oracle.identity() else { return Ok(Value::Map([("id".to_owned(), id.into())].into())) };
        let form = || Diagnostic::error("Not an import id", format!("{id:?} is not of the form `{}`.", identity.import_form()));
        self.fits(identity.complete(&identity.parse(id).ok_or_else(form)?), "Not an import id")
    }

    /// What is named has to keep the rules of a configuration.
    fn fits(&self, named: Value, misfit: &str) -> Result<Value, Diagnostic> {
        let mut said = Diagnostics::new();
        let parts = self.oracle.identity().map_or(&[][..], |identity| identity.attributes());
        schema::validate(parts, &named, &Path::root(), &mut said);
        match said.into_iter().next() {
            Some(why) => Err(Diagnostic::error(misfit, format!("{:?}: {}", self.import_id(&named), why.detail))),
            None => Ok(named),
        }
    }

    /// What was looked for, as its import id.
    pub(super) fn import_id(&self, named: &Value) -> String {
        let id = || named.get("id").as_str().unwrap_or_default().to_owned();
        self.oracle.identity().map_or_else(id, |identity| identity.import_id(named))
    }

    /// What core may store of what was found where `stored` was: null if nothing was.
    pub(super) fn found(&self, stored: &Value, found: Value) -> Result<Value, Diagnostic> {
        if found.is_null() {
            return Ok(found);
        }
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

    /// What is kept of a create or an update: a successful one is held against its plan.
    pub(super) fn changed(&self, before: (Value, Private), planned: &Value, outcome: Outcome) -> (Value, Private, Diagnostics) {
        let Done { state, private, mut said } = match outcome {
            Ok(done) => done,
            Err(failed) => return self.left(before, planned, failed),
        };
        let own_work = self.own_work(&state);
        let state = self.storable(planned, state);
        let held = self.oracle.changed(&before.0, planned, &state).map_err(broken);
        let Err(fault) = held.and(own_work) else { return (state, private, said) };
        said.push(fault);
        (check::unknown_as_null(state), private, said)
    }

    /// What is kept of an operation that failed: what it says that exists, and at least what was there before.
    pub(super) fn left(
        &self,
        (prior, private): (Value, Private),
        planned: &Value,
        failed: Failed<Value>,
    ) -> (Value, Private, Diagnostics) {
        let Some((state, kept)) = failed.left.map(|left| *left) else { return (prior, private, failed.said) };
        let kept = if kept.is_empty() { private } else { kept };
        (check::unknown_as_null(self.storable(planned, state)), kept, failed.said)
    }
}
