//! What a client or the server trusts: pinned roots, partners that the host has stated, and revocations.

use super::{
    ChainError, DeviceIdentity, Fingerprint, MAX_PARTNERS, OrgIdentity, PartnerStatement, RevocationList,
    SignerIdentity, is_valid_name, verify_chain, verify_signer_chain,
};
use crate::signed::{Signed, Statement, StatementError};
use crate::{OrgId, OrgKind, RoomKind, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The roots that are trusted and everything revoked below them.
///
/// Roots come from two places. **Pinned**: the own organisation and the host, whose fingerprints stand in the invite
/// link; the server pins the organisations founded on it. A pin never changes. **Stated**: partners, each by the newest
/// [`PartnerStatement`] of the host. What a revoked signer of the host stated counts for nothing.
///
/// Store it with the rest of the state; every change comes from a verified statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchors {
    host: OrgId,
    pinned: BTreeMap<OrgId, Fingerprint>,
    partners: BTreeMap<OrgId, Stated>,
    revoked: BTreeMap<OrgId, RevocationList>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stated {
    by: Fingerprint,
    statement: PartnerStatement,
}

impl Anchors {
    /// Trusts the host organisation alone.
    pub fn new(host: OrgId, host_root: Fingerprint) -> Self {
        Self { host, pinned: BTreeMap::from([(host, host_root)]), partners: BTreeMap::new(), revoked: BTreeMap::new() }
    }

    /// Pins one more organisation's root. Pinning the same root again changes nothing; another root is refused.
    pub fn pin(&mut self, org: OrgId, root: Fingerprint) -> Result<(), ChainError> {
        let stated = self.partner(org).is_some_and(|p| p.root_fingerprint != root);
        if stated || *self.pinned.get(&org).unwrap_or(&root) != root {
            return Err(ChainError::UntrustedRoot);
        }
        self.pinned.insert(org, root);
        Ok(())
    }

    /// The pinned root of an organisation.
    pub fn pinned(&self, org: OrgId) -> Option<Fingerprint> {
        self.pinned.get(&org).copied()
    }

    /// The organisation that hosts the server.
    pub fn host(&self) -> OrgId {
        self.host
    }

    /// What the host states about a partner, withdrawn or not.
    pub fn partner(&self, org: OrgId) -> Option<&PartnerStatement> {
        self.partners.get(&org).filter(|s| !self.is_signer_revoked(self.host, s.by)).map(|s| &s.statement)
    }

    /// What the host states about each of its partners.
    pub fn partners(&self) -> impl Iterator<Item = &PartnerStatement> {
        self.partners.keys().filter_map(|org| self.partner(*org))
    }

    /// An organisation's newest revocation list, to build the next one on.
    pub fn revocations(&self, org: OrgId) -> RevocationList {
        self.revoked.get(&org).cloned().unwrap_or_else(|| RevocationList::empty(org))
    }

    /// Whether this root is the trusted one of its organisation, with this kind.
    pub fn check_root(&self, root: &OrgIdentity) -> Result<(), ChainError> {
        let pinned = self.pinned.get(&root.org);
        let stated = self.partner(root.org);
        if pinned.is_none() && stated.is_none() {
            return Err(ChainError::UnknownOrg);
        }
        if stated.is_some_and(|s| s.withdrawn) {
            return Err(ChainError::PartnerWithdrawn);
        }
        let another = pinned.is_some_and(|p| *p != root.root_fingerprint)
            || stated.is_some_and(|s| s.root_fingerprint != root.root_fingerprint || s.kind != root.kind);
        // The victim-services organisation hosts; agencies are partners (DOMAIN.md, "What the law turns into").
        if another || (root.org == self.host && root.kind != OrgKind::VictimServices) {
            return Err(ChainError::UntrustedRoot);
        }
        Ok(())
    }

    /// Whether the device, or the signer that vouches for it, is revoked.
    pub fn is_revoked(&self, device: &DeviceIdentity) -> bool {
        self.check_revoked(device).is_err()
    }

    fn check_revoked(&self, device: &DeviceIdentity) -> Result<(), ChainError> {
        if self.is_signer_revoked(device.org, device.signer_fingerprint) {
            return Err(ChainError::SignerRevoked);
        }
        if self.revoked.get(&device.org).is_some_and(|list| list.devices.contains(&device.device)) {
            return Err(ChainError::DeviceRevoked);
        }
        Ok(())
    }

    fn is_signer_revoked(&self, org: OrgId, signer: Fingerprint) -> bool {
        self.revoked.get(&org).is_some_and(|list| list.signers.contains(&signer))
    }

    /// Verifies a device's chain, and that nothing in it is revoked.
    pub fn verify_device<C: AsRef<[u8]>>(&self, chain: &[C], now: Timestamp) -> Result<DeviceIdentity, ChainError> {
        let device = verify_chain(chain, self, now)?;
        self.check_revoked(&device)?;
        Ok(device)
    }

    /// As [`Self::verify_device`], and the role may be a member of a room of this kind.
    ///
    /// Where a room has one organisation alone ([`RoomKind::single_org`]), compare [`DeviceIdentity::org`] as well.
    pub fn verify_member<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        room: RoomKind,
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let device = self.verify_device(chain, now)?;
        if room.admits(device.org_kind, device.role) { Ok(device) } else { Err(ChainError::RoleNotAdmitted) }
    }

    /// As [`Self::verify_member`], for an MLS leaf or key package: its signature key must be the certificate's
    /// (RFC 9420 §5.3). Without this check anybody could show somebody else's chain.
    pub fn verify_leaf<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        signature_key: &[u8],
        room: RoomKind,
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let device = self.verify_member(chain, room, now)?;
        if device.key == signature_key { Ok(device) } else { Err(ChainError::KeyMismatch) }
    }

    /// Reads a statement signed by a signer or the root of a trusted organisation.
    pub fn verify_org_statement<T: Statement>(
        &self,
        signed: &Signed<T>,
        now: Timestamp,
    ) -> Result<(T, SignerIdentity), StatementError> {
        let signer = verify_signer_chain(signed.chain(), now)?;
        self.check_root(&signer.org)?;
        if self.is_signer_revoked(signer.org.org, signer.fingerprint) {
            return Err(ChainError::SignerRevoked.into());
        }
        Ok((signed.verify(&signer.key)?, signer))
    }

    /// Reads a statement signed by a device that is not revoked.
    pub fn verify_device_statement<T: Statement>(
        &self,
        signed: &Signed<T>,
        now: Timestamp,
    ) -> Result<(T, DeviceIdentity), StatementError> {
        let device = self.verify_device(signed.chain(), now)?;
        Ok((signed.verify(&device.key)?, device))
    }

    /// Takes in what the host states about a partner. Says whether anything changed: the same statement again is fine,
    /// an older one is [`StatementError::Stale`].
    pub fn accept_partner(
        &mut self,
        signed: &Signed<PartnerStatement>,
        now: Timestamp,
    ) -> Result<bool, StatementError> {
        let (statement, signer) = self.verify_org_statement(signed, now)?;
        let org = statement.org;
        if signer.org.org != self.host || org == self.host || !is_valid_name(&statement.name) {
            return Err(StatementError::NotAllowed);
        }
        if self.pinned.get(&org).is_some_and(|pin| *pin != statement.root_fingerprint) {
            return Err(ChainError::UntrustedRoot.into());
        }
        match self.partner(org) {
            Some(known) if *known == statement => return Ok(false),
            Some(known) if known.number >= statement.number => return Err(StatementError::Stale),
            _ => {}
        }
        if self.partners.len() >= MAX_PARTNERS && !self.partners.contains_key(&org) {
            return Err(StatementError::TooLarge);
        }
        self.partners.insert(org, Stated { by: signer.fingerprint, statement });
        Ok(true)
    }

    /// Takes in an organisation's revocation list. Says whether anything changed, as [`Self::accept_partner`] does.
    ///
    /// Only the organisation itself can revoke its devices, and a signer that is already revoked can't sign any more.
    pub fn accept_revocations(
        &mut self,
        signed: &Signed<RevocationList>,
        now: Timestamp,
    ) -> Result<bool, StatementError> {
        let (list, signer) = self.verify_org_statement(signed, now)?;
        if signer.org.org != list.org {
            return Err(StatementError::NotAllowed);
        }
        if list.is_too_large() {
            return Err(StatementError::TooLarge);
        }
        let known = self.revocations(list.org);
        if known == list {
            return Ok(false);
        }
        if known.number >= list.number {
            return Err(StatementError::Stale);
        }
        if !list.covers(&known) {
            return Err(StatementError::Unrevokes);
        }
        self.revoked.insert(list.org, list);
        Ok(true)
    }
}
