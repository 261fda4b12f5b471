//! What organisations state about each other and about their own devices.

use super::{Fingerprint, OrgIdentity};
use crate::signed::Statement;
use crate::{DeviceId, OrgId, OrgKind, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most devices and signers together that one revocation list names.
pub const MAX_REVOKED: usize = 4096;

/// The most partner organisations of one host.
pub const MAX_PARTNERS: usize = 4096;

/// The host says that an organisation is a partner, and which root it has; or that it no longer is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PartnerStatement {
    /// The partner.
    pub org: OrgId,
    /// What it is. Its chains are believed with this kind alone.
    pub kind: OrgKind,
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of its root certificate.
    pub root_fingerprint: Fingerprint,
    /// Counts the host's statements about this partner, from 1. A higher one replaces a lower one.
    pub number: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// The organisation is no longer a partner: nothing of it is believed.
    pub withdrawn: bool,
}

impl Statement for PartnerStatement {
    const CONTEXT: &'static str = "partner";
}

impl PartnerStatement {
    /// The first statement about a partner, from its root certificate (see [`crate::invite::PartnerRequest`]).
    pub fn first(root: OrgIdentity, issued_at: Timestamp) -> Self {
        let OrgIdentity { org, kind, name, root_fingerprint } = root;
        Self { org, kind, name, root_fingerprint, number: 1, issued_at, withdrawn: false }
    }

    /// The statement that withdraws this one.
    pub fn withdraw(&self, issued_at: Timestamp) -> Self {
        Self { number: self.number.saturating_add(1), issued_at, withdrawn: true, ..self.clone() }
    }
}

/// Everything that an organisation has revoked so far. A revocation is for good: a later list names at least as much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// The organisation; the list is signed by its root or one of its signers.
    pub org: OrgId,
    /// Counts the organisation's lists, from 1. A higher one replaces a lower one.
    pub number: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Revoked devices.
    pub devices: BTreeSet<DeviceId>,
    /// Revoked signers, with every device that they vouch for and every statement that they signed.
    pub signers: BTreeSet<Fingerprint>,
}

impl Statement for RevocationList {
    const CONTEXT: &'static str = "revocations";
}

impl RevocationList {
    /// An organisation's list before its first revocation; number 0, never signed.
    pub fn empty(org: OrgId) -> Self {
        Self { org, number: 0, issued_at: Timestamp(0), devices: BTreeSet::new(), signers: BTreeSet::new() }
    }

    /// The next list, with more devices and signers on it.
    pub fn next(
        &self,
        devices: impl IntoIterator<Item = DeviceId>,
        signers: impl IntoIterator<Item = Fingerprint>,
        issued_at: Timestamp,
    ) -> Self {
        let mut next = Self { number: self.number.saturating_add(1), issued_at, ..self.clone() };
        next.devices.extend(devices);
        next.signers.extend(signers);
        next
    }

    /// Whether everything on `older` is on this list too.
    pub(super) fn covers(&self, older: &Self) -> bool {
        self.devices.is_superset(&older.devices) && self.signers.is_superset(&older.signers)
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.devices.len().saturating_add(self.signers.len()) > MAX_REVOKED
    }
}
