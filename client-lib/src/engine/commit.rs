//! Commits of others: checked against what a commit may do here, then merged.

use super::{
    Effect, Engine, EngineError, Event, OutOfSync, RoomState, Step,
    admission::coming,
    group::read_message,
    settle::Place,
    state::{Body, MemberRecord, RoomRecord},
};
use firstlight_protocol::{
    ErrorCode, OrgKind, Problem, RoomId, Timestamp,
    api::{LogEntry, RoomCursor},
    cert::DeviceIdentity,
    mls::parse_commit_data,
};
use openmls::prelude::{
    LeafNode, MlsGroup, MlsMessageBodyIn, ProcessMessageError, ProcessedMessageContent, Proposal, ProtocolMessage,
    Sender, StagedCommit,
};
use std::collections::BTreeSet;

impl Engine {
    /// Takes in somebody else's commit. One that is not accepted makes the room out of sync: the server has ordered it,
    /// so others may follow it, and this device can't go on reading without it.
    pub(super) fn receive_commit(
        &mut self,
        record: &mut RoomRecord,
        entry: &LogEntry,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        let mut group = match self.take_group(record.room) {
            Ok(group) => group,
            Err(_) => return self.lose(record, OutOfSync::LostState, step),
        };
        let before = self.members(record.room)?;
        let accepted = self.check_commit(&mut group, record, &before, entry, now)?;
        let (staged, by) = match accepted {
            Ok(accepted) => accepted,
            Err(reason) => {
                self.put_group(record.room, group);
                if self.ask_about_unknown(step) {
                    // Read again from here, once the server has said who that is.
                    step.effects.push(Effect::FetchLog(RoomCursor { room: record.room, seq: record.cursor }));
                    return Ok(());
                }
                return self.lose(record, reason, step);
            }
        };
        let removes_us = staged.self_removed();
        group.merge_staged_commit(&self.provider, *staged).map_err(EngineError::mls)?;
        let after = self.verify_members(group.members(), &before, &record.context, now);
        record.epoch = group.epoch().as_u64();
        self.put_group(record.room, group);
        let Ok(after) = after else {
            return self.lose(record, OutOfSync::UntrustedMember, step);
        };
        self.save_members(record.room, &after);
        self.note_classes(record, &before, &after, record.epoch)?;
        let place = Place { seq: entry.seq, at: entry.at, id: entry.id };
        record.cursor = place.seq;
        self.note_members(record.room, place, by, &before, &after, step);
        if removes_us {
            return self.leave(record, step);
        }
        self.unbuild_commits(record)
    }

    /// Own commits for the epoch that just ended have lost the race: they are built again.
    fn unbuild_commits(&self, record: &RoomRecord) -> Result<(), EngineError> {
        for mut intent in self.intents(record.room)? {
            let lost =
                intent.built.as_ref().is_some_and(|b| matches!(b.body, Body::Commit(_)) && b.epoch < record.epoch);
            if lost {
                intent.built = None;
                intent.accepted = false;
                self.save_intent(&intent);
            }
        }
        Ok(())
    }

    /// The outer error is storage's and stops everything; the inner one is about the commit.
    #[allow(clippy::type_complexity, reason = "two kinds of failure, told apart on purpose")]
    fn check_commit(
        &mut self,
        group: &mut MlsGroup,
        record: &RoomRecord,
        before: &[MemberRecord],
        entry: &LogEntry,
        now: Timestamp,
    ) -> Result<Result<(Box<StagedCommit>, DeviceIdentity), OutOfSync>, EngineError> {
        let Ok(MlsMessageBodyIn::PublicMessage(message)) = read_message(&entry.body, "commit") else {
            return Ok(Err(OutOfSync::BadCommit));
        };
        let processed = match group.process_message(&self.provider, ProtocolMessage::from(message)) {
            Ok(processed) => processed,
            Err(ProcessMessageError::StorageError(_)) => return Err(EngineError::Damaged { what: "a room's keys" }),
            Err(_) => return Ok(Err(OutOfSync::BadCommit)),
        };
        let consents = match parse_commit_data(processed.aad()) {
            Ok((id, consents)) if id == entry.id => consents,
            _ => return Ok(Err(OutOfSync::BadCommit)),
        };
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Ok(Err(OutOfSync::BadCommit));
        };
        Ok(self.check_staged(record, before, &sender, &staged, now).and_then(|(by, coming)| {
            // The log's time and not this device's: all members decide alike.
            self.check_consents(record, before, coming, by.person, &consents, entry.at)
                .map_err(|_| OutOfSync::UnseenConsent)?;
            if by.device == entry.sender { Ok((staged, by)) } else { Err(OutOfSync::BadCommit) }
        }))
    }

    /// What a commit may do: add devices that may be in the room, remove members, renew the committer's keys; or, from
    /// outside, bring back a member whose old leaf it removes. Nothing else, whoever signs it. Answers with the committer,
    /// and the classes of organisations that come in.
    fn check_staged(
        &mut self,
        record: &RoomRecord,
        before: &[MemberRecord],
        sender: &Sender,
        staged: &StagedCommit,
        now: Timestamp,
    ) -> Result<(DeviceIdentity, BTreeSet<OrgKind>), OutOfSync> {
        let external = matches!(sender, Sender::NewMemberCommit);
        let allowed = staged.queued_proposals().all(|queued| match queued.proposal() {
            Proposal::Add(_) => !external,
            Proposal::Remove(_) => true,
            Proposal::ExternalInit(_) => external,
            _ => false,
        });
        if !allowed {
            return Err(OutOfSync::ForbiddenCommit);
        }
        let mut verify = |leaf: &LeafNode| {
            self.verify_leaf(leaf.credential(), leaf.signature_key().as_slice(), &record.context, now)
                .map_err(|_| OutOfSync::UntrustedMember)
        };
        let mut added = Vec::new();
        for add in staged.add_proposals() {
            added.push(verify(add.add_proposal().key_package().leaf_node())?);
        }
        let fresh = staged.update_path_leaf_node().map(&mut verify).transpose()?;
        let old = |leaf: u32| before.iter().find(|m| m.leaf == leaf).map(|m| m.identity.clone());
        let by = match sender {
            Sender::Member(leaf) => {
                let by = old(leaf.u32()).ok_or(OutOfSync::BadCommit)?;
                // A member may renew its own certificates, and not turn into somebody else.
                if fresh.is_some_and(|f| (f.device, f.org) != (by.device, by.org)) {
                    return Err(OutOfSync::ForbiddenCommit);
                }
                Ok(by)
            }
            Sender::NewMemberCommit => {
                let by = fresh.ok_or(OutOfSync::BadCommit)?;
                let removed: Vec<_> =
                    staged.remove_proposals().map(|r| old(r.remove_proposal().removed().u32())).collect();
                match removed.as_slice() {
                    [Some(one)] if (one.device, one.org) == (by.device, by.org) => Ok(by),
                    _ => Err(OutOfSync::ForbiddenCommit),
                }
            }
            _ => Err(OutOfSync::ForbiddenCommit),
        }?;
        Ok((by, coming(record, before, &added)))
    }

    /// The room can't be followed: reading stops at the cursor, and the way back is an external commit.
    pub(super) fn lose(
        &mut self,
        record: &mut RoomRecord,
        reason: OutOfSync,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        record.state = RoomState::OutOfSync(reason);
        record.lost = Some(reason);
        for mut intent in self.intents(record.room)? {
            if matches!(intent.built.as_ref().map(|b| &b.body), Some(Body::Commit(_))) {
                intent.built = None;
                intent.accepted = false;
                self.save_intent(&intent);
            }
        }
        step.events.push(Event::OutOfSync { room: record.room, reason });
        step.effects.push(Effect::FetchGroupState { room: record.room });
        Ok(())
    }

    /// This device is out: the keys go, what was read stays.
    pub(super) fn leave(&mut self, record: &mut RoomRecord, step: &mut Step) -> Result<(), EngineError> {
        record.state = RoomState::Left;
        self.delete_group(record.room)?;
        for mut intent in self.intents(record.room)? {
            if intent.failed.is_none() {
                self.fail_intent(&mut intent, Problem::new(ErrorCode::NotAMember), step);
            }
        }
        step.events.push(Event::Left { room: record.room });
        Ok(())
    }

    /// Leaves a room that the server has said this device left, once the log is read to its end.
    pub(super) fn leave_if_due(&mut self, record: &mut RoomRecord, step: &mut Step) -> Result<(), EngineError> {
        let due = record.leaves_at.is_some_and(|last| record.cursor >= last);
        if due && record.state != RoomState::Left { self.leave(record, step) } else { Ok(()) }
    }

    pub(super) fn delete_group(&mut self, room: RoomId) -> Result<(), EngineError> {
        let group = match self.groups.remove(&room) {
            Some(group) => Some(group),
            None => self.load_group(room).unwrap_or(None),
        };
        match group {
            Some(mut group) => {
                group.delete(&self.provider.store).map_err(|_| EngineError::Damaged { what: "a room's keys" })
            }
            None => Ok(()),
        }
    }
}
