//! Tells a monitor outside that dispatch is alive: one request, sent only while everything that a page needs works. When
//! it stays out, the monitor raises its own alarm, by its own means; that is the whole point of it.

use crate::{Shared, health, paging::Web};
use firstlight_protocol::Timestamp;
use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

/// What is missing has so long to come back before the heartbeat stays out, in real time.
const AGAIN: Duration = Duration::from_secs(1);

/// How the outside monitor was told, for metrics.
#[derive(Debug, Default)]
pub struct HeartbeatFigures {
    sent: AtomicU64,
    failed: AtomicU64,
    withheld: AtomicU64,
    last_sent_at: AtomicI64,
}

impl HeartbeatFigures {
    /// Heartbeats that the monitor took.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Heartbeats that it did not take.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Heartbeats that were not sent, because something that a page needs did not work.
    pub fn withheld(&self) -> u64 {
        self.withheld.load(Ordering::Relaxed)
    }

    /// When the monitor took the last one.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        Some(Timestamp(self.last_sent_at.load(Ordering::Relaxed))).filter(|at| at.0 > 0)
    }
}

#[derive(Debug)]
pub(super) struct Heartbeat {
    web: Web,
    figures: HeartbeatFigures,
}

impl Heartbeat {
    /// `web` goes where webhooks may go.
    pub(super) fn new(web: Web) -> Self {
        Self { web, figures: HeartbeatFigures::default() }
    }

    pub(super) fn figures(&self) -> &HeartbeatFigures {
        &self.figures
    }
}

/// Beats for as long as an address is configured.
pub(super) async fn run(app: Shared) {
    let settings = &app.config.proof;
    if settings.heartbeat_url.is_empty() {
        return;
    }
    let mut last = app.clock.now();
    loop {
        app.clock.sleep_until(last + settings.heartbeat_every_ms.into()).await;
        last = app.clock.now();
        beat(&app).await;
    }
}

/// One heartbeat, if everything that a page needs works.
pub(super) async fn beat(app: &Shared) {
    let (heartbeat, figures) = (&app.proof.heartbeat, app.proof.heartbeat());
    let mut missing = health::vital(app).await;
    if !missing.is_empty() {
        // After a jump of the clock the safety net wakes in the same moment as this.
        tokio::time::sleep(AGAIN).await;
        missing = health::vital(app).await;
    }
    if !missing.is_empty() {
        figures.withheld.fetch_add(1, Ordering::Relaxed);
        tracing::error!(missing = missing.join(" "), "no heartbeat: dispatch does not work as it should");
        return;
    }
    let answer = match heartbeat.web.allowed().check(&app.config.proof.heartbeat_url) {
        // The address is a secret: neither it nor an error that quotes it is logged.
        Some(url) => heartbeat.web.client().get(url).send().await.is_ok_and(|answer| answer.status().is_success()),
        None => false,
    };
    if answer {
        figures.sent.fetch_add(1, Ordering::Relaxed);
        figures.last_sent_at.store(app.clock.now().0, Ordering::Relaxed);
    } else {
        figures.failed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("the outside monitor did not take the heartbeat");
    }
}
