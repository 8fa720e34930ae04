//! The process: from its start to the end of its service on a socket of its own. It listens there and nowhere else.

use super::go_plugin::Services;
use super::handshake::{self, Start};
use super::provider::Provider;
use super::server::Server;
use super::{guard, logging, tls};
use rustls::ServerConfig;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

/// How long connections may take to close once core is done: it waits 2 s before it kills.
const CLOSING: Duration = Duration::from_secs(1);
/// How long operations may take to reach a safe point when the process has to end in their midst.
const STOPPING: Duration = Duration::from_secs(5);

/// How long no connection is taken after one could not be.
const BREATHING: Duration = Duration::from_millis(50);

/// Why the process ends with a failure.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Tls(#[from] tls::TlsError),
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves `provider` until core is done with it. `address` is namespace and type; `debug` serves without core,
/// until interrupted, and prints how core finds it.
pub fn serve<P: Provider>(provider: P, address: &str, debug: bool) -> ExitCode {
    let variable = |key: &str| std::env::var(key).ok();
    let client_certificate = match (debug, handshake::start(variable)) {
        (true, _) => None,
        (false, Start::Plugin { client_certificate }) => client_certificate,
        (false, Start::ByHand) => {
            eprintln!(
                "This is a provider of OpenTofu and Terraform: they start it by themselves.\n\
                 Name it in `required_providers` and run `tofu init`, or give `--debug` to serve by hand."
            );
            return ExitCode::FAILURE;
        }
    };
    logging::install(variable);
    guard::install_panic_hook();
    if !handshake::speaks(variable("PLUGIN_PROTOCOL_VERSIONS").as_deref()) {
        tracing::error!("core does not speak plugin protocol 6");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let reattach = debug.then_some(address);
    let result = runtime.block_on(run(provider, client_certificate.as_deref(), reattach));
    // What still runs is past its grace.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &ServeError) -> ExitCode {
    eprintln!("The provider cannot be served: {error}");
    ExitCode::FAILURE
}

async fn run<P: Provider>(provider: P, client_pem: Option<&str>, reattach: Option<&str>) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    let server = Arc::new(Server::new(provider));
    let home = Home::new()?;
    let socket = home.0.join("plugin.sock");
    let listener = UnixListener::bind(&socket)?;
    let tls = client_pem.map(tls::server).transpose()?;
    watch(&server, &stop, reattach.is_some())?;
    let line = match (reattach, &tls) {
        (Some(address), _) => handshake::reattach(address, &socket, std::process::id()),
        (None, tls) => handshake::line(&socket, tls.as_ref().map(|(_, certificate)| certificate.as_slice())),
    };
    announce(&line)?;
    let (services, grpc) = (Services::new(server, &stop), tonic::transport::Server::builder());
    let end = stop.clone().cancelled_owned();
    let closed = async {
        stop.cancelled().await;
        tokio::time::sleep(CLOSING).await;
    };
    let served = async {
        match tls {
            Some((config, _)) => grpc.serve_with_incoming_shutdown(services, accept(listener, config, stop.clone()), end).await,
            None => grpc.serve_with_incoming_shutdown(services, UnixListenerStream::new(listener), end).await,
        }
    };
    tokio::select! {
        served = served => Ok(served?),
        () = closed => Ok(()),
    }
}

/// The one line that may go to standard output.
fn announce(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Connections whose TLS handshake is done; one that is slow holds up nobody.
fn accept(
    listener: UnixListener,
    config: Arc<ServerConfig>,
    stop: CancellationToken,
) -> ReceiverStream<io::Result<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Connected + Unpin + Send + 'static>> {
    let (send, receive) = tokio::sync::mpsc::channel(16);
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let stream = match accepted {
                Ok((stream, _)) => stream,
                // Too many open files: that passes, and the socket has to be served then.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(BREATHING).await;
                    continue;
                }
            };
            let (acceptor, send) = (acceptor.clone(), send.clone());
            tokio::spawn(async move {
                if let Some(stream) = handshake_tls(&acceptor, stream).await {
                    // The server is gone only when the process ends.
                    let _ = send.send(Ok(stream)).await;
                }
            });
        }
    });
    ReceiverStream::new(receive)
}

async fn handshake_tls(acceptor: &TlsAcceptor, stream: UnixStream) -> Option<tokio_rustls::server::TlsStream<UnixStream>> {
    match tokio::time::timeout(Duration::from_secs(10), acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a connection was refused");
            None
        }
        Err(_) => {
            tracing::warn!("a connection was given up: its TLS handshake took too long");
            None
        }
    }
}

/// Ends the service when the process is told to, or when core is gone. An interrupt alone is core's to judge: it
/// reaches the whole process group, and core then asks for the stop of what runs.
fn watch<P: Provider>(server: &Arc<Server<P>>, stop: &CancellationToken, debug: bool) -> io::Result<()> {
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (server, stop) = (server.clone(), stop.clone());
    let parent = std::os::unix::process::parent_id();
    tokio::spawn(async move {
        let interrupted = async { while interrupt.recv().await.is_some() && !debug {} };
        let orphaned = async {
            while debug || std::os::unix::process::parent_id() == parent {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            _ = terminate.recv() => tracing::warn!("told to terminate"),
            _ = hangup.recv() => tracing::warn!("the terminal is gone"),
            () = interrupted => {}
            () = orphaned => tracing::warn!("core is gone"),
            () = stop.cancelled() => return,
        }
        // First the operations, so that they reach a safe point; then the service.
        server.stop();
        server.idle(STOPPING).await;
        stop.cancel();
    });
    Ok(())
}

/// A directory for the socket that nobody else may enter, removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> io::Result<Self> {
        let mut parent = std::env::temp_dir();
        // A socket's path may have 107 bytes.
        if parent.as_os_str().len() > 60 {
            parent = PathBuf::from("/tmp");
        }
        let mut attempt = 0_u32;
        loop {
            let home = parent.join(format!("terraform-provider-{}-{attempt}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&home) {
                Ok(()) => return Ok(Self(home)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let remove = |path: &Path| std::fs::remove_dir_all(path);
        if let Err(error) = remove(&self.0) {
            tracing::warn!(%error, "the socket's directory stays");
        }
    }
}
