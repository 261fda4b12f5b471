//! What every part of the server shares.

use crate::{
    blobs::Blobs,
    bus::Bus,
    clock::Clock,
    config::Config,
    delivery::{acks::PendingAcks, groups::Groups},
    health::Latest,
    identity::Identity,
    lifecycle::Lifecycle,
    limit::RateLimit,
    listen::Tls,
    nodes::Nodes,
    phone::Phone,
    proof::Proof,
    rota::Feeds,
    runner::Runner,
    store::Store,
};
use std::sync::Arc;

/// The running server. Cheap to share; holds no request's state.
#[derive(Debug)]
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// Time.
    pub clock: Clock,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// How it was when somebody last looked.
    pub health: Latest,
    /// TLS, where the server does it itself.
    pub tls: Option<Arc<Tls>>,
    /// The truth.
    pub store: Store,
    /// Who shares it.
    pub nodes: Nodes,
    /// Wake-ups, rebuilt from the truth at any time.
    pub bus: Bus,
    /// Public MLS state of rooms in use.
    pub groups: Groups,
    /// Acknowledgements that wait to be written.
    pub acks: PendingAcks,
    /// Sealed files in rooms.
    pub blobs: Blobs,
    /// How often key packages may be claimed.
    pub claims: RateLimit,
    /// Who is who, and who is signed in.
    pub identity: Identity,
    /// How often calendar feeds may be read.
    pub feeds: Feeds,
    /// What dispatch keeps running: timers, the outbox, paging channels.
    pub runner: Runner,
    /// Limits of what comes in by telephone and from dispatch systems.
    pub phone: Phone,
    /// What proves that pages would arrive.
    pub proof: Proof,
}

/// A shared [`App`].
pub type Shared = Arc<App>;

/// Fills an array with randomness from the operating system.
pub fn random<const N: usize>() -> crate::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| crate::Error::internal(format!("no randomness: {e}")))?;
    Ok(bytes)
}
