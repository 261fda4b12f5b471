//! How long to wait before trying again. Sans-IO: randomness comes in, a duration comes out.

use std::time::Duration;

/// Exponential backoff with full jitter: each wait is uniform between a floor and a ceiling that doubles, so that
/// clients which lost the same server don't come back in the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    floor: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// `floor` is the shortest wait and the first ceiling's half; no wait is longer than `cap`.
    pub const fn new(floor: Duration, cap: Duration) -> Self {
        Self { floor, cap, failures: 0 }
    }

    /// For the websocket: a responder who lost the server for a moment is back within half a second, and one in a
    /// tunnel is never more than 5 s from the next attempt, because a page may be waiting.
    pub const fn reconnect() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// For one idempotent request that a person is waiting for.
    pub const fn request() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(2))
    }

    /// Counts one more failure and says how long to wait; `random` is any uniformly random number.
    pub fn fail(&mut self, random: u64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let ceiling =
            self.floor.saturating_mul(1u32.checked_shl(self.failures.min(20)).unwrap_or(u32::MAX)).min(self.cap);
        let spread = u64::try_from(ceiling.saturating_sub(self.floor).as_millis()).unwrap_or(u64::MAX);
        self.floor.min(self.cap) + Duration::from_millis(random % spread.saturating_add(1))
    }

    /// How many failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Something worked: the next wait is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random number for jitter. If the system has none, the wait is the shortest one: jitter is no secret.
pub(crate) fn jitter() -> u64 {
    getrandom::u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let mut b = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        // A ceiling of n ms with `random` = spread gives exactly n.
        let longest: Vec<u64> = (0..9u32)
            .map(|i| {
                let ceiling = (100u64 << (i + 1)).min(10_000);
                b.fail(ceiling - 100).as_millis() as u64
            })
            .collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
        b.reset();
        assert_eq!(b.fail(100).as_millis(), 200);
    }

    #[test]
    fn every_wait_lies_between_floor_and_cap() {
        let mut b = Backoff::reconnect();
        for random in (0..200u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)) {
            let wait = b.fail(random);
            assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_secs(5), "{wait:?}");
        }
        assert_eq!(b.failures(), 200);
        assert!(Backoff::new(Duration::from_secs(9), Duration::from_secs(1)).fail(u64::MAX) <= Duration::from_secs(1));
    }
}
