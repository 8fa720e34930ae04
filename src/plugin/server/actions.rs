//! Actions: planned, and invoked with their progress told as it comes.

use super::super::context::Context;
use super::super::diagnostic::Diagnostics;
use super::super::guard::guarded;
use super::super::operations::Limits;
use super::super::planner;
use super::super::proto::tfplugin6::{DynamicValue, invoke_action as invoke, plan_action as plan};
use super::super::provider::Provider;
use super::super::value::Value;
use super::super::wire::schema::diagnostics as said;
use super::{Server, caught, find};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;

/// What is told while an action runs, and at its end.
pub(super) type Events = BoxStream<'static, Result<invoke::Event, Status>>;

fn event(of: invoke::event::Type) -> Result<invoke::Event, Status> {
    Ok(invoke::Event { r#type: Some(of) })
}

fn completed(diagnostics: Diagnostics) -> Result<invoke::Event, Status> {
    event(invoke::event::Type::Completed(invoke::event::Completed { diagnostics: said(diagnostics) }))
}

impl<P: Provider> Server<P> {
    pub(super) fn validate_action(&self, name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = find(&self.actions, "action", name)?;
        entry.shape.validate(config, |config, said| entry.it.validate(config, said))
    }

    /// Whether it could be done.
    pub(super) async fn plan_action(&self, request: plan::Request) -> plan::Response {
        let _running = self.running.read().await;
        let call = async {
            let entry = find(&self.actions, "action", &request.action_type)?;
            let config = entry.shape.decode(request.config.as_ref())?;
            let client = self.client();
            let cx = self.context(&client, Limits::default().read);
            let config = planner::draft(entry.shape.attributes(), &config, &Value::Null);
            guarded(cx.deadline, entry.it.plan(&cx, config)).await.map_err(|cut| cut.diagnostic("plan"))?
        };
        let diagnostics = caught("plan", call).await.unwrap_or_else(|failed| failed);
        plan::Response { diagnostics: said(diagnostics), ..Default::default() }
    }

    /// Does it. The action runs on even when nobody listens any more: a stop is what ends it early.
    pub(super) fn invoke_action(&self, request: &invoke::Request) -> Events {
        match self.begin(request) {
            Ok(events) => events,
            Err(diagnostics) => futures::stream::once(std::future::ready(completed(diagnostics))).boxed(),
        }
    }

    fn begin(&self, request: &invoke::Request) -> Result<Events, Diagnostics> {
        let entry = find(&self.actions, "action", &request.action_type)?;
        let config = entry.shape.decode(request.config.as_ref())?;
        entry.shape.wholly_known(&config)?;
        let config = entry.shape.asked(&config);
        let now = Instant::now();
        let deadline = now.checked_add(entry.it.limit(&config)?).unwrap_or(now);
        let (action, client, cancel, running) = (entry.it.clone(), self.client(), self.cancel(), self.running.clone());
        let (to, messages) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let _running = running.read_owned().await;
            let cx = Context::new(client.as_deref(), cancel, deadline);
            // Nobody listening is no error.
            cx.heard_by(Arc::new(move |line: &str| {
                let _ = to.send(line.to_owned());
            }));
            guarded(deadline, action.invoke(&cx, config)).await
        });
        let progress = UnboundedReceiverStream::new(messages)
            .map(|message| event(invoke::event::Type::Progress(invoke::event::Progress { message })));
        let end = task.map(|outcome| match outcome {
            Ok(Ok(ended)) => completed(ended.unwrap_or_else(|failed| failed)),
            Ok(Err(cut)) => completed(cut.diagnostic("action").into()),
            Err(_) => Err(Status::aborted("the provider ends")),
        });
        Ok(progress.chain(end.into_stream()).boxed())
    }
}
