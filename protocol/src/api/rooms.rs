//! The MLS delivery service: key packages, rooms, commit bundles, the log, the device's inbox.

use crate::{
    agency::AgencyNoticeView,
    api::ReadinessLevel,
    attention::Attention,
    callout::{Alarm, CalloutView, Code, Purpose, Tier},
    id::{CalloutId, CheckId, DeviceId, MessageId, OrgId, PageId, PersonId, RoomId},
    role::RoomKind,
    time::Timestamp,
    wire::Bytes,
};
use serde::{Deserialize, Serialize};

/// `POST /v1/key-packages`: adds key packages of the calling device. Each is an MLS message (`mls_key_package`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishKeyPackages {
    /// The ciphersuite of all of them.
    pub suite: u16,
    /// Each is given out once.
    #[serde(default)]
    pub one_time: Vec<Bytes>,
    /// Replaces the last-resort key package, which is given out again and again when the others are used up.
    #[serde(default)]
    pub last_resort: Option<Bytes>,
}

/// Answer to `GET /v1/key-packages` and `POST /v1/key-packages`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPackageCount {
    /// One-time key packages left, over all suites.
    pub one_time: u32,
    /// Whether there is a last-resort key package.
    pub last_resort: bool,
}

/// `POST /v1/key-packages/claim`: takes one key package of each device, atomically. Rate-limited per caller and target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimKeyPackages {
    /// The ciphersuite of the room.
    pub suite: u16,
    /// At most `limits::MAX_CLAIM`.
    pub devices: Vec<DeviceId>,
}

/// One claimed key package.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimedKeyPackage {
    /// The device.
    pub device: DeviceId,
    /// Its key package; absent where the device has none, is revoked, or may not be added by the caller.
    pub key_package: Option<Bytes>,
}

/// `POST /v1/rooms`: creates a room at epoch 0 with its creator as the only member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    /// The room's id and MLS group id, chosen by the client; idempotency key.
    pub room: RoomId,
    /// GroupInfo of epoch 0 (MLS message), without ratchet tree.
    pub group_info: Bytes,
    /// Ratchet tree of epoch 0 (`optional<Node> ratchet_tree<V>`).
    pub tree: Bytes,
    /// The commit that adds the first members, so that room and members appear in one transaction.
    #[serde(default)]
    pub commit: Option<CommitBundle>,
}

/// `POST /v1/rooms/{room}/commits`: a commit and all that has to appear with it, in one transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CommitBundle {
    /// Chosen by the client; idempotency key; also in the commit's authenticated data.
    pub id: MessageId,
    /// The epoch that the commit ends. Must be the room's current one.
    pub epoch: u64,
    /// The commit: MLS PublicMessage.
    pub commit: Bytes,
    /// The Welcome for the devices that the commit adds, if it adds any.
    #[serde(default)]
    pub welcome: Option<Bytes>,
    /// GroupInfo of the new epoch, signed by the committer, without ratchet tree: for rejoining.
    pub group_info: Bytes,
}

/// Answer to a commit bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Committed {
    /// The room's epoch after the commit.
    pub epoch: u64,
    /// The commit's place in the room's log.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
}

/// `POST /v1/rooms/{room}/messages`: also possible on the websocket, as a `send` frame.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Chosen by the client; idempotency key; also in the message's authenticated data.
    pub id: MessageId,
    /// MLS PrivateMessage of content type application.
    pub message: Bytes,
}

/// Answer to a message: durable when this arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sent {
    /// Place in the room's log.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
}

/// What a log entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An MLS commit (PublicMessage).
    Commit,
    /// An MLS application message (PrivateMessage).
    Message,
}

/// An entry of a room's log. Sequence numbers start at 1 and have no gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogEntry {
    /// Room.
    pub room: RoomId,
    /// Place in the log.
    pub seq: u64,
    /// When the server accepted it.
    pub at: Timestamp,
    /// The device that sent it, as the server authenticated it. MLS authenticates it again.
    pub sender: DeviceId,
    /// The sender's id for it.
    pub id: MessageId,
    /// What it is.
    pub kind: EntryKind,
    /// The MLS message.
    pub body: Bytes,
}

/// Answer to `GET /v1/rooms/{room}/log?after=&limit=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// Entries after the cursor, in order.
    pub entries: Vec<LogEntry>,
    /// The newest sequence number of the room.
    pub head: u64,
    /// The oldest that is still kept; entries before it have passed their retention.
    pub first: u64,
}

/// A room as its members see it (`GET /v1/rooms`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomView {
    /// Id.
    pub room: RoomId,
    /// Kind.
    pub kind: RoomKind,
    /// Organisation that it belongs to.
    pub org: OrgId,
    /// The callout that it is.
    pub callout: Option<CalloutId>,
    /// Current epoch.
    pub epoch: u64,
    /// Newest sequence number.
    pub head: u64,
    /// Member devices.
    pub members: Vec<DeviceId>,
}

/// `POST /v1/acks`: cumulative acknowledgement, after the client has stored what it received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Acks {
    /// Up to which entry each room's log is stored.
    #[serde(default)]
    pub rooms: Vec<RoomCursor>,
    /// Up to which item the inbox is stored.
    #[serde(default)]
    pub inbox: Option<u64>,
}

/// A place in a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoomCursor {
    /// Room.
    pub room: RoomId,
    /// Sequence number; 0 is before the first entry.
    pub seq: u64,
}

/// Answer to `GET /v1/rooms/{room}/group-info`: what a member's device needs to rejoin by external commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupState {
    /// Epoch of both.
    pub epoch: u64,
    /// The log's entry that made this epoch: reading continues after it.
    pub seq: u64,
    /// GroupInfo (MLS message), without ratchet tree.
    pub group_info: Bytes,
    /// Ratchet tree.
    pub tree: Bytes,
}

/// Answer to `GET /v1/rooms/{room}/welcomes/{epoch}`: only for a device that was added at that epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WelcomeBundle {
    /// Room.
    pub room: RoomId,
    /// The epoch that the Welcome leads into.
    pub epoch: u64,
    /// The commit's place in the log: reading continues after it.
    pub seq: u64,
    /// The Welcome (MLS message).
    pub welcome: Bytes,
    /// Ratchet tree of that epoch.
    pub tree: Bytes,
}

/// An item of a device's inbox. Sequence numbers start at 1 and have no gaps, per device, but for one that a restored
/// server makes: it goes on far above every place that it may have given out after the copy was made, and `prev` says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxItem {
    /// Place in the inbox.
    pub seq: u64,
    /// The place before it, where that is not `seq - 1`. A device takes an item if its own place lies between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<u64>,
    /// When it was put there.
    pub at: Timestamp,
    /// What it is.
    pub notice: Notice,
}

impl InboxItem {
    /// Whether this is the next item for a device that has everything up to `cursor`.
    pub fn follows(&self, cursor: u64) -> bool {
        self.seq > cursor && self.prev.unwrap_or(self.seq.saturating_sub(1)) <= cursor
    }
}

/// What the server tells one device. None of it is content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "views are the common case, and a notice lives only to be encoded")]
pub enum Notice {
    /// The device was added to a room: fetch the Welcome of this epoch, then read the log after `seq`.
    Welcome {
        /// Room.
        room: RoomId,
        /// Epoch of the Welcome.
        epoch: u64,
        /// Where reading starts.
        seq: u64,
    },
    /// The device is no longer a member of a room; no entry after `seq` will come.
    RoomLeft {
        /// Room.
        room: RoomId,
        /// Last entry that the device could read.
        seq: u64,
    },
    /// Duty: respond. The page of one callout.
    Page {
        /// Page id; answered with a `page_seen` frame.
        page: PageId,
        /// Callout.
        callout: CalloutId,
        /// 1 for the first call of this person, then counting up.
        attempt: u32,
        /// Whether it is a drill; absent: it is real.
        #[serde(skip_serializing_if = "Purpose::is_real", default)]
        purpose: Purpose,
    },
    /// No longer needed: stop the sound and the visible alarm together.
    StandDown {
        /// Callout.
        callout: CalloutId,
    },
    /// A callout as this person may see it, after each change.
    Callout {
        /// The projection.
        view: CalloutView,
    },
    /// Something that a person must hear of.
    Alarm {
        /// Callout.
        callout: CalloutId,
        /// What.
        alarm: Alarm,
    },
    /// Something that a supervisor has to look at, which belongs to no single callout.
    Attention {
        /// What.
        about: Attention,
    },
    /// Another agency's notice of a callout: the first, a reminder, or a change of it. To people of that agency alone.
    AgencyNotice {
        /// The attempt, where somebody is to hear of it now; answered with a `page_seen` frame.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        page: Option<PageId>,
        /// All that they see of the callout.
        view: AgencyNoticeView,
    },
    /// This person goes on duty, or off.
    HandOff {
        /// In which tier.
        tier: Tier,
        /// For callouts of which zone; absent: of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Code>,
        /// On duty from now on; else off duty.
        on: bool,
        /// Going on: until when, if that is within 90 days.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Going on: from whom; going off: to whom.
        with: Vec<PersonId>,
    },
    /// Devices that may be in this device's rooms were revoked: fetch the organisation's list and remove them.
    Revoked {
        /// Organisation whose list changed.
        org: OrgId,
        /// The revoked devices.
        devices: Vec<DeviceId>,
    },
    /// Members whom dispatch asks the room to remove: stood down, or no longer on the callout.
    RemoveFromRoom {
        /// Room.
        room: RoomId,
        /// Devices to remove; idempotent.
        devices: Vec<DeviceId>,
    },
    /// Duty: test. Confirm that this reached you: `POST /v1/readiness/{check}/confirm`. A test is never a callout.
    Test {
        /// The check.
        check: CheckId,
        /// 1 for the first test of this check, then counting up.
        attempt: u32,
    },
    /// Somebody on duty, or about to be, turned red on the readiness board, or is no longer red; for supervisors.
    Readiness {
        /// Who.
        person: PersonId,
        /// Where they stand now.
        level: ReadinessLevel,
    },
    /// A signing request or a partner's founding request waits for an admin.
    RequestPending {},
    /// Nobody fetched what stood here for as long as the server keeps it. It holds the place: the sequence has no gaps.
    Expired {},
}

/// Answer to `GET /v1/inbox?after=&limit=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxPage {
    /// Items after the cursor, in order.
    pub items: Vec<InboxItem>,
    /// The newest sequence number.
    pub head: u64,
}
