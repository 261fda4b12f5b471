//! A revoked device is out at once, everywhere, for good.

use firstlight_client::engine::Event;
use firstlight_protocol::{
    ErrorCode, RoomKind,
    api::{Committed, Me, RoomView},
    cert::PartnerStatement,
    limits::REVOCATION_DEADLINE,
    mls::{RoomContext, SUITE_CLASSIC},
    stream::close_code,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{key_package_share, mls::Hand},
};
use std::time::Instant;

#[test]
fn its_socket_closes_within_seconds_and_its_rooms_remove_it() {
    run(async {
        let cast = Cast::new().await;
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let lost = &cast.primary;
        key_package_share(&Hand::of(lost), lost, SUITE_CLASSIC, 1).await.unwrap();
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let room = a.create_room(context, vec![b.device.id, lost.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;
        let socket = lost.connect().await;
        let tokens = lost.sign_in().await.unwrap();
        let ticket = lost.ticket().await.unwrap();

        let began = Instant::now();
        cast.host.revoke(&cast.admin, &[lost.id], cast.now()).await.unwrap();
        let closed = socket.closed().await;
        assert!(began.elapsed() < REVOCATION_DEADLINE, "{:?}", began.elapsed());
        assert_eq!(closed.code, Some(close_code::REVOKED));
        assert_eq!(closed.problem.unwrap().code, ErrorCode::DeviceRevoked);

        // Nothing that it still holds is worth anything.
        assert_eq!(lost.get::<Me>("/v1/me").await.unwrap_err().code, ErrorCode::DeviceRevoked);
        let refresh = firstlight_protocol::api::RefreshRequest { refresh: tokens.refresh };
        let refused = cast.server.http.post::<serde_json::Value>("/v1/auth/refresh", &refresh).await.unwrap_err();
        assert!(matches!(refused.code, ErrorCode::DeviceRevoked | ErrorCode::Unauthenticated), "{refused}");
        assert_eq!(lost.sign_in().await.unwrap_err().code, ErrorCode::DeviceRevoked);
        let hello = firstlight_protocol::stream::Hello { ticket, inbox: None, rooms: vec![] };
        let mut late = firstlight_tests::world::Socket::stranger(cast.server.http.addr()).await;
        late.send(&firstlight_protocol::stream::ClientFrame::Hello(hello)).await;
        let closed = late.closed().await;
        assert_eq!(closed.code, Some(close_code::UNAUTHENTICATED));
        let claimed = cast.backup.claim(SUITE_CLASSIC, vec![lost.id]).await.unwrap();
        assert_eq!(claimed[0].key_package, None, "nobody adds it again");

        // The members hear of it, and their clients remove it.
        let events = a.sync(cast.now()).await;
        assert!(events.iter().any(|e| matches!(e, Event::Revoked { devices, .. } if devices.contains(&lost.id))));
        b.sync(cast.now()).await;
        a.sync(cast.now()).await;
        let view: RoomView = a.device.get(format!("/v1/rooms/{room}")).await.unwrap();
        assert!(!view.members.contains(&lost.id));
        assert_eq!(view.members.len(), 2);
        a.say(room, "without it", cast.now()).await;
        b.sync(cast.now()).await;
        assert_eq!(b.texts(room), ["without it"]);
    });
}

#[test]
fn a_revoked_device_can_not_be_added_by_anybodys_commit() {
    run(async {
        let cast = Cast::new().await;
        let (hand, lost) = (Hand::of(&cast.primary), &cast.backup);
        key_package_share(&Hand::of(lost), lost, SUITE_CLASSIC, 1).await.unwrap();
        // Claimed while it was still good.
        let claimed = cast.primary.claim(SUITE_CLASSIC, vec![lost.id]).await.unwrap();
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let mut room =
            hand.found(firstlight_protocol::RoomId(firstlight_tests::world::random()), &context, SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![]);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        cast.host.revoke(&cast.admin, &[lost.id], cast.now()).await.unwrap();
        let add = vec![claimed[0].key_package.clone().unwrap()];
        let bundle = hand.commit(&mut room, firstlight_tests::world::mls::Change { add, ..Default::default() });
        let path = format!("/v1/rooms/{}/commits", room.id);
        let refused = cast.changes_nothing(cast.primary.post::<Committed>(&path, &bundle)).await.unwrap_err();
        assert!(matches!(refused.code, ErrorCode::BadChain | ErrorCode::DeviceRevoked), "{refused}");
    });
}

#[test]
fn withdrawing_a_partner_ends_its_sign_ins() {
    run(async {
        let cast = Cast::new().await;
        let socket = cast.officer.connect().await;
        let statement = PartnerStatement::first(cast.police.identity(), cast.now()).withdraw(cast.now());
        cast.host.state(&cast.admin, statement).await.unwrap();
        let closed = socket.closed().await;
        assert_eq!(closed.code, Some(close_code::UNAUTHENTICATED));
        cast.officer.get::<serde_json::Value>("/v1/policy").await.unwrap_err();
    });
}
