use super::*;
use crate::bus::CloseReason;
use crate::store::sql;
use firstlight_protocol::{
    RoomId,
    api::{Notice, PersonView, RefreshRequest, Ticket},
    cert::Fingerprint,
};

/// Puts devices into a room as the delivery service would.
async fn share_a_room(world: &World, devices: &[&Dev]) {
    let members: Vec<_> = devices.iter().map(|d| (d.id, d.person)).collect();
    world
        .app()
        .store
        .write(move |tx| {
            Box::pin(async move {
                for (leaf, (device, person)) in (0i64..).zip(members) {
                    sql::query("INSERT INTO room_members (room, device, person, leaf, joined_seq) VALUES ($1, $2, $3, $4, 0)")
                        .bind(RoomId([1; 16]).as_bytes())
                        .bind(device.as_bytes())
                        .bind(person.as_bytes())
                        .bind(leaf)
                        .execute(&mut *tx.conn)
                        .await?;
                }
                sql::query("INSERT INTO key_packages (device, suite, last_resort, body) SELECT device, 1, 1, x'00' FROM devices")
                    .execute(&mut *tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn notices(world: &World, device: &Dev) -> Vec<Notice> {
    let page = world.app().store.inbox(device.id, 0, 100).await.unwrap();
    page.items.into_iter().map(|item| item.notice).filter(|n| matches!(n, Notice::Revoked { .. })).collect()
}

#[tokio::test]
async fn a_revoked_device_is_out_at_once_and_everywhere() {
    let (world, admin) = World::new().await;
    let lost = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let mate = world.enrol(&world.host, &admin, 71, Role::Advocate, "Advocate 2").await;
    let other = world.enrol(&world.host, &admin, 72, Role::Advocate, "Advocate 3").await;
    share_a_room(&world, &[&lost, &mate]).await;
    let tokens = world.sign_in(&lost).await;
    let ticket: Ticket = world.post("/v1/auth/tickets", Some(&tokens), &()).await.read();
    let connection = world.app().bus.connect(lost.id, tokens.session);

    let path = format!("/v1/organisations/{}/revocations", world.host.id);
    for _ in 0..2 {
        world.put(&path, &admin, &world.host.revokes(1, &[lost.id])).await.done();
    }
    assert_eq!(connection.wake.wait().await.close, Some(CloseReason::Revoked));
    assert!(world.app().identity.is_revoked(lost.id) && !world.app().identity.session_alive(tokens.session, lost.id));
    assert_eq!(world.get("/v1/me", &tokens).await.refused(), ErrorCode::DeviceRevoked);
    assert_eq!(world.try_sign_in(&lost).await.refused(), ErrorCode::DeviceRevoked);
    let refresh = RefreshRequest { refresh: tokens.refresh.clone() };
    assert_eq!(world.post("/v1/auth/refresh", None, &refresh).await.refused(), ErrorCode::Unauthenticated);
    assert!(world.app().redeem_ticket(&ticket.ticket).await.is_err());
    let left: i64 = sql::query_scalar("SELECT COUNT(*) FROM key_packages WHERE device = $1")
        .bind(lost.id.as_bytes())
        .fetch_one(world.app().store.read())
        .await
        .unwrap();
    assert_eq!(left, 0);

    let expected = Notice::Revoked { org: world.host.id, devices: vec![lost.id] };
    assert_eq!(notices(&world, &mate).await, [expected], "once, though the list came twice");
    assert!(notices(&world, &other).await.is_empty() && notices(&world, &lost).await.is_empty());
    assert_eq!(world.audited().await.iter().filter(|a| *a == "device.revoke").count(), 1);
    assert!(world.app().store.devices_of(lost.person).await.unwrap().is_empty());
    assert_eq!(world.app().store.device_chain(lost.id).await.unwrap(), None);

    // Admins still see it in the list of people; others don't.
    let shown = async |tokens: &Tokens| {
        let people: Vec<PersonView> = world.get("/v1/people", tokens).await.read();
        people.into_iter().find(|p| p.person == lost.person).unwrap().devices.len()
    };
    assert_eq!(shown(&admin).await, 1);
    assert_eq!(shown(&world.sign_in(&mate).await).await, 0);

    // And it stays out after a restart.
    let World { running, dir: _dir, .. } = world;
    let (config, clock) = (running.app.config.clone(), running.app.clock.clone());
    running.shutdown().await;
    let running = serve(config, clock).await.unwrap();
    assert!(running.app.identity.is_revoked(lost.id));
}

#[tokio::test]
async fn a_list_only_grows_and_comes_from_its_own_organisation() {
    let (world, admin) = World::new().await;
    let (org, partner_admin, partner) = world.partner(&admin).await;
    let one = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let two = world.enrol(&world.host, &admin, 71, Role::Advocate, "Advocate 2").await;
    let host = &world.host;
    let path = format!("/v1/organisations/{}/revocations", host.id);
    world.put(&path, &admin, &host.revokes(5, &[one.id])).await.done();

    let put = |list: PutRevocations| {
        let (world, admin, path) = (&world, &admin, &path);
        async move { world.put(path, admin, &list).await.refused() }
    };
    assert_eq!(put(host.revokes(4, &[one.id, two.id])).await, ErrorCode::Conflict);
    assert_eq!(put(host.revokes(5, &[one.id, two.id])).await, ErrorCode::Conflict);
    assert_eq!(put(host.revokes(6, &[two.id])).await, ErrorCode::InvalidValue);
    assert_eq!(put(org.revokes(6, &[two.id])).await, ErrorCode::InvalidValue);
    // The partner's signer under the host's name.
    let list = RevocationList { number: 6, ..RevocationList::empty(host.id).next([one.id, two.id], [], START) };
    assert_eq!(put(PutRevocations { revocations: org.sign(&list) }).await, ErrorCode::Forbidden);
    assert_eq!(world.put(&path, &partner, &host.revokes(6, &[one.id, two.id])).await.refused(), ErrorCode::Forbidden);
    let advocate = world.sign_in(&two).await;
    assert_eq!(world.put(&path, &advocate, &host.revokes(6, &[one.id])).await.refused(), ErrorCode::Forbidden);

    // A device of another organisation on the list is none of its business.
    world.put(&path, &admin, &host.revokes(6, &[one.id, partner_admin.id])).await.done();
    world.get("/v1/me", &partner).await.read::<serde_json::Value>();
}

#[tokio::test]
async fn a_revoked_signer_takes_its_devices_and_its_statements_with_it() {
    let (world, admin) = World::new().await;
    let (_, device, partner) = world.partner(&admin).await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let tokens = world.sign_in(&advocate).await;
    let connection = world.app().bus.connect(device.id, partner.session);

    // Signed by the root itself: a signer can't outlive its own revocation.
    let host = &world.host;
    let list = RevocationList::empty(host.id).next([], [Fingerprint::of(&host.signer)], START);
    let list = PutRevocations { revocations: Signed::sign(&list, &host.root_key, vec![host.root.clone()]) };
    let path = format!("/v1/organisations/{}/revocations", host.id);
    world.put(&path, &admin, &list).await.done();
    assert_eq!(world.get("/v1/me", &tokens).await.refused(), ErrorCode::DeviceRevoked);
    assert_eq!(world.get("/v1/me", &admin).await.refused(), ErrorCode::DeviceRevoked);
    assert_eq!(connection.wake.wait().await.close, Some(CloseReason::SignedOut));
    assert_eq!(world.get("/v1/me", &partner).await.refused(), ErrorCode::Unauthenticated);
}
