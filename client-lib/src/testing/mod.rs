//! Organisations, a delivery service and peers in memory, for tests and benchmarks (feature `testing`).
//!
//! The delivery service orders and validates as the real one does (`protocol/docs/mls.md`), with openmls' `PublicGroup`,
//! so that an engine that gets along with it makes what the server accepts. Everything here panics where it is misused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "only tests and benchmarks build it")]

mod catch_up;
mod delivery;
mod org;
mod peer;

pub use catch_up::{CatchUp, prepare_catch_up};
pub use delivery::Delivery;
pub use org::{Enrolled, Org};
pub use peer::{Peer, settle};

use firstlight_protocol::Timestamp;

/// The system's time: openmls compares the lives of key packages with it.
pub fn now() -> Timestamp {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(elapsed.as_millis()).unwrap())
}
