//! Proof before it is needed: that the people on duty can be paged, that the whole pipeline works, and that somebody
//! outside would notice if it didn't.
//!
//! | file | what |
//! |---|---|
//! | `reach`, `checks`, `board` | readiness: what is known of people's ways, the tests, the board |
//! | `drills`, `report` | drills that begin by themselves, and what came of them |
//! | `canary` | a callout of the server's own through the whole pipeline, every few minutes |
//! | `heartbeat`, `disk` | tells an outside monitor that dispatch is alive, and only then |
//!
//! The rules of readiness are pure and stand in `firstlight_dispatch::readiness`.

mod board;
mod canary;
mod checks;
mod disk;
mod drills;
mod heartbeat;
mod reach;
mod report;

pub use canary::CanaryFigures;
pub(crate) use canary::Flight;
pub(crate) use checks::{Shown, test_settled};
pub(crate) use disk::{free_bytes, has_room};
pub(crate) use drills::opened_by_hand;
pub use heartbeat::HeartbeatFigures;

use crate::nodes::while_leading;
use crate::{
    Result, Shared,
    app::App,
    bus::Bus,
    config::Paging,
    limit::RateLimit,
    paging::Web,
    runner::{finished, kept_up},
};
use canary::Canary;
use firstlight_protocol::Timestamp;
use heartbeat::Heartbeat;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What this part of the house keeps in memory.
#[derive(Debug)]
pub struct Proof {
    started_at: Timestamp,
    canary: Canary,
    heartbeat: Heartbeat,
    /// Drills were scheduled or opened: when the next one is due has changed.
    pub(crate) again_drills: Notify,
    /// Tests that people ask for, by the person tested: a test rings.
    testing: RateLimit,
    /// Codes that are tried, by person.
    confirming: RateLimit,
}

impl Proof {
    /// Sets it up.
    ///
    /// # Errors
    /// A defect, if the TLS library can't be set up.
    pub fn new(paging: &Paging, bus: &Bus, now: Timestamp) -> Result<Self> {
        Ok(Self {
            started_at: now,
            canary: Canary::default(),
            heartbeat: Heartbeat::new(Web::new(paging)?),
            again_drills: Notify::new(),
            testing: bus.limit("proof.testing", 3, Duration::from_secs(60)),
            confirming: bus.limit("proof.confirming", 10, Duration::from_secs(20)),
        })
    }

    /// What the canary has shown.
    pub fn canary(&self) -> &CanaryFigures {
        self.canary.figures()
    }

    /// How the outside monitor was told.
    pub fn heartbeat(&self) -> &HeartbeatFigures {
        self.heartbeat.figures()
    }
}

impl App {
    /// Whether the canary has come through lately; `None` where the operator does without one, or before its first turn.
    pub(crate) fn canary_sings(&self) -> Option<bool> {
        let every = Duration::from(self.config.proof.canary_every_ms);
        // It may be late by its own deadline, and fail once.
        let patience = every * 2 + canary::DEADLINE;
        let (now, last) = (self.clock.now(), self.proof.canary().last_success_at());
        match last {
            _ if every.is_zero() || !self.nodes.leads() => None,
            None if now.since(self.proof.started_at.max(self.nodes.leads_since())) <= patience => None,
            last => Some(last.is_some_and(|at| now.since(at) <= patience)),
        }
    }
}

/// How many of those on duty now or next are red, for metrics.
pub(crate) async fn red(app: &Shared) -> Result<usize> {
    let mut conn = app.store.read().acquire().await?;
    let standing = reach::Standing::read(&mut conn, &app.bus, app.clock.now()).await?;
    Ok(standing.as_ref().map_or(0, |standing| checks::red(standing).len()))
}

/// Runs readiness, drills, the canary and the heartbeat until `stop`.
pub async fn run(app: Shared, stop: CancellationToken) {
    // All of them go on from rows, so they may be cut off anywhere.
    while_leading(app, stop, async |app| {
        tokio::join!(
            kept_up(|| finished(checks::run(Shared::clone(&app)))),
            kept_up(|| finished(drills::run(Shared::clone(&app)))),
            kept_up(|| finished(canary::run(Shared::clone(&app)))),
            kept_up(|| finished(heartbeat::run(Shared::clone(&app)))),
        );
    })
    .await;
}

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(board::readiness))
        .routes(routes!(board::unreachable))
        .routes(routes!(board::own))
        .routes(routes!(board::test))
        .routes(routes!(board::confirm))
        .routes(routes!(drills::schedule, drills::list))
        .routes(routes!(drills::cancel))
        .routes(routes!(report::report))
}
