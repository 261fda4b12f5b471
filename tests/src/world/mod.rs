//! Organisations, people and devices made through the real HTTP API, with their keys in memory.
//!
//! Nothing here comes from the client library's transport or session: what goes over the wire is what the documents say,
//! so that a mistake in both halves can't hide itself. Only [`Member`] uses the client's engine, because it is what the
//! scenarios are about.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness: what fails here fails the test")]

mod callouts;
mod device;
mod http;
mod member;
pub mod mls;
mod organisation;
mod socket;

pub use callouts::{routing, shift};
pub use device::Device;
pub use http::{Answer, Http};
pub use member::Member;
pub use organisation::{Newcomer, Organisation, key_package_share};
pub use socket::{Closed, Socket};

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

/// How long a test waits for something that has to happen. Generous, because it only decides how fast a failure shows.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Random bytes.
///
/// # Panics
/// If the system has none.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}

/// An address on this machine that nobody else takes meanwhile: outside the range from which the system gives ports by
/// itself, and another one in each process.
///
/// # Panics
/// If there is none.
pub fn free_address() -> SocketAddr {
    free_addresses(1)[0]
}

/// The same for several that are used together.
///
/// # Panics
/// If there are not so many.
pub fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let first = 20_000 + u16::try_from(std::process::id() * 97 % 12_000).expect("a port");
    let free: Vec<_> = (first..32_000)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .filter(|address| TcpListener::bind(address).is_ok())
        .take(count)
        .collect();
    assert_eq!(free.len(), count, "not enough free ports");
    free
}

/// Waits for something that has to happen.
///
/// # Panics
/// If it doesn't, with `what` it was.
pub async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}
