//! The guard around every call of a resource: it ends in time, and its panic is a diagnostic. No network.

use super::diagnostic::{Diagnostic, REPORT};
use futures::FutureExt;
use std::cell::Cell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::Instant;

/// How long after its deadline an operation may go on: time to notice, and to answer with what exists.
pub const GRACE: Duration = Duration::from_secs(5);

/// How a call ended that did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It went on until [`GRACE`] after its deadline.
    Late,
    /// It panicked, there (`file:line`) if that is known.
    Panicked(Option<String>),
}

impl Cut {
    /// The words for the user.
    pub fn diagnostic(&self, operation: &str) -> Diagnostic {
        match self {
            Self::Late => Diagnostic::error(
                format!("The {operation} took too long"),
                "It did not stop by itself when its time was over, so it was cut off. What it had done so far is not known; the \
                 state is as it was before.",
            )
            .hint(format!("give it more time with `timeouts = {{ {operation} = \"1h\" }}`")),
            Self::Panicked(place) => Diagnostic::error(
                format!("The {operation} stopped on a fault of the provider"),
                format!(
                    "An assumption of the provider did not hold{}. The state is as it was before.",
                    place.as_ref().map(|place| format!(" (at {place})")).unwrap_or_default()
                ),
            )
            .hint(REPORT),
        }
    }
}

thread_local! {
    /// Where this thread last panicked.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Has panics logged and remembered by their place alone: their message may hold what nobody should see.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line()));
        tracing::error!(place = place.as_deref().unwrap_or("unknown"), "panic");
        PLACE.set(place);
    }));
}

/// Runs what may panic through no fault of the caller: checks and rules are a resource author's code too.
///
/// # Errors
/// When it panics.
pub async fn caught<T>(call: impl Future<Output = T>) -> Result<T, Cut> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(|_| Cut::Panicked(PLACE.take()))
}

/// Runs one call of a resource.
///
/// # Errors
/// When it panics, or still runs [`GRACE`] after `deadline`.
pub async fn guarded<T>(deadline: Instant, call: impl Future<Output = T>) -> Result<T, Cut> {
    let end = deadline.checked_add(GRACE).unwrap_or(deadline);
    tokio::time::timeout_at(end, caught(call)).await.unwrap_or(Err(Cut::Late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught() {
        let cut = guarded(Instant::now() + GRACE, async { panic!("secret") }).await.unwrap_err();
        assert!(!format!("{:?}", cut.diagnostic("read")).contains("secret"));
    }

    #[tokio::test]
    async fn a_call_that_never_ends_is_cut_off() {
        let past = Instant::now().checked_sub(GRACE).unwrap();
        assert_eq!(guarded(past, std::future::pending::<()>()).await, Err(Cut::Late));
    }
}
