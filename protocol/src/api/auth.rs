//! Signing in: challenge, signature, tokens, websocket ticket (DESIGN.md, "Identity").

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
