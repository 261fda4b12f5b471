//! Signing in: challenge, signature, tokens, websocket ticket (DESIGN.md, "Identity"), and the duty key.

use crate::{
    id::{DeviceId, OrgId, PersonId, SessionId},
    role::{OrgKind, Role},
    time::Timestamp,
    wire::{Bytes, Secret},
};
use serde::{Deserialize, Serialize};

/// `POST /v1/auth/challenges`. The answer is the same shape for an unknown device, so that ids can't be probed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The device that wants to sign in.
    pub device: DeviceId,
}

/// A sign-in challenge; single use.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    /// 32 bytes, opaque.
    pub challenge: Bytes,
    /// After this it is worthless.
    pub expires_at: Timestamp,
}

/// `POST /v1/auth/sessions`: the answer to a challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The device.
    pub device: DeviceId,
    /// The challenge that was given out.
    pub challenge: Bytes,
    /// Signature of the device key over the challenge message (see `cert::challenge`).
    pub signature: Bytes,
}

/// `POST /v1/auth/refresh`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The newest refresh token. Using an older one revokes the whole family.
    pub refresh: Secret,
}

/// Tokens of a sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// The sign-in; ends when its refresh token is reused or the device is revoked.
    pub session: SessionId,
    /// JWT (EdDSA), for `Authorization: Bearer`.
    pub access: Secret,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// Opaque, single use: each refresh answers with the next one.
    pub refresh: Secret,
    /// When the refresh token ends, if it isn't used.
    pub refresh_expires_at: Timestamp,
}

/// `PUT /v1/devices/me/duty-key`: a second key of the calling device, which its holder uses without unlocking anything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutDutyKey {
    /// A P-256 public key as an uncompressed point, 65 bytes: what WebCrypto's `exportKey("raw")` gives.
    pub key: Bytes,
}

/// `POST /v1/auth/duty`: the answer to a challenge by the duty key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DutySignIn {
    /// The device.
    pub device: DeviceId,
    /// The challenge that was given out.
    pub challenge: Bytes,
    /// ECDSA over P-256 and SHA-256 of the duty challenge message (see `signed::duty_challenge_message`), as `r ‖ s` of 64
    /// bytes: what WebCrypto's `sign` gives.
    pub signature: Bytes,
}

/// Answer to `POST /v1/auth/duty`: what a locked device may do, for a few minutes. There is no refresh: the key signs in
/// again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DutyAccess {
    /// JWT (EdDSA) of scope `duty`, for `Authorization: Bearer`.
    pub access: Secret,
    /// When it ends.
    pub access_expires_at: Timestamp,
    /// Whose it is. With this token a supervisor may do what an advocate may, and a watch commander what an officer may:
    /// their own callouts.
    pub me: Me,
}

/// Answer to `POST /v1/auth/tickets`: opens one websocket once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// Goes into the first frame, never into a URL.
    pub ticket: Secret,
    /// After this it is worthless.
    pub expires_at: Timestamp,
}

/// `GET /v1/me`: who the server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Organisation.
    pub org: OrgId,
    /// What the organisation is.
    pub org_kind: OrgKind,
    /// Person.
    pub person: PersonId,
    /// Device.
    pub device: DeviceId,
    /// Role.
    pub role: Role,
    /// Work name.
    pub work_name: String,
}
