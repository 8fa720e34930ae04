//! Faults at chosen requests, and the sweep that tries every fault at every request of a scenario. No network.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered 429, nothing done.
    Throttled,
    /// Answered 500, nothing done.
    ServerError,
    /// Answered 403, nothing done.
    Forbidden,
    /// Answered 409, nothing done.
    Conflict,
    /// The connection ends before the effect.
    DropBefore,
    /// The connection ends after the effect, before the answer.
    DropAfter,
    /// No answer, nothing done.
    HangBefore,
    /// No answer, but done.
    HangAfter,
    /// Answered 401, nothing done: the credentials ended.
    Unauthorized,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 8] = [
        Fault::Throttled,
        Fault::ServerError,
        Fault::Forbidden,
        Fault::Conflict,
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::HangBefore,
        Fault::HangAfter,
    ];

    /// The faults after which the same call may succeed: everything but a refusal.
    pub const TRANSIENT: [Fault; 6] =
        [Fault::Throttled, Fault::ServerError, Fault::DropBefore, Fault::DropAfter, Fault::HangBefore, Fault::HangAfter];

    /// Whether the request has its effect all the same.
    pub fn after_effect(self) -> bool {
        matches!(self, Fault::DropAfter | Fault::HangAfter)
    }
}

/// A plan of faults, shared by the fakes of one scenario: requests are counted over all of them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    at: BTreeMap<usize, Fault>,
    seen: usize,
    happened: usize,
    stopped_at: Option<usize>,
    /// From this request on the credentials are not accepted.
    expires_at: Option<usize>,
}

impl Faults {
    /// No faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// This fault at the request of that index (from 0).
    pub fn at(index: usize, fault: Fault) -> Self {
        Self::none().and(index, fault)
    }

    /// One more fault.
    #[must_use]
    pub fn and(self, index: usize, fault: Fault) -> Self {
        self.0.lock().unwrap().at.insert(index, fault);
        self
    }

    /// Counts a request and says what happens to it. For the fakes.
    pub fn next(&self) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap();
        let index = plan.seen;
        plan.seen += 1;
        let expired = plan.expires_at.is_some_and(|at| at <= index).then_some(Fault::Unauthorized);
        let fault = plan.at.remove(&index).or(expired);
        plan.happened += usize::from(fault.is_some());
        fault
    }

    /// After so many more requests the credentials are not accepted any more, until [`Faults::renew`].
    pub fn expire_after(&self, requests: usize) {
        let mut plan = self.0.lock().unwrap();
        plan.expires_at = Some(plan.seen + requests);
    }

    /// Credentials are accepted again.
    pub fn renew(&self) {
        self.0.lock().unwrap().expires_at = None;
    }

    /// From now on everything works.
    pub fn stop(&self) {
        let mut plan = self.0.lock().unwrap();
        plan.at.clear();
        plan.stopped_at = plan.stopped_at.or(Some(plan.seen));
    }

    /// How many requests there were before [`Faults::stop`]: those that a fault can meet.
    fn until_stop(&self) -> usize {
        let plan = self.0.lock().unwrap();
        plan.stopped_at.unwrap_or(plan.seen)
    }

    /// How many requests there were so far.
    pub fn requests(&self) -> usize {
        self.0.lock().unwrap().seen
    }

    /// How many faults happened so far.
    pub fn happened(&self) -> usize {
        self.0.lock().unwrap().happened
    }
}

/// Runs a scenario without faults, then once for each of its requests and each of these faults. The scenario makes its own world
/// around the faults, calls [`Faults::stop`] where they end, and asserts what must hold. Answers how many faulty runs there were;
/// a run whose fault did not happen is a failure of the scenario: it is not deterministic.
pub async fn sweep(faults: &[Fault], scenario: impl AsyncFn(Faults)) -> usize {
    let clean = Faults::none();
    let counter = clean.clone();
    scenario(clean).await;
    let mut runs = 0;
    for index in 0..counter.until_stop() {
        for fault in faults {
            let _named = Named(index, *fault);
            let plan = Faults::at(index, *fault);
            scenario(plan.clone()).await;
            assert_eq!(plan.happened(), 1, "the fault did not happen");
            runs += 1;
        }
    }
    runs
}

/// Says which run it was when an assertion fails.
struct Named(usize, Fault);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the sweep: {:?} at request {}", self.1, self.0);
        }
    }
}
