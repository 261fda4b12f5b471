//! What waits to be told to other nodes.
//!
//! It is a set of flags rather than a queue, as a wake-up is: however much happens while Redis is slow, a room is in it
//! once, with its newest head. Telling never waits and never fails: without a link, or beyond the bound, it is dropped
//! and counted, and the other nodes find it in the store.

use super::{
    NodeId, lock,
    message::{CHUNK, Message},
};
use crate::telemetry::{BusTraffic, Metrics};
use firstlight_protocol::{DeviceId, RoomId, SessionId};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Most ids of one kind that wait.
const MAX_WAITING: usize = 1 << 14;

#[derive(Debug)]
pub(super) struct Outgoing {
    waiting: Mutex<Waiting>,
    notify: Notify,
    /// Whether a link takes what waits.
    open: AtomicBool,
    /// Whether there is a link at all, and so anything that could be dropped.
    linked: AtomicBool,
    metrics: Metrics,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    rooms: HashMap<RoomId, u64>,
    members: HashSet<RoomId>,
    inbox: HashSet<DeviceId>,
    revoked: HashSet<DeviceId>,
    signed_out: HashSet<SessionId>,
    presence: HashMap<DeviceId, u16>,
    wanted: HashSet<NodeId>,
    dispatch: bool,
    rota: bool,
    trust: bool,
    /// Somebody asked for all devices.
    pub(super) snapshot: bool,
}

impl Outgoing {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            waiting: Mutex::default(),
            notify: Notify::new(),
            open: AtomicBool::new(false),
            linked: AtomicBool::new(false),
            metrics,
        }
    }

    /// There is a link that may open.
    pub(super) fn link(&self) {
        self.linked.store(true, Ordering::Release);
    }

    /// From now on what is put is taken.
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// From now on what is put is dropped, and so is what waits.
    pub(super) fn close(&self) {
        let mut waiting = lock(&self.waiting);
        self.open.store(false, Ordering::Release);
        *waiting = Waiting::default();
    }

    /// Waits until something was put.
    pub(super) async fn some(&self) {
        self.notify.notified().await;
    }

    /// Takes all that waits.
    pub(super) fn take(&self) -> Waiting {
        std::mem::take(&mut lock(&self.waiting))
    }

    pub(super) fn room(&self, room: RoomId, head: u64) {
        self.put(|w| insert(&mut w.rooms, room, head));
    }

    pub(super) fn members(&self, room: RoomId) {
        self.put(|w| add(&mut w.members, &[room]));
    }

    pub(super) fn inbox(&self, devices: &[DeviceId]) {
        if !devices.is_empty() {
            self.put(|w| add(&mut w.inbox, devices));
        }
    }

    pub(super) fn revoked(&self, device: DeviceId) {
        self.put(|w| add(&mut w.revoked, &[device]));
    }

    pub(super) fn signed_out(&self, session: SessionId) {
        self.put(|w| add(&mut w.signed_out, &[session]));
    }

    /// So many sockets a device has here. The caller holds the lock of the sockets, so that the newest number is last.
    pub(super) fn presence(&self, device: DeviceId, sockets: usize) {
        self.put(|w| insert(&mut w.presence, device, u16::try_from(sockets).unwrap_or(u16::MAX)));
    }

    pub(super) fn want(&self, node: NodeId) {
        self.put(|w| add(&mut w.wanted, &[node]));
    }

    pub(super) fn dispatch(&self) {
        self.put(|w| flag(&mut w.dispatch));
    }

    pub(super) fn rota(&self) {
        self.put(|w| flag(&mut w.rota));
    }

    pub(super) fn trust(&self) {
        self.put(|w| flag(&mut w.trust));
    }

    pub(super) fn snapshot(&self) {
        self.put(|w| flag(&mut w.snapshot));
    }

    fn put(&self, put: impl FnOnce(&mut Waiting) -> usize) {
        if !self.linked.load(Ordering::Acquire) {
            return;
        }
        let dropped = {
            let mut waiting = lock(&self.waiting);
            if self.open.load(Ordering::Acquire) { put(&mut waiting) } else { 1 }
        };
        self.metrics.bus(BusTraffic::Dropped, dropped);
        self.notify.notify_one();
    }
}

fn flag(flag: &mut bool) -> usize {
    *flag = true;
    0
}

/// Inserts what there is room for, and answers how much there was none for.
fn add<K: Copy + Eq + Hash>(set: &mut HashSet<K>, keys: &[K]) -> usize {
    let taken = keys.iter().filter(|key| {
        let fits = set.len() < MAX_WAITING || set.contains(*key);
        if fits {
            set.insert(**key);
        }
        fits
    });
    keys.len() - taken.count()
}

fn insert<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) -> usize {
    if map.len() >= MAX_WAITING && !map.contains_key(&key) {
        return 1;
    }
    map.insert(key, value);
    0
}

impl Waiting {
    /// The messages, the most urgent first, and a room's members before its log as the store announces them.
    pub(super) fn messages(self) -> Vec<Message> {
        let mut messages = Vec::new();
        chunks(&mut messages, self.revoked, Message::Revoked);
        chunks(&mut messages, self.signed_out, Message::SignedOut);
        messages.extend(self.trust.then_some(Message::Trust));
        messages.extend(self.dispatch.then_some(Message::Dispatch));
        chunks(&mut messages, self.members, Message::Members);
        chunks(&mut messages, self.rooms, Message::Rooms);
        chunks(&mut messages, self.inbox, Message::Inbox);
        messages.extend(self.rota.then_some(Message::Rota));
        chunks(&mut messages, self.presence, Message::Presence);
        messages.extend(self.wanted.into_iter().map(Message::Want));
        messages
    }
}

/// Cuts what waits into messages of bounded length.
pub(super) fn chunks<T: Clone>(
    messages: &mut Vec<Message>,
    items: impl IntoIterator<Item = T>,
    message: impl Fn(Vec<T>) -> Message,
) {
    let items: Vec<T> = items.into_iter().collect();
    messages.extend(items.chunks(CHUNK).map(|chunk| message(chunk.to_vec())));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> [u8; 16] {
        (n as u128).to_be_bytes()
    }

    #[test]
    fn what_waits_is_bounded_and_holds_each_thing_once() {
        let outgoing = Outgoing::new(Metrics::default());
        outgoing.room(RoomId([0; 16]), 1);
        assert_eq!(outgoing.metrics.bus_count(BusTraffic::Dropped), 0, "alone, nothing is missed by anybody");
        outgoing.link();
        outgoing.room(RoomId([0; 16]), 1);
        assert_eq!(outgoing.take().messages(), []);
        assert_eq!(outgoing.metrics.bus_count(BusTraffic::Dropped), 1, "closed");
        outgoing.open();
        for head in 1..=10_000 {
            outgoing.room(RoomId([0; 16]), head);
        }
        outgoing.members(RoomId([0; 16]));
        let expected = [Message::Members(vec![RoomId([0; 16])]), Message::Rooms(vec![(RoomId([0; 16]), 10_000)])];
        assert_eq!(outgoing.take().messages(), expected);
        let devices: Vec<_> = (0..MAX_WAITING + 5).map(|n| DeviceId(id(n))).collect();
        outgoing.inbox(&devices);
        for device in devices {
            outgoing.presence(device, 1);
        }
        let messages = outgoing.take().messages();
        assert_eq!(messages.len(), 2 * MAX_WAITING / CHUNK);
        assert_eq!(outgoing.metrics.bus_count(BusTraffic::Dropped), 11);
        outgoing.dispatch();
        outgoing.close();
        assert_eq!(outgoing.take().messages(), []);
    }
}
