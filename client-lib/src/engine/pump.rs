//! Builds what waits: the one place where ciphertexts and commits are made for intents.

use super::{
    Engine, EngineError, RoomState, Step,
    admission::coming,
    group::{Changes, build_commit, bytes_of, suite},
    intent::effect_of,
    state::{Body, Built, Intent, MemberRecord, RoomRecord, Wish},
};
use firstlight_protocol::{
    DeviceId, ErrorCode, Problem, Timestamp, api::ClaimedKeyPackage, mls::authenticated_data, wire::to_cbor,
};
use openmls::prelude::LeafNodeIndex;

impl Engine {
    /// Builds, for the room's current epoch, what its intents want and what can be built now: at most one commit, and
    /// messages. Called after everything that may have changed what is possible.
    pub(super) fn pump(&mut self, record: &mut RoomRecord, now: Timestamp, step: &mut Step) -> Result<(), EngineError> {
        if record.state != RoomState::Joined {
            return Ok(());
        }
        let mut intents = self.intents(record.room)?;
        if intents.is_empty() {
            return Ok(());
        }
        let members = self.members(record.room)?;
        self.pump_commit(record, &mut intents, &members, now, step)?;
        // Nothing is sent into a room with a revoked member before the removal is committed.
        if members.iter().any(|m| self.is_revoked(&m.identity)) {
            return Ok(());
        }
        self.pump_messages(record, &mut intents, step)
    }

    fn pump_commit(
        &mut self,
        record: &RoomRecord,
        intents: &mut Vec<Intent>,
        members: &[MemberRecord],
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        if intents.iter().any(|i| i.wish.is_commit() && i.built.is_some()) {
            return Ok(());
        }
        // Removals first: they are what protects people.
        let mut waiting: Vec<usize> = (0..intents.len()).filter(|i| is_waiting(&intents[*i], record)).collect();
        waiting.retain(|i| intents[*i].wish.is_commit());
        waiting.sort_by_key(|i| !matches!(intents[*i].wish, Wish::Remove { .. }));
        let mut done = Vec::new();
        for index in waiting {
            let intent = &mut intents[index];
            let changes = match self.changes_for(&intent.wish, record, members, now) {
                Ok(Some(changes)) => changes,
                Ok(None) => {
                    self.drop_intent(intent);
                    done.push(intent.id);
                    continue;
                }
                Err(refused) => {
                    self.fail_intent(intent, problem_of(&refused), step);
                    continue;
                }
            };
            let mut group = self.take_group(record.room)?;
            let bundle = build_commit(&self.provider, self.own()?, &mut group, intent.id, changes)?;
            self.put_group(record.room, group);
            intent.built = Some(Built { epoch: record.epoch, body: Body::Commit(bundle) });
            self.save_intent(intent);
            step.effects.extend(effect_of(intent));
            break;
        }
        intents.retain(|i| !done.contains(&i.id));
        Ok(())
    }

    /// What a wish means for the members as they are now; `None` if it has come true by itself.
    fn changes_for(
        &mut self,
        wish: &Wish,
        record: &RoomRecord,
        members: &[MemberRecord],
        now: Timestamp,
    ) -> Result<Option<Changes>, EngineError> {
        let leaf = |device: &DeviceId| members.iter().find(|m| m.identity.device == *device).map(|m| m.leaf);
        let changes = match wish {
            Wish::Add { members: wanted } => {
                let (mut add, mut identities) = (Vec::new(), Vec::new());
                let absent = |m: &&ClaimedKeyPackage| leaf(&m.device).is_none();
                for claimed in wanted.iter().filter(absent) {
                    let (package, identity) =
                        self.open_key_package(claimed, suite(record.suite)?, &record.context, now)?;
                    add.push(package);
                    identities.push(identity);
                }
                let consents = self.consents_for(record, members, coming(record, members, &identities), now)?;
                Changes { add, consents, ..Changes::default() }
            }
            Wish::Remove { devices } => {
                let others = devices.iter().filter(|d| !self.is_own(**d));
                Changes { remove: others.filter_map(leaf).map(LeafNodeIndex::new).collect(), ..Changes::default() }
            }
            Wish::Update => Changes { update: true, ..Changes::default() },
            // A room is built when it is created, an external commit when its group state arrives.
            Wish::Create | Wish::Rejoin | Wish::Send { .. } => return Ok(None),
        };
        let any = changes.update || !changes.add.is_empty() || !changes.remove.is_empty();
        Ok(any.then_some(changes))
    }

    fn pump_messages(
        &mut self,
        record: &RoomRecord,
        intents: &mut [Intent],
        step: &mut Step,
    ) -> Result<(), EngineError> {
        let mut group = None;
        for intent in intents {
            match &intent.wish {
                // A message waits for the changes of members that were wanted before it: whoever is to be added must be
                // able to read it, whoever is to be removed must not.
                Wish::Create | Wish::Add { .. } | Wish::Remove { .. } | Wish::Rejoin => {
                    if intent.failed.is_none() {
                        break;
                    }
                }
                Wish::Update => {}
                Wish::Send { content } => {
                    if !is_waiting(intent, record) {
                        continue;
                    }
                    let plaintext = to_cbor(content);
                    let group = match &mut group {
                        Some(group) => group,
                        none => none.insert(self.take_group(record.room)?),
                    };
                    group.set_aad(authenticated_data(intent.id));
                    let message =
                        group.create_message(&self.provider, &self.own()?.key, &plaintext).map_err(EngineError::mls)?;
                    intent.built = Some(Built { epoch: record.epoch, body: Body::Message(bytes_of(&message)?) });
                    self.save_intent(intent);
                    step.effects.extend(effect_of(intent));
                }
            }
        }
        if let Some(group) = group {
            self.put_group(record.room, group);
        }
        Ok(())
    }
}

/// Whether an intent is to be built in this epoch.
fn is_waiting(intent: &Intent, record: &RoomRecord) -> bool {
    intent.failed.is_none()
        && intent.built.is_none()
        && !intent.accepted
        && intent.stale.is_none_or(|epoch| record.epoch > epoch)
}

/// How the engine's own refusal of an intent is shown.
fn problem_of(error: &EngineError) -> Problem {
    match error {
        EngineError::Untrusted { why, .. } => Problem::from(*why),
        EngineError::NotAdmitted(refused) => Problem::from(*refused),
        other => Problem::with(ErrorCode::InvalidValue, other.to_string()),
    }
}
