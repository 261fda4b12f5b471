//! Storage fails at every write in turn, before it is done and after: what is told ends the same, each message once.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    storage::LineBody,
    testing::{Peer, now, settle},
};
use firstlight_protocol::{MessageId, Role, RoomKind, api::Notice};

/// Tells a story of three people in which everything happens once; one of them loses its `n`th write.
fn story(who: usize, n: u64, after: bool) -> (u32, Vec<Vec<String>>) {
    let mut town = Town::new();
    let (mut a, mut b, mut c) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate), town.enrol(Role::Supervisor));
    let victim = [&mut a, &mut b, &mut c].into_iter().nth(who).unwrap();
    match after {
        false => victim.host.storage_mut().fail_at(n),
        true => victim.host.storage_mut().fail_after(n),
    }
    town.room(RoomKind::Callout, SUITE, &mut a, &mut [&mut b]);
    a.text(ROOM, 1, "details");
    b.text(ROOM, 2, "on my way");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    let claimed = b.claim(&mut town.net, SUITE, &[&c]);
    b.wish(|e| e.add(ROOM, &claimed, MessageId([3; 16]), now()));
    a.wish(|e| e.update(ROOM, MessageId([4; 16]), now()));
    b.text(ROOM, 5, "for everybody");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    town.net.notify(a.device, Notice::RemoveFromRoom { room: ROOM, devices: vec![b.device] });
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    c.text(ROOM, 6, "without b");
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    agree(&mut [&mut a, &mut c]);
    let crashes = a.crashes + b.crashes + c.crashes;
    (crashes, [&mut a, &mut b, &mut c].map(told).into())
}

/// Everything that a person can read, without what differs from run to run.
fn told(peer: &mut Peer) -> Vec<String> {
    let short = |line: firstlight_client::storage::Line| match line.body {
        LineBody::Message(content) => format!("{} {content:?}", line.sender.unwrap().work_name),
        LineBody::Members { added, removed } => format!("+{} -{}", added.len(), removed.len()),
        LineBody::Joined { members, .. } => format!("joined {}", members.len()),
        other => format!("{other:?}"),
    };
    peer.lines(ROOM).into_iter().map(short).collect()
}

#[test]
fn a_write_that_fails_anywhere_changes_nothing_of_what_is_told() {
    let (crashes, expected) = story(0, u64::MAX / 2, false);
    assert_eq!(crashes, 0);
    assert_eq!(expected[0].len(), 7, "{:?}", expected[0]);
    for who in 0..3 {
        for after in [false, true] {
            for n in 1.. {
                let (crashes, told) = story(who, n, after);
                // Who commits first may change with the crash, and with it the order of what was wanted at once.
                let sorted = |mut told: Vec<Vec<String>>| {
                    told.iter_mut().for_each(|t| t.sort());
                    told
                };
                assert_eq!(sorted(told), sorted(expected.clone()), "write {n} of {who}, after: {after}");
                if crashes == 0 {
                    assert!(n > 5, "the story has writes to lose: {n} of {who}");
                    break;
                }
            }
        }
    }
}
