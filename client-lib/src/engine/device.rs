//! This device: its key, its certificates, whom it trusts, and what an admin's device keeps besides.

use super::{Engine, EngineError, Step};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, DeviceId, Timestamp,
    cert::{Anchors, DeviceIdentity, PartnerStatement, RevocationList},
    signed::Signed,
};
use zeroize::Zeroizing;

/// What an admin's device holds to sign for its organisation. The server never sees any of it.
#[derive(Clone)]
pub struct AdminMaterial {
    /// Seed of the root's key; only on the founding admin's device.
    pub root_seed: Option<Zeroizing<[u8; 32]>>,
    /// Seed of the signer's key.
    pub signer_seed: Zeroizing<[u8; 32]>,
    /// Signer, root.
    pub signer_chain: Vec<Bytes>,
}

impl std::fmt::Debug for AdminMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminMaterial")
    }
}

impl Engine {
    /// Sets the device up: its id, and its signature key from 32 random bytes. Once per store.
    pub fn create_device(&mut self, _device: DeviceId, _seed: Zeroizing<[u8; 32]>) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// This device's id, once it is set up.
    pub fn device(&self) -> Option<DeviceId> {
        None
    }

    /// This device's signature key, to sign requests and challenges with.
    pub fn signing_key(&self) -> Result<&SigningKey, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Takes in the device's certificates (device, signer, root), after verifying them against `anchors`, which the
    /// host made from what the invite link pins. Again with a new chain to renew them.
    pub fn enrol(&mut self, _chain: Vec<Bytes>, _anchors: Anchors, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Who this device is, as its certificates say.
    pub fn identity(&self) -> Option<&DeviceIdentity> {
        None
    }

    /// This device's chain: device, signer, root. Empty before enrolment.
    pub fn chain(&self) -> &[Bytes] {
        &[]
    }

    /// Whom this device trusts.
    pub fn anchors(&self) -> Option<&Anchors> {
        None
    }

    /// Takes in what the host states about a partner. A statement that is known already changes nothing.
    pub fn receive_statement(&mut self, _signed: &Signed<PartnerStatement>, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Takes in an organisation's list of revoked devices and wants them removed from every room that they are in.
    pub fn receive_revocations(&mut self, _signed: &Signed<RevocationList>, _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// Keeps an admin's signing material.
    pub fn set_admin(&mut self, _admin: AdminMaterial) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The admin's signing material, if this device has any.
    pub fn admin(&self) -> Option<&AdminMaterial> {
        None
    }

    /// Keeps a value of the host's own under a name (server address, tokens, secrets of open invites), sealed like all
    /// else; `None` forgets it.
    pub fn put_setting(&mut self, _name: &str, _value: Option<Vec<u8>>) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// A value of the host's own.
    pub fn setting(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    /// The host's own values whose names begin with `prefix`, in order: name and value.
    pub fn settings(&self, _prefix: &str) -> Vec<(String, &[u8])> {
        Vec::new()
    }
}
