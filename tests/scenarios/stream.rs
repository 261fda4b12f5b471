//! The websocket: once and in order, whatever happens in between.

use firstlight_protocol::{
    MessageId, RoomId, RoomKind,
    api::{Acks, EntryKind, RoomCursor, RoomView, Sent},
    mls::{RoomContext, SUITE_CLASSIC},
    stream::{ClientFrame, SendFrame, ServerFrame},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{
        Device, key_package_share,
        mls::{Hand, framed},
        random, soon,
    },
};
use std::sync::Arc;

/// A room of the primary, the backup and the supervisor; messages in it are framed, not encrypted.
async fn room(cast: &Cast) -> RoomId {
    let others = [&cast.backup, &cast.supervisor];
    let mut packages = Vec::new();
    for device in others {
        key_package_share(&Hand::of(device), device, SUITE_CLASSIC, 0).await.unwrap();
        let claimed = cast.primary.claim(SUITE_CLASSIC, vec![device.id]).await.unwrap();
        packages.push(claimed[0].key_package.clone().unwrap());
    }
    let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
    let hand = Hand::of(&cast.primary);
    let mut room = hand.found(RoomId(random()), &context, SUITE_CLASSIC);
    let create = hand.create(&mut room, packages);
    cast.primary.post::<RoomView>("/v1/rooms", &create).await.unwrap();
    room.id
}

fn message(room: RoomId, size: usize) -> SendFrame {
    let id = MessageId(random());
    SendFrame { id, room, message: framed(room, 1, id, &vec![7; size]).into() }
}

async fn post(device: &Device, send: &SendFrame) -> Sent {
    let body = firstlight_protocol::api::SendMessage { id: send.id, message: send.message.clone() };
    device.post(format!("/v1/rooms/{}/messages", send.room), &body).await.unwrap()
}

#[test]
fn every_member_gets_every_message_once_and_in_order() {
    run(async {
        let cast = Cast::new().await;
        let room = room(&cast).await;
        let (mut sender, mut reader) = (cast.primary.connect().await, cast.backup.connect().await);
        let messages: Vec<_> = (0..200).map(|_| message(room, 250)).collect();
        for frame in &messages {
            sender.send(&ClientFrame::Send(frame.clone())).await;
        }
        for (i, frame) in messages.iter().enumerate() {
            assert_eq!(sender.sent(frame.id).await.unwrap().seq, i as u64 + 2, "gapless after the first commit");
        }
        for (i, frame) in messages.iter().enumerate() {
            let entry = reader.entry(room).await;
            assert_eq!((entry.seq, entry.id, entry.sender), (i as u64 + 2, frame.id, cast.primary.id));
            assert_eq!(entry.body, frame.message);
        }
        // The same message again, over either way, gets its first answer and no second place.
        sender.send(&ClientFrame::Send(messages[0].clone())).await;
        assert_eq!(sender.sent(messages[0].id).await.unwrap().seq, 2);
        assert_eq!(post(&cast.primary, &messages[1]).await.seq, 3);
        let view: RoomView = cast.backup.get(format!("/v1/rooms/{room}")).await.unwrap();
        assert_eq!(view.head, 201);
    });
}

#[test]
fn a_reconnect_resumes_by_cursor_without_gap_or_duplicate() {
    run(async {
        let cast = Cast::new().await;
        let room = room(&cast).await;
        let mut seqs = Vec::new();
        let mut reader = cast.backup.resume(None, &[(room, 1)]).await;
        for round in 0..5 {
            let batch: Vec<_> = (0..10).map(|_| message(room, 100)).collect();
            for frame in &batch {
                post(&cast.primary, frame).await;
            }
            // Takes a part of what is there, hangs up in the middle, and comes back at its own cursor.
            for _ in 0..(7 + round) {
                seqs.push(reader.entry(room).await.seq);
            }
            drop(reader);
            reader = cast.backup.resume(None, &[(room, *seqs.last().unwrap())]).await;
        }
        while *seqs.last().unwrap() < 51 {
            seqs.push(reader.entry(room).await.seq);
        }
        assert_eq!(seqs, (2..=51).collect::<Vec<u64>>());
    });
}

#[test]
fn what_was_acknowledged_does_not_come_again() {
    run(async {
        let cast = Cast::new().await;
        let room = room(&cast).await;
        for _ in 0..10 {
            post(&cast.primary, &message(room, 100)).await;
        }
        let acks = Acks { rooms: vec![RoomCursor { room, seq: 6 }], inbox: Some(1) };
        cast.backup.post::<()>("/v1/acks", &acks).await.unwrap();
        firstlight_server::delivery::acks::flush(cast.server.app()).await.unwrap();
        let mut reader = cast.backup.connect().await;
        assert_eq!(reader.entry(room).await.seq, 7);
        let items = cast.backup.inbox().await;
        assert!(items.iter().all(|item| item.seq > 1), "{items:?}");
    });
}

#[test]
fn a_reader_who_takes_nothing_holds_nobody_up() {
    run(async {
        let cast = Cast::new().await;
        let room = room(&cast).await;
        // Connected, and never reads: its socket fills up.
        let mut stuck = cast.supervisor.resume(None, &[(room, 1)]).await;
        let (mut sender, mut reader) = (cast.primary.connect().await, cast.backup.resume(None, &[(room, 1)]).await);
        let messages: Vec<_> = (0..600).map(|_| message(room, 32 << 10)).collect();
        let ids: Vec<_> = messages.iter().map(|m| m.id).collect();
        let sending = async {
            for frame in messages {
                let id = frame.id;
                sender.send(&ClientFrame::Send(frame)).await;
                sender.sent(id).await.unwrap();
            }
        };
        let reading = async {
            for id in &ids {
                assert_eq!(reader.entry(room).await.id, *id);
            }
        };
        soon("everybody else's messages", async { tokio::join!(sending, reading) }).await;
        // Once it reads again it gets what it had missed.
        for seq in 2..20 {
            assert_eq!(stuck.entry(room).await.seq, seq);
        }
        drop(stuck);
        let mut back = cast.supervisor.resume(None, &[(room, 600)]).await;
        assert_eq!(back.entry(room).await.seq, 601);
    });
}

#[test]
fn concurrent_senders_share_one_order() {
    run(async {
        let cast = Arc::new(Cast::new().await);
        let room = room(&cast).await;
        let mut readers = [cast.primary.connect().await, cast.backup.connect().await, cast.supervisor.connect().await];
        let mut senders = Vec::new();
        for which in 0..3 {
            let cast = Arc::clone(&cast);
            senders.push(tokio::spawn(async move {
                let device = [&cast.primary, &cast.backup, &cast.supervisor][which];
                let mut socket = device.connect().await;
                for _ in 0..50 {
                    let frame = message(room, 60);
                    let id = frame.id;
                    socket.send(&ClientFrame::Send(frame)).await;
                    socket.sent(id).await.unwrap();
                }
            }));
        }
        for sender in senders {
            sender.await.unwrap();
        }
        let mut orders = Vec::new();
        for reader in &mut readers {
            let mut order = Vec::new();
            while order.len() < 150 {
                let entry = reader.entry(room).await;
                if entry.kind == EntryKind::Message {
                    order.push((entry.seq, entry.id));
                }
            }
            orders.push(order);
        }
        assert!(orders[0].windows(2).all(|w| w[0].0 + 1 == w[1].0));
        assert_eq!(orders[0], orders[1]);
        assert_eq!(orders[0], orders[2]);
    });
}

#[test]
fn a_room_joined_later_is_read_on_the_same_socket() {
    run(async {
        let cast = Cast::new().await;
        let mut reader = cast.backup.connect().await;
        let room = room(&cast).await;
        let welcome = |item: &firstlight_protocol::api::InboxItem| match item.notice {
            firstlight_protocol::api::Notice::Welcome { room, seq, .. } => Some((room, seq)),
            _ => None,
        };
        let (joined, seq) = reader.notice("a Welcome", welcome).await;
        assert_eq!(joined, room);
        let sent = message(room, 10);
        post(&cast.primary, &sent).await;
        reader.send(&ClientFrame::Subscribe(RoomCursor { room, seq })).await;
        assert_eq!(reader.entry(room).await.id, sent.id);

        let foreign = RoomCursor { room: RoomId(random()), seq: 0 };
        reader.send(&ClientFrame::Subscribe(foreign)).await;
        let refused = |frame: &ServerFrame| match frame {
            ServerFrame::Refused(refused) => Some(refused.problem.code),
            _ => None,
        };
        assert_eq!(reader.find("the refusal", refused).await, firstlight_protocol::ErrorCode::NotAMember);
    });
}
