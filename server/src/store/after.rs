//! What sockets are told after a group transaction is durable, in the order in which it happened.

use super::changes::Changes;
use crate::{bus::Bus, telemetry::Happening};
use bytes::Bytes;
use firstlight_protocol::{DeviceId, RoomId};

/// Wake-ups that wait for the commit; those of a job that failed are undone with it.
#[derive(Debug, Default)]
pub(crate) struct AfterCommit(Vec<Wake>);

#[derive(Debug)]
enum Wake {
    Entry { room: RoomId, seq: u64, frame: Bytes },
    Members { room: RoomId },
    Inbox { device: DeviceId },
    Dispatch,
    Rota,
    Identity,
    Happened(Happening),
}

impl AfterCommit {
    /// A log entry, as the encoded frame that every member's socket gets.
    pub(crate) fn entry(&mut self, room: RoomId, seq: u64, frame: Bytes) {
        self.0.push(Wake::Entry { room, seq, frame });
    }

    /// The members of a room changed: sockets ask again how far they may read before they go on.
    pub(crate) fn members(&mut self, room: RoomId) {
        self.0.push(Wake::Members { room });
    }

    /// A device's inbox grew.
    pub(crate) fn inbox(&mut self, device: DeviceId) {
        self.0.push(Wake::Inbox { device });
    }

    /// Dispatch wrote a timer or a page: its loops look again.
    pub(crate) fn dispatch(&mut self) {
        self.0.push(Wake::Dispatch);
    }

    /// The rota was replaced: who is on duty may have changed.
    pub(crate) fn rota(&mut self) {
        self.0.push(Wake::Rota);
    }

    /// Sign-ins ended, devices were revoked, or what the server trusts was replaced. Whoever wrote it sees to it here;
    /// other nodes hear of it.
    pub(crate) fn identity(&mut self) {
        self.0.push(Wake::Identity);
    }

    /// What other nodes have to know.
    pub(super) fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        for wake in &self.0 {
            match wake {
                Wake::Entry { room, seq, .. } => match changes.rooms.iter_mut().rev().find(|(r, _)| r == room) {
                    Some((_, head)) => *head = *seq,
                    None => changes.rooms.push((*room, *seq)),
                },
                Wake::Members { room } => changes.members.push(*room),
                Wake::Inbox { device } => changes.inboxes.push(*device),
                Wake::Dispatch => changes.dispatch = true,
                Wake::Rota => changes.rota = true,
                Wake::Identity => changes.identity = true,
                Wake::Happened(_) => {}
            }
        }
        changes
    }

    /// Something to count.
    pub(crate) fn happened(&mut self, what: Happening) {
        self.0.push(Wake::Happened(what));
    }

    pub(super) fn mark(&self) -> usize {
        self.0.len()
    }

    pub(super) fn undo(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn publish(&mut self, bus: &Bus) {
        let mut entries: Vec<(RoomId, Vec<(u64, Bytes)>)> = Vec::new();
        let mut devices = Vec::new();
        let (mut dispatch, mut trust) = (false, false);
        for wake in self.0.drain(..) {
            match wake {
                Wake::Entry { room, seq, frame } => match entries.iter_mut().rev().find(|(r, _)| *r == room) {
                    Some((_, frames)) => frames.push((seq, frame)),
                    None => entries.push((room, vec![(seq, frame)])),
                },
                // Before any entry of this group is published, so that nobody reads past the end of their membership.
                Wake::Members { room } => bus.members_changed(room),
                Wake::Inbox { device } => devices.push(device),
                Wake::Dispatch => dispatch = true,
                Wake::Rota => bus.wake_duty(),
                Wake::Identity => trust = true,
                Wake::Happened(what) => bus.metrics().happened(what),
            }
        }
        if trust {
            bus.trust_changed();
        }
        for (room, frames) in entries {
            bus.publish(room, frames);
        }
        bus.wake_inbox(&devices);
        if dispatch {
            bus.wake_dispatch();
        }
    }
}
