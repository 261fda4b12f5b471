//! The same promises of one bus, of two that are joined by Redis, and (by polling) of two between which Redis loses
//! everything.

use super::{
    reader::{ROOM, Reader, entry},
    redis::{Node, Server, eventually},
};
use crate::{
    bus::{Bus, CloseReason, Connection},
    config::Redis,
    store::Changes,
};
use firstlight_protocol::{DeviceId, SessionId, Timestamp};
use std::time::{Duration, Instant};

const DEVICE: DeviceId = DeviceId([5; 16]);
const SESSION: SessionId = SessionId([6; 16]);
/// A store's page.
const PAGE: usize = 16;

/// What happens here is seen there; both may be one.
struct Joined {
    here: Bus,
    there: Bus,
    /// Whether what is said is heard at all.
    heard: bool,
}

/// A session that reads the room from its beginning.
fn session(bus: &Bus, device: DeviceId, session: SessionId) -> (Connection, Reader) {
    let connection = bus.connect(device, session);
    let reader = Reader::new(bus.subscribe(ROOM, &connection.wake), connection.wake.clone(), 0);
    (connection, reader)
}

impl Joined {
    /// What a node finds in the store every now and then, whatever it was told.
    fn poll(&self, head: u64) {
        let (rooms, inboxes) = (vec![(ROOM, head)], vec![DEVICE]);
        let (dispatch, rota) = (true, true);
        self.there.found(&Changes { rooms, members: vec![ROOM], inboxes, dispatch, rota, identity: true });
    }

    /// Whether it came through by itself; nothing else may, where everything is lost.
    async fn comes(&self, what: &str, so: impl Fn() -> bool) {
        if self.heard {
            eventually(what, so).await;
        } else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(!so(), "{what} came through a Redis that loses everything");
        }
    }

    async fn rooms(&self) {
        let (_connection, mut reader) = session(&self.there, DEVICE, SESSION);
        reader.turn(0, PAGE);
        // Entries of both nodes in turns, as they come: 1..=60.
        for first in (1..60u64).step_by(6) {
            self.here.publish(ROOM, (first..first + 3).map(entry).collect());
            if first % 4 == 1 {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            reader.turn(first + 2, PAGE);
            self.there.publish(ROOM, (first + 3..first + 6).map(entry).collect());
            reader.turn(first + 5, PAGE);
        }
        self.here.publish(ROOM, vec![entry(61), entry(62)]);
        let woken = std::cell::RefCell::new(reader);
        self.comes("the last entries", || {
            woken.borrow_mut().turn(62, PAGE);
            woken.borrow().cursor == 62
        })
        .await;
        self.poll(62);
        let mut reader = woken.into_inner();
        reader.turn(62, PAGE);
        assert_eq!(reader.cursor, 62);
        self.there.release(ROOM, &reader.wake);
        assert!(self.there.rooms().is_empty());
    }

    async fn members_and_inboxes(&self) {
        let (connection, _reader) = session(&self.there, DEVICE, SESSION);
        let feed = self.there.subscribe(ROOM, &connection.wake);
        let (before, _) = (feed.members_version(), connection.wake.take());
        self.here.members_changed(ROOM);
        self.comes("a change of members", || feed.members_version() > before).await;
        self.poll(0);
        assert!(feed.members_version() > before && connection.wake.take().rooms == [ROOM]);
        let _ = connection.wake.take();
        self.here.wake_inbox(&[DEVICE, DeviceId([9; 16])]);
        let inbox = std::cell::Cell::new(false);
        self.comes("mail", || {
            inbox.set(inbox.get() || connection.wake.take().inbox);
            inbox.get()
        })
        .await;
        self.poll(0);
        assert!(inbox.get() || connection.wake.take().inbox);
        self.there.release(ROOM, &connection.wake);
    }

    async fn loops(&self) {
        let patience = if self.heard { Duration::from_secs(5) } else { Duration::from_millis(100) };
        let all =
            || async { tokio::join!(self.there.timer_written(), self.there.page_written(), self.there.rota_written()) };
        // The connecting itself made them look.
        let _ = tokio::time::timeout(Duration::from_millis(20), all()).await;
        self.here.wake_dispatch();
        self.here.wake_duty();
        assert_eq!(tokio::time::timeout(patience, all()).await.is_ok(), self.heard);
        self.poll(0);
        all().await;
    }

    async fn endings(&self) {
        let (lost, out) =
            (self.there.connect(DEVICE, SESSION), self.there.connect(DeviceId([8; 16]), SessionId([8; 16])));
        let other = self.there.connect(DeviceId([9; 16]), SessionId([9; 16]));
        self.here.disconnect_device(DEVICE);
        self.here.disconnect_session(SessionId([8; 16]));
        let closed = |connection: &Connection| connection.wake.closes();
        self.comes("the closing of sockets", || closed(&lost).is_some() && closed(&out).is_some()).await;
        self.there.ended_elsewhere(&[DEVICE], &[SessionId([8; 16])]);
        assert_eq!([closed(&lost), closed(&out)], [Some(CloseReason::Revoked), Some(CloseReason::SignedOut)]);
        assert_eq!(closed(&other), None);
        if self.heard && self.here.node() != self.there.node() {
            let (mut devices, mut sessions) = (Vec::new(), Vec::new());
            while devices.is_empty() || sessions.is_empty() {
                let ended = self.there.ended().await;
                devices.extend(ended.devices);
                sessions.extend(ended.sessions);
            }
            assert_eq!((devices, sessions), (vec![DEVICE], vec![SessionId([8; 16])]));
        }
    }

    async fn presence(&self) {
        let one = self.there.connect(DEVICE, SESSION);
        let two = self.there.connect(DEVICE, SESSION);
        self.comes("presence", || self.here.connections_of(DEVICE) == 2).await;
        assert_eq!(self.here.is_connected(DEVICE), self.heard);
        drop(one);
        self.comes("one less", || self.here.connections_of(DEVICE) == 1).await;
        drop(two);
        eventually("nobody is there", || !self.here.is_connected(DEVICE)).await;
    }

    async fn limits(&self) {
        let now = Timestamp(1_000_000);
        let limit = |bus: &Bus| bus.limit("test", 3, Duration::from_secs(60));
        let (here, there) = (limit(&self.here), limit(&self.there));
        here.check_many("peer", 3, now).unwrap();
        assert!(here.check("peer", now).is_err());
        self.comes("what was taken", || !there.would_pass("peer", now)).await;
        assert!(there.would_pass("another", now));
    }

    /// How long a wake-up takes from one node to the other.
    async fn quick(&self) {
        let (connection, _reader) = session(&self.there, DEVICE, SESSION);
        let _ = connection.wake.take();
        let mut times = Vec::new();
        for seq in 1..=200 {
            let began = Instant::now();
            self.here.publish(ROOM, vec![entry(seq)]);
            while !connection.wake.wait().await.rooms.contains(&ROOM) {}
            times.push(began.elapsed());
        }
        times.sort();
        eprintln!("a wake-up from node to node: median {:?}, p99 {:?}", times[100], times[197]);
        assert!(times[100] < Duration::from_millis(100), "{times:?}");
    }

    async fn conforms(&self) {
        self.rooms().await;
        self.members_and_inboxes().await;
        self.loops().await;
        self.endings().await;
        self.presence().await;
        self.limits().await;
    }
}

#[tokio::test]
async fn one_bus() {
    let bus = Bus::default();
    Joined { here: bus.clone(), there: bus, heard: true }.conforms().await;
}

#[tokio::test]
async fn two_joined_by_redis() {
    let server = Server::start(&[]).await;
    let nodes = [1, 2].map(|number| Node::start(number, &server.config()));
    for node in &nodes {
        node.is(true).await;
    }
    let joined = Joined { here: nodes[0].bus.clone(), there: nodes[1].bus.clone(), heard: true };
    joined.conforms().await;
    joined.quick().await;
}

/// Each hears itself and so believes that all is well, and nothing gets from one to the other.
#[tokio::test]
async fn two_between_which_everything_is_lost() {
    let server = Server::start(&[]).await;
    let node =
        |number: u8| Node::start(number, &Redis { prefix: format!("night-{number}"), ..server.config() }).connected();
    let nodes = [node(1).await, node(2).await];
    Joined { here: nodes[0].bus.clone(), there: nodes[1].bus.clone(), heard: false }.conforms().await;
}
