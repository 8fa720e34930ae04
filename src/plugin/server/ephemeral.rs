//! Ephemeral resources: opened, renewed, closed.

use super::super::diagnostic::Diagnostics;
use super::super::ephemeral::{Opened, Renewed};
use super::super::guard::guarded;
use super::super::proto::tfplugin6::{
    DynamicValue, Timestamp, close_ephemeral_resource as close, open_ephemeral_resource as open,
    renew_ephemeral_resource as renew,
};
use super::super::provider::Provider;
use super::super::wire::schema::diagnostics as said;
use super::{Server, caught, decode_private, encode_private, find};
use std::time::{SystemTime, UNIX_EPOCH};

/// A time as the protocol has it. A time that it cannot say is no time.
fn timestamp(time: Option<SystemTime>) -> Option<Timestamp> {
    let since = time?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp { seconds: i64::try_from(since.as_secs()).ok()?, nanos: i32::try_from(since.subsec_nanos()).ok()? })
}

impl<P: Provider> Server<P> {
    pub(super) fn validate_ephemeral(&self, name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = find(&self.ephemerals, "ephemeral resource", name)?;
        entry.shape.validate(config, |config, said| entry.it.validate(config, said))
    }

    pub(super) async fn open_ephemeral(&self, request: open::Request) -> open::Response {
        let _running = self.running.read().await;
        match caught("open", self.try_open(&request)).await {
            Ok(response) => response,
            Err(diagnostics) => open::Response { diagnostics: said(diagnostics), ..Default::default() },
        }
    }

    async fn try_open(&self, request: &open::Request) -> Result<open::Response, Diagnostics> {
        let entry = find(&self.ephemerals, "ephemeral resource", &request.type_name)?;
        let config = entry.shape.decode(request.config.as_ref())?;
        let client = self.client();
        let cx = self.context(&client, entry.it.limit());
        let asked = entry.shape.asked(&config);
        let opened = guarded(cx.deadline, entry.it.open(&cx, asked)).await.map_err(|cut| cut.diagnostic("open"))??;
        let Opened { result, private, renew_at, diagnostics } = opened;
        entry.shape.answers(&config, &result)?;
        Ok(open::Response {
            result: Some(entry.shape.encode(&result)?),
            private: Some(encode_private(&private)),
            renew_at: timestamp(renew_at),
            diagnostics: said(diagnostics),
            ..Default::default()
        })
    }

    pub(super) async fn renew_ephemeral(&self, request: renew::Request) -> renew::Response {
        let _running = self.running.read().await;
        match caught("renewal", self.try_renew(&request)).await {
            Ok(Renewed { private, renew_at, diagnostics }) => renew::Response {
                diagnostics: said(diagnostics),
                renew_at: timestamp(renew_at),
                private: Some(encode_private(&private)),
            },
            Err(diagnostics) => renew::Response { diagnostics: said(diagnostics), ..Default::default() },
        }
    }

    async fn try_renew(&self, request: &renew::Request) -> Result<Renewed, Diagnostics> {
        let entry = find(&self.ephemerals, "ephemeral resource", &request.type_name)?;
        let private = decode_private(request.private())?;
        let client = self.client();
        let cx = self.context(&client, entry.it.limit());
        guarded(cx.deadline, entry.it.renew(&cx, private)).await.map_err(|cut| cut.diagnostic("renewal"))?
    }

    pub(super) async fn close_ephemeral(&self, request: close::Request) -> close::Response {
        let _running = self.running.read().await;
        let closed = caught("closing", self.try_close(&request)).await;
        close::Response { diagnostics: said(closed.unwrap_or_else(|failed| failed)) }
    }

    async fn try_close(&self, request: &close::Request) -> Result<Diagnostics, Diagnostics> {
        let entry = find(&self.ephemerals, "ephemeral resource", &request.type_name)?;
        let private = decode_private(request.private())?;
        let client = self.client();
        let cx = self.context(&client, entry.it.limit());
        Ok(guarded(cx.deadline, entry.it.close(&cx, private)).await.map_err(|cut| cut.diagnostic("closing"))?)
    }
}
