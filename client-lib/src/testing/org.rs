//! Organisations with a root, a signer, and devices.

use super::now;
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, DeviceId, OrgId, OrgKind, PersonId, Role,
    cert::{
        Anchors, DeviceIdentity, DeviceSubject, Fingerprint, Lifetime, PartnerStatement, RevocationList, build_device,
        build_root, build_signer, verify_root,
    },
    signed::Signed,
};
use std::time::Duration;

/// An organisation whose keys the test holds.
#[derive(Debug)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    kind: OrgKind,
    root_der: Vec<u8>,
    signer: SigningKey,
    signer_der: Vec<u8>,
    revocations: RevocationList,
}

/// A device that the organisation has signed.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Its id.
    pub device: DeviceId,
    /// Seed of its key.
    pub seed: [u8; 32],
    /// Device, signer, root.
    pub chain: Vec<Bytes>,
}

fn lifetime() -> Lifetime {
    let day = Duration::from_secs(86_400);
    Lifetime { not_before: now() - day, not_after: now() + day * 365 }
}

impl Org {
    /// The `n`th organisation of a test.
    pub fn new(kind: OrgKind, n: u8) -> Self {
        let id = OrgId([n; 16]);
        let root = SigningKey::from_bytes(&[n; 32]);
        let signer = SigningKey::from_bytes(&[n ^ 0x80; 32]);
        let name = format!("Agency {n}");
        let root_der = build_root(&root, id, kind, &name, [1; 16], lifetime()).unwrap();
        let signer_der =
            build_signer(&root, &root_der, &signer.verifying_key().to_bytes(), [2; 16], lifetime()).unwrap();
        Self { id, kind, root_der, signer, signer_der, revocations: RevocationList::empty(id) }
    }

    /// What the organisation is.
    pub fn kind(&self) -> OrgKind {
        self.kind
    }

    /// SHA-256 of its root.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.root_der)
    }

    /// Signs a device for a new person.
    pub fn device(&self, role: Role, n: u8) -> Enrolled {
        let mut tag = self.id.0;
        tag[15] = n;
        let mut seed = [n ^ 0x40; 32];
        seed[0] = self.id.0[0];
        let key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let subject =
            DeviceSubject { person: PersonId(tag), device: DeviceId(tag), role, work_name: format!("{role} {n}"), key };
        let mut serial = tag;
        serial[0] = 3;
        Enrolled { device: subject.device, seed, chain: self.sign(&subject, serial) }
    }

    /// Signs another device of the same person.
    pub fn second_device(&self, of: &DeviceIdentity, n: u8) -> Enrolled {
        let mut tag = self.id.0;
        tag[15] = n;
        let mut seed = [n ^ 0x40; 32];
        seed[0] = self.id.0[0];
        let key = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let (person, device, work_name) = (of.person, DeviceId(tag), of.work_name.clone());
        let subject = DeviceSubject { person, device, role: of.role, work_name, key };
        let mut serial = tag;
        serial[0] = 4;
        Enrolled { device, seed, chain: self.sign(&subject, serial) }
    }

    /// Signs a device's key again, with another role.
    pub fn renew(&self, device: &DeviceIdentity, role: Role) -> Vec<Bytes> {
        let subject = DeviceSubject {
            person: device.person,
            device: device.device,
            role,
            work_name: device.work_name.clone(),
            key: device.key,
        };
        self.sign(&subject, [9; 16])
    }

    fn sign(&self, subject: &DeviceSubject, serial: [u8; 16]) -> Vec<Bytes> {
        let leaf = build_device(&self.signer, &self.signer_der, subject, serial, lifetime()).unwrap();
        [leaf, self.signer_der.clone(), self.root_der.clone()].into_iter().map(Bytes).collect()
    }

    /// What a device trusts at first when this organisation hosts the server.
    pub fn anchors(&self) -> Anchors {
        Anchors::new(self.id, self.fingerprint())
    }

    /// The host's statement about a partner.
    pub fn states(&self, partner: &Org) -> Signed<PartnerStatement> {
        let identity = verify_root(&partner.root_der).unwrap();
        Signed::sign(&PartnerStatement::first(identity, now()), &self.signer, self.signer_chain())
    }

    /// The host's statement that a partner is one no longer.
    pub fn withdraws(&self, partner: &Org) -> Signed<PartnerStatement> {
        let identity = verify_root(&partner.root_der).unwrap();
        let withdrawn = PartnerStatement::first(identity, now()).withdraw(now());
        Signed::sign(&withdrawn, &self.signer, self.signer_chain())
    }

    /// Revokes devices and signs the new list.
    pub fn revoke(&mut self, devices: &[DeviceId]) -> Signed<RevocationList> {
        self.revocations.number += 1;
        self.revocations.issued_at = now();
        self.revocations.devices.extend(devices);
        Signed::sign(&self.revocations, &self.signer, self.signer_chain())
    }

    fn signer_chain(&self) -> Vec<Bytes> {
        vec![Bytes(self.signer_der.clone()), Bytes(self.root_der.clone())]
    }
}
