//! The client without a clock, a socket or a disk: inputs go in, a [`Step`] comes out.
//!
//! The engine's whole state is one ordered map. A call works on an overlay of pending changes; the host stores the
//! overlay in one transaction and says so ([`Engine::persisted`]), or drops it ([`Engine::rolled_back`]). MLS state,
//! plaintext, cursor and outbox change together, so a crash anywhere replays to the same state, and everything received
//! is a function of the log alone. Time comes in as a parameter; the random bytes that MLS needs come from the system
//! through openmls' provider.
//!
//! Inputs: what a person wants ([`Engine::create_room`], [`Engine::send`], ...), what the server gives
//! ([`Engine::receive_entries`], [`Engine::receive_inbox`], ...), and what became of a request
//! ([`Engine::published_commit`], [`Engine::published_message`], [`Engine::refused`], ...).

mod admission;
mod commit;
mod device;
mod error;
mod group;
#[cfg(feature = "testing")]
mod hostile;
mod inbox;
mod intent;
mod key_packages;
mod mls_store;
mod notices;
mod outbox;
mod pump;
mod query;
mod receive;
mod rejoin;
mod revoke;
mod room;
mod settle;
mod state;
mod step;
mod store;
mod suites;
mod trust;
#[cfg(feature = "native")]
mod uploads;
mod view;
mod welcome;

pub use device::AdminMaterial;
pub use error::{EngineError, is_retryable};
pub use receive::MAX_ENTRIES;
pub use step::{Effect, Event, OutOfSync, Step};
pub use view::{Answered, Ask, Pending, PendingKind, RoomState, RoomSummary, Safety};

use crate::storage::Snapshot;
use device::Device;
use firstlight_protocol::RoomId;
use mls_store::Provider;
use openmls::prelude::{GroupId, MlsGroup, PastEpochDeletionPolicy};
use std::collections::BTreeMap;
use trust::Verified;

/// The client engine of one device.
#[derive(Debug)]
pub struct Engine {
    provider: Provider,
    /// Groups that are loaded. Dropped on a rollback: they would be ahead of storage.
    groups: BTreeMap<RoomId, MlsGroup>,
    device: Device,
    /// Certificates that this step has verified already.
    verified: Verified,
}

impl Engine {
    /// Opens the engine on what storage holds; an empty snapshot is a device that is not set up yet.
    pub fn open(snapshot: Snapshot) -> Result<Self, EngineError> {
        let provider = Provider { store: store::Store::new(snapshot.values), ..Provider::default() };
        let device = Device::load(&provider.store)?;
        let engine = Self { provider, groups: BTreeMap::new(), device, verified: Verified::default() };
        engine.check_records()?;
        Ok(engine)
    }

    /// The last step is stored: its changes become the state.
    pub fn persisted(&mut self) {
        self.provider.store.keep();
    }

    /// The last step could not be stored: its changes are forgotten, as if the call had never been made.
    pub fn rolled_back(&mut self) {
        self.provider.store.forget();
        self.groups.clear();
        // What was loaded before loads again; should it not, the device stays as it is in memory.
        if let Ok(device) = Device::load(&self.provider.store) {
            self.device = device;
        }
    }

    /// Runs one call: all of its changes become a step, or none is made.
    fn step(
        &mut self,
        call: impl FnOnce(&mut Self, &mut Step) -> Result<(), EngineError>,
    ) -> Result<Step, EngineError> {
        if self.provider.store.has_pending() {
            return Err(EngineError::Unpersisted);
        }
        self.verified.clear();
        let mut step = Step::default();
        match call(self, &mut step).and_then(|()| self.write_secrets()) {
            Ok(()) => {
                step.batch.values = self.provider.store.pending();
                Ok(step)
            }
            Err(e) => {
                self.rolled_back();
                Err(e)
            }
        }
    }

    /// Takes a room's group out of the cache, or loads it. Put it back with [`Self::put_group`].
    fn take_group(&mut self, room: RoomId) -> Result<MlsGroup, EngineError> {
        match self.groups.remove(&room) {
            Some(group) => Ok(group),
            None => self.load_group(room)?.ok_or(EngineError::Damaged { what: "a room's keys" }),
        }
    }

    fn load_group(&self, room: RoomId) -> Result<Option<MlsGroup>, EngineError> {
        MlsGroup::load(&self.provider.store, &group_id(room))
            .map_err(|_| EngineError::Damaged { what: "a room's keys" })
    }

    fn put_group(&mut self, room: RoomId, group: MlsGroup) {
        self.groups.insert(room, group);
    }

    /// Writes the message secrets that changed during the step, once per group.
    fn write_secrets(&mut self) -> Result<(), EngineError> {
        let Self { provider, groups, .. } = self;
        for (room, group) in groups.iter_mut() {
            provider.store.flush_secrets(&group_id(*room), || {
                // Setting the policy that is set already changes nothing and writes the secrets.
                let policy = PastEpochDeletionPolicy::MaxEpochs(group::PAST_EPOCHS);
                group.set_past_epoch_deletion_policy(provider, policy).map_err(EngineError::mls)
            })?;
        }
        Ok(())
    }
}

/// A room's id is its MLS group id.
fn group_id(room: RoomId) -> GroupId {
    GroupId::from_slice(room.as_bytes())
}
