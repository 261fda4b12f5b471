//! The browser's clocks and timers, the same in a page and in a worker.

use firstlight_protocol::Timestamp;
use js_sys::{Date, Function, Promise};
use std::{
    ops::Add,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: &Function, milliseconds: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: f64);
}

/// Now, as this machine believes.
pub fn now() -> Timestamp {
    // Whole milliseconds, far below 2^53.
    Timestamp(Date::now() as i64)
}

/// A moment on a clock that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self(Duration::from_secs_f64(performance_now().max(0.0) / 1000.0))
    }

    /// How long ago it was.
    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// A timer; dropping it stops it.
struct Sleep {
    timer: f64,
    rings: JsFuture,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.rings).poll(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(self.timer);
    }
}

/// Waits.
pub fn sleep(wait: Duration) -> impl Future<Output = ()> {
    let mut timer = 0.0;
    // A browser counts in 32 bits: 24 days.
    let milliseconds = (wait.as_secs_f64() * 1000.0).min(f64::from(i32::MAX));
    let promise = Promise::new(&mut |resolve, _| timer = set_timeout(&resolve, milliseconds));
    Sleep { timer, rings: JsFuture::from(promise) }
}

/// Waits until a moment.
pub(crate) async fn sleep_until(at: Instant) {
    sleep(at.0.saturating_sub(Instant::now().0)).await;
}
