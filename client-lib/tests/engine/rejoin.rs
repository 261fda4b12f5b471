//! Out of sync, and the way back.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{Effect, Event, OutOfSync, RoomState},
    storage::LineBody,
    testing::{Peer, now, settle},
};
use firstlight_protocol::{
    MessageId, Role, RoomKind,
    api::{InboxItem, Notice, RoomView},
    mls::SUITES,
};

#[test]
fn a_device_whose_log_has_expired_rejoins_and_shows_the_gap() {
    for suite in SUITES {
        let mut town = Town::with(&[suite]);
        let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
        town.room(RoomKind::Advocate, suite, &mut a, &mut [&mut b]);
        a.text(ROOM, 1, "missed");
        a.wish(|e| e.update(ROOM, MessageId([2; 16]), now()));
        a.work(&mut town.net);
        let cursor = b.host.engine().room(ROOM).unwrap().cursor;
        b.apply(|e| e.log_expired(ROOM, cursor + 1)).unwrap();
        assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::Joined, "nothing is missing yet");
        b.apply(|e| e.log_expired(ROOM, cursor + 2)).unwrap();
        assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::OutOfSync(OutOfSync::LogExpired));
        b.restart();
        settle(&mut town.net, &mut [&mut b, &mut a]);
        assert!(b.events.contains(&Event::BackInSync { room: ROOM }));
        let gap = b.lines(ROOM).into_iter().find_map(|l| match l.body {
            LineBody::Gap { after, reason } => Some((after, reason)),
            _ => None,
        });
        assert_eq!(gap, Some((cursor, Some(OutOfSync::LogExpired))));
        a.text(ROOM, 3, "to b");
        b.text(ROOM, 4, "to a");
        settle(&mut town.net, &mut [&mut a, &mut b]);
        assert_eq!(b.texts(ROOM).len(), 2);
        agree(&mut [&mut a, &mut b]);
        let changed = a.lines(ROOM).iter().any(|l| matches!(l.body, LineBody::Members { .. }));
        assert!(!changed, "the same device is no change of members");
    }
}

#[test]
fn a_device_that_has_more_than_a_restored_server_rejoins() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "before");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    let (had, head) = (b.host.engine().cursors(), b.host.engine().room(ROOM).unwrap().cursor);
    let view = |head| RoomView {
        room: ROOM,
        kind: RoomKind::Advocate,
        org: town.host.id,
        callout: None,
        epoch: 1,
        head,
        members: Vec::new(),
    };
    b.apply(|e| e.compare_rooms(&had, &[view(head)])).unwrap();
    assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::Joined, "the server has all of it");
    let behind = view(head - 1);
    b.apply(|e| e.compare_rooms(&had, &[behind])).unwrap();
    assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::OutOfSync(OutOfSync::ServerForgot));
    settle(&mut town.net, &mut [&mut b, &mut a]);
    assert!(b.events.contains(&Event::BackInSync { room: ROOM }));
    a.text(ROOM, 2, "after");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM).last().map(String::as_str), Some("after"));
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn an_inbox_goes_on_where_a_restored_server_says() {
    let mut town = Town::new();
    let mut a = town.enrol(Role::Advocate);
    let item = |seq, prev| InboxItem { seq, prev, at: now(), notice: Notice::Expired {} };
    let cursor = |peer: &Peer| peer.host.engine().inbox_cursor();
    let start = cursor(&a);
    a.apply(|e| e.receive_inbox(&[item(start + 1, None), item(start + 2, None)], now())).unwrap();
    assert_eq!(cursor(&a), start + 2);
    // The server forgot the second one and goes on far above it.
    a.apply(|e| e.receive_inbox(&[item(1_000, Some(start + 1)), item(1_001, None)], now())).unwrap();
    assert_eq!(cursor(&a), 1_001);
    // A gap that nobody explains stays one.
    a.apply(|e| e.receive_inbox(&[item(2_000, None), item(2_001, Some(1_500))], now())).unwrap();
    assert_eq!(cursor(&a), 1_001);
}

#[test]
fn an_external_commit_that_comes_too_late_is_built_again() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    b.apply(|e| e.log_expired(ROOM, 99)).unwrap();
    let state = town.net.group_state(b.device, ROOM).unwrap();
    a.wish(|e| e.update(ROOM, MessageId([1; 16]), now()));
    a.work(&mut town.net);
    b.queue.clear();
    b.apply(|e| e.rejoin(ROOM, &state, MessageId([2; 16]), now())).unwrap();
    assert!(matches!(b.queue.front(), Some(Effect::PublishCommit { .. })));
    settle(&mut town.net, &mut [&mut b, &mut a]);
    a.text(ROOM, 3, "back");
    settle(&mut town.net, &mut [&mut b, &mut a]);
    assert_eq!(b.texts(ROOM), ["back"]);
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn who_was_removed_meanwhile_does_not_come_back() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    b.apply(|e| e.log_expired(ROOM, 99)).unwrap();
    let state = town.net.group_state(b.device, ROOM).unwrap();
    a.wish(|e| e.remove(ROOM, &[b.device], MessageId([1; 16]), now()));
    a.work(&mut town.net);
    b.queue.clear();
    b.apply(|e| e.rejoin(ROOM, &state, MessageId([2; 16]), now())).unwrap();
    settle(&mut town.net, &mut [&mut b, &mut a]);
    assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::Left);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 1);
}
