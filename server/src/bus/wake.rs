//! What wakes one session's loop. A wake-up is a flag, never a queue, so it takes the same room however much happened.

use super::lock;
use firstlight_protocol::{RoomId, SessionId};
use std::sync::Mutex;
use tokio::sync::Notify;

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The device was revoked.
    Revoked,
    /// The sign-in has ended.
    SignedOut,
    /// The server is shutting down.
    Drain,
}

/// What a session has to look at.
#[derive(Debug, Default)]
pub struct Dirty {
    /// Its inbox grew.
    pub inbox: bool,
    /// These rooms' logs grew, or their members changed.
    pub rooms: Vec<RoomId>,
    /// It has to close.
    pub close: Option<CloseReason>,
}

/// One session's wake-up.
#[derive(Debug)]
pub struct Wake {
    pub(super) session: SessionId,
    dirty: Mutex<Dirty>,
    notify: Notify,
    closing: Notify,
}

impl Wake {
    pub(super) fn new(session: SessionId) -> Self {
        Self { session, dirty: Mutex::default(), notify: Notify::new(), closing: Notify::new() }
    }

    /// Marks the inbox.
    pub fn inbox(&self) {
        lock(&self.dirty).inbox = true;
        self.notify.notify_one();
    }

    /// Marks a room. The list stays short: a session takes it whole, and a room is in it once.
    pub fn room(&self, room: RoomId) {
        let mut dirty = lock(&self.dirty);
        if !dirty.rooms.contains(&room) {
            dirty.rooms.push(room);
        }
        drop(dirty);
        self.notify.notify_one();
    }

    /// Asks the session to close.
    pub fn close(&self, reason: CloseReason) {
        // That a device was revoked says more than that its sign-ins ended, which comes with it.
        let mut dirty = lock(&self.dirty);
        if dirty.close != Some(CloseReason::Revoked) {
            dirty.close = Some(reason);
        }
        drop(dirty);
        self.notify.notify_one();
        self.closing.notify_one();
    }

    /// Waits until the session has to close, whatever else is marked: for a session that can't take marks just now.
    pub async fn closing(&self) -> CloseReason {
        loop {
            self.closing.notified().await;
            if let Some(reason) = lock(&self.dirty).close {
                return reason;
            }
        }
    }

    /// Whether the session has to close, and why.
    #[cfg(test)]
    pub(super) fn closes(&self) -> Option<CloseReason> {
        lock(&self.dirty).close
    }

    /// Waits until something is marked, and takes all marks.
    pub async fn wait(&self) -> Dirty {
        self.notify.notified().await;
        self.take()
    }

    /// Takes all marks there are.
    pub(super) fn take(&self) -> Dirty {
        std::mem::take(&mut lock(&self.dirty))
    }
}
