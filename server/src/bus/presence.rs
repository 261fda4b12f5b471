//! What this node knows of the devices that are connected to other nodes.
//!
//! Each node tells changes as they happen, and with every beat a digest of what has to come out of them. Where something
//! was lost the digests differ, and all of that node's devices are asked for: so what is known here is right within a
//! beat or two, and a beat is small.
//!
//! While Redis itself is down, what was known last stays. The other nodes and their sockets most likely live on, and
//! forgetting them would turn people red on the readiness board and page around phones that would have woken. A node that
//! has died is known from the store, whether Redis is there or not ([`super::Bus::node_gone`]).

use super::NodeId;
use firstlight_protocol::DeviceId;
use siphasher::sip::SipHasher13;
use std::{
    collections::HashMap,
    hash::Hasher,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};
use tokio::time::Instant;

/// A node that is not heard for this long while Redis is there is forgotten.
const SILENCE: Duration = Duration::from_secs(15);
/// Most other nodes.
const MAX_NODES: usize = 64;
/// Most devices of one: as many as a node may have connections.
const MAX_DEVICES: usize = 1_000_000;

/// Devices with their number of sockets.
pub(super) type Devices = HashMap<DeviceId, u16>;

#[derive(Debug, Default)]
pub(super) struct Elsewhere(RwLock<HashMap<NodeId, Replica>>);

#[derive(Debug)]
struct Replica {
    devices: Devices,
    /// A snapshot that is not complete.
    staged: Devices,
    heard: Instant,
}

/// What two nodes that know the same agree on; the order in which they learned it doesn't matter.
pub(super) fn digest(devices: impl Iterator<Item = (DeviceId, u16)>) -> u64 {
    let one = |(device, sockets): (DeviceId, u16)| {
        let mut hasher = SipHasher13::new();
        hasher.write(device.as_bytes());
        hasher.write(&sockets.to_be_bytes());
        hasher.finish()
    };
    devices.fold(0, |all, device| all ^ one(device))
}

impl Elsewhere {
    /// How many sockets a device has at other nodes.
    pub(super) fn sockets_of(&self, device: DeviceId) -> usize {
        self.read().values().filter_map(|node| node.devices.get(&device)).map(|n| usize::from(*n)).sum()
    }

    /// A node was heard.
    pub(super) fn changed(&self, node: NodeId, changes: &[(DeviceId, u16)]) {
        self.with(node, |replica| put(&mut replica.devices, changes));
    }

    /// A part of a snapshot.
    pub(super) fn snapshot(&self, node: NodeId, first: bool, last: bool, devices: &[(DeviceId, u16)]) {
        self.with(node, |replica| {
            if first {
                replica.staged.clear();
            }
            put(&mut replica.staged, devices);
            if last {
                replica.devices = std::mem::take(&mut replica.staged);
            }
        });
    }

    /// Whether what is known of a node is what it says has to be.
    pub(super) fn agrees(&self, node: NodeId, expected: u64) -> bool {
        self.with(node, |replica| digest(replica.devices.iter().map(|(d, n)| (*d, *n))) == expected).unwrap_or(true)
    }

    pub(super) fn forget(&self, node: NodeId) {
        self.write().remove(&node);
    }

    /// Forgets nodes that were silent while they could have been heard, which is since `connected`.
    pub(super) fn expire(&self, connected: Instant) {
        self.write().retain(|_, node| node.heard.max(connected).elapsed() < SILENCE);
    }

    /// `None` if there are too many nodes to know another.
    fn with<T>(&self, node: NodeId, act: impl FnOnce(&mut Replica) -> T) -> Option<T> {
        let mut nodes = self.write();
        if nodes.len() >= MAX_NODES && !nodes.contains_key(&node) {
            return None;
        }
        let new = || Replica { devices: Devices::new(), staged: Devices::new(), heard: Instant::now() };
        let replica = nodes.entry(node).or_insert_with(new);
        replica.heard = Instant::now();
        Some(act(replica))
    }

    // Each change is a whole insert or remove, so a panic elsewhere leaves the map usable.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<NodeId, Replica>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<NodeId, Replica>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(known: &mut Devices, changes: &[(DeviceId, u16)]) {
    for (device, sockets) in changes {
        if *sockets == 0 {
            known.remove(device);
        } else if known.len() < MAX_DEVICES || known.contains_key(device) {
            known.insert(*device, *sockets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([1; 16]);

    fn device(n: u8) -> DeviceId {
        DeviceId([n; 16])
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_follows_is_checked_and_is_forgotten_in_silence() {
        let elsewhere = Elsewhere::default();
        elsewhere.changed(NODE, &[(device(1), 1), (device(2), 2)]);
        elsewhere.changed(NODE, &[(device(1), 0)]);
        assert_eq!([1, 2].map(|n| elsewhere.sockets_of(device(n))), [0, 2]);
        assert!(elsewhere.agrees(NODE, digest([(device(2), 2)].into_iter())));
        assert!(!elsewhere.agrees(NODE, digest([(device(2), 1)].into_iter())));
        elsewhere.snapshot(NODE, true, false, &[(device(3), 1)]);
        assert_eq!(elsewhere.sockets_of(device(2)), 2, "not complete");
        elsewhere.snapshot(NODE, true, false, &[(device(4), 1)]);
        elsewhere.snapshot(NODE, false, true, &[(device(5), 1)]);
        assert_eq!([2, 3, 4, 5].map(|n| elsewhere.sockets_of(device(n))), [0, 0, 1, 1]);
        let other = NodeId([2; 16]);
        elsewhere.changed(other, &[(device(4), 3)]);
        assert_eq!(elsewhere.sockets_of(device(4)), 4);
        elsewhere.forget(other);
        assert_eq!(elsewhere.sockets_of(device(4)), 1);
        tokio::time::advance(SILENCE).await;
        elsewhere.expire(Instant::now());
        assert_eq!(elsewhere.sockets_of(device(4)), 1, "nobody could have been heard before");
        elsewhere.expire(Instant::now() - SILENCE);
        assert_eq!(elsewhere.sockets_of(device(4)), 0);
    }
}
