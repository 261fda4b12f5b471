//! The wall clock and waiting: the one place of the client that reads time.

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(feature = "native")]
mod native;

#[cfg(target_arch = "wasm32")]
pub(crate) use browser::{Instant, sleep_until};
#[cfg(target_arch = "wasm32")]
pub use browser::{now, sleep};
#[cfg(feature = "native")]
pub use native::now;
#[cfg(feature = "native")]
pub(crate) use native::{Instant, sleep, sleep_until};
