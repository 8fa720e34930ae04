//! Data sources: a configuration is checked, and read into a whole object.

use super::super::data_source::AnyDataSource;
use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::operation::guarded;
use super::super::path::Path;
use super::super::planner;
use super::super::proto::tfplugin6::{DynamicValue, read_data_source as read};
use super::super::resource::{Limits, Provider};
use super::super::timeouts::Operation;
use super::super::wire::schema::diagnostics as said;
use super::shape::Shape;
use super::{Server, bug, caught};

/// One type of data source.
pub(super) struct Source<C> {
    pub(super) source: Box<dyn AnyDataSource<C>>,
    pub(super) shape: Shape,
}

impl<P: Provider> Server<P> {
    fn source(&self, type_name: &str) -> Result<&Source<P::Client>, Diagnostic> {
        self.sources
            .get(type_name)
            .ok_or_else(|| Diagnostic::error("Unknown data source", format!("This provider has no data source `{type_name}`.")))
    }

    pub(super) fn validate_source(&self, name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = self.source(name)?;
        entry.shape.validate(config, |config, said| entry.source.validate(config, said))
    }

    /// What there is now.
    pub(super) async fn read_source(&self, request: read::Request) -> read::Response {
        let _running = self.running.read().await;
        match caught("read", self.try_read_source(&request)).await {
            Ok(response) => response,
            Err(diagnostics) => read::Response { diagnostics: said(diagnostics), ..Default::default() },
        }
    }

    async fn try_read_source(&self, request: &read::Request) -> Result<read::Response, Diagnostics> {
        let entry = self.source(&request.type_name)?;
        let config = entry.shape.decode(request.config.as_ref())?;
        let limits = Limits { read: entry.source.limit(), ..Limits::default() };
        let limit = Operation::Read.limit(&config, &limits)?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let asked = entry.shape.asked(&config);
        let reply = guarded(cx.deadline, entry.source.read(&cx, asked)).await.map_err(|cut| cut.diagnostic("read"))?;
        let mut diagnostics = reply.diagnostics;
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let Some(found) = reply.state else {
            return Err(bug("The read succeeded, but found nothing.".to_owned(), Path::root()).into());
        };
        let found = planner::settle(entry.shape.attributes(), &config, found);
        if let Err(fault) = entry.shape.answers(&config, &found) {
            diagnostics.push(fault);
            return Err(diagnostics);
        }
        let state = Some(entry.shape.encode(&found)?);
        Ok(read::Response { state, diagnostics: said(diagnostics), ..Default::default() })
    }
}
