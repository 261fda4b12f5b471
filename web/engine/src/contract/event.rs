//! What the engine tells by itself.

use super::{Line, Status};
use firstlight_protocol::{CalloutId, DeviceId, MessageId, OrgId, Problem, RoomId, Timestamp, api::InboxItem};
use serde::{Deserialize, Serialize};

/// Something that happened. Everything in it is stored: an event that is lost can be asked for again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "an event lives only to be encoded")]
pub enum EngineEvent {
    /// This browser stands otherwise than before: locked, unlocked, enrolled, taken over from another tab.
    Status {
        /// How.
        status: Status,
    },
    /// An admin has signed: the device can do everything now.
    Enrolled {},
    /// An admin has refused this device: it needs a new invite.
    Refused {},
    /// The device is revoked. Nothing more can be done with it; what it holds can be erased.
    Revoked {},
    /// The live connection stands; what was missed comes next.
    Connected {
        /// The server's clock.
        server_now: Timestamp,
    },
    /// The live connection is gone; it is tried again by itself.
    Disconnected {
        /// After so many milliseconds.
        retry_in_ms: u64,
    },
    /// A page, stand-down, callout, alarm or pending request, exactly as the server put it into the inbox.
    Notice {
        /// It.
        item: InboxItem,
    },
    /// A new line in a room.
    Line {
        /// It.
        line: Line,
    },
    /// A room came, changed (members, name, standing, unread) or went: ask for it again.
    Room {
        /// The room.
        room: RoomId,
    },
    /// An own message is durable on the server.
    Sent {
        /// Its room.
        room: RoomId,
        /// Its id.
        id: MessageId,
        /// Its place.
        seq: u64,
    },
    /// Something own was refused for good: `retry` or `discard` it.
    NotSent {
        /// Its room.
        room: RoomId,
        /// Its id.
        id: MessageId,
        /// Why.
        problem: Problem,
    },
    /// Devices of an organisation are revoked.
    DevicesRevoked {
        /// The organisation.
        org: OrgId,
        /// They.
        devices: Vec<DeviceId>,
    },
    /// A callout's room was built here.
    RoomBuilt {
        /// The callout.
        callout: CalloutId,
        /// Its room.
        room: RoomId,
        /// How many people are in it besides this one.
        people: u32,
    },
    /// Something that this device does by itself did not work.
    Trouble {
        /// Why.
        problem: Problem,
        /// The callout that it concerns.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        callout: Option<CalloutId>,
    },
}
