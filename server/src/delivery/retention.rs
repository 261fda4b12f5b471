//! Retention: message bodies, Welcomes and inbox items are deleted when they are older than the policy keeps them.
//!
//! Commits that a room's public state is still rebuilt from are kept whatever their age, and a log never loses its newest
//! entry, so that sequence numbers go on from where they were.

use crate::{App, Result, Shared};
use firstlight_protocol::{RoomKind, Timestamp};
use std::time::Duration;

/// How often the purge runs.
const EVERY: Duration = Duration::from_secs(3_600);
/// Welcomes and inbox items that nobody fetched are kept this long: the life of a key package.
const UNDELIVERED: Duration = Duration::from_secs(84 * 86_400);
/// Rows deleted in one transaction, so that a large purge never holds up a page.
const BATCH: i64 = 500;

/// Purges every hour, until the server stops.
pub async fn run(app: Shared) {
    loop {
        match purge(&app).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "retention: deleted what the policy no longer keeps"),
            Err(error) => tracing::warn!(%error, "retention: purge failed, it will be tried again"),
        }
        app.clock.sleep_until(app.clock.now() + EVERY).await;
    }
}

/// Deletes everything that is too old; answers with the number of rows.
pub async fn purge(app: &App) -> Result<u64> {
    let now = app.clock.now();
    let mut rows = 0;
    for kind in RoomKind::ALL {
        rows += purge_kind(app, *kind, now - app.config.retention.keep(*kind)).await?;
    }
    let old = (now - UNDELIVERED).0;
    rows += app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let welcomes = sqlx::query("DELETE FROM welcomes WHERE at < $1").bind(old).execute(&mut *tx.conn).await?;
                let items = sqlx::query("DELETE FROM inbox_items WHERE at < $1").bind(old).execute(&mut *tx.conn).await?;
                Ok(welcomes.rows_affected() + items.rows_affected())
            })
        })
        .await?;
    Ok(rows)
}

async fn purge_kind(app: &App, kind: RoomKind, before: Timestamp) -> Result<u64> {
    let mut total = 0;
    loop {
        let rows = app.store.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "DELETE FROM entries WHERE (room, seq) IN (
                         SELECT e.room, e.seq FROM entries e JOIN rooms r ON r.n = e.room
                         WHERE r.kind = $1 AND e.at < $2 AND e.seq < r.snapshot_seq
                           AND e.seq < (SELECT MAX(seq) FROM entries WHERE entries.room = r.n)
                         LIMIT $3)",
                )
                .bind(kind.as_str())
                .bind(before.0)
                .bind(BATCH)
                .execute(&mut *tx.conn)
                .await?
                .rows_affected();
                if rows > 0 {
                    sqlx::query(
                        "UPDATE rooms SET first_seq = (SELECT MIN(seq) FROM entries WHERE entries.room = rooms.n)
                         WHERE kind = $1 AND EXISTS (SELECT 1 FROM entries WHERE entries.room = rooms.n)",
                    )
                    .bind(kind.as_str())
                    .execute(&mut *tx.conn)
                    .await?;
                }
                Ok(rows)
            })
        });
        let rows = rows.await?;
        total += rows;
        if rows == 0 {
            return Ok(total);
        }
    }
}
