//! Rooms as they are meant to go.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{Event, RoomState},
    storage::LineBody,
    testing::{now, settle},
};
use firstlight_protocol::{
    MessageId, Role, RoomKind,
    api::Notice,
    mls::{CalloutDetails, Content, SUITES},
};

#[test]
fn a_callout_is_told_answered_and_left_in_every_suite() {
    for suite in SUITES {
        let mut town = Town::with(&[suite]);
        let mut officer = town.officer();
        let (mut primary, mut backup) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
        town.room(RoomKind::Callout, suite, &mut officer, &mut [&mut primary, &mut backup]);
        let details = CalloutDetails { address: "12 Example Street".into(), ..CalloutDetails::default() };
        let content = Content::Details(details);
        officer.wish(|e| e.send(ROOM, content.clone(), MessageId([1; 16]), now()));
        settle(&mut town.net, &mut [&mut officer, &mut primary, &mut backup]);
        backup.text(ROOM, 2, "35 minutes");
        settle(&mut town.net, &mut [&mut officer, &mut primary, &mut backup]);
        for peer in [&mut officer, &mut primary, &mut backup] {
            let lines = peer.lines(ROOM);
            let said: Vec<_> = lines.iter().filter(|l| matches!(l.body, LineBody::Message(_))).collect();
            assert_eq!(said[0].body, LineBody::Message(content.clone()));
            assert_eq!(said[0].sender.as_ref().unwrap().role, Role::PoliceOfficer);
            assert_eq!(said[1].sender.as_ref().unwrap().role, Role::Advocate);
            assert!(matches!(&lines[0].body, LineBody::Joined { members, .. } if members.len() == 3));
        }
        assert_eq!(primary.host.engine().room(ROOM).unwrap().unread, 2);
        // Dispatch stands the primary down and asks the room to remove them: everybody hears, one commit lands.
        let removal = Notice::RemoveFromRoom { room: ROOM, devices: vec![primary.device] };
        for device in [officer.device, backup.device] {
            town.net.notify(device, removal.clone());
            town.net.notify(device, removal.clone());
        }
        settle(&mut town.net, &mut [&mut officer, &mut primary, &mut backup]);
        officer.text(ROOM, 3, "second door on the left");
        settle(&mut town.net, &mut [&mut officer, &mut primary, &mut backup]);
        assert_eq!(backup.texts(ROOM), ["35 minutes", "second door on the left"]);
        assert_eq!(primary.texts(ROOM), ["35 minutes"], "a removed member reads no more");
        assert_eq!(primary.host.engine().room(ROOM).unwrap().state, RoomState::Left);
        assert!(primary.events.contains(&Event::Left { room: ROOM }));
        // Even if it gets hold of everything that is said, it has no keys for it.
        let all = town.net.log(ROOM, 0);
        primary.apply(|e| e.receive_entries(&all, now())).unwrap();
        assert_eq!(primary.texts(ROOM), ["35 minutes"]);
        assert!(primary.host.engine().safety(ROOM).is_err(), "its keys are gone");
        agree(&mut [&mut officer, &mut backup]);
        let gone = backup.lines(ROOM).into_iter().any(
            |l| matches!(l.body, LineBody::Members { added, removed } if added.is_empty() && removed[0].device == primary.device),
        );
        assert!(gone, "who was removed is a visible line");
    }
}

#[test]
fn members_come_go_and_renew_their_keys() {
    let mut town = Town::new();
    let (mut a, mut b, mut c) =
        (town.enrol(Role::Advocate), town.enrol(Role::Supervisor), town.enrol(Role::Caseworker));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "before");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    let claimed = b.claim(&mut town.net, SUITE, &[&c, &a]);
    b.wish(|e| e.add(ROOM, &claimed, MessageId([2; 16]), now()));
    // Wanted after the addition, so the new member reads it.
    b.text(ROOM, 3, "welcome");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    assert_eq!(c.texts(ROOM), ["welcome"]);
    assert_eq!(a.texts(ROOM), ["before", "welcome"]);
    c.wish(|e| e.update(ROOM, MessageId([4; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    agree(&mut [&mut a, &mut b, &mut c]);
    let changes = a.lines(ROOM).iter().filter(|l| matches!(l.body, LineBody::Members { .. })).count();
    assert_eq!(changes, 1, "fresh keys are no change of members");
    // Gone and back again.
    a.wish(|e| e.remove(ROOM, &[c.device], MessageId([5; 16]), now()));
    a.text(ROOM, 6, "without you");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    assert_eq!(c.texts(ROOM), ["welcome"]);
    let claimed = a.claim(&mut town.net, SUITE, &[&c]);
    a.wish(|e| e.add(ROOM, &claimed, MessageId([7; 16]), now()));
    a.text(ROOM, 8, "with you");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    assert_eq!(c.texts(ROOM), ["welcome", "with you"]);
    agree(&mut [&mut a, &mut b, &mut c]);
}

#[test]
fn a_room_with_nobody_else_and_a_name() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Agency, SUITE, &mut a, &mut []);
    assert_eq!(a.host.engine().room(ROOM).unwrap().state, RoomState::Joined);
    let profile = Content::Profile { name: "Night team".into() };
    a.wish(|e| e.send(ROOM, profile.clone(), MessageId([1; 16]), now()));
    let claimed = a.claim(&mut town.net, SUITE, &[&b]);
    a.wish(|e| e.add(ROOM, &claimed, MessageId([2; 16]), now()));
    a.wish(|e| e.send(ROOM, profile.clone(), MessageId([3; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.host.engine().room(ROOM).unwrap().name.as_deref(), Some("Night team"));
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn the_log_is_taken_once_in_order_and_asked_for_again_over_a_gap() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    for n in 1..=5 {
        a.text(ROOM, n, &format!("{n}"));
        a.work(&mut town.net);
    }
    let log = town.net.log(ROOM, 0);
    b.apply(|e| e.receive_entries(&log[3..], now())).unwrap();
    assert!(b.texts(ROOM).is_empty(), "nothing is read over a gap");
    b.work(&mut town.net);
    assert_eq!(b.texts(ROOM), ["1", "2", "3", "4", "5"]);
    let before = b.lines(ROOM);
    b.apply(|e| e.receive_entries(&log, now())).unwrap();
    assert_eq!(b.lines(ROOM), before, "known entries change nothing");
    assert_eq!(b.host.engine().room(ROOM).unwrap().unread, 5);
    b.apply(|e| e.mark_read(ROOM)).unwrap();
    assert_eq!(b.host.engine().room(ROOM).unwrap().unread, 0);
}

#[test]
fn pages_and_callouts_of_the_inbox_are_kept_to_be_listed() {
    let mut town = Town::new();
    let mut a = town.enrol(Role::Advocate);
    for n in 0..520u32 {
        town.net.notify(a.device, Notice::StandDown { callout: firstlight_protocol::CalloutId([n as u8; 16]) });
    }
    a.poll(&mut town.net);
    a.restart();
    let kept = a.host.engine().notices();
    assert_eq!((kept.len(), kept[0].seq, kept[499].seq), (500, 21, 520));
    assert_eq!(a.host.engine().inbox_cursor(), 520);
    let again = town.net.inbox(a.device, 0);
    a.apply(|e| e.receive_inbox(&again, now())).unwrap();
    assert_eq!(a.host.engine().notices(), kept);
}

#[test]
fn a_stand_down_that_comes_before_the_room_is_confirmed_is_not_lost() {
    let mut town = Town::new();
    let mut officer = town.officer();
    let (mut primary, mut backup) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let context = town.context(RoomKind::Callout);
    let claimed = officer.claim(&mut town.net, SUITE, &[&primary, &backup]);
    officer.wish(|e| e.create_room(ROOM, context.clone(), SUITE, &claimed, MessageId([1; 16]), now()));
    officer.text(ROOM, 2, "details");
    // The inbox is read before the room's creation is answered.
    let removal = Notice::RemoveFromRoom { room: ROOM, devices: vec![primary.device] };
    town.net.notify(officer.device, removal);
    let items = town.net.inbox(officer.device, 0);
    officer.apply(|e| e.receive_inbox(&items, now())).unwrap();
    settle(&mut town.net, &mut [&mut officer, &mut primary, &mut backup]);
    agree(&mut [&mut officer, &mut backup]);
    assert_eq!(backup.texts(ROOM), ["details"]);
    assert_eq!(primary.host.engine().room(ROOM), None, "removed before it had joined");
}

#[test]
fn a_changed_chain_goes_into_the_leaf_with_the_next_update() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let renewed = town.host.renew(&b.host.engine().identity().unwrap().clone(), Role::Supervisor);
    b.apply(|e| e.enrol(renewed.clone(), town.host.anchors(), now())).unwrap();
    b.wish(|e| e.update(ROOM, MessageId([1; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    b.text(ROOM, 2, "in my new role");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    let line = a.lines(ROOM).pop().unwrap();
    assert_eq!(line.sender.unwrap().role, Role::Supervisor);
    agree(&mut [&mut a, &mut b]);
}
