//! What admins do: invite, approve by signing, withdraw.

use firstlight_protocol::{
    DeviceId, InviteId, OrgId, OrgKind, PersonId, Role, Secret, Timestamp,
    api::{InviteFor, InviteStatus},
    cert::Fingerprint,
};
use serde::{Deserialize, Serialize};

/// Which device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfDevice {
    /// The device.
    pub device: DeviceId,
}

/// Which organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfOrg {
    /// The organisation.
    pub org: OrgId,
}

/// Which invite.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfInvite {
    /// The invite.
    pub invite: InviteId,
}

/// What waits for this admin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PendingRequests {
    /// Devices that want a certificate.
    pub devices: Vec<PendingDevice>,
    /// Partner organisations that want to be stated; for the host's admins.
    pub partners: Vec<PendingPartner>,
}

/// A device that wants a certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PendingDevice {
    /// The device.
    pub device: DeviceId,
    /// Whose it will be, as the invite made here says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
    /// Their work name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_name: Option<String>,
    /// Their role.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// When the request arrived.
    pub at: Timestamp,
    /// Why it can't be signed here, in a sentence; absent: it can.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// A partner that wants to be stated.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PendingPartner {
    /// The organisation.
    pub org: OrgId,
    /// What it is.
    pub kind: OrgKind,
    /// Its name, from its root certificate where that could be checked.
    pub name: String,
    /// Its root's fingerprint, to be compared over the telephone.
    pub root: Fingerprint,
    /// Why it can't be stated here, in a sentence; absent: it can.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// An invite to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct MakeInvite {
    /// What for.
    #[serde(rename = "for")]
    pub purpose: InviteWanted,
    /// How many hours it lasts: at most 336.
    pub hours: u16,
}

/// What an invite is wanted for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InviteWanted {
    /// A device of a person.
    Device {
        /// Somebody who is here already and gets a further device; absent: somebody new.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        person: Option<PersonId>,
        /// Their work name.
        work_name: String,
        /// Their role.
        role: Role,
    },
    /// A partner organisation; only the host invites one.
    Organisation {
        /// What it will be.
        org_kind: OrgKind,
        /// Its name.
        name: String,
    },
}

/// An invite that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct MadeInvite {
    /// The invite.
    pub invite: InviteId,
    /// Whoever has it may join, once. For a QR code, or another way that is not this server.
    pub link: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Invites of this organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Invites {
    /// They.
    pub invites: Vec<Invite>,
}

/// An invite.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Invite {
    /// The invite.
    pub invite: InviteId,
    /// What it is for.
    #[serde(rename = "for")]
    pub purpose: InviteFor,
    /// Where it stands.
    pub status: InviteStatus,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Its link, if it is open and was made here: only here can what comes back be signed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<Secret>,
}
