//! The canary: a callout of the server's own that takes the way of every other one. It is opened in the store, stepped
//! by the engine, paged through the outbox into a sink, escalated by a durable timer and paged again; then it is called
//! off and deleted. It calls nobody, and no person, list, figure or audit entry knows of it: the audit trail hears when
//! the canary falls silent and when it sings again, and of nothing between.

use crate::{Result, Shared, app::random, store::Tx};
use firstlight_protocol::{CalloutId, Timestamp};
use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

/// A canary that has not come through by then has failed.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// The first one flies this long after the start.
const FIRST: Duration = Duration::from_secs(5);
/// How often one that is under way is looked at, in real time. Its times are measured by the pipeline, not by this.
const LOOK: Duration = Duration::from_millis(20);

/// What the canary has shown, for metrics.
#[derive(Debug, Default)]
pub struct CanaryFigures {
    succeeded: AtomicU64,
    failed: AtomicU64,
    last_success_at: AtomicI64,
    page_ms: AtomicU64,
    escalation_ms: AtomicU64,
}

impl CanaryFigures {
    /// Canaries that came through.
    pub fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::Relaxed)
    }

    /// Canaries that did not.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// When the last one came through.
    pub fn last_success_at(&self) -> Option<Timestamp> {
        Some(Timestamp(self.last_success_at.load(Ordering::Relaxed))).filter(|at| at.0 > 0)
    }

    /// From opening the last one that came through until its first page was handed over, in milliseconds.
    pub fn page_ms(&self) -> u64 {
        self.page_ms.load(Ordering::Relaxed)
    }

    /// From the moment at which its second page was due until that was handed over, in milliseconds.
    pub fn escalation_ms(&self) -> u64 {
        self.escalation_ms.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(super) struct Canary {
    figures: CanaryFigures,
    silent: AtomicBool,
}

impl Canary {
    pub(super) fn figures(&self) -> &CanaryFigures {
        &self.figures
    }
}

/// What a canary's pages came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flight {
    /// From opening to the first page's receipt.
    pub(crate) page: Duration,
    /// From when the second page was due to its receipt.
    pub(crate) escalation: Duration,
}

/// Flies every so often, if the operator wants it.
pub(super) async fn run(app: Shared) {
    let every = Duration::from(app.config.proof.canary_every_ms);
    if every.is_zero() {
        // One that was in the air when the server stopped, and the operator then did without.
        let removed = app.store.write(|tx| Box::pin(async move { tx.remove_canaries().await })).await;
        return removed.unwrap_or_else(|error| tracing::error!(%error, "an old canary could not be removed"));
    }
    let mut next = app.clock.now() + FIRST.min(every);
    loop {
        app.clock.sleep_until(next).await;
        next = app.clock.now() + every;
        let flight = fly(&app).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the canary could not fly");
            None
        });
        if let Err(error) = note(&app, flight).await {
            tracing::error!(%error, "the canary's flight could not be written down");
        }
    }
}

/// One flight; `None` if it did not come through in time.
async fn fly(app: &Shared) -> Result<Option<Flight>> {
    let (id, began) = (CalloutId(random()?), app.clock.now());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                // What a flight before a crash left behind.
                tx.remove_canaries().await?;
                tx.open_canary(id, began).await
            })
        })
        .await?;
    let flight = loop {
        if let Some(flight) = landed(app, id).await? {
            break Some(flight);
        }
        if app.clock.now() > began + DEADLINE {
            break None;
        }
        tokio::time::sleep(LOOK).await;
    };
    let now = app.clock.now();
    let gone = app.store.write(move |tx| {
        Box::pin(async move {
            tx.call_canary_off(id, now).await?;
            tx.remove_canaries().await
        })
    });
    gone.await?;
    Ok(flight)
}

async fn landed(app: &Shared, id: CalloutId) -> Result<Option<Flight>> {
    let mut conn = app.store.read().acquire().await?;
    crate::runner::canary_flight(&mut conn, id).await
}

async fn note(app: &Shared, flight: Option<Flight>) -> Result<()> {
    let (figures, now) = (app.proof.canary(), app.clock.now());
    let (was_silent, word) = match flight {
        Some(Flight { page, escalation }) => {
            let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
            figures.page_ms.store(ms(page), Ordering::Relaxed);
            figures.escalation_ms.store(ms(escalation), Ordering::Relaxed);
            figures.succeeded.fetch_add(1, Ordering::Relaxed);
            figures.last_success_at.store(now.0, Ordering::Relaxed);
            (app.proof.canary.silent.swap(false, Ordering::Relaxed), "canary.sings_again")
        }
        None => {
            tracing::error!("the canary did not come through: pages may not arrive");
            figures.failed.fetch_add(1, Ordering::Relaxed);
            (!app.proof.canary.silent.swap(true, Ordering::Relaxed), "canary.silent")
        }
    };
    if !was_silent {
        return Ok(());
    }
    app.store.write(move |tx: &mut Tx<'_>| Box::pin(async move { tx.audit(now, None, word, "canary", "").await })).await
}
