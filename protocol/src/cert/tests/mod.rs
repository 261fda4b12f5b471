//! Each rule of the profile and of trust, broken one at a time.

mod profile;
mod trust;

use super::*;
use crate::Bytes;
use der::{Decode, Encode, asn1::BitString};
use ed25519_dalek::{Signer, SigningKey};
use x509_cert::{Certificate, TbsCertificate};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const DAY: i64 = 86_400_000;
const HOST: OrgId = OrgId([1; 16]);
const POLICE: OrgId = OrgId([2; 16]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

fn year() -> Lifetime {
    Lifetime { not_before: Timestamp(NOW.0 - DAY), not_after: Timestamp(NOW.0 + 365 * DAY) }
}

/// An organisation with one signer and one device; the keys are `seed`, `seed + 1` and `seed + 2`.
#[derive(Clone)]
struct Org {
    id: OrgId,
    seed: u8,
    root: Vec<u8>,
    signer: Vec<u8>,
    device: Vec<u8>,
}

impl Org {
    fn new(id: OrgId, kind: OrgKind, seed: u8, role: Role) -> Self {
        let root = build_root(&key(seed), id, kind, "Agency A", [seed; 16], year()).unwrap();
        let signer = build_signer(&key(seed), &root, &public(seed + 1), [seed; 16], year()).unwrap();
        let device = build_device(&key(seed + 1), &signer, &subject(seed, role), [seed; 16], year()).unwrap();
        Self { id, seed, root, signer, device }
    }

    fn host() -> Self {
        Self::new(HOST, OrgKind::VictimServices, 10, Role::Advocate)
    }

    fn police() -> Self {
        Self::new(POLICE, OrgKind::LawEnforcement, 20, Role::PoliceOfficer)
    }

    fn chain(&self) -> Vec<Bytes> {
        [&self.device, &self.signer, &self.root].map(|der| der.as_slice().into()).to_vec()
    }

    fn signer_chain(&self) -> Vec<Bytes> {
        self.chain()[1..].to_vec()
    }

    fn identity(&self) -> OrgIdentity {
        verify_root(&self.root).unwrap()
    }

    /// Trusts this organisation alone, as host.
    fn anchors(&self) -> Anchors {
        Anchors::new(self.id, Fingerprint::of(&self.root))
    }

    /// Trusts the host, and this organisation as the one that invited.
    fn pinned(&self) -> Anchors {
        let host = build_root(&key(10), HOST, OrgKind::VictimServices, "Agency A", [10; 16], year()).unwrap();
        let mut anchors = Anchors::new(HOST, Fingerprint::of(&host));
        anchors.pin(self.id, Fingerprint::of(&self.root)).unwrap();
        anchors
    }

    /// Verifies with this organisation's root pinned.
    fn verify(&self) -> Result<DeviceIdentity, ChainError> {
        verify_chain(&self.chain(), &self.pinned(), NOW)
    }

    /// Changes one certificate's content and signs it again with the right key.
    fn forge(mut self, level: Level, change: impl FnOnce(&mut TbsCertificate)) -> Self {
        let (der, issuer) = match level {
            Level::Root => (&mut self.root, self.seed),
            Level::Signer => (&mut self.signer, self.seed),
            Level::Device => (&mut self.device, self.seed + 1),
        };
        *der = forge(der, &key(issuer), change);
        self
    }
}

fn subject(seed: u8, role: Role) -> DeviceSubject {
    DeviceSubject {
        person: PersonId([seed; 16]),
        device: DeviceId([seed; 16]),
        role,
        work_name: "Advocate 1".into(),
        key: public(seed + 2),
    }
}

fn forge(der: &[u8], issuer: &SigningKey, change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
    let mut cert = Certificate::from_der(der).unwrap();
    change(&mut cert.tbs_certificate);
    let signature = issuer.sign(&cert.tbs_certificate.to_der().unwrap());
    cert.signature = BitString::from_bytes(&signature.to_bytes()).unwrap();
    cert.to_der().unwrap()
}
