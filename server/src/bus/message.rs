//! What nodes tell each other, and how it is sealed.
//!
//! A payload is one byte of version, sixteen bytes of HMAC-SHA256 over the rest, and CBOR: the sender and one message. It
//! names rooms and devices by their ids and holds no content, but "this device is revoked" is not for everybody to say:
//! who can write to Redis and lacks the nodes' key is not listened to, and neither is another installation that shares
//! the Redis by mistake.

use crate::limit;
use firstlight_protocol::{
    DeviceId, RoomId, SessionId,
    wire::{append_cbor, from_cbor},
};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// The first byte of every payload.
const VERSION: u8 = 1;
/// Bytes of the seal.
const TAG: usize = 16;
/// Ids in one message: a payload stays well below [`MAX_PAYLOAD`].
pub(super) const CHUNK: usize = 1024;
/// What is longer is not looked at.
const MAX_PAYLOAD: usize = 64 * 1024;

/// One node, from its start to its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(#[serde(with = "serde_bytes")] pub [u8; 16]);

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// One message. Losing any of them makes nothing wrong, only later; hearing one twice changes nothing, but for `Spent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Message {
    /// Logs of rooms reach so far.
    Rooms(Vec<(RoomId, u64)>),
    /// Members of rooms changed.
    Members(Vec<RoomId>),
    /// Inboxes grew.
    Inbox(Vec<DeviceId>),
    /// A timer or a page was written.
    Dispatch,
    /// The rota was replaced.
    Rota,
    /// Whom the server trusts, or whose sign-ins count, was changed: it stands in the store.
    Trust,
    /// Devices were revoked.
    Revoked(Vec<DeviceId>),
    /// Sign-ins ended.
    SignedOut(Vec<SessionId>),
    /// Devices that have so many sockets at the sender now.
    Presence(Vec<(DeviceId, u16)>),
    /// The sender lives, and what has to come out of all it said about presence.
    Beat {
        /// See [`super::presence::digest`].
        digest: u64,
    },
    /// What is known of a node's presence can't be right: it is asked for all of it.
    Want(NodeId),
    /// A part of all the devices at the sender; the last part makes them known.
    Snapshot {
        /// Forgets parts that came before.
        first: bool,
        /// Nothing follows.
        last: bool,
        /// Devices with their number of sockets.
        devices: Vec<(DeviceId, u16)>,
    },
    /// The sender stops.
    Leave,
    /// What was taken from allowances.
    Spent {
        /// The limit's name.
        limit: String,
        /// Slots, and how many were taken.
        slots: Vec<(u16, u32)>,
    },
}

/// Seals what this node says, and opens what others say.
#[derive(Clone)]
pub(super) struct Seal {
    node: NodeId,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Seal {
    pub(super) fn new(node: NodeId, key: &[u8; 32]) -> Self {
        Self { node, mac: limit::keyed(&limit::derive(key, b"firstlight bus 1")) }
    }

    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// The payload of a message.
    pub(super) fn seal(&self, message: &Message) -> Vec<u8> {
        let mut payload = vec![0; 1 + TAG];
        payload[0] = VERSION;
        let mut payload = append_cbor(payload, &(self.node, message)).unwrap_or_default();
        if let Some((head, body)) = payload.split_at_mut_checked(1 + TAG) {
            head[1..].copy_from_slice(&self.tag(body)[..TAG]);
        }
        payload
    }

    /// Who says what; nothing for a payload of another version, another key, or none of ours.
    pub(super) fn open(&self, payload: &[u8]) -> Option<(NodeId, Message)> {
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let (tag, body) = payload.strip_prefix(&[VERSION])?.split_at_checked(TAG)?;
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.verify_truncated_left(tag).ok()?;
        from_cbor(body).ok()
    }

    fn tag(&self, body: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_alone() {
        let (one, other) = (Seal::new(NodeId([1; 16]), &[1; 32]), Seal::new(NodeId([2; 16]), &[1; 32]));
        let device = |n: usize| DeviceId((n as u128).to_be_bytes());
        for message in [
            Message::Rooms((0..CHUNK).map(|n| (RoomId((n as u128).to_be_bytes()), u64::MAX)).collect()),
            Message::Members(vec![RoomId([7; 16])]),
            Message::Inbox((0..CHUNK).map(device).collect()),
            Message::Dispatch,
            Message::Want(NodeId([3; 16])),
            Message::Snapshot {
                first: true,
                last: false,
                devices: (0..CHUNK).map(|n| (device(n), u16::MAX)).collect(),
            },
            Message::Spent { limit: "sign_in".into(), slots: vec![(u16::MAX, u32::MAX); CHUNK] },
        ] {
            let mut payload = one.seal(&message);
            assert!(payload.len() <= MAX_PAYLOAD, "{}", payload.len());
            assert_eq!(other.open(&payload), Some((one.node(), message)));
            assert_eq!(Seal::new(NodeId([2; 16]), &[2; 32]).open(&payload), None, "another key");
            let last = payload.len() - 1;
            payload[last] ^= 1;
            assert_eq!(other.open(&payload), None, "changed");
            payload[last] ^= 1;
            payload[0] = 2;
            assert_eq!(other.open(&payload), None, "another version");
        }
        for garbage in [&[][..], &[1], &[1; 17], &[1; 100], &vec![1; MAX_PAYLOAD + 1]] {
            assert_eq!(other.open(garbage), None);
        }
    }
}
