//! What every part of the server shares.

use crate::{bus::Bus, clock::Clock, delivery::groups::Groups, store::Store};
use std::sync::Arc;

/// The running server. Cheap to share; holds no request's state.
#[derive(Debug)]
pub struct App {
    /// Time.
    pub clock: Clock,
    /// The truth.
    pub store: Store,
    /// Wake-ups, rebuilt from the truth at any time.
    pub bus: Bus,
    /// Public MLS state of rooms in use.
    pub groups: Groups,
}

/// A shared [`App`].
pub type Shared = Arc<App>;

/// Fills an array with randomness from the operating system.
pub fn random<const N: usize>() -> crate::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| crate::Error::internal(format!("no randomness: {e}")))?;
    Ok(bytes)
}
