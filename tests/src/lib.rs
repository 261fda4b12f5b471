//! Scenario, crash, canary and load tests: the only crate that sees both sides.

pub mod inproc;
pub mod process;
pub mod providers;
pub mod world;
