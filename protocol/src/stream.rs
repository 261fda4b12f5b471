//! Frames of the websocket `/v1/stream`, subprotocol [`SUBPROTOCOL`]: one CBOR item per binary message.
//! The grammar, in CDDL (RFC 8610), is `protocol/docs/stream.cddl`; a test holds the two together.

use crate::{
    api::{Acks, EntryKind, InboxItem, RoomCursor},
    error::Problem,
    id::{DeviceId, MessageId, PageId, RoomId},
    time::Timestamp,
    wire::{Bytes, Secret},
};
use serde::{Deserialize, Serialize};

/// The websocket subprotocol that client and server must agree on.
pub const SUBPROTOCOL: &str = "firstlight.v1";

/// What a client sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame, within `limits::HELLO_DEADLINE`.
    Hello(Hello),
    /// Send an application message.
    Send(SendFrame),
    /// Cumulative acknowledgement of what is stored on the device.
    Ack(Acks),
    /// Read a room's log from here on; for a room joined since `hello`, or to read again from an earlier place.
    Subscribe(RoomCursor),
    /// The page has reached the person's screen: its receipt becomes "delivered".
    PageSeen {
        /// The page.
        page: PageId,
    },
    /// Is anybody there? For clients that see no websocket pings, as a browser's page doesn't.
    Ping {},
}

/// Opens the session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Single-use ticket.
    pub ticket: Secret,
    /// Items after this one come; absent: after what was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<u64>,
    /// Where to resume each room; rooms not named resume after what was acknowledged.
    #[serde(default)]
    pub rooms: Vec<RoomCursor>,
}

/// An application message to a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendFrame {
    /// Idempotency key.
    pub id: MessageId,
    /// Room.
    pub room: RoomId,
    /// MLS PrivateMessage.
    pub message: Bytes,
}

/// What a server sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "views are the common case, and a frame lives only to be encoded")]
pub enum ServerFrame {
    /// Answer to `hello`: the session is open.
    Ready(Ready),
    /// An entry of a room's log, in order, without gaps.
    Entry(Entry),
    /// An item of the device's inbox, in order, without gaps.
    Inbox(InboxItem),
    /// A message is durable.
    Sent(SentFrame),
    /// A frame was refused; nothing was changed.
    Refused(Refused),
    /// The server is about to close the socket, and why.
    Closing(Closing),
    /// Answer to `ping`.
    Pong {},
}

/// The session is open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// The device that the ticket was for.
    pub device: DeviceId,
    /// The server's clock.
    pub now: Timestamp,
    /// A ping comes at least this often, in milliseconds; a client that hears nothing for twice as long reconnects.
    pub ping_ms: u64,
    /// Where else the same server answers, under the same name: for when this address doesn't.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// A log entry as it travels: the fields of [`crate::api::LogEntry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Room.
    pub room: RoomId,
    /// Place in the log.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// Sending device.
    pub sender: DeviceId,
    /// The sender's id for it.
    pub id: MessageId,
    /// Commit or message.
    pub kind: EntryKind,
    /// MLS message.
    pub body: Bytes,
}

/// A message is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentFrame {
    /// The sender's id for it.
    pub id: MessageId,
    /// Room.
    pub room: RoomId,
    /// Place in the log.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
}

/// A frame was refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    /// The message that was refused, if it was a `send`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Why.
    pub problem: Problem,
}

/// The server closes the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closing {
    /// Why.
    pub problem: Problem,
}

/// Websocket close codes (4000 to 4999 are the application's).
pub mod close_code {
    /// The ticket was missing, late or not valid.
    pub const UNAUTHENTICATED: u16 = 4401;
    /// The device was revoked.
    pub const REVOKED: u16 = 4403;
    /// A frame was not of the documented shape.
    pub const BAD_FRAME: u16 = 4400;
    /// The client answered no ping.
    pub const SILENT: u16 = 4408;
    /// The server is shutting down: reconnect after a random wait.
    pub const DRAIN: u16 = 4503;
}
