use super::*;
use firstlight_protocol::{
    api::{Me, OrgStatus, RootCertificate, ServerInfo},
    cert::Fingerprint,
    signed::sign_restore,
};

#[tokio::test]
async fn the_host_is_founded_once_with_the_operators_token() {
    let world = World::empty().await;
    let token = world.bootstrap_token();
    let info: ServerInfo = world.call(Method::GET, "/v1/server", None, None).await.read();
    assert_eq!((info.host, info.name.as_str(), info.now), (None, NAME, START));

    let with = |token: Secret, admin: &Dev| FoundOrganisation {
        admin_chain: admin.chain.clone(),
        proof: FoundingProof::Bootstrap { token },
    };
    let found = async |body: FoundOrganisation| world.post("/v1/organisations", None, &body).await;
    assert_eq!(found(with(Secret::new("guess"), &world.admin)).await.refused(), ErrorCode::InviteInvalid);
    let advocate = world.host.device(21, Role::Advocate, "Advocate 1");
    assert_eq!(found(with(token.clone(), &advocate)).await.refused(), ErrorCode::InvalidValue);
    let police = Org::new(30, OrgKind::LawEnforcement).device(40, Role::Admin, "Admin 2");
    assert_eq!(found(with(token.clone(), &police)).await.refused(), ErrorCode::InvalidValue);

    let view: OrgView = found(with(token.clone(), &world.admin)).await.read();
    assert_eq!((view.org, view.status, view.root), (world.host.id, OrgStatus::Host, world.host.root.clone()));
    assert!(!world.dir.path().join("bootstrap-token").exists());

    // A lost answer may be asked for again; another organisation, or another token, founds nothing more.
    world.clock.advance(Duration::from_secs(60));
    found(with(token.clone(), &world.admin)).await.read::<OrgView>();
    let other = Org::new(50, OrgKind::VictimServices).device(52, Role::Admin, "Admin 3");
    assert_eq!(found(with(token, &other)).await.refused(), ErrorCode::Conflict);
    assert_eq!(found(with(Secret::new("guess"), &world.admin)).await.refused(), ErrorCode::InviteInvalid);
    assert_eq!(world.audited().await, ["org.found"]);
}

#[tokio::test]
async fn a_restart_keeps_the_host_and_the_token_key() {
    let (world, tokens) = World::new().await;
    let World { running, dir, .. } = world;
    let (config, clock) = (running.app.config.clone(), running.app.clock.clone());
    running.shutdown().await;
    let running = serve(config, clock).await.unwrap();
    assert!(!dir.path().join("bootstrap-token").exists());
    let request = Request::get("/v1/me").header(header::AUTHORIZATION, format!("Bearer {}", tokens.access.reveal()));
    let answer = crate::http::router(running.app.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_partner_waits_for_the_hosts_statement() {
    let (world, admin) = World::new().await;
    let org = Org::new(30, OrgKind::LawEnforcement);
    let device = org.device(40, Role::Admin, "Admin 2");
    let link = Link::new(40);
    let purpose = InviteFor::Organisation { kind: OrgKind::LawEnforcement, name: org.name.clone() };
    world.post("/v1/invites", Some(&admin), &link.create(purpose)).await.done();

    // The request is sealed for the invite: another organisation's root can't be put in.
    let other = Org::new(60, OrgKind::LawEnforcement);
    let swapped = FoundOrganisation {
        admin_chain: other.device(65, Role::Admin, "Admin 2").chain,
        ..link.found(&org, OrgKind::LawEnforcement, &device)
    };
    assert_eq!(world.post("/v1/organisations", None, &swapped).await.refused(), ErrorCode::InvalidValue);

    let founding = link.found(&org, OrgKind::LawEnforcement, &device);
    let view: OrgView = world.post("/v1/organisations", None, &founding).await.read();
    assert_eq!((view.status, view.founding.is_some()), (OrgStatus::Pending, false));
    world.post("/v1/organisations", None, &founding).await.read::<OrgView>();
    let inbox = world.app().store.inbox(world.admin.id, 0, 10).await.unwrap();
    assert_eq!(inbox.items.len(), 1, "the same founding again tells nobody again");

    // It may look at itself, and do nothing.
    let waiting = world.sign_in(&device).await;
    let me: Me = world.get("/v1/me", &waiting).await.read();
    assert_eq!((me.org, me.role, me.work_name.as_str()), (org.id, Role::Admin, "Admin 2"));
    assert_eq!(world.get("/v1/people", &waiting).await.refused(), ErrorCode::Forbidden);
    assert_eq!(world.post("/v1/auth/tickets", Some(&waiting), &()).await.refused(), ErrorCode::Forbidden);
    let seen: Vec<OrgView> = world.get("/v1/organisations", &waiting).await.read();
    assert!(seen.iter().all(|o| o.founding.is_none()) && seen.len() == 2);

    // The host's admin gets the request, with the MAC that only clients can check.
    let seen: Vec<OrgView> = world.get("/v1/organisations", &admin).await.read();
    let sealed = seen.iter().find(|o| o.org == org.id).unwrap().founding.clone().unwrap();
    let asked = sealed.open(&link.keys).unwrap();
    world.state(&admin, &PartnerStatement::first(asked.organisation().unwrap(), START)).await.done();
    let seen: Vec<OrgView> = world.get("/v1/organisations", &waiting).await.read();
    let own = seen.iter().find(|o| o.org == org.id).unwrap();
    assert_eq!((own.status, own.statement.is_some()), (OrgStatus::Partner, true));
    world.get("/v1/people", &waiting).await.read::<serde_json::Value>();
}

#[tokio::test]
async fn only_the_host_states_partners_and_only_forward() {
    let (world, admin) = World::new().await;
    let (org, device, partner) = world.partner(&admin).await;
    let first = PartnerStatement::first(org.identity(), START);

    // The partner's own admin, and a statement that the partner signs, state nothing.
    let path = format!("/v1/organisations/{}/statement", org.id);
    let own = PutStatement { statement: org.sign(&first.withdraw(START)) };
    assert_eq!(world.put(&path, &partner, &own).await.refused(), ErrorCode::Forbidden);
    assert_eq!(world.put(&path, &admin, &own).await.refused(), ErrorCode::Forbidden);
    // Another root, kind, or organisation than the one that was founded.
    let another_root = PartnerStatement {
        number: 2,
        ..PartnerStatement::first(Org::new(60, OrgKind::LawEnforcement).identity(), START)
    };
    let another_root = PartnerStatement { org: org.id, ..another_root };
    assert_eq!(world.state(&admin, &another_root).await.refused(), ErrorCode::BadChain);
    let another_kind = PartnerStatement { number: 2, kind: OrgKind::Care, ..first.clone() };
    assert_eq!(world.state(&admin, &another_kind).await.refused(), ErrorCode::InvalidValue);
    let unknown = PartnerStatement::first(Org::new(60, OrgKind::Care).identity(), START);
    assert_eq!(world.state(&admin, &unknown).await.refused(), ErrorCode::NotFound);

    // Withdrawn: its sign-ins end, and an older statement doesn't bring it back.
    let connection = world.app().bus.connect(device.id, partner.session);
    world.state(&admin, &first.withdraw(START)).await.done();
    assert!(connection.wake.wait().await.close.is_some());
    assert_eq!(world.get("/v1/me", &partner).await.refused(), ErrorCode::Unauthenticated);
    assert_eq!(world.try_sign_in(&device).await.refused(), ErrorCode::BadChain);
    assert_eq!(world.state(&admin, &first).await.refused(), ErrorCode::Conflict);
    world.state(&admin, &first.withdraw(START)).await.done();
    // A newer one does.
    world.state(&admin, &PartnerStatement { number: 3, ..first }).await.done();
    world.sign_in(&device).await;
    assert_eq!(world.audited().await.iter().filter(|a| *a == "org.state").count(), 3);
}

#[tokio::test]
async fn a_root_restores_its_organisation_with_a_new_device_of_an_admin() {
    let (world, _) = World::new().await;
    let path = |root: &[u8]| format!("/v1/roots/{}", Fingerprint::of(root));
    let root: RootCertificate = world.call(Method::GET, &path(&world.host.root), None, None).await.read();
    assert_eq!(root.root, world.host.root);
    assert_eq!(world.call(Method::GET, &path(b"other"), None, None).await.refused(), ErrorCode::NotFound);

    let restored = world.host.certify(DeviceId([9; 16]), world.admin.person, Role::Admin, "Admin 1", &key(91));
    let new = Dev { id: DeviceId([9; 16]), person: world.admin.person, key: key(91), chain: restored };
    let with = async |device: &Dev, root_key: &SigningKey, of: DeviceId| {
        let challenge = world.challenge(of).await.challenge;
        let signature = sign_restore(root_key, NAME, device.id, &challenge).to_vec().into();
        let proof = FoundingProof::Restore { challenge, signature };
        world.post("/v1/organisations", None, &FoundOrganisation { admin_chain: device.chain.clone(), proof }).await
    };
    // A signer is not the root; another device's challenge, another role, another organisation are nothing.
    assert_eq!(with(&new, &world.host.signer_key, new.id).await.refused(), ErrorCode::BadSignature);
    assert_eq!(with(&new, &world.host.root_key, DeviceId([8; 16])).await.refused(), ErrorCode::BadSignature);
    let advocate = world.host.device(21, Role::Advocate, "Advocate 1");
    assert_eq!(with(&advocate, &world.host.root_key, advocate.id).await.refused(), ErrorCode::InvalidValue);
    let strange = Org::new(60, OrgKind::VictimServices);
    let stranger = strange.device(65, Role::Admin, "Admin 1");
    assert_eq!(with(&stranger, &strange.root_key, stranger.id).await.refused(), ErrorCode::BadChain);
    // An id that is taken is not given away.
    let taken =
        Dev { chain: world.host.certify(world.admin.id, new.person, Role::Admin, "Admin 1", &key(91)), ..new.clone() };
    let taken = Dev { id: world.admin.id, ..taken };
    assert_eq!(with(&taken, &world.host.root_key, taken.id).await.refused(), ErrorCode::Conflict);

    // The same again changes nothing, as after a lost answer.
    for _ in 0..2 {
        let view: OrgView = with(&new, &world.host.root_key, new.id).await.read();
        assert_eq!((view.org, view.status), (world.host.id, OrgStatus::Host));
    }
    let admin = world.sign_in(&new).await;
    world
        .put(
            &format!("/v1/organisations/{}/revocations", world.host.id),
            &admin,
            &world.host.revokes(1, &[world.admin.id]),
        )
        .await
        .done();
    // Who is revoked does not come back by it.
    assert_eq!(with(&world.admin, &world.host.root_key, world.admin.id).await.refused(), ErrorCode::DeviceRevoked);
    assert_eq!(world.audited().await.iter().filter(|a| *a == "org.restore").count(), 1);
}
