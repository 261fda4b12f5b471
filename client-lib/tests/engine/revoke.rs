//! Revoked devices: removed everywhere, and told nothing before they are.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{EngineError, Event},
    storage::{HostError, LineBody, Unreadable},
    testing::{now, settle},
};
use firstlight_protocol::{MessageId, Role, RoomKind, api::Notice, cert::ChainError};

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
        assert!(peer.events.iter().any(|e| matches!(e, Event::MembersChanged { .. })) || peer.device == a_device(&town));
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

fn a_device(town: &Town) -> firstlight_protocol::DeviceId {
    town.host.device(Role::Advocate, 1).device
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
    let forged = firstlight_client::testing::Org::new(firstlight_protocol::OrgKind::VictimServices, 9).revoke(&[b.device]);
    assert!(a.apply(|e| e.receive_revocations(&forged, now())).is_err());
    agree(&mut [&mut a, &mut b]);
}
