//! The ways a page leaves the server besides the person's own devices: today, webhooks.
//!
//! A channel sends once and says how it went. When to try again, and whom to call next, is decided elsewhere
//! (`runner`, and the engine above it), so that no channel can hold up another.

mod address;
mod backoff;
mod web;
mod webhook;

pub use address::Allowed;
pub use backoff::{MAX_TRIES, backoff};
pub use web::Web;
pub use webhook::{Outcome, Outgoing, PageKind, Webhooks};
