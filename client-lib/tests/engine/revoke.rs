//! Revoked devices: removed everywhere, and told nothing before they are.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{EngineError, Event, RoomState},
    storage::{HostError, LineBody, Unreadable},
    testing::{now, settle},
};
use firstlight_protocol::{MessageId, Role, RoomId, RoomKind, api::Notice, cert::ChainError, mls::RoomContext};

#[test]
fn nothing_is_sent_to_a_revoked_member_and_every_room_loses_it() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let mut lost = town.enrol(Role::Advocate);
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b, &mut lost]);
    // What the lost device sent before anybody heard of it.
    lost.text(ROOM, 9, "is it me?");
    lost.work(&mut town.net);
    let list = town.host.revoke(&[lost.device]);
    for peer in [&mut a, &mut b] {
        peer.lists.insert(town.host.id, list.clone());
        let notice = Notice::Revoked { org: town.host.id, devices: vec![lost.device] };
        town.net.notify(peer.device, notice);
    }
    a.apply(|e| e.receive_revocations(&list, now())).unwrap();
    a.queue.clear();
    a.text(ROOM, 1, "after");
    assert!(a.queue.is_empty(), "not encrypted while the revoked device could read it");
    assert_eq!(a.host.engine().room(ROOM).unwrap().revoked_members, [lost.device]);
    a.restart();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    agree(&mut [&mut a, &mut b]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 2);
    for peer in [&mut a, &mut b] {
        let lines = peer.lines(ROOM);
        assert!(lines.iter().any(|l| l.body == LineBody::Unreadable(Unreadable::UntrustedSender)), "not believed");
        assert_eq!(peer.texts(ROOM), ["after"]);
    }
    settle(&mut town.net, &mut [&mut lost]);
    assert!(!lost.texts(ROOM).contains(&"after".to_owned()));
    // Nobody adds it again.
    let claimed = a.claim(&mut town.net, SUITE, &[&lost]);
    let again = a.apply(|e| e.add(ROOM, &claimed, MessageId([2; 16]), now()));
    let Err(HostError::Engine(EngineError::Untrusted { why, .. })) = again else { panic!("{again:?}") };
    assert_eq!(why, ChainError::DeviceRevoked);
}

#[test]
fn who_joins_a_room_with_a_revoked_member_removes_it() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let mut lost = town.enrol(Role::Advocate);
    // b has heard of the revocation, the room's creator has not.
    let list = town.host.revoke(&[lost.device]);
    b.apply(|e| e.receive_revocations(&list, now())).unwrap();
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b, &mut lost]);
    agree(&mut [&mut a, &mut b]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 2);
}

#[test]
fn the_servers_word_alone_removes_nobody() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    town.net.notify(a.device, Notice::Revoked { org: town.host.id, devices: vec![b.device] });
    town.net.notify(a.device, Notice::RemoveFromRoom { room: ROOM, devices: vec![b.device] });
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 2);
    // Nor does a list that somebody else has signed.
    let forged =
        firstlight_client::testing::Org::new(firstlight_protocol::OrgKind::VictimServices, 9).revoke(&[b.device]);
    assert!(a.apply(|e| e.receive_revocations(&forged, now())).is_err());
    agree(&mut [&mut a, &mut b]);
}

#[test]
fn a_partner_that_is_withdrawn_loses_its_places() {
    let mut town = Town::new();
    let (mut a, mut officer) = (town.enrol(Role::Advocate), town.officer());
    town.room(RoomKind::Callout, SUITE, &mut a, &mut [&mut officer]);
    let withdrawn = town.host.withdraws(&town.police);
    a.learn(&withdrawn);
    a.text(ROOM, 1, "among ourselves");
    settle(&mut town.net, &mut [&mut a, &mut officer]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 1);
    assert!(officer.texts(ROOM).is_empty());
}

#[test]
fn a_partner_that_is_new_here_is_asked_about_before_its_room_is_given_up() {
    for known_later in [true, false] {
        let mut town = Town::new();
        let (mut officer, mut a) = (town.officer(), town.enrol_without_partners(Role::Advocate));
        if known_later {
            a.statements.insert(town.police.id, town.host.states(&town.police));
        }
        town.room(RoomKind::Callout, SUITE, &mut officer, &mut [&mut a]);
        officer.text(ROOM, 1, "details");
        settle(&mut town.net, &mut [&mut officer, &mut a]);
        let failed = a.events.iter().any(|e| matches!(e, Event::WelcomeFailed { .. }));
        assert_eq!((a.texts(ROOM).len(), failed), if known_later { (1, false) } else { (0, true) });
        // The same for somebody of a new partner who is added later.
        let mut b = town.enrol_without_partners(Role::Advocate);
        let context = RoomContext { kind: RoomKind::Callout, org: town.host.id, callout: None };
        let room = RoomId([43; 16]);
        let mut c = town.enrol(Role::Supervisor);
        let claimed = c.claim(&mut town.net, SUITE, &[&b]);
        c.wish(|e| e.create_room(room, context.clone(), SUITE, &claimed, MessageId([2; 16]), now()));
        settle(&mut town.net, &mut [&mut b, &mut c]);
        if known_later {
            b.statements.insert(town.police.id, town.host.states(&town.police));
        }
        let claimed = c.claim(&mut town.net, SUITE, &[&officer]);
        c.wish(|e| e.add(room, &claimed, MessageId([3; 16]), now()));
        c.text(room, 4, "all together");
        settle(&mut town.net, &mut [&mut b, &mut c]);
        assert_eq!(b.texts(room).len(), usize::from(known_later));
        let lost = b.host.engine().room(room).unwrap().state != RoomState::Joined;
        assert_eq!(lost, !known_later);
    }
}
