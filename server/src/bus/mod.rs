//! Wake-ups between the parts of the server: "room G reached 42", "device D has mail", "close this socket".
//!
//! Nothing here is needed to be right: everything can be rebuilt from the store, and a session that missed a wake-up
//! reads what it lacks by cursor. That is what lets another process stand between publisher and subscriber: where
//! several nodes share one store, [`link`] carries the same wake-ups between them over Redis, and whatever it loses is
//! found by looking at the store again.
//!
//! | Room | What it has |
//! |---|---|
//! | `sockets`, `presence` | the devices that are connected here, and at other nodes as far as is known |
//! | `rooms`, `feed`, `wake` | live tails of rooms, and what wakes a session |
//! | `message`, `outgoing`, `incoming` | what nodes tell each other |
//! | `link` | the connection to Redis |

mod feed;
mod incoming;
pub mod link;
mod message;
mod outgoing;
mod presence;
mod rooms;
mod sockets;
#[cfg(test)]
mod tests;
mod wake;

pub use feed::{Feed, Pull};
pub use incoming::Ended;
pub use link::LinkState;
pub use message::NodeId;
pub use sockets::Connection;
pub use wake::{CloseReason, Dirty, Wake};

use crate::{
    limit::{Allowances, RateLimit},
    telemetry::Metrics,
};
use firstlight_protocol::{DeviceId, RoomId};
use message::Seal;
use outgoing::Outgoing;
use presence::Elsewhere;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::Notify;

/// The bus of one process.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Local>);

#[derive(Debug)]
struct Local {
    sockets: Mutex<HashMap<DeviceId, Vec<Arc<Wake>>>>,
    feeds: Mutex<HashMap<RoomId, Arc<Feed>>>,
    draining: AtomicBool,
    timers: Notify,
    pages: Notify,
    rota: Notify,
    doubt: Notify,
    ended: incoming::Endings,
    elsewhere: Elsewhere,
    outgoing: Outgoing,
    link: Mutex<LinkState>,
    seal: Seal,
    allowances: Allowances,
    metrics: Metrics,
}

/// A panic while a lock was held leaves these maps whole: each change is a single insert or remove.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Bus {
    /// The bus of a process that is alone: nobody else has its key.
    fn default() -> Self {
        let random = |n: u8| RandomState::new().hash_one(n).to_be_bytes();
        let key: Vec<u8> = (0..4).flat_map(random).collect();
        Self::new(NodeId(std::array::from_fn(|n| key[n])), &std::array::from_fn(|n| key[n]))
    }
}

impl Bus {
    /// The bus of one node. `key` is secret and the same on all nodes that share a store: what comes without its seal is
    /// not listened to, and rate limits count the same things together by it.
    pub fn new(node: NodeId, key: &[u8; 32]) -> Self {
        let metrics = Metrics::default();
        Self(Arc::new(Local {
            sockets: Mutex::default(),
            feeds: Mutex::default(),
            draining: AtomicBool::new(false),
            timers: Notify::new(),
            pages: Notify::new(),
            rota: Notify::new(),
            doubt: Notify::new(),
            ended: incoming::Endings::default(),
            elsewhere: Elsewhere::default(),
            outgoing: Outgoing::new(metrics.clone()),
            link: Mutex::default(),
            seal: Seal::new(node, key),
            allowances: Allowances::new(key),
            metrics,
        }))
    }

    /// Which node this is.
    pub fn node(&self) -> NodeId {
        self.0.seal.node()
    }

    /// A rate limit that all nodes count together, as well as they can: `burst` at once, then one for every `interval`.
    /// The name is what they know it by.
    pub fn limit(&self, name: &'static str, burst: u32, interval: Duration) -> RateLimit {
        self.0.allowances.limit(name, burst, interval)
    }

    /// What is counted as it happens.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Tells devices to read their inbox. The store does this itself for every item it appends.
    pub fn wake_inbox(&self, devices: &[DeviceId]) {
        self.wake_inbox_here(devices);
        self.0.outgoing.inbox(devices);
    }

    /// The same for sockets of this node alone: for who polls the store, as every node does for itself.
    pub fn wake_inbox_here(&self, devices: &[DeviceId]) {
        let sockets = lock(&self.0.sockets);
        for wake in devices.iter().filter_map(|d| sockets.get(d)).flatten() {
            wake.inbox();
        }
    }

    /// Tells the loops of dispatch, on all nodes, to look at their rows.
    pub(crate) fn wake_dispatch(&self) {
        self.wake_dispatch_here();
        self.0.outgoing.dispatch();
    }

    fn wake_dispatch_here(&self) {
        self.0.timers.notify_one();
        self.0.pages.notify_one();
    }

    /// Waits until a timer may have been written. A wake-up before the wait is not lost.
    pub(crate) async fn timer_written(&self) {
        self.0.timers.notified().await;
    }

    /// Waits until a page may have been written.
    pub(crate) async fn page_written(&self) {
        self.0.pages.notified().await;
    }

    /// Tells the rota's loop, on all nodes, that the rota was replaced.
    pub(crate) fn wake_duty(&self) {
        self.0.rota.notify_one();
        self.0.outgoing.rota();
    }

    /// Tells other nodes that trust or sign-ins were changed.
    pub(crate) fn trust_changed(&self) {
        self.0.outgoing.trust();
    }

    /// Waits until the rota may have been replaced. A wake-up before the wait is not lost.
    pub(crate) async fn rota_written(&self) {
        self.0.rota.notified().await;
    }

    /// Waits until wake-ups of other nodes may have been missed: whoever polls the store does it now.
    pub async fn in_doubt(&self) {
        self.0.doubt.notified().await;
    }

    /// Something may have been missed: all that waits looks at the store once.
    fn doubt(&self) {
        self.0.doubt.notify_one();
        self.wake_dispatch_here();
        self.0.rota.notify_one();
    }
}
