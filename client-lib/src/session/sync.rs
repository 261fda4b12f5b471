//! Catching up once, over HTTP: what a short command does before it answers.

use super::{
    Session, SessionError,
    drive::{CaughtUp, Task, until_quiet},
};
use crate::{
    engine::{Effect, RoomState},
    storage::Outcome,
};
use firstlight_protocol::{
    api::{Notice, RoomCursor},
    limits::MAX_LOG_PAGE,
};

impl Session {
    /// Receives everything that waits for this device and sends everything that it has to send. The events of what was
    /// done come even if nothing more could be done then.
    pub async fn sync(&self) -> (CaughtUp, Result<(), SessionError>) {
        let mut caught = CaughtUp::default();
        let result = self.catch_up(&mut caught).await;
        let tidied = self.tidy(&mut caught.events).await;
        (caught, result.and(tidied))
    }

    async fn catch_up(&self, caught: &mut CaughtUp) -> Result<(), SessionError> {
        for task in [Task::Trust, Task::KeyPackages, Task::Rooms] {
            let outcome = self.carry_out(task).await?;
            until_quiet(self, outcome, caught).await?;
        }
        self.catch_up_inbox(caught).await?;
        self.catch_up_rooms(caught).await?;
        let effects = self.state.read(|engine| engine.outbox()).await?;
        until_quiet(self, Outcome { effects, events: Vec::new() }, caught).await
    }

    /// Reads the inbox to its end, and says of every page that a person's screen has it.
    async fn catch_up_inbox(&self, caught: &mut CaughtUp) -> Result<(), SessionError> {
        loop {
            let after = self.state.read(|engine| engine.inbox_cursor()).await?;
            let page = self.api.inbox(after, MAX_LOG_PAGE).await?;
            let Some(last) = page.items.last().map(|item| item.seq) else {
                return Ok(());
            };
            let outcome = self.state.apply(|engine, now| engine.receive_inbox(&page.items, now)).await?;
            for item in &page.items {
                if let Notice::Page { page, .. } | Notice::AgencyNotice { page: Some(page), .. } = item.notice {
                    // The receipt is for the supervisor's eyes; a lost one must not keep the page from the screen.
                    let _ = self.api.page_seen(page).await;
                }
            }
            until_quiet(self, outcome, caught).await?;
            let moved = self.state.read(|engine| engine.inbox_cursor()).await? > after;
            if last >= page.head || !moved {
                return Ok(());
            }
        }
    }

    /// Reads the logs of the rooms that have moved on.
    async fn catch_up_rooms(&self, caught: &mut CaughtUp) -> Result<(), SessionError> {
        let heads = self.api.rooms().await?;
        let mut effects = Vec::new();
        for room in self.state.read(|engine| engine.rooms()).await? {
            let head = heads.iter().find(|view| view.room == room.room).map(|view| view.head);
            let behind = head.is_some_and(|head| head > room.cursor);
            if behind && matches!(room.state, RoomState::Joined | RoomState::Rejoining) {
                effects.push(Effect::FetchLog(RoomCursor { room: room.room, seq: room.cursor }));
            }
        }
        until_quiet(self, Outcome { effects, events: Vec::new() }, caught).await
    }

    /// Fetches what organisations have stated and revoked: before anybody is added to a room.
    pub async fn refresh_trust(&self) -> Result<(), SessionError> {
        let outcome = self.carry_out(Task::Trust).await?;
        self.drive(outcome).await.map(drop)
    }
}
