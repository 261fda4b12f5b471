//! The shell around the dispatch engine: durable timers, the outbox, and the sweeper behind them.
//!
//! The engine decides, purely; the runner commits what it decided in one transaction with everything that has to happen
//! because of it, and then acts. Nothing is kept only in memory: after a restart the loops go on from the rows.
//!
//! | file | what |
//! |---|---|
//! | `step` | one step of the engine, with all that follows from it, in one transaction |
//! | `world`, `record` | what the engine is given; where a callout is kept |
//! | `effects`, `views`, `room` | what follows: pages and alarms, new views for whoever sees a change, the callout's room |
//! | `agencies` | the same for other agencies' notices |
//! | `by_phone` | the same for who has no app: an agency's line, a responder's telephone |
//! | `alarms`, `attention` | what wakes supervisors; what they hear of that belongs to no callout |
//! | `timers`, `sender`, `outbox` | what happens by itself, and the pages on their way out |
//! | `legs`, `receipts`, `elsewhere`, `pages` | each try of a page, what providers report of it, who is told, the record |
//! | `sweeper` | the safety net, and who looks after it |
//! | `canary`, `drill` | callouts that nobody at a screen opens |

mod agencies;
mod alarms;
mod attention;
mod by_phone;
mod canary;
mod drill;
mod effects;
mod elsewhere;
mod legs;
mod outbox;
mod pages;
mod receipts;
mod record;
mod room;
mod sender;
mod step;
mod sweeper;
mod timers;
mod views;
mod world;

pub(crate) use by_phone::line_view;
pub(crate) use canary::canary_flight;
pub(crate) use legs::LegKey;
pub(crate) use outbox::{Destination, Ordered};
pub(crate) use pages::page_records;
pub(crate) use receipts::Report;
pub(crate) use record::{
    Whose, decode as decode_callout, list as list_callouts, load as load_callout, of_agencies as agency_callouts,
};
pub(crate) use step::Cause;
pub(crate) use world::{World, can_respond, host};

use crate::{Result, Shared, bus::Bus, clock::Clock, config::Config, limit::RateLimit, paging::Channels};
use firstlight_protocol::Timestamp;
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a loop that panicked rests before it begins anew.
const AGAIN: Duration = Duration::from_secs(1);

/// What the runner's parts share.
#[derive(Debug)]
pub struct Runner {
    channels: Channels,
    sweep_every: Duration,
    swept: AtomicU64,
    /// When the sweeper last did its work, in milliseconds; 0 before it has begun.
    swept_at: AtomicI64,
    /// Each begins a loop anew that the sweeper, or whoever looks after it, found to stand still.
    timers_again: Notify,
    sender_again: Notify,
    sweeper_again: Notify,
    /// Callouts opened, by device: far above what anybody does, and below what would drown everybody else's.
    pub(crate) opening: RateLimit,
    /// Actions and receipts, by device.
    pub(crate) acting: RateLimit,
    /// Tables of figures and reports, by device: each reads a year of callouts.
    pub(crate) figures: RateLimit,
}

impl Runner {
    /// Sets the channels up.
    ///
    /// # Errors
    /// A sentence for the operator where something that a channel needs can't be read.
    pub fn new(config: &Config, bus: &Bus) -> Result<Self> {
        Ok(Self {
            channels: Channels::new(config)?,
            sweep_every: config.sweeper_interval_ms.into(),
            swept: AtomicU64::new(0),
            swept_at: AtomicI64::new(0),
            timers_again: Notify::new(),
            sender_again: Notify::new(),
            sweeper_again: Notify::new(),
            opening: bus.limit("runner.opening", 60, Duration::from_secs(1)),
            acting: bus.limit("runner.acting", 240, Duration::from_millis(100)),
            figures: bus.limit("runner.figures", 20, Duration::from_secs(1)),
        })
    }

    /// The ways a page leaves the server.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Whether the sweeper has come to its end lately.
    pub fn sweeps(&self, now: Timestamp) -> bool {
        let at = self.swept_at.load(Ordering::Relaxed);
        at == 0 || now.since(Timestamp(at)) <= sweeper::SILENT
    }

    /// How much the sweeper has found and put right since the start: each one is a defect.
    pub fn swept(&self) -> u64 {
        self.swept.load(Ordering::Relaxed)
    }
}

/// Runs dispatch until `stop`: takes up what an earlier process left, then timers, pages and sweeper. Returns when what
/// was being sent at the end has been written down.
pub async fn run(app: Shared, stop: CancellationToken) {
    // Without it, what was claimed would only be late: the claims run out. Where others live beside us, theirs stay.
    if !app.store.is_shared()
        && let Err(error) = resume(&app).await
    {
        tracing::error!(%error, "the claims of the last run could not be released");
    }
    tokio::join!(
        kept_up(|| or_again(&app.runner.timers_again, timers::run(Shared::clone(&app), stop.clone()))),
        kept_up(|| or_again(&app.runner.sender_again, sender::run(Shared::clone(&app), stop.clone()))),
        kept_up(|| or_again(&app.runner.sweeper_again, sweeper::run(Shared::clone(&app), stop.clone()))),
        kept_up(|| finished(sweeper::look_after(Shared::clone(&app), stop.clone()))),
    );
}

/// How a loop came to an end.
pub(crate) enum End {
    /// It was told to stop.
    Finished,
    /// It is to begin anew.
    Again,
}

/// Runs a loop to its end, and begins it anew if a defect made it panic or hang: all that it has to go on from are rows.
pub(crate) async fn kept_up<L: Future<Output = End>>(begin: impl Fn() -> L) {
    loop {
        match AssertUnwindSafe(begin()).catch_unwind().await {
            Ok(End::Finished) => return,
            Ok(End::Again) => tracing::error!("a loop of dispatch hung and begins anew"),
            Err(_) => {
                tracing::error!("a loop of dispatch panicked and begins anew");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// A loop that nobody begins anew but after a panic.
pub(crate) async fn finished(run: impl Future<Output = ()>) -> End {
    run.await;
    End::Finished
}

/// A loop that is cut off when it is found to stand still. What it was sending has a lease that runs out.
async fn or_again(again: &Notify, run: impl Future<Output = ()>) -> End {
    tokio::select! {
        () = run => End::Finished,
        () = again.notified() => End::Again,
    }
}

/// The leases of the process before this one belong to nobody: what it had claimed is due at once.
async fn resume(app: &Shared) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                tx.release_timers(now).await?;
                tx.release_pages(now).await
            })
        })
        .await
}

/// Waits until `at`, or for ever.
pub(crate) async fn sleep_until(clock: &Clock, at: Option<Timestamp>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
