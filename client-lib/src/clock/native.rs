//! The system's clock, and tokio's timers, which tests can stop.

use firstlight_protocol::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use tokio::time::{Instant, sleep, sleep_until};

/// Now, as this machine believes.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
