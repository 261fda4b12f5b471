//! Why an engine call was refused. Nothing has changed then.

use firstlight_protocol::{
    DeviceId, ErrorCode, Problem, RoomId, admission::NotAdmitted, cert::ChainError, wire::Malformed,
};

/// Why an engine call was refused; nothing has changed. None of the texts quotes content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The step before has neither been stored nor rolled back.
    #[error("the last step has neither been stored nor rolled back")]
    Unpersisted,
    /// The device has no certificates yet.
    #[error("this device is not enrolled yet")]
    NotEnrolled,
    /// The device has a key or certificates already.
    #[error("this device is set up already")]
    AlreadySetUp,
    /// A chain does not verify, is revoked, or may not be in a room of this kind.
    #[error("the certificates of {device} are not accepted: {why}")]
    Untrusted {
        /// The device, as far as it is known.
        device: String,
        /// The broken rule.
        why: ChainError,
    },
    /// The server gave the key package of another device than was asked for.
    #[error("the server gave a key package that does not belong to {device}")]
    WrongKeyPackage {
        /// The device that was asked for.
        device: DeviceId,
    },
    /// The device has no key package, so that it can't be added.
    #[error("{device} has no key package: it must connect once before it can be added")]
    NoKeyPackage {
        /// The device.
        device: DeviceId,
    },
    /// A key package is damaged, expired, of another suite, or lacks what this room needs.
    #[error("the key package of {device} can't be used: it is damaged, expired, or made for another suite")]
    BadKeyPackage {
        /// The device.
        device: DeviceId,
    },
    /// A ciphersuite that is not one of [`firstlight_protocol::mls::SUITES`].
    #[error("ciphersuite {suite:#06x} is not supported")]
    UnknownSuite {
        /// The suite.
        suite: u16,
    },
    /// There is no such room on this device.
    #[error("this device is not a member of {room}")]
    NoSuchRoom {
        /// The room.
        room: RoomId,
    },
    /// The room's id is in use on this device.
    #[error("{room} exists already")]
    RoomExists {
        /// The room.
        room: RoomId,
    },
    /// The room is out of sync or has been left.
    #[error("{room} can't be used now: {why}")]
    RoomNotUsable {
        /// The room.
        room: RoomId,
        /// Why, in a few words.
        why: &'static str,
    },
    /// Another class of organisation comes in only if two people want it.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// None of the named devices is a member.
    #[error("none of these devices is a member of {room}")]
    NotMembers {
        /// The room.
        room: RoomId,
    },
    /// More members, or a longer message, than allowed.
    #[error("too large: {what}")]
    TooLarge {
        /// What.
        what: &'static str,
    },
    /// The id is in use for something else.
    #[error("this id is in use already")]
    IdInUse,
    /// Bytes that are not what they should be.
    #[error("the {what} is not well-formed, or does not verify")]
    Malformed {
        /// What.
        what: &'static str,
    },
    /// The stored state is damaged.
    #[error("the stored state is damaged at {what}")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
    /// The MLS library refused. The text is the library's and holds no content.
    #[error("MLS: {0}")]
    Mls(String),
}

impl EngineError {
    /// The library's error, shortened to what helps in a report.
    pub(crate) fn mls(error: impl std::fmt::Display) -> Self {
        Self::Mls(error.to_string())
    }
}

impl From<Malformed> for EngineError {
    fn from(e: Malformed) -> Self {
        Self::Malformed { what: e.expected }
    }
}

/// Whether a refusal says nothing about the request itself, so that the same bytes are sent again later.
pub fn is_retryable(problem: &Problem) -> bool {
    use ErrorCode::*;
    matches!(
        problem.code,
        RateLimited | Timeout | Unavailable | Internal | Unauthenticated | TokenExpired | TicketInvalid | TokenReused
    )
}
