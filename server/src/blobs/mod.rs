//! Files in rooms, as far as a server may know them: numbered chunks that the clients have sealed.
//!
//! Rows say what exists; the chunks lie in a folder or a bucket (`place`). A chunk is durable before its row is, and a row
//! goes after its chunks went, so a crash anywhere leaves only what the next round of `collect` finds by comparing.
//! An attachment belongs to the message that announces it: whoever may read that message and is a member now may read the
//! attachment, and when the log no longer has the message the attachment goes.

pub mod collect;
mod handlers;
mod place;
mod rows;

use crate::{Result, Shared, bus::Bus, clock::Clock, config::Config, limit::RateLimit};
use firstlight_protocol::{DeviceId, Problem, Timestamp};
use place::Chunks;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// How often it is tried whether the place takes something.
const PROBE_EVERY: Duration = Duration::from_secs(60);

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(handlers::begin))
        .routes(routes!(handlers::state))
        .routes(routes!(handlers::put_chunk, handlers::get_chunk))
        .routes(routes!(handlers::complete))
}

/// The place of the chunks, and how often it may be used.
#[derive(Debug)]
pub struct Blobs {
    chunks: Chunks,
    begins: RateLimit,
    transfers: RateLimit,
    reachable: AtomicBool,
}

impl Blobs {
    /// Prepares the place that the configuration names. A service that can't be reached now is tried again later.
    ///
    /// # Errors
    /// A sentence for the operator where the folder can't be made, or a secret can't be read.
    pub fn open(config: &Config, bus: &Bus) -> Result<Self> {
        Ok(Self {
            chunks: Chunks::open(config)?,
            begins: bus.limit("attachments.begins", 120, Duration::from_secs(5)),
            // A whole attachment of 100 MiB at once, then 5 MiB/s.
            transfers: bus.limit("attachments.transfers", 1_024, Duration::from_millis(50)),
            reachable: AtomicBool::new(true),
        })
    }

    /// Whether the place took something when it was last tried.
    pub fn reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }

    /// Takes one chunk's way from a device's allowance.
    fn transfer(&self, device: DeviceId, now: Timestamp) -> Result<(), Problem> {
        self.transfers.check(device, now)
    }

    async fn probe(&self) {
        let works = self.chunks.probe().await;
        if self.reachable.swap(works, Ordering::Relaxed) != works {
            match works {
                true => tracing::info!("the place for attachments is reachable again"),
                false => tracing::error!("the place for attachments can't be reached"),
            }
        }
    }
}

/// Tries the place every minute, until it is dropped.
pub async fn watch(app: Shared) {
    loop {
        app.blobs.probe().await;
        pause(&app.clock, PROBE_EVERY).await;
    }
}

async fn pause(clock: &Clock, time: Duration) {
    clock.sleep_until(clock.now() + time).await;
}
