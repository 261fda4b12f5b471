//! Why a chain is not believed.

use crate::{ErrorCode, Problem};
use std::fmt;

/// Which certificate of a chain.
///
/// | | basicConstraints | keyUsage | identifiers |
/// |---|---|---|---|
/// | root | CA, path length 1 | digitalSignature, keyCertSign | org, org-kind |
/// | signer | CA, path length 0 | digitalSignature, keyCertSign | org, org-kind |
/// | device | not a CA | digitalSignature | org, org-kind, person, device, role |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The organisation's self-signed root.
    Root,
    /// A signer, issued by the root, on an admin's device.
    Signer,
    /// A device, issued by a signer.
    Device,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Signer => "signer",
            Self::Device => "device",
        })
    }
}

/// A rule of the profile that one certificate breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertRule {
    /// Larger than [`super::MAX_CERT_BYTES`].
    #[error("is too large")]
    TooLarge,
    /// Not the DER of a version 3 certificate, with bytes to spare, or encoded in more than one possible way.
    #[error("is not a canonical DER certificate")]
    Malformed,
    /// Its key or signature algorithm is not Ed25519 without parameters (RFC 8410 §3).
    #[error("does not use Ed25519")]
    Algorithm,
    /// Its public key is not a point of the curve, or of small order.
    #[error("has an unusable public key")]
    Key,
    /// The key stands in another certificate of the chain too.
    #[error("uses the key of another certificate")]
    KeyReused,
    /// The serial number is zero or negative (RFC 5280 §4.1.2.2).
    #[error("has no positive serial number")]
    Serial,
    /// The subject is not a single common name of an allowed form.
    #[error("has no valid common name")]
    Name,
    /// The issuer's name is not the subject of the certificate above (RFC 5280 §6.1.3 a 4).
    #[error("names another issuer")]
    Issuer,
    /// The authority key identifier is missing or not that of the certificate above.
    #[error("names another issuer's key")]
    IssuerKey,
    /// The signature does not verify with the key of the certificate above.
    #[error("has a signature that does not verify")]
    Signature,
    /// The CA flag or the path length is not that of its level, or not critical.
    #[error("has the wrong basic constraints")]
    BasicConstraints,
    /// The key usage is not that of its level, or not critical.
    #[error("has the wrong key usage")]
    KeyUsage,
    /// An extension that the profile requires is missing or malformed.
    #[error("lacks a required extension")]
    MissingExtension,
    /// The same extension stands twice (RFC 5280 §4.2).
    #[error("carries an extension twice")]
    DuplicateExtension,
    /// An unknown critical extension (RFC 5280 §4.2), or one that would restrict the key's use.
    #[error("carries an extension that is not understood")]
    UnknownExtension,
    /// An identifier of its level is missing from the subject alternative name.
    #[error("lacks an identifier")]
    MissingIdentifier,
    /// The same identifier stands twice.
    #[error("carries an identifier twice")]
    DuplicateIdentifier,
    /// A name that is no identifier of its level, or not in its canonical form.
    #[error("carries an identifier that does not belong there")]
    UnknownIdentifier,
    /// Not valid yet.
    #[error("is not valid yet")]
    NotYetValid,
    /// Not valid any more.
    #[error("has expired")]
    Expired,
}

/// Why a chain is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Not exactly device, signer, root.
    #[error("the chain does not have the expected number of certificates")]
    Length,
    /// One certificate breaks a rule of the profile.
    #[error("the {0} certificate {1}")]
    Certificate(Level, CertRule),
    /// The certificates are not all of one organisation.
    #[error("the certificates belong to different organisations")]
    OrgMismatch,
    /// The certificates do not agree on the kind of organisation.
    #[error("the certificates state different kinds of organisation")]
    OrgKindMismatch,
    /// An organisation of this kind may not give out this role ([`crate::OrgKind::may_grant`]).
    #[error("an organisation of this kind may not grant that role")]
    RoleNotGranted,
    /// The organisation is not known here.
    #[error("the organisation is not known")]
    UnknownOrg,
    /// The organisation is known with another root, or another kind.
    #[error("the root is not the one that is trusted for this organisation")]
    UntrustedRoot,
    /// The host has withdrawn the partner organisation.
    #[error("the organisation is no longer a partner")]
    PartnerWithdrawn,
    /// The device is on its organisation's revocation list.
    #[error("the device is revoked")]
    DeviceRevoked,
    /// The signer is on its organisation's revocation list.
    #[error("the signer that vouches for it is revoked")]
    SignerRevoked,
    /// The chain is for another key than the one presented (RFC 9420 §5.3).
    #[error("the certificate is for another key")]
    KeyMismatch,
    /// The role may not be a member of this kind of room ([`crate::RoomKind::admits`]).
    #[error("a room of this kind does not admit that role")]
    RoleNotAdmitted,
}

impl ChainError {
    /// The code that goes over the wire.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::DeviceRevoked | Self::SignerRevoked => ErrorCode::DeviceRevoked,
            Self::RoleNotAdmitted => ErrorCode::RoleNotAdmitted,
            _ => ErrorCode::BadChain,
        }
    }
}

impl From<ChainError> for Problem {
    fn from(error: ChainError) -> Self {
        Self::with(error.code(), format!("Namely, {error}."))
    }
}
