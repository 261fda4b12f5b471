//! Lines of a room's log, as people read them.

use crate::engine::OutOfSync;
use firstlight_protocol::{
    MessageId, RoomId, Timestamp,
    cert::DeviceIdentity,
    mls::{Content, RoomContext},
};
use serde::{Deserialize, Serialize};

/// One line of a room's log. At most one stands at each place; commits that change no members leave none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Room.
    pub room: RoomId,
    /// Place in the room's log on the server.
    pub seq: u64,
    /// When the server accepted it.
    pub at: Timestamp,
    /// The id under which it was sent.
    pub id: MessageId,
    /// Who sent it, from certificates that this device has verified; absent where that was not possible.
    pub sender: Option<DeviceIdentity>,
    /// Whether this device sent it.
    pub own: bool,
    /// What it says.
    pub body: LineBody,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineBody {
    /// A message.
    Message(Content),
    /// A message that is here and can't be shown.
    Unreadable(Unreadable),
    /// Members changed.
    Members {
        /// Devices that came.
        added: Vec<DeviceIdentity>,
        /// Devices that went.
        removed: Vec<DeviceIdentity>,
    },
    /// This device joined here; it can't read what was before.
    Joined {
        /// What the room is.
        context: RoomContext,
        /// Members at that moment.
        members: Vec<DeviceIdentity>,
    },
    /// This device rejoined here; it could not read what came after `after`.
    Gap {
        /// The last place before the gap.
        after: u64,
        /// Why it lost the room.
        reason: Option<OutOfSync>,
    },
}

/// Why a message can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// It does not parse, decrypt or verify.
    BadBytes,
    /// Its sender's certificates are not accepted, or revoked.
    UntrustedSender,
    /// It was made by a newer version of the program.
    NewerVersion,
    /// This device sent it, and no longer has its text.
    OwnUnknown,
}
