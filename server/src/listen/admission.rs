//! How many connections there may be, in all and from one address.

use crate::{bus::lock, config::Limits};
use firstlight_protocol::{ErrorCode, Problem};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex},
};

/// Counts connections.
#[derive(Debug)]
pub(super) struct Admission {
    total: usize,
    per_address: usize,
    per_loopback: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// An admitted connection; dropping it makes room.
#[derive(Debug)]
pub(super) struct Slot {
    open: Arc<Mutex<Open>>,
    address: IpAddr,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            total: limits.connections,
            per_address: limits.connections_per_address,
            per_loopback: limits.connections_per_loopback,
            open: Arc::default(),
        }
    }

    /// # Errors
    /// `unavailable` if the server is full, `rate_limited` if this address has its share.
    pub(super) fn admit(&self, peer: IpAddr) -> Result<Slot, Problem> {
        let address = network(peer);
        let most = if peer.to_canonical().is_loopback() { self.per_loopback } else { self.per_address };
        let mut open = lock(&self.open);
        if open.total >= self.total {
            return Err(Problem::with(ErrorCode::Unavailable, "All connections are in use.").retry_after_ms(5_000));
        }
        let of_address = open.by_address.entry(address).or_default();
        if *of_address >= most {
            let detail = "There are too many connections from this address.";
            return Err(Problem::with(ErrorCode::RateLimited, detail).retry_after_ms(5_000));
        }
        *of_address += 1;
        open.total += 1;
        Ok(Slot { open: Arc::clone(&self.open), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.total = open.total.saturating_sub(1);
        if let Some(of_address) = open.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: one subscriber of IPv6 gets a whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(if v6.is_loopback() { v6 } else { Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0) })
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission::new(&Limits {
            connections: 4,
            connections_per_address: 2,
            connections_per_loopback: 3,
            ..Limits::default()
        })
    }

    fn code(result: Result<Slot, Problem>) -> ErrorCode {
        result.unwrap_err().code
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let admission = admission();
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let first = admission.admit(peer).unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        let _second = admission.admit(mapped).unwrap();
        assert_eq!(code(admission.admit(peer)), ErrorCode::RateLimited);
        let _other = admission.admit("192.0.2.2".parse().unwrap()).unwrap();
        drop(first);
        let _third = admission.admit(peer).unwrap();
    }

    #[test]
    fn the_total_is_bounded_and_loopback_has_its_own_share() {
        let admission = admission();
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let _slots: Vec<_> = (0..3).map(|_| admission.admit(here).unwrap()).collect();
        assert_eq!(code(admission.admit(here)), ErrorCode::RateLimited);
        let _last = admission.admit("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(code(admission.admit("192.0.2.2".parse().unwrap())), ErrorCode::Unavailable);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_nothing_is_remembered() {
        let admission = admission();
        let slots: Vec<_> =
            ["2001:db8::1", "2001:db8::2"].iter().map(|a| admission.admit(a.parse().unwrap()).unwrap()).collect();
        assert_eq!(code(admission.admit("2001:db8::ffff:3".parse().unwrap())), ErrorCode::RateLimited);
        drop(slots);
        assert!(lock(&admission.open).by_address.is_empty());
        assert_eq!(lock(&admission.open).total, 0);
    }
}
