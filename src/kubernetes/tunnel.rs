//! A byte stream to a port of a pod through the API server: port-forward over WebSocket, no local port. Network.

use super::{
    client::{Kubernetes, no_answer},
    failure::{Class, Failure},
    object::{Key, Kind},
};
use futures::{FutureExt, future::BoxFuture};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, client::UpgradeConnectionError};
use std::time::Duration;
use tokio::io::DuplexStream;

/// The longest that opening a tunnel may take.
const DIAL: Duration = Duration::from_secs(10);

/// One connection to a port of a pod. It is good only after the first answer: the API server says yes before the pod is asked.
///
/// Never half-close it (`shutdown` ends both directions), and drop it after any error.
pub struct Tunnel {
    /// The stream.
    pub io: DuplexStream,
    /// After an unexpected end: why it never was a connection; `None` when it was one and ended. Wait 200 ms for it at most.
    pub why: BoxFuture<'static, Option<String>>,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// Opens a tunnel to a port of a pod, once; at most eight are being opened at a time.
    ///
    /// # Errors
    /// `NotFound`: no such pod. `Server` with "pod not found": the pod has no sandbox (yet). `Forbidden`: `get` or (since 1.35)
    /// `create` on `pods/portforward`.
    pub async fn dial(&self, namespace: &str, pod: &str, port: u16) -> Result<Tunnel, Failure> {
        let doing = format!("connect to port {port} of {}", Key::new(Kind::Pod, namespace, pod));
        let ended = |_| Failure::new(&doing, Class::Lost("the client is closing".to_owned()), "");
        let _permit = self.dials().acquire().await.map_err(ended)?;
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        let limit = DIAL.min(self.deadline());
        let opened = tokio::time::timeout(limit, pods.portforward(pod, &[port])).await;
        let mut forward = opened
            .map_err(|_| Failure::new(&doing, Class::TimedOut(limit), ""))?
            .map_err(|error| refused(&doing, namespace, &error))?;
        match (forward.take_stream(port), forward.take_error(port)) {
            (Some(io), Some(why)) => Ok(Tunnel { io, why: why.boxed() }),
            _ => Err(Failure::new(&doing, Class::Protocol, "no stream")),
        }
    }
}

fn refused(doing: &str, namespace: &str, error: &kube::Error) -> Failure {
    match error {
        kube::Error::Api(status) => {
            let mut body = serde_json::to_value(status).unwrap_or_default();
            if let Some(body) = body.as_object_mut() {
                body.insert("kind".into(), "Status".into());
            }
            Failure::from_answer(doing, status.code, None, body.to_string().as_bytes())
        }
        // Without a status the refusal may be about the WebSocket's subprotocol as well as about rights.
        kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code)) if code.as_u16() == 403 => {
            let class = Class::Forbidden {
                verb: "get".into(),
                resource: "pods/portforward".into(),
                namespace: namespace.into(),
                user: "".into(),
            };
            Failure::new(doing, class, "the WebSocket upgrade was refused (HTTP 403)")
        }
        kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code)) => {
            Failure::from_answer(doing, code.as_u16(), None, b"")
        }
        kube::Error::UpgradeConnection(other) => Failure::new(doing, Class::Protocol, other.to_string()),
        other => no_answer(doing, other),
    }
}
