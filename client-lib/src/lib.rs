//! The Firstlight client: sans-IO MLS engine, sealed storage, transport and the firstlight command.
//!
//! - [`engine`] is the client without a clock or a socket: inputs go in, a [`engine::Step`] comes out.
//! - [`storage`] keeps what a step changed, sealed, in one transaction.
//! - `transport` speaks HTTP and websocket, `session` drives the engine with it; both with the feature `native`, and in a
//!   browser (`wasm32`), where `browser` and `native` are the names of the few modules that differ.
//! - The `firstlight` command stands on top (feature `native`).

pub mod attachment;
#[cfg(any(feature = "native", target_arch = "wasm32"))]
mod clock;
pub mod engine;
#[cfg(any(feature = "native", target_arch = "wasm32"))]
pub mod session;
pub mod storage;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "native", target_arch = "wasm32"))]
pub mod transport;
