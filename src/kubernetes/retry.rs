//! Whether a failed call is made again, and after how long. Pure: the caller passes the attempt and a random number.

use super::failure::{Class, Failure};
use std::time::Duration;

/// How patient calls are.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The longest one request may take.
    pub deadline: Duration,
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles each time.
    pub first_wait: Duration,
    /// No wait is longer: when the server asks for more, the call fails instead.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            attempts: 6,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

impl Patience {
    /// How long to wait before making this call again after its `attempt`-th failure (from 1); `None`: give up. `random` is in
    /// `0.0..1.0`.
    ///
    /// Call it for calls that may be made twice, or with a failure whose [`Failure::outcome`] is `Rejected`. A `TimedOut`
    /// is not repeated: it has used up the caller's patience already.
    pub fn wait(&self, attempt: u32, failure: &Failure, random: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let asked = match failure.class {
            Class::Throttled { after } | Class::Server { after, .. } => after,
            Class::Unreachable(_) | Class::Lost(_) => None,
            _ => return None,
        };
        let doubled = self.first_wait.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.longest_wait);
        // Half fixed, half random: many clients that failed together do not come back together.
        let jitter = doubled.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        match asked {
            Some(asked) if asked > self.longest_wait => None,
            Some(asked) => Some(asked + jitter.min(Duration::from_secs(1)).mul_f64(0.2)),
            None => Some(jitter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(class: Class) -> Failure {
        Failure::new("apply ConfigMap a/b", class, "")
    }

    #[test]
    fn waits_double_and_stay_within_bounds() {
        let patience = Patience::default();
        let server = failed(Class::Server { status: 500, after: None });
        let waits: Vec<_> = (1..7).map(|attempt| patience.wait(attempt, &server, 1.0)).collect();
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(waits, [millis(200), millis(400), millis(800), millis(1600), millis(3200), None]);
        assert_eq!(patience.wait(1, &server, 0.0), millis(100));
    }

    #[test]
    fn what_the_server_asks_for_is_honoured_or_refused_but_never_shortened() {
        let patience = Patience::default();
        let wait = |seconds| {
            let after = Some(Duration::from_secs(seconds));
            patience.wait(1, &failed(Class::Throttled { after }), 0.5)
        };
        assert!(wait(3).is_some_and(|wait| wait >= Duration::from_secs(3) && wait < Duration::from_secs(4)));
        assert_eq!(wait(11), None);
    }

    #[test]
    fn an_answer_that_will_not_change_is_final() {
        for class in [Class::NotFound, Class::AlreadyExists, Class::Conflict(vec![]), Class::Invalid(vec![]), Class::Denied] {
            assert_eq!(Patience::default().wait(1, &failed(class), 0.5), None);
        }
    }
}
