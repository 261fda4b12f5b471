//! The device's inbox: Welcomes and notices.

use super::{
    Effect, Engine, EngineError, Event, RoomState, Step,
    state::{Intent, PendingWelcome, RoomRecord, Wish, key},
};
use firstlight_protocol::{
    DeviceId, RoomId, RoomKind, Timestamp,
    api::{Acks, InboxItem, Notice, RoomCursor},
    limits::MAX_ROOMS_PER_DEVICE,
};

impl Engine {
    /// Takes in inbox items, in order. Items that are known already are ignored, and items behind a gap as well: the
    /// inbox is read again from [`Engine::inbox_cursor`].
    pub fn receive_inbox(&mut self, items: &[InboxItem], now: Timestamp) -> Result<Step, EngineError> {
        self.own()?;
        self.step(|engine, step| {
            let start = engine.inbox_cursor();
            let mut cursor = start;
            for item in items {
                if item.follows(cursor) {
                    engine.receive_item(item, now, step)?;
                    cursor = item.seq;
                }
            }
            if cursor != start {
                engine.provider.store.put(key::INBOX.to_vec(), &cursor);
                step.effects.push(Effect::Ack(Acks { rooms: Vec::new(), inbox: Some(cursor) }));
            }
            Ok(())
        })
    }

    fn receive_item(&mut self, item: &InboxItem, now: Timestamp, step: &mut Step) -> Result<(), EngineError> {
        match &item.notice {
            Notice::Welcome { room, epoch, .. } => self.announce_welcome(*room, *epoch, step),
            Notice::RoomLeft { room, seq } => self.announce_leaving(*room, *seq, step),
            Notice::RemoveFromRoom { room, devices } => self.want_removal_for_dispatch(*room, devices, now, step),
            Notice::Revoked { org, devices } => {
                // The server's word alone removes nobody: the organisation's signed list does.
                self.provider.store.put(key::organisation(*org), org);
                step.effects.push(Effect::FetchOrganisation { org: *org });
                step.events.push(Event::Revoked { org: *org, devices: devices.clone() });
                Ok(())
            }
            Notice::Page { .. }
            | Notice::StandDown { .. }
            | Notice::Callout { .. }
            | Notice::Alarm { .. }
            | Notice::Attention { .. }
            | Notice::Test { .. }
            | Notice::Readiness { .. }
            | Notice::AgencyNotice { .. }
            | Notice::HandOff { .. }
            | Notice::RequestPending {} => {
                self.keep_notice(item);
                step.events.push(Event::Notice(Box::new(item.clone())));
                Ok(())
            }
            Notice::Expired {} => Ok(()),
        }
    }

    fn announce_welcome(&mut self, room: RoomId, epoch: u64, step: &mut Step) -> Result<(), EngineError> {
        let known = self.room_record(room)?.is_some_and(|r| r.state != RoomState::Left && r.epoch >= epoch);
        if known {
            return Ok(());
        }
        if self.provider.store.scan(key::WELCOMES).len() >= MAX_ROOMS_PER_DEVICE {
            step.events.push(Event::WelcomeFailed { room, reason: "too many Welcomes wait already".into() });
        } else {
            self.provider.store.put(key::welcome(room, epoch), &PendingWelcome { room, epoch });
            step.effects.push(Effect::FetchWelcome { room, epoch });
        }
        Ok(())
    }

    fn announce_leaving(&mut self, room: RoomId, seq: u64, step: &mut Step) -> Result<(), EngineError> {
        // Welcomes that were announced before and not used yet lead to where this device is no longer.
        for welcome in self.provider.store.records::<PendingWelcome>(key::WELCOMES, "an announced Welcome")? {
            if welcome.room == room {
                self.provider.store.remove(&key::welcome(room, welcome.epoch));
            }
        }
        let Some(mut record) = self.room_record(room)?.filter(|r| r.state != RoomState::Left) else {
            return Ok(());
        };
        record.leaves_at = Some(seq);
        // A room that can't be followed any more will not reach that place.
        if record.state != RoomState::Joined {
            self.leave(&mut record, step)?;
        } else if record.cursor < seq {
            step.effects.push(Effect::FetchLog(RoomCursor { room, seq: record.cursor }));
        }
        self.leave_if_due(&mut record, step)?;
        self.save_room(&record);
        Ok(())
    }

    /// Dispatch asks for people to leave a callout's room. Only there: in no other room does the server have a say in
    /// who is a member.
    fn want_removal_for_dispatch(
        &mut self,
        room: RoomId,
        devices: &[DeviceId],
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        match self.room_record(room)? {
            Some(record) if record.context.kind == RoomKind::Callout => self.want_removal(record, devices, now, step),
            _ => Ok(()),
        }
    }

    /// Wants those of the devices removed that are members and that no intent removes already.
    pub(super) fn want_removal(
        &mut self,
        mut record: RoomRecord,
        devices: &[DeviceId],
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        if record.state == RoomState::Left {
            return Ok(());
        }
        let room = record.room;
        let members = self.members(room)?;
        let intents = self.intents(room)?;
        let wanted = |device: &DeviceId| {
            let in_intent = |i: &Intent| matches!(&i.wish, Wish::Remove { devices } if devices.contains(device));
            intents.iter().any(|i| i.failed.is_none() && in_intent(i))
        };
        // While a room is being created its members are not known here yet: the intent finds out when it is built.
        let is_member = |device: &DeviceId| {
            record.state == RoomState::Creating || members.iter().any(|m| m.identity.device == *device)
        };
        let devices: Vec<_> =
            devices.iter().filter(|d| !self.is_own(**d) && is_member(d) && !wanted(d)).copied().collect();
        if !devices.is_empty() {
            self.keep_intent(room, self.fresh_id()?, Wish::Remove { devices }, now)?;
            self.pump(&mut record, now, step)?;
        }
        Ok(())
    }
}
