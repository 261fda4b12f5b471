//! How far one session has read each of its rooms, and the next frames for it.

use crate::{
    Error, Result, Shared,
    bus::{Feed, Pull, Wake},
    delivery::append::frame,
};
use bytes::Bytes;
use firstlight_protocol::{DeviceId, ErrorCode, RoomId, api::Sent};
use std::{collections::HashMap, sync::Arc};

/// Frames sent for one room before the others get their turn.
const TURN: usize = 256;

/// A room that the session reads.
struct Reading {
    feed: Arc<Feed>,
    cursor: u64,
    until: Option<u64>,
    members_version: u64,
}

/// All rooms that the session reads. Dropping it ends the subscriptions.
pub(super) struct Rooms {
    app: Shared,
    device: DeviceId,
    wake: Arc<Wake>,
    reading: HashMap<RoomId, Reading>,
}

/// The next frames of a room.
pub(super) struct Turn {
    pub(super) frames: Vec<Bytes>,
    /// There may be more: give the room another turn.
    pub(super) more: bool,
}

impl Rooms {
    pub(super) fn new(app: Shared, device: DeviceId, wake: Arc<Wake>) -> Self {
        Self { app, device, wake, reading: HashMap::new() }
    }

    pub(super) fn all(&self) -> Vec<RoomId> {
        self.reading.keys().copied().collect()
    }

    /// Reads a room from `cursor` on, or from where the device's membership begins.
    pub(super) async fn subscribe(&mut self, room: RoomId, cursor: u64) -> Result<()> {
        // The version is taken before the store is asked, so a change in between is seen at the next turn.
        let feed = self.app.bus.subscribe(room, &self.wake);
        let members_version = feed.members_version();
        match self.app.store.stretch(room, self.device).await {
            Ok(Some(stretch)) => {
                let cursor = cursor.max(stretch.after);
                self.reading.insert(room, Reading { feed, cursor, until: stretch.until, members_version });
                Ok(())
            }
            refused => {
                self.leave(room);
                refused.and(Err(ErrorCode::NotAMember.into()))
            }
        }
    }

    /// The next frames of a room, from the live tail or, for a reader that is behind it, from the store.
    pub(super) async fn turn(&mut self, room: RoomId) -> Result<Turn> {
        let nothing = Turn { frames: Vec::new(), more: false };
        let (frames, more) = loop {
            let Some(reading) = self.reading.get(&room) else { return Ok(nothing) };
            if reading.feed.members_version() != reading.members_version {
                let cursor = reading.cursor;
                match self.subscribe(room, cursor).await {
                    Ok(()) => {}
                    Err(Error::Refused(_)) => return Ok(nothing),
                    Err(error) => return Err(error),
                }
            }
            let Some(reading) = self.reading.get(&room) else { return Ok(nothing) };
            let next = match reading.feed.pull(reading.cursor, TURN) {
                Pull::Frames(frames, more) => (frames, more),
                Pull::Behind => self.read_store(room).await?,
            };
            // The members may have changed since they were looked at, and then an entry for those who are left may be
            // among these. (Their change is announced before any entry that follows it.)
            if reading.feed.members_version() == reading.members_version {
                break next;
            }
        };
        let Some(reading) = self.reading.get_mut(&room) else { return Ok(nothing) };
        let mut turn = Turn { frames: Vec::with_capacity(frames.len()), more };
        for (seq, bytes) in frames {
            if reading.until.is_some_and(|until| seq > until) {
                break;
            }
            reading.cursor = seq;
            turn.frames.push(bytes);
        }
        if reading.until.is_some_and(|until| reading.cursor >= until) {
            turn.more = false;
            self.leave(room);
        }
        Ok(turn)
    }

    /// Reads what the live tail no longer has. Also needed at first, for a feed that was empty when it was subscribed to.
    pub(super) async fn catch_up(&mut self, room: RoomId) -> Result<Turn> {
        let (frames, more) = self.read_store(room).await?;
        let mut turn = Turn { frames: Vec::with_capacity(frames.len()), more };
        if let Some(reading) = self.reading.get_mut(&room) {
            for (seq, bytes) in frames {
                reading.cursor = seq;
                turn.frames.push(bytes);
            }
        }
        Ok(turn)
    }

    async fn read_store(&self, room: RoomId) -> Result<(Vec<(u64, Bytes)>, bool)> {
        let Some(reading) = self.reading.get(&room) else { return Ok((Vec::new(), false)) };
        let read = self.app.store.read_log(room, self.device, reading.cursor, TURN).await?;
        let page = read.map(|(_, page)| page).unwrap_or_default();
        let frames = page.entries.into_iter().map(|entry| {
            let sent = Sent { seq: entry.seq, at: entry.at };
            (entry.seq, frame(room, &sent, entry.sender, entry.id, entry.kind, entry.body.0))
        });
        Ok((frames.collect(), page.more))
    }

    fn leave(&mut self, room: RoomId) {
        self.reading.remove(&room);
        self.app.bus.release(room, &self.wake);
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        for room in self.all() {
            self.leave(room);
        }
    }
}
