//! Questions to the engine; none changes anything.

use super::{
    Engine, EngineError, RoomState, RoomSummary, Safety,
    state::{KeyPackageRecord, PendingWelcome, RoomRecord, key},
};
use firstlight_protocol::{
    CalloutId, OrgId, RoomId,
    api::{InboxItem, RoomCursor},
};
use sha2::{Digest, Sha256};

impl Engine {
    /// All rooms, those that were left included.
    pub fn rooms(&self) -> Vec<RoomSummary> {
        self.room_records().unwrap_or_default().into_iter().map(|r| self.summary(r)).collect()
    }

    /// One room.
    pub fn room(&self, room: RoomId) -> Option<RoomSummary> {
        self.room_record(room).ok().flatten().map(|r| self.summary(r))
    }

    /// The room of a callout, if this device is or was a member.
    pub fn callout_room(&self, callout: CalloutId) -> Option<RoomSummary> {
        let rooms = self.room_records().unwrap_or_default().into_iter();
        let mut rooms: Vec<_> = rooms.filter(|r| r.context.callout == Some(callout)).collect();
        // Should there be two, the one that is still in use.
        rooms.sort_by_key(|r| r.state == RoomState::Left);
        rooms.into_iter().next().map(|r| self.summary(r))
    }

    fn summary(&self, record: RoomRecord) -> RoomSummary {
        let members: Vec<_> = self.members(record.room).unwrap_or_default().into_iter().map(|m| m.identity).collect();
        let revoked_members = members.iter().filter(|m| self.is_revoked(m)).map(|m| m.device).collect();
        RoomSummary {
            asks: self.asks(&record),
            room: record.room,
            context: record.context,
            name: record.name,
            suite: record.suite,
            state: record.state,
            epoch: record.epoch,
            cursor: record.cursor,
            unread: record.unread,
            members,
            revoked_members,
        }
    }

    /// Where to resume each room's log, for the websocket's `hello`.
    pub fn cursors(&self) -> Vec<RoomCursor> {
        let rooms = self.room_records().unwrap_or_default().into_iter();
        let open = rooms.filter(|r| !matches!(r.state, RoomState::Left | RoomState::Creating));
        open.map(|r| RoomCursor { room: r.room, seq: r.cursor }).collect()
    }

    /// Where to resume the inbox.
    pub fn inbox_cursor(&self) -> u64 {
        self.provider.store.get(key::INBOX, "the inbox").ok().flatten().unwrap_or(0)
    }

    /// The number that members compare aloud to know that they are in the same room with the same people: RFC 9420's
    /// epoch authenticator (§8.7), through SHA-256, as six groups of five digits.
    pub fn safety(&self, room: RoomId) -> Result<Safety, EngineError> {
        let group = match self.groups.get(&room) {
            Some(group) => return Ok(safety_of(group)),
            None => self.load_group(room)?,
        };
        group.as_ref().map(safety_of).ok_or(EngineError::NoSuchRoom { room })
    }

    /// Reads every record once, so that questions can't meet a damaged one later.
    pub(super) fn check_records(&self) -> Result<(), EngineError> {
        let store = &self.provider.store;
        for record in self.room_records()? {
            self.members(record.room)?;
            self.admissions(record.room)?;
        }
        self.all_intents()?;
        store.get::<u64>(key::INBOX, "the inbox")?;
        store.records::<InboxItem>(key::NOTICES, "a notice")?;
        store.records::<PendingWelcome>(key::WELCOMES, "an announced Welcome")?;
        store.records::<OrgId>(key::ORGANISATIONS, "an organisation to ask about")?;
        #[cfg(feature = "native")]
        store.records::<crate::attachment::UploadRecord>(key::UPLOADS, "a file on its way")?;
        store.records::<KeyPackageRecord>(key::KEY_PACKAGES, "a key package")?;
        Ok(())
    }
}

fn safety_of(group: &openmls::prelude::MlsGroup) -> Safety {
    let hash = Sha256::digest(group.epoch_authenticator().as_slice());
    let groups: Vec<String> = hash
        .chunks(5)
        .take(6)
        .map(|chunk| {
            let number = chunk.iter().fold(0u64, |n, byte| (n << 8) | u64::from(*byte));
            format!("{:05}", number % 100_000)
        })
        .collect();
    Safety { epoch: group.epoch().as_u64(), number: groups.join(" ") }
}
