//! Rooms' logs, Welcomes, and what inbox items say.
//!
//! An inbox item that nobody fetched leaves an empty one in its place: a client takes nothing that stands behind a gap.
//! Commits that a room's public state is still rebuilt from are kept whatever their age, and a log never loses its newest
//! entry, so that sequence numbers go on from where they were.

use super::BATCH;
use crate::store::sql;
use crate::{App, Result};
use firstlight_protocol::{RoomKind, Timestamp, api::Notice, wire::to_cbor};
use std::time::Duration;

/// Welcomes and inbox items that nobody fetched are kept this long: the life of a key package.
const UNDELIVERED: Duration = Duration::from_secs(84 * 86_400);

/// Deletes what is too old; answers with the number of rows.
pub(super) async fn purge(app: &App, now: Timestamp) -> Result<u64> {
    let keep = &app.config.retention;
    let mut rows = 0;
    for kind in RoomKind::ALL {
        rows += purge_kind(app, *kind, now - keep.keep(*kind)).await?;
    }
    Ok(rows + purge_undelivered(app, (now - UNDELIVERED.min(keep.callout_record())).0).await?)
}

async fn purge_undelivered(app: &App, before: i64) -> Result<u64> {
    let expired = to_cbor(&Notice::Expired {});
    let mut total = 0;
    loop {
        let expired = expired.clone();
        let rows = app.store.write(move |tx| {
            Box::pin(async move {
                let welcomes = sql::query(
                    "DELETE FROM welcomes WHERE (room, epoch) IN (
                         SELECT room, epoch FROM welcomes WHERE at < $1 AND room NOT IN (SELECT room FROM held_rooms)
                         LIMIT $2)",
                )
                .bind(before)
                .bind(BATCH)
                .execute(&mut *tx.conn)
                .await?;
                let items = sql::query(
                    "UPDATE inbox_items SET notice = $3 WHERE (device, seq) IN (
                         SELECT device, seq FROM inbox_items WHERE at < $1 AND notice <> $3
                             AND NOT EXISTS (SELECT 1 FROM holds) LIMIT $2)",
                )
                .bind(before)
                .bind(BATCH)
                .bind(expired)
                .execute(&mut *tx.conn)
                .await?;
                Ok(welcomes.rows_affected() + items.rows_affected())
            })
        });
        match rows.await? {
            0 => return Ok(total),
            rows => total += rows,
        }
    }
}

async fn purge_kind(app: &App, kind: RoomKind, before: Timestamp) -> Result<u64> {
    let rooms = sql::query("SELECT n, snapshot_seq FROM rooms WHERE kind = $1 AND first_seq < snapshot_seq")
        .bind(kind.as_str())
        .fetch_all(app.store.read())
        .await?;
    let mut total = 0;
    for row in rooms {
        total += purge_room(app, row.get("n"), row.get("snapshot_seq"), before).await?;
    }
    Ok(total)
}

/// A log is old at its beginning, so looking at that is enough. The writer only deletes: searching is a reader's work.
async fn purge_room(app: &App, room: i64, snapshot_seq: i64, before: Timestamp) -> Result<u64> {
    let mut total = 0;
    loop {
        let oldest = sql::query("SELECT seq, at FROM entries WHERE room = $1 AND seq < $2 ORDER BY seq LIMIT $3")
            .bind(room)
            .bind(snapshot_seq)
            .bind(BATCH)
            .fetch_all(app.store.read())
            .await?;
        let old = oldest.iter().take_while(|row| row.get::<i64>("at") < before.0).last();
        let Some(last) = old.map(|row| row.get::<i64>("seq")) else { return Ok(total) };
        let deleted = app.store.write(move |tx| {
            Box::pin(async move {
                // Asked in the transaction that deletes: a hold may have come meanwhile.
                let deleted = sql::query(
                    "DELETE FROM entries WHERE room = $1 AND seq <= $2 AND NOT EXISTS (
                         SELECT 1 FROM rooms JOIN held_rooms ON held_rooms.room = rooms.room WHERE rooms.n = $1)",
                )
                .bind(room)
                .bind(last)
                .execute(&mut *tx.conn)
                .await?
                .rows_affected();
                if deleted > 0 {
                    sql::query("UPDATE rooms SET first_seq = MAX(first_seq, $2) WHERE n = $1")
                        .bind(room)
                        .bind(last + 1)
                        .execute(&mut *tx.conn)
                        .await?;
                }
                Ok(deleted)
            })
        });
        match deleted.await? {
            0 => return Ok(total),
            rows => total += rows,
        }
    }
}
