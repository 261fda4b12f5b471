//! The live tail of one room's log: the newest entries as encoded frames, shared by every session that reads the room.
//!
//! A session pulls at its own pace by sequence number. One that has fallen out of the tail reads the store instead:
//! a slow reader costs itself, never memory.

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

#[derive(Debug, Default)]
struct Tail {
    frames: VecDeque<(u64, Bytes)>,
    bytes: usize,
}

/// What a session gets when it asks for the entries after its cursor.
#[derive(Debug)]
pub enum Pull {
    /// The next entries, in order; empty where the tail has nothing newer.
    Frames(Vec<(u64, Bytes)>),
    /// The next entry is no longer in the tail (or was never here): read the store.
    Behind,
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
        let Some((first, _)) = tail.frames.front() else { return Pull::Frames(Vec::new()) };
        // The cursor is what a client says it is.
        let next = cursor.saturating_add(1);
        if next < *first {
            return Pull::Behind;
        }
        let skip = usize::try_from(next - first).unwrap_or(usize::MAX);
        Pull::Frames(tail.frames.iter().skip(skip).take(limit).cloned().collect())
    }

    pub(super) fn publish(&self, room: RoomId, frames: Vec<(u64, Bytes)>) {
        {
            let mut tail = lock(&self.tail);
            for (seq, frame) in frames {
                tail.bytes += frame.len();
                tail.frames.push_back((seq, frame));
            }
            while tail.frames.len() > TAIL_ENTRIES || (tail.bytes > TAIL_BYTES && tail.frames.len() > 1) {
                if let Some((_, old)) = tail.frames.pop_front() {
                    tail.bytes -= old.len();
                }
            }
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

    #[test]
    fn any_cursor_has_an_answer() {
        let feed = Feed::default();
        let entry = |seq| (seq, Bytes::new());
        feed.publish(RoomId([1; 16]), (5..8).map(entry).collect());
        let pulled = |cursor| match feed.pull(cursor, 2) {
            Pull::Frames(frames) => Some(frames.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>()),
            Pull::Behind => None,
        };
        assert_eq!(pulled(3), None);
        assert_eq!(pulled(4), Some(vec![5, 6]));
        assert_eq!(pulled(6), Some(vec![7]));
        for ahead in [7, 8, u64::MAX - 1, u64::MAX] {
            assert_eq!(pulled(ahead), Some(vec![]), "{ahead}");
        }
    }
}
