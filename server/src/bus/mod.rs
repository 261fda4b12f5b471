//! Wake-ups between the parts of the server: "room G reached 42", "device D has mail", "close this socket".
//!
//! Nothing here is needed to be right: everything can be rebuilt from the store, and a session that missed a wake-up
//! reads what it lacks by cursor. That is what will let another process stand between publisher and subscriber.

mod feed;
mod wake;

pub use feed::{Feed, Pull};
pub use wake::{CloseReason, Dirty, Wake};

use crate::telemetry::Metrics;
use bytes::Bytes;
use firstlight_protocol::{DeviceId, RoomId, SessionId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// The bus of one process.
#[derive(Debug, Clone, Default)]
pub struct Bus(Arc<Local>);

#[derive(Debug, Default)]
struct Local {
    sockets: Mutex<HashMap<DeviceId, Vec<Arc<Wake>>>>,
    feeds: Mutex<HashMap<RoomId, Arc<Feed>>>,
    draining: AtomicBool,
    timers: Notify,
    pages: Notify,
    rota: Notify,
    metrics: Metrics,
}

/// A panic while a lock was held leaves these maps whole: each change is a single insert or remove.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bus {
    /// Registers a live socket. Dropping the answer unregisters it.
    pub fn connect(&self, device: DeviceId, session: SessionId) -> Connection {
        let wake = Arc::new(Wake::new(session));
        lock(&self.0.sockets).entry(device).or_default().push(Arc::clone(&wake));
        if self.0.draining.load(Ordering::Acquire) {
            wake.close(CloseReason::Drain);
        }
        Connection { bus: self.clone(), device, wake }
    }

    /// What is counted as it happens.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Whether a device has a live socket here.
    pub fn is_connected(&self, device: DeviceId) -> bool {
        lock(&self.0.sockets).contains_key(&device)
    }

    /// How many sockets are live.
    pub fn connections(&self) -> usize {
        lock(&self.0.sockets).values().map(Vec::len).sum()
    }

    /// How many sockets a device has.
    pub fn connections_of(&self, device: DeviceId) -> usize {
        lock(&self.0.sockets).get(&device).map_or(0, Vec::len)
    }

    /// Tells devices to read their inbox. The store does this itself for every item it appends.
    pub fn wake_inbox(&self, devices: &[DeviceId]) {
        let sockets = lock(&self.0.sockets);
        for wake in devices.iter().filter_map(|d| sockets.get(d)).flatten() {
            wake.inbox();
        }
    }

    /// Tells the loops of dispatch to look at their rows.
    pub(crate) fn wake_dispatch(&self) {
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

    /// Tells the rota's loop that the rota was replaced.
    pub(crate) fn wake_duty(&self) {
        self.0.rota.notify_one();
    }

    /// Waits until the rota may have been replaced. A wake-up before the wait is not lost.
    pub(crate) async fn rota_written(&self) {
        self.0.rota.notified().await;
    }

    /// Closes a device's sockets: it was revoked.
    pub fn disconnect_device(&self, device: DeviceId) {
        for wake in lock(&self.0.sockets).get(&device).into_iter().flatten() {
            wake.close(CloseReason::Revoked);
        }
    }

    /// Closes a sign-in's sockets: it has ended.
    pub fn disconnect_session(&self, session: SessionId) {
        for wake in lock(&self.0.sockets).values().flatten().filter(|w| w.session == session) {
            wake.close(CloseReason::SignedOut);
        }
    }

    /// Closes all sockets, and those that come: the server is shutting down.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        for wake in lock(&self.0.sockets).values().flatten() {
            wake.close(CloseReason::Drain);
        }
    }

    /// Begins to wake a session for a room, and gives it the live tail of the room's log.
    pub(crate) fn subscribe(&self, room: RoomId, wake: &Arc<Wake>) -> Arc<Feed> {
        // Under the lock: a feed whose last reader leaves in between would be forgotten with this one in it.
        let mut feeds = lock(&self.0.feeds);
        let feed = feeds.entry(room).or_default();
        feed.subscribe(wake);
        Arc::clone(feed)
    }

    /// New entries of a room's log, in order, each as the frame that every member gets.
    pub(crate) fn publish(&self, room: RoomId, frames: Vec<(u64, Bytes)>) {
        let feed = lock(&self.0.feeds).get(&room).cloned();
        if let Some(feed) = feed {
            feed.publish(room, frames);
        }
    }

    /// A room's members changed.
    pub(crate) fn members_changed(&self, room: RoomId) {
        let feed = lock(&self.0.feeds).get(&room).cloned();
        if let Some(feed) = feed {
            feed.members_changed(room);
        }
    }

    fn disconnect(&self, device: DeviceId, wake: &Arc<Wake>) {
        let mut sockets = lock(&self.0.sockets);
        if let Some(wakes) = sockets.get_mut(&device) {
            wakes.retain(|w| !Arc::ptr_eq(w, wake));
            if wakes.is_empty() {
                sockets.remove(&device);
            }
        }
    }

    /// Forgets the feed of a room that nobody listens to.
    pub(crate) fn release(&self, room: RoomId, wake: &Arc<Wake>) {
        let mut feeds = lock(&self.0.feeds);
        if feeds.get(&room).is_some_and(|feed| feed.unsubscribe(wake)) {
            feeds.remove(&room);
        }
    }
}

/// A registered socket.
#[derive(Debug)]
pub struct Connection {
    bus: Bus,
    device: DeviceId,
    /// What the session waits on.
    pub wake: Arc<Wake>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.bus.disconnect(self.device, &self.wake);
    }
}
