//! The client engine and session in a browser: one WebAssembly module in a worker, spoken to in JSON.
//!
//! [`contract`] is what the pages are written against; `hub` answers it, in a browser alone.

pub mod contract;
#[cfg(target_arch = "wasm32")]
mod hub;

#[cfg(target_arch = "wasm32")]
pub use hub::Engine;
