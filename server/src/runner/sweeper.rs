//! The safety net. Commits wake the loops directly, so whatever is found here is a defect: it is put right, counted and
//! logged.

use super::step::tick;
use crate::{Result, Shared};
use std::{sync::atomic::Ordering, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long something may be due before it counts as forgotten.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sweeps until `stop`.
pub(super) async fn run(app: Shared, stop: CancellationToken) {
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
    let now = app.clock.now();
    let timers = app.store.stuck_timers(now, PATIENCE).await?;
    let pages = app.store.stuck_pages(now, PATIENCE).await?;
    let idle = app.store.idle_callouts().await?;
    for callout in &idle {
        tick(app, *callout).await?;
    }
    let idle = idle.len();
    let found = timers.unsigned_abs() + pages.unsigned_abs() + idle as u64;
    if found > 0 {
        app.runner.swept.fetch_add(found, Ordering::Relaxed);
        tracing::warn!(timers, pages, idle, "defect: the sweeper found work that nothing had woken");
        app.bus.wake_dispatch();
    }
    Ok(found)
}
