//! The public state of rooms' MLS groups, kept in memory for rooms in use and rebuilt from the store at any time.
//!
//! The store holds a snapshot of a group's public state and the commits since: a snapshot at every commit that adds
//! members (so that nothing with a lifetime is ever validated twice) and at every [`SNAPSHOT_EVERY`]th otherwise.
//! Writing the whole tree at every commit would cost more than checking the commit.

use super::public_storage::Snapshot;
use crate::store::sql::{self, Row};
use crate::{Error, Result, store::Store};
use firstlight_protocol::{DeviceId, ErrorCode, OrgKind, RoomId};
use openmls::prelude::{GroupId, MlsMessageIn, ProcessedMessageContent, PublicGroup};
use openmls_rust_crypto::RustCrypto;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};
use tls_codec::Deserialize as _;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Commits without new members between two snapshots.
pub(super) const SNAPSHOT_EVERY: u64 = 32;
/// Groups kept in memory.
const MAX_CACHED: usize = 2_048;

/// A group's public state with what the store says about its room.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) public: PublicGroup,
    /// Which device sits in which leaf; verified when it came in.
    pub(super) members: BTreeMap<u32, DeviceId>,
    /// Classes of organisations that were in the room and left: the first epoch without them.
    pub(super) left: BTreeMap<OrgKind, u64>,
    pub(super) snapshot_epoch: u64,
}

/// A room's place in the cache, locked: commits to one room are checked one after another.
pub(super) type Slot = OwnedMutexGuard<Option<Group>>;

/// The cache.
#[derive(Debug, Default)]
pub struct Groups {
    rooms: Mutex<HashMap<RoomId, Arc<AsyncMutex<Option<Group>>>>>,
    /// One provider for all: it only does mathematics.
    pub(super) crypto: RustCrypto,
}

impl Groups {
    /// Locks a room's place.
    pub(super) async fn lock(&self, room: RoomId) -> Slot {
        let slot = {
            let mut rooms = crate::bus::lock(&self.rooms);
            if rooms.len() >= MAX_CACHED && !rooms.contains_key(&room) {
                rooms.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
            Arc::clone(rooms.entry(room).or_default())
        };
        slot.lock_owned().await
    }

    /// The group in a locked place, loaded if it isn't there. The caller empties the place when a change to it fails.
    pub(super) async fn load<'a>(&self, slot: &'a mut Slot, store: &Store, room: RoomId) -> Result<&'a mut Group> {
        // Another node may have taken a commit since.
        if store.is_shared()
            && let Some(group) = slot.as_ref()
            && group.public.group_context().epoch().as_u64() != epoch(store, room).await?
        {
            **slot = None;
        }
        if slot.is_none() {
            **slot = Some(self.read(store, room).await?);
        }
        slot.as_mut().ok_or_else(|| Error::internal("group cache"))
    }

    async fn read(&self, store: &Store, room: RoomId) -> Result<Group> {
        let row = sql::query("SELECT n, epoch, snapshot, snapshot_epoch, snapshot_seq FROM rooms WHERE room = $1")
            .bind(room.as_bytes())
            .fetch_optional(store.read())
            .await?
            .ok_or(ErrorCode::NotFound)?;
        let snapshot = Snapshot::decode(row.get("snapshot"))?;
        let mut public = PublicGroup::load(&snapshot, &GroupId::from_slice(room.as_bytes()))
            .map_err(|e| Error::internal(format!("room snapshot: {e}")))?
            .ok_or_else(|| Error::internal("room snapshot is incomplete"))?;
        let commits = sql::query("SELECT body FROM entries WHERE room = $1 AND seq > $2 AND kind = 1 ORDER BY seq")
            .bind(row.get::<i64>("n"))
            .bind(row.get::<i64>("snapshot_seq"))
            .fetch_all(store.read())
            .await?;
        for commit in commits {
            self.replay(&mut public, commit.get("body"))?;
        }
        let epoch: i64 = row.get("epoch");
        if public.group_context().epoch().as_u64() != epoch.cast_unsigned() {
            return Err(Error::internal("room snapshot and log do not lead to the room's epoch"));
        }
        Ok(Group {
            public,
            members: members(store, room).await?,
            left: left(store, room).await?,
            snapshot_epoch: row.get::<i64>("snapshot_epoch").cast_unsigned(),
        })
    }

    fn replay(&self, public: &mut PublicGroup, commit: &[u8]) -> Result<()> {
        let defect = |what: &str| Error::internal(format!("stored commit: {what}"));
        let message = MlsMessageIn::tls_deserialize_exact(commit).map_err(|_| defect("parse"))?;
        let message = message.try_into_protocol_message().map_err(|_| defect("not a handshake"))?;
        let processed = public.process_message(&self.crypto, message).map_err(|_| defect("verification"))?;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(defect("not a commit"));
        };
        public.merge_commit(&Snapshot::discard(), *staged).map_err(|_| defect("merge"))
    }
}

async fn epoch(store: &Store, room: RoomId) -> Result<u64> {
    let epoch = sql::query_scalar::<i64>("SELECT epoch FROM rooms WHERE room = $1").bind(room.as_bytes());
    Ok(epoch.fetch_optional(store.read()).await?.ok_or(ErrorCode::NotFound)?.cast_unsigned())
}

async fn members(store: &Store, room: RoomId) -> Result<BTreeMap<u32, DeviceId>> {
    let rows = sql::query("SELECT leaf, device FROM room_members WHERE room = $1 AND left_seq IS NULL")
        .bind(room.as_bytes())
        .fetch_all(store.read())
        .await?;
    rows.into_iter().map(|row| Ok((row.get("leaf"), crate::store::id(row.get("device"))?))).collect()
}

async fn left(store: &Store, room: RoomId) -> Result<BTreeMap<OrgKind, u64>> {
    let rows = sql::query("SELECT org_kind, epoch FROM room_classes_left WHERE room = $1")
        .bind(room.as_bytes())
        .fetch_all(store.read())
        .await?;
    let class = |row: &Row| crate::store::word(row.get("org_kind"));
    rows.iter().map(|row| Ok((class(row)?, row.get::<i64>("epoch").cast_unsigned()))).collect()
}
