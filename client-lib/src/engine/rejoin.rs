//! The way back into a room that can't be followed: an external commit (RFC 9420 §12.4.3.2).

use super::{
    Effect, Engine, EngineError, Event, OutOfSync, RoomState, Step,
    admission::coming,
    group::{commit_bundle, join_config, own_leaf, read_message, room_context},
    group_id,
    intent::effect_of,
    settle::Place,
    state::{Body, Built, Intent, MemberRecord, RoomRecord, Wish},
};
use crate::storage::LineBody;
use firstlight_protocol::{
    ErrorCode, MessageId, Problem, RoomId, Timestamp,
    admission::{Flaw, NotAdmitted},
    api::{CommitBundle, GroupState, RoomCursor, RoomView},
    mls::authenticated_data,
};
use openmls::prelude::{ExternalCommitBuilder, MlsGroup, MlsMessageBodyIn, RatchetTreeIn};
use tls_codec::DeserializeBytes as _;

impl Engine {
    /// Rejoins a room by external commit, removing this device's old leaf, after verifying that the room is still what
    /// it was and that every member may be in it. If that fails, the room stays out of sync and the event says why;
    /// [`Engine::outbox`] asks for the group state again.
    pub fn rejoin(
        &mut self,
        room: RoomId,
        state: &GroupState,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        self.own()?;
        let mut record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        if !matches!(record.state, RoomState::OutOfSync(_)) {
            return Ok(Step::default());
        }
        self.step(|engine, step| {
            let mark = engine.provider.store.mark();
            match engine.external_commit(&record, state, id, now) {
                Ok((group, bundle, members)) => {
                    let mut intent = engine.keep_intent(room, id, Wish::Rejoin, now)?;
                    intent.built = Some(Built { epoch: state.epoch, body: Body::Commit(bundle) });
                    engine.save_intent(&intent);
                    step.effects.extend(effect_of(&intent));
                    engine.put_group(room, group);
                    engine.note_classes(&record, &engine.members(room)?, &members, record.epoch + 1)?;
                    engine.save_members(room, &members);
                    record.accepts = false;
                    record.state = RoomState::Rejoining;
                }
                Err(error) => {
                    engine.provider.store.reset(mark);
                    engine.groups.remove(&room);
                    if engine.ask_about_unknown(step) {
                        step.effects.push(Effect::FetchGroupState { room });
                        return Ok(());
                    }
                    let reason = match error {
                        EngineError::Untrusted { .. } => OutOfSync::UntrustedMember,
                        EngineError::NotAdmitted(_) => OutOfSync::UnseenConsent,
                        _ => OutOfSync::BadCommit,
                    };
                    record.state = RoomState::OutOfSync(reason);
                    record.lost = Some(reason);
                    step.events.push(Event::OutOfSync { room, reason });
                }
            }
            engine.save_room(&record);
            Ok(())
        })
    }

    fn external_commit(
        &mut self,
        record: &RoomRecord,
        state: &GroupState,
        id: MessageId,
        now: Timestamp,
    ) -> Result<(MlsGroup, CommitBundle, Vec<MemberRecord>), EngineError> {
        let malformed = |what| EngineError::Malformed { what };
        let MlsMessageBodyIn::GroupInfo(info) = read_message(&state.group_info, "group info")? else {
            return Err(malformed("group info"));
        };
        if *info.group_id() != group_id(record.room) || info.epoch().as_u64() != state.epoch {
            return Err(malformed("group info"));
        }
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&state.tree).map_err(|_| malformed("ratchet tree"))?;
        self.delete_group(record.room)?;
        let own = self.own()?;
        let (group, bundle) = ExternalCommitBuilder::new()
            .with_ratchet_tree(tree)
            .with_config(join_config())
            .with_aad(authenticated_data(id))
            .skip_lifetime_validation()
            .build_group(&self.provider, info, own.credential())
            .map_err(EngineError::mls)?
            .leaf_node_parameters(own_leaf(own))
            .load_psks(&self.provider.store)
            .map_err(EngineError::mls)?
            .create_group_info(true)
            .build(&self.provider.crypto, &self.provider.crypto, &own.key, |_| true)
            .map_err(EngineError::mls)?
            .finalize(&self.provider)
            .map_err(EngineError::mls)?;
        if room_context(group.extensions()).as_ref() != Some(&record.context) {
            return Err(malformed("room context"));
        }
        let members = self
            .verify_members(group.members(), &self.members(record.room)?, &record.context, now)
            .map_err(|why| super::trust::untrusted("a member", why))?;
        // What the log would have shown is missed for good: whether two people wanted a class that came in meanwhile can't
        // be seen, so that a person has to say that they go on with it.
        let known = self.members(record.room)?;
        if let (false, Some(org_kind)) =
            (record.accepts, coming(record, &known, members.iter().map(|m| &m.identity)).pop_first())
        {
            return Err(NotAdmitted { org_kind, why: Flaw::Missing }.into());
        }
        Ok((group, commit_bundle(id, state.epoch, bundle)?, members))
    }

    /// The external commit stands in the log: reading goes on behind it.
    pub(super) fn finish_rejoin(
        &mut self,
        record: &mut RoomRecord,
        place: Place,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        let after = record.cursor;
        let group = self.take_group(record.room)?;
        record.epoch = group.epoch().as_u64();
        self.put_group(record.room, group);
        record.state = RoomState::Joined;
        let body = LineBody::Gap { after, reason: record.lost.take() };
        self.add_line(record, place, self.identity().cloned(), body, step);
        step.events.push(Event::BackInSync { room: record.room });
        step.effects.push(Effect::Subscribe(RoomCursor { room: record.room, seq: record.cursor }));
        Ok(())
    }

    /// The room moved on before the external commit arrived: again with a newer group state. If the server does not
    /// take this device for a member, the room is lost for good.
    pub(super) fn rejoin_refused(
        &mut self,
        record: &mut RoomRecord,
        intent: &Intent,
        problem: &Problem,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        self.drop_intent(intent);
        self.delete_group(record.room)?;
        if matches!(problem.code, ErrorCode::NotAMember | ErrorCode::NotFound) {
            self.leave(record, step)?;
        } else {
            let reason = record.lost.unwrap_or(OutOfSync::BadCommit);
            record.state = RoomState::OutOfSync(reason);
            if problem.code == ErrorCode::StaleEpoch {
                step.effects.push(Effect::FetchGroupState { room: record.room });
            } else {
                step.events.push(Event::OutOfSync { room: record.room, reason });
            }
        }
        self.save_room(record);
        Ok(())
    }

    /// The server's log begins after this device's place: what came between is gone for good, and the room is rejoined.
    pub fn log_expired(&mut self, room: RoomId, first: u64) -> Result<Step, EngineError> {
        let Some(mut record) = self.room_record(room)? else {
            return Ok(Step::default());
        };
        self.step(|engine, step| {
            if record.state == RoomState::Joined && first > record.cursor + 1 {
                engine.lose(&mut record, OutOfSync::LogExpired, step)?;
                engine.save_room(&record);
            }
            Ok(())
        })
    }

    /// Compares the server's rooms with places that this device had *before* it asked: a server that is behind them was
    /// restored from a copy. Everybody who is ahead rejoins what the server still has of the room.
    pub fn compare_rooms(&mut self, had: &[RoomCursor], views: &[RoomView]) -> Result<Step, EngineError> {
        self.step(|engine, step| {
            for cursor in had {
                let Some(view) = views.iter().find(|view| view.room == cursor.room && view.head < cursor.seq) else {
                    continue;
                };
                let Some(mut record) = engine.room_record(view.room)?.filter(|r| r.state == RoomState::Joined) else {
                    continue;
                };
                engine.lose(&mut record, OutOfSync::ServerForgot, step)?;
                record.cursor = view.head;
                engine.save_room(&record);
            }
            Ok(())
        })
    }

    /// The server says that this device is no member of a room any more.
    pub fn lost_room(&mut self, room: RoomId) -> Result<Step, EngineError> {
        let Some(mut record) = self.room_record(room)? else {
            return Ok(Step::default());
        };
        self.step(|engine, step| {
            if !matches!(record.state, RoomState::Left | RoomState::Creating) {
                engine.leave(&mut record, step)?;
                engine.save_room(&record);
            }
            Ok(())
        })
    }
}
