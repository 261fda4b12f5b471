//! The Firstlight server: MLS delivery, dispatch and identity in one binary. ARCHITECTURE.md draws the rooms.

pub mod app;
pub mod bus;
pub mod caller;
pub mod clock;
pub mod delivery;
pub mod error;
pub mod extract;
pub mod store;

pub use app::{App, Shared};
pub use error::{Error, Result};
