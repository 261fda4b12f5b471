//! An organisation with its root and signer keys, as its admin's device holds them.

use super::{Device, Http, mls::Hand, random};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, DeviceId, InviteId, OrgId, OrgKind, PersonId, Problem, Role, Secret, Timestamp,
    api::{
        CreateInvite, Enrol, EnrolmentStatus, FoundOrganisation, FoundingProof, InviteFor, IssueCertificate, OrgView,
        PublishKeyPackages, PutRevocations, PutStatement,
    },
    cert::{
        DeviceSubject, Fingerprint, Lifetime, OrgIdentity, PartnerStatement, RevocationList, build_device, build_root,
        build_signer, verify_root,
    },
    invite::{InviteKeys, PartnerRequest, Sealed, SigningRequest},
    signed::Signed,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long certificates are good for: longer than any test's virtual time.
const YEARS: Duration = Duration::from_secs(4 * 365 * 86_400);
/// How long an invite is good for.
const INVITED: Duration = Duration::from_secs(3_600);

/// An organisation.
#[derive(Debug)]
pub struct Organisation {
    /// Its id.
    pub id: OrgId,
    /// What it is.
    pub kind: OrgKind,
    /// Its name.
    pub name: String,
    /// Its root's key.
    pub root_key: SigningKey,
    /// Its root certificate.
    pub root: Bytes,
    /// The key that signs for it.
    pub signer_key: SigningKey,
    /// The certificate of that key.
    pub signer: Bytes,
    http: Arc<Http>,
    revoked: Mutex<RevocationList>,
}

/// A device before it has a certificate.
#[derive(Debug)]
pub struct Newcomer {
    /// Its id.
    pub id: DeviceId,
    /// Its key.
    pub key: SigningKey,
    /// The keys of its invite.
    pub invite: InviteKeys,
    /// What the invite says.
    pub purpose: InviteFor,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&random())
}

fn serial() -> [u8; 16] {
    let mut serial = random::<16>();
    serial[0] = serial[0] & 0x7f | 1;
    serial
}

fn lifetime(now: Timestamp) -> Lifetime {
    Lifetime { not_before: now - Duration::from_secs(3_600), not_after: now + YEARS }
}

impl Organisation {
    /// Its keys and certificates; no server knows of it yet.
    pub fn new(http: &Arc<Http>, kind: OrgKind, name: &str, now: Timestamp) -> Self {
        let (id, root_key, signer_key) = (OrgId(random()), key(), key());
        let root = build_root(&root_key, id, kind, name, serial(), lifetime(now)).expect("a root");
        let public = signer_key.verifying_key().to_bytes();
        let signer = build_signer(&root_key, &root, &public, serial(), lifetime(now)).expect("a signer");
        Self {
            id,
            kind,
            name: name.into(),
            root_key,
            root: root.into(),
            signer_key,
            signer: signer.into(),
            http: Arc::clone(http),
            revoked: Mutex::new(RevocationList::empty(id)),
        }
    }

    /// The chain of a device that this organisation vouches for.
    pub fn chain(&self, subject: &DeviceSubject, now: Timestamp) -> Vec<Bytes> {
        let device = build_device(&self.signer_key, &self.signer, subject, serial(), lifetime(now));
        vec![device.expect("a certificate").into(), self.signer.clone(), self.root.clone()]
    }

    /// A device that exists on paper only: certified, unknown to the server.
    pub fn paper_device(&self, role: Role, work_name: &str, now: Timestamp) -> Device {
        let (id, person, key) = (DeviceId(random()), PersonId(random()), key());
        let subject = DeviceSubject {
            person,
            device: id,
            role,
            work_name: work_name.into(),
            key: key.verifying_key().to_bytes(),
        };
        let chain = self.chain(&subject, now);
        self.device(id, person, role, work_name, key, chain)
    }

    fn device(
        &self,
        id: DeviceId,
        person: PersonId,
        role: Role,
        work_name: &str,
        key: SigningKey,
        chain: Vec<Bytes>,
    ) -> Device {
        let (org, work_name, http) = (self.id, work_name.to_owned(), Arc::clone(&self.http));
        Device { id, person, org, role, work_name, chain, key, http, tokens: Mutex::new(None) }
    }

    /// Founds the host with the operator's token; answers with its first admin's device.
    pub async fn found_host(&self, token: Secret, now: Timestamp) -> Result<Device, Problem> {
        self.found(FoundingProof::Bootstrap { token }, now).await
    }

    async fn found(&self, proof: FoundingProof, now: Timestamp) -> Result<Device, Problem> {
        let admin = self.paper_device(Role::Admin, "Admin 1", now);
        let body = FoundOrganisation { admin_chain: admin.chain.clone(), proof };
        let _: OrgView = self.http.post("/v1/organisations", &body).await?;
        Ok(admin)
    }

    /// Founds a partner on the host's invite, and lets the host state it.
    pub async fn found_partner(
        &self,
        kind: OrgKind,
        name: &str,
        admin: &Device,
        now: Timestamp,
    ) -> Result<(Self, Device), Problem> {
        let (partner, chief) = self.found_unstated(kind, name, admin, now).await?;
        self.state(admin, PartnerStatement::first(partner.identity(), now)).await?;
        Ok((partner, chief))
    }

    /// Founds a partner on the host's invite; it waits for the host's statement.
    pub async fn found_unstated(
        &self,
        kind: OrgKind,
        name: &str,
        admin: &Device,
        now: Timestamp,
    ) -> Result<(Self, Device), Problem> {
        let partner = Self::new(&self.http, kind, name, now);
        let keys = self.invite(admin, InviteFor::Organisation { kind, name: name.into() }, now).await?;
        let request = PartnerRequest {
            invite: keys.invite(),
            org: partner.id,
            kind,
            root: partner.root.clone(),
            created_at: now,
        };
        let request = Sealed::seal(&request, &partner.root_key, &keys).expect("a request");
        let proof = FoundingProof::Invite { invite: keys.invite(), claim: keys.claim().clone(), request };
        let chief = partner.found(proof, now).await?;
        Ok((partner, chief))
    }

    /// Publishes what the host states about a partner.
    pub async fn state(&self, admin: &Device, statement: PartnerStatement) -> Result<(), Problem> {
        let org = statement.org;
        let statement = Signed::sign(&statement, &self.signer_key, self.signer_chain());
        admin.put(format!("/v1/organisations/{org}/statement"), &PutStatement { statement }).await
    }

    /// The organisation as its root certificate states it.
    pub fn identity(&self) -> OrgIdentity {
        verify_root(&self.root).expect("a root")
    }

    /// Signer, root.
    pub fn signer_chain(&self) -> Vec<Bytes> {
        vec![self.signer.clone(), self.root.clone()]
    }

    /// SHA-256 of the root certificate.
    pub fn root_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.root)
    }

    /// Makes an invite.
    pub async fn invite(&self, admin: &Device, purpose: InviteFor, now: Timestamp) -> Result<InviteKeys, Problem> {
        let secret = Secret::from_random(&random::<32>());
        let keys = InviteKeys::derive(InviteId(random()), &secret).expect("an invite's keys");
        let claim_digest = keys.claim_digest().to_vec().into();
        let body = CreateInvite { invite: keys.invite(), purpose, claim_digest, expires_at: now + INVITED };
        admin.post::<()>("/v1/invites", &body).await?;
        Ok(keys)
    }

    /// Invites a new device of a person.
    pub async fn newcomer(
        &self,
        admin: &Device,
        person: PersonId,
        role: Role,
        work_name: &str,
        now: Timestamp,
    ) -> Result<Newcomer, Problem> {
        let purpose = InviteFor::Device { person, work_name: work_name.into(), role };
        let invite = self.invite(admin, purpose.clone(), now).await?;
        Ok(Newcomer { id: DeviceId(random()), key: key(), invite, purpose })
    }

    /// Enrols a new person's device: invite, request, certificate.
    pub async fn enrol(&self, admin: &Device, role: Role, work_name: &str, now: Timestamp) -> Device {
        self.enrol_for(admin, PersonId(random()), role, work_name, now).await
    }

    /// Enrols a device of this person.
    pub async fn enrol_for(
        &self,
        admin: &Device,
        person: PersonId,
        role: Role,
        work_name: &str,
        now: Timestamp,
    ) -> Device {
        let newcomer = self.newcomer(admin, person, role, work_name, now).await.expect("an invite");
        let status: EnrolmentStatus =
            self.http.post("/v1/enrolments", &newcomer.request(now)).await.expect("enrolling");
        assert_eq!(status, EnrolmentStatus::Pending);
        let chain = self.chain(&newcomer.subject(), now);
        let issue = IssueCertificate { chain: chain.clone() };
        admin.post::<()>(format!("/v1/enrolments/{}/certificate", newcomer.id), &issue).await.expect("issuing");
        self.device(newcomer.id, person, role, work_name, newcomer.key, chain)
    }

    /// Signs the next revocation list, with these devices on it.
    pub fn next_revocations(&self, devices: &[DeviceId], now: Timestamp) -> PutRevocations {
        let mut list = self.revoked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *list = list.next(devices.iter().copied(), [], now);
        PutRevocations { revocations: Signed::sign(&*list, &self.signer_key, self.signer_chain()) }
    }

    /// Revokes devices.
    pub async fn revoke(&self, admin: &Device, devices: &[DeviceId], now: Timestamp) -> Result<(), Problem> {
        let list = self.next_revocations(devices, now);
        admin.put(format!("/v1/organisations/{}/revocations", self.id), &list).await
    }
}

impl Newcomer {
    /// The request that it leaves at the server.
    pub fn request(&self, now: Timestamp) -> Enrol {
        let key = self.key.verifying_key().to_bytes();
        let request = SigningRequest { invite: self.invite.invite(), device: self.id, key, created_at: now };
        let request = Sealed::seal(&request, &self.key, &self.invite).expect("a request");
        Enrol { device: self.id, claim: self.invite.claim().clone(), request }
    }

    /// What its certificate has to say.
    pub fn subject(&self) -> DeviceSubject {
        let InviteFor::Device { person, work_name, role } = &self.purpose else { panic!("not a device's invite") };
        DeviceSubject {
            person: *person,
            device: self.id,
            role: *role,
            work_name: work_name.clone(),
            key: self.key.verifying_key().to_bytes(),
        }
    }
}

/// Publishes key packages made by hand: so many one-time ones and a last resort.
pub async fn key_package_share(hand: &Hand, device: &Device, suite: u16, one_time: usize) -> Result<(), Problem> {
    let one_time = (0..one_time).map(|_| hand.key_package(suite, false)).collect();
    let body = PublishKeyPackages { suite, one_time, last_resort: Some(hand.key_package(suite, true)) };
    device.post::<firstlight_protocol::api::KeyPackageCount>("/v1/key-packages", &body).await.map(drop)
}
