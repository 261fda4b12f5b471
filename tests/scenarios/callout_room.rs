//! The callout as a room: encrypted details for whoever goes, nothing for whoever is not needed any more.

use firstlight_protocol::{
    ErrorCode,
    api::{Notice, RoomView},
    callout::Action,
    mls::{CalloutDetails, Content},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};

fn details() -> CalloutDetails {
    CalloutDetails { address: "1 Example Street".into(), kit: "M".into(), ..CalloutDetails::default() }
}

#[test]
fn whoever_accepts_reads_the_details_and_whoever_is_stood_down_reads_nothing_more() {
    run(async {
        let cast = Cast::new().await;
        let (primary, backup) = (cast.advocate("Advocate 3").await, cast.advocate("Advocate 4").await);
        let shifts = vec![
            firstlight_tests::world::shift(firstlight_protocol::rota::Tier::Primary, &primary),
            firstlight_tests::world::shift(firstlight_protocol::rota::Tier::Primary, &backup),
        ];
        cast.put_rota(1, shifts).await;
        let officer = cast.another_officer("Officer 2").await;
        let (officer, going, not_needed) =
            (cast.member(officer).await, cast.member(primary).await, cast.member(backup).await);

        // The page comes first and waits for no cryptography.
        let callout = officer.device.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(going.device.pages(callout.id).await, [1]);
        let room = officer.callout_room(&callout, cast.host.id, details(), cast.now()).await;
        assert_eq!(officer.device.callout(callout.id).await.unwrap().room, Some(room));

        going.device.act(callout.id, Action::Accept { eta_minutes: 35 }).await.unwrap();
        going.sync(cast.now()).await;
        assert_eq!(going.read(room), [Content::Details(details())]);

        // Stood down: the server serves nothing of the room from this moment, though the MLS removal comes later.
        let refused = not_needed.device.log(room, 0).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotAMember);
        let refused = not_needed.device.get::<RoomView>(format!("/v1/rooms/{room}")).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotAMember);
        assert_eq!(not_needed.device.get::<Vec<RoomView>>("/v1/rooms").await.unwrap(), []);
        not_needed.sync(cast.now()).await;
        assert!(not_needed.read(room).is_empty(), "not even the details");

        // A member's client commits the removal that dispatch asks for.
        officer.sync(cast.now()).await;
        let view: RoomView = officer.device.get(format!("/v1/rooms/{room}")).await.unwrap();
        assert!(!view.members.contains(&not_needed.device.id));
        assert!(view.members.contains(&going.device.id));

        // And goes on without them.
        officer.say(room, "side entrance", cast.now()).await;
        going.sync(cast.now()).await;
        assert_eq!(going.texts(room), ["side entrance"]);
        assert!(not_needed.device.log(room, 0).await.unwrap_or_else(|_| empty()).entries.is_empty());
    });
}

fn empty() -> firstlight_protocol::api::LogPage {
    firstlight_protocol::api::LogPage { entries: Vec::new(), head: 0, first: 1 }
}

#[test]
fn without_a_room_the_callout_still_pages() {
    run(async {
        let cast = Cast::new().await;
        let mut officer = cast.officer.connect().await;
        let callout = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.primary.act(callout.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        let going = officer.view("somebody going", |view| view.accepted == 1).await;
        assert_eq!(going.room, None);
    });
}

#[test]
fn only_one_room_and_only_by_whoever_opened_the_callout() {
    run(async {
        let cast = Cast::new().await;
        let officer = cast.another_officer("Officer 2").await;
        let primary = cast.advocate("Advocate 3").await;
        let (officer, advocate) = (cast.member(officer).await, cast.member(primary).await);
        let callout = officer.device.open_callout(routing("north", cast.now())).await.unwrap();
        let context = firstlight_protocol::mls::RoomContext {
            kind: firstlight_protocol::RoomKind::Callout,
            org: cast.host.id,
            callout: Some(callout.id),
        };
        let theirs = advocate.create_room(context.clone(), vec![], cast.now()).await.unwrap();
        let first = officer.callout_room(&callout, cast.host.id, details(), cast.now()).await;
        let second = officer.create_room(context, vec![], cast.now()).await.unwrap();
        let rooms: Vec<RoomView> = officer.device.get("/v1/rooms").await.unwrap();
        assert_eq!(rooms.iter().map(|r| r.room).collect::<Vec<_>>(), [first], "neither {theirs} nor {second}");
        let linked = |item: firstlight_protocol::api::InboxItem| match item.notice {
            Notice::Callout { view } => view.room,
            _ => None,
        };
        let inbox = officer.device.inbox().await;
        assert_eq!(inbox.into_iter().filter_map(linked).next(), Some(first));
    });
}
