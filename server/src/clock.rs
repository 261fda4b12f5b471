//! The one place where the server reads the time or waits for it.
//!
//! Tests hand in a clock that stands still until they move it, so that a three-minute escalation takes no time and no
//! test sleeps.

use firstlight_protocol::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

/// The source of time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// The machine's clock, put right by the time of the database that several nodes share.
    Corrected(Correction),
    /// A clock that a test moves.
    Manual(Arc<ManualClock>),
}

/// An answer that took longer may be off by half of it.
const TELLS_LITTLE: Duration = Duration::from_millis(500);

/// How far a machine's clock is from the time that all nodes go by.
#[derive(Clone, Debug, Default)]
pub struct Correction(Arc<AtomicI64>);

impl Correction {
    /// The common time was `now` (in milliseconds) when an answer was made that took `took` to ask for and to come.
    ///
    /// One that took long says little about what it is by now (the process may have stood still meanwhile): what an
    /// earlier one said stays.
    pub fn set(&self, now: i64, took: Duration) {
        if took > TELLS_LITTLE && self.0.load(Ordering::Relaxed) != 0 {
            return;
        }
        let arrived = now.saturating_add(i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX));
        self.0.store(arrived.saturating_sub(Clock::System.now().0), Ordering::Relaxed);
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now.0), moved: Notify::new() })
    }

    /// Moves the clock and wakes everything that waits for a time that has now come.
    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

impl Clock {
    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Corrected(by) => Timestamp(Self::System.now().0.saturating_add(by.0.load(Ordering::Relaxed))),
            Self::Manual(clock) => Timestamp(clock.now.load(Ordering::SeqCst)),
        }
    }

    /// Waits until `at`. Safe to cancel and to ask again.
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System | Self::Corrected(_) => tokio::time::sleep(at.since(self.now())).await,
            Self::Manual(clock) => loop {
                let moved = clock.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if self.now() >= at {
                    return;
                }
                moved.await;
            },
        }
    }
}
