//! The article's test of an ensemble: a znode `foo` with `bar` inside is written before, and read after each step and all the
//! time between, in one session. Network.

use super::load::Clock;
use super::recording::ZnodeCheck;
use crate::stack::site::Endpoints;
use crate::zookeeper::{Session, SessionError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Between two reads.
const EACH: Duration = Duration::from_millis(500);
/// How long the ensemble keeps the session without a sign of life: elections are shorter.
const SESSION: Duration = Duration::from_secs(15);

/// How long one read is tried.
const PATIENCE: Duration = Duration::from_secs(20);

const DATA: &[u8] = b"bar";

/// The znode of a drill, read until it is dropped.
pub struct Znode {
    path: String,
    session: Arc<Mutex<Session>>,
    checks: Arc<std::sync::Mutex<Vec<ZnodeCheck>>>,
    tasks: JoinSet<()>,
}

/// Where in a drill's znode the record is.
fn foo(path: &str) -> String {
    format!("{path}/foo")
}

impl Znode {
    /// Writes the znode `<path>/foo`.
    ///
    /// # Errors
    /// When the ensemble does not take it.
    pub async fn write(ensemble: &Endpoints, path: &str) -> Result<Self, SessionError> {
        let begun = Instant::now();
        let mut session = Session::open(ensemble.dialer.clone(), ensemble.addresses(), SESSION).await?;
        session.create(path, b"").await?;
        session.create(&foo(path), DATA).await?;
        let znode =
            Self { path: path.to_owned(), session: Arc::new(Mutex::new(session)), checks: Arc::default(), tasks: JoinSet::new() };
        note(&znode.checks, 0, begun, format!("write {}", foo(path)), true);
        Ok(znode)
    }

    /// Reads it again and again.
    pub fn watch(&mut self, clock: Clock) {
        let (session, checks, path) = (self.session.clone(), self.checks.clone(), self.path.clone());
        self.tasks.spawn(async move {
            loop {
                check(&session, &checks, &path, clock, "read").await;
                tokio::time::sleep(EACH).await;
            }
        });
    }

    /// Reads it once more; `when` says on what occasion.
    pub async fn check(&self, clock: Clock, when: &str) {
        check(&self.session, &self.checks, &self.path, clock, when).await;
    }

    /// Every check; and an end of the session.
    pub async fn end(self) -> Vec<ZnodeCheck> {
        let Self { session, checks, mut tasks, .. } = self;
        tasks.shutdown().await;
        if let Some(session) = Arc::into_inner(session) {
            session.into_inner().close().await;
        }
        std::mem::take(&mut checks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Removes what `write` made.
///
/// # Errors
/// When it may still be there.
pub async fn remove(ensemble: &Endpoints, path: &str) -> Result<(), SessionError> {
    let mut session = Session::open(ensemble.dialer.clone(), ensemble.addresses(), SESSION).await?;
    session.delete(&foo(path)).await?;
    session.delete(path).await?;
    session.close().await;
    Ok(())
}

async fn check(session: &Mutex<Session>, checks: &std::sync::Mutex<Vec<ZnodeCheck>>, path: &str, clock: Clock, when: &str) {
    let mut session = session.lock().await;
    let (at, begun) = (clock.now(), Instant::now());
    let (ok, what) = loop {
        match session.get(&foo(path)).await {
            Ok(Some(data)) if data == DATA => break (true, when.to_owned()),
            Ok(Some(_)) => break (false, format!("{when}: it holds something else")),
            Ok(None) => break (false, format!("{when}: it is gone")),
            // As a client does: the session is attached to another member. How long that takes is what is measured.
            Err(SessionError::Lost(_) | SessionError::Unreachable(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => break (false, format!("{when}: {error}")),
        }
    };
    note(checks, at, begun, what, ok);
}

fn note(checks: &std::sync::Mutex<Vec<ZnodeCheck>>, at: u64, begun: Instant, what: String, ok: bool) {
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    checks.lock().unwrap_or_else(PoisonError::into_inner).push(ZnodeCheck { at, ok, took, what });
}
