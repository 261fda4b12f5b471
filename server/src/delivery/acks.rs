//! Cumulative acknowledgements. They only shorten a resume (the device's own cursor is the truth), so they are collected
//! in memory and written together once a second, and a crash loses at most that second of them.

use crate::{App, Result, Shared, bus::lock, caller::Caller, extract::Json};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{DeviceId, ErrorCode, RoomId, api::Acks, limits::MAX_ROOMS_PER_DEVICE};
use std::{collections::HashMap, sync::Mutex};

/// How long acknowledgements are collected, in milliseconds.
const COLLECT_MS: u64 = 1_000;

/// Acknowledgements that wait to be written.
#[derive(Debug, Default)]
pub struct PendingAcks {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    rooms: HashMap<(DeviceId, RoomId), u64>,
    inboxes: HashMap<DeviceId, u64>,
}

impl PendingAcks {
    /// Takes note; an acknowledgement never goes back.
    pub fn add(&self, device: DeviceId, acks: &Acks) {
        let mut waiting = lock(&self.waiting);
        for cursor in &acks.rooms {
            let seq = waiting.rooms.entry((device, cursor.room)).or_default();
            *seq = (*seq).max(cursor.seq);
        }
        if let Some(inbox) = acks.inbox {
            let seq = waiting.inboxes.entry(device).or_default();
            *seq = (*seq).max(inbox);
        }
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
    let Waiting { rooms, inboxes } = std::mem::take(&mut *lock(&app.acks.waiting));
    if rooms.is_empty() && inboxes.is_empty() {
        return Ok(());
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for ((device, room), seq) in rooms {
                    sqlx::query(
                        "INSERT INTO cursors (device, room, seq) VALUES ($1, $2, $3)
                         ON CONFLICT (device, room) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq",
                    )
                    .bind(device.as_bytes())
                    .bind(room.as_bytes())
                    .bind(seq.cast_signed())
                    .execute(&mut *tx.conn)
                    .await?;
                }
                for (device, seq) in inboxes {
                    // Nobody can acknowledge what was never there.
                    sqlx::query("UPDATE inboxes SET acked = MAX(acked, MIN($2, head)) WHERE device = $1")
                        .bind(device.as_bytes())
                        .bind(seq.cast_signed())
                        .execute(&mut *tx.conn)
                        .await?;
                    sqlx::query("DELETE FROM inbox_items WHERE device = $1 AND seq <= $2")
                        .bind(device.as_bytes())
                        .bind(seq.cast_signed())
                        .execute(&mut *tx.conn)
                        .await?;
                }
                Ok(())
            })
        })
        .await
}
