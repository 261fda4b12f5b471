//! Log entries: decrypted and merged in order, once.

use super::{Engine, EngineError, Step};
use firstlight_protocol::{RoomId, Timestamp, api::LogEntry};

/// Most entries that one step takes, so that a step's transaction stays short.
pub const MAX_ENTRIES: usize = 500;

impl Engine {
    /// Takes in log entries, of one room or several, each room's in order. Entries that are known already are ignored,
    /// a gap asks for the log. At most [`MAX_ENTRIES`] per call; the rest is refused with `TooLarge`.
    pub fn receive_entries(&mut self, _entries: &[LogEntry], _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server's log begins after this device's place: what came between is gone for good, and the room is rejoined.
    pub fn log_expired(&mut self, _room: RoomId, _first: u64) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
