//! What a newcomer asks the admin to sign, sealed so that the server that carries it can't change it.

use super::{InviteError, InviteKeys};
use crate::cert::{ChainError, OrgIdentity, root_key, verify_root};
use crate::signed::{MAX_PAYLOAD_BYTES, Statement, StatementError, sign_bytes, verify_bytes};
use crate::wire::{from_cbor, to_cbor};
use crate::{Bytes, DeviceId, InviteId, OrgId, OrgKind, Timestamp};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use std::{fmt, marker::PhantomData};

/// A request that comes with an invite, and the key whose possession it has to prove.
pub trait InviteRequest: Statement {
    /// The invite it belongs to.
    fn invite(&self) -> InviteId;

    /// The Ed25519 public key that the maker must hold. Also refuses a request that contradicts itself.
    fn key(&self) -> Result<[u8; 32], InviteError>;
}

/// A new device asks for a certificate. Person, role and name are not the newcomer's to choose: they stand in the admin's
/// invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SigningRequest {
    /// The invite.
    pub invite: InviteId,
    /// The device's id, chosen by the device.
    pub device: DeviceId,
    /// The device's Ed25519 public key.
    #[serde(with = "crate::cert::key_bytes")]
    #[cfg_attr(feature = "openapi", schema(value_type = Bytes))]
    pub key: [u8; 32],
    /// When the device made the request.
    pub created_at: Timestamp,
}

impl Statement for SigningRequest {
    const CONTEXT: &'static str = "signing-request";
}

impl InviteRequest for SigningRequest {
    fn invite(&self) -> InviteId {
        self.invite
    }

    fn key(&self) -> Result<[u8; 32], InviteError> {
        Ok(self.key)
    }
}

/// A new partner organisation asks the host to believe its root. Possession is proven with the root's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PartnerRequest {
    /// The invite.
    pub invite: InviteId,
    /// The new organisation, as in its root certificate.
    pub org: OrgId,
    /// What it is, as in its root certificate.
    pub kind: OrgKind,
    /// Its root certificate, DER.
    pub root: Bytes,
    /// When the request was made.
    pub created_at: Timestamp,
}

impl Statement for PartnerRequest {
    const CONTEXT: &'static str = "partner-request";
}

impl PartnerRequest {
    /// The organisation as its root certificate states it, which must agree with the request.
    pub fn organisation(&self) -> Result<OrgIdentity, ChainError> {
        let root = verify_root(&self.root)?;
        if root.org != self.org {
            return Err(ChainError::OrgMismatch);
        }
        if root.kind != self.kind {
            return Err(ChainError::OrgKindMismatch);
        }
        Ok(root)
    }
}

impl InviteRequest for PartnerRequest {
    fn invite(&self) -> InviteId {
        self.invite
    }

    fn key(&self) -> Result<[u8; 32], InviteError> {
        self.organisation()?;
        Ok(root_key(&self.root)?)
    }
}

/// A request with its two proofs: a signature by the key that it is about, and a MAC under the invite's request key.
///
/// The signature covers the payload in the request's context. The MAC covers signature ‖ payload in the context
/// `<request's context>-mac` (see [`crate::signed`] for how a context is written).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sealed<T> {
    /// The request in CBOR.
    payload: Bytes,
    /// 64 bytes: the proof of possession.
    possession: Bytes,
    /// 32 bytes: HMAC-SHA256.
    mac: Bytes,
    #[serde(skip)]
    request: PhantomData<fn() -> T>,
}

impl<T: InviteRequest> Sealed<T> {
    /// Seals a request with the key that it is about and the keys of its invite.
    pub fn seal(request: &T, key: &SigningKey, keys: &InviteKeys) -> Result<Self, InviteError> {
        if request.invite() != keys.invite() {
            return Err(InviteError::OtherInvite);
        }
        if request.key()? != key.verifying_key().to_bytes() {
            return Err(StatementError::Signature.into());
        }
        let payload = to_cbor(request);
        let possession = sign_bytes(T::CONTEXT, &payload, key);
        let mac = keys.mac(&Self::mac_context(), &[&possession[..], &payload].concat())?;
        Ok(Self {
            payload: payload.into(),
            possession: possession.to_vec().into(),
            mac: mac.to_vec().into(),
            request: PhantomData,
        })
    }

    /// Reads a request on the side of the admin who holds the invite's secret: first the MAC, then the possession.
    pub fn open(&self, keys: &InviteKeys) -> Result<T, InviteError> {
        self.check_size()?;
        keys.check_mac(&Self::mac_context(), &[&*self.possession, &*self.payload].concat(), &self.mac)?;
        let request = self.read()?;
        if request.invite() == keys.invite() { Ok(request) } else { Err(InviteError::OtherInvite) }
    }

    /// Reads a request on the server, which has no key to check the MAC with: proves possession and shape, and says
    /// nothing about who made it. Never sign anything on the strength of this.
    pub fn open_unauthenticated(&self) -> Result<T, InviteError> {
        self.check_size()?;
        self.read()
    }

    fn read(&self) -> Result<T, InviteError> {
        let request: T = from_cbor(&self.payload).map_err(StatementError::from)?;
        verify_bytes(T::CONTEXT, &self.payload, &request.key()?, &self.possession)?;
        Ok(request)
    }

    fn check_size(&self) -> Result<(), InviteError> {
        let fits = self.payload.len() <= MAX_PAYLOAD_BYTES && self.possession.len() == 64 && self.mac.len() == 32;
        if fits { Ok(()) } else { Err(StatementError::TooLarge.into()) }
    }

    fn mac_context() -> String {
        format!("{}-mac", T::CONTEXT)
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        let Self { payload, possession, mac, request } = self;
        Self { payload: payload.clone(), possession: possession.clone(), mac: mac.clone(), request: *request }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.payload, &self.possession, &self.mac) == (&other.payload, &other.possession, &other.mac)
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.payload.len())
    }
}

#[cfg(feature = "openapi")]
impl<T> utoipa::PartialSchema for Sealed<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .description(Some("A request that comes with an invite: CBOR payload, proof of possession, HMAC-SHA256"))
            .property("payload", Bytes::schema())
            .required("payload")
            .property("possession", Bytes::schema())
            .required("possession")
            .property("mac", Bytes::schema())
            .required("mac")
            .into()
    }
}

#[cfg(feature = "openapi")]
impl<T> utoipa::ToSchema for Sealed<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        "SealedRequest".into()
    }
}
