//! Identity through its routes, over a real store in a temporary directory and a clock that the tests move.

mod directory;
mod duty;
mod enrolling;
mod founding;
mod profiles;
mod push;
mod revoking;
mod signing_in;
mod tokens;

use crate::{
    app::Shared,
    clock::{Clock, ManualClock},
    config::Config,
    serve::{Running, serve},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, InviteId, OrgId, OrgKind, PersonId, Problem, Role, Secret, Timestamp,
    api::{
        Challenge, ChallengeRequest, CreateInvite, Enrol, FoundOrganisation, FoundingProof, InviteFor,
        IssueCertificate, OrgView, PutRevocations, PutStatement, SignIn, Tokens,
    },
    cert::{
        DeviceSubject, Lifetime, OrgIdentity, PartnerStatement, RevocationList, build_device, build_root, build_signer,
        verify_root,
    },
    invite::{InviteKeys, PartnerRequest, Sealed, SigningRequest},
    signed::{Signed, Statement, sign_challenge},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};
use tower::ServiceExt;

const START: Timestamp = Timestamp(1_780_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);
const NAME: &str = "http://127.0.0.1:8440";

/// An organisation with the keys that only its admins' clients have.
struct Org {
    id: OrgId,
    name: String,
    root_key: SigningKey,
    root: Bytes,
    signer_key: SigningKey,
    signer: Bytes,
}

/// A device with its private key.
#[derive(Clone)]
struct Dev {
    id: DeviceId,
    person: PersonId,
    key: SigningKey,
    chain: Vec<Bytes>,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn lifetime() -> Lifetime {
    Lifetime { not_before: START - DAY, not_after: START + DAY * 365 }
}

impl Org {
    /// `seed` tells organisations apart; keys are `seed` and `seed + 1`.
    fn new(seed: u8, kind: OrgKind) -> Self {
        let (id, name) = (OrgId([seed; 16]), format!("Agency {seed}"));
        let (root_key, signer_key) = (key(seed), key(seed + 1));
        let root = build_root(&root_key, id, kind, &name, [1; 16], lifetime()).unwrap();
        let signer =
            build_signer(&root_key, &root, &signer_key.verifying_key().to_bytes(), [2; 16], lifetime()).unwrap();
        Self { id, name, root_key, root: root.into(), signer_key, signer: signer.into() }
    }

    fn identity(&self) -> OrgIdentity {
        verify_root(&self.root).unwrap()
    }

    /// The chain that this organisation's admin signs.
    fn certify(&self, id: DeviceId, person: PersonId, role: Role, work_name: &str, key: &SigningKey) -> Vec<Bytes> {
        let key = key.verifying_key().to_bytes();
        let subject = DeviceSubject { person, device: id, role, work_name: work_name.into(), key };
        let device = build_device(&self.signer_key, &self.signer, &subject, [3; 16], lifetime()).unwrap();
        vec![device.into(), self.signer.clone(), self.root.clone()]
    }

    /// A device of its own person, both numbered `seed`.
    fn device(&self, seed: u8, role: Role, work_name: &str) -> Dev {
        let (id, person, key) = (DeviceId([seed; 16]), PersonId([seed; 16]), key(seed));
        Dev { id, person, chain: self.certify(id, person, role, work_name, &key), key }
    }

    /// A statement signed by this organisation's signer.
    fn sign<T: Statement>(&self, statement: &T) -> Signed<T> {
        Signed::sign(statement, &self.signer_key, vec![self.signer.clone(), self.root.clone()])
    }

    fn revokes(&self, number: u64, devices: &[DeviceId]) -> PutRevocations {
        let list = RevocationList { number, ..RevocationList::empty(self.id).next(devices.iter().copied(), [], START) };
        PutRevocations { revocations: self.sign(&list) }
    }
}

/// An invite with the keys of its link.
struct Link {
    id: InviteId,
    keys: InviteKeys,
}

impl Link {
    fn new(seed: u8) -> Self {
        let id = InviteId([seed; 16]);
        Self { id, keys: InviteKeys::derive(id, &Secret::from_random(&[seed; 32])).unwrap() }
    }

    fn create(&self, purpose: InviteFor) -> CreateInvite {
        let claim_digest = self.keys.claim_digest().to_vec().into();
        CreateInvite { invite: self.id, purpose, claim_digest, expires_at: START + DAY }
    }

    /// The request that a device makes with this link.
    fn enrol(&self, id: DeviceId, key: &SigningKey) -> Enrol {
        let request =
            SigningRequest { invite: self.id, device: id, key: key.verifying_key().to_bytes(), created_at: START };
        let request = Sealed::seal(&request, key, &self.keys).unwrap();
        Enrol { device: id, claim: self.keys.claim().clone(), request }
    }

    /// The request that founds a partner with this link.
    fn found(&self, org: &Org, kind: OrgKind, admin: &Dev) -> FoundOrganisation {
        let request = PartnerRequest { invite: self.id, org: org.id, kind, root: org.root.clone(), created_at: START };
        let request = Sealed::seal(&request, &org.root_key, &self.keys).unwrap();
        let proof = FoundingProof::Invite { invite: self.id, claim: self.keys.claim().clone(), request };
        FoundOrganisation { admin_chain: admin.chain.clone(), proof }
    }
}

/// What a route answered.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    fn read<T: DeserializeOwned>(self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Done, with nothing to say.
    #[track_caller]
    fn done(self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&self.body));
        assert!(self.body.is_empty());
    }

    #[track_caller]
    fn refused(self) -> ErrorCode {
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(self.status.as_u16(), problem.status);
        problem.code
    }
}

/// A server of its own, with the host's organisation.
struct World {
    running: Running,
    router: Router,
    clock: Arc<ManualClock>,
    host: Org,
    admin: Dev,
    dir: tempfile::TempDir,
}

impl World {
    /// A server that waits for its host.
    async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(START);
        let config = Config {
            data_dir: dir.path().into(),
            listen: ([127, 0, 0, 1], 0).into(),
            name: NAME.into(),
            ..Config::default()
        };
        let running = serve(config, Clock::Manual(clock.clone())).await.unwrap();
        let router = crate::http::router(running.app.clone());
        let host = Org::new(10, OrgKind::VictimServices);
        let admin = host.device(20, Role::Admin, "Admin 1");
        Self { running, router, clock, host, admin, dir }
    }

    /// A server whose host is founded, and the host's admin signed in.
    async fn new() -> (Self, Tokens) {
        let world = Self::empty().await;
        world.found_host().await.read::<OrgView>();
        let tokens = world.sign_in(&world.admin).await;
        (world, tokens)
    }

    /// The same server, stopped and started again on its data.
    async fn restart(self) -> Self {
        let Self { running, clock, host, admin, dir, .. } = self;
        let config = running.app.config.clone();
        running.shutdown().await;
        let running = serve(config, Clock::Manual(clock.clone())).await.unwrap();
        let router = crate::http::router(running.app.clone());
        Self { running, router, clock, host, admin, dir }
    }

    fn app(&self) -> &Shared {
        &self.running.app
    }

    fn now(&self) -> Timestamp {
        self.app().clock.now()
    }

    fn bootstrap_token(&self) -> Secret {
        Secret::new(std::fs::read_to_string(self.dir.path().join("bootstrap-token")).unwrap().trim())
    }

    async fn found_host(&self) -> Answer {
        let proof = FoundingProof::Bootstrap { token: self.bootstrap_token() };
        self.post("/v1/organisations", None, &FoundOrganisation { admin_chain: self.admin.chain.clone(), proof }).await
    }

    async fn call(&self, method: Method, path: &str, token: Option<&Secret>, body: Option<Vec<u8>>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        Answer { status, body: to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec() }
    }

    async fn post(&self, path: &str, token: Option<&Tokens>, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).unwrap();
        self.call(Method::POST, path, token.map(|t| &t.access), Some(body)).await
    }

    async fn put(&self, path: &str, token: &Tokens, body: &impl Serialize) -> Answer {
        self.call(Method::PUT, path, Some(&token.access), Some(serde_json::to_vec(body).unwrap())).await
    }

    async fn get(&self, path: &str, token: &Tokens) -> Answer {
        self.call(Method::GET, path, Some(&token.access), None).await
    }

    async fn delete(&self, path: &str, token: &Tokens) -> Answer {
        self.call(Method::DELETE, path, Some(&token.access), None).await
    }

    async fn challenge(&self, device: DeviceId) -> Challenge {
        self.post("/v1/auth/challenges", None, &ChallengeRequest { device }).await.read()
    }

    async fn answer(&self, device: &Dev, challenge: &Challenge, key: &SigningKey) -> Answer {
        let signature = sign_challenge(key, NAME, device.id, &challenge.challenge).to_vec().into();
        let body = SignIn { device: device.id, challenge: challenge.challenge.clone(), signature };
        self.post("/v1/auth/sessions", None, &body).await
    }

    async fn try_sign_in(&self, device: &Dev) -> Answer {
        self.answer(device, &self.challenge(device.id).await, &device.key).await
    }

    async fn sign_in(&self, device: &Dev) -> Tokens {
        self.try_sign_in(device).await.read()
    }

    /// Enrols a device of `org` from invite to certificate.
    async fn enrol(&self, org: &Org, admin: &Tokens, seed: u8, role: Role, work_name: &str) -> Dev {
        let device = org.device(seed, role, work_name);
        let link = Link::new(seed);
        let purpose = InviteFor::Device { person: device.person, work_name: work_name.into(), role };
        self.post("/v1/invites", Some(admin), &link.create(purpose)).await.done();
        self.post("/v1/enrolments", None, &link.enrol(device.id, &device.key)).await.read::<serde_json::Value>();
        let path = format!("/v1/enrolments/{}/certificate", device.id);
        self.post(&path, Some(admin), &IssueCertificate { chain: device.chain.clone() }).await.done();
        device
    }

    /// Founds a police agency and has the host state it; answers with its admin, signed in.
    async fn partner(&self, admin: &Tokens) -> (Org, Dev, Tokens) {
        let org = Org::new(30, OrgKind::LawEnforcement);
        let device = org.device(40, Role::Admin, "Admin 2");
        let link = Link::new(40);
        let purpose = InviteFor::Organisation { kind: OrgKind::LawEnforcement, name: org.name.clone() };
        self.post("/v1/invites", Some(admin), &link.create(purpose)).await.done();
        let founding = link.found(&org, OrgKind::LawEnforcement, &device);
        self.post("/v1/organisations", None, &founding).await.read::<OrgView>();
        self.state(admin, &PartnerStatement::first(org.identity(), START)).await.done();
        let tokens = self.sign_in(&device).await;
        (org, device, tokens)
    }

    async fn state(&self, admin: &Tokens, statement: &PartnerStatement) -> Answer {
        let path = format!("/v1/organisations/{}/statement", statement.org);
        self.put(&path, admin, &PutStatement { statement: self.host.sign(statement) }).await
    }

    /// Code words of the audit trail, which must be whole.
    async fn audited(&self) -> Vec<String> {
        let store = &self.app().store;
        assert_eq!(store.audit_verify().await.unwrap().broken_at, None);
        store.audit_entries(0, 1_000).await.unwrap().into_iter().map(|entry| entry.action).collect()
    }
}
