//! What waits to be published, and what became of it.

use super::{Effect, Engine, EngineError, Pending, Step};
use firstlight_protocol::{
    MessageId, Problem, RoomId, Timestamp,
    api::{Committed, Sent},
};

impl Engine {
    /// Every request that is open now, as after a restart or a reconnect: publications that were not answered, Welcomes
    /// and group states that were not fetched, key packages, revocation lists. All are idempotent.
    pub fn outbox(&self) -> Vec<Effect> {
        Vec::new()
    }

    /// Intents that are not done, oldest first; failed ones included.
    pub fn pending(&self) -> Vec<Pending> {
        Vec::new()
    }

    /// The server has the room (also when it says that it had it before).
    pub fn room_created(&mut self, _room: RoomId, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server has taken a commit.
    pub fn published_commit(&mut self, _room: RoomId, _id: MessageId, _answer: &Committed) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server has taken a message.
    pub fn published_message(&mut self, _room: RoomId, _id: MessageId, _answer: &Sent) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server has refused what was published under `id`. A retryable problem ([`super::is_retryable`]) changes
    /// nothing; a stale epoch builds the intent again after the room's log; anything else fails the intent.
    pub fn refused(&mut self, _room: RoomId, _id: MessageId, _problem: &Problem, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Tries a failed intent again.
    pub fn retry(&mut self, _id: MessageId, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Gives a failed intent up.
    pub fn discard(&mut self, _id: MessageId) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
