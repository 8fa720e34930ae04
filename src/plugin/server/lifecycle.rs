//! The life of a resource: read, plan, apply, import. Each call is decoded, guarded, checked and answered here; what
//! happens in between is the resource's.

use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::operation::{self, guarded};
use super::super::path::Path;
use super::super::planner::{self, check};
use super::super::proto::tfplugin6::{
    DynamicValue, apply_resource_change as apply, import_resource_state as import, plan_resource_change as plan,
    read_resource as read,
};
use super::super::resource::{Change, Plan, Private, Provider, Reply};
use super::super::timeouts::Operation;
use super::super::value::Value;
use super::super::wire::schema::{diagnostics as said, path};
use super::{Entry, Server, bug, decode_private, encode_private};

/// The outcome of a call, or that it panicked.
async fn caught<T>(name: &str, call: impl Future<Output = Result<T, Diagnostics>>) -> Result<T, Diagnostics> {
    operation::caught(call).await.map_err(|cut| cut.diagnostic(name))?
}

impl<P: Provider> Server<P> {
    /// What exists now. A failed read leaves the state as it was.
    pub(super) async fn read(&self, request: read::Request) -> read::Response {
        let _running = self.running.read().await;
        match caught("read", self.try_read(&request)).await {
            Ok(response) => response,
            Err(diagnostics) => read::Response {
                new_state: request.current_state,
                private: request.private,
                diagnostics: said(diagnostics),
                ..Default::default()
            },
        }
    }

    async fn try_read(&self, request: &read::Request) -> Result<read::Response, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let stored = entry.shape.decode(request.current_state.as_ref())?;
        let private = decode_private(&request.private)?;
        let limit = Operation::Read.limit(&stored, &entry.resource.limits())?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let reply = guarded(cx.deadline, entry.resource.read(&cx, stored.clone(), private))
            .await
            .map_err(|cut| cut.diagnostic("read"))?;
        if reply.diagnostics.has_errors() {
            return Err(reply.diagnostics);
        }
        let found = reply.state.map_or(Value::Null, |found| planner::settle(entry.shape.attributes(), &stored, found));
        entry.shape.wholly_known(&found)?;
        Ok(read::Response {
            new_state: Some(entry.shape.encode(&found)?),
            private: encode_private(&reply.private),
            diagnostics: said(reply.diagnostics),
            ..Default::default()
        })
    }

    /// What would change.
    pub(super) async fn plan(&self, request: plan::Request) -> plan::Response {
        let _running = self.running.read().await;
        match caught("plan", self.try_plan(&request)).await {
            Ok(response) => response,
            Err(diagnostics) => plan::Response {
                planned_state: request.prior_state,
                planned_private: request.prior_private,
                diagnostics: said(diagnostics),
                ..Default::default()
            },
        }
    }

    async fn try_plan(&self, request: &plan::Request) -> Result<plan::Response, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let prior = entry.shape.decode(request.prior_state.as_ref())?;
        let proposed = entry.shape.decode(request.proposed_new_state.as_ref())?;
        let config = entry.shape.decode(request.config.as_ref())?;
        // What an apply would refuse is refused before anyone approves it.
        for operation in [Operation::Create, Operation::Update, Operation::Delete] {
            operation.limit(&config, &entry.resource.limits())?;
        }
        match proposed.is_null() {
            true => self.plan_delete(entry, prior, &request.prior_private).await,
            false => self.plan_change(entry, config, prior, &request.prior_private).await,
        }
    }

    async fn plan_delete(&self, entry: &Entry<P::Client>, prior: Value, private: &[u8]) -> Result<plan::Response, Diagnostics> {
        let limit = Operation::Read.limit(&prior, &entry.resource.limits())?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let diagnostics =
            guarded(cx.deadline, entry.resource.plan_delete(&cx, prior)).await.map_err(|cut| cut.diagnostic("plan"))?;
        Ok(plan::Response {
            planned_state: Some(entry.shape.encode(&Value::Null)?),
            planned_private: private.to_vec(),
            diagnostics: said(diagnostics),
            ..Default::default()
        })
    }

    async fn plan_change(
        &self,
        entry: &Entry<P::Client>,
        config: Value,
        prior: Value,
        private: &[u8],
    ) -> Result<plan::Response, Diagnostics> {
        let attributes = entry.shape.attributes();
        let limit = Operation::Read.limit(&config, &entry.resource.limits())?;
        let start = Plan {
            planned: planner::draft(attributes, &config, &prior),
            config: config.clone(),
            prior: (!prior.is_null()).then(|| prior.clone()),
            replace: Vec::new(),
            private: decode_private(private)?,
            diagnostics: Diagnostics::new(),
        };
        let client = self.client();
        let cx = self.context(&client, limit);
        let done = guarded(cx.deadline, entry.resource.plan(&cx, start)).await.map_err(|cut| cut.diagnostic("plan"))?;
        if done.diagnostics.has_errors() {
            return Err(done.diagnostics);
        }
        if let Some(at) = check::plan(attributes, &config, &prior, &done.planned, &Path::root()) {
            return Err(bug(format!("`{at}` is planned otherwise than configured."), at).into());
        }
        let mut replace = planner::replace::paths(attributes, &config, &prior, &done.planned);
        if !prior.is_null() {
            replace.extend(done.replace);
        }
        replace.sort();
        replace.dedup();
        Ok(plan::Response {
            planned_state: Some(entry.shape.encode(&done.planned)?),
            requires_replace: replace.iter().map(path).collect(),
            planned_private: encode_private(&done.private),
            diagnostics: said(done.diagnostics),
            ..Default::default()
        })
    }

    /// Makes the approved change.
    pub(super) async fn apply(&self, request: apply::Request) -> apply::Response {
        let _running = self.running.read().await;
        match caught("apply", self.try_apply(&request)).await {
            Ok(response) => response,
            // Nothing is known to have changed: an error with the prior state keeps it.
            Err(diagnostics) => apply::Response {
                new_state: request.prior_state,
                private: request.planned_private,
                diagnostics: said(diagnostics),
                ..Default::default()
            },
        }
    }

    async fn try_apply(&self, request: &apply::Request) -> Result<apply::Response, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let change = Change {
            config: entry.shape.decode(request.config.as_ref())?,
            prior: entry.shape.decode(request.prior_state.as_ref())?,
            planned: entry.shape.decode(request.planned_state.as_ref())?,
            private: decode_private(&request.planned_private)?,
        };
        let (operation, settings) = match (&change.prior, &change.planned) {
            (Value::Null, planned) => (Operation::Create, planned),
            (prior, Value::Null) => (Operation::Delete, prior),
            (_, planned) => (Operation::Update, planned),
        };
        let limit = operation.limit(settings, &entry.resource.limits())?;
        tracing::info!(resource = request.type_name, operation = operation.name(), limit_seconds = limit.as_secs(), "apply");
        let (prior, planned, private) = (change.prior.clone(), change.planned.clone(), change.private.clone());
        let client = self.client();
        let cx = self.context(&client, limit);
        let call = match operation {
            Operation::Create => entry.resource.create(&cx, change),
            Operation::Delete => entry.resource.delete(&cx, change),
            Operation::Update | Operation::Read => entry.resource.update(&cx, change),
        };
        let reply = guarded(cx.deadline, call).await.map_err(|cut| cut.diagnostic(operation.name()))?;
        let outcome = entry.outcome(operation, prior, &planned, private, reply);
        Ok(apply::Response {
            new_state: Some(entry.shape.encode(&outcome.state.unwrap_or(Value::Null))?),
            private: encode_private(&outcome.private),
            diagnostics: said(outcome.diagnostics),
            ..Default::default()
        })
    }

    /// Takes what exists under an id into the state.
    pub(super) async fn import(&self, request: import::Request) -> import::Response {
        let _running = self.running.read().await;
        match caught("import", self.try_import(&request)).await {
            Ok((state, private, diagnostics)) => import::Response {
                imported_resources: vec![import::ImportedResource {
                    type_name: request.type_name,
                    state: Some(state),
                    private: encode_private(&private),
                    ..Default::default()
                }],
                diagnostics: said(diagnostics),
                ..Default::default()
            },
            Err(diagnostics) => import::Response { diagnostics: said(diagnostics), ..Default::default() },
        }
    }

    async fn try_import(&self, request: &import::Request) -> Result<(DynamicValue, Private, Diagnostics), Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let limit = Operation::Read.limit(&Value::Null, &entry.resource.limits())?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let reply =
            guarded(cx.deadline, entry.resource.import(&cx, request.id.clone())).await.map_err(|cut| cut.diagnostic("import"))?;
        if reply.diagnostics.has_errors() {
            return Err(reply.diagnostics);
        }
        let Some(state) = reply.state else {
            let (what, id) = (&request.type_name, &request.id);
            return Err(Diagnostic::error("Nothing to import", format!("There is no `{what}` with the id {id:?}.")).into());
        };
        entry.shape.wholly_known(&state)?;
        Ok((entry.shape.encode(&state)?, reply.private, reply.diagnostics))
    }
}

impl<C> Entry<C> {
    /// What is kept of an applied change. A failed one keeps what the resource says that exists, and at least what was
    /// there before; a successful one is held against its plan.
    fn outcome(
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
        let fault = match (operation, &state) {
            (Operation::Delete, None) => None,
            (Operation::Delete, Some(_)) => {
                Some(bug("The delete succeeded, but the resource still exists.".to_owned(), Path::root()))
            }
            (_, None) => Some(bug(format!("The {} succeeded, but nothing exists.", operation.name()), Path::root())),
            (_, Some(new)) => self.shape.wholly_known(new).err().or_else(|| {
                let at = check::outcome(&self.shape.kind, planned, new, &Path::root())?;
                Some(bug(format!("`{at}` is not what was planned."), at))
            }),
        };
        let Some(fault) = fault else { return Reply { state, private: kept, diagnostics } };
        diagnostics.push(fault);
        Reply { state: Some(state.map(check::unknown_as_null).unwrap_or(prior)), private: kept, diagnostics }
    }
}
