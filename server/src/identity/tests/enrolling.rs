use super::*;
use firstlight_protocol::api::{
    EnrolmentQuery, EnrolmentStatus, InviteSeen, InviteStatus, InviteView, LookAtInvite, PendingEnrolment,
};

fn advocate(person: PersonId) -> InviteFor {
    InviteFor::Device { person, work_name: "Advocate 1".into(), role: Role::Advocate }
}

async fn standing(world: &World, admin: &Tokens, link: &Link) -> InviteStatus {
    let all: Vec<InviteView> = world.get("/v1/invites", admin).await.read();
    all.into_iter().find(|i| i.invite == link.id).unwrap().status
}

#[tokio::test]
async fn a_device_comes_in_by_invite_request_and_certificate() {
    let (world, admin) = World::new().await;
    let (link, device) = (Link::new(70), world.host.device(70, Role::Advocate, "Advocate 1"));
    world.post("/v1/invites", Some(&admin), &link.create(advocate(device.person))).await.done();
    let enrol = link.enrol(device.id, &device.key);
    let ask = EnrolmentQuery { device: device.id, claim: link.keys.claim().clone() };
    assert_eq!(world.post("/v1/enrolments/status", None, &ask).await.refused(), ErrorCode::InviteInvalid);
    for _ in 0..2 {
        let status: EnrolmentStatus = world.post("/v1/enrolments", None, &enrol).await.read();
        assert_eq!(status, EnrolmentStatus::Pending, "the same request again is the same answer");
    }
    assert_eq!(standing(&world, &admin, &link).await, InviteStatus::Used);
    assert_eq!(world.app().store.inbox(world.admin.id, 0, 10).await.unwrap().items.len(), 1);
    let waiting: Vec<PendingEnrolment> = world.get("/v1/enrolments", &admin).await.read();
    assert_eq!(waiting[0].request.open(&link.keys).unwrap().key, device.key.verifying_key().to_bytes());
    assert_eq!(world.try_sign_in(&device).await.refused(), ErrorCode::BadSignature);

    let path = format!("/v1/enrolments/{}/certificate", device.id);
    for _ in 0..2 {
        world.post(&path, Some(&admin), &IssueCertificate { chain: device.chain.clone() }).await.done();
    }
    let status: EnrolmentStatus = world.post("/v1/enrolments/status", None, &ask).await.read();
    assert_eq!(status, EnrolmentStatus::Issued { chain: device.chain.clone() });
    let wrong = EnrolmentQuery { claim: Secret::new("guess"), ..ask };
    assert_eq!(world.post("/v1/enrolments/status", None, &wrong).await.refused(), ErrorCode::InviteInvalid);
    world.sign_in(&device).await;
    assert!(world.get("/v1/enrolments", &admin).await.read::<Vec<PendingEnrolment>>().is_empty());
    let refuse = format!("/v1/enrolments/{}/refuse", device.id);
    assert_eq!(world.post(&refuse, Some(&admin), &()).await.refused(), ErrorCode::WrongState);
}

#[tokio::test]
async fn an_invite_is_good_once() {
    let (world, admin) = World::new().await;
    let (link, device) = (Link::new(70), world.host.device(70, Role::Advocate, "Advocate 1"));
    world.post("/v1/invites", Some(&admin), &link.create(advocate(device.person))).await.done();
    let mut look = LookAtInvite { invite: link.id, claim: Secret::new("guess") };
    assert_eq!(world.post("/v1/invites/look", None, &look).await.refused(), ErrorCode::InviteInvalid);
    look.claim = link.keys.claim().clone();
    let seen: InviteSeen = world.post("/v1/invites/look", None, &look).await.read();
    assert!(matches!(seen.purpose, InviteFor::Device { role: Role::Advocate, .. }));
    assert_eq!(seen.status, InviteStatus::Open, "looking uses nothing up");

    let mut guess = link.enrol(device.id, &device.key);
    guess.claim = Secret::new("guess");
    assert_eq!(world.post("/v1/enrolments", None, &guess).await.refused(), ErrorCode::InviteInvalid);
    assert_eq!(standing(&world, &admin, &link).await, InviteStatus::Open, "a wrong claim changes nothing");

    // Two devices with one link at once: one of them gets in.
    let (one, two) = (link.enrol(device.id, &device.key), link.enrol(DeviceId([71; 16]), &key(71)));
    let (one, two) = tokio::join!(world.post("/v1/enrolments", None, &one), world.post("/v1/enrolments", None, &two));
    let refused: Vec<_> = [one, two].into_iter().filter(|a| !a.status.is_success()).map(Answer::refused).collect();
    assert_eq!(refused, [ErrorCode::InviteInvalid]);
}

#[tokio::test]
async fn an_expired_or_withdrawn_invite_is_good_for_nothing() {
    let (world, admin) = World::new().await;
    let (old, gone) = (Link::new(70), Link::new(71));
    for link in [&old, &gone] {
        world.post("/v1/invites", Some(&admin), &link.create(advocate(PersonId([70; 16])))).await.done();
    }
    for _ in 0..2 {
        world.delete(&format!("/v1/invites/{}", gone.id), &admin).await.done();
    }
    let enrol = |link: &Link| link.enrol(DeviceId([70; 16]), &key(70));
    assert_eq!(world.post("/v1/enrolments", None, &enrol(&gone)).await.refused(), ErrorCode::InviteInvalid);
    world.clock.advance(DAY);
    assert_eq!(world.post("/v1/enrolments", None, &enrol(&old)).await.refused(), ErrorCode::InviteInvalid);
    let admin = world.sign_in(&world.admin).await;
    assert_eq!(standing(&world, &admin, &old).await, InviteStatus::Expired);
    assert_eq!(standing(&world, &admin, &gone).await, InviteStatus::Withdrawn);
    assert_eq!(
        world.delete(&format!("/v1/invites/{}", InviteId([9; 16])), &admin).await.refused(),
        ErrorCode::NotFound
    );
}

#[tokio::test]
async fn an_invite_says_what_its_organisation_may_grant() {
    let (world, admin) = World::new().await;
    let person = PersonId([70; 16]);
    let invite = |purpose| Link::new(70).create(purpose);
    let device = |role, name: &str| InviteFor::Device { person, work_name: name.into(), role };
    let post = |body: CreateInvite| {
        let (world, admin) = (&world, &admin);
        async move { world.post("/v1/invites", Some(admin), &body).await.refused() }
    };
    assert_eq!(post(invite(device(Role::PoliceOfficer, "Officer 1"))).await, ErrorCode::InvalidValue);
    assert_eq!(post(invite(device(Role::Advocate, " "))).await, ErrorCode::InvalidValue);
    let same_kind = InviteFor::Organisation { kind: OrgKind::VictimServices, name: "Agency A".into() };
    assert_eq!(post(invite(same_kind)).await, ErrorCode::InvalidValue);
    let late = CreateInvite { expires_at: START + DAY * 15, ..invite(advocate(person)) };
    assert_eq!(post(late).await, ErrorCode::InvalidValue);
    let over = CreateInvite { expires_at: START, ..invite(advocate(person)) };
    assert_eq!(post(over).await, ErrorCode::InvalidValue);
    let digest = CreateInvite { claim_digest: vec![0; 31].into(), ..invite(advocate(person)) };
    assert_eq!(post(digest).await, ErrorCode::InvalidValue);
    let renamed = InviteFor::Device { person: world.admin.person, work_name: "Admin 9".into(), role: Role::Admin };
    assert_eq!(post(invite(renamed)).await, ErrorCode::Conflict);

    for _ in 0..2 {
        world.post("/v1/invites", Some(&admin), &invite(advocate(person))).await.done();
    }
    assert_eq!(post(invite(device(Role::Caseworker, "Advocate 1"))).await, ErrorCode::Conflict);

    // Not for everybody: an advocate, and an agency that invites another.
    let (_, _, partner) = world.partner(&admin).await;
    let other = InviteFor::Organisation { kind: OrgKind::Care, name: "Agency B".into() };
    let refused = world.post("/v1/invites", Some(&partner), &Link::new(72).create(other)).await.refused();
    assert_eq!(refused, ErrorCode::Forbidden);
    let device = world.enrol(&world.host, &admin, 73, Role::Advocate, "Advocate 2").await;
    let advocate_in = world.sign_in(&device).await;
    let refused =
        world.post("/v1/invites", Some(&advocate_in), &Link::new(74).create(advocate(person))).await.refused();
    assert_eq!(refused, ErrorCode::Forbidden);
    assert_eq!(world.get("/v1/enrolments", &advocate_in).await.refused(), ErrorCode::Forbidden);
}

#[tokio::test]
async fn a_chain_that_says_something_else_enrols_nobody() {
    let (world, admin) = World::new().await;
    let (partner, _, _) = world.partner(&admin).await;
    let (link, device) = (Link::new(70), world.host.device(70, Role::Advocate, "Advocate 1"));
    world.post("/v1/invites", Some(&admin), &link.create(advocate(device.person))).await.done();
    world.post("/v1/enrolments", None, &link.enrol(device.id, &device.key)).await.read::<EnrolmentStatus>();

    let host = &world.host;
    let path = format!("/v1/enrolments/{}/certificate", device.id);
    let hand_in = |chain: Vec<Bytes>| {
        let (world, admin, path) = (&world, &admin, &path);
        async move { world.post(path, Some(admin), &IssueCertificate { chain }).await.refused() }
    };
    let (id, person) = (device.id, device.person);
    let wrong = [
        (host.certify(id, person, Role::Supervisor, "Advocate 1", &device.key), ErrorCode::InvalidValue),
        (host.certify(id, person, Role::Advocate, "Advocate 2", &device.key), ErrorCode::InvalidValue),
        (host.certify(id, PersonId([9; 16]), Role::Advocate, "Advocate 1", &device.key), ErrorCode::InvalidValue),
        (host.certify(DeviceId([9; 16]), person, Role::Advocate, "Advocate 1", &device.key), ErrorCode::InvalidValue),
        (host.certify(id, person, Role::Advocate, "Advocate 1", &key(99)), ErrorCode::InvalidValue),
        (partner.certify(id, person, Role::Agent, "Advocate 1", &device.key), ErrorCode::InvalidValue),
        // A root that calls itself the host.
        (forged(host, id, person, &device.key), ErrorCode::BadChain),
        (device.chain[..2].to_vec(), ErrorCode::BadChain),
        (vec![vec![0; 100].into(); 3], ErrorCode::BadChain),
    ];
    for (n, (chain, code)) in wrong.into_iter().enumerate() {
        assert_eq!(hand_in(chain).await, code, "{n}");
    }
    assert!(world.app().store.device(device.id).await.unwrap().is_none());

    let refuse = format!("/v1/enrolments/{}/refuse", device.id);
    for _ in 0..2 {
        world.post(&refuse, Some(&admin), &()).await.done();
    }
    assert_eq!(hand_in(device.chain.clone()).await, ErrorCode::WrongState);
    let ask = EnrolmentQuery { device: device.id, claim: link.keys.claim().clone() };
    let status: EnrolmentStatus = world.post("/v1/enrolments/status", None, &ask).await.read();
    assert_eq!(status, EnrolmentStatus::Refused);
}

/// The same identifiers under another root.
fn forged(host: &Org, id: DeviceId, person: PersonId, device: &SigningKey) -> Vec<Bytes> {
    let (root_key, signer_key) = (key(200), key(201));
    let root = build_root(&root_key, host.id, OrgKind::VictimServices, &host.name, [1; 16], lifetime()).unwrap();
    let signer = build_signer(&root_key, &root, &signer_key.verifying_key().to_bytes(), [2; 16], lifetime()).unwrap();
    let forger =
        Org { id: host.id, name: host.name.clone(), root_key, root: root.into(), signer_key, signer: signer.into() };
    forger.certify(id, person, Role::Advocate, "Advocate 1", device)
}

#[tokio::test]
async fn a_partners_admin_signs_for_the_partner_alone() {
    let (world, admin) = World::new().await;
    let (org, _, partner) = world.partner(&admin).await;
    let device = world.enrol(&org, &partner, 80, Role::PoliceOfficer, "Officer 1").await;
    let officer = world.sign_in(&device).await;
    assert_eq!(officer.refresh_expires_at, START + DAY * 30);

    // The host's admin can't decide about the partner's request.
    let (link, other) = (Link::new(81), org.device(81, Role::PoliceOfficer, "Officer 2"));
    let purpose = InviteFor::Device { person: other.person, work_name: "Officer 2".into(), role: Role::PoliceOfficer };
    world.post("/v1/invites", Some(&partner), &link.create(purpose)).await.done();
    world.post("/v1/enrolments", None, &link.enrol(other.id, &other.key)).await.read::<EnrolmentStatus>();
    let path = format!("/v1/enrolments/{}/certificate", other.id);
    let body = IssueCertificate { chain: other.chain.clone() };
    assert_eq!(world.post(&path, Some(&admin), &body).await.refused(), ErrorCode::NotFound);
    world.post(&path, Some(&partner), &body).await.done();
}
