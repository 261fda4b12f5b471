//! What the store holds and a watching caller has not been shown: its own eyes' cursors beside the device's.

use super::{Session, SessionError};
use crate::engine::Event;
use firstlight_protocol::{RoomId, api::RoomCursor};
use std::collections::{BTreeMap, BTreeSet};

/// Lines read at a time.
const LINES: usize = 500;

/// How far a caller has seen the inbox and each room.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    begun: bool,
    inbox: u64,
    rooms: BTreeMap<RoomId, u64>,
    /// Rooms that the open socket carries.
    subscribed: BTreeSet<RoomId>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct News {
    /// To show, in each room's order.
    pub(super) events: Vec<Event>,
    /// Rooms that the socket does not carry yet.
    pub(super) subscribe: Vec<RoomCursor>,
}

impl Unseen {
    /// From where the device is now, the first time.
    pub(super) async fn begin(&mut self, session: &Session) -> Result<(), SessionError> {
        if !self.begun {
            let (inbox, rooms) = session.state.read(|engine| (engine.inbox_cursor(), engine.cursors())).await?;
            self.inbox = inbox;
            self.rooms = rooms.iter().map(|cursor| (cursor.room, cursor.seq)).collect();
            self.begun = true;
        }
        Ok(())
    }

    /// The socket carries these rooms; after connecting, all that it carries.
    pub(super) fn subscribed(&mut self, rooms: &[RoomCursor]) {
        self.subscribed.extend(rooms.iter().map(|cursor| cursor.room));
    }

    /// The socket is gone.
    pub(super) fn disconnected(&mut self) {
        self.subscribed.clear();
    }

    /// Everything between what was seen and what is stored.
    pub(super) async fn look(&mut self, session: &Session) -> Result<News, SessionError> {
        let (inbox, cursors) = session.state.read(|engine| (engine.inbox_cursor(), engine.cursors())).await?;
        let mut news = News::default();
        if inbox > self.inbox {
            let notices = session.state.read(|engine| engine.notices()).await?;
            let new = notices.into_iter().filter(|item| item.seq > self.inbox && item.seq <= inbox);
            news.events.extend(new.map(|item| Event::Notice(Box::new(item))));
            self.inbox = inbox;
        }
        for cursor in &cursors {
            let seen = self.rooms.get(&cursor.room).copied();
            if seen.is_none()
                && let Some(room) = session.state.read(|engine| engine.room(cursor.room)).await?
            {
                news.events.push(Event::Joined { room: room.room, context: room.context });
            }
            if seen.is_none_or(|seen| seen < cursor.seq) {
                lines(session, cursor.room, seen.unwrap_or(0), &mut news).await?;
                self.rooms.insert(cursor.room, cursor.seq);
            }
            if self.subscribed.insert(cursor.room) {
                news.subscribe.push(*cursor);
            }
        }
        // Rooms that were left: what came last in them is still shown.
        let open: BTreeSet<RoomId> = cursors.iter().map(|cursor| cursor.room).collect();
        let left: Vec<RoomId> = self.rooms.keys().filter(|room| !open.contains(room)).copied().collect();
        for room in left {
            let seen = self.rooms.remove(&room).unwrap_or(0);
            lines(session, room, seen, &mut news).await?;
            news.events.push(Event::Left { room });
            self.subscribed.remove(&room);
        }
        Ok(news)
    }
}

async fn lines(session: &Session, room: RoomId, mut after: u64, news: &mut News) -> Result<(), SessionError> {
    loop {
        let lines = session.state.lines(room, after, LINES).await?;
        let Some(last) = lines.last() else { return Ok(()) };
        after = last.seq;
        news.events.extend(lines.iter().map(|line| Event::Line { room, seq: line.seq }));
        if lines.len() < LINES {
            return Ok(());
        }
    }
}
