//! MLS conventions (RFC 9420): what an implementation on another MLS library has to do the same way.
//! The prose, with what the server checks, is in `protocol/docs/mls.md`.

use crate::{
    admission::Consent,
    attachment::Attachment,
    id::{CalloutId, MessageId, OrgId},
    role::{OrgKind, RoomKind},
    wire::{Bytes, Malformed, from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize};
use tls_codec::{Deserialize as _, Serialize as _, VLBytes};

/// The default ciphersuite: hybrid post-quantum X-Wing (ML-KEM-768 + X25519), AES-128-GCM, SHA-256, Ed25519.
/// The codepoint is provisional (draft-ietf-mls-pq-ciphersuites): it stands here and nowhere else.
pub const SUITE_HYBRID: u16 = 0x004F;
/// Suite 1 of RFC 9420, for interoperability: X25519, AES-128-GCM, SHA-256, Ed25519.
pub const SUITE_CLASSIC: u16 = 0x0001;
/// The suites that a server may be configured to allow, best first. All sign with Ed25519.
pub const SUITES: [u16; 2] = [SUITE_HYBRID, SUITE_CLASSIC];

/// GroupContext extension (private use) that carries a [`RoomContext`]: every member's client reads the room's kind
/// from the authenticated group state, so that no server can call an advocate room something else.
pub const ROOM_CONTEXT_EXTENSION: u16 = 0xF1F0;

/// Out-of-order tolerance of the sender ratchet. The room's log is totally ordered, so little is needed.
pub const OUT_OF_ORDER_TOLERANCE: u32 = 32;
/// How far the sender ratchet may be wound forward over messages that were never published.
pub const MAX_FORWARD_DISTANCE: u32 = 2_000;

/// What a room is, fixed at its creation and authenticated by MLS for its whole life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomContext {
    /// Fixes which roles may be members.
    pub kind: RoomKind,
    /// The organisation that the room belongs to (all members' organisation, if the kind says single organisation).
    pub org: OrgId,
    /// The callout that this room is, if the kind is `callout`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callout: Option<CalloutId>,
}

impl RoomContext {
    /// The extension's bytes: CBOR.
    pub fn encode(&self) -> Vec<u8> {
        to_cbor(self)
    }

    /// Reads the extension's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        from_cbor(bytes)
    }
}

/// Authenticated data of every application message, and of a commit without consents: version 1, then the 16 bytes of
/// the id under which it is sent. It ties the ciphertext to its idempotency key, so that a server can't replay it under
/// another.
pub fn authenticated_data(id: MessageId) -> Vec<u8> {
    let mut out = Vec::with_capacity(17);
    out.push(1);
    out.extend_from_slice(id.as_bytes());
    out
}

/// Reads an application message's authenticated data.
pub fn parse_authenticated_data(aad: &[u8]) -> Result<MessageId, Malformed> {
    match aad.split_first() {
        Some((1, id)) => MessageId::try_from(id).map_err(|_| NOT_AUTHENTICATED_DATA),
        _ => Err(NOT_AUTHENTICATED_DATA),
    }
}

/// Authenticated data of a commit: with consents version 2, the id, and the consents as a CBOR array.
pub fn commit_data(id: MessageId, consents: &[Consent]) -> Vec<u8> {
    let mut out = authenticated_data(id);
    if let (Some(version), false) = (out.first_mut(), consents.is_empty()) {
        *version = 2;
        out.extend(to_cbor(&consents));
    }
    out
}

/// Reads a commit's authenticated data. There are at most as many consents as classes of organisations.
pub fn parse_commit_data(aad: &[u8]) -> Result<(MessageId, Vec<Consent>), Malformed> {
    let Some((2, rest)) = aad.split_first() else {
        return Ok((parse_authenticated_data(aad)?, Vec::new()));
    };
    let (id, consents) = rest.split_at_checked(16).ok_or(NOT_AUTHENTICATED_DATA)?;
    if consents.len() > MAX_CONSENT_BYTES {
        return Err(NOT_AUTHENTICATED_DATA);
    }
    let consents: Vec<Consent> = from_cbor(consents)?;
    if consents.is_empty() || consents.len() > OrgKind::ALL.len() {
        return Err(NOT_AUTHENTICATED_DATA);
    }
    Ok((MessageId::try_from(id).map_err(|_| NOT_AUTHENTICATED_DATA)?, consents))
}

const NOT_AUTHENTICATED_DATA: Malformed = Malformed { expected: "authenticated data" };
/// Several times what the consents of all classes need.
const MAX_CONSENT_BYTES: usize = 8 * 1024;

/// The content of an X.509 credential (RFC 9420 §5.3) without its outer length: each certificate as `opaque<V>`, the
/// device's first, then its signer's, then the root's.
pub fn credential_content(chain: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::with_capacity(chain.iter().map(|c| c.len() + 4).sum());
    for certificate in chain {
        // Writing into a vector fails only past 2^30 bytes; certificates are bounded far below.
        let _ = VLBytes::new(certificate.to_vec()).tls_serialize(&mut out);
    }
    out
}

/// The certificates in an X.509 credential's content. At most four, so that a hostile credential costs nothing.
pub fn chain_of_credential(mut content: &[u8]) -> Result<Vec<Bytes>, Malformed> {
    let mut chain = Vec::new();
    while !content.is_empty() {
        let certificate =
            VLBytes::tls_deserialize(&mut content).map_err(|_| Malformed { expected: "certificate chain" })?;
        chain.push(Bytes(certificate.into()));
        if chain.len() > 4 {
            return Err(Malformed { expected: "certificate chain" });
        }
    }
    Ok(chain)
}

/// The plaintext of an application message, in CBOR. Unknown kinds are kept and shown as "made by a newer version".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Text that a person wrote.
    Text {
        /// The text.
        text: String,
        /// The message that this answers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reply_to: Option<MessageId>,
    },
    /// A callout's encrypted details: the first message of its room.
    Details(CalloutDetails),
    /// The room's name and purpose; the server never learns it.
    Profile {
        /// The room's name.
        name: String,
    },
    /// A file: what opens the sealed chunks that the server keeps.
    Attachment(Attachment),
    /// Asks to let another class of organisation into the room (see [`crate::admission`]); the message's id names it.
    AskToAdmit {
        /// The class.
        org_kind: OrgKind,
    },
    /// A second person agrees: whoever asked may add people of that class.
    Agree {
        /// The message that asked.
        ask: MessageId,
        /// What the commit that adds them carries.
        consent: Consent,
    },
    /// A second person doesn't agree; from whoever asked, it takes the question back.
    Disagree {
        /// The message that asked.
        ask: MessageId,
    },
}

/// What an officer tells the responder and nobody else (DOMAIN.md, "The callout": the end-to-end encrypted fields).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutDetails {
    /// Exact address.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub address: String,
    /// Entrance, parking, staging point.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub arrival: String,
    /// Injuries and needs.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub needs: String,
    /// Kit size.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub kit: String,
    /// Free text; the client warns: no names, no criminal-justice data.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub notes: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_content_round_trips_and_is_bounded() {
        let chain: Vec<Bytes> = vec![vec![1; 300].into(), vec![2; 40].into(), vec![3; 1].into()];
        let content = credential_content(&chain);
        assert_eq!(chain_of_credential(&content).unwrap(), chain);
        assert!(chain_of_credential(&content[..content.len() - 1]).is_err());
        let many: Vec<Bytes> = (0..5).map(|i| vec![i].into()).collect();
        assert!(chain_of_credential(&credential_content(&many)).is_err());
    }

    #[test]
    fn authenticated_data_carries_the_id() {
        let id = MessageId([9; 16]);
        assert_eq!(parse_authenticated_data(&authenticated_data(id)).unwrap(), id);
        assert!(parse_authenticated_data(&[2; 17]).is_err());
        assert!(parse_authenticated_data(&[1; 16]).is_err());
        assert!(parse_authenticated_data(&[]).is_err());
    }

    #[test]
    fn a_commits_data_carries_consents_and_a_messages_none() {
        use crate::{DeviceId, PersonId, RoomId, Timestamp, admission::AdmissionConsent};
        let id = MessageId([9; 16]);
        let given = AdmissionConsent {
            room: RoomId([1; 16]),
            org_kind: OrgKind::LawEnforcement,
            to: PersonId([2; 16]),
            ask: MessageId([3; 16]),
            epoch: 4,
            expires_at: Timestamp(5),
        };
        let key = ed25519_dalek::SigningKey::from_bytes(&[6; 32]);
        let consent = Consent::give(&given, DeviceId([7; 16]), &key);
        assert_eq!(commit_data(id, &[]), authenticated_data(id), "without consents they are alike");
        let data = commit_data(id, std::slice::from_ref(&consent));
        assert_eq!(parse_commit_data(&data).unwrap(), (id, vec![consent.clone()]));
        assert_eq!(parse_commit_data(&authenticated_data(id)).unwrap(), (id, Vec::new()));
        assert!(parse_authenticated_data(&data).is_err(), "a message carries none");
        let many = vec![consent; OrgKind::ALL.len() + 1];
        for bad in [&data[..data.len() - 1], &data[..17], &data[..9], &commit_data(id, &many)] {
            assert!(parse_commit_data(bad).is_err());
        }
        assert!(parse_commit_data(&[&data[..], &[0]].concat()).is_err(), "nothing stands behind them");
    }
}
