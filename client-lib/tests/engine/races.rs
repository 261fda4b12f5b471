//! Two who want something at once, and answers that cross.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{Effect, RoomState},
    testing::{now, settle},
};
use firstlight_protocol::{MessageId, Role, RoomKind};

#[test]
fn the_loser_of_a_race_builds_its_commit_again_under_the_same_wish() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let (mut c, mut d) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let for_c = a.claim(&mut town.net, SUITE, &[&c]);
    let for_d = b.claim(&mut town.net, SUITE, &[&d]);
    a.wish(|e| e.add(ROOM, &for_c, MessageId([1; 16]), now()));
    b.wish(|e| e.add(ROOM, &for_d, MessageId([2; 16]), now()));
    b.text(ROOM, 3, "from b, read by both");
    // a's commit lands; b's is refused as stale, and built again once the log has been read.
    a.work(&mut town.net);
    b.work(&mut town.net);
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c, &mut d]);
    agree(&mut [&mut a, &mut b, &mut c, &mut d]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 4);
    for peer in [&mut a, &mut c, &mut d] {
        assert_eq!(peer.texts(ROOM), ["from b, read by both"]);
    }
    // Both want the same person gone: one commit does it, the other wish has come true by itself.
    let gone = [d.device];
    a.wish(|e| e.remove(ROOM, &gone, MessageId([4; 16]), now()));
    b.wish(|e| e.remove(ROOM, &gone, MessageId([5; 16]), now()));
    settle(&mut town.net, &mut [&mut b, &mut a, &mut c, &mut d]);
    agree(&mut [&mut a, &mut b, &mut c]);
    assert_eq!(town.net.log(ROOM, 0).iter().filter(|e| e.id.0[0] == 4 || e.id.0[0] == 5).count(), 1);
}

#[test]
fn a_message_that_crossed_a_commit_is_encrypted_again_and_arrives_once() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "crossed");
    b.wish(|e| e.update(ROOM, MessageId([2; 16]), now()));
    b.work(&mut town.net);
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!((a.texts(ROOM), b.texts(ROOM)), (vec!["crossed".to_owned()], vec!["crossed".to_owned()]));
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn a_device_that_is_removed_before_it_has_joined_stays_outside_until_it_is_added_again() {
    let mut town = Town::new();
    let (mut a, mut b, mut c) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let claimed = a.claim(&mut town.net, SUITE, &[&c]);
    a.wish(|e| e.add(ROOM, &claimed, MessageId([1; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    let gone = [c.device];
    a.wish(|e| e.remove(ROOM, &gone, MessageId([2; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    // It hears of both at once: the Welcome leads to where it is no longer.
    let items = town.net.inbox(c.device, c.host.engine().inbox_cursor());
    c.apply(|e| e.receive_inbox(&items, now())).unwrap();
    c.work(&mut town.net);
    assert_eq!(c.host.engine().room(ROOM), None);
    assert!(!c.host.engine().outbox().iter().any(|e| matches!(e, Effect::FetchWelcome { .. })));
    let claimed = a.claim(&mut town.net, SUITE, &[&c]);
    a.wish(|e| e.add(ROOM, &claimed, MessageId([3; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    agree(&mut [&mut a, &mut b, &mut c]);
}

#[test]
fn a_device_that_has_to_leave_asks_for_the_log_until_it_has_left() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let gone = [b.device];
    a.wish(|e| e.remove(ROOM, &gone, MessageId([1; 16]), now()));
    settle(&mut town.net, &mut [&mut a]);
    let items = town.net.inbox(b.device, b.host.engine().inbox_cursor());
    b.apply(|e| e.receive_inbox(&items, now())).unwrap();
    // The server did not answer.
    b.queue.clear();
    let asks = |e: &Effect| matches!(e, Effect::FetchLog(cursor) if cursor.room == ROOM);
    assert!(b.host.engine().outbox().iter().any(asks));
    b.restart();
    b.work(&mut town.net);
    assert_eq!(b.host.engine().room(ROOM).unwrap().state, RoomState::Left);
    assert!(!b.host.engine().outbox().iter().any(asks));
}

#[test]
fn a_message_that_is_wished_again_after_it_was_sent_is_said_once_and_leaves_nothing_waiting() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    for _ in 0..2 {
        a.text(ROOM, 1, "once");
        settle(&mut town.net, &mut [&mut a, &mut b]);
    }
    assert_eq!(a.host.engine().pending(), []);
    a.text(ROOM, 2, "and on");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(
        (a.texts(ROOM), b.texts(ROOM)),
        (vec!["once".to_owned(), "and on".into()], vec!["once".into(), "and on".into()])
    );
}

#[test]
fn the_echo_and_the_answer_of_an_own_commit_and_message_in_both_orders() {
    for echo_first in [true, false] {
        let mut town = Town::new();
        let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
        town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
        a.wish(|e| e.update(ROOM, MessageId([1; 16]), now()));
        let Some(Effect::PublishCommit { room, bundle }) = a.queue.pop_front() else { panic!("a commit") };
        let answer = town.net.commit(a.device, room, &bundle).unwrap();
        let log = town.net.log(ROOM, 0);
        let echo = |p: &mut firstlight_client::testing::Peer| p.apply(|e| e.receive_entries(&log, now())).unwrap();
        let answered = |p: &mut firstlight_client::testing::Peer| {
            p.apply(|e| e.published_commit(ROOM, bundle.id, &answer)).unwrap();
        };
        if echo_first {
            echo(&mut a);
            answered(&mut a);
        } else {
            answered(&mut a);
            echo(&mut a);
        }
        assert_eq!(a.host.engine().pending(), []);
        a.text(ROOM, 2, "hello");
        let Some(Effect::PublishMessage { message, .. }) =
            a.queue.iter().find(|e| matches!(e, Effect::PublishMessage { .. })).cloned()
        else {
            panic!("a message")
        };
        a.queue.clear();
        let sent = town.net.message(a.device, ROOM, &message).unwrap();
        let log = town.net.log(ROOM, 0);
        if echo_first {
            a.apply(|e| e.receive_entries(&log, now())).unwrap();
            a.apply(|e| e.published_message(ROOM, message.id, &sent)).unwrap();
        } else {
            a.apply(|e| e.published_message(ROOM, message.id, &sent)).unwrap();
            a.apply(|e| e.receive_entries(&log, now())).unwrap();
        }
        assert_eq!(a.texts(ROOM), ["hello"]);
        settle(&mut town.net, &mut [&mut a, &mut b]);
        assert_eq!(b.texts(ROOM), ["hello"]);
        agree(&mut [&mut a, &mut b]);
    }
}

#[test]
fn an_answer_that_is_ahead_of_the_log_waits_for_it() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    b.text(ROOM, 1, "first");
    b.work(&mut town.net);
    a.text(ROOM, 2, "second");
    a.wish(|e| e.update(ROOM, MessageId([3; 16]), now()));
    a.work(&mut town.net);
    assert_eq!(a.texts(ROOM), ["first", "second"], "the log's order, not the answers'");
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM), ["first", "second"]);
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn requests_that_are_made_twice_are_answered_twice_and_done_once() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    a.wish(|e| e.update(ROOM, MessageId([1; 16]), now()));
    a.text(ROOM, 2, "once");
    a.text(ROOM, 2, "once");
    // As after a reconnect whose first requests did arrive.
    let twice = a.queue.clone();
    a.queue.extend(twice);
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(b.texts(ROOM), ["once"]);
    agree(&mut [&mut a, &mut b]);
}
