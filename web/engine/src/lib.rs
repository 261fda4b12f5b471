//! The client engine and session in a browser: one WebAssembly module in a worker, spoken to in JSON.
//!
//! [`contract`] is what the pages are written against.

pub mod contract;
