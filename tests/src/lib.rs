//! Scenario, crash, canary and load tests: the only crate that sees both sides.

pub mod cluster;
pub mod inproc;
pub mod night;
pub mod process;
pub mod providers;
pub mod services;
pub mod world;
