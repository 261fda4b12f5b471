//! The client without a clock, a socket or a disk: inputs go in, a [`Step`] comes out.
//!
//! The engine's whole state is one ordered map. A call works on an overlay of pending changes; the host stores the
//! overlay in one transaction and says so ([`Engine::persisted`]), or drops it ([`Engine::rolled_back`]). MLS state,
//! plaintext, cursor and outbox change together, so a crash anywhere replays to the same state, and everything received
//! is a function of the log alone. Time comes in as a parameter; the random bytes that MLS needs come from the system
//! through openmls' provider.
//!
//! Inputs: what a person wants ([`Engine::create_room`], [`Engine::send`], ...), what the server gives
//! ([`Engine::receive_entries`], [`Engine::receive_inbox`], ...), and what became of a request
//! ([`Engine::published_commit`], [`Engine::published_message`], [`Engine::refused`], ...).

mod device;
mod error;
mod inbox;
mod key_packages;
mod notices;
mod outbox;
mod query;
mod receive;
mod rejoin;
mod room;
mod state;
mod step;
mod view;

pub use device::AdminMaterial;
pub use error::{EngineError, is_retryable};
pub use receive::MAX_ENTRIES;
pub use step::{Effect, Event, OutOfSync, Step};
pub use view::{Pending, PendingKind, RoomState, RoomSummary, Safety};

use crate::storage::Snapshot;

/// The client engine of one device.
#[derive(Debug, Default)]
pub struct Engine {}

impl Engine {
    /// Opens the engine on what storage holds; an empty snapshot is a device that is not set up yet.
    pub fn open(_snapshot: Snapshot) -> Result<Self, EngineError> {
        Ok(Self {})
    }

    /// The last step is stored: its changes become the state.
    pub fn persisted(&mut self) {}

    /// The last step could not be stored: its changes are forgotten, as if the call had never been made.
    pub fn rolled_back(&mut self) {}
}
