//! Joining a room by Welcome.

use super::{
    Effect, Engine, EngineError, Event, RoomState, Step,
    group::{join_config, read_message, room_context},
    group_id,
    settle::Place,
    state::{MemberRecord, PendingWelcome, RoomRecord, key},
};
use crate::storage::LineBody;
use firstlight_protocol::{
    MessageId, RoomId, Timestamp,
    api::WelcomeBundle,
    cert::DeviceIdentity,
    limits::MAX_ROOM_DEVICES,
    mls::{RoomContext, SUITES},
};
use openmls::prelude::{MlsGroup, MlsMessageBodyIn, RatchetTreeIn, StagedWelcome};
use tls_codec::DeserializeBytes as _;

/// A group that a Welcome led into, all of it verified.
struct Joined {
    group: MlsGroup,
    context: RoomContext,
    members: Vec<MemberRecord>,
    by: Option<DeviceIdentity>,
}

impl Engine {
    /// Joins a room by its Welcome, after verifying the room's context and every member's certificates. A Welcome that
    /// can't be used is reported and skipped, and never comes back; only for an organisation that is not known here the
    /// server is asked, and the Welcome tried once more.
    pub fn receive_welcome(&mut self, welcome: &WelcomeBundle, now: Timestamp) -> Result<Step, EngineError> {
        self.own()?;
        let (room, epoch) = (welcome.room, welcome.epoch);
        let announced = self.provider.store.bytes(&key::welcome(room, epoch)).is_some();
        if !announced {
            return Ok(Step::default());
        }
        self.step(|engine, step| {
            engine.provider.store.remove(&key::welcome(room, epoch));
            let known = engine.room_record(room)?;
            if known.as_ref().is_some_and(|r| r.state != RoomState::Left && r.epoch >= epoch) {
                return Ok(());
            }
            let mark = engine.provider.store.mark();
            match engine.join(welcome, now) {
                Ok(joined) => engine.enter_joined(welcome, joined, known, now, step),
                Err(error) => {
                    // What openmls has written on the way is forgotten; the Welcome stays skipped.
                    engine.provider.store.reset(mark);
                    engine.groups.remove(&room);
                    if engine.ask_about_unknown(step) {
                        engine.provider.store.put(key::welcome(room, epoch), &PendingWelcome { room, epoch });
                        step.effects.push(Effect::FetchWelcome { room, epoch });
                        return Ok(());
                    }
                    step.events.push(Event::WelcomeFailed { room, reason: error.to_string() });
                    Ok(())
                }
            }
        })
    }

    /// The server has no such Welcome (any more).
    pub fn welcome_unavailable(&mut self, room: RoomId, epoch: u64) -> Result<Step, EngineError> {
        self.step(|engine, step| {
            if engine.provider.store.bytes(&key::welcome(room, epoch)).is_some() {
                engine.provider.store.remove(&key::welcome(room, epoch));
                let reason = "the server no longer has it".into();
                step.events.push(Event::WelcomeFailed { room, reason });
            }
            Ok(())
        })
    }

    fn join(&mut self, bundle: &WelcomeBundle, now: Timestamp) -> Result<Joined, EngineError> {
        let malformed = |what| EngineError::Malformed { what };
        let MlsMessageBodyIn::Welcome(welcome) = read_message(&bundle.welcome, "Welcome")? else {
            return Err(malformed("Welcome"));
        };
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&bundle.tree).map_err(|_| malformed("ratchet tree"))?;
        let staged = StagedWelcome::build_from_welcome(&self.provider, &join_config(), welcome)
            .map_err(EngineError::mls)?
            .with_ratchet_tree(tree)
            // Members' certificates are checked below; leaves of rooms that live longer than a key package are old.
            .skip_lifetime_validation()
            .replace_old_group()
            .build()
            .map_err(EngineError::mls)?;
        let group_context = staged.group_context();
        if *group_context.group_id() != group_id(bundle.room) || group_context.epoch().as_u64() != bundle.epoch {
            return Err(malformed("Welcome"));
        }
        if !SUITES.contains(&u16::from(group_context.ciphersuite())) {
            return Err(EngineError::UnknownSuite { suite: u16::from(group_context.ciphersuite()) });
        }
        let context = room_context(group_context.extensions()).ok_or_else(|| malformed("room context"))?;
        if staged.members().count() > MAX_ROOM_DEVICES {
            return Err(EngineError::TooLarge { what: "the room has too many devices" });
        }
        let members = self
            .verify_members(staged.members(), &[], &context, now)
            .map_err(|why| super::trust::untrusted("a member", why))?;
        let inviter = staged.welcome_sender_index().u32();
        let by = members.iter().find(|m| m.leaf == inviter).map(|m| m.identity.clone());
        self.delete_group(bundle.room)?;
        let group = staged.into_group(&self.provider).map_err(EngineError::mls)?;
        Ok(Joined { group, context, members, by })
    }

    fn enter_joined(
        &mut self,
        bundle: &WelcomeBundle,
        joined: Joined,
        known: Option<RoomRecord>,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        let room: RoomId = bundle.room;
        let Joined { group, context, members, by } = joined;
        let mut record = RoomRecord {
            room,
            suite: u16::from(group.ciphersuite()),
            context: context.clone(),
            state: RoomState::Joined,
            epoch: bundle.epoch,
            cursor: bundle.seq,
            unread: known.as_ref().map_or(0, |r| r.unread),
            name: known.and_then(|r| r.name),
            lost: None,
            leaves_at: None,
            accepts: false,
        };
        self.put_group(room, group);
        self.save_members(room, &members);
        let revoked: Vec<_> =
            members.iter().filter(|m| self.is_revoked(&m.identity)).map(|m| m.identity.device).collect();
        let identities = members.into_iter().map(|m| m.identity).collect();
        // The commit's own id is not known here; the line is the only one at its place.
        let place = Place { seq: bundle.seq, at: now, id: MessageId([0; 16]) };
        self.enter(&mut record, step);
        self.add_line(&mut record, place, by, LineBody::Joined { context, members: identities }, step);
        self.save_room(&record);
        self.unbuild_everything(room)?;
        self.ack(&record, step);
        self.want_removal(record.clone(), &revoked, now, step)?;
        self.pump(&mut record, now, step)
    }

    /// What was built for a group that is replaced can't be published any more.
    fn unbuild_everything(&self, room: RoomId) -> Result<(), EngineError> {
        for mut intent in self.intents(room)? {
            if intent.built.take().is_some() {
                intent.accepted = false;
                self.save_intent(&intent);
            }
        }
        Ok(())
    }
}
