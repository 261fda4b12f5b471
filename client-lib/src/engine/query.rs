//! Questions to the engine; none changes anything.

use super::{Engine, EngineError, RoomSummary, Safety};
use firstlight_protocol::{CalloutId, RoomId, api::RoomCursor};

impl Engine {
    /// All rooms, those that were left included.
    pub fn rooms(&self) -> Vec<RoomSummary> {
        Vec::new()
    }

    /// One room.
    pub fn room(&self, _room: RoomId) -> Option<RoomSummary> {
        None
    }

    /// The room of a callout, if this device is or was a member.
    pub fn callout_room(&self, _callout: CalloutId) -> Option<RoomSummary> {
        None
    }

    /// Where to resume each room's log, for the websocket's `hello`.
    pub fn cursors(&self) -> Vec<RoomCursor> {
        Vec::new()
    }

    /// Where to resume the inbox.
    pub fn inbox_cursor(&self) -> u64 {
        0
    }

    /// The number that members compare aloud to know that they are in the same room with the same people.
    pub fn safety(&mut self, _room: RoomId) -> Result<Safety, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
