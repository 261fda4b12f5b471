//! Catching up once, over HTTP: what a short command does before it answers.

use super::{Session, SessionError, drive::Task};
use crate::{
    engine::{Effect, Event, RoomState},
    storage::Outcome,
};
use firstlight_protocol::{
    api::{Notice, RoomCursor},
    limits::MAX_LOG_PAGE,
};

impl Session {
    /// Receives everything that waits for this device and sends everything that it has to send.
    pub async fn sync(&self) -> (Vec<Event>, Result<(), SessionError>) {
        let mut events = Vec::new();
        let result = self.catch_up(&mut events).await;
        let tidied = self.tidy(&mut events);
        (events, result.and(tidied))
    }

    async fn catch_up(&self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        for task in [Task::Trust, Task::KeyPackages] {
            let outcome = self.carry_out(task).await?;
            super::drive::until_quiet(self, outcome, events).await?;
        }
        self.catch_up_inbox(events).await?;
        self.catch_up_rooms(events).await?;
        let effects = self.state.read(|engine| engine.outbox())?;
        super::drive::until_quiet(
            self,
            Outcome {
                effects,
                events: Vec::new(),
            },
            events,
        )
        .await
    }

    /// Reads the inbox to its end, and says of every page that a person's screen has it.
    async fn catch_up_inbox(&self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        loop {
            let after = self.state.read(|engine| engine.inbox_cursor())?;
            let page = self.api.inbox(after, MAX_LOG_PAGE).await?;
            let Some(last) = page.items.last().map(|item| item.seq) else {
                return Ok(());
            };
            let outcome = self.state.apply(|engine, now| engine.receive_inbox(&page.items, now))?;
            for item in &page.items {
                if let Notice::Page { page, .. } = item.notice {
                    // The receipt is for the supervisor's eyes; a lost one must not keep the page from the screen.
                    let _ = self.api.page_seen(page).await;
                }
            }
            super::drive::until_quiet(self, outcome, events).await?;
            let moved = self.state.read(|engine| engine.inbox_cursor())? > after;
            if last >= page.head || !moved {
                return Ok(());
            }
        }
    }

    /// Reads the logs of the rooms that have moved on.
    async fn catch_up_rooms(&self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let heads = self.api.rooms().await?;
        let mut effects = Vec::new();
        for room in self.state.read(|engine| engine.rooms())? {
            let head = heads.iter().find(|view| view.room == room.room).map(|view| view.head);
            let behind = head.is_some_and(|head| head > room.cursor);
            if behind && matches!(room.state, RoomState::Joined | RoomState::Rejoining) {
                effects.push(Effect::FetchLog(RoomCursor {
                    room: room.room,
                    seq: room.cursor,
                }));
            }
        }
        super::drive::until_quiet(
            self,
            Outcome {
                effects,
                events: Vec::new(),
            },
            events,
        )
        .await
    }

    /// Fetches what organisations have stated and revoked: before anybody is added to a room.
    pub async fn refresh_trust(&self) -> Result<Vec<Event>, SessionError> {
        let outcome = self.carry_out(Task::Trust).await?;
        let (events, result) = self.drive(outcome).await;
        result.map(|()| events)
    }
}
