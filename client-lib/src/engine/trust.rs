//! Who is believed: every credential in a group is a chain of certificates, verified before anything it signs counts.

use super::{
    Effect, Engine, EngineError, Step,
    state::{MemberRecord, key},
};
use firstlight_protocol::{
    OrgId, Timestamp,
    cert::{ChainError, DeviceIdentity, verify_chain, verify_signer_chain},
    mls::{RoomContext, chain_of_credential},
};
use openmls::prelude::{Credential, CredentialType, Member};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What was verified in the current step, by digest: in a catch-up the same few senders come again and again.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    results: BTreeMap<[u8; 32], Result<DeviceIdentity, ChainError>>,
    /// Organisations that somebody's chain names and that are not known here.
    unknown: BTreeSet<OrgId>,
}

impl Verified {
    pub(crate) fn clear(&mut self) {
        self.results.clear();
        self.unknown.clear();
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
        let identity = match self.verified.results.get(&digest) {
            Some(known) => known.clone()?,
            None => {
                let result = self.verify_credential(credential, signature_key, now);
                self.verified.results.insert(digest, result.clone());
                result?
            }
        };
        let admitted = context.kind.admits(identity.org_kind, identity.role)
            && !(context.kind.single_org() && identity.org != context.org);
        if admitted { Ok(identity) } else { Err(ChainError::RoleNotAdmitted) }
    }

    fn verify_credential(
        &mut self,
        credential: &Credential,
        signature_key: &[u8],
        now: Timestamp,
    ) -> Result<DeviceIdentity, ChainError> {
        let anchors = self.device.anchors.as_ref().ok_or(ChainError::UnknownOrg)?;
        if credential.credential_type() != CredentialType::X509 {
            return Err(ChainError::Length);
        }
        let chain = chain_of_credential(credential.serialized_content()).map_err(|_| ChainError::Length)?;
        let identity = match verify_chain(&chain, anchors, now) {
            Err(ChainError::UnknownOrg) => {
                // Who it claims to be; the host's statement about that organisation decides.
                let claimed = chain.get(1..).and_then(|issuers| verify_signer_chain(issuers, now).ok());
                self.verified.unknown.extend(claimed.map(|signer| signer.org.org));
                return Err(ChainError::UnknownOrg);
            }
            result => result?,
        };
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

    /// Whether a device is revoked, or its organisation is no longer a partner.
    pub(super) fn is_revoked(&self, device: &DeviceIdentity) -> bool {
        self.device.anchors.as_ref().is_none_or(|anchors| {
            anchors.is_revoked(device) || anchors.partner(device.org).is_some_and(|partner| partner.withdrawn)
        })
    }

    /// Asks the server, once, about the organisations that this step met and does not know: a partner may have been
    /// stated since. Says whether it asked; if not, they are unknown for good.
    pub(super) fn ask_about_unknown(&mut self, step: &mut Step) -> bool {
        let mut asked = false;
        for org in std::mem::take(&mut self.verified.unknown) {
            if self.provider.store.bytes(&key::asked(org)).is_none() {
                self.provider.store.put(key::asked(org), &org);
                self.provider.store.put(key::organisation(org), &org);
                step.effects.push(Effect::FetchOrganisation { org });
                asked = true;
            }
        }
        asked
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
