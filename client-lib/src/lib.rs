//! The Firstlight client: sans-IO MLS engine, sealed storage, transport and the firstlight command.
//!
//! - [`engine`] is the client without a clock or a socket: inputs go in, a [`engine::Step`] comes out.
//! - [`storage`] keeps what a step changed, sealed, in one transaction.
//! - `transport` speaks HTTP and websocket, `session` drives the engine with it, and the `firstlight` command stands on
//!   top (feature `native`).

pub mod engine;
#[cfg(feature = "native")]
pub mod session;
pub mod storage;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "native")]
pub mod transport;
