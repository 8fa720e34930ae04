//! Connections of librdkafka that end in streams of a [`Dialer`]: each is one end of a pair of Unix sockets, and a task copies
//! between the other end and a stream. No port is opened, and no other process can get at it. Effects only.

use crate::dial::Dialer;
use std::collections::HashMap;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long a dial may take before librdkafka is told that the connection is closed, and tries again.
const DIAL: Duration = Duration::from_secs(10);

/// The pairs of one client.
pub struct Sockets {
    wanted: mpsc::UnboundedSender<Wanted>,
    open: Mutex<HashMap<RawFd, Pair>>,
}

/// Both ends of a connection: the client's, and, until it is connected, the other one.
struct Pair {
    _near: UnixStream,
    far: Option<UnixStream>,
}

/// A connection to be made.
struct Wanted {
    host: String,
    port: u16,
    far: UnixStream,
}

impl Sockets {
    /// Sockets whose connections end in streams of `dialer`, as long as they live. Needs a Tokio runtime.
    pub fn new(dialer: Arc<dyn Dialer>) -> Self {
        let (wanted, asked) = mpsc::unbounded_channel();
        tokio::spawn(serve(dialer, asked));
        Self { wanted, open: Mutex::default() }
    }

    fn pairs(&self) -> std::sync::MutexGuard<'_, HashMap<RawFd, Pair>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`super::ffi::Sockets`].
    pub fn open(&self) -> Option<RawFd> {
        let (near, far) = UnixStream::pair().ok()?;
        near.set_nonblocking(true).ok()?;
        far.set_nonblocking(true).ok()?;
        let descriptor = near.as_raw_fd();
        self.pairs().insert(descriptor, Pair { _near: near, far: Some(far) });
        Some(descriptor)
    }

    /// See [`super::ffi::Sockets`]. It always succeeds at first: a dial that fails closes the connection.
    pub fn connect(&self, descriptor: RawFd, broker: &str) -> bool {
        let far = self.pairs().get_mut(&descriptor).and_then(|pair| pair.far.take());
        // librdkafka writes `host:port`, or `host:port/id`.
        let address = broker.split('/').next().unwrap_or_default().rsplit_once(':');
        let (Some(far), Some((host, Ok(port)))) = (far, address.map(|(host, port)| (host.to_owned(), port.parse()))) else {
            return false;
        };
        self.wanted.send(Wanted { host, port, far }).is_ok()
    }

    /// See [`super::ffi::Sockets`].
    pub fn close(&self, descriptor: RawFd) {
        self.pairs().remove(&descriptor);
    }
}

/// Serves connections until the sockets are dropped; then drops all streams.
async fn serve(dialer: Arc<dyn Dialer>, mut asked: mpsc::UnboundedReceiver<Wanted>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            wanted = asked.recv() => match wanted {
                Some(wanted) => { connections.spawn(connect(dialer.clone(), wanted)); }
                None => return,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(dialer: Arc<dyn Dialer>, wanted: Wanted) {
    let Wanted { host, port, far } = wanted;
    let Ok(mut far) = tokio::net::UnixStream::from_std(far) else { return };
    // While it is being dialled, the client may give up: then its end closes, and the copy below ends at once.
    match tokio::time::timeout(DIAL, dialer.dial(&host, port)).await {
        Ok(Ok(mut dialed)) => {
            let _ = tokio::io::copy_bidirectional(&mut far, &mut dialed.stream).await;
        }
        Ok(Err(error)) => tracing::debug!(host, port, "the drill's client is not connected: {error}"),
        Err(_) => tracing::debug!(host, port, "the drill's client is not connected: no answer in {DIAL:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::{DialError, Dialed};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use std::io::{Read, Write};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Answers what it is told with the address that was dialled.
    struct Echo;

    impl Dialer for Echo {
        fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Dialed, DialError>> {
            let answer = format!("{host} {port}");
            async move {
                if host == "gone" {
                    return Err(DialError::Refused);
                }
                let (ours, mut theirs) = tokio::io::duplex(64);
                tokio::spawn(async move {
                    let _ = theirs.read(&mut [0; 8]).await;
                    let _ = theirs.write_all(answer.as_bytes()).await;
                });
                Ok(Dialed::proven(ours))
            }
            .boxed()
        }
    }

    fn talk(sockets: &Sockets, broker: &str) -> String {
        let descriptor = sockets.open().unwrap();
        let mut end = sockets.pairs()[&descriptor]._near.try_clone().unwrap();
        end.set_nonblocking(false).unwrap();
        assert!(sockets.connect(descriptor, broker));
        assert!(!sockets.connect(descriptor, broker), "a connection is connected once");
        let _ = end.write_all(b"hello");
        let mut answer = String::new();
        let _ = end.read_to_string(&mut answer);
        sockets.close(descriptor);
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_ends_where_the_dialer_says() {
        let sockets = Sockets::new(Arc::new(Echo));
        let answers = tokio::task::spawn_blocking(move || {
            let first = talk(&sockets, "kafka-0.kafka:9092/bootstrap");
            (first, talk(&sockets, "gone:9092"), sockets.pairs().len())
        });
        assert_eq!(answers.await.unwrap(), ("kafka-0.kafka 9092".to_owned(), String::new(), 0));
    }
}
