//! The services that go-plugin expects beside the provider: the end of the process, and two streams that are held open
//! without a word until then. [`Services`] puts them and the provider behind one connection.

use super::guard;
use super::proto::go_plugin::{
    ConnInfo, Empty, StdioData, grpc_broker_server::GrpcBroker, grpc_broker_server::GrpcBrokerServer,
    grpc_controller_server::GrpcController, grpc_controller_server::GrpcControllerServer, grpc_stdio_server::GrpcStdio,
    grpc_stdio_server::GrpcStdioServer,
};
use super::proto::tfplugin6::provider_server::{Provider, ProviderServer};
use futures::StreamExt;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{BoxStream, Service, http};
use tonic::{Request, Response, Status, Streaming};

/// All three services; the token ends the process.
#[derive(Clone, Debug)]
pub struct GoPlugin(pub CancellationToken);

impl GoPlugin {
    /// A stream of nothing that ends with the process.
    fn silence<T: Send + 'static>(&self) -> BoxStream<T> {
        let end = self.0.clone().cancelled_owned();
        Box::pin(futures::stream::once(end).filter_map(|()| std::future::ready(None)))
    }
}

#[tonic::async_trait]
impl GrpcController for GoPlugin {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("core is done");
        self.0.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for GoPlugin {
    async fn stream_stdio(&self, _: Request<Empty>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(self.silence()))
    }
}

#[tonic::async_trait]
impl GrpcBroker for GoPlugin {
    async fn start_stream(&self, _: Request<Streaming<ConnInfo>>) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(self.silence()))
    }
}

/// The largest message: what Go providers take too. The default of 4 MiB is less than some states.
const LARGEST_MESSAGE: usize = 256 << 20;

/// The four services of a connection, by the first part of a call's path.
pub struct Services<P> {
    provider: ProviderServer<P>,
    controller: GrpcControllerServer<GoPlugin>,
    stdio: GrpcStdioServer<GoPlugin>,
    broker: GrpcBrokerServer<GoPlugin>,
}

impl<P: Provider> Services<P> {
    /// The services of `provider`; `stop` ends the process.
    pub fn new(provider: Arc<P>, stop: &CancellationToken) -> Self {
        let go_plugin = Arc::new(GoPlugin(stop.clone()));
        Self {
            provider: ProviderServer::from_arc(provider)
                .max_decoding_message_size(LARGEST_MESSAGE)
                .max_encoding_message_size(LARGEST_MESSAGE),
            controller: GrpcControllerServer::from_arc(go_plugin.clone()),
            stdio: GrpcStdioServer::from_arc(go_plugin.clone()),
            broker: GrpcBrokerServer::from_arc(go_plugin),
        }
    }
}

impl<P> Clone for Services<P> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            controller: self.controller.clone(),
            stdio: self.stdio.clone(),
            broker: self.broker.clone(),
        }
    }
}

impl<P: Provider> Service<http::Request<Body>> for Services<P> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// What nobody knows is the provider's to call unimplemented. A panic that no call has caught would end the
    /// connection, and with it every other call.
    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = match request.uri().path().split('/').nth(1) {
            Some("plugin.GRPCController") => self.controller.call(request),
            Some("plugin.GRPCStdio") => self.stdio.call(request),
            Some("plugin.GRPCBroker") => self.broker.call(request),
            _ => self.provider.call(request),
        };
        let fault = |cut: guard::Cut| {
            let told = cut.diagnostic("call");
            Ok(Status::internal(format!("{}: {}", told.summary, told.text())).into_http())
        };
        Box::pin(async move { guard::caught(answer).await.unwrap_or_else(fault) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::REPORT;
    use super::super::proto::tfplugin6::get_metadata;
    use super::*;

    struct Broken;

    #[tonic::async_trait]
    impl Provider for Broken {
        async fn get_metadata(&self, _: Request<get_metadata::Request>) -> Result<Response<get_metadata::Response>, Status> {
            panic!("secret")
        }
    }

    #[tokio::test]
    async fn a_panic_that_no_call_catches_is_a_status_and_the_services_go_on() {
        let mut services = Services::new(Arc::new(Broken), &CancellationToken::new());
        for _ in 0..2 {
            let call = http::Request::post("http://localhost/tfplugin6.Provider/GetMetadata");
            let message = Body::new(http_body_util::Full::from(&[0, 0, 0, 0, 0][..]));
            let answer = services.call(call.body(message).unwrap()).await.unwrap();
            let status = Status::from_header_map(answer.headers()).unwrap();
            assert_eq!(status.code(), tonic::Code::Internal);
            assert!(status.message().ends_with(REPORT) && !status.message().contains("secret"), "{status}");
        }
    }
}
