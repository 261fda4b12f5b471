//! The live tail of one room's log: the newest entries as encoded frames, shared by every session that reads the room.
//!
//! A session pulls at its own pace by sequence number. One that has fallen out of the tail reads the store instead:
//! a slow reader costs itself, never memory.
//!
//! Another node may append to the room too. Its entries are never here, only their number (if that came through): the
//! tail has no gaps, and whoever needs an entry that it lacks is sent to the store, where every entry is.

use super::{Wake, lock};
use bytes::Bytes;
use firstlight_protocol::RoomId;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most entries kept for sessions that are a little behind.
const TAIL_ENTRIES: usize = 512;
/// Most bytes kept, for the same.
const TAIL_BYTES: usize = 1 << 20;

/// The tail of a room's log.
#[derive(Debug, Default)]
pub struct Feed {
    tail: Mutex<Tail>,
    readers: Mutex<Vec<Arc<Wake>>>,
    members: AtomicU64,
}

/// Entries without a gap between them.
#[derive(Debug, Default)]
struct Tail {
    frames: VecDeque<(u64, Bytes)>,
    bytes: usize,
    /// The newest entry that is known to exist, here or in the store alone; 0 if nothing is known.
    head: u64,
}

/// What a session gets when it asks for the entries after its cursor.
#[derive(Debug, PartialEq, Eq)]
pub enum Pull {
    /// The next entries, in order, and whether more are known after them; none where nothing newer is known.
    Frames(Vec<(u64, Bytes)>, bool),
    /// The next entry is not in the tail: read the store.
    Behind,
}

impl Tail {
    fn push(&mut self, seq: u64, frame: Bytes) {
        match self.frames.back() {
            // Somebody has been told of it, or has read it in the store.
            Some((last, _)) if seq <= *last => return,
            Some((last, _)) if seq - last > 1 => {
                self.frames.clear();
                self.bytes = 0;
            }
            _ => {}
        }
        self.head = self.head.max(seq);
        self.bytes += frame.len();
        self.frames.push_back((seq, frame));
        while self.frames.len() > TAIL_ENTRIES || (self.bytes > TAIL_BYTES && self.frames.len() > 1) {
            if let Some((_, old)) = self.frames.pop_front() {
                self.bytes -= old.len();
            }
        }
    }
}

impl Feed {
    /// Starts to wake a session for this room.
    pub(super) fn subscribe(&self, wake: &Arc<Wake>) {
        let mut readers = lock(&self.readers);
        if !readers.iter().any(|w| Arc::ptr_eq(w, wake)) {
            readers.push(Arc::clone(wake));
        }
    }

    /// Stops waking a session; true if nobody is left.
    pub(super) fn unsubscribe(&self, wake: &Arc<Wake>) -> bool {
        let mut readers = lock(&self.readers);
        readers.retain(|w| !Arc::ptr_eq(w, wake));
        readers.is_empty()
    }

    /// Counts changes of the room's members; a session asks the store again when this has changed.
    pub fn members_version(&self) -> u64 {
        self.members.load(Ordering::Acquire)
    }

    /// Up to `limit` frames after `cursor`.
    pub fn pull(&self, cursor: u64, limit: usize) -> Pull {
        let tail = lock(&self.tail);
        // The cursor is what a client says it is.
        let next = cursor.saturating_add(1);
        let Some((first, last)) = tail.frames.front().zip(tail.frames.back()).map(|((f, _), (l, _))| (*f, *l)) else {
            return if cursor < tail.head { Pull::Behind } else { Pull::Frames(Vec::new(), false) };
        };
        if next < first || (next > last && cursor < tail.head) {
            return Pull::Behind;
        }
        let skip = usize::try_from(next - first).unwrap_or(usize::MAX);
        let frames: Vec<_> = tail.frames.iter().skip(skip).take(limit).cloned().collect();
        let more = frames.last().is_some_and(|(seq, _)| *seq < tail.head);
        Pull::Frames(frames, more)
    }

    pub(super) fn publish(&self, room: RoomId, frames: Vec<(u64, Bytes)>) {
        {
            let mut tail = lock(&self.tail);
            for (seq, frame) in frames {
                tail.push(seq, frame);
            }
        }
        self.wake(room);
    }

    /// The log is known to have grown to `head`, by whomever.
    pub(super) fn reached(&self, room: RoomId, head: u64) {
        {
            let mut tail = lock(&self.tail);
            if head <= tail.head {
                return;
            }
            tail.head = head;
        }
        self.wake(room);
    }

    pub(super) fn members_changed(&self, room: RoomId) {
        self.members.fetch_add(1, Ordering::AcqRel);
        self.wake(room);
    }

    fn wake(&self, room: RoomId) {
        for reader in lock(&self.readers).iter() {
            reader.room(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tests::reader::{ROOM, Reader, entry};
    use proptest::prelude::*;

    fn pulled(feed: &Feed, cursor: u64, limit: usize) -> Option<Vec<u64>> {
        match feed.pull(cursor, limit) {
            Pull::Frames(frames, _) => Some(frames.into_iter().map(|(seq, _)| seq).collect()),
            Pull::Behind => None,
        }
    }

    #[test]
    fn any_cursor_has_an_answer() {
        let feed = Feed::default();
        feed.publish(ROOM, (5..8).map(entry).collect());
        assert_eq!(pulled(&feed, 3, 2), None);
        assert_eq!(pulled(&feed, 4, 2), Some(vec![5, 6]));
        assert_eq!(pulled(&feed, 6, 2), Some(vec![7]));
        for ahead in [7, 8, u64::MAX - 1, u64::MAX] {
            assert_eq!(pulled(&feed, ahead, 2), Some(vec![]), "{ahead}");
        }
    }

    #[test]
    fn what_another_node_appended_is_read_from_the_store() {
        let feed = Feed::default();
        assert_eq!(pulled(&feed, 0, 9), Some(vec![]), "nothing is known");
        feed.reached(ROOM, 3);
        assert_eq!((pulled(&feed, 2, 9), pulled(&feed, 3, 9)), (None, Some(vec![])));
        feed.publish(ROOM, vec![entry(4), entry(5)]);
        assert_eq!((pulled(&feed, 2, 9), pulled(&feed, 3, 9)), (None, Some(vec![4, 5])));
        feed.reached(ROOM, 7);
        assert_eq!((pulled(&feed, 4, 9), pulled(&feed, 5, 9)), (Some(vec![5]), None));
        // 8 was another node's, and its message was lost.
        feed.publish(ROOM, vec![entry(9)]);
        assert_eq!((pulled(&feed, 4, 9), pulled(&feed, 7, 9), pulled(&feed, 8, 9)), (None, None, Some(vec![9])));
        feed.publish(ROOM, vec![entry(8), entry(9), entry(10)]);
        assert_eq!((pulled(&feed, 7, 9), pulled(&feed, 8, 9)), (None, Some(vec![9, 10])));
    }

    #[derive(Debug, Clone)]
    enum Deed {
        /// So many entries by this node.
        Here(u8),
        /// So many by another node, whose message comes through or is lost.
        Elsewhere(u8, bool),
        /// A reader that was woken takes a turn.
        Turn(u8),
        /// A reader leaves and another takes its place at its cursor, as a reconnecting client does.
        Replace(u8),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            3 => (1..40u8).prop_map(Deed::Here),
            3 => (1..40u8, any::<bool>()).prop_map(|(n, heard)| Deed::Elsewhere(n, heard)),
            6 => any::<u8>().prop_map(Deed::Turn),
            1 => any::<u8>().prop_map(Deed::Replace),
        ]
    }

    fn reader(feed: &Arc<Feed>, cursor: u64) -> Reader {
        let wake = Arc::new(Wake::new(firstlight_protocol::SessionId([0; 16])));
        feed.subscribe(&wake);
        Reader::new(Arc::clone(feed), wake, cursor)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// However entries come about and whatever messages are lost, a reader gets each entry once and in order, and
        /// all of them once the store has been polled.
        #[test]
        fn readers_miss_nothing(deeds in prop::collection::vec(deed(), 1..120), page in 1..64usize) {
            let feed = Arc::new(Feed::default());
            let mut store = 0;
            let mut readers: Vec<_> = (0..3).map(|_| reader(&feed, 0)).collect();
            for deed in deeds {
                match deed {
                    Deed::Here(n) => {
                        let frames = (store + 1..=store + u64::from(n)).map(entry).collect();
                        store += u64::from(n);
                        feed.publish(ROOM, frames);
                    }
                    Deed::Elsewhere(n, heard) => {
                        store += u64::from(n);
                        if heard {
                            feed.reached(ROOM, store);
                        }
                    }
                    Deed::Turn(who) => {
                        readers[usize::from(who) % 3].turn(store, page);
                    }
                    Deed::Replace(who) => {
                        let left = &mut readers[usize::from(who) % 3];
                        feed.unsubscribe(&left.wake);
                        *left = reader(&feed, left.cursor);
                    }
                }
            }
            feed.reached(ROOM, store);
            for reader in &mut readers {
                reader.turn(store, page);
                prop_assert_eq!(reader.cursor, store);
            }
        }
    }
}
