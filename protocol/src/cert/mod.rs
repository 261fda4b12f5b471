//! Certificates: who a device belongs to, and the rules by which anyone believes it.
//!
//! A chain has three certificates, and travels as an MLS X.509 credential, leaf first (RFC 9420 §5.3):
//!
//! | certificate | issued by | held on | says |
//! |---|---|---|---|
//! | root | itself | the founding admin's device | organisation, kind of organisation |
//! | signer | root | an admin's device | the same |
//! | device | signer | the device | the same, and person, device, role |
//!
//! The server holds no private key of any of them. The profile is RFC 5280 with Ed25519 alone (RFC 8410), narrowed until
//! one way to say each thing is left; [`Level`] states what differs between the three, `protocol/docs/identity.md`
//! states the whole profile for implementers. Identifiers stand in the subject alternative name as URIs:
//!
//! ```text
//! urn:firstlight:org:<OrgId>  urn:firstlight:org-kind:<OrgKind>                                       all three
//! urn:firstlight:person:<PersonId>  urn:firstlight:device:<DeviceId>  urn:firstlight:role:<Role>      device only
//! ```
//!
//! What a chain is worth is decided by [`Anchors`]: which roots are trusted, and what has been revoked since.

mod anchors;
mod build;
mod error;
mod fingerprint;
mod parse;
mod profile;
mod statements;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use verify::root_key;

pub use anchors::Anchors;
pub use build::{BuildError, DeviceSubject, Lifetime, Serial, build_device, build_root, build_signer};
pub use error::{CertRule, ChainError, Level};
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use profile::{MAX_CERT_BYTES, MAX_NAME_CHARS, is_valid_name};
pub use statements::{MAX_PARTNERS, MAX_REVOKED, PartnerStatement, RevocationList};
pub use verify::{device_id, device_org, verify_chain, verify_root, verify_signer_chain};

use crate::{DeviceId, OrgId, OrgKind, PersonId, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// An organisation as its root certificate states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrgIdentity {
    /// The organisation.
    pub org: OrgId,
    /// What it is; fixes which roles its certificates may carry.
    pub kind: OrgKind,
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of its root certificate.
    pub root_fingerprint: Fingerprint,
}

/// Who issued a certificate or signed a statement of an organisation: a signer, or the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerIdentity {
    /// The organisation.
    pub org: OrgIdentity,
    /// The Ed25519 public key that signs.
    pub key: [u8; 32],
    /// SHA-256 of the certificate that holds the key: the signer's, or the root's.
    pub fingerprint: Fingerprint,
}

impl SignerIdentity {
    /// Whether the root itself signs.
    pub fn is_root(&self) -> bool {
        self.fingerprint == self.org.root_fingerprint
    }
}

/// A device as its verified chain states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceIdentity {
    /// The organisation that the device's holder works for.
    pub org: OrgId,
    /// What that organisation is.
    pub org_kind: OrgKind,
    /// The device's holder.
    pub person: PersonId,
    /// The device.
    pub device: DeviceId,
    /// What the holder may do.
    pub role: Role,
    /// The name the holder uses at work, for people to read.
    pub work_name: String,
    /// The device's Ed25519 public key; also the signature key of its MLS leaves.
    #[serde(with = "key_bytes")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::Bytes))]
    pub key: [u8; 32],
    /// First moment of validity (whole seconds).
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// SHA-256 of the signer certificate that vouches for the device.
    pub signer_fingerprint: Fingerprint,
    /// SHA-256 of the organisation's root certificate.
    pub root_fingerprint: Fingerprint,
}

/// A 32-byte key in serde: base64url in JSON, a byte string in CBOR, like [`crate::Bytes`].
pub(crate) mod key_bytes {
    use crate::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(key: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        Bytes(key.to_vec()).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        Bytes::deserialize(d)?.0.try_into().map_err(|_| D::Error::custom("a key has 32 bytes"))
    }
}
