//! The device's inbox: Welcomes and notices.

use super::{Engine, EngineError, Step};
use firstlight_protocol::{
    RoomId, Timestamp,
    api::{InboxItem, WelcomeBundle},
};

impl Engine {
    /// Takes in inbox items, in order. Items that are known already are ignored.
    pub fn receive_inbox(&mut self, _items: &[InboxItem], _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Joins a room by its Welcome, after verifying the room's context and every member's certificates. A Welcome that
    /// can't be used is recorded, reported and skipped; it never comes back.
    pub fn receive_welcome(&mut self, _welcome: &WelcomeBundle, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server has no such Welcome (any more).
    pub fn welcome_unavailable(&mut self, _room: RoomId, _epoch: u64) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
