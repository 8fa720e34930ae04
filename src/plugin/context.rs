//! What an operation is given: the provider's client, how long it may take, whether it is still wanted, and where it tells how far
//! it came.

use super::diagnostic::Diagnostic;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Who hears what an operation says.
pub trait Listener: Send + Sync {
    /// Hears a line. The operation does not wait for it.
    fn hear(&self, line: &str);

    /// Passes on what was heard. Called where the operation waits anyway, and at its end: `end`.
    fn pass_on(&self, _end: bool) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}

impl<F: Fn(&str) + Send + Sync> Listener for F {
    fn hear(&self, line: &str) {
        self(line);
    }
}

/// What an operation may use and how long it may take.
pub struct Context<'a, C> {
    /// What `configure` made; none while the provider's own settings are unknown.
    pub client: Option<&'a C>,
    /// When the operation has to have ended, from the resource's `timeouts`. It is the resource that stops then: 5 s
    /// later the call is cut off from outside, and what it had made by then is not in the state. Nobody knows then of what a
    /// create made.
    pub deadline: Instant,
    cancel: CancellationToken,
    listeners: Arc<Mutex<Vec<Arc<dyn Listener>>>>,
    last: Arc<Mutex<String>>,
}

/// Why an operation has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The user interrupts: stop at the next safe point, and answer with what exists.
    Interrupted,
    /// Its time is up.
    OutOfTime,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "it was interrupted",
            Self::OutOfTime => "the time is up",
        })
    }
}

impl<'a, C> Context<'a, C> {
    /// A context in which `cancel` interrupts.
    pub fn new(client: Option<&'a C>, cancel: CancellationToken, deadline: Instant) -> Self {
        Self { client, deadline, cancel, listeners: Arc::default(), last: Arc::default() }
    }

    /// What is said from now on is heard by `listener` too.
    pub fn heard_by(&self, listener: Arc<dyn Listener>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same with an earlier end: `margin` of its time is kept for something else.
    #[must_use]
    pub fn sparing(&self, margin: Duration) -> Self {
        let deadline = self.deadline.checked_sub(margin).unwrap_or(self.deadline);
        let (cancel, listeners) = (self.cancel.clone(), self.listeners.clone());
        Self { client: self.client, deadline, cancel, listeners, last: self.last.clone() }
    }

    /// The client.
    ///
    /// # Errors
    /// When the provider's settings are not known yet.
    pub fn client(&self) -> Result<&'a C, Diagnostic> {
        self.client.ok_or_else(|| {
            Diagnostic::error(
                "The provider is not configured yet",
                "The provider's own settings depend on something that is known only after apply, and this step needs them.",
            )
            .hint("apply what they depend on first, with `-target`, or give them values that are known at plan")
        })
    }

    /// Asked before each step.
    ///
    /// # Errors
    /// When there is to be none.
    pub fn go_on(&self) -> Result<(), Halt> {
        match self.cancel.is_cancelled() {
            true => Err(Halt::Interrupted),
            false if Instant::now() >= self.deadline => Err(Halt::OutOfTime),
            false => Ok(()),
        }
    }

    /// Resolves when the operation has to stop.
    pub async fn halted(&self) -> Halt {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Halt::Interrupted,
            () = tokio::time::sleep_until(self.deadline) => Halt::OutOfTime,
        }
    }

    /// Does `work`, which may be dropped at any await.
    ///
    /// # Errors
    /// When the operation has to stop before it is done.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            halt = self.halted() => Err(halt),
            done = work => Ok(done),
        }
    }

    /// Waits for what others do, which may be dropped at any await.
    ///
    /// # Errors
    /// When the operation has to stop before it is done.
    pub async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Halt> {
        self.pass_on().await;
        self.race(work).await
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// When the operation has to stop.
    pub async fn pause(&self, time: Duration) -> Result<(), Halt> {
        self.wait(tokio::time::sleep(time)).await
    }

    /// Tells what is done or waited for, in a line for people: to the log, and to whoever listens. The same line again is not
    /// told.
    pub fn say(&self, line: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == line {
            return;
        }
        line.clone_into(&mut last);
        drop(last);
        tracing::info!("{line}");
        self.listeners().iter().for_each(|listener| listener.hear(line));
    }

    /// Nothing more is said: what was not passed on yet is now. Called at the end of each create, update and delete.
    pub(super) async fn end(&self) {
        for listener in self.listeners() {
            listener.pass_on(true).await;
        }
    }

    /// Lets whoever listens pass on what was said.
    pub async fn pass_on(&self) {
        for listener in self.listeners() {
            listener.pass_on(false).await;
        }
    }

    /// The user's interrupt, for what runs beside the operation.
    pub fn interrupt(&self) -> CancellationToken {
        self.cancel.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(cancel: &CancellationToken, seconds: u64) -> Context<'static, ()> {
        Context::new(None, cancel.clone(), Instant::now() + Duration::from_secs(seconds))
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_goes_on_until_it_is_interrupted_or_out_of_time() {
        let cancel = CancellationToken::new();
        let cx = context(&cancel, 10);
        assert_eq!((cx.go_on(), cx.pause(Duration::from_secs(9)).await), (Ok(()), Ok(())));
        assert_eq!(cx.race(std::future::pending::<()>()).await, Err(Halt::OutOfTime));
        assert_eq!(cx.go_on(), Err(Halt::OutOfTime));
        cancel.cancel();
        assert_eq!((cx.go_on(), cx.halted().await), (Err(Halt::Interrupted), Halt::Interrupted));
    }

    #[tokio::test(start_paused = true)]
    async fn some_of_the_time_can_be_kept_for_the_end() {
        let cx = context(&CancellationToken::new(), 10);
        let early = cx.sparing(Duration::from_secs(4));
        assert_eq!(early.pause(Duration::from_secs(7)).await, Err(Halt::OutOfTime));
        assert_eq!(cx.go_on(), Ok(()));
    }

    #[test]
    fn what_is_said_is_heard() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (into, cancel) = (heard.clone(), CancellationToken::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _inside = runtime.enter();
        let cx = context(&cancel, 1);
        cx.heard_by(Arc::new(move |line: &str| into.lock().unwrap().push(line.to_owned())));
        cx.say("waiting");
        cx.sparing(Duration::ZERO).say("waiting");
        assert_eq!(*heard.lock().unwrap(), ["waiting"]);
    }
}
