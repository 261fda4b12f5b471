//! Whether a provider works, as its last answers say: one that keeps failing is passed over while there is another.

use firstlight_protocol::Timestamp;
use std::{
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
    time::Duration,
};

/// So many failures in a row open the circuit.
const FAILURES: u32 = 3;
/// After this the provider is tried again.
const REST: Duration = Duration::from_secs(30);

/// One provider's circuit.
#[derive(Debug, Default)]
pub struct Circuit {
    failures: AtomicU32,
    opened_at: AtomicI64,
}

impl Circuit {
    /// Notes an answer; a refusal of one number counts as one.
    pub fn works(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Notes a failure of the provider itself.
    pub fn fails(&self, now: Timestamp) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) >= FAILURES {
            self.opened_at.store(now.0, Ordering::Relaxed);
        }
    }

    /// Whether it may be used now. Of an open circuit one is let through after each rest, to see.
    pub fn passes(&self, now: Timestamp) -> bool {
        let opened_at = self.opened_at.load(Ordering::Relaxed);
        !self.is_open()
            || now.since(Timestamp(opened_at)) >= REST
                && self.opened_at.compare_exchange(opened_at, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether it is passed over while there is another.
    pub fn is_open(&self) -> bool {
        self.failures() >= FAILURES
    }

    /// Failures since the last answer.
    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_is_tried_again_after_a_rest() {
        let circuit = Circuit::default();
        let at = |ms: i64| Timestamp(1_000_000 + ms);
        circuit.fails(at(0));
        circuit.fails(at(0));
        circuit.works();
        circuit.fails(at(0));
        circuit.fails(at(0));
        assert!(circuit.passes(at(0)), "not in a row");
        circuit.fails(at(1_000));
        assert!(circuit.is_open() && !circuit.passes(at(1_000)) && !circuit.passes(at(30_999)));
        assert!(circuit.passes(at(31_000)) && !circuit.passes(at(31_000)), "one is let through");
        circuit.works();
        assert!(!circuit.is_open() && circuit.passes(at(31_000)) && circuit.failures() == 0);
    }
}
