//! Organisations, invites, enrolment, people and devices (DESIGN.md, "Identity").

use crate::{
    cert::{PartnerStatement, RevocationList},
    id::{DeviceId, InviteId, OrgId, PersonId},
    invite::{PartnerRequest, Sealed, SigningRequest},
    profile::{Bar, Profile},
    role::{OrgKind, Role},
    signed::Signed,
    time::Timestamp,
    wire::{Bytes, Secret},
};
use serde::{Deserialize, Serialize};

/// What the host states about a partner, signed. (Names without parameters: the OpenAPI derive wants them so.)
pub type SignedPartner = Signed<PartnerStatement>;
/// What an organisation has revoked, signed.
pub type SignedRevocations = Signed<RevocationList>;
/// A partner's founding request.
pub type SealedPartnerRequest = Sealed<PartnerRequest>;
/// A new device's request for a certificate.
pub type SealedSigningRequest = Sealed<SigningRequest>;

/// What allows an organisation to be created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FoundingProof {
    /// The host organisation: the one-time token that the operator finds in the server's data directory.
    Bootstrap {
        /// The token.
        token: Secret,
    },
    /// A partner: an invite of the host.
    Invite {
        /// The invite.
        invite: InviteId,
        /// The claim key derived from the link's secret (see `invite`).
        claim: Secret,
        /// The request, sealed for the host's admin who made the invite.
        request: SealedPartnerRequest,
    },
    /// No founding, but a restoring: the organisation is here, and its admins' devices are lost. Its root's signature stands
    /// for an invite.
    Restore {
        /// A sign-in challenge that the new device asked for.
        challenge: Bytes,
        /// Signature of the organisation's root key over it (see `signed::sign_restore`).
        signature: Bytes,
    },
}

/// `POST /v1/organisations`: founds an organisation with its first admin device, or restores it with a new one. The root key
/// stays with the admin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FoundOrganisation {
    /// The admin device's chain: device, signer, root. Everything else is read from it.
    pub admin_chain: Vec<Bytes>,
    /// What allows it.
    pub proof: FoundingProof,
}

/// Answer to `GET /v1/roots/{fingerprint}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootCertificate {
    /// The root certificate of that fingerprint, DER.
    pub root: Bytes,
}

/// Where an organisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrgStatus {
    /// The host organisation.
    Host,
    /// Founded, and waiting for an admin of the host to state its root.
    Pending,
    /// A partner that the host has stated.
    Partner,
    /// A partner that the host has withdrawn.
    Withdrawn,
}

/// An organisation as its own people and partners see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrgView {
    /// Id.
    pub org: OrgId,
    /// What it is.
    pub kind: OrgKind,
    /// Name.
    pub name: String,
    /// Root certificate, DER.
    pub root: Bytes,
    /// Status.
    pub status: OrgStatus,
    /// The host's signed statement about it, if it is or was a partner.
    pub statement: Option<SignedPartner>,
    /// The newest signed list of revoked devices and signers, if there ever was one.
    pub revocations: Option<SignedRevocations>,
    /// A founding request that waits for an admin of the host; shown to them only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub founding: Option<SealedPartnerRequest>,
}

/// `PUT /v1/organisations/{org}/statement`: what the host states about a partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutStatement {
    /// Signed by the host's root or one of its signers.
    pub statement: SignedPartner,
}

/// `PUT /v1/organisations/{org}/revocations`: everything that the organisation has revoked so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutRevocations {
    /// Signed by the organisation's root or one of its signers.
    pub revocations: SignedRevocations,
}

/// What an invite is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InviteFor {
    /// A device of a person of the inviter's organisation.
    Device {
        /// The person; new, or one who gets a further device (then role and work name stay theirs).
        person: PersonId,
        /// Their work name.
        work_name: String,
        /// Their role.
        role: Role,
    },
    /// A partner organisation on this server; only the host invites one.
    Organisation {
        /// What it will be.
        kind: OrgKind,
        /// Its name.
        name: String,
    },
}

/// `POST /v1/invites`. The secret never reaches the server: only the digest of the claim key does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateInvite {
    /// Chosen by the client; idempotency key.
    pub invite: InviteId,
    /// What it is for.
    #[serde(rename = "for")]
    pub purpose: InviteFor,
    /// SHA-256 of the claim key.
    pub claim_digest: Bytes,
    /// At most `limits::MAX_INVITE_LIFETIME` from now.
    pub expires_at: Timestamp,
}

/// Where an invite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InviteStatus {
    /// Not used yet.
    Open,
    /// Used: a request waits to be signed, or was signed.
    Used,
    /// Withdrawn by an admin.
    Withdrawn,
    /// Too old.
    Expired,
}

/// `GET /v1/invites`: an invite as admins see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteView {
    /// Id.
    pub invite: InviteId,
    /// What it is for.
    #[serde(rename = "for")]
    pub purpose: InviteFor,
    /// Status.
    pub status: InviteStatus,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// `POST /v1/invites/look`: what an invite is for, before it is used. No access token: the claim key is the proof.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookAtInvite {
    /// The invite.
    pub invite: InviteId,
    /// The claim key derived from the link's secret.
    pub claim: Secret,
}

/// An invite as whoever holds its link sees it. The server's word: certificates decide in the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteSeen {
    /// The organisation that invites.
    pub org_name: String,
    /// What it is for.
    #[serde(rename = "for")]
    pub purpose: InviteFor,
    /// Where it stands.
    pub status: InviteStatus,
}

/// `POST /v1/enrolments`: a new device uses its invite. No access token: the claim key is the proof.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The device's id, chosen by it.
    pub device: DeviceId,
    /// The claim key derived from the link's secret.
    pub claim: Secret,
    /// The signing request, sealed for the admin who made the invite.
    pub request: SealedSigningRequest,
}

/// `POST /v1/enrolments/status`: asked by the new device with its claim key until it is decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolmentQuery {
    /// The device.
    pub device: DeviceId,
    /// The claim key of its invite.
    pub claim: Secret,
}

/// Where an enrolment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum EnrolmentStatus {
    /// An admin's client has not decided yet.
    Pending,
    /// Signed: here is the chain (device, signer, root), to be verified against the link's fingerprint.
    Issued {
        /// The chain.
        chain: Vec<Bytes>,
    },
    /// An admin refused it.
    Refused,
}

/// `GET /v1/enrolments`: a request that waits for an admin's client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingEnrolment {
    /// The device.
    pub device: DeviceId,
    /// What its invite was for.
    #[serde(rename = "for")]
    pub purpose: InviteFor,
    /// The request, to be opened with the invite's secret.
    pub request: SealedSigningRequest,
    /// When it arrived.
    pub at: Timestamp,
}

/// `POST /v1/enrolments/{device}/certificate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IssueCertificate {
    /// Device, signer, root.
    pub chain: Vec<Bytes>,
}

/// A person of the caller's organisation (`GET /v1/people`), or one whom the caller may add to a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonView {
    /// Id.
    pub person: PersonId,
    /// Organisation.
    pub org: OrgId,
    /// Work name.
    pub work_name: String,
    /// Role.
    pub role: Role,
    /// Devices, revoked ones included for admins.
    pub devices: Vec<DeviceView>,
    /// Codes of languages that the person works in.
    #[serde(default)]
    pub languages: Vec<String>,
}

/// A device in the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceView {
    /// Id.
    pub device: DeviceId,
    /// Chain: device, signer, root. To be verified, not believed.
    pub chain: Vec<Bytes>,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last connected; shown to the organisation's admins and supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen_at: Option<Timestamp>,
}

/// `PATCH /v1/people/{person}`: what an admin or supervisor keeps about a person for dispatch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdatePerson {
    /// Codes of languages that the person works in.
    #[serde(default)]
    pub languages: Option<Vec<String>>,
}

/// Answer to `GET` and `PUT /v1/people/{person}/profile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProfileView {
    /// Whose.
    pub person: PersonId,
    /// Rises with every change; 0 while nothing was ever set.
    pub version: u64,
    /// The profile.
    pub profile: Profile,
    /// Those of its bars that the person has set themself, and alone may lift.
    pub own_bars: Vec<Bar>,
}

/// `PUT /v1/people/{person}/profile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutProfile {
    /// The version that was read.
    pub version: u64,
    /// The profile as it shall be.
    pub profile: Profile,
}

/// `POST /v1/directory`: looks up people whom the caller may add to a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DirectoryQuery {
    /// The people.
    pub people: Vec<PersonId>,
}
