//! What other nodes say, done here.

use super::{Bus, NodeId, lock, message::Message};
use crate::{store::Changes, telemetry::BusTraffic};
use firstlight_protocol::{DeviceId, SessionId, Timestamp};
use std::sync::Mutex;
use tokio::sync::Notify;

/// Most endings of one kind that wait to be taken note of; beyond it they are found in the store.
const MAX_ENDINGS: usize = 1 << 14;

/// What other nodes have ended: whoever answers for tokens takes note.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Devices that were revoked.
    pub devices: Vec<DeviceId>,
    /// Sign-ins that ended.
    pub sessions: Vec<SessionId>,
}

#[derive(Debug, Default)]
pub(super) struct Endings {
    waiting: Mutex<Ended>,
    notify: Notify,
}

/// Who was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// This node itself: what it says comes through.
    Self_,
    /// Another.
    Other,
    /// Nobody who has the key.
    Nobody,
}

impl Endings {
    fn add(&self, devices: &[DeviceId], sessions: &[SessionId]) {
        let mut waiting = lock(&self.waiting);
        let room = |len: usize| MAX_ENDINGS.saturating_sub(len);
        let (more_devices, more_sessions) = (room(waiting.devices.len()), room(waiting.sessions.len()));
        waiting.devices.extend(devices.iter().take(more_devices));
        waiting.sessions.extend(sessions.iter().take(more_sessions));
        self.notify.notify_one();
    }
}

impl Bus {
    /// Waits until other nodes have revoked devices or ended sign-ins, and takes them. Their sockets are being closed by
    /// then.
    pub async fn ended(&self) -> Ended {
        self.0.ended.notify.notified().await;
        std::mem::take(&mut lock(&self.0.ended.waiting))
    }

    /// Hears one payload.
    pub(super) fn hear(&self, payload: &[u8], now: Timestamp) -> Heard {
        match self.0.seal.open(payload) {
            None => {
                self.0.metrics.bus(BusTraffic::Dropped, 1);
                Heard::Nobody
            }
            Some((node, _)) if node == self.node() => Heard::Self_,
            Some((node, message)) => {
                self.0.metrics.bus(BusTraffic::Received, 1);
                self.obey(node, message, now);
                Heard::Other
            }
        }
    }

    /// What other nodes have changed, as the store tells it: done here as if it had been heard.
    pub(crate) fn found(&self, changes: &Changes) {
        changes.rooms.iter().for_each(|(room, head)| self.room_reached(*room, *head));
        changes.members.iter().for_each(|room| self.members_changed_here(*room));
        self.wake_inbox_here(&changes.inboxes);
        if changes.dispatch {
            self.wake_dispatch_here();
        }
        if changes.rota {
            self.0.rota.notify_one();
        }
    }

    /// Closes the sockets of what another node has ended.
    pub(crate) fn ended_elsewhere(&self, devices: &[DeviceId], sessions: &[SessionId]) {
        devices.iter().for_each(|device| self.disconnect_device_here(*device));
        sessions.iter().for_each(|session| self.disconnect_session_here(*session));
    }

    fn obey(&self, node: NodeId, message: Message, now: Timestamp) {
        match message {
            Message::Rooms(rooms) => rooms.iter().for_each(|(room, head)| self.room_reached(*room, *head)),
            Message::Members(rooms) => rooms.iter().for_each(|room| self.members_changed_here(*room)),
            Message::Inbox(devices) => self.wake_inbox_here(&devices),
            Message::Dispatch => self.wake_dispatch_here(),
            Message::Rota => self.0.rota.notify_one(),
            Message::Trust => self.doubt(),
            Message::Revoked(devices) => {
                self.0.ended.add(&devices, &[]);
                devices.iter().for_each(|device| self.disconnect_device_here(*device));
            }
            Message::SignedOut(sessions) => {
                self.0.ended.add(&[], &sessions);
                sessions.iter().for_each(|session| self.disconnect_session_here(*session));
            }
            Message::Presence(changes) => self.0.elsewhere.changed(node, &changes),
            Message::Beat { digest } => {
                if !self.0.elsewhere.agrees(node, digest) {
                    self.0.outgoing.want(node);
                }
            }
            Message::Want(wanted) if wanted == self.node() => self.0.outgoing.snapshot(),
            Message::Want(_) => {}
            Message::Snapshot { first, last, devices } => self.0.elsewhere.snapshot(node, first, last, &devices),
            Message::Leave => self.0.elsewhere.forget(node),
            Message::Spent { limit, slots } => self.0.allowances.spent_elsewhere(&limit, &slots, now),
        }
    }
}
