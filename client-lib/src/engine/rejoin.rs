//! The way back into a room that can't be followed: an external commit (RFC 9420 §12.4.3.2).

use super::{Engine, EngineError, Step};
use firstlight_protocol::{MessageId, RoomId, Timestamp, api::GroupState};

impl Engine {
    /// Rejoins a room by external commit, removing this device's old leaf, after verifying that the room is still what
    /// it was and that every member may be in it.
    pub fn rejoin(
        &mut self,
        _room: RoomId,
        _state: &GroupState,
        _id: MessageId,
        _now: Timestamp,
    ) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server says that this device is no member of a room any more.
    pub fn lost_room(&mut self, _room: RoomId) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
