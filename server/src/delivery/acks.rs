//! Cumulative acknowledgements. They only shorten a resume (the device's own cursor is the truth), so they are collected
//! in memory and written together once a second, and a crash loses at most that second of them.

use super::log::place;
use crate::store::sql;
use crate::{App, Result, Shared, bus::lock, caller::Caller, extract::Json, store::Tx};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{DeviceId, ErrorCode, RoomId, api::Acks, limits::MAX_ROOMS_PER_DEVICE};
use std::{collections::HashMap, sync::Mutex};

/// How long acknowledgements are collected, in milliseconds.
const COLLECT_MS: u64 = 1_000;

/// Rows in one transaction, so that a page never waits long behind them.
const BATCH: usize = 500;

/// Acknowledgements that wait to be written.
#[derive(Debug, Default)]
pub struct PendingAcks {
    waiting: Mutex<HashMap<DeviceId, Waiting>>,
}

/// Those of one device.
#[derive(Debug, Default)]
struct Waiting {
    rooms: HashMap<RoomId, u64>,
    inbox: Option<u64>,
}

impl PendingAcks {
    /// Takes note; an acknowledgement never goes back. Of more rooms than a device can be in, the last are left out.
    pub fn add(&self, device: DeviceId, acks: &Acks) {
        let mut waiting = lock(&self.waiting);
        let waiting = waiting.entry(device).or_default();
        for cursor in &acks.rooms {
            if waiting.rooms.len() < MAX_ROOMS_PER_DEVICE || waiting.rooms.contains_key(&cursor.room) {
                let seq = waiting.rooms.entry(cursor.room).or_default();
                *seq = (*seq).max(cursor.seq);
            }
        }
        waiting.inbox = waiting.inbox.max(acks.inbox);
    }
}

/// Acknowledges what the calling device has stored.
#[utoipa::path(post, path = "/v1/acks", tag = "rooms", request_body = Acks, responses((status = 204)))]
pub(super) async fn ack(State(app): State<Shared>, caller: Caller, Json(acks): Json<Acks>) -> Result<StatusCode> {
    if acks.rooms.len() > MAX_ROOMS_PER_DEVICE {
        return Err(ErrorCode::TooLarge.into());
    }
    app.acks.add(caller.device, &acks);
    Ok(StatusCode::NO_CONTENT)
}

/// Writes acknowledgements once a second, until the server stops.
pub async fn run(app: Shared) {
    let mut every = tokio::time::interval(std::time::Duration::from_millis(COLLECT_MS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        every.tick().await;
        if let Err(error) = flush(&app).await {
            tracing::warn!(%error, "acknowledgements were not written; clients resume a little earlier");
        }
    }
}

/// Writes what was collected.
pub async fn flush(app: &App) -> Result<()> {
    let waiting = std::mem::take(&mut *lock(&app.acks.waiting));
    let (mut rooms, mut inboxes) = (Vec::new(), Vec::new());
    for (device, Waiting { rooms: of_device, inbox }) in waiting {
        rooms.extend(of_device.into_iter().map(|(room, seq)| (device, room, place(seq))));
        inboxes.extend(inbox.map(|seq| (device, place(seq))));
    }
    for batch in rooms.chunks(BATCH) {
        let batch = batch.to_vec();
        app.store.write(move |tx| Box::pin(async move { tx.ack_rooms(&batch).await })).await?;
    }
    for batch in inboxes.chunks(BATCH) {
        let batch = batch.to_vec();
        app.store.write(move |tx| Box::pin(async move { tx.ack_inboxes(&batch).await })).await?;
    }
    Ok(())
}

impl Tx<'_> {
    async fn ack_rooms(&mut self, acks: &[(DeviceId, RoomId, i64)]) -> Result<()> {
        for (device, room, seq) in acks {
            // Nobody can acknowledge what was never there, nor where they never were.
            sql::query(
                "INSERT INTO cursors (device, room, seq)
                 SELECT $1, $2, MIN($3, (SELECT COALESCE(MAX(seq), 0) FROM entries
                                         WHERE room = (SELECT n FROM rooms WHERE room = $2)))
                 WHERE EXISTS (SELECT 1 FROM room_members WHERE device = $1 AND room = $2)
                 ON CONFLICT (device, room) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > cursors.seq",
            )
            .bind(device.as_bytes())
            .bind(room.as_bytes())
            .bind(seq)
            .execute(&mut *self.conn)
            .await?;
        }
        Ok(())
    }

    async fn ack_inboxes(&mut self, acks: &[(DeviceId, i64)]) -> Result<()> {
        for (device, seq) in acks {
            sql::query("UPDATE inboxes SET acked = MAX(acked, MIN($2, head)) WHERE device = $1")
                .bind(device.as_bytes())
                .bind(seq)
                .execute(&mut *self.conn)
                .await?;
            sql::query("DELETE FROM inbox_items WHERE device = $1 AND seq <= $2")
                .bind(device.as_bytes())
                .bind(seq)
                .execute(&mut *self.conn)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::api::RoomCursor;

    #[test]
    fn what_waits_for_one_device_is_bounded_and_never_goes_back() {
        let (pending, device) = (PendingAcks::default(), DeviceId([1; 16]));
        let cursor = |n: usize, seq| RoomCursor { room: RoomId((n as u128).to_be_bytes()), seq };
        for from in 0..3 {
            let rooms = (from * MAX_ROOMS_PER_DEVICE..).take(MAX_ROOMS_PER_DEVICE).map(|n| cursor(n, 5)).collect();
            pending.add(device, &Acks { rooms, inbox: Some(9 - from as u64) });
        }
        pending.add(device, &Acks { rooms: vec![cursor(0, 3), cursor(1, 8)], inbox: None });
        let waiting = lock(&pending.waiting);
        let waiting = &waiting[&device];
        assert_eq!((waiting.rooms.len(), waiting.inbox), (MAX_ROOMS_PER_DEVICE, Some(9)));
        assert_eq!((waiting.rooms[&cursor(0, 0).room], waiting.rooms[&cursor(1, 0).room]), (5, 8));
    }
}
