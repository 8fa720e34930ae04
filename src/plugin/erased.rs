//! Resources without their types, as the server holds them: values in, values out.

use super::context::Context;
use super::diagnostic::{Diagnostic, Diagnostics, REPORT};
use super::model::{Mismatch, Object, Typed, doc};
use super::operations::{Create, Delete, Done, Failed, Limits, Plan, Private, Update};
use super::resource::Resource;
use super::schema::Schema;
use super::stored::Stored;
use super::value::Value;
use futures::FutureExt;
use futures::future::BoxFuture;

/// A [`Resource`] without its types.
pub trait AnyResource<C>: Send + Sync {
    /// See [`Resource::NAME`].
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> Schema;
    /// See [`Resource::limits`].
    fn limits(&self) -> Limits;
    /// See [`Resource::validate`].
    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics);
    /// See [`Resource::plan`]; what stops the plan is in it.
    fn plan<'a>(&'a self, cx: &'a Context<'a, C>, plan: Plan<Value>) -> BoxFuture<'a, Plan<Value>>;
    /// See [`Resource::plan_delete`].
    fn plan_delete<'a>(&'a self, cx: &'a Context<'a, C>, going: Delete<Value>)
    -> BoxFuture<'a, Result<Diagnostics, Diagnostics>>;
    /// See [`Resource::create`].
    fn create<'a>(&'a self, cx: &'a Context<'a, C>, create: Create<Value>) -> BoxFuture<'a, Outcome>;
    /// See [`Resource::read`].
    fn read<'a>(&'a self, cx: &'a Context<'a, C>, state: Value, private: Private) -> BoxFuture<'a, Found>;
    /// See [`Resource::update`].
    fn update<'a>(&'a self, cx: &'a Context<'a, C>, update: Update<Value>) -> BoxFuture<'a, Outcome>;
    /// See [`Resource::delete`].
    fn delete<'a>(&'a self, cx: &'a Context<'a, C>, delete: Delete<Value>) -> BoxFuture<'a, Result<Diagnostics, Failed<Value>>>;
    /// See [`Resource::import`].
    fn import<'a>(&'a self, cx: &'a Context<'a, C>, named: Value) -> BoxFuture<'a, Found>;
    /// See [`Resource::upgrade`].
    ///
    /// # Errors
    /// When it cannot be brought to this shape.
    fn upgrade(&self, stored: &Stored<'_>) -> Result<Value, Diagnostic>;
    /// See [`Resource::take_over`].
    ///
    /// # Errors
    /// Why this one cannot become one of this type.
    fn take_over(&self, stored: &Stored<'_>) -> Found;
}

/// How a create or an update ended.
pub type Outcome = Result<Done<Value>, Failed<Value>>;

/// What was found, if anything was.
pub type Found = Result<Option<Done<Value>>, Diagnostics>;

/// A fault of core or of ours, never of the user.
fn mismatch(error: &Mismatch) -> Diagnostic {
    Diagnostic::error("A value does not fit the schema", format!("{error}.")).hint(REPORT).at(error.at.clone())
}

/// Null stands for "nothing there": the type's default, every attribute of which is null.
pub(super) fn decode<M: Object>(value: &Value) -> Result<M, Diagnostic> {
    match value {
        Value::Null => Ok(M::default()),
        value => M::decode(value).map_err(|e| mismatch(&e)),
    }
}

/// The schema of a model.
pub(super) fn described<M: Object>(version: i64) -> Schema {
    Schema { version, doc: doc(M::DOC), attributes: M::attributes() }
}

impl<M: Object> Done<M> {
    pub(super) fn encode(self) -> Done<Value> {
        Done { state: self.state.encode(), private: self.private, said: self.said }
    }
}

impl<M: Object> Failed<M> {
    fn encode(self) -> Failed<Value> {
        let left = self.left.map(|left| Box::new((left.0.encode(), left.1)));
        Failed { said: self.said, left }
    }
}

/// A success with an error among its words is none.
fn outcome<M: Object>(outcome: Result<Done<M>, Failed<M>>) -> Outcome {
    match outcome.and_then(Done::or_failed) {
        Ok(done) => Ok(done.encode()),
        Err(failed) => Err(failed.encode()),
    }
}

fn found<M: Object>(found: Result<Option<Done<M>>, Diagnostics>) -> Found {
    match found?.map(Done::or_failed).transpose() {
        Ok(done) => Ok(done.map(Done::encode)),
        Err(failed) => Err(failed.said),
    }
}

impl<R: Resource> AnyResource<R::Client> for R {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn schema(&self) -> Schema {
        described::<R::Model>(R::VERSION)
    }

    fn limits(&self) -> Limits {
        Resource::limits(self)
    }

    fn validate(&self, config: &Value, diagnostics: &mut Diagnostics) {
        match decode(config) {
            Ok(config) => Resource::validate(self, &config, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn plan<'a>(&'a self, cx: &'a Context<'a, R::Client>, mut plan: Plan<Value>) -> BoxFuture<'a, Plan<Value>> {
        async move {
            if let Err(why) = planned(self, cx, &mut plan).await {
                plan.diagnostics.extend(why);
            }
            plan
        }
        .boxed()
    }

    fn plan_delete<'a>(
        &'a self,
        cx: &'a Context<'a, R::Client>,
        going: Delete<Value>,
    ) -> BoxFuture<'a, Result<Diagnostics, Diagnostics>> {
        async move {
            let going = Delete { prior: decode(&going.prior)?, private: going.private };
            Resource::plan_delete(self, cx, &going).await
        }
        .boxed()
    }

    fn create<'a>(&'a self, cx: &'a Context<'a, R::Client>, create: Create<Value>) -> BoxFuture<'a, Outcome> {
        async move {
            let Create { config, planned, private } = create;
            let create = Create { config: decode(&config)?, planned: decode(&planned)?, private };
            let made = Resource::create(self, cx, create).await;
            cx.end().await;
            outcome(made)
        }
        .boxed()
    }

    fn read<'a>(&'a self, cx: &'a Context<'a, R::Client>, state: Value, private: Private) -> BoxFuture<'a, Found> {
        async move { found(Resource::read(self, cx, decode(&state)?, private).await) }.boxed()
    }

    fn update<'a>(&'a self, cx: &'a Context<'a, R::Client>, update: Update<Value>) -> BoxFuture<'a, Outcome> {
        async move {
            let Update { config, prior, planned, private } = update;
            let update = Update { config: decode(&config)?, prior: decode(&prior)?, planned: decode(&planned)?, private };
            let changed = Resource::update(self, cx, update).await;
            cx.end().await;
            outcome(changed)
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        cx: &'a Context<'a, R::Client>,
        delete: Delete<Value>,
    ) -> BoxFuture<'a, Result<Diagnostics, Failed<Value>>> {
        async move {
            let delete = Delete { prior: decode(&delete.prior)?, private: delete.private };
            let deleted = Resource::delete(self, cx, delete).await;
            cx.end().await;
            deleted.map_err(Failed::encode)
        }
        .boxed()
    }

    fn import<'a>(&'a self, cx: &'a Context<'a, R::Client>, named: Value) -> BoxFuture<'a, Found> {
        async move { found(Resource::import(self, cx, decode(&named)?).await) }.boxed()
    }

    fn upgrade(&self, stored: &Stored<'_>) -> Result<Value, Diagnostic> {
        Resource::upgrade(self, stored).map(|model| model.encode())
    }

    fn take_over(&self, stored: &Stored<'_>) -> Found {
        found(Resource::take_over(self, stored))
    }
}

async fn planned<R: Resource>(resource: &R, cx: &Context<'_, R::Client>, plan: &mut Plan<Value>) -> Result<(), Diagnostics> {
    let mut typed: Plan<R::Model> = Plan {
        config: decode(&plan.config)?,
        prior: plan.prior.as_ref().map(decode).transpose()?,
        planned: decode(&plan.planned)?,
        replace: plan.replace.clone(),
        private: plan.private.clone(),
        diagnostics: Diagnostics::new(),
    };
    let ended = Resource::plan(resource, cx, &mut typed).await;
    plan.planned = typed.planned.encode();
    plan.replace = typed.replace;
    plan.private = typed.private;
    plan.diagnostics.extend(typed.diagnostics);
    ended
}
