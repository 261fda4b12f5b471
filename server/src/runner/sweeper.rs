//! The safety net. Commits wake the loops directly, so whatever is found here is a defect: it is put right, counted and
//! logged.

use super::step::tick;
use crate::{Result, Shared};
use std::{sync::atomic::Ordering, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long something may be due before it counts as forgotten.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the loops get to begin with what fell due, in real time.
const GRACE: Duration = Duration::from_millis(500);

/// Sweeps until `stop`.
pub(super) async fn run(app: Shared, stop: CancellationToken) {
    app.runner.swept_at.store(app.clock.now().0, Ordering::Relaxed);
    loop {
        let next = app.clock.now() + app.runner.sweep_every;
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.clock.sleep_until(next) => {}
        }
        if let Err(error) = sweep(&app).await {
            tracing::error!(%error, "the sweep failed");
        }
    }
}

/// Looks for what the loops should have done, and has it done. Answers how much there was.
pub(super) async fn sweep(app: &Shared) -> Result<u64> {
    let (mut timers, mut pages) = forgotten(app).await?;
    if timers + pages > 0 {
        // A machine that was suspended, or a clock that was set, wakes the loops and the sweeper in the same moment.
        tokio::time::sleep(GRACE).await;
        (timers, pages) = forgotten(app).await?;
    }
    let idle = app.store.idle_callouts().await?;
    let found = timers.unsigned_abs() + pages.unsigned_abs() + idle.len() as u64;
    if found > 0 {
        app.runner.swept.fetch_add(found, Ordering::Relaxed);
        let idle = idle.len();
        tracing::warn!(timers, pages, idle, "defect: the sweeper found work that nothing had woken");
        app.bus.wake_dispatch();
    }
    for callout in idle {
        // One that can't be stepped must not hide those behind it.
        if let Err(error) = tick(app, callout).await {
            tracing::error!(%callout, %error, "a callout without a timer could not be stepped; it is tried again");
        }
    }
    Ok(found)
}

/// Timers and pages that are due for too long.
async fn forgotten(app: &Shared) -> Result<(i64, i64)> {
    let now = app.clock.now();
    Ok((app.store.stuck_timers(now, PATIENCE).await?, app.store.stuck_pages(now, PATIENCE).await?))
}
