//! Engines that talk through a delivery service in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod admission;
mod catch_up;
mod crash;
mod races;
mod refusals;
mod rejoin;
mod revoke;
mod stories;
mod town;
mod uploads;
