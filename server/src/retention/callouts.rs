//! Callouts that ended long ago, with all that names somebody: reduced to their figures.

use crate::store::{Tx, id, sql};
use crate::{App, Result};
use firstlight_protocol::{RoomId, Timestamp, api::Notice, callout::Purpose, wire::to_cbor};
use std::time::Duration;

/// Callouts of one transaction.
const BATCH: i64 = 10;

/// Those that ended before `$2`, in whose rooms nothing was said since `$3`, and that are not held. Who has no facts yet
/// waits for them.
const DUE: &str = "SELECT c.callout FROM callouts c JOIN callout_facts f ON f.callout = c.callout
    WHERE c.closed = 1 AND c.purpose = $1 AND c.opened_at < $2 AND coalesce(f.ended_at, c.opened_at) < $2
        AND c.callout NOT IN (SELECT callout FROM held_callouts)
        AND NOT EXISTS (SELECT 1 FROM rooms r JOIN entries e ON e.room = r.n WHERE r.callout = c.callout AND e.at >= $3)
    ORDER BY c.opened_at LIMIT $4";

/// What refers to a callout (`$1`), and the callout itself at the end.
const RECORD: [&str; 9] = [
    "DELETE FROM legs WHERE page IN (SELECT page FROM outbox WHERE callout = $1)",
    "DELETE FROM outbox WHERE callout = $1",
    "DELETE FROM timers WHERE callout = $1",
    "DELETE FROM callout_people WHERE callout = $1",
    "DELETE FROM agency_notices WHERE callout = $1",
    "DELETE FROM callout_welfare WHERE callout = $1",
    "DELETE FROM line_callouts WHERE callout = $1",
    "DELETE FROM drills WHERE callout = $1",
    "DELETE FROM callouts WHERE callout = $1",
];

/// What refers to a room (`$1`), and the room itself at the end.
const ROOM: [&str; 6] = [
    "DELETE FROM welcomes WHERE room = $1",
    "DELETE FROM cursors WHERE room = $1",
    "DELETE FROM room_classes_left WHERE room = $1",
    "DELETE FROM entries WHERE room = (SELECT n FROM rooms WHERE room = $1)",
    "DELETE FROM room_members WHERE room = $1",
    "DELETE FROM rooms WHERE room = $1",
];

/// Deletes callouts that ended longer than `keep` ago; answers with how many.
pub(super) async fn purge(app: &App, purpose: Purpose, now: Timestamp, keep: Duration) -> Result<u64> {
    let (before, quiet) = ((now - keep).0, (now - app.config.retention.keep(firstlight_protocol::RoomKind::Callout)).0);
    let mut total = 0;
    loop {
        let purged = app.store.write(move |tx| {
            Box::pin(async move {
                // Chosen in the transaction that deletes: a hold may have come meanwhile.
                let due: Vec<Vec<u8>> = sql::query_scalar(DUE)
                    .bind(purpose.as_str())
                    .bind(before)
                    .bind(quiet)
                    .bind(BATCH)
                    .fetch_all(&mut *tx.conn)
                    .await?;
                for callout in &due {
                    tx.reduce(callout, purpose, now).await?;
                }
                Ok(due.len() as u64)
            })
        });
        match purged.await? {
            0 => return Ok(total),
            callouts => total += callouts,
        }
    }
}

impl Tx<'_> {
    async fn reduce(&mut self, callout: &[u8], purpose: Purpose, now: Timestamp) -> Result<()> {
        let room: Option<Vec<u8>> = sql::query_scalar("SELECT room FROM rooms WHERE callout = $1")
            .bind(callout)
            .fetch_optional(&mut *self.conn)
            .await?;
        if let Some(room) = room {
            self.close_room(id(room)?, now).await?;
        }
        sql::query("UPDATE inbox_items SET notice = $2, shows = NULL WHERE shows = $1")
            .bind(callout)
            .bind(to_cbor(&Notice::Expired {}))
            .execute(&mut *self.conn)
            .await?;
        for statement in RECORD {
            sql::query(statement).bind(callout).execute(&mut *self.conn).await?;
        }
        if purpose != Purpose::Real {
            sql::query("DELETE FROM callout_facts WHERE callout = $1").bind(callout).execute(&mut *self.conn).await?;
        }
        Ok(())
    }

    /// Deletes a room. Its members are told that they have left it, so that their clients don't ask for it any more.
    async fn close_room(&mut self, room: RoomId, now: Timestamp) -> Result<()> {
        let members: Vec<_> = self.room_members(room).await?.into_iter().map(|(device, _)| device).collect();
        // Whoever reads it at this moment reads no further.
        self.suspend_members(room, &members).await?;
        for device in members {
            self.push_inbox(device, now, &Notice::RoomLeft { room, seq: 0 }).await?;
        }
        for statement in ROOM {
            sql::query(statement).bind(room.as_bytes()).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}
