//! Intents and room records in the map.

use super::{
    Effect, Engine, EngineError, Step,
    state::{Body, Intent, MemberRecord, RoomRecord, Wish, key},
    step::Event,
};
use firstlight_protocol::{MessageId, Problem, RoomId, Timestamp, api::SendMessage, id::DeviceId};
use openmls_traits::random::OpenMlsRand;

impl Engine {
    /// Keeps a wish as the newest intent.
    pub(super) fn keep_intent(
        &self,
        room: RoomId,
        id: MessageId,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Intent, EngineError> {
        let store = &self.provider.store;
        let order: u64 = store.get(key::ORDER, "the order of intents")?.unwrap_or(0) + 1;
        store.put(key::ORDER.to_vec(), &order);
        let intent = Intent { id, room, order, at: now, wish, built: None, accepted: false, stale: None, failed: None };
        self.save_intent(&intent);
        Ok(intent)
    }

    pub(super) fn save_intent(&self, intent: &Intent) {
        self.provider.store.put(key::intent(intent.room, intent.order), intent);
    }

    pub(super) fn drop_intent(&self, intent: &Intent) {
        self.provider.store.remove(&key::intent(intent.room, intent.order));
    }

    /// A room's intents, oldest first.
    pub(super) fn intents(&self, room: RoomId) -> Result<Vec<Intent>, EngineError> {
        self.provider.store.records(&key::intents(room), "an intent")
    }

    /// All intents, oldest first.
    pub(super) fn all_intents(&self) -> Result<Vec<Intent>, EngineError> {
        let mut intents: Vec<Intent> = self.provider.store.records(key::INTENTS, "an intent")?;
        intents.sort_by_key(|i| i.order);
        Ok(intents)
    }

    pub(super) fn intent(&self, room: RoomId, id: MessageId) -> Result<Option<Intent>, EngineError> {
        Ok(self.intents(room)?.into_iter().find(|i| i.id == id))
    }

    /// Marks an intent as refused for good; the person decides what becomes of it.
    pub(super) fn fail_intent(&self, intent: &mut Intent, problem: Problem, step: &mut Step) {
        // A room that could not be created is offered again as it is; all else is built anew.
        if !matches!(intent.wish, Wish::Create) {
            intent.built = None;
        }
        intent.failed = Some(problem.clone());
        self.save_intent(intent);
        step.events.push(Event::Failed { room: intent.room, id: intent.id, problem });
    }

    pub(super) fn room_record(&self, room: RoomId) -> Result<Option<RoomRecord>, EngineError> {
        self.provider.store.get(&key::room(room), "a room")
    }

    pub(super) fn room_records(&self) -> Result<Vec<RoomRecord>, EngineError> {
        self.provider.store.records(key::ROOMS, "a room")
    }

    pub(super) fn save_room(&self, record: &RoomRecord) {
        self.provider.store.put(key::room(record.room), record);
    }

    pub(super) fn members(&self, room: RoomId) -> Result<Vec<MemberRecord>, EngineError> {
        Ok(self.provider.store.get(&key::members(room), "a room's members")?.unwrap_or_default())
    }

    pub(super) fn save_members(&self, room: RoomId, members: &[MemberRecord]) {
        self.provider.store.put(key::members(room), &members);
    }

    /// An id for an intent of the engine's own.
    pub(super) fn fresh_id(&self) -> Result<MessageId, EngineError> {
        self.provider.crypto.random_array::<16>().map(MessageId).map_err(EngineError::mls)
    }

    /// Whether a device is this one.
    pub(super) fn is_own(&self, device: DeviceId) -> bool {
        self.device() == Some(device)
    }
}

/// The request that an intent makes, if it is built and neither accepted nor failed.
pub(super) fn effect_of(intent: &Intent) -> Option<Effect> {
    if intent.accepted || intent.failed.is_some() {
        return None;
    }
    let (id, room) = (intent.id, intent.room);
    intent.built.as_ref().map(|built| match &built.body {
        Body::Room(body) => Effect::CreateRoom { id, room: body.clone() },
        Body::Commit(bundle) => Effect::PublishCommit { room, bundle: bundle.clone() },
        Body::Message(message) => {
            Effect::PublishMessage { room, message: SendMessage { id, message: message.clone() } }
        }
    })
}
