//! The Firstlight server: MLS delivery, dispatch and identity in one binary. ARCHITECTURE.md draws the rooms.

pub mod admin;
pub mod agencies;
pub mod app;
pub mod bus;
pub mod caller;
pub mod callouts;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod error;
pub mod extract;
pub mod figures;
pub mod health;
pub mod http;
pub mod identity;
pub mod intake;
pub mod lifecycle;
pub mod limit;
pub mod listen;
pub mod nodes;
mod openapi;
mod operations;
pub mod paging;
pub mod phone;
pub mod profiles;
pub mod proof;
pub mod rota;
pub mod runner;
pub mod serve;
pub mod session;
pub mod shutdown;
pub mod store;
pub mod telemetry;
mod web;

pub use app::{App, Shared};
pub use error::{Error, Result};
