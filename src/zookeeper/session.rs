//! A session with an ensemble over streams of the caller's own: make, read and delete znodes. Effects only.
//!
//! A session outlives the member that it is attached to: when a stream ends, the next call attaches the same session to
//! another member (ZooKeeper programmer's guide, "ZooKeeper Sessions"). A write whose answer was lost is not repeated here.

use super::jute::{self, Reader, Writer};
use crate::dial::{Dialer, Stream};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// How long one member gets to answer: the others are there to be asked.
const ANSWER: Duration = Duration::from_secs(3);
/// The largest answer that is read (`jute.maxbuffer`'s default).
const LARGEST: usize = 1 << 20;

const CREATE: i32 = 1;
const DELETE: i32 = 2;
const GET_DATA: i32 = 4;
const GET_CHILDREN: i32 = 8;
const CLOSE: i32 = -11;

const NO_NODE: i32 = -101;
const NODE_EXISTS: i32 = -110;

/// A call that brought no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SessionError {
    /// No member took the session.
    #[error("no member of the ensemble answers: {0}")]
    Unreachable(String),
    /// The stream ended, or was silent too long, between request and answer: a write may have been done.
    #[error("{0}")]
    Lost(String),
    /// The ensemble gave the session up: it had heard nothing for too long.
    #[error("the session expired")]
    Expired,
    /// ZooKeeper refused, with its code.
    #[error("{0} was refused by ZooKeeper with code {1}")]
    Refused(String, i32),
}

/// A session with an ensemble.
pub struct Session {
    dialer: Arc<dyn Dialer>,
    members: Vec<(String, u16)>,
    /// Which member is asked first when the session has to be attached anew.
    next: usize,
    timeout: Duration,
    id: i64,
    password: Vec<u8>,
    attached: Option<(Stream, usize)>,
    xid: i32,
}

impl Session {
    /// Opens a session that the ensemble keeps for about `timeout` without a sign of life.
    ///
    /// # Errors
    /// When no member takes it.
    pub async fn open(dialer: Arc<dyn Dialer>, members: Vec<(String, u16)>, timeout: Duration) -> Result<Self, SessionError> {
        let (password, attached) = (vec![0; 16], None);
        let mut session = Self { dialer, members, next: 0, timeout, id: 0, password, attached, xid: 0 };
        session.attach().await?;
        Ok(session)
    }

    /// The host of the member that the session is attached to.
    pub fn member(&self) -> Option<&str> {
        let (_, index) = self.attached.as_ref()?;
        self.members.get(*index).map(|(host, _)| host.as_str())
    }

    /// Makes a persistent znode that anybody may read and change; `false` when it is there already.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn create(&mut self, path: &str, data: &[u8]) -> Result<bool, SessionError> {
        let mut body = Writer::default();
        body.text(path);
        body.bytes(data);
        // One ACL: every right, for world:anyone. Flags: persistent.
        body.int(1);
        body.int(31);
        body.text("world");
        body.text("anyone");
        body.int(0);
        match self.call(CREATE, &format!("create {path}"), body).await? {
            Ok(_) => Ok(true),
            Err(NODE_EXISTS) => Ok(false),
            Err(code) => Err(SessionError::Refused(format!("create {path}"), code)),
        }
    }

    /// What a znode holds; none when it is not there.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn get(&mut self, path: &str) -> Result<Option<Vec<u8>>, SessionError> {
        let doing = format!("get {path}");
        let mut body = Writer::default();
        body.text(path);
        body.bool(false); // no watch
        match self.call(GET_DATA, &doing, body).await? {
            Ok(body) => Ok(Some(Reader::new(&body).bytes().map_err(|why| SessionError::Lost(why.to_string()))?)),
            Err(NO_NODE) => Ok(None),
            Err(code) => Err(SessionError::Refused(doing, code)),
        }
    }

    /// The names of a znode's children; none when it is not there.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn children(&mut self, path: &str) -> Result<Vec<String>, SessionError> {
        let doing = format!("list {path}");
        let mut body = Writer::default();
        body.text(path);
        body.bool(false); // no watch
        match self.call(GET_CHILDREN, &doing, body).await? {
            Ok(body) => Reader::new(&body).texts().map_err(|why| SessionError::Lost(why.to_string())),
            Err(NO_NODE) => Ok(Vec::new()),
            Err(code) => Err(SessionError::Refused(doing, code)),
        }
    }

    /// Deletes a znode without children; `false` when it is not there.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn delete(&mut self, path: &str) -> Result<bool, SessionError> {
        let mut body = Writer::default();
        body.text(path);
        body.int(-1); // whatever its version
        match self.call(DELETE, &format!("delete {path}"), body).await? {
            Ok(_) => Ok(true),
            Err(NO_NODE) => Ok(false),
            Err(code) => Err(SessionError::Refused(format!("delete {path}"), code)),
        }
    }

    /// Ends the session at once; without this the ensemble keeps it until its time is over.
    pub async fn close(mut self) {
        if self.attached.is_some() {
            let _ = self.call(CLOSE, "close", Writer::default()).await;
        }
    }

    /// One request and its answer: the body, or ZooKeeper's code.
    async fn call(&mut self, kind: i32, doing: &str, body: Writer) -> Result<Result<Vec<u8>, i32>, SessionError> {
        if self.attached.is_none() {
            self.attach().await?;
        }
        self.xid = self.xid.checked_add(1).unwrap_or(1);
        let mut request = Writer::default();
        request.int(self.xid);
        request.int(kind);
        request.append(body);
        let (xid, until) = (self.xid, Instant::now() + ANSWER);
        let Some((stream, _)) = &mut self.attached else { return Err(SessionError::Unreachable(String::new())) };
        match exchange(stream, request, Some(xid), until).await {
            Ok(answer) => jute::reply(&answer).map_err(|why| SessionError::Lost(format!("{doing}: {why}"))),
            Err(why) => {
                self.attached = None;
                Err(SessionError::Lost(format!("{doing}: {why}")))
            }
        }
    }

    /// Attaches the session to the first member that takes it.
    async fn attach(&mut self) -> Result<(), SessionError> {
        let mut why = "it has no members".to_owned();
        for _ in 0..self.members.len() {
            let index = self.next % self.members.len();
            self.next = index + 1;
            let Some((host, port)) = self.members.get(index).cloned() else { continue };
            match self.attach_to(&host, port).await {
                Ok(stream) => {
                    self.attached = Some((stream, index));
                    return Ok(());
                }
                Err(SessionError::Expired) => return Err(SessionError::Expired),
                Err(error) => why = format!("{host}: {error}"),
            }
        }
        Err(SessionError::Unreachable(why))
    }

    async fn attach_to(&mut self, host: &str, port: u16) -> Result<Stream, SessionError> {
        let until = Instant::now() + ANSWER;
        let lost = |why: String| SessionError::Lost(why);
        let dialed =
            timeout_at(until, self.dialer.dial(host, port)).await.map_err(|_| lost("no connection in time".to_owned()))?;
        let mut stream = dialed.map_err(|error| lost(error.to_string()))?.stream;
        let mut request = Writer::default();
        request.int(0); // protocol version
        request.long(0); // last zxid seen
        request.int(i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX));
        request.long(self.id);
        request.bytes(&self.password);
        request.bool(false); // not from a member without a quorum
        let answer = exchange(&mut stream, request, None, until).await.map_err(lost)?;
        let granted = jute::connected(&answer).map_err(|why| lost(why.to_string()))?;
        // A timeout of 0 says that the session is over (ConnectResponse in ZooKeeper's Java client).
        if granted.timeout <= 0 {
            self.id = 0;
            self.password = vec![0; 16];
            return Err(SessionError::Expired);
        }
        (self.id, self.password) = (granted.id, granted.password);
        Ok(stream)
    }
}

/// Writes a frame and reads the frame that answers it. Answers to earlier requests, which were given up, are passed over.
async fn exchange(stream: &mut Stream, request: Writer, xid: Option<i32>, until: Instant) -> Result<Vec<u8>, String> {
    let silent = |_| "no answer in time".to_owned();
    let broken = |error: std::io::Error| format!("the connection ended: {}", error.kind());
    let exchange = async {
        stream.write_all(&request.framed()).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        loop {
            let length = usize::try_from(stream.read_i32().await.map_err(broken)?).unwrap_or(usize::MAX);
            if length > LARGEST {
                return Err(format!("an answer of {length} bytes"));
            }
            let mut answer = vec![0; length];
            stream.read_exact(&mut answer).await.map_err(broken)?;
            match xid {
                Some(xid) if Reader::new(&answer).int() != Ok(xid) => {}
                _ => return Ok(answer),
            }
        }
    };
    timeout_at(until, exchange).await.map_err(silent)?
}

#[cfg(test)]
#[path = "session_tests.rs"]
pub(crate) mod tests;
