//! Rate limits that take the same room however many keys there are.
//!
//! Each key falls into one of a fixed number of slots by a hash that nobody outside can predict; two keys in one slot
//! share their allowance, which is rare and harmless. A slot is one number, the generic cell rate algorithm's
//! "theoretical arrival time" (ITU-T I.371), so a check is a compare-and-swap and never waits.
//!
//! Nodes that share a store count together by telling each other what they took ([`Allowances`]). What is in flight, or
//! lost, is allowed twice: without Redis each node limits by itself, to as much per node as one alone would allow.

mod allowances;

pub(crate) use allowances::{Allowances, derive, keyed};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use firstlight_protocol::{ErrorCode, Problem, Timestamp};
use siphasher::sip::SipHasher13;
use std::{
    convert::Infallible,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Slots of one limit: 128 KiB.
const SLOTS: usize = 1 << 14;

/// An allowance per key: `burst` at once, then one for every `interval`. Clones count together.
#[derive(Clone)]
pub struct RateLimit(Arc<Slots>);

struct Slots {
    slots: Box<[AtomicI64]>,
    hasher: SipHasher13,
    interval: i64,
    tolerance: i64,
    taken: allowances::Taken,
}

impl RateLimit {
    /// `burst` at once, then one for every `interval` (at least a millisecond), for this process alone.
    pub fn new(burst: u32, interval: Duration) -> Self {
        let random = RandomState::new();
        let hasher = SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1));
        Self::with(hasher, burst, interval, allowances::Taken::default())
    }

    fn with(hasher: SipHasher13, burst: u32, interval: Duration, taken: allowances::Taken) -> Self {
        let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        Self(Arc::new(Slots {
            slots: (0..SLOTS).map(|_| AtomicI64::new(i64::MIN)).collect(),
            hasher,
            interval,
            tolerance: interval.saturating_mul(i64::from(burst)),
            taken,
        }))
    }

    /// Takes one from the key's allowance.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which there is one again.
    pub fn check(&self, key: impl Hash, now: Timestamp) -> Result<(), Problem> {
        self.check_many(key, 1, now)
    }

    /// Whether [`Self::check`] would pass now; takes nothing.
    pub fn would_pass(&self, key: impl Hash, now: Timestamp) -> bool {
        let arrival = self.0.slots[self.slot(key)].load(Ordering::Relaxed);
        arrival.max(now.0).saturating_add(self.0.interval).saturating_sub(now.0) <= self.0.tolerance
    }

    fn slot(&self, key: impl Hash) -> usize {
        let mut hasher = self.0.hasher;
        key.hash(&mut hasher);
        usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0)
    }

    /// Takes `count` from the key's allowance, all or none. More than the burst is never allowed.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_many(&self, key: impl Hash, count: u32, now: Timestamp) -> Result<(), Problem> {
        let slot = self.slot(key);
        let cost = self.0.interval.saturating_mul(i64::from(count));
        let taken = self.0.slots[slot].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |arrival| {
            let next = arrival.max(now.0).saturating_add(cost);
            (next.saturating_sub(now.0) <= self.0.tolerance).then_some(next)
        });
        match taken {
            Ok(_) => {
                self.0.taken.add(slot, count);
                Ok(())
            }
            Err(arrival) => {
                let next = arrival.max(now.0).saturating_add(cost);
                let late = next.saturating_sub(now.0).saturating_sub(self.0.tolerance);
                Err(Problem::new(ErrorCode::RateLimited).retry_after_ms(late.cast_unsigned()))
            }
        }
    }

    /// Another node took `count` from a slot. It allowed them, so they are taken here too, but never more than there is:
    /// together the nodes may have allowed more, and nobody has to wait longer than after a burst.
    fn taken_elsewhere(&self, slot: u16, count: u32, now: Timestamp) {
        let cost = self.0.interval.saturating_mul(i64::from(count));
        let most = now.0.saturating_add(self.0.tolerance);
        if let Some(slot) = self.0.slots.get(usize::from(slot)) {
            let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |arrival| {
                Some(arrival.max(now.0).saturating_add(cost).min(most.max(arrival)))
            });
        }
    }
}

impl RateLimit {
    /// Takes one from the address's allowance. This machine itself is not limited: behind a proxy that is everybody, and
    /// what a stranger could attack is limited by its own id as well.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_peer(&self, peer: Peer, now: Timestamp) -> Result<(), Problem> {
        if peer.0.is_loopback() { Ok(()) } else { self.check(peer, now) }
    }
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit").field("interval_ms", &self.0.interval).finish_non_exhaustive()
    }
}

/// The address that a request comes from, as far as rate limits care: for IPv6 the /64 network, because one machine
/// has all of it. Set per connection; a request without one counts as this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl Peer {
    /// The peer of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64))),
            v4 => Self(v4),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let set = parts.extensions.get::<Self>().copied();
        let connection = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| Self::of(c.0.ip()));
        Ok(set.or_else(connection).unwrap_or(Self(Ipv4Addr::LOCALHOST.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_per_interval_per_key() {
        let limit = RateLimit::new(3, Duration::from_secs(10));
        let at = |ms: i64| Timestamp(1_000_000 + ms);
        for _ in 0..3 {
            assert!(limit.would_pass("a", at(0)));
            limit.check("a", at(0)).unwrap();
        }
        assert!(!limit.would_pass("a", at(0)) && limit.would_pass("a", at(10_000)));
        let refused = limit.check("a", at(0)).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::RateLimited, Some(10_000)));
        limit.check("b", at(0)).unwrap();
        limit.check("a", at(10_000)).unwrap();
        assert_eq!(limit.check("a", at(10_001)).unwrap_err().retry_after_ms, Some(9_999));
        for _ in 0..3 {
            limit.check("a", at(1_000_000)).unwrap();
        }
    }

    #[test]
    fn many_are_taken_together_or_not_at_all() {
        let limit = RateLimit::new(10, Duration::from_secs(1));
        let now = Timestamp(0);
        limit.check_many(7, 8, now).unwrap();
        assert!(limit.check_many(7, 3, now).is_err());
        limit.check_many(7, 2, now).unwrap();
        assert!(limit.check_many(8, 11, now).is_err());
    }

    #[test]
    fn one_network_is_one_peer() {
        let peer = |text: &str| Peer::of(text.parse().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
        let limit = RateLimit::new(1, Duration::from_secs(1));
        limit.check_peer(peer("192.0.2.1"), Timestamp(0)).unwrap();
        assert!(limit.check_peer(peer("192.0.2.1"), Timestamp(0)).is_err());
        limit.check_peer(peer("127.0.0.1"), Timestamp(0)).unwrap();
        limit.check_peer(peer("127.0.0.1"), Timestamp(0)).unwrap();
    }
}
