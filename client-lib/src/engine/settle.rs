//! What became of what was published. The server's answer and the echo in the log race; whichever comes first finishes
//! the intent here, and the other finds nothing left to do.

use super::{
    Effect, Engine, EngineError, Event, OutOfSync, RoomState, Step,
    state::{Body, Intent, MemberRecord, RoomRecord, Wish},
};
use crate::storage::{Line, LineBody};
use firstlight_protocol::{
    ErrorCode, MessageId, Problem, RoomId, Timestamp,
    api::{Acks, Committed, RoomCursor, Sent},
    cert::DeviceIdentity,
    mls::Content,
};

/// Where in the log something happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) id: MessageId,
}

impl Engine {
    /// The server has the room (also when it says that it had it before).
    pub fn room_created(&mut self, room: RoomId, now: Timestamp) -> Result<Step, EngineError> {
        let created = self.intents(room)?.into_iter().find(|i| matches!(i.wish, Wish::Create));
        let Some(intent) = created else {
            return Ok(Step::default());
        };
        let adds_members =
            matches!(intent.built.as_ref().map(|b| &b.body), Some(Body::Room(body)) if body.commit.is_some());
        if adds_members {
            // A new room's log begins with the commit that adds its members.
            return self.accepted(room, intent.id, 1, now);
        }
        let mut record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        self.step(|engine, step| {
            engine.drop_intent(&intent);
            engine.enter(&mut record, step);
            engine.save_room(&record);
            engine.pump(&mut record, now, step)
        })
    }

    /// The server has taken a commit.
    pub fn published_commit(&mut self, room: RoomId, id: MessageId, answer: &Committed) -> Result<Step, EngineError> {
        self.accepted(room, id, answer.seq, answer.at)
    }

    /// The server has taken a message.
    pub fn published_message(&mut self, room: RoomId, id: MessageId, answer: &Sent) -> Result<Step, EngineError> {
        self.accepted(room, id, answer.seq, answer.at)
    }

    /// Finishes the intent if the log has been read up to it; otherwise notes it and asks for the log, which finishes
    /// it in its turn: everything is applied in the log's order.
    fn accepted(&mut self, room: RoomId, id: MessageId, seq: u64, at: Timestamp) -> Result<Step, EngineError> {
        let Some(mut intent) = self.intent(room, id)? else {
            return Ok(Step::default());
        };
        let Some(mut record) = self.room_record(room)? else {
            return Ok(Step::default());
        };
        self.step(|engine, step| {
            let next = matches!(intent.wish, Wish::Rejoin) || record.cursor + 1 == seq;
            if next && intent.built.is_some() {
                engine.finish(&mut record, intent, Place { seq, at, id }, step)?;
                engine.save_room(&record);
                engine.ack(&record, step);
                return engine.pump(&mut record, at, step);
            }
            if seq > record.cursor {
                intent.accepted = true;
                engine.save_intent(&intent);
                step.effects.push(Effect::FetchLog(RoomCursor { room, seq: record.cursor }));
            } else if matches!(intent.wish, Wish::Send { .. }) {
                // It was said under this id before, and read since: wishing it again says nothing new.
                engine.drop_intent(&intent);
                step.events.push(Event::Sent { room, id, seq });
            }
            Ok(())
        })
    }

    /// An own intent stands in the log at `place`, right behind the cursor: it comes true, and the cursor moves on.
    pub(super) fn finish(
        &mut self,
        record: &mut RoomRecord,
        intent: Intent,
        place: Place,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        self.drop_intent(&intent);
        match intent.wish {
            Wish::Send { content } => self.finish_message(record, content, place, step),
            Wish::Rejoin => self.finish_rejoin(record, place, step),
            Wish::Create | Wish::Add { .. } | Wish::Remove { .. } | Wish::Update => {
                self.finish_commit(record, place, step)
            }
        }
    }

    fn finish_message(
        &mut self,
        record: &mut RoomRecord,
        content: Content,
        place: Place,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        if let Content::Profile { name } = &content {
            record.name = Some(name.clone());
        }
        if let Some(own) = self.identity() {
            self.note_ask(record, own, &content, place)?;
        }
        record.cursor = place.seq;
        let line = self.line(record.room, place, self.identity().cloned(), LineBody::Message(content));
        step.batch.lines.push(line);
        step.events.push(Event::Sent { room: record.room, id: place.id, seq: place.seq });
        step.events.push(Event::Line { room: record.room, seq: place.seq });
        Ok(())
    }

    fn finish_commit(&mut self, record: &mut RoomRecord, place: Place, step: &mut Step) -> Result<(), EngineError> {
        let mut group = self.take_group(record.room)?;
        if group.pending_commit().is_none() {
            self.put_group(record.room, group);
            self.lose(record, OutOfSync::LostState, step)?;
            return Ok(());
        }
        let before = self.members(record.room)?;
        group.merge_pending_commit(&self.provider).map_err(EngineError::mls)?;
        let after = self.verify_members(group.members(), &before, &record.context, place.at);
        record.epoch = group.epoch().as_u64();
        self.put_group(record.room, group);
        let Ok(after) = after else {
            // Verified when it was built; a certificate may have ended since.
            self.lose(record, OutOfSync::UntrustedMember, step)?;
            return Ok(());
        };
        self.save_members(record.room, &after);
        self.note_classes(record, &before, &after, record.epoch)?;
        record.cursor = place.seq;
        if record.state == RoomState::Creating {
            self.enter(record, step);
            let members = after.into_iter().map(|m| m.identity).collect();
            let body = LineBody::Joined { context: record.context.clone(), members };
            step.batch.lines.push(self.line(record.room, place, self.identity().cloned(), body));
            step.events.push(Event::Line { room: record.room, seq: place.seq });
        } else if let Some(own) = self.identity().cloned() {
            self.note_members(record.room, place, own, &before, &after, step);
        }
        Ok(())
    }

    /// The room can be used from now on.
    pub(super) fn enter(&self, record: &mut RoomRecord, step: &mut Step) {
        record.state = RoomState::Joined;
        record.lost = None;
        record.leaves_at = None;
        step.events.push(Event::Joined { room: record.room, context: record.context.clone() });
        step.effects.push(Effect::Subscribe(RoomCursor { room: record.room, seq: record.cursor }));
    }

    /// Leaves a visible line about who came and went. Fresh keys of the same devices are no change of members.
    pub(super) fn note_members(
        &self,
        room: RoomId,
        place: Place,
        by: DeviceIdentity,
        before: &[MemberRecord],
        after: &[MemberRecord],
        step: &mut Step,
    ) {
        let missing_in = |from: &[MemberRecord], other: &[MemberRecord]| -> Vec<DeviceIdentity> {
            let gone = |m: &&MemberRecord| !other.iter().any(|o| o.identity.device == m.identity.device);
            from.iter().filter(gone).map(|m| m.identity.clone()).collect()
        };
        let (added, removed) = (missing_in(after, before), missing_in(before, after));
        if added.is_empty() && removed.is_empty() {
            return;
        }
        let body = LineBody::Members { added: added.clone(), removed: removed.clone() };
        step.batch.lines.push(self.line(room, place, Some(by.clone()), body));
        step.events.push(Event::MembersChanged { room, by, added, removed });
        step.events.push(Event::Line { room, seq: place.seq });
    }

    pub(super) fn line(&self, room: RoomId, place: Place, sender: Option<DeviceIdentity>, body: LineBody) -> Line {
        let own = sender.as_ref().is_some_and(|s| self.is_own(s.device));
        Line { room, seq: place.seq, at: place.at, id: place.id, sender, own, body }
    }

    /// What is stored once this step is: the server needn't give it again.
    pub(super) fn ack(&self, record: &RoomRecord, step: &mut Step) {
        let cursor = RoomCursor { room: record.room, seq: record.cursor };
        let known = step.effects.iter_mut().find_map(|e| match e {
            Effect::Ack(acks) => Some(acks),
            _ => None,
        });
        match known {
            Some(acks) => acks.rooms.push(cursor),
            None => step.effects.push(Effect::Ack(Acks { rooms: vec![cursor], inbox: None })),
        }
    }

    /// The server has refused what was published under `id`. A retryable problem ([`super::is_retryable`]) changes
    /// nothing; a stale epoch builds the intent again after the room's log; anything else fails the intent.
    pub fn refused(
        &mut self,
        room: RoomId,
        id: MessageId,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        if super::is_retryable(problem) {
            return Ok(Step::default());
        }
        let Some(mut intent) = self.intent(room, id)? else {
            return Ok(Step::default());
        };
        let Some(built) = intent.built.clone().filter(|_| intent.failed.is_none() && !intent.accepted) else {
            return Ok(Step::default());
        };
        let Some(mut record) = self.room_record(room)? else {
            return Ok(Step::default());
        };
        self.step(|engine, step| {
            if let Wish::Rejoin = intent.wish {
                return engine.rejoin_refused(&mut record, &intent, problem, step);
            }
            engine.unstage(&record, &intent)?;
            match (problem.code, &intent.wish) {
                (ErrorCode::StaleEpoch, wish) if !matches!(wish, Wish::Create) => {
                    intent.built = None;
                    intent.stale = Some(built.epoch);
                    engine.save_intent(&intent);
                    if record.epoch <= built.epoch {
                        step.effects.push(Effect::FetchLog(RoomCursor { room, seq: record.cursor }));
                    }
                }
                // An earlier ciphertext of this message was accepted under the same id: the log will show it.
                (ErrorCode::Conflict, Wish::Send { .. }) => {
                    intent.accepted = true;
                    engine.save_intent(&intent);
                    step.effects.push(Effect::FetchLog(RoomCursor { room, seq: record.cursor }));
                }
                _ => engine.fail_intent(&mut intent, problem.clone(), step),
            }
            engine.pump(&mut record, now, step)
        })
    }

    /// Takes back a pending commit that the server did not accept.
    fn unstage(&mut self, record: &RoomRecord, intent: &Intent) -> Result<(), EngineError> {
        let is_ordinary_commit = matches!(intent.built.as_ref().map(|b| &b.body), Some(Body::Commit(_)));
        if is_ordinary_commit {
            let mut group = self.take_group(record.room)?;
            group.clear_pending_commit(&self.provider.store).map_err(EngineError::mls)?;
            self.put_group(record.room, group);
        }
        Ok(())
    }
}
