//! Live sockets of devices, here and (as far as is known) at other nodes.

use super::{Bus, CloseReason, NodeId, Wake, lock};
use firstlight_protocol::{DeviceId, SessionId};
use std::sync::{Arc, atomic::Ordering};

impl Bus {
    /// Registers a live socket. Dropping the answer unregisters it.
    pub fn connect(&self, device: DeviceId, session: SessionId) -> Connection {
        let wake = Arc::new(Wake::new(session));
        {
            let mut sockets = lock(&self.0.sockets);
            let wakes = sockets.entry(device).or_default();
            wakes.push(Arc::clone(&wake));
            self.0.outgoing.presence(device, wakes.len());
        }
        if self.0.draining.load(Ordering::Acquire) {
            wake.close(CloseReason::Drain);
        }
        Connection { bus: self.clone(), device, wake }
    }

    fn disconnect(&self, device: DeviceId, wake: &Arc<Wake>) {
        let mut sockets = lock(&self.0.sockets);
        if let Some(wakes) = sockets.get_mut(&device) {
            wakes.retain(|w| !Arc::ptr_eq(w, wake));
            self.0.outgoing.presence(device, wakes.len());
            if wakes.is_empty() {
                sockets.remove(&device);
            }
        }
    }

    /// Whether a device has a live socket, here or as far as is known elsewhere.
    pub fn is_connected(&self, device: DeviceId) -> bool {
        lock(&self.0.sockets).contains_key(&device) || self.0.elsewhere.sockets_of(device) > 0
    }

    /// How many sockets are live here.
    pub fn connections(&self) -> usize {
        lock(&self.0.sockets).values().map(Vec::len).sum()
    }

    /// How many sockets a device has, here and as far as is known elsewhere.
    pub fn connections_of(&self, device: DeviceId) -> usize {
        let here = lock(&self.0.sockets).get(&device).map_or(0, Vec::len);
        here + self.0.elsewhere.sockets_of(device)
    }

    /// The devices that have a live socket here.
    pub fn devices(&self) -> Vec<DeviceId> {
        lock(&self.0.sockets).keys().copied().collect()
    }

    /// A node has died: none of its sockets lives.
    pub fn node_gone(&self, node: NodeId) {
        self.0.elsewhere.forget(node);
    }

    /// Closes a device's sockets on all nodes: it was revoked.
    pub fn disconnect_device(&self, device: DeviceId) {
        self.disconnect_device_here(device);
        self.0.outgoing.revoked(device);
    }

    pub(super) fn disconnect_device_here(&self, device: DeviceId) {
        for wake in lock(&self.0.sockets).get(&device).into_iter().flatten() {
            wake.close(CloseReason::Revoked);
        }
    }

    /// Closes a sign-in's sockets on all nodes: it has ended.
    pub fn disconnect_session(&self, session: SessionId) {
        self.disconnect_session_here(session);
        self.0.outgoing.signed_out(session);
    }

    pub(super) fn disconnect_session_here(&self, session: SessionId) {
        for wake in lock(&self.0.sockets).values().flatten().filter(|w| w.session == session) {
            wake.close(CloseReason::SignedOut);
        }
    }

    /// Closes all sockets, and those that come: the server is shutting down.
    pub(crate) fn drain(&self) -> Vec<Arc<Wake>> {
        self.0.draining.store(true, Ordering::Release);
        lock(&self.0.sockets).values().flatten().cloned().collect()
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
