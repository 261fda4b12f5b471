//! Where the server is in its life, for whoever has to know: the probes, the edge, and the one who stops it.

use crate::{Shared, bus::CloseReason};
use firstlight_protocol::{ErrorCode, Problem};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};

/// Sockets are closed in steps no shorter than this.
const STEP: Duration = Duration::from_millis(10);
/// A closed socket has so long to be gone; its own goodbye takes at most two seconds.
const GOODBYE: Duration = Duration::from_secs(3);
/// Whoever is sent away is told to come back after a random time up to this, so that not everybody comes at once.
const COME_BACK_MS: u64 = 2_000;

/// A server only ever goes forward through these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It opens its data and brings them to this version's form.
    Starting,
    /// It does its work.
    Serving,
    /// It sends its clients elsewhere, takes no new ones, and does the rest of its work.
    Draining,
    /// Nobody is connected any more. Pages still go out, until the process ends.
    Drained,
}

/// The stage, shared by all who look at it.
#[derive(Debug, Clone)]
pub struct Lifecycle(Arc<watch::Sender<Stage>>);

impl Default for Lifecycle {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Starting)))
    }
}

impl Lifecycle {
    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Goes on to a later stage; false if it was there already.
    pub(crate) fn reach(&self, stage: Stage) -> bool {
        self.0.send_if_modified(|now| {
            let forward = *now < stage;
            *now = stage.max(*now);
            forward
        })
    }

    /// Whether a request has to go to another node or wait for the restart: sign-ins and websockets, while draining.
    /// Callouts are taken to the end.
    pub(crate) fn turns_away(&self, path: &str) -> bool {
        self.stage() >= Stage::Draining && (path == "/v1/stream" || path.starts_with("/v1/auth/"))
    }

    /// Sends everybody away who is connected, spread over `limits.drain_spread_ms`, and lets nobody in. Returns when they
    /// have gone, or had time enough. The stage is reached by the call itself, so whoever asks next hears of it.
    pub(crate) fn drain(&self, app: &Shared) -> impl Future<Output = ()> + Send + use<> {
        let (first, this, app) = (self.reach(Stage::Draining), self.clone(), Shared::clone(app));
        async move {
            if first {
                this.send_away(&app).await;
            } else {
                // Somebody else does it. The stage can't be lost while this one holds it.
                let _ = this.0.subscribe().wait_for(|stage| *stage >= Stage::Drained).await;
            }
        }
    }

    async fn send_away(&self, app: &Shared) {
        let sockets = app.bus.drain();
        tracing::info!(sockets = sockets.len(), "draining: no more sign-ins and websockets");
        let spread = Duration::from(app.config.limits.drain_spread_ms);
        let steps = usize::try_from(spread.as_millis() / STEP.as_millis()).unwrap_or(1).clamp(1, sockets.len().max(1));
        let pause = spread / u32::try_from(steps).unwrap_or(1);
        for (n, some) in sockets.chunks(sockets.len().div_ceil(steps).max(1)).enumerate() {
            if n > 0 {
                sleep(pause).await;
            }
            some.iter().for_each(|socket| socket.close(CloseReason::Drain));
        }
        let gone = async {
            while app.bus.connections() > 0 {
                sleep(STEP).await;
            }
        };
        if tokio::time::timeout(GOODBYE, gone).await.is_err() {
            tracing::warn!(sockets = app.bus.connections(), "not every websocket has gone");
        }
        self.reach(Stage::Drained);
    }
}

/// What somebody hears who has to come back: later, and each at another time.
pub(crate) fn come_back() -> Problem {
    // Without randomness they come at once, which only costs time.
    let jitter = crate::app::random().map_or(0, u64::from_be_bytes) % COME_BACK_MS;
    Problem::with(ErrorCode::Unavailable, "This server is about to stop. Connect again.").retry_after_ms(100 + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_goes_forward_and_turns_away_only_who_would_stay() {
        let life = Lifecycle::default();
        assert_eq!(life.stage(), Stage::Starting);
        assert!(life.reach(Stage::Serving) && !life.reach(Stage::Serving));
        assert!(!life.turns_away("/v1/auth/sessions"));
        assert!(life.reach(Stage::Draining) && !life.reach(Stage::Serving));
        assert_eq!(life.stage(), Stage::Draining);
        assert!(life.turns_away("/v1/auth/sessions") && life.turns_away("/v1/stream"));
        assert!(!life.turns_away("/v1/callouts"));
        let hints: Vec<_> = (0..20).map(|_| come_back().retry_after_ms.unwrap()).collect();
        assert!(
            hints.iter().all(|ms| (100..2_100).contains(ms)) && hints.iter().any(|ms| *ms != hints[0]),
            "{hints:?}"
        );
    }
}
