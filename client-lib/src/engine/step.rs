//! What an engine call gives back: changes to store, then effects to carry out, and events to show.

use crate::storage::Batch;
use firstlight_protocol::{
    DeviceId, MessageId, OrgId, Problem, RoomId,
    api::{Acks, CommitBundle, CreateRoom, InboxItem, PublishKeyPackages, RoomCursor, SendMessage},
    cert::DeviceIdentity,
    mls::RoomContext,
};

/// The outcome of one engine call.
///
/// The host stores [`batch`](Self::batch) in one transaction, tells the engine with
/// [`Engine::persisted`](super::Engine::persisted) (or [`rolled_back`](super::Engine::rolled_back) if storing failed),
/// and only then carries out the effects and shows the events. [`crate::storage::Host`] does exactly that.
#[derive(Debug, Default)]
#[must_use = "a step that is not stored must be rolled back"]
pub struct Step {
    /// To store, all or nothing.
    pub batch: Batch,
    /// Requests to make, in order, once the batch is stored.
    pub effects: Vec<Effect>,
    /// What happened, for people, once the batch is stored.
    pub events: Vec<Event>,
}

/// A request to the server. Losing one is harmless: [`Engine::outbox`](super::Engine::outbox) gives them all again.
#[derive(Debug, Clone)]
pub enum Effect {
    /// `POST /v1/key-packages`; feed success to `key_packages_published`.
    PublishKeyPackages(PublishKeyPackages),
    /// `POST /v1/rooms`; feed success to `room_created`, a refusal to `refused`.
    CreateRoom {
        /// Names the intent in `refused`.
        id: MessageId,
        /// The body.
        room: CreateRoom,
    },
    /// `POST /v1/rooms/{room}/commits`; feed the answer to `published_commit` or `refused`.
    PublishCommit {
        /// Room.
        room: RoomId,
        /// The body; its `id` names the intent.
        bundle: CommitBundle,
    },
    /// `POST /v1/rooms/{room}/messages` or a `send` frame; feed the answer to `published_message` or `refused`.
    PublishMessage {
        /// Room.
        room: RoomId,
        /// The body; its `id` names the intent.
        message: SendMessage,
    },
    /// `GET /v1/rooms/{room}/log?after=`; feed the entries to `receive_entries`. On a websocket that already carries
    /// the room, the same entries come by themselves.
    FetchLog(RoomCursor),
    /// A room was joined, or rejoined, since the websocket was opened: subscribe to it from here.
    Subscribe(RoomCursor),
    /// `GET /v1/rooms/{room}/welcomes/{epoch}`; feed the answer to `receive_welcome`, a `not_found` to
    /// `welcome_unavailable`.
    FetchWelcome {
        /// Room.
        room: RoomId,
        /// Epoch.
        epoch: u64,
    },
    /// `GET /v1/rooms/{room}/group-info`; feed the answer to `rejoin`, `not_a_member` to `lost_room`.
    FetchGroupState {
        /// Room.
        room: RoomId,
    },
    /// `GET /v1/organisations/{org}`: its statement and revocations; feed them to `receive_statement` and
    /// `receive_revocations`, then call `organisation_known`.
    FetchOrganisation {
        /// Organisation.
        org: OrgId,
    },
    /// `POST /v1/acks` or an `ack` frame: what is stored by now. Losing one is harmless, the next one covers it.
    Ack(Acks),
}

/// Something a person may want to see. Everything in it is stored: an event that is lost can be read again from
/// [`Engine::rooms`](super::Engine::rooms), [`Engine::notices`](super::Engine::notices) and the message log.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A line was added to a room's log (message, change of members, gap): read it from storage at this place.
    Line {
        /// Room.
        room: RoomId,
        /// Place.
        seq: u64,
    },
    /// An own message is durable on the server and stands in the log at this place.
    Sent {
        /// Room.
        room: RoomId,
        /// The id under which it was sent.
        id: MessageId,
        /// Place.
        seq: u64,
    },
    /// An own intent (message, commit, room) was refused for good; it stays in [`Engine::pending`](super::Engine::pending)
    /// until it is retried or discarded.
    Failed {
        /// Room.
        room: RoomId,
        /// The intent.
        id: MessageId,
        /// Why.
        problem: Problem,
    },
    /// Members changed, by whom: what every member sees of it.
    MembersChanged {
        /// Room.
        room: RoomId,
        /// Who committed the change.
        by: DeviceIdentity,
        /// Devices that came.
        added: Vec<DeviceIdentity>,
        /// Devices that went.
        removed: Vec<DeviceIdentity>,
    },
    /// The device became a member of a room.
    Joined {
        /// Room.
        room: RoomId,
        /// What the room is, as its members' MLS state authenticates it.
        context: RoomContext,
    },
    /// The device is no longer a member of a room.
    Left {
        /// Room.
        room: RoomId,
    },
    /// A Welcome could not be used and was skipped.
    WelcomeFailed {
        /// Room.
        room: RoomId,
        /// Why, in a plain sentence.
        reason: String,
    },
    /// The room can't be followed any more; the engine asks for its group state to rejoin.
    OutOfSync {
        /// Room.
        room: RoomId,
        /// Why.
        reason: OutOfSync,
    },
    /// The room was rejoined by external commit.
    BackInSync {
        /// Room.
        room: RoomId,
    },
    /// Devices of an organisation are revoked.
    Revoked {
        /// Organisation.
        org: OrgId,
        /// The devices that the server named, or that were found in rooms.
        devices: Vec<DeviceId>,
    },
    /// A page, stand-down, callout, alarm or pending request: exactly what the server put into the inbox.
    Notice(Box<InboxItem>),
}

/// Why a room can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfSync {
    /// A commit did not verify against the group's state.
    BadCommit,
    /// A commit brought in a member whose certificates this device doesn't accept for this kind of room.
    UntrustedMember,
    /// A commit tried what no commit may: change the room's context, or join without having been a member.
    ForbiddenCommit,
    /// Another class of organisation came in, and this device can't see that two people wanted it.
    UnseenConsent,
    /// The server's log no longer holds what comes next.
    LogExpired,
    /// The state of the group on this device is missing or damaged.
    LostState,
    /// The server was restored from a copy and has forgotten entries that this device has.
    ServerForgot,
}

impl std::fmt::Display for OutOfSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BadCommit => "a change of the room did not verify",
            Self::UntrustedMember => "a change of the room brought in a device that may not be in it",
            Self::ForbiddenCommit => "a change of the room tried what nobody may do",
            Self::UnseenConsent => {
                "another kind of organisation came in, and this device can't see that two people agreed to it"
            }
            Self::LogExpired => "the server no longer keeps what this device has missed",
            Self::LostState => "the room's keys on this device are missing or damaged",
            Self::ServerForgot => "the server was restored from a copy and has forgotten what this device has",
        })
    }
}
