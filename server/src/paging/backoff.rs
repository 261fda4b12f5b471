//! When a page that could not be sent is tried again.

use std::time::Duration;

/// How often one page is tried on one channel. The engine has long moved on to the next channel by then.
pub const MAX_TRIES: u32 = 5;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;

/// The wait after the failed try number `tries` (from 1): doubling from a second to half a minute, and a random share
/// of up to half taken off, so that pages which failed together don't come back together.
pub fn backoff(tries: u32, random: u32) -> Duration {
    let full = FIRST_MS.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_MS);
    let off = (full / 2).saturating_mul(u64::from(random)) / u64::from(u32::MAX);
    Duration::from_millis(full - off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_within_bounds() {
        for (tries, full) in [(1, 1_000), (2, 2_000), (3, 4_000), (6, 30_000), (u32::MAX, 30_000)] {
            assert_eq!(backoff(tries, 0), Duration::from_millis(full));
            assert_eq!(backoff(tries, u32::MAX), Duration::from_millis(full / 2));
            let some = backoff(tries, u32::MAX / 3);
            assert!(some > backoff(tries, u32::MAX) && some < backoff(tries, 0));
        }
    }
}
