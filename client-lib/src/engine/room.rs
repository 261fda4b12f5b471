//! What people want of rooms. Each call keeps an intent, and builds what is published for it as soon as that is possible.

use super::{Engine, EngineError, Step};
use firstlight_protocol::{
    DeviceId, MessageId, RoomId, Timestamp,
    api::ClaimedKeyPackage,
    mls::{Content, RoomContext},
};

impl Engine {
    /// Creates a room with its first members, after verifying each one's certificates for this kind of room.
    ///
    /// `id` names the commit that adds the members. Nothing happens if one member is refused: leave out those without a
    /// key package before, and tell the person.
    pub fn create_room(
        &mut self,
        _room: RoomId,
        _context: RoomContext,
        _suite: u16,
        _members: &[ClaimedKeyPackage],
        _id: MessageId,
        _now: Timestamp,
    ) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Wants devices added. Those who are members already are left out.
    pub fn add(
        &mut self,
        _room: RoomId,
        _members: &[ClaimedKeyPackage],
        _id: MessageId,
        _now: Timestamp,
    ) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Wants devices removed; [`EngineError::NotMembers`] if none of them is a member. A device can't remove itself.
    pub fn remove(
        &mut self,
        _room: RoomId,
        _devices: &[DeviceId],
        _id: MessageId,
        _now: Timestamp,
    ) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Wants content sent. The same id again changes nothing.
    pub fn send(&mut self, _room: RoomId, _content: Content, _id: MessageId, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Wants fresh keys for this device in a room (RFC 9420 §3.2: post-compromise security), with its newest chain.
    pub fn update(&mut self, _room: RoomId, _id: MessageId, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// All messages of a room so far are read.
    pub fn mark_read(&mut self, _room: RoomId) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
