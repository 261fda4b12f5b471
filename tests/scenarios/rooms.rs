//! Rooms: who may be in them, races of commits, and the way back.

use firstlight_client::engine::Event;
use firstlight_protocol::{
    ErrorCode, MessageId, RoomId, RoomKind,
    api::{Committed, EntryKind, GroupState, RoomView, WelcomeBundle},
    limits::MAX_FRAME,
    mls::{Content, RoomContext, SUITE_CLASSIC, SUITE_HYBRID},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{
        key_package_share,
        mls::{Change, Hand},
        random,
    },
};

fn text(text: &str) -> Content {
    Content::Text { text: text.into(), reply_to: None }
}

fn advocate_room(cast: &Cast) -> RoomContext {
    RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None }
}

#[test]
fn a_team_talks_and_everybody_reads_the_same() {
    run(async {
        let cast = Cast::new().await;
        let (a, b, c) =
            tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"), cast.advocate("Advocate 5"));
        let (a, b, c) = (cast.member(a).await, cast.member(b).await, cast.member(c).await);
        let room = a.create_room(advocate_room(&cast), vec![b.device.id], cast.now()).await.unwrap();
        a.say(room, "one", cast.now()).await;
        b.sync(cast.now()).await;
        b.say(room, "two", cast.now()).await;
        a.sync(cast.now()).await;
        let claimed = a.device.claim(SUITE_CLASSIC, vec![c.device.id]).await.unwrap();
        let added = a.apply(|engine| engine.add(room, &claimed, MessageId(random()), cast.now())).unwrap();
        a.drive(added, cast.now()).await;
        a.say(room, "three", cast.now()).await;
        let events = b.sync(cast.now()).await;
        let seen = |e: &Event| matches!(e, Event::MembersChanged { added, .. } if added[0].device == c.device.id);
        assert!(events.iter().any(seen), "every change of members shows to all members");
        c.sync(cast.now()).await;
        assert_eq!(a.texts(room), ["one", "two", "three"]);
        assert_eq!(b.texts(room), ["one", "two", "three"]);
        assert_eq!(c.texts(room), ["three"], "nothing from before they came");
    });
}

#[test]
fn the_hybrid_suite_works_end_to_end() {
    run(async {
        let cast = Cast::new().await;
        for device in [&cast.primary, &cast.backup] {
            key_package_share(&Hand::of(device), device, SUITE_HYBRID, 0).await.unwrap();
        }
        let (alice, bob) = (Hand::of(&cast.primary), Hand::of(&cast.backup));
        key_package_share(&bob, &cast.backup, SUITE_HYBRID, 1).await.unwrap();
        let claimed = cast.primary.claim(SUITE_HYBRID, vec![cast.backup.id]).await.unwrap();
        let mut room = alice.found(RoomId(random()), &advocate_room(&cast), SUITE_HYBRID);
        let create = alice.create(&mut room, vec![claimed[0].key_package.clone().unwrap()]);
        let view: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        assert_eq!((view.epoch, view.members.len()), (1, 2));
        let message = alice.message(&mut room, &text("hybrid"));
        let id = room.id;
        let _: firstlight_protocol::api::Sent =
            cast.primary.post(format!("/v1/rooms/{id}/messages"), &message).await.unwrap();

        let welcome: WelcomeBundle = cast.backup.get(format!("/v1/rooms/{id}/welcomes/1")).await.unwrap();
        let mut theirs = bob.join(&welcome);
        let log = cast.backup.log(id, welcome.seq).await.unwrap();
        let plain = bob.receive(&mut theirs, &log.entries[0].body).unwrap();
        assert_eq!(firstlight_protocol::wire::from_cbor::<Content>(&plain).unwrap(), text("hybrid"));
    });
}

#[test]
fn police_never_enter_an_advocate_room_says_the_server() {
    run(async {
        let cast = Cast::new().await;
        key_package_share(&Hand::of(&cast.officer), &cast.officer, SUITE_CLASSIC, 2).await.unwrap();
        let hand = Hand::of(&cast.primary);
        let claimed = cast.primary.claim(SUITE_CLASSIC, vec![cast.officer.id]).await.unwrap();
        let package = claimed[0].key_package.clone().unwrap();

        // A client that doesn't care makes a room with the officer in it from the start ...
        let mut room = hand.found(RoomId(random()), &advocate_room(&cast), SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![package.clone()]);
        let refused = cast.changes_nothing(cast.primary.post::<RoomView>("/v1/rooms", &create)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::RoleNotAdmitted);

        // ... or adds them to one that exists ...
        let mut room = hand.found(RoomId(random()), &advocate_room(&cast), SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![]);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        let bundle = hand.commit(&mut room, Change { add: vec![package], ..Change::default() });
        let path = format!("/v1/rooms/{}/commits", room.id);
        let refused = cast.changes_nothing(cast.primary.post::<Committed>(&path, &bundle)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::RoleNotAdmitted);

        // ... or the officer makes one of their own.
        let hand = Hand::of(&cast.officer);
        let mut room = hand.found(RoomId(random()), &advocate_room(&cast), SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![]);
        let refused = cast.changes_nothing(cast.officer.post::<RoomView>("/v1/rooms", &create)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::RoleNotAdmitted);
    });
}

#[test]
fn police_never_enter_an_advocate_room_says_the_client() {
    run(async {
        let cast = Cast::new().await;
        let (advocate, officer) = tokio::join!(cast.advocate("Advocate 3"), cast.another_officer("Officer 2"));
        let (advocate, officer) = (cast.member(advocate).await, cast.member(officer).await);
        let made = advocate.create_room(advocate_room(&cast), vec![officer.device.id], cast.now()).await;
        let refused = made.unwrap_err().to_string();
        assert!(refused.contains("not accepted"), "{refused}");
        let room = advocate.create_room(advocate_room(&cast), vec![], cast.now()).await.unwrap();
        let claimed = advocate.device.claim(SUITE_CLASSIC, vec![officer.device.id]).await.unwrap();
        let added = advocate.apply(|engine| engine.add(room, &claimed, MessageId(random()), cast.now()));
        assert!(added.unwrap_err().to_string().contains("not accepted"));
        assert_eq!(advocate.room(room).unwrap().members.len(), 1);
    });
}

#[test]
fn of_two_commits_one_wins_and_the_other_is_built_again() {
    run(async {
        let cast = Cast::new().await;
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (c, d) = tokio::join!(cast.advocate("Advocate 5"), cast.advocate("Advocate 6"));
        let (a, b, c, d) = (cast.member(a).await, cast.member(b).await, cast.member(c).await, cast.member(d).await);
        let room = a.create_room(advocate_room(&cast), vec![b.device.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;

        // Both build a commit on the same epoch before either is published.
        let of_c = a.device.claim(SUITE_CLASSIC, vec![c.device.id]).await.unwrap();
        let of_d = b.device.claim(SUITE_CLASSIC, vec![d.device.id]).await.unwrap();
        let from_a = a.apply(|engine| engine.add(room, &of_c, MessageId(random()), cast.now())).unwrap();
        let from_b = b.apply(|engine| engine.add(room, &of_d, MessageId(random()), cast.now())).unwrap();
        tokio::join!(a.drive(from_a, cast.now()), b.drive(from_b, cast.now()));
        a.sync(cast.now()).await;
        b.sync(cast.now()).await;

        let view: RoomView = a.device.get(format!("/v1/rooms/{room}")).await.unwrap();
        assert_eq!((view.epoch, view.members.len()), (3, 4), "both changes are in, one after the other");
        let log = a.device.log(room, 0).await.unwrap();
        assert_eq!(log.entries.iter().filter(|e| e.kind == EntryKind::Commit).count(), 3);
        for member in [&a, &b, &c, &d] {
            member.sync(cast.now()).await;
            let room = member.room(room).unwrap();
            assert_eq!((room.epoch, room.members.len()), (3, 4));
        }
        d.say(room, "all here", cast.now()).await;
        c.sync(cast.now()).await;
        assert_eq!(c.texts(room), ["all here"]);
    });
}

#[test]
fn a_commit_that_adds_many_reaches_everybody_on_their_socket() {
    run(async {
        let cast = Cast::new().await;
        let hand = Hand::of(&cast.primary);
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_HYBRID, 1).await.unwrap();
        let first = cast.primary.claim(SUITE_HYBRID, vec![cast.backup.id]).await.unwrap();
        let mut room = hand.found(RoomId(random()), &advocate_room(&cast), SUITE_HYBRID);
        let create = hand.create(&mut room, vec![first[0].key_package.clone().unwrap()]);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        let mut member = cast.backup.connect().await;

        // One person's many devices are as good as many people's.
        let person = firstlight_protocol::PersonId(random());
        let mut add = Vec::new();
        for _ in 0..70 {
            let (role, now) = (firstlight_protocol::Role::Advocate, cast.now());
            let device = cast.host.enrol_for(&cast.admin, person, role, "Advocate 3", now).await;
            add.push(Hand::of(&device).key_package(SUITE_HYBRID, false));
        }
        let bundle = hand.commit(&mut room, Change { add, ..Change::default() });
        assert!(bundle.commit.len() > MAX_FRAME, "more than a client may send in a frame");
        let _: Committed = cast.primary.post(format!("/v1/rooms/{}/commits", room.id), &bundle).await.unwrap();
        let entry = member.entry(room.id).await;
        assert_eq!((entry.id, entry.body), (bundle.id, bundle.commit.clone()));
        let mut again = cast.backup.resume(None, &[(room.id, entry.seq - 1)]).await;
        assert_eq!(again.entry(room.id).await.id, bundle.id, "also out of the store");
    });
}

#[test]
fn many_commits_at_once_land_one_after_another() {
    run(async {
        let cast = Cast::new().await;
        let hand = Hand::of(&cast.primary);
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_CLASSIC, 1).await.unwrap();
        let mut room = hand.found(RoomId(random()), &advocate_room(&cast), SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![]);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        let path = format!("/v1/rooms/{}/commits", room.id);
        // Eight commits of the same epoch: built one by one, each dropped again before the next.
        let mut bundles = Vec::new();
        for _ in 0..8 {
            bundles.push(hand.commit(&mut room, Change::default()));
            hand.drop_commit(&mut room);
        }
        let answers = bundles.iter().map(|bundle| cast.primary.post::<Committed>(&path, bundle));
        let answers = futures_util::future::join_all(answers).await;
        let won = answers.iter().filter(|a| a.is_ok()).count();
        let stale = answers.iter().filter(|a| matches!(a, Err(p) if p.code == ErrorCode::StaleEpoch)).count();
        assert_eq!((won, stale), (1, 7));
        // The winner's bundle again gets its first answer.
        let i = answers.iter().position(Result::is_ok).unwrap();
        let again: Committed = cast.primary.post(&path, &bundles[i]).await.unwrap();
        assert_eq!(&again, answers[i].as_ref().unwrap());
    });
}

#[test]
fn a_device_that_lost_its_state_rejoins_by_external_commit() {
    run(async {
        let cast = Cast::new().await;
        let (a, b) = (cast.member(cast.advocate("Advocate 3").await).await, &cast.primary);
        key_package_share(&Hand::of(b), b, SUITE_CLASSIC, 1).await.unwrap();
        let room = a.create_room(advocate_room(&cast), vec![b.id], cast.now()).await.unwrap();
        a.say(room, "before", cast.now()).await;

        // Its keys are gone: nothing but its identity is left.
        let hand = Hand::of(b);
        let state: GroupState = b.get(format!("/v1/rooms/{room}/group-info")).await.unwrap();
        let (mut back, bundle) = hand.rejoin(room, &state);
        let path = format!("/v1/rooms/{room}/commits");
        let committed: Committed = b.post(&path, &bundle).await.unwrap();
        assert_eq!(committed.epoch, state.epoch + 1);
        let message = hand.message(&mut back, &text("back"));
        let _: firstlight_protocol::api::Sent = b.post(format!("/v1/rooms/{room}/messages"), &message).await.unwrap();
        a.sync(cast.now()).await;
        assert_eq!(a.texts(room), ["before", "back"]);
        assert_eq!(a.room(room).unwrap().members.len(), 2, "the old leaf is gone");

        // Nobody who was not a member comes in that way, though they may have got hold of the state.
        let state: GroupState = b.get(format!("/v1/rooms/{room}/group-info")).await.unwrap();
        let outsider = &cast.backup;
        let (_, bundle) = Hand::of(outsider).rejoin(room, &state);
        let refused = cast.changes_nothing(outsider.post::<Committed>(&path, &bundle)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotAMember);
    });
}
