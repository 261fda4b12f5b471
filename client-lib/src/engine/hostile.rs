//! For tests alone: a member's device that keeps no rule.

use super::{
    Engine, EngineError,
    group::{Changes, build_commit, suite},
};
use firstlight_protocol::{
    MessageId, RoomId, Timestamp,
    admission::Consent,
    api::{ClaimedKeyPackage, CommitBundle},
};

impl Engine {
    /// A commit that adds devices with these consents, whatever they are worth. Nothing is stored.
    pub fn add_unchecked(
        &mut self,
        room: RoomId,
        members: &[ClaimedKeyPackage],
        consents: Vec<Consent>,
        id: MessageId,
        now: Timestamp,
    ) -> Result<CommitBundle, EngineError> {
        let record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        let mut add = Vec::with_capacity(members.len());
        for claimed in members {
            add.push(self.open_key_package(claimed, suite(record.suite)?, &record.context, now)?.0);
        }
        let mut group = self.take_group(room)?;
        let changes = Changes { add, consents, ..Changes::default() };
        let bundle = build_commit(&self.provider, self.own()?, &mut group, id, changes);
        self.rolled_back();
        bundle
    }
}
