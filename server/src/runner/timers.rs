//! Timers: one durable row for each callout that will do something by itself.
//!
//! A row falls due once, is claimed with a lease and replaced by the step that it causes. A claim whose step never came
//! (the process died) runs out, and anybody may claim it again.

use super::step::tick;
use crate::store::sql;
use crate::{
    Result, Shared,
    store::{Store, Tx, id},
};
use firstlight_protocol::{CalloutId, Timestamp};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// A dead process's timers are taken over after this (DESIGN.md, "Dispatch": within 5 s).
const LEASE: Duration = Duration::from_secs(4);
/// How many timers one claim takes.
const CLAIM: i64 = 256;
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

impl Tx<'_> {
    /// Replaces the callout's timer.
    pub(super) async fn set_timer(&mut self, callout: CalloutId, due: Option<Timestamp>) -> Result<()> {
        match due {
            Some(at) => {
                sql::query(
                    "INSERT INTO timers (callout, due_at) VALUES ($1, $2)
                     ON CONFLICT (callout) DO UPDATE SET due_at = excluded.due_at, lease_until = NULL",
                )
                .bind(callout.as_bytes())
                .bind(at.0)
                .execute(&mut *self.conn)
                .await?
            }
            None => {
                sql::query("DELETE FROM timers WHERE callout = $1")
                    .bind(callout.as_bytes())
                    .execute(&mut *self.conn)
                    .await?
            }
        };
        Ok(())
    }
}

impl Tx<'_> {
    /// Gives up every claim.
    pub(super) async fn release_timers(&mut self, now: Timestamp) -> Result<()> {
        sql::query("UPDATE timers SET lease_until = NULL WHERE lease_until > $1")
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }
}

impl Store {
    async fn claim_timers(&self, now: Timestamp) -> Result<Vec<CalloutId>> {
        if self.next_timer(None).await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let due: Vec<Vec<u8>> = sql::query_scalar(
                    "UPDATE timers SET lease_until = $2 WHERE callout IN (
                         SELECT callout FROM timers WHERE due_at <= $1 AND coalesce(lease_until, 0) <= $1
                         ORDER BY due_at LIMIT $3
                     ) RETURNING callout",
                )
                .bind(now.0)
                .bind((now + LEASE).0)
                .bind(CLAIM)
                .fetch_all(&mut *tx.conn)
                .await?;
                due.into_iter().map(id).collect()
            })
        })
        .await
    }

    /// The earliest moment at which a timer falls due or its lease runs out; only those after `after`, if that is given.
    async fn next_timer(&self, after: Option<Timestamp>) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sql::query_scalar(
            "SELECT min(max(due_at, coalesce(lease_until, due_at))) FROM timers
             WHERE $1 IS NULL OR max(due_at, coalesce(lease_until, due_at)) > $1",
        )
        .bind(after.map(|at| at.0))
        .fetch_one(self.read_for_dispatch())
        .await?;
        Ok(next.map(Timestamp))
    }

    /// Timers that have been due for longer than `patience` without anybody having claimed them.
    pub(super) async fn stuck_timers(&self, now: Timestamp, patience: Duration) -> Result<Vec<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM timers WHERE due_at <= $1 AND coalesce(lease_until, 0) <= $1 ORDER BY due_at LIMIT $2",
        )
        .bind((now - patience).0)
        .bind(CLAIM)
        .fetch_all(self.read_for_dispatch())
        .await?;
        rows.into_iter().map(id).collect()
    }
}

/// Runs timers until `stop`.
pub(super) async fn run(app: Shared, stop: CancellationToken) {
    let mut steps = JoinSet::new();
    while !stop.is_cancelled() {
        let wake_at = match due(&app, &mut steps).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "timers could not be read");
                Some(app.clock.now() + PAUSE)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bus.timer_written() => {}
            () = super::sleep_until(&app.clock, wake_at) => {}
        }
    }
    while steps.join_next().await.is_some() {}
}

/// Claims and steps everything that is due, and answers when to look again.
async fn due(app: &Shared, steps: &mut JoinSet<()>) -> Result<Option<Timestamp>> {
    loop {
        let now = app.clock.now();
        let claimed = app.store.claim_timers(now).await?;
        if claimed.is_empty() {
            return app.store.next_timer(Some(now)).await;
        }
        for callout in claimed {
            let app = Shared::clone(app);
            let step = async move {
                if let Err(error) = tick(&app, callout).await {
                    tracing::error!(%callout, %error, "a timer could not be run; it is tried again");
                }
            };
            steps.spawn(step.instrument(tracing::debug_span!("timer", %callout)));
        }
        while steps.join_next().await.is_some() {}
    }
}
