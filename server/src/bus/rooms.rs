//! The feeds of rooms that somebody here listens to.

use super::{Bus, Feed, Wake, lock};
use bytes::Bytes;
use firstlight_protocol::RoomId;
use std::sync::Arc;

impl Bus {
    /// Begins to wake a session for a room, and gives it the live tail of the room's log.
    pub(crate) fn subscribe(&self, room: RoomId, wake: &Arc<Wake>) -> Arc<Feed> {
        // Under the lock: a feed whose last reader leaves in between would be forgotten with this one in it.
        let mut feeds = lock(&self.0.feeds);
        let feed = feeds.entry(room).or_default();
        feed.subscribe(wake);
        Arc::clone(feed)
    }

    /// Forgets the feed of a room that nobody listens to.
    pub(crate) fn release(&self, room: RoomId, wake: &Arc<Wake>) {
        let mut feeds = lock(&self.0.feeds);
        if feeds.get(&room).is_some_and(|feed| feed.unsubscribe(wake)) {
            feeds.remove(&room);
        }
    }

    /// The rooms that somebody here listens to.
    pub fn rooms(&self) -> Vec<RoomId> {
        lock(&self.0.feeds).keys().copied().collect()
    }

    /// New entries of a room's log, in order, each as the frame that every member gets. Other nodes are told how far
    /// the log reaches, and no more.
    pub(crate) fn publish(&self, room: RoomId, frames: Vec<(u64, Bytes)>) {
        if let Some((head, _)) = frames.last() {
            self.0.outgoing.room(room, *head);
        }
        if let Some(feed) = self.feed(room) {
            feed.publish(room, frames);
        }
    }

    /// A room's log is known to reach `head`: another node said so, or the store. Who has read less reads the store.
    pub fn room_reached(&self, room: RoomId, head: u64) {
        if let Some(feed) = self.feed(room) {
            feed.reached(room, head);
        }
    }

    /// A room's members changed.
    pub(crate) fn members_changed(&self, room: RoomId) {
        self.members_changed_here(room);
        self.0.outgoing.members(room);
    }

    pub(super) fn members_changed_here(&self, room: RoomId) {
        if let Some(feed) = self.feed(room) {
            feed.members_changed(room);
        }
    }

    fn feed(&self, room: RoomId) -> Option<Arc<Feed>> {
        lock(&self.0.feeds).get(&room).cloned()
    }
}
