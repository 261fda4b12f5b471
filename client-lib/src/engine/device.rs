//! This device: its key, its certificates, whom it trusts, and what an admin's device keeps besides.

use super::{Engine, EngineError, Step, state::key, store::Store, trust::untrusted};
use ed25519_dalek::{Signer as _, SigningKey};
use firstlight_protocol::{
    Bytes, DeviceId, Timestamp,
    cert::{Anchors, ChainError, DeviceIdentity},
    mls::credential_content,
};
use openmls::prelude::{Credential, CredentialType, CredentialWithKey, SignatureScheme};
use openmls_traits::signatures::{Signer, SignerError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the engine knows about its own device, decoded once.
#[derive(Default)]
pub(super) struct Device {
    pub(super) own: Option<Own>,
    pub(super) anchors: Option<Anchors>,
    admin: Option<AdminMaterial>,
}

/// The device's id and key, and its certificates once it has any.
pub(super) struct Own {
    pub(super) device: DeviceId,
    pub(super) key: DeviceKey,
    pub(super) chain: Vec<Bytes>,
    pub(super) identity: Option<DeviceIdentity>,
}

/// The device's Ed25519 key as openmls wants its signer.
pub(super) struct DeviceKey(SigningKey);

impl Signer for DeviceKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

#[derive(Serialize, Deserialize)]
struct OwnRecord {
    device: DeviceId,
    seed: Bytes,
    chain: Vec<Bytes>,
    identity: Option<DeviceIdentity>,
}

#[derive(Serialize, Deserialize)]
struct AdminRecord {
    root_seed: Option<Bytes>,
    signer_seed: Bytes,
    signer_chain: Vec<Bytes>,
}

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

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("device", &self.own.as_ref().map(|own| own.device)).finish_non_exhaustive()
    }
}

fn seed(bytes: &[u8], what: &'static str) -> Result<Zeroizing<[u8; 32]>, EngineError> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| EngineError::Damaged { what })
}

impl Device {
    pub(super) fn load(store: &Store) -> Result<Self, EngineError> {
        let own = match store.get::<OwnRecord>(key::DEVICE, "the device's record")? {
            Some(record) => Some(Own {
                device: record.device,
                key: DeviceKey(SigningKey::from_bytes(&*seed(&record.seed, "the device's key")?)),
                chain: record.chain,
                identity: record.identity,
            }),
            None => None,
        };
        let admin = match store.get::<AdminRecord>(key::ADMIN, "the admin's record")? {
            Some(record) => Some(AdminMaterial {
                root_seed: record.root_seed.map(|s| seed(&s, "the root's key")).transpose()?,
                signer_seed: seed(&record.signer_seed, "the signer's key")?,
                signer_chain: record.signer_chain,
            }),
            None => None,
        };
        Ok(Self { own, anchors: store.get(key::ANCHORS, "the trusted roots")?, admin })
    }
}

impl Own {
    fn save(&self, store: &Store) {
        let record = OwnRecord {
            device: self.device,
            seed: self.key.0.to_bytes().as_slice().into(),
            chain: self.chain.clone(),
            identity: self.identity.clone(),
        };
        store.put(key::DEVICE.to_vec(), &record);
    }

    /// The credential and key of this device's leaves.
    pub(super) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: Credential::new(CredentialType::X509, credential_content(&self.chain)),
            signature_key: self.key.0.verifying_key().to_bytes().to_vec().into(),
        }
    }
}

impl Engine {
    /// Sets the device up: its id, and its signature key from 32 random bytes. Once per store.
    pub fn create_device(&mut self, device: DeviceId, seed: Zeroizing<[u8; 32]>) -> Result<Step, EngineError> {
        if self.device.own.is_some() {
            return Err(EngineError::AlreadySetUp);
        }
        self.step(|engine, _| {
            let own = Own { device, key: DeviceKey(SigningKey::from_bytes(&seed)), chain: Vec::new(), identity: None };
            own.save(&engine.provider.store);
            engine.device.own = Some(own);
            Ok(())
        })
    }

    /// This device's id, once it is set up.
    pub fn device(&self) -> Option<DeviceId> {
        self.device.own.as_ref().map(|own| own.device)
    }

    /// This device's signature key, to sign requests and challenges with.
    pub fn signing_key(&self) -> Result<&SigningKey, EngineError> {
        self.device.own.as_ref().map(|own| &own.key.0).ok_or(EngineError::NotEnrolled)
    }

    /// Takes in the device's certificates (device, signer, root), after verifying them against `anchors`, which the
    /// host made from what the invite link pins. Again with a new chain to renew them: then the anchors that are known
    /// already stay, because they know more.
    pub fn enrol(&mut self, chain: Vec<Bytes>, anchors: Anchors, now: Timestamp) -> Result<Step, EngineError> {
        let device = self.device().ok_or(EngineError::NotEnrolled)?;
        self.step(|engine, _| {
            let anchors = engine.device.anchors.take().unwrap_or(anchors);
            let identity = anchors.verify_device(&chain, now).map_err(|why| untrusted(device, why))?;
            let own = engine.device.own.as_mut().ok_or(EngineError::NotEnrolled)?;
            if identity.device != device || identity.key != own.key.0.verifying_key().to_bytes() {
                return Err(untrusted(device, ChainError::KeyMismatch));
            }
            own.chain = chain;
            own.identity = Some(identity);
            own.save(&engine.provider.store);
            engine.save_anchors(anchors);
            Ok(())
        })
    }

    pub(super) fn save_anchors(&mut self, anchors: Anchors) {
        self.provider.store.put(key::ANCHORS.to_vec(), &anchors);
        self.device.anchors = Some(anchors);
    }

    /// The enrolled device, or the error that says it is none.
    pub(super) fn own(&self) -> Result<&Own, EngineError> {
        self.device.own.as_ref().filter(|own| own.identity.is_some()).ok_or(EngineError::NotEnrolled)
    }

    /// Who this device is, as its certificates say.
    pub fn identity(&self) -> Option<&DeviceIdentity> {
        self.device.own.as_ref().and_then(|own| own.identity.as_ref())
    }

    /// This device's chain: device, signer, root. Empty before enrolment.
    pub fn chain(&self) -> &[Bytes] {
        self.device.own.as_ref().map(|own| own.chain.as_slice()).unwrap_or_default()
    }

    /// Whom this device trusts.
    pub fn anchors(&self) -> Option<&Anchors> {
        self.device.anchors.as_ref()
    }

    /// Keeps an admin's signing material.
    pub fn set_admin(&mut self, admin: AdminMaterial) -> Result<Step, EngineError> {
        self.step(|engine, _| {
            let record = AdminRecord {
                root_seed: admin.root_seed.as_ref().map(|s| s.as_slice().into()),
                signer_seed: admin.signer_seed.as_slice().into(),
                signer_chain: admin.signer_chain.clone(),
            };
            engine.provider.store.put(key::ADMIN.to_vec(), &record);
            engine.device.admin = Some(admin);
            Ok(())
        })
    }

    /// The admin's signing material, if this device has any.
    pub fn admin(&self) -> Option<&AdminMaterial> {
        self.device.admin.as_ref()
    }

    /// Keeps a value of the host's own under a name (server address, tokens, secrets of open invites), sealed like all
    /// else; `None` forgets it.
    pub fn put_setting(&mut self, name: &str, value: Option<Vec<u8>>) -> Result<Step, EngineError> {
        self.step(|engine, _| {
            match value {
                Some(value) => engine.provider.store.put_bytes(key::setting(name), value),
                None => engine.provider.store.remove(&key::setting(name)),
            }
            Ok(())
        })
    }

    /// A value of the host's own.
    pub fn setting(&self, name: &str) -> Option<Vec<u8>> {
        self.provider.store.bytes(&key::setting(name))
    }

    /// The host's own values whose names begin with `prefix`, in order: name and value.
    pub fn settings(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let found = self.provider.store.scan(&key::setting(prefix));
        let name = |k: Vec<u8>| String::from_utf8_lossy(k.get(key::SETTINGS.len()..).unwrap_or_default()).into_owned();
        found.into_iter().map(|(k, value)| (name(k), value)).collect()
    }
}
