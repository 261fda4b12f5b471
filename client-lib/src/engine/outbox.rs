//! What waits to be published or fetched, and what a person does with what failed.

use super::{
    Effect, Engine, EngineError, Pending, PendingKind, RoomState, Step,
    intent::effect_of,
    state::{PendingWelcome, Wish, key},
};
use firstlight_protocol::{
    MessageId, OrgId, RoomId, Timestamp,
    api::{Acks, RoomCursor},
};

impl Engine {
    /// Every request that is open now, as after a restart or a reconnect: publications that were not answered, Welcomes
    /// and group states that were not fetched, key packages, revocation lists. All are idempotent.
    pub fn outbox(&self) -> Vec<Effect> {
        // Every record was read when the engine was opened.
        self.open_requests().unwrap_or_default()
    }

    fn open_requests(&self) -> Result<Vec<Effect>, EngineError> {
        let store = &self.provider.store;
        let mut effects = self.publish_key_packages()?;
        for org in store.records::<OrgId>(key::ORGANISATIONS, "an organisation to ask about")? {
            effects.push(Effect::FetchOrganisation { org });
        }
        for welcome in store.records::<PendingWelcome>(key::WELCOMES, "an announced Welcome")? {
            effects.push(Effect::FetchWelcome { room: welcome.room, epoch: welcome.epoch });
        }
        let mut acks = Acks { rooms: Vec::new(), inbox: Some(self.inbox_cursor()) };
        for record in self.room_records()? {
            match record.state {
                RoomState::OutOfSync(_) => effects.push(Effect::FetchGroupState { room: record.room }),
                RoomState::Joined => acks.rooms.push(RoomCursor { room: record.room, seq: record.cursor }),
                _ => {}
            }
        }
        let intents = self.all_intents()?;
        let leaving =
            self.room_records()?.into_iter().filter(|r| r.state == RoomState::Joined && r.leaves_at.is_some());
        let behind = intents.iter().filter(|i| i.accepted).map(|i| i.room).chain(leaving.map(|r| r.room));
        for room in behind.collect::<std::collections::BTreeSet<RoomId>>() {
            if let Some(record) = self.room_record(room)? {
                effects.push(Effect::FetchLog(RoomCursor { room, seq: record.cursor }));
            }
        }
        effects.extend(intents.iter().filter_map(effect_of));
        effects.push(Effect::Ack(acks));
        Ok(effects)
    }

    /// Intents that are not done, oldest first; failed ones included.
    pub fn pending(&self) -> Vec<Pending> {
        let intents = self.all_intents().unwrap_or_default().into_iter();
        intents
            .map(|i| Pending { id: i.id, room: i.room, at: i.at, what: PendingKind::from(&i.wish), failed: i.failed })
            .collect()
    }

    /// Tries a failed intent again.
    pub fn retry(&mut self, id: MessageId, now: Timestamp) -> Result<Step, EngineError> {
        let Some(mut intent) = self.all_intents()?.into_iter().find(|i| i.id == id && i.failed.is_some()) else {
            return Ok(Step::default());
        };
        let mut record = self.room_record(intent.room)?.ok_or(EngineError::NoSuchRoom { room: intent.room })?;
        self.step(|engine, step| {
            intent.failed = None;
            engine.save_intent(&intent);
            step.effects.extend(effect_of(&intent));
            engine.pump(&mut record, now, step)
        })
    }

    /// Gives a failed intent up; a room that could not be created goes with it.
    pub fn discard(&mut self, id: MessageId) -> Result<Step, EngineError> {
        let Some(intent) = self.all_intents()?.into_iter().find(|i| i.id == id && i.failed.is_some()) else {
            return Ok(Step::default());
        };
        self.step(|engine, _| {
            engine.drop_intent(&intent);
            if let Wish::Create = intent.wish {
                for other in engine.intents(intent.room)? {
                    engine.drop_intent(&other);
                }
                engine.delete_group(intent.room)?;
                engine.provider.store.remove(&key::room(intent.room));
                engine.provider.store.remove(&key::members(intent.room));
            }
            Ok(())
        })
    }
}
