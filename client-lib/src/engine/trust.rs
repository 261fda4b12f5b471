//! Who is believed: every credential in a group is a chain of certificates, verified before anything it signs counts.

use super::{Engine, EngineError, state::MemberRecord};
use firstlight_protocol::{
    Timestamp,
    cert::{ChainError, DeviceIdentity, verify_chain},
    mls::{RoomContext, chain_of_credential},
};
use openmls::prelude::{Credential, CredentialType, Member};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What was verified in the current step, by digest: in a catch-up the same few senders come again and again.
#[derive(Debug, Default)]
pub(crate) struct Verified(BTreeMap<[u8; 32], Result<DeviceIdentity, ChainError>>);

impl Verified {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// SHA-256 of a credential and the signature key beside it.
pub(crate) fn digest(credential: &Credential, signature_key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(signature_key);
    hash.update(credential.serialized_content());
    hash.finalize().into()
}

impl Engine {
    /// Verifies a leaf of a room: chain up to a trusted root, key, role and organisation for this kind of room.
    ///
    /// Revocation is left out on purpose: a member may be revoked while its Welcome or commit is on the way, and a
    /// client that refused the room then could not take part in the removal. Who is revoked is never added
    /// ([`Self::verify_candidate`]), never believed ([`Self::is_revoked`] is asked per message), and gets removed.
    pub(super) fn verify_leaf(
        &mut self,
        credential: &Credential,
        signature_key: &[u8],
        context: &RoomContext,
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let digest = digest(credential, signature_key);
        let identity = match self.verified.0.get(&digest) {
            Some(known) => known.clone()?,
            None => {
                let result = self.verify_credential(credential, signature_key, now);
                self.verified.0.insert(digest, result.clone());
                result?
            }
        };
        let admitted = context.kind.admits(identity.org_kind, identity.role)
            && !(context.kind.single_org() && identity.org != context.org);
        if admitted { Ok(identity) } else { Err(ChainError::RoleNotAdmitted) }
    }

    fn verify_credential(
        &self,
        credential: &Credential,
        signature_key: &[u8],
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let anchors = self.device.anchors.as_ref().ok_or(ChainError::UnknownOrg)?;
        if credential.credential_type() != CredentialType::X509 {
            return Err(ChainError::Length);
        }
        let chain = chain_of_credential(credential.serialized_content()).map_err(|_| ChainError::Length)?;
        let identity = verify_chain(&chain, anchors, now)?;
        if identity.key == signature_key { Ok(identity) } else { Err(ChainError::KeyMismatch) }
    }

    /// Verifies somebody whom this device is about to add: as [`Self::verify_leaf`], and not revoked.
    pub(super) fn verify_candidate(
        &mut self,
        credential: &Credential,
        signature_key: &[u8],
        context: &RoomContext,
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let identity = self.verify_leaf(credential, signature_key, context, now)?;
        if self.is_revoked(&identity) { Err(ChainError::DeviceRevoked) } else { Ok(identity) }
    }

    pub(super) fn is_revoked(&self, device: &DeviceIdentity) -> bool {
        self.device.anchors.as_ref().is_none_or(|anchors| anchors.is_revoked(device))
    }

    /// The members of a group, each verified; what `known` holds already is taken over.
    pub(super) fn verify_members(
        &mut self,
        members: impl IntoIterator<Item = Member>,
        known: &[MemberRecord],
        context: &RoomContext,
        now: Timestamp,
    ) -> Result<Vec<MemberRecord>, ChainError> {
        let known: BTreeMap<_, _> = known.iter().map(|m| (m.digest, &m.identity)).collect();
        members
            .into_iter()
            .map(|member| {
                let digest = digest(&member.credential, &member.signature_key);
                let identity = match known.get(&digest) {
                    Some(identity) => (*identity).clone(),
                    None => self.verify_leaf(&member.credential, &member.signature_key, context, now)?,
                };
                Ok(MemberRecord { leaf: member.index.u32(), digest, identity })
            })
            .collect()
    }
}

/// Names a device in an error about its certificates.
pub(super) fn untrusted(device: impl ToString, why: ChainError) -> EngineError {
    EngineError::Untrusted { device: device.to_string(), why }
}
