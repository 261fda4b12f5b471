//! Retention: what is kept, for how long, and what stops a purge (DOMAIN.md, "What the law turns into", 7).
//!
//! | Type | Kept | Afterwards |
//! |---|---|---|
//! | messages in a room's log | by kind of room (`retention.<kind>_days`) | deleted |
//! | Welcomes and inbox items that nobody fetched | 84 days, or as long as callouts | deleted; an item's place stays |
//! | a callout: its state, call-back number, pages, welfare, inbox items, its room with the members | `callout_record_days` after its end | deleted; its times and codes stay for figures, without any person |
//! | a drill, likewise | `drill_days` after its end | deleted, figures too |
//! | codes, tests and hand-offs that went out | 30 days | deleted |
//! | invites that are over, with the answers to them | `invite_days` | deleted |
//! | sign-ins that are over | a day | deleted |
//! | the audit trail | for ever: each entry vouches for the one before, so nothing can be taken out of it | ids and code words alone |
//!
//! A legal hold ([`Hold`]) on a callout or its room stops every purge of both; one on another room stops that of its log.
//! While any stands, inbox items that nobody fetched are kept as well, since what they are about stands in their bodies.

mod callouts;
mod holds;
mod logs;

pub use holds::{Hold, Subject};

use crate::store::sql;
use crate::{App, Result, Shared, identity::FORGET_SIGN_IN};
use firstlight_protocol::{Timestamp, callout::Purpose};
use std::time::Duration;

/// How often the purge runs.
const EVERY: Duration = Duration::from_secs(3_600);
/// Messages of no callout are kept this long: whoever asks why a code did not come asks soon.
const MESSAGES: Duration = Duration::from_secs(30 * 86_400);
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

/// Deletes everything that is too old; answers with the number of rows, where a callout counts as one.
///
/// # Errors
/// If the database can't be reached; what was deleted until then stays so.
pub async fn purge(app: &App) -> Result<u64> {
    let (now, keep) = (app.clock.now(), &app.config.retention);
    let mut rows = logs::purge(app, now).await?;
    rows += callouts::purge(app, Purpose::Real, now, keep.callout_record()).await?;
    rows += callouts::purge(app, Purpose::Drill, now, keep.drill()).await?;
    rows += in_batches(app, now - keep.drill(), &OLD_DRILLS).await?;
    rows += in_batches(app, now - MESSAGES, &OLD_MESSAGES).await?;
    rows += in_batches(app, now - keep.invite(), &OLD_INVITES).await?;
    Ok(rows + in_batches(app, now - FORGET_SIGN_IN, &OLD_SESSIONS).await?)
}

const OLD_MESSAGES: [&str; 2] = [
    "DELETE FROM legs WHERE page IN (
         SELECT page FROM outbox WHERE callout IS NULL AND next_at IS NULL AND ordered_at < $1 ORDER BY page LIMIT $2)",
    "DELETE FROM outbox WHERE page IN (
         SELECT page FROM outbox WHERE callout IS NULL AND next_at IS NULL AND ordered_at < $1 ORDER BY page LIMIT $2)",
];
/// Those that never became a callout.
const OLD_DRILLS: [&str; 1] = ["DELETE FROM drills WHERE callout IN (
    SELECT callout FROM drills WHERE state NOT IN ('scheduled', 'running') AND ends_at < $1
        AND callout NOT IN (SELECT callout FROM callouts) AND callout NOT IN (SELECT callout FROM held_callouts)
    ORDER BY callout LIMIT $2)"];
/// Who waits for a certificate waits on.
const OLD_INVITES: [&str; 2] = [
    "DELETE FROM enrolments WHERE invite IN (
         SELECT invite FROM invites WHERE expires_at < $1
             AND invite NOT IN (SELECT invite FROM enrolments WHERE status = 'pending') ORDER BY invite LIMIT $2)",
    "DELETE FROM invites WHERE invite IN (
         SELECT invite FROM invites WHERE expires_at < $1
             AND invite NOT IN (SELECT invite FROM enrolments WHERE status = 'pending') ORDER BY invite LIMIT $2)",
];
const OLD_SESSIONS: [&str; 1] = ["DELETE FROM sessions WHERE session IN (
    SELECT session FROM sessions WHERE ended_at < $1 OR refresh_expires_at < $1 ORDER BY session LIMIT $2)"];

/// Runs statements together, with the time as `$1` and the most rows as `$2`, until the last of them finds nothing more.
/// Those before it delete what refers to its rows.
async fn in_batches(app: &App, before: Timestamp, statements: &'static [&'static str]) -> Result<u64> {
    let mut total = 0;
    loop {
        let rows = app.store.write(move |tx| {
            Box::pin(async move {
                let mut deleted = 0;
                for statement in statements {
                    let done = sql::query(*statement).bind(before.0).bind(BATCH).execute(&mut *tx.conn).await?;
                    deleted = done.rows_affected();
                }
                Ok(deleted)
            })
        });
        match rows.await? {
            0 => return Ok(total),
            rows => total += rows,
        }
    }
}
