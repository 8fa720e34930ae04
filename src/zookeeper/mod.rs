//! ZooKeeper: its four-letter words over a stream (ask, stop reading as early as the answer allows, parse), sessions
//! (`session`), and which Kafka cluster an ensemble holds (`lodger`). Touches the network through streams alone; `parse`,
//! `quorum` and `jute` are pure.
//!
//! Through a port-forward the end of the stream comes a second after the answer, and half-closing the stream throws the
//! answer away: so nothing is shut down, and nobody waits for the end.

mod jute;
mod lodger;
mod parse;
mod quorum;
pub(crate) mod session;

pub use lodger::{Lodger, kafka_under};
pub use parse::{Mntr, Mode, Srvr, Unparsable};
pub use quorum::{quorum, tolerates};
pub use session::{Session, SessionError};

use crate::dial::{Dialer, Stream};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// An answer without a mark at its end is over after so much silence.
const SILENCE: Duration = Duration::from_millis(100);
/// `mntr` of a busy member is about 22 kB.
const LONGEST: usize = 1 << 20;

/// What a member says to a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It serves.
    Serving(T),
    /// It runs, and is in no quorum.
    NotServing,
    /// The word is not in `4lw.commands.whitelist`: nothing is known about the member but that it runs.
    NotAllowed,
}

/// No answer, or not one of ZooKeeper's.
#[derive(Debug, Error)]
pub enum Error {
    /// Time was up.
    #[error("{word} was not answered within {waited:?}")]
    TimedOut {
        /// The word.
        word: &'static str,
        /// How long.
        waited: Duration,
    },
    /// The stream ended before the answer did.
    #[error("{word} was not answered: {why}")]
    Lost {
        /// The word.
        word: &'static str,
        /// What the stream says.
        why: String,
    },
    /// It answered something else.
    #[error("{word}: {source}")]
    Unparsable {
        /// The word.
        word: &'static str,
        /// What is wrong with it.
        source: Unparsable,
    },
}

impl<T> Answer<T> {
    /// What it serves; none when it does not, or will not say.
    pub fn serving(self) -> Option<T> {
        match self {
            Self::Serving(value) => Some(value),
            Self::NotServing | Self::NotAllowed => None,
        }
    }
}

/// Whether the process is there. It says so out of quorum too: never take it for health.
///
/// # Errors
/// No answer within `limit`, or another one.
pub async fn ruok(stream: Stream, limit: Duration) -> Result<Answer<()>, Error> {
    ask(stream, "ruok", limit, |text| text == "imok", |text| (text == "imok").then_some(()).ok_or(Unparsable::new(text))).await
}

/// The member's part in the ensemble. Allowed everywhere by default.
///
/// # Errors
/// No answer within `limit`, or another one.
pub async fn srvr(stream: Stream, limit: Duration) -> Result<Answer<Srvr>, Error> {
    ask(stream, "srvr", limit, parse::srvr_is_whole, str::parse).await
}

/// The part of the member that listens there; or why it has none, in words.
///
/// # Errors
/// It is not in the quorum, or does not answer within twice `limit`.
pub async fn mode(dialer: &dyn Dialer, host: &str, port: u16, limit: Duration) -> Result<Mode, String> {
    let dialed = tokio::time::timeout(limit, dialer.dial(host, port)).await;
    let dialed = dialed.map_err(|_| "no connection in time".to_owned())?.map_err(|error| error.to_string())?;
    match srvr(dialed.stream, limit).await {
        Ok(Answer::Serving(srvr)) => Ok(srvr.mode),
        Ok(Answer::NotServing) => Err("it serves no requests".to_owned()),
        Ok(Answer::NotAllowed) => Err("it does not allow `srvr`".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Everything that the member counts; the leader's followers are here.
///
/// # Errors
/// No answer within `limit`, or another one.
pub async fn mntr(stream: Stream, limit: Duration) -> Result<Answer<Mntr>, Error> {
    ask(stream, "mntr", limit, |_| false, str::parse).await
}

async fn ask<T>(
    mut stream: Stream,
    word: &'static str,
    limit: Duration,
    whole: impl Fn(&str) -> bool,
    parse: impl Fn(&str) -> Result<T, Unparsable>,
) -> Result<Answer<T>, Error> {
    let until = Instant::now() + limit;
    let timed_out = || Error::TimedOut { word, waited: limit };
    let lost = |why: String| Error::Lost { word, why };
    timeout_at(until, stream.write_all(word.as_bytes())).await.map_err(|_| timed_out())?.map_err(|e| lost(e.to_string()))?;
    timeout_at(until, stream.flush()).await.map_err(|_| timed_out())?.map_err(|e| lost(e.to_string()))?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 8 * 1024];
    while bytes.len() < LONGEST {
        let text = String::from_utf8_lossy(&bytes);
        if whole(&text) || parse::not_serving(&text) || parse::not_allowed(&text) {
            break;
        }
        let silent = Instant::now() + SILENCE;
        let wait = if bytes.is_empty() { until } else { silent.min(until) };
        match timeout_at(wait, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(n)) => bytes.extend(chunk.iter().take(n)),
            Ok(Err(error)) if bytes.is_empty() => return Err(lost(error.to_string())),
            Err(_) if bytes.is_empty() => return Err(timed_out()),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    if bytes.is_empty() {
        return Err(lost("connection closed before the answer".to_owned()));
    }
    let text = String::from_utf8_lossy(&bytes);
    if parse::not_serving(&text) {
        return Ok(Answer::NotServing);
    }
    if parse::not_allowed(&text) {
        return Ok(Answer::NotAllowed);
    }
    parse(&text).map(Answer::Serving).map_err(|source| Error::Unparsable { word, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncRead, duplex};

    const SRVR: &[&str] = &[
        "Zookeeper version: 3.9.5-x, built on 2026\nLatency min/avg/max: 0/0.4/9\nReceived: 7\nSent: 6\nConnections: 1\nOut",
        "standing: 0\nZxid: 0x100000002\nMode: follower\nNode count: 12\n",
    ];

    /// A member that answers in pieces and then keeps the stream open, as a port-forward does.
    fn member(pieces: &'static [&'static str]) -> Stream {
        let (ours, mut theirs) = duplex(64);
        tokio::spawn(async move {
            let mut word = [0; 4];
            theirs.read_exact(&mut word).await.unwrap();
            for piece in pieces {
                tokio::time::sleep(Duration::from_millis(20)).await;
                theirs.write_all(piece.as_bytes()).await.unwrap();
            }
            wait_for_end(theirs).await;
        });
        Box::new(ours)
    }

    async fn wait_for_end(mut stream: impl AsyncRead + Unpin) {
        let _ = stream.read(&mut [0; 8]).await;
    }

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_whole_answer_is_taken_without_waiting_for_the_end() {
        let begun = Instant::now();
        let answer = srvr(member(SRVR), LIMIT).await.unwrap();
        assert_eq!(answer.serving().unwrap().mode, Mode::Follower);
        ruok(member(&["im", "ok"]), LIMIT).await.unwrap();
        assert!(begun.elapsed() < SILENCE, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_a_mark_ends_with_silence() {
        let pieces = &["zk_version\t3.9.5\nzk_server_state\tleader\n", "zk_synced_followers\t2\n"];
        let begun = Instant::now();
        let answer = mntr(member(pieces), LIMIT).await.unwrap().serving().unwrap();
        assert_eq!((answer.mode(), answer.synced_followers()), (Some(Mode::Leader), Some(2)));
        assert!(begun.elapsed() < SILENCE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn out_of_quorum_and_not_allowed_are_answers() {
        let out = srvr(member(&["This ZooKeeper instance is not currently serving requests\n"]), LIMIT).await.unwrap();
        assert_eq!(out, Answer::NotServing);
        let refused = mntr(member(&["mntr is not executed because it is not in the whitelist.\n"]), LIMIT).await.unwrap();
        assert_eq!(refused, Answer::NotAllowed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_that_hangs_or_hangs_up_is_an_error() {
        assert!(matches!(srvr(member(&[]), LIMIT).await, Err(Error::TimedOut { .. })));
        let (ours, _) = duplex(64);
        assert!(matches!(srvr(Box::new(ours), LIMIT).await, Err(Error::Lost { .. })));
        assert!(matches!(srvr(member(&["HTTP/1.1 400\n"]), LIMIT).await, Err(Error::Unparsable { .. })));
    }

    /// `KAFKASTACK_TEST_ZOOKEEPER=host:port,... cargo test --lib zookeeper -- --ignored --nocapture`
    #[tokio::test]
    #[ignore = "needs members"]
    async fn real_members_answer() {
        use crate::dial::Direct;
        for member in std::env::var("KAFKASTACK_TEST_ZOOKEEPER").expect("KAFKASTACK_TEST_ZOOKEEPER: host:port,...").split(',') {
            let (host, port) = member.rsplit_once(':').unwrap();
            let dial = async || Direct.dial(host, port.parse().unwrap()).await.unwrap().stream;
            let begun = Instant::now();
            let found = srvr(dial().await, LIMIT).await.unwrap();
            println!("{member} srvr {:?}: {found:?}", begun.elapsed());
            println!("{member} ruok: {:?}", ruok(dial().await, LIMIT).await.unwrap());
            let begun = Instant::now();
            let counted = mntr(dial().await, LIMIT).await.unwrap();
            println!(
                "{member} mntr {:?}: {:?}",
                begun.elapsed(),
                counted.clone().serving().map(|m| (m.mode(), m.synced_followers()))
            );
            assert_eq!(found.serving().map(|s| s.mode), counted.serving().and_then(|m| m.mode()));
        }
    }
}
