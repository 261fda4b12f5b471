//! The safety net, and the auditor of escalations. Commits wake the loops directly, so whatever is found here is a
//! defect: it is mended at once, counted, logged, and the supervisors are told of every callout that stood still. What
//! is due is found within 10 s: a look every 5 s at the most, and 3 s, and 2 s more after a jump of the clock, in which
//! the loops may do it themselves.
//!
//! It can't be turned off: the configuration bounds how often it looks. That it runs is itself looked after: a sweeper
//! that has not come to its end for 15 s is begun anew, the server counts as failing, and the heartbeat stops.

use super::{record, step::tick};
use crate::store::sql;
use crate::{
    Result, Shared,
    store::{Store, Tx, id},
};
use firstlight_protocol::{
    CalloutId, OrgId, Role, Timestamp,
    api::Notice,
    callout::{Alarm, Purpose},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::Ordering,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long something may be due before it counts as forgotten.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the loops get to begin with what fell due, in real time, and how often; two seconds in all.
const GRACE: Duration = Duration::from_millis(500);
const GRACES: u32 = 4;
/// How many open callouts one sweep looks into; the next one goes on behind them.
const LOOKED_INTO: i64 = 200;
/// Supervisors hear of a callout that keeps standing still this often.
const TOLD_AGAIN: Duration = Duration::from_secs(5 * 60);
/// A sweeper that has not come to its end for so long does not run.
pub(super) const SILENT: Duration = Duration::from_secs(15);

/// What one sweep passes on to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Where looking into open callouts goes on.
    behind: Vec<u8>,
    /// When supervisors were told of which callout.
    told: HashMap<CalloutId, Timestamp>,
    /// Sweeps in a row that found timers, and pages, that their loop had left.
    stuck: (u32, u32),
}

/// Sweeps until `stop`.
pub(super) async fn run(app: Shared, stop: CancellationToken) {
    let begun = app.clock.now();
    let first = app.runner.swept_at.compare_exchange(0, begun.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    let mut memory = Memory::default();
    // Begun anew it looks at once: what the one before it was at may not wait.
    let mut next = if first { begun + app.runner.sweep_every } else { begun };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.clock.sleep_until(next) => {}
        }
        // From when this one begins: a long sweep makes no long gap.
        next = app.clock.now() + app.runner.sweep_every;
        match sweep(&app, &mut memory).await {
            Ok(_) => app.runner.swept_at.store(app.clock.now().0, Ordering::Relaxed),
            Err(error) => tracing::error!(%error, "the sweep failed"),
        }
    }
}

/// Looks after the sweeper: one that hangs is begun anew.
pub(super) async fn look_after(app: Shared, stop: CancellationToken) {
    let mut begun = app.clock.now();
    loop {
        let at = begun.max(Timestamp(app.runner.swept_at.load(Ordering::Relaxed))) + SILENT;
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.clock.sleep_until(at + Duration::from_millis(1)) => {}
        }
        // A machine that was suspended wakes both in the same moment, and a sweep that finds something takes its time.
        tokio::time::sleep(GRACE * GRACES * 3).await;
        if !app.runner.sweeps(app.clock.now()) {
            tracing::error!("defect: the safety net did not run for {SILENT:?}; it is begun anew");
            app.runner.sweeper_again.notify_one();
            begun = app.clock.now();
        }
    }
}

/// What is found.
#[derive(Debug, Default)]
struct Found {
    /// Callouts whose timer is due and was not claimed.
    overdue: BTreeSet<CalloutId>,
    /// Callouts that should do something by themselves, and have no timer for it or one that is too late.
    adrift: BTreeSet<CalloutId>,
    /// Pages that are due although their destination had a free place.
    pages: u64,
}

impl Found {
    fn count(&self) -> u64 {
        (self.overdue.len() + self.adrift.len()) as u64 + self.pages
    }
}

/// Looks for what the loops should have done, and does it. Answers how much there was.
pub(super) async fn sweep(app: &Shared, memory: &mut Memory) -> Result<u64> {
    let mut found = look(app, memory).await?;
    for _ in 0..GRACES {
        if found.count() == 0 {
            break;
        }
        // A machine that was suspended, or a clock that was set, wakes the loops and the sweeper in the same moment.
        tokio::time::sleep(GRACE).await;
        let again = look(app, memory).await?;
        found = Found {
            overdue: &found.overdue & &again.overdue,
            adrift: &found.adrift & &again.adrift,
            pages: found.pages.min(again.pages),
        };
    }
    memory.behind = behind(app, &memory.behind).await?;
    let count = found.count();
    if count > 0 {
        app.runner.swept.fetch_add(count, Ordering::Relaxed);
        let (timers, adrift, pages) = (found.overdue.len(), found.adrift.len(), found.pages);
        tracing::warn!(timers, adrift, pages, "defect: the sweeper found work that nothing had woken");
        app.bus.wake_dispatch();
    }
    // A loop that leaves its work twice in a row although it was woken hangs.
    let again = |count: &mut u32, stuck: bool| {
        *count = if stuck { *count + 1 } else { 0 };
        *count >= 2
    };
    if again(&mut memory.stuck.0, !found.overdue.is_empty()) {
        app.runner.timers_again.notify_one();
    }
    if again(&mut memory.stuck.1, found.pages > 0) {
        app.runner.sender_again.notify_one();
    }
    let stalled: Vec<CalloutId> = found.overdue.union(&found.adrift).copied().collect();
    for callout in &stalled {
        // Here and now, whatever the loop does meanwhile: a timer that comes twice does nothing twice. One that can't be
        // stepped must not hide those behind it.
        if let Err(error) = tick(app, *callout).await {
            tracing::error!(%callout, %error, "a callout that stood still could not be stepped; it is tried again");
        }
    }
    let mut told: BTreeSet<CalloutId> = stalled.into_iter().collect();
    if found.pages > 0 {
        told.extend(app.store.callouts_of_stuck_pages(app.clock.now(), PATIENCE).await?);
    }
    tell(app, memory, told).await?;
    Ok(count)
}

async fn look(app: &Shared, memory: &Memory) -> Result<Found> {
    let now = app.clock.now();
    let overdue = app.store.stuck_timers(now, PATIENCE).await?;
    let mut adrift: BTreeSet<CalloutId> = app.store.idle_callouts().await?.into_iter().collect();
    adrift.extend(app.store.drifting_callouts(now - PATIENCE, &memory.behind, LOOKED_INTO).await?);
    let pages = app.store.stuck_pages(now, PATIENCE, super::sender::places(app)).await?;
    let overdue: BTreeSet<CalloutId> = overdue.into_iter().collect();
    Ok(Found { adrift: &adrift - &overdue, overdue, pages: pages.unsigned_abs() })
}

/// The last callout that this sweep has looked into; empty when it was through.
async fn behind(app: &Shared, after: &[u8]) -> Result<Vec<u8>> {
    let last: Option<Vec<u8>> = sql::query_scalar(
        "SELECT callout FROM callouts WHERE closed = 0 AND callout > $1 ORDER BY callout LIMIT 1 OFFSET $2",
    )
    .bind(after)
    .bind(LOOKED_INTO - 1)
    .fetch_optional(app.store.read_for_dispatch())
    .await?;
    Ok(last.unwrap_or_default())
}

/// Tells the supervisors of callouts that stood still, and the audit trail.
async fn tell(app: &Shared, memory: &mut Memory, callouts: BTreeSet<CalloutId>) -> Result<()> {
    let now = app.clock.now();
    memory.told.retain(|_, at| now.since(*at) < TOLD_AGAIN);
    let new: Vec<CalloutId> = callouts.into_iter().filter(|callout| !memory.told.contains_key(callout)).collect();
    if new.is_empty() {
        return Ok(());
    }
    memory.told.extend(new.iter().map(|callout| (*callout, now)));
    app.store.write(move |tx| Box::pin(async move { tx.tell_stalled(&new, now).await })).await
}

impl Tx<'_> {
    async fn tell_stalled(&mut self, callouts: &[CalloutId], now: Timestamp) -> Result<()> {
        let host: Option<Vec<u8>> =
            sql::query_scalar("SELECT host FROM trust WHERE one = 1").fetch_optional(&mut *self.conn).await?;
        let Some(host): Option<OrgId> = host.map(id).transpose()? else { return Ok(()) };
        let supervisors = self.devices_of_role(host, Role::Supervisor).await?;
        for callout in callouts {
            let known = record::load(self.conn, *callout).await?;
            // The canary's own silence is told elsewhere.
            if known.is_none_or(|callout| callout.purpose() == Purpose::Canary) {
                continue;
            }
            self.audit(now, None, "callout.stalled", callout, "").await?;
            let notice = Notice::Alarm { callout: *callout, alarm: Alarm::Stalled };
            self.push_all(&supervisors, now, &notice).await?;
            self.wake_supervisors(Some(*callout), now).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Open callouts behind `after` that wanted to do something before `before`, whatever their timer says: their own
    /// state is asked.
    async fn drifting_callouts(&self, before: Timestamp, after: &[u8], limit: i64) -> Result<Vec<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT body FROM callouts c WHERE closed = 0 AND callout > $1
                AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.callout = c.callout AND t.lease_until > $3)
             ORDER BY callout LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .bind(before.0)
        .fetch_all(self.read_for_dispatch())
        .await?;
        let mut drifting = Vec::new();
        for body in rows {
            // One that can't be read can't be stepped either; reading it is logged where somebody needs it.
            let Ok(callout) = record::decode(&body) else { continue };
            let next = callout.next_wake();
            if next.is_some_and(|at| at <= before) || (callout.is_paging() && next.is_none()) {
                drifting.push(callout.id());
            }
        }
        Ok(drifting)
    }

    async fn callouts_of_stuck_pages(&self, now: Timestamp, patience: Duration) -> Result<Vec<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT DISTINCT callout FROM outbox
             WHERE next_at IS NOT NULL AND coalesce(lease_until, next_at) <= $1 AND callout IS NOT NULL LIMIT 100",
        )
        .bind((now - patience).0)
        .fetch_all(self.read_for_dispatch())
        .await?;
        rows.into_iter().map(id).collect()
    }
}
