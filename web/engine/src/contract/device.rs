//! This browser: its store, how it is unlocked, who it is, how it joins.

use firstlight_protocol::{
    Bytes, DeviceId, OrgId, OrgKind, PersonId, Role, Secret, Timestamp, cert::Fingerprint, invite::InviteKind,
};
use serde::{Deserialize, Serialize};

/// No argument, or an answer that says only that it is done.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Nothing {}

/// How this browser stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Status {
    /// What can be done now.
    pub state: BrowserState,
    /// How the store can be unlocked; absent where there is none, or another tab has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unlock: Option<UnlockWays>,
    /// While unlocked: how far the device has come.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrolment: Option<Enrolment>,
    /// While unlocked and enrolled: whose device it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub me: Option<Holder>,
    /// While unlocked: after how many idle minutes it locks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lock_after_minutes: Option<u8>,
    /// While unlocked: whether the live connection stands.
    #[serde(default)]
    pub connected: bool,
    /// While unlocked: the duty number that this device saw last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duty_number: Option<String>,
}

/// What can be done in this browser now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BrowserState {
    /// There is no device here yet: `create`, then `join` or `found`.
    Empty,
    /// There is one; `unlock` it.
    Locked,
    /// Everything can be asked.
    Unlocked,
    /// Another tab writes. This one takes over by itself when that one closes, with an event `status`.
    OtherTab,
    /// There is a store that this version can't open: it is newer, or damaged. Nothing was changed.
    Unusable,
}

/// How far an unlocked device has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// Nothing is begun: `join` or `found`.
    None,
    /// The request is sent; an admin's client has to sign it.
    Waiting,
    /// It has its certificate.
    Enrolled,
    /// Its certificate is revoked: `erase`, then join again with a new invite.
    Revoked,
}

/// How a store can be unlocked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct UnlockWays {
    /// By passphrase.
    pub passphrase: bool,
    /// By a passkey: what to ask the authenticator for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub passkey: Option<PasskeyHint>,
    /// Failed attempts since the last good one.
    pub failures: u32,
    /// No attempt is taken before this moment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub locked_until: Option<Timestamp>,
}

/// What to ask an authenticator for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PasskeyHint {
    /// The credential's id.
    pub credential: Bytes,
    /// The input of its PRF extension.
    pub salt: Bytes,
}

/// What opens a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Unlocking {
    /// A passphrase.
    Passphrase {
        /// What the person typed.
        passphrase: Secret,
    },
    /// A passkey.
    Passkey(Passkey),
}

/// A passkey's part in unlocking.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Passkey {
    /// The credential's id.
    pub credential: Bytes,
    /// The input of its PRF extension: 32 random bytes, made when the passkey was.
    pub salt: Bytes,
    /// What its PRF extension answered: 32 bytes in base64url.
    pub secret: Secret,
}

/// A new passphrase.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct SetPassphrase {
    /// What unlocks the store now.
    pub current: Unlocking,
    /// The new one.
    pub passphrase: Secret,
}

/// When to lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct SetLockAfter {
    /// Idle minutes: 1 to 30.
    pub minutes: u8,
}

/// Whose device this is, as its verified certificates say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Holder {
    /// The person.
    pub person: PersonId,
    /// Their work name.
    pub work_name: String,
    /// Their role.
    pub role: Role,
    /// The device.
    pub device: DeviceId,
    /// The organisation.
    pub org: OrgId,
    /// What it is.
    pub org_kind: OrgKind,
    /// Its root's fingerprint.
    pub root: Fingerprint,
    /// Whether this browser holds a signing key of the organisation: it can invite, approve and revoke.
    pub can_sign: bool,
    /// When the device's certificate ends.
    pub valid_until: Timestamp,
}

/// An invite link.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct LinkText {
    /// As it was given, whole.
    pub link: Secret,
}

/// What an invite link is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct InviteInfo {
    /// The server.
    pub server: String,
    /// Whether that is where this page came from; if not, the link has to be opened there.
    pub here: bool,
    /// For a device, or for a partner organisation.
    pub kind: InviteKind,
    /// The organisation that invites.
    pub org: OrgId,
    /// Its root's fingerprint.
    pub root: Fingerprint,
}

/// What an organisation and its first admin are called.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Found {
    /// The one-time token that the operator finds in the server's data directory.
    pub token: Secret,
    /// The organisation's name.
    pub name: String,
    /// What it is.
    pub kind: OrgKind,
    /// The first admin's work name.
    pub admin_name: String,
}

/// The same for a partner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct FoundPartner {
    /// The host's invite link.
    pub link: Secret,
    /// The organisation's name.
    pub name: String,
    /// What it is, as the invite says.
    pub kind: OrgKind,
    /// The first admin's work name.
    pub admin_name: String,
}

/// A founded organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Founded {
    /// The organisation.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrgKind,
    /// Whether the host's admin has to state it first.
    pub pending: bool,
    /// What to print.
    pub sheet: RecoverySheet,
}

/// What an admin prints and locks away. Whoever has it can sign for the organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct RecoverySheet {
    /// The organisation.
    pub org: OrgId,
    /// The server.
    pub server: String,
    /// The root certificate's fingerprint: to compare over the telephone.
    pub root: Fingerprint,
    /// The fingerprint of the host's root certificate; absent where the organisation is the host itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host_root: Option<Fingerprint>,
    /// The root key: 64 hexadecimal digits in groups of four.
    pub root_key: Secret,
    /// The root certificate, DER in base64url: the key's other half.
    pub root_certificate: Bytes,
}

/// Which access token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct AccessTokenFor {
    /// The last one was refused (`token_expired`, `unauthenticated`): a new one is fetched.
    #[serde(default)]
    pub fresh: bool,
}

/// An access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
}
