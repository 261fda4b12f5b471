//! Limits that several nodes count together.

use super::{RateLimit, SLOTS};
use firstlight_protocol::Timestamp;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// HMAC-SHA256 by a key of its length.
pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // Filled up to a block as HMAC does it itself (RFC 2104), so that no length can be wrong.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Mac::new(&block.into())
}

/// A key for one purpose, from the key that all nodes share.
pub(crate) fn derive(key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

/// The limits of one node by name. Keys fall into the same slots on all nodes that have the same secret.
#[derive(Debug)]
pub(crate) struct Allowances {
    hasher: SipHasher13,
    shared: Arc<AtomicBool>,
    limits: Mutex<BTreeMap<&'static str, RateLimit>>,
}

/// What was taken from one limit and not yet told: slots, and how many from each.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Whether anybody will be told.
    shared: Arc<AtomicBool>,
    slots: Mutex<HashMap<u16, u32>>,
}

impl Taken {
    pub(super) fn add(&self, slot: usize, count: u32) {
        if !self.shared.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(slot) = u16::try_from(slot) {
            // Never more than there are slots.
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = slots.entry(slot).or_default();
            *taken = taken.saturating_add(count);
        }
    }
}

impl Allowances {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        const { assert!(SLOTS <= 1 << 16) };
        let derived = derive(key, b"firstlight limits 1");
        let half = |from: usize| u64::from_be_bytes(std::array::from_fn(|n| derived[from + n]));
        Self { hasher: SipHasher13::new_with_keys(half(0), half(8)), shared: Arc::default(), limits: Mutex::default() }
    }

    /// The limit of this name; made at the first asking.
    pub(crate) fn limit(&self, name: &'static str, burst: u32, interval: Duration) -> RateLimit {
        let taken = Taken { shared: Arc::clone(&self.shared), slots: Mutex::default() };
        self.limits().entry(name).or_insert_with(|| RateLimit::with(self.hasher, burst, interval, taken)).clone()
    }

    /// From now on what is taken is kept to be told, or not any more.
    pub(crate) fn share(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
        if !shared {
            self.take();
        }
    }

    /// What was taken since the last time, by the name of the limit.
    pub(crate) fn take(&self) -> Vec<(&'static str, HashMap<u16, u32>)> {
        let take = |limit: &RateLimit| {
            std::mem::take(&mut *limit.0.taken.slots.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let taken = self.limits().iter().map(|(name, limit)| (*name, take(limit))).collect::<Vec<_>>();
        taken.into_iter().filter(|(_, slots)| !slots.is_empty()).collect()
    }

    /// Another node took this much.
    pub(crate) fn spent_elsewhere(&self, name: &str, slots: &[(u16, u32)], now: Timestamp) {
        let limit = self.limits().get(name).cloned();
        for (slot, count) in limit.iter().flat_map(|_| slots) {
            if let Some(limit) = &limit {
                limit.taken_elsewhere(*slot, *count, now);
            }
        }
    }

    fn limits(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, RateLimit>> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_with_one_key_count_together() {
        let second = Duration::from_secs(1);
        let (one, other, stranger) = (Allowances::new(&[1; 32]), Allowances::new(&[1; 32]), Allowances::new(&[2; 32]));
        let [here, there, elsewhere] = [&one, &other, &stranger].map(|node| node.limit("sign_in", 3, second));
        assert_ne!(here.slot("a"), elsewhere.slot("a"));
        let now = Timestamp(1_000_000);
        here.check("a", now).unwrap();
        assert!(one.take().is_empty(), "nobody will be told");
        one.share(true);
        let tell = || {
            one.take().into_iter().for_each(|(name, slots)| {
                other.spent_elsewhere(name, &slots.into_iter().collect::<Vec<_>>(), now);
            })
        };
        here.check_many("a", 2, now).unwrap();
        tell();
        there.check("a", now).unwrap();
        assert_eq!(there.check("a", now).unwrap_err().retry_after_ms, Some(1_000));
        there.check("b", now).unwrap();
        // Both had allowed a burst: nobody waits for more than one.
        here.check("a", Timestamp(now.0 + 1_000)).unwrap();
        tell();
        assert_eq!(there.check("a", now).unwrap_err().retry_after_ms, Some(1_000));
        other.spent_elsewhere("no such limit", &[(1, 1)], now);
        other.spent_elsewhere("sign_in", &[(u16::MAX, u32::MAX)], now);
        one.share(false);
        here.check("c", now).unwrap();
        assert!(one.take().is_empty());
    }
}
