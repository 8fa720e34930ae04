//! The life of a resource: read, plan, apply, import. Each call is decoded, guarded, checked and answered here; what
//! happens in between is the resource's.

use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::guard::{Cut, guarded};
use super::super::operations::{Create, Delete, Done, Plan, Private, Update};
use super::super::planner;
use super::super::proto::tfplugin6::{
    apply_resource_change as apply, import_resource_state as import, plan_resource_change as plan, read_resource as read,
};
use super::super::provider::Provider;
use super::super::timeouts::Operation;
use super::super::value::Value;
use super::super::wire::schema::{diagnostics as said, path};
use super::entry::{Entry, broken};
use super::{Server, caught, decode_private, encode_private};

impl<P: Provider> Server<P> {
    /// What exists now. A failed read leaves the state as it was.
    pub(super) async fn read(&self, request: read::Request) -> read::Response {
        let _running = self.running.read().await;
        match caught("read", self.try_read(&request)).await {
            Ok(response) => response,
            Err(diagnostics) => read::Response {
                new_state: request.current_state,
                new_identity: request.current_identity,
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
        let found = guarded(cx.deadline, entry.resource.read(&cx, stored.clone(), private))
            .await
            .map_err(|cut| cut.diagnostic("read"))??;
        let found = found.unwrap_or_else(|| Done::new(Value::Null));
        let state = entry.found(&stored, found.state)?;
        Ok(read::Response {
            new_identity: entry.identify(&state)?,
            new_state: Some(entry.shape.encode(&state)?),
            private: encode_private(&found.private),
            diagnostics: said(found.said),
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
                planned_identity: request.prior_identity,
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
            true => self.plan_delete(entry, prior, request).await,
            false => self.plan_change(entry, config, prior, &request.prior_private).await,
        }
    }

    async fn plan_delete(
        &self,
        entry: &Entry<P::Client>,
        prior: Value,
        request: &plan::Request,
    ) -> Result<plan::Response, Diagnostics> {
        let limit = Operation::Read.limit(&prior, &entry.resource.limits())?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let going = Delete { prior, private: decode_private(&request.prior_private)? };
        let diagnostics =
            guarded(cx.deadline, entry.resource.plan_delete(&cx, going)).await.map_err(|cut| cut.diagnostic("plan"))??;
        Ok(plan::Response {
            planned_state: Some(entry.shape.encode(&Value::Null)?),
            planned_private: request.prior_private.clone(),
            planned_identity: request.prior_identity.clone(),
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
        entry.oracle.plan(&config, &prior, &done.planned).map_err(broken)?;
        let mut replace = planner::replace::paths(attributes, &config, &prior, &done.planned);
        if !prior.is_null() {
            replace.extend(done.replace);
        }
        replace.sort();
        replace.dedup();
        Ok(plan::Response {
            planned_state: Some(entry.shape.encode(&done.planned)?),
            planned_identity: entry.identify(&done.planned)?,
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
                new_identity: request.planned_identity,
                private: request.planned_private,
                diagnostics: said(diagnostics),
                ..Default::default()
            },
        }
    }

    async fn try_apply(&self, request: &apply::Request) -> Result<apply::Response, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let config = entry.shape.decode(request.config.as_ref())?;
        let prior = entry.shape.decode(request.prior_state.as_ref())?;
        let planned = entry.shape.decode(request.planned_state.as_ref())?;
        let private = decode_private(&request.planned_private)?;
        let (operation, settings) = match (&prior, &planned) {
            (Value::Null, planned) => (Operation::Create, planned),
            (prior, Value::Null) => (Operation::Delete, prior),
            (_, planned) => (Operation::Update, planned),
        };
        let limit = operation.limit(settings, &entry.resource.limits())?;
        tracing::info!(resource = request.type_name, operation = operation.name(), limit_seconds = limit.as_secs(), "apply");
        let client = self.client();
        let cx = self.context(&client, limit);
        let before = (prior.clone(), private.clone());
        let cut = |cut: Cut| cut.diagnostic(operation.name());
        let (state, private, diagnostics) = match operation {
            Operation::Create => {
                let create = Create { config, planned: planned.clone(), private };
                let made = guarded(cx.deadline, entry.resource.create(&cx, create)).await.map_err(cut)?;
                entry.changed(before, &planned, made)
            }
            Operation::Update | Operation::Read => {
                let update = Update { config, prior, planned: planned.clone(), private };
                let changed = guarded(cx.deadline, entry.resource.update(&cx, update)).await.map_err(cut)?;
                entry.changed(before, &planned, changed)
            }
            Operation::Delete => {
                let delete = Delete { prior, private };
                match guarded(cx.deadline, entry.resource.delete(&cx, delete)).await.map_err(cut)? {
                    Ok(said) => (Value::Null, Private::new(), said),
                    Err(failed) => entry.left(before, &Value::Null, failed),
                }
            }
        };
        Ok(apply::Response {
            new_identity: entry.identify(&state)?,
            new_state: Some(entry.shape.encode(&state)?),
            private: encode_private(&private),
            diagnostics: said(diagnostics),
            ..Default::default()
        })
    }

    /// Takes what exists under an id, or under an identity, into the state.
    pub(super) async fn import(&self, request: import::Request) -> import::Response {
        let _running = self.running.read().await;
        match caught("import", self.try_import(request)).await {
            Ok(response) => response,
            Err(diagnostics) => import::Response { diagnostics: said(diagnostics), ..Default::default() },
        }
    }

    async fn try_import(&self, request: import::Request) -> Result<import::Response, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let named = match &request.identity {
            Some(identity) => entry.named(identity)?,
            None => entry.named_by_id(&request.id)?,
        };
        let limit = Operation::Read.limit(&Value::Null, &entry.resource.limits())?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let found = guarded(cx.deadline, entry.resource.import(&cx, entry.shape.object(&named)))
            .await
            .map_err(|cut| cut.diagnostic("import"))??;
        let Some(Done { state, private, said: diagnostics }) = found else {
            let (what, id) = (&request.type_name, entry.import_id(&named));
            return Err(Diagnostic::error("Nothing to import", format!("There is no `{what}` with the id {id:?}.")).into());
        };
        let state = entry.found(&named, state)?;
        let imported = import::ImportedResource {
            identity: entry.identify(&state)?,
            state: Some(entry.shape.encode(&state)?),
            type_name: request.type_name,
            private: encode_private(&private),
        };
        Ok(import::Response { imported_resources: vec![imported], diagnostics: said(diagnostics), ..Default::default() })
    }
}
