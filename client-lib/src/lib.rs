//! The Firstlight client: sans-IO MLS engine, sealed storage, transport and the firstlight command.
//!
//! - [`engine`] is the client without a clock or a socket: inputs go in, a [`engine::Step`] comes out.
//! - [`storage`] keeps what a step changed, sealed, in one transaction.
//! - `transport`, `session` and the `firstlight` command stand on top (feature `native`).

pub mod engine;
pub mod storage;
