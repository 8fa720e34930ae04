//! One stream to one broker: dial, secure, ApiVersions, then one request at a time. Touches the network.
//!
//! A connection that failed in any way, or was left in the middle of a request, is never used again: whoever calls takes
//! it out of its place first and puts it back after an answer.

use super::address::Address;
use super::error::ConnectError;
use super::frame::{self, FrameError};
use super::versions::ApiTable;
use crate::dial::{DialError, Dialer, Stream};
use bytes::Bytes;
use futures::future::BoxFuture;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::{Request, StrBytes};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a stream that failed is given to say why.
const WHY: Duration = Duration::from_millis(200);
/// ApiVersions' code for "I do not know that version".
const UNSUPPORTED_VERSION: i16 = 35;
/// The version of ApiVersions that is tried first: since Kafka 2.4, and the first that names the client.
const API_VERSIONS: i16 = 3;

/// What happens between the dial and the first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Nothing: the listener is PLAINTEXT.
    #[default]
    Plaintext,
}

impl Security {
    /// The stream that requests go over. TLS wraps it here, knowing the host's name; SASL speaks right after ApiVersions,
    /// in `Connection::open`.
    async fn secure(self, stream: Stream, _host: &str) -> Result<Stream, ConnectError> {
        match self {
            Self::Plaintext => Ok(stream),
        }
    }
}

/// Who connects, and how.
#[derive(Clone)]
pub(super) struct Settings {
    pub client: StrBytes,
    pub security: Security,
}

/// A request that brought no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// Whether the broker may have the whole request.
    pub sent: bool,
    /// None: time was up.
    pub why: Option<String>,
}

pub(super) struct Connection {
    stream: Stream,
    why: Option<BoxFuture<'static, Option<String>>>,
    settings: Settings,
    table: ApiTable,
    correlation: i32,
    answered: Instant,
}

impl Connection {
    /// Dials and asks for the table; both within `limit`.
    pub async fn open(dialer: &dyn Dialer, to: &Address, settings: Settings, limit: Duration) -> Result<Self, ConnectError> {
        let until = Instant::now() + limit;
        let dialed = timeout_at(until, dialer.dial(&to.host, to.port))
            .await
            .map_err(|_| ConnectError::Dial(DialError::TimedOut(limit)))??;
        let secured = timeout_at(until, settings.security.secure(dialed.stream, &to.host));
        let stream = secured.await.map_err(|_| ConnectError::TimedOut(limit))??;
        let mut connection = Self {
            stream,
            why: Some(dialed.why),
            settings,
            table: ApiTable::default(),
            correlation: 0,
            answered: Instant::now(),
        };
        let answer = match timeout_at(until, connection.api_versions()).await {
            Err(_) => return Err(ConnectError::TimedOut(limit)),
            Ok(Err(Broken::Stream)) => return Err(ConnectError::Closed(connection.why().await)),
            Ok(Err(Broken::Frame(error))) => return Err(ConnectError::NotKafka(error.to_string())),
            Ok(Ok(answer)) => answer,
        };
        connection.table = ApiTable::new(&answer);
        Ok(connection)
    }

    /// What the broker can do.
    pub fn table(&self) -> &ApiTable {
        &self.table
    }

    /// How long ago the last answer came.
    pub fn idle(&self) -> Duration {
        self.answered.elapsed()
    }

    /// Whether somebody is still there: a stream tells the truth only when it is read.
    pub async fn alive(&mut self, limit: Duration) -> bool {
        matches!(timeout(limit, self.api_versions()).await, Ok(Ok(_)))
    }

    /// One request and its answer.
    pub async fn call<R: Request>(&mut self, request: &R, version: i16, limit: Duration) -> Result<R::Response, Unanswered> {
        let until = Instant::now() + limit;
        let correlation = self.next();
        let bytes = frame::encode(request, version, correlation, &self.settings.client)
            .map_err(|error| Unanswered { sent: false, why: Some(error.to_string()) })?;
        // a frame that was not written whole has no effect
        match timeout_at(until, self.stream.write_all(&bytes)).await {
            Err(_) => return Err(Unanswered { sent: false, why: None }),
            Ok(Err(error)) => return Err(Unanswered { sent: false, why: Some(error.to_string()) }),
            Ok(Ok(())) => {}
        }
        let read = async {
            self.stream.flush().await.map_err(|_| Broken::Stream)?;
            let answer = self.frame().await?;
            Ok(frame::decode::<R>(answer, version, correlation)?)
        };
        match timeout_at(until, read).await {
            Err(_) => Err(Unanswered { sent: true, why: None }),
            Ok(Err(Broken::Stream)) => {
                let why = self.why().await.unwrap_or_else(|| "connection closed before the answer".to_owned());
                Err(Unanswered { sent: true, why: Some(why) })
            }
            Ok(Err(Broken::Frame(error))) => Err(Unanswered { sent: true, why: Some(error.to_string()) }),
            Ok(Ok(answer)) => {
                self.answered = Instant::now();
                Ok(answer)
            }
        }
    }

    async fn api_versions(&mut self) -> Result<ApiVersionsResponse, Broken> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let (correlation, mut version) = (self.next(), API_VERSIONS);
        let mut answer = self.exchange(&request, version, correlation).await?;
        if frame::leading_code(&answer) == Some(UNSUPPORTED_VERSION) {
            version = 0;
            answer = self.exchange(&request, version, correlation).await?;
        }
        let answer = frame::decode::<ApiVersionsRequest>(answer, version, correlation)?;
        if answer.error_code != 0 {
            return Err(Broken::Frame(FrameError::Malformed(format!("ApiVersions: error code {}", answer.error_code))));
        }
        self.answered = Instant::now();
        Ok(answer)
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16, correlation: i32) -> Result<Bytes, Broken> {
        let bytes = frame::encode(request, version, correlation, &self.settings.client)?;
        self.stream.write_all(&bytes).await.map_err(|_| Broken::Stream)?;
        self.stream.flush().await.map_err(|_| Broken::Stream)?;
        self.frame().await
    }

    async fn frame(&mut self) -> Result<Bytes, Broken> {
        let mut first = [0; 4];
        self.stream.read_exact(&mut first).await.map_err(|_| Broken::Stream)?;
        let length = frame::length(first)?;
        let mut content = Vec::new(); // grows with what really comes, not with what was announced
        let mut body = (&mut self.stream).take(length as u64);
        body.read_to_end(&mut content).await.map_err(|_| Broken::Stream)?;
        if content.len() < length {
            return Err(Broken::Stream);
        }
        Ok(Bytes::from(content))
    }

    async fn why(&mut self) -> Option<String> {
        timeout(WHY, self.why.take()?).await.ok().flatten()
    }

    fn next(&mut self) -> i32 {
        self.correlation = self.correlation.wrapping_add(1);
        self.correlation
    }
}

enum Broken {
    Stream,
    Frame(FrameError),
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}
