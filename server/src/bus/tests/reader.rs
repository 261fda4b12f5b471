//! A session's way of reading a room, without a socket or a store.

use crate::bus::{Feed, Pull, Wake};
use bytes::Bytes;
use firstlight_protocol::RoomId;
use std::sync::Arc;

pub(in crate::bus) const ROOM: RoomId = RoomId([1; 16]);

/// An entry as the frame that members get.
pub(in crate::bus) fn entry(seq: u64) -> (u64, Bytes) {
    (seq, Bytes::copy_from_slice(&seq.to_be_bytes()))
}

/// What it got so far is `1..=cursor`, or the test fails.
pub(in crate::bus) struct Reader {
    feed: Arc<Feed>,
    pub(in crate::bus) wake: Arc<Wake>,
    pub(in crate::bus) cursor: u64,
}

impl Reader {
    /// A session takes its first turn unasked.
    pub(in crate::bus) fn new(feed: Arc<Feed>, wake: Arc<Wake>, cursor: u64) -> Self {
        wake.room(ROOM);
        Self { feed, wake, cursor }
    }

    /// Handles a mark, if there is one, where the store's log reaches `store`. Says whether there was one.
    pub(in crate::bus) fn turn(&mut self, store: u64, page: usize) -> bool {
        if self.wake.take().rooms.is_empty() {
            return false;
        }
        loop {
            let (seqs, more): (Vec<u64>, bool) = match self.feed.pull(self.cursor, page) {
                Pull::Frames(frames, more) => {
                    assert!(frames.iter().all(|(seq, frame)| frame[..] == seq.to_be_bytes()));
                    (frames.into_iter().map(|(seq, _)| seq).collect(), more)
                }
                Pull::Behind => {
                    let read: Vec<_> = (self.cursor + 1..=store).take(page).collect();
                    let more = read.len() >= page;
                    (read, more)
                }
            };
            for seq in &seqs {
                assert_eq!(*seq, self.cursor + 1, "each once, and in order");
                self.cursor = *seq;
            }
            if !more {
                return true;
            }
        }
    }
}
