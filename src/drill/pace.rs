//! How many records are due. Pure.

use std::time::Duration;

/// A steady stream of records over all partitions in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Records each second.
    pub per_second: u64,
    /// Partitions.
    pub partitions: u32,
}

impl Pace {
    /// How many records to send now, `elapsed` after the first, when `sent` are sent already. After a stall, which only a full
    /// queue or a starved machine brings about, it catches up by at most a tenth of a second's records at a time.
    pub fn due(self, elapsed: Duration, sent: u64) -> u64 {
        let wanted = u64::try_from(elapsed.as_millis() * u128::from(self.per_second) / 1000).unwrap_or(u64::MAX);
        wanted.saturating_sub(sent).min(self.per_second.div_ceil(10))
    }

    /// The partition of the record `n`, from 0, and its number within that.
    pub fn place(self, n: u64) -> (i32, u64) {
        let partitions = u64::from(self.partitions.max(1));
        (i32::try_from(n % partitions).unwrap_or_default(), n / partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { per_second: 500, partitions: 3 };

    #[test]
    fn records_are_sent_evenly() {
        let mut sent = 0;
        for ms in (0..=10_000).step_by(7) {
            sent += PACE.due(Duration::from_millis(ms), sent);
            assert!(sent.abs_diff(ms / 2) <= 1, "{sent} after {ms} ms");
        }
    }

    #[test]
    fn a_stall_is_caught_up_with_in_portions() {
        assert_eq!(PACE.due(Duration::from_secs(10), 0), 50);
        assert_eq!(PACE.due(Duration::from_secs(10), 4_990), 10);
        assert_eq!(PACE.due(Duration::from_secs(10), 6_000), 0);
    }

    #[test]
    fn every_partition_has_its_own_numbers_without_gaps() {
        let places: Vec<_> = (0..7).map(|n| PACE.place(n)).collect();
        assert_eq!(places, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2)]);
    }
}
