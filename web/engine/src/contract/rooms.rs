//! Rooms and what is said in them.

use firstlight_protocol::{
    CalloutId, DeviceId, MessageId, OrgId, OrgKind, PersonId, Problem, Role, RoomId, RoomKind, Timestamp,
    cert::DeviceIdentity, mls::CalloutDetails,
};
use serde::{Deserialize, Serialize};

/// Which room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfRoom {
    /// The room.
    pub room: RoomId,
}

/// Which message of this device's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfMessage {
    /// Its id.
    pub id: MessageId,
}

/// All rooms of this device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Rooms {
    /// Newest activity first.
    pub rooms: Vec<RoomRow>,
}

/// A room in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct RoomRow {
    /// The room.
    pub room: RoomId,
    /// What it is for.
    pub kind: RoomKind,
    /// The organisation that it belongs to.
    pub org: OrgId,
    /// The callout that it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callout: Option<CalloutId>,
    /// The name that a member gave it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Where it stands on this device.
    pub state: RoomStanding,
    /// Messages of others that nobody has seen here.
    pub unread: u32,
    /// How many people are members.
    pub people: u32,
    /// Whether somebody of law enforcement can read it now.
    pub police_can_read: bool,
    /// The newest line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<Line>,
}

/// Where a room stands on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomStanding {
    /// Created here; the server has not confirmed it yet.
    Creating,
    /// A member, following.
    Joined,
    /// A member that can't follow: `rejoin`.
    OutOfSync,
    /// On its way back in.
    Rejoining,
    /// Not a member any more; what was read stays readable.
    Left,
}

/// One room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Room {
    /// As in the list.
    pub summary: RoomRow,
    /// Members' devices, this one included, each with verified certificates.
    pub members: Vec<Member>,
    /// Own messages that are not on the server yet, oldest first.
    pub unsent: Vec<Unsent>,
    /// Open questions to let another class of organisation in, oldest first.
    pub asks: Vec<Ask>,
    /// Why it can't be followed, if so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub out_of_sync: Option<OutOfSyncReason>,
    /// The MLS ciphersuite.
    pub suite: u16,
    /// How many changes of members it has seen.
    pub epoch: u64,
}

/// Somebody asks to let another class of organisation into a room, which takes two people.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Ask {
    /// The message that asked.
    pub id: MessageId,
    /// The class.
    pub org_kind: OrgKind,
    /// Who asks.
    pub by: DeviceIdentity,
    /// This person asks, and may add people of the class once it is agreed to.
    pub own: bool,
    /// Until when it can be answered, and people be added.
    pub until: Timestamp,
    /// Whether somebody's agreement counts.
    pub agreed: bool,
    /// Whether this person may agree.
    pub may_agree: bool,
    /// Each person's newest answer.
    pub answers: Vec<Answered>,
}

/// One person's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Answered {
    /// Who.
    pub by: DeviceIdentity,
    /// What.
    pub agrees: bool,
}

/// A question to ask in a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct AskToAdmit {
    /// The room.
    pub room: RoomId,
    /// The class of organisation.
    pub org_kind: OrgKind,
}

/// An answer to a question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct AnswerAsk {
    /// The room.
    pub room: RoomId,
    /// The question.
    pub ask: MessageId,
    /// The answer.
    pub agrees: bool,
}

/// Why a room can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutOfSyncReason {
    /// A change of the room did not verify.
    BadCommit,
    /// A change brought in a device that may not be in it.
    UntrustedMember,
    /// A change tried what nobody may do.
    ForbiddenCommit,
    /// Another class of organisation came in, and this device can't see that two people wanted it.
    UnseenConsent,
    /// The server no longer keeps what this device has missed.
    LogExpired,
    /// The room's keys on this device are missing or damaged.
    LostState,
    /// The server was restored from a copy and has forgotten what this device has.
    ServerForgot,
}

/// A member's device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Member {
    /// Who, from the chain that this device has verified: device, signer, root.
    pub identity: DeviceIdentity,
    /// This very device.
    pub own: bool,
    /// Its certificate is revoked: it is being removed, and nothing is sent until it is gone.
    pub revoked: bool,
}

/// An own message that the server does not have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Unsent {
    /// Its id.
    pub id: MessageId,
    /// Its room.
    pub room: RoomId,
    /// When it was written.
    pub at: Timestamp,
    /// What was wanted.
    pub what: UnsentKind,
    /// Why it was refused; absent while it is on its way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<Problem>,
}

/// What was wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UnsentKind {
    /// A text.
    Text {
        /// The text.
        text: String,
        /// What it answers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reply_to: Option<MessageId>,
    },
    /// A callout's details.
    Details {
        /// They.
        details: CalloutDetails,
    },
    /// The room's name.
    Named {
        /// It.
        name: String,
    },
    /// A file.
    Attachment {
        /// Its name.
        name: String,
        /// Bytes.
        size: u64,
    },
    /// A question to let a class of organisation in.
    AskToAdmit {
        /// The class.
        org_kind: OrgKind,
    },
    /// An answer to such a question.
    Answer {
        /// It.
        agrees: bool,
    },
    /// The room itself.
    Create {},
    /// More members.
    Add {
        /// Their devices.
        devices: Vec<DeviceId>,
    },
    /// Fewer members.
    Remove {
        /// Their devices.
        devices: Vec<DeviceId>,
    },
    /// Fresh keys, or the way back in.
    Keys {},
}

/// Which lines of a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct LinesOf {
    /// The room.
    pub room: RoomId,
    /// Those before this place, newest of them; with neither: the newest of all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<u64>,
    /// Those after this place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<u64>,
    /// At most so many: 1 to 200.
    pub limit: u16,
}

/// A page of lines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Lines {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// Whether there is more in the direction that was asked for.
    pub more: bool,
}

/// One line of a room's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Line {
    /// The room.
    pub room: RoomId,
    /// Its place: what stands later has a higher one. Not every place has a line.
    pub seq: u64,
    /// When the server accepted it.
    pub at: Timestamp,
    /// The message's id: what a reply names.
    pub id: MessageId,
    /// Who, from certificates that were verified here; absent where that was not possible.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sender: Option<DeviceIdentity>,
    /// This device sent it. A line stands in the log, so it is delivered to the server.
    pub own: bool,
    /// What it says.
    pub body: LineBody,
}

/// What a line says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LineBody {
    /// A text.
    Text {
        /// The text.
        text: String,
        /// What it answers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reply_to: Option<MessageId>,
    },
    /// A callout's details.
    Details {
        /// They.
        details: CalloutDetails,
    },
    /// Somebody named the room.
    Named {
        /// Its name now.
        name: String,
    },
    /// A file, which the command line can save.
    Attachment {
        /// Its name, safe to show.
        name: String,
        /// Bytes.
        size: u64,
    },
    /// Somebody asks to let a class of organisation in.
    AskToAdmit {
        /// The class.
        org_kind: OrgKind,
    },
    /// Somebody answers such a question.
    Answer {
        /// The message that asked.
        ask: MessageId,
        /// What they answer.
        agrees: bool,
    },
    /// A message that is here and can't be shown.
    Unreadable {
        /// Why.
        why: UnreadableReason,
    },
    /// Members changed.
    Members {
        /// Devices that came.
        added: Vec<DeviceIdentity>,
        /// Devices that went.
        removed: Vec<DeviceIdentity>,
    },
    /// This device joined here; it can't read what was before.
    Joined {
        /// Members at that moment.
        members: Vec<DeviceIdentity>,
    },
    /// This device came back here; it could not read what came after a place.
    Gap {
        /// That place.
        after: u64,
        /// Why it lost the room.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        why: Option<OutOfSyncReason>,
    },
}

/// Why a message can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnreadableReason {
    /// It does not parse, decrypt or verify.
    BadBytes,
    /// Its sender's certificates are not accepted, or revoked.
    UntrustedSender,
    /// It was made by a newer version.
    NewerVersion,
    /// This device sent it, and no longer has its text.
    OwnUnknown,
}

/// A text to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Send {
    /// The room.
    pub room: RoomId,
    /// The text: at most 32 KiB.
    pub text: String,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<MessageId>,
}

/// What was kept for sending.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Kept {
    /// Its id: the one that its line, or `not_sent`, will have.
    pub id: MessageId,
}

/// The kinds of rooms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct RoomKinds {
    /// They.
    pub kinds: Vec<RoomKindInfo>,
}

/// One kind of room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct RoomKindInfo {
    /// The kind.
    pub kind: RoomKind,
    /// Whether this person may create one and be in it.
    pub may_create: bool,
    /// Whether all members belong to one organisation.
    pub single_org: bool,
    /// Whether it takes two people to let another class of organisation in.
    pub takes_two: bool,
    /// Whether somebody of law enforcement could ever be in it.
    pub admits_police: bool,
    /// Who may be a member.
    pub admits: Vec<Admitted>,
}

/// A role of an organisation's kind.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Admitted {
    /// The organisation's kind.
    pub org_kind: OrgKind,
    /// The role.
    pub role: Role,
}

/// A room to create.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct CreateRoom {
    /// Fixes for good who can be a member.
    pub kind: RoomKind,
    /// Its name, which only members see.
    pub name: String,
    /// First members.
    pub people: Vec<PersonId>,
}

/// People and a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PeopleOf {
    /// The room.
    pub room: RoomId,
    /// The people.
    pub people: Vec<PersonId>,
}

/// What two people compare to be sure that they are in the same room with the same members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct SafetyNumber {
    /// The epoch that it is for: it changes with the members.
    pub epoch: u64,
    /// Six groups of five digits.
    pub number: String,
}
