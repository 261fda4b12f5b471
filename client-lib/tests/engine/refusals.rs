//! Who and what is refused, and that nothing has changed then.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{EngineError, Event, OutOfSync, RoomState},
    storage::{HostError, LineBody, Unreadable},
    testing::{Org, Peer, now, settle},
};
use firstlight_protocol::{
    Bytes, ErrorCode, MessageId, OrgKind, Problem, Role, RoomId, RoomKind,
    api::{ClaimedKeyPackage, EntryKind, LogEntry},
    cert::ChainError,
    mls::{Content, SUITE_HYBRID, SUITES},
};

fn refused(result: Result<(), HostError>) -> EngineError {
    match result {
        Err(HostError::Engine(e)) => e,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn police_can_not_be_added_to_an_advocate_room_nor_make_one() {
    let mut town = Town::new();
    let (mut a, mut officer) = (town.enrol(Role::Advocate), town.officer());
    let context = town.context(RoomKind::Advocate);
    let claimed = a.claim(&mut town.net, SUITE, &[&officer]);
    let id = MessageId([1; 16]);
    let why = refused(a.apply(|e| e.create_room(ROOM, context.clone(), SUITE, &claimed, id, now())));
    assert!(matches!(why, EngineError::Untrusted { why: ChainError::RoleNotAdmitted, .. }), "{why}");
    assert!(a.host.engine().rooms().is_empty() && a.host.engine().outbox().len() == 1, "nothing has changed");
    let why = refused(officer.apply(|e| e.create_room(ROOM, context, SUITE, &[], id, now())));
    assert!(matches!(why, EngineError::Untrusted { why: ChainError::RoleNotAdmitted, .. }), "{why}");
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut []);
    let why = refused(a.apply(|e| e.add(ROOM, &claimed, id, now())));
    assert!(matches!(why, EngineError::Untrusted { why: ChainError::RoleNotAdmitted, .. }), "{why}");
    assert_eq!(a.host.engine().pending(), []);
}

#[test]
fn forged_and_exchanged_key_packages_are_refused() {
    let mut town = Town::with(&SUITES);
    let (mut a, b, c) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    // Another organisation that calls itself the host: same id, same names, its own keys.
    let forger = Org::new(OrgKind::VictimServices, 9);
    let stranger = Peer::enrol(&mut town.net, &forger.device(Role::Advocate, 8), &forger.anchors(), &[SUITE]);
    let context = town.context(RoomKind::Advocate);
    let mut create = |members: &[ClaimedKeyPackage]| {
        refused(a.apply(|e| e.create_room(ROOM, context.clone(), SUITE, members, MessageId([1; 16]), now())))
    };
    let claim = |town: &mut Town, peer: &Peer, suite| town.net.claim(suite, &[peer.device]).remove(0);
    let forged = claim(&mut town, &stranger, SUITE);
    assert!(matches!(create(&[forged]), EngineError::Untrusted { why: ChainError::UnknownOrg, .. }));
    let exchanged = ClaimedKeyPackage { device: b.device, ..claim(&mut town, &c, SUITE) };
    assert_eq!(create(&[exchanged]), EngineError::WrongKeyPackage { device: b.device });
    let other_suite = claim(&mut town, &b, SUITE_HYBRID);
    assert_eq!(create(&[other_suite]), EngineError::BadKeyPackage { device: b.device });
    let none = ClaimedKeyPackage { device: b.device, key_package: None };
    assert_eq!(create(&[none]), EngineError::NoKeyPackage { device: b.device });
    let good = claim(&mut town, &b, SUITE);
    let bytes = good.key_package.unwrap().0;
    for flip in (0..bytes.len()).step_by(97) {
        let mut bad = bytes.clone();
        bad[flip] ^= 0x40;
        let bad = ClaimedKeyPackage { device: b.device, key_package: Some(Bytes(bad)) };
        create(&[bad]);
    }
    assert!(matches!(
        refused(a.apply(|e| e.create_room(ROOM, context.clone(), 0x0002, &[], MessageId([1; 16]), now()))),
        EngineError::UnknownSuite { suite: 2 }
    ));
}

#[test]
fn garbage_in_the_log_is_one_unreadable_line_and_never_comes_back() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "one");
    a.work(&mut town.net);
    let seq = town.net.log(ROOM, 0).len() as u64;
    let real = town.net.log(ROOM, 0).pop().unwrap();
    let forged = |n: u64, id: u8, body: Bytes| LogEntry {
        room: ROOM,
        seq: seq + n,
        at: now(),
        sender: a.device,
        id: MessageId([id; 16]),
        kind: EntryKind::Message,
        body,
    };
    town.net.force(forged(1, 91, Bytes(b"garbage".to_vec())));
    town.net.force(forged(2, 92, real.body.clone()));
    town.net.force(forged(3, 93, Bytes(Vec::new())));
    settle(&mut town.net, &mut [&mut b]);
    assert_eq!(b.texts(ROOM), ["one"]);
    let unreadable = b.lines(ROOM).iter().filter(|l| l.body == LineBody::Unreadable(Unreadable::BadBytes)).count();
    assert_eq!(unreadable, 3, "a replay under another id is one of them");
    a.poll(&mut town.net);
    a.text(ROOM, 2, "two");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM), ["one", "two"]);
    assert!(a.lines(ROOM).iter().any(|l| l.body == LineBody::Unreadable(Unreadable::OwnUnknown)));
}

#[test]
fn a_commit_that_may_not_be_made_puts_the_room_out_of_sync_and_it_comes_back() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let seq = town.net.log(ROOM, 0).len() as u64 + 1;
    let body = Bytes(b"no commit".to_vec());
    let id = MessageId([9; 16]);
    let entry = LogEntry { room: ROOM, seq, at: now(), sender: a.device, id, kind: EntryKind::Commit, body };
    b.apply(|e| e.receive_entries(&[entry], now())).unwrap();
    assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::OutOfSync(OutOfSync::BadCommit));
    b.text(ROOM, 1, "wanted while out of sync");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert!(b.events.contains(&Event::BackInSync { room: ROOM }));
    assert_eq!(a.texts(ROOM), ["wanted while out of sync"]);
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn what_the_server_refuses_for_good_is_shown_until_it_is_retried_or_given_up() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "one");
    let id = MessageId([1; 16]);
    for retryable in [ErrorCode::Unavailable, ErrorCode::RateLimited, ErrorCode::TokenExpired, ErrorCode::Internal] {
        let before = a.host.engine().outbox().len();
        a.apply(|e| e.refused(ROOM, id, &Problem::new(retryable), now())).unwrap();
        assert_eq!(a.host.engine().outbox().len(), before, "{retryable} consumes nothing");
    }
    a.apply(|e| e.refused(ROOM, id, &Problem::new(ErrorCode::Forbidden), now())).unwrap();
    a.queue.clear();
    assert_eq!(a.failure_code(), Some(ErrorCode::Forbidden));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert!(b.texts(ROOM).is_empty());
    a.apply(|e| e.retry(id, now())).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM), ["one"]);
    a.text(ROOM, 2, "two");
    a.apply(|e| e.refused(ROOM, MessageId([2; 16]), &Problem::new(ErrorCode::Forbidden), now())).unwrap();
    a.queue.clear();
    a.apply(|e| e.discard(MessageId([2; 16]))).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    agree(&mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM), ["one"]);
}

#[test]
fn wishes_that_make_no_sense_are_refused() {
    let mut town = Town::new();
    let (mut a, b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let text = |n: usize| Content::Text { text: "x".repeat(n), reply_to: None };
    let id = MessageId([1; 16]);
    let why = refused(a.apply(|e| e.send(RoomId([1; 16]), text(1), id, now())));
    assert_eq!(why, EngineError::NoSuchRoom { room: RoomId([1; 16]) });
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut []);
    let why = refused(a.apply(|e| e.send(ROOM, text(70_000), id, now())));
    assert!(matches!(why, EngineError::TooLarge { .. }));
    let own = a.device;
    let why = refused(a.apply(|e| e.remove(ROOM, &[own, b.device], id, now())));
    assert_eq!(why, EngineError::NotMembers { room: ROOM });
    let context = town.context(RoomKind::Advocate);
    let why = refused(a.apply(|e| e.create_room(ROOM, context, SUITE, &[], id, now())));
    assert_eq!(why, EngineError::RoomExists { room: ROOM });
}
