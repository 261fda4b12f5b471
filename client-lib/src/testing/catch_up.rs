//! A device that comes back after a long time away.

use super::{Delivery, Org, Peer, now, settle};
use crate::{
    engine::MAX_ENTRIES,
    storage::{Host, HostError, Storage},
};
use firstlight_protocol::{
    MessageId, OrgKind, Role, RoomId, RoomKind,
    api::LogEntry,
    mls::{Content, RoomContext},
};

/// A device's state before it was away, and what was said in the meantime.
#[derive(Debug)]
pub struct CatchUp {
    /// The room.
    pub room: RoomId,
    /// Its entries since then.
    pub entries: Vec<LogEntry>,
    /// The device's state: load it into the storage to be measured with [`Self::load_into`].
    pub peer: Peer,
}

/// Prepares a room of `members` devices and `messages` messages of 250 bytes that one of them has not read.
pub fn prepare_catch_up(suite: u16, members: u8, messages: usize) -> CatchUp {
    let room = RoomId([42; 16]);
    let mut net = Delivery::default();
    let org = Org::new(OrgKind::VictimServices, 1);
    let mut peers: Vec<Peer> = (1..=members)
        .map(|n| Peer::enrol(&mut net, &org.device(Role::Advocate, n), &org.anchors(), &[suite]))
        .collect();
    let context = RoomContext { kind: RoomKind::Advocate, org: org.id, callout: None };
    let (first, others) = peers.split_first_mut().unwrap();
    let claimed = first.claim(&mut net, suite, &others.iter().collect::<Vec<_>>());
    first.apply(|e| e.create_room(room, context, suite, &claimed, MessageId([1; 16]), now())).unwrap();
    let mut everyone: Vec<&mut Peer> = peers.iter_mut().collect();
    settle(&mut net, &mut everyone);
    let mut away = peers.pop().unwrap();
    let before = away.host.engine().cursors()[0].seq;
    for n in 0..messages {
        let sender = n % peers.len();
        let content = Content::Text { text: format!("{n:0>250}"), reply_to: None };
        let mut id = [7; 16];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        peers[sender].apply(|e| e.send(room, content, MessageId(id), now())).unwrap();
        peers[sender].work(&mut net);
        // The others keep reading, or their own acknowledgements would pile up.
        if n % 200 == 199 {
            peers.iter_mut().for_each(|p| while p.poll(&mut net) {});
        }
    }
    away.queue.clear();
    let mut entries: Vec<LogEntry> = Vec::new();
    loop {
        let page = net.log(room, entries.last().map_or(before, |e| e.seq));
        if page.is_empty() {
            return CatchUp { room, entries, peer: away };
        }
        entries.extend(page);
    }
}

impl CatchUp {
    /// Puts the device's state into another storage and opens it there.
    pub fn load_into<S: Storage>(&mut self, mut storage: S) -> Result<Host<S>, HostError> {
        let snapshot = self.peer.host.storage_mut().load()?;
        let values = snapshot.values.into_iter().map(|(k, v)| (k, Some(v))).collect();
        let lines = self.peer.host.lines(self.room, 0, usize::MAX)?;
        let generation = storage.generation()?;
        storage.commit(generation, &crate::storage::Batch { values, lines })?;
        Host::open(storage)
    }

    /// Reads everything: what the benchmark measures. Answers with how many lines there are then.
    pub fn run<S: Storage>(&self, host: &mut Host<S>) -> Result<usize, HostError> {
        for page in self.entries.chunks(MAX_ENTRIES) {
            host.apply(|e| e.receive_entries(page, now()))?;
        }
        Ok(host.lines(self.room, 0, usize::MAX)?.len())
    }
}
