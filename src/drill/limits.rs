//! How long a drill may go on: until its time is over, the user interrupts, or its claim is lost. Effects only.

use std::future::Future;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why a drill ends early.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Halt {
    /// The user interrupts.
    #[error("it was interrupted")]
    Interrupted,
    /// The time is up.
    #[error("its time was over")]
    OutOfTime,
    /// Another run has taken the drill's ConfigMap over, or somebody deleted it.
    #[error("its ConfigMap was taken away")]
    Displaced,
}

/// The limits of a drill.
#[derive(Clone, Debug)]
pub struct Limits {
    interrupted: CancellationToken,
    /// Cancelled when the claim is lost.
    pub displaced: CancellationToken,
    deadline: Instant,
}

impl Limits {
    /// Until `deadline`, or until the user interrupts.
    pub fn new(interrupted: CancellationToken, deadline: Instant) -> Self {
        Self { interrupted, displaced: CancellationToken::new(), deadline }
    }

    /// Waits for something.
    ///
    /// # Errors
    /// When the drill has to end first.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Halt> {
        tokio::select! {
            biased;
            () = self.interrupted.cancelled() => Err(Halt::Interrupted),
            () = self.displaced.cancelled() => Err(Halt::Displaced),
            () = tokio::time::sleep_until(self.deadline) => Err(Halt::OutOfTime),
            done = work => Ok(done),
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// When the drill has to end first.
    pub async fn pause(&self, time: Duration) -> Result<(), Halt> {
        self.race(tokio::time::sleep(time)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_what_comes_first() {
        let (interrupted, second) = (CancellationToken::new(), Duration::from_secs(1));
        let limits = Limits::new(interrupted.clone(), Instant::now() + second * 3);
        assert_eq!(limits.pause(second).await, Ok(()));
        assert_eq!(limits.pause(second * 9).await, Err(Halt::OutOfTime));
        limits.displaced.cancel();
        assert_eq!(limits.race(async { 1 }).await, Err(Halt::Displaced));
        interrupted.cancel();
        assert_eq!(limits.pause(second).await, Err(Halt::Interrupted));
    }
}
