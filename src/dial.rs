//! Where byte streams to brokers and members come from: the `Dialer` that everything here is given, and the one that
//! dials names directly. `Direct` touches the network; the trait is the seam for every other way in.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::io::ErrorKind;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Bytes in both directions.
pub trait AsyncReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncReadWrite for T {}

/// An open stream. Never half-close one: through a port-forward that closes both directions.
pub type Stream = Box<dyn AsyncReadWrite>;

/// A stream that may still prove dead at its first read, and whom to ask then.
pub struct Dialed {
    /// The stream.
    pub stream: Stream,
    /// Resolves to why the far end was never connected, in words for people; `None` or never when it was.
    /// It is polled only after the stream failed, and not for long.
    pub why: BoxFuture<'static, Option<String>>,
}

impl Dialed {
    /// A stream that proves itself when it is opened.
    pub fn proven(stream: impl AsyncReadWrite + 'static) -> Self {
        Self { stream: Box::new(stream), why: futures::future::ready(None).boxed() }
    }
}

/// Opens streams to named ports. The caller bounds the time: a dialer may hang.
pub trait Dialer: Send + Sync + 'static {
    /// Opens a stream to `port` of `host`, a name as a broker advertises it.
    ///
    /// # Errors
    /// When there is no stream. With one, only its first answer proves that somebody is there.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>>;

    /// Whether this machine's own network says who a name is.
    fn is_direct(&self) -> bool {
        false
    }
}

/// Why there is no stream.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DialError {
    /// The name has no address, now.
    #[error("the name {0} does not resolve")]
    Unresolved(String),
    /// Nobody listens there, now.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("no connection within {0:?}")]
    TimedOut(Duration),
    /// Trying again will not help: a name that is not ours, a missing right.
    #[error("{0}")]
    NotAllowed(String),
    /// Anything else; it may pass.
    #[error("{0}")]
    Other(String),
}

/// Dials the names themselves over TCP: from inside the cluster's network, or to exposed listeners.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Dialer for Direct {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
        async move {
            let addresses: Vec<_> =
                tokio::net::lookup_host((host, port)).await.map_err(|_| DialError::Unresolved(host.to_owned()))?.collect();
            if addresses.is_empty() {
                return Err(DialError::Unresolved(host.to_owned()));
            }
            let stream = TcpStream::connect(addresses.as_slice()).await.map_err(|error| match error.kind() {
                ErrorKind::ConnectionRefused => DialError::Refused,
                _ => DialError::Other(error.to_string().to_lowercase()),
            })?;
            // without it each request waits for the acknowledgement of the one before
            stream.set_nodelay(true).map_err(|error| DialError::Other(error.to_string()))?;
            Ok(Dialed::proven(stream))
        }
        .boxed()
    }

    fn is_direct(&self) -> bool {
        true
    }
}
