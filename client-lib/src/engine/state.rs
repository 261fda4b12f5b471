//! The engine's own records, and where they stand in the map.

use super::{OutOfSync, RoomState};
use firstlight_protocol::{
    Bytes, DeviceId, MessageId, Problem, RoomId, Timestamp,
    api::{ClaimedKeyPackage, CommitBundle, CreateRoom},
    cert::DeviceIdentity,
    mls::{Content, RoomContext},
};
use openmls::prelude::KeyPackageRef;
use serde::{Deserialize, Serialize};

/// Keys of the map. MLS state stands under `mls/`.
pub(crate) mod key {
    use firstlight_protocol::{OrgId, RoomId};

    pub(crate) const DEVICE: &[u8] = b"device";
    pub(crate) const ANCHORS: &[u8] = b"anchors";
    pub(crate) const ADMIN: &[u8] = b"admin";
    pub(crate) const INBOX: &[u8] = b"inbox";
    pub(crate) const ORDER: &[u8] = b"order";
    pub(crate) const ROOMS: &[u8] = b"room/";
    pub(crate) const INTENTS: &[u8] = b"intent/";
    pub(crate) const WELCOMES: &[u8] = b"welcome/";
    pub(crate) const ORGANISATIONS: &[u8] = b"org/";
    pub(crate) const NOTICES: &[u8] = b"notice/";
    pub(crate) const KEY_PACKAGES: &[u8] = b"kp/";
    #[cfg(feature = "native")]
    pub(crate) const UPLOADS: &[u8] = b"upload/";
    pub(crate) const SETTINGS: &str = "set/";

    fn join(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    pub(crate) fn setting(name: &str) -> Vec<u8> {
        join(&[SETTINGS.as_bytes(), name.as_bytes()])
    }

    pub(crate) fn room(room: RoomId) -> Vec<u8> {
        join(&[ROOMS, room.as_bytes()])
    }

    pub(crate) fn members(room: RoomId) -> Vec<u8> {
        join(&[b"members/", room.as_bytes()])
    }

    pub(crate) fn admissions(room: RoomId) -> Vec<u8> {
        join(&[b"admissions/", room.as_bytes()])
    }

    pub(crate) fn intents(room: RoomId) -> Vec<u8> {
        join(&[INTENTS, room.as_bytes()])
    }

    pub(crate) fn intent(room: RoomId, order: u64) -> Vec<u8> {
        join(&[INTENTS, room.as_bytes(), &order.to_be_bytes()])
    }

    pub(crate) fn welcome(room: RoomId, epoch: u64) -> Vec<u8> {
        join(&[WELCOMES, room.as_bytes(), &epoch.to_be_bytes()])
    }

    pub(crate) fn organisation(org: OrgId) -> Vec<u8> {
        join(&[ORGANISATIONS, org.as_bytes()])
    }

    pub(crate) fn asked(org: OrgId) -> Vec<u8> {
        join(&[b"asked/", org.as_bytes()])
    }

    pub(crate) fn notice(seq: u64) -> Vec<u8> {
        join(&[NOTICES, &seq.to_be_bytes()])
    }

    #[cfg(feature = "native")]
    pub(crate) fn upload(attachment: firstlight_protocol::AttachmentId) -> Vec<u8> {
        join(&[UPLOADS, attachment.as_bytes()])
    }

    pub(crate) fn key_package(reference: &[u8]) -> Vec<u8> {
        join(&[KEY_PACKAGES, reference])
    }
}

/// A room on this device; its members stand beside it, as they change less often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoomRecord {
    pub(crate) room: RoomId,
    pub(crate) context: RoomContext,
    pub(crate) suite: u16,
    pub(crate) state: RoomState,
    pub(crate) epoch: u64,
    pub(crate) cursor: u64,
    pub(crate) unread: u32,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Why the room was lost, while it is being rejoined.
    #[serde(default)]
    pub(crate) lost: Option<OutOfSync>,
    /// The last entry that the server will give, once it has said that this device is out.
    #[serde(default)]
    pub(crate) leaves_at: Option<u64>,
    /// A person has said that this device rejoins the room with whoever is in it.
    #[serde(default)]
    pub(crate) accepts: bool,
}

/// A member: its leaf, and who its certificates say it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub(crate) leaf: u32,
    /// SHA-256 of credential and signature key: the same digest needs no second verification.
    pub(crate) digest: [u8; 32],
    pub(crate) identity: DeviceIdentity,
}

/// What a person, or the engine for them, wants of a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    /// Create the room; its first members stand in what was built.
    Create,
    /// Send a message.
    Send { content: Content },
    /// Add devices.
    Add { members: Vec<ClaimedKeyPackage> },
    /// Remove devices.
    Remove { devices: Vec<DeviceId> },
    /// Fresh keys.
    Update,
    /// External commit.
    Rejoin,
}

impl Wish {
    /// Whether it becomes a commit. Only one of those can be on its way per room.
    pub(crate) fn is_commit(&self) -> bool {
        !matches!(self, Self::Send { .. })
    }
}

/// A wish, from the moment it was voiced until the log shows that it came true.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Also the idempotency key of everything that is published for it: however often the ciphertext is rebuilt, the
    /// server accepts one of them.
    pub(crate) id: MessageId,
    pub(crate) room: RoomId,
    pub(crate) order: u64,
    pub(crate) at: Timestamp,
    pub(crate) wish: Wish,
    #[serde(default)]
    pub(crate) built: Option<Built>,
    /// The server's word that it is in the log; the log itself has not come that far yet.
    #[serde(default)]
    pub(crate) accepted: bool,
    /// The server has called this epoch stale: built again once the log has led past it.
    #[serde(default)]
    pub(crate) stale: Option<u64>,
    #[serde(default)]
    pub(crate) failed: Option<Problem>,
}

/// What is published for an intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Built {
    /// The epoch that it was built in.
    pub(crate) epoch: u64,
    pub(crate) body: Body,
}

/// The request's body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    Room(CreateRoom),
    Commit(CommitBundle),
    Message(Bytes),
}

/// A Welcome that was announced and not fetched yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PendingWelcome {
    pub(crate) room: RoomId,
    pub(crate) epoch: u64,
}

/// A key package of this device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyPackageRecord {
    /// openmls' reference, to delete it by.
    pub(crate) reference: KeyPackageRef,
    pub(crate) suite: u16,
    pub(crate) last_resort: bool,
    pub(crate) not_after: Timestamp,
    /// What is to be published; `None` once the server has it.
    pub(crate) unpublished: Option<Bytes>,
}
