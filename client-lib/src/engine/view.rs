//! What the engine shows: rooms, members, and what waits to be sent.

use super::{OutOfSync, state::Wish};
use firstlight_protocol::{
    DeviceId, MessageId, OrgKind, Problem, RoomId, Timestamp,
    cert::DeviceIdentity,
    mls::{Content, RoomContext},
};
use serde::{Deserialize, Serialize};

/// Where a room stands on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomState {
    /// Created here; the server has not confirmed it yet.
    Creating,
    /// A member, following the log.
    Joined,
    /// A member that can't follow: see [`super::Engine::rejoin`].
    OutOfSync(OutOfSync),
    /// An external commit is on its way; reading goes on after it.
    Rejoining,
    /// Not a member any more; what was read stays readable.
    Left,
}

/// A room as this device knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoomSummary {
    /// Id.
    pub room: RoomId,
    /// Kind, organisation and callout, authenticated by MLS.
    pub context: RoomContext,
    /// The name that a member gave it.
    pub name: Option<String>,
    /// Ciphersuite.
    pub suite: u16,
    /// Where it stands.
    pub state: RoomState,
    /// Epoch that this device has reached.
    pub epoch: u64,
    /// Log entries up to this one are stored here.
    pub cursor: u64,
    /// Messages of others since [`super::Engine::mark_read`].
    pub unread: u32,
    /// Members, this device included, each with verified certificates.
    pub members: Vec<DeviceIdentity>,
    /// Members whose devices are revoked and not removed yet: nothing is sent until they are gone.
    pub revoked_members: Vec<DeviceId>,
    /// Open questions to let another class of organisation in, oldest first.
    pub asks: Vec<Ask>,
}

/// Somebody asks to let another class of organisation into a room, which takes two people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ask {
    /// The message that asked.
    pub id: MessageId,
    /// The class.
    pub org_kind: OrgKind,
    /// Who asks, and may add people of that class once another person agreed.
    pub by: DeviceIdentity,
    /// Until when it can be answered; once it is agreed to, until when people can be added.
    pub until: Timestamp,
    /// Whether somebody's agreement counts.
    pub agreed: bool,
    /// Whether this device's person may agree.
    pub may_agree: bool,
    /// Who answered what; each person's newest answer.
    pub answers: Vec<Answered>,
}

/// One person's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// Who.
    pub by: DeviceIdentity,
    /// What.
    pub agrees: bool,
}

/// An intent that is not done yet: what "NOT SENT" on a screen is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// Id.
    pub id: MessageId,
    /// Room.
    pub room: RoomId,
    /// When the person wanted it.
    pub at: Timestamp,
    /// What they wanted.
    pub what: PendingKind,
    /// Why the server refused it for good; `None` while it is still on its way.
    pub failed: Option<Problem>,
}

/// What was wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingKind {
    /// A new room.
    Create,
    /// A message.
    Send(Content),
    /// Add devices.
    Add(Vec<DeviceId>),
    /// Remove devices.
    Remove(Vec<DeviceId>),
    /// Fresh keys for this device.
    Update,
    /// Rejoin by external commit.
    Rejoin,
}

impl From<&Wish> for PendingKind {
    fn from(wish: &Wish) -> Self {
        match wish {
            Wish::Create => Self::Create,
            Wish::Send { content } => Self::Send(content.clone()),
            Wish::Add { members } => Self::Add(members.iter().map(|m| m.device).collect()),
            Wish::Remove { devices } => Self::Remove(devices.clone()),
            Wish::Update => Self::Update,
            Wish::Rejoin => Self::Rejoin,
        }
    }
}

/// What two people compare to be sure that they are in the same room with the same members: the epoch's authenticator
/// (RFC 9420 §8.7) as groups of digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Safety {
    /// Epoch that it is for.
    pub epoch: u64,
    /// Six groups of five digits.
    pub number: String,
}
