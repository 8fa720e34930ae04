//! Data sources: a configuration is checked, and read into a whole object.

use super::super::diagnostic::Diagnostics;
use super::super::guard::guarded;
use super::super::operations::Limits;
use super::super::planner;
use super::super::proto::tfplugin6::{DynamicValue, read_data_source as read};
use super::super::provider::Provider;
use super::super::timeouts::Operation;
use super::super::wire::schema::diagnostics as said;
use super::{Server, caught, find};

impl<P: Provider> Server<P> {
    pub(super) fn validate_source(&self, name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = find(&self.sources, "data source", name)?;
        entry.shape.validate(config, |config, said| entry.it.validate(config, said))
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
        let entry = find(&self.sources, "data source", &request.type_name)?;
        let config = entry.shape.decode(request.config.as_ref())?;
        let limits = Limits { read: entry.it.limit(), ..Limits::default() };
        let limit = Operation::Read.limit(&config, &limits)?;
        let client = self.client();
        let cx = self.context(&client, limit);
        let asked = entry.shape.asked(&config);
        let mut done = guarded(cx.deadline, entry.it.read(&cx, asked)).await.map_err(|cut| cut.diagnostic("read"))??;
        let found = planner::settle(entry.shape.attributes(), &config, done.state);
        if let Err(fault) = entry.shape.answers(&config, &found) {
            done.said.push(fault);
            return Err(done.said);
        }
        let state = Some(entry.shape.encode(&found)?);
        Ok(read::Response { state, diagnostics: said(done.said), ..Default::default() })
    }
}
