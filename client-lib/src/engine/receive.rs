//! Log entries: decrypted and merged in order, once.

use super::{
    Effect, Engine, EngineError, Event, OutOfSync, RoomState, Step,
    group::read_message,
    settle::Place,
    state::{Body, Intent, MemberRecord, RoomRecord, Wish},
    trust::digest,
};
use crate::storage::{LineBody, Unreadable};
use firstlight_protocol::{
    RoomId, Timestamp,
    api::{EntryKind, LogEntry, RoomCursor},
    cert::{DeviceIdentity, verify_chain},
    limits::MAX_LOG_PAGE,
    mls::{Content, chain_of_credential, parse_authenticated_data},
    wire::from_cbor,
};
use openmls::prelude::{
    Credential, MlsMessageBodyIn, ProcessMessageError, ProcessedMessage, ProcessedMessageContent, ProtocolMessage,
    Sender,
};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// Most entries that one step takes, so that a step's transaction stays short.
pub const MAX_ENTRIES: usize = MAX_LOG_PAGE;

/// A room while a step reads on in its log.
struct Reading {
    record: RoomRecord,
    from: u64,
    gap: bool,
    /// Loaded when a message needs it, and again after a commit.
    members: Option<Vec<MemberRecord>>,
}

impl Engine {
    /// Takes in log entries, of one room or several, each room's in order. Entries that are known already are ignored,
    /// a gap asks for the log. At most [`MAX_ENTRIES`] per call; more are refused with `TooLarge`.
    pub fn receive_entries(&mut self, entries: &[LogEntry], now: Timestamp) -> Result<Step, EngineError> {
        self.own()?;
        if entries.len() > MAX_ENTRIES {
            return Err(EngineError::TooLarge { what: "too many entries at once" });
        }
        self.step(|engine, step| {
            let mut rooms: BTreeMap<RoomId, Reading> = BTreeMap::new();
            for entry in entries {
                let reading = match rooms.get_mut(&entry.room) {
                    Some(reading) => reading,
                    None => match engine.room_record(entry.room)? {
                        Some(record) => {
                            let from = record.cursor;
                            rooms.entry(entry.room).or_insert(Reading { record, from, gap: false, members: None })
                        }
                        None => continue,
                    },
                };
                engine.receive_entry(reading, entry, now, step)?;
            }
            for (_, mut reading) in rooms {
                engine.leave_if_due(&mut reading.record, step)?;
                engine.save_room(&reading.record);
                if reading.record.cursor != reading.from {
                    engine.ack(&reading.record, step);
                }
                engine.pump(&mut reading.record, now, step)?;
            }
            Ok(())
        })
    }

    fn receive_entry(
        &mut self,
        reading: &mut Reading,
        entry: &LogEntry,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), EngineError> {
        let record = &mut reading.record;
        let place = Place { seq: entry.seq, at: entry.at, id: entry.id };
        match record.state {
            RoomState::Left | RoomState::OutOfSync(_) => return Ok(()),
            RoomState::Rejoining => {
                // Only the own external commit makes the log readable again.
                if self.is_own(entry.sender)
                    && let Some(intent) = self.own_commit(record, entry)?
                {
                    reading.members = None;
                    self.finish(record, intent, place, step)?;
                }
                return Ok(());
            }
            RoomState::Creating | RoomState::Joined => {}
        }
        if entry.seq <= record.cursor || reading.gap {
            return Ok(());
        }
        if entry.seq > record.cursor + 1 {
            reading.gap = true;
            step.effects.push(Effect::FetchLog(RoomCursor { room: record.room, seq: record.cursor }));
            return Ok(());
        }
        match (entry.kind, self.is_own(entry.sender)) {
            (EntryKind::Commit, own) => {
                reading.members = None;
                match if own { self.own_commit(record, entry)? } else { None } {
                    Some(intent) => self.finish(record, intent, place, step),
                    // A commit of this device that it doesn't remember: its state is older than the log.
                    None if own => self.lose(record, OutOfSync::LostState, step),
                    None => {
                        self.receive_commit(record, entry, now, step)?;
                        // If it was put off, the rest is put off with it.
                        reading.gap = reading.record.cursor < entry.seq;
                        Ok(())
                    }
                }
            }
            (EntryKind::Message, true) => {
                let sent = self.intent(record.room, entry.id)?.filter(|i| matches!(i.wish, Wish::Send { .. }));
                match sent {
                    Some(intent) => self.finish(record, intent, place, step),
                    None => {
                        let body = LineBody::Unreadable(Unreadable::OwnUnknown);
                        let own = self.identity().cloned();
                        self.add_line(record, place, own, body, step);
                        Ok(())
                    }
                }
            }
            (EntryKind::Message, false) => self.receive_message(reading, entry, step),
        }
    }

    /// The intent whose commit this entry is, if the bytes are the ones that were published for it.
    fn own_commit(&self, record: &RoomRecord, entry: &LogEntry) -> Result<Option<Intent>, EngineError> {
        let intent = self.intent(record.room, entry.id)?;
        Ok(intent.filter(|intent| match intent.built.as_ref().map(|b| &b.body) {
            Some(Body::Commit(bundle)) => bundle.commit == entry.body,
            Some(Body::Room(body)) => body.commit.as_ref().is_some_and(|bundle| bundle.commit == entry.body),
            _ => false,
        }))
    }

    fn receive_message(&mut self, reading: &mut Reading, entry: &LogEntry, step: &mut Step) -> Result<(), EngineError> {
        let Reading { record, members, .. } = reading;
        let place = Place { seq: entry.seq, at: entry.at, id: entry.id };
        let members = match members {
            Some(members) => members,
            none => none.insert(self.members(record.room)?),
        };
        let (sender, body) = match self.decrypt(record.room, entry)? {
            Ok(opened) => match self.sender(record, members, &opened, entry) {
                Some(sender) => (Some(sender), read_content(&opened.plaintext)),
                None => (None, LineBody::Unreadable(Unreadable::UntrustedSender)),
            },
            Err(why) => (None, LineBody::Unreadable(why)),
        };
        if let (LineBody::Message(content), Some(sender)) = (&body, &sender) {
            self.note_ask(record, sender, content, place)?;
        }
        match &body {
            LineBody::Message(Content::Profile { name }) => record.name = Some(name.clone()),
            _ => record.unread = record.unread.saturating_add(1),
        }
        self.add_line(record, place, sender, body, step);
        Ok(())
    }

    /// Decrypts one message. The outer error is storage's and stops everything; the inner one is the message's own.
    fn decrypt(&mut self, room: RoomId, entry: &LogEntry) -> Result<Result<Opened, Unreadable>, EngineError> {
        let Ok(MlsMessageBodyIn::PrivateMessage(message)) = read_message(&entry.body, "message") else {
            return Ok(Err(Unreadable::BadBytes));
        };
        let message = ProtocolMessage::from(message);
        if *message.group_id() != super::group_id(room) {
            return Ok(Err(Unreadable::BadBytes));
        }
        let mut group = self.take_group(room)?;
        let processed = group.process_message(&self.provider, message);
        self.put_group(room, group);
        match processed {
            Ok(processed) if parse_authenticated_data(processed.aad()).ok() != Some(entry.id) => {
                Ok(Err(Unreadable::BadBytes))
            }
            Ok(processed) => Ok(Opened::read(processed).ok_or(Unreadable::BadBytes)),
            Err(ProcessMessageError::StorageError(_)) => Err(EngineError::Damaged { what: "a room's keys" }),
            Err(_) => Ok(Err(Unreadable::BadBytes)),
        }
    }

    /// Who sent a message, if they are believed now: a member whose certificates were verified when they joined, who
    /// is not revoked, and whom the server names as well.
    fn sender(
        &mut self,
        record: &RoomRecord,
        members: &[MemberRecord],
        opened: &Opened,
        entry: &LogEntry,
    ) -> Option<DeviceIdentity> {
        let is_sender =
            |m: &&MemberRecord| m.leaf == opened.leaf && m.digest == digest(&opened.credential, &m.identity.key);
        let identity = match members.iter().find(is_sender) {
            Some(member) => member.identity.clone(),
            // Sent before a commit that removed the sender, and in order behind it: openmls has verified the signature
            // with the leaf of that epoch, whose certificates were verified when it came in.
            None => self.past_member(record, &opened.credential, entry.at)?,
        };
        (identity.device == entry.sender && !self.is_revoked(&identity)).then_some(identity)
    }

    fn past_member(&mut self, record: &RoomRecord, credential: &Credential, at: Timestamp) -> Option<DeviceIdentity> {
        let chain = chain_of_credential(credential.serialized_content()).ok()?;
        let key = verify_chain(&chain, self.device.anchors.as_ref()?, at).ok()?.key;
        self.verify_leaf(credential, &key, &record.context, at).ok()
    }

    /// Adds a line and moves the cursor behind it.
    pub(super) fn add_line(
        &self,
        record: &mut RoomRecord,
        place: Place,
        sender: Option<DeviceIdentity>,
        body: LineBody,
        step: &mut Step,
    ) {
        record.cursor = place.seq;
        step.batch.lines.push(self.line(record.room, place, sender, body));
        step.events.push(Event::Line { room: record.room, seq: place.seq });
    }
}

/// A decrypted message and whose leaf signed it.
struct Opened {
    leaf: u32,
    credential: Credential,
    plaintext: Vec<u8>,
}

impl Opened {
    fn read(processed: ProcessedMessage) -> Option<Self> {
        let Sender::Member(leaf) = *processed.sender() else {
            return None;
        };
        let credential = processed.credential().clone();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Some(Self { leaf: leaf.u32(), credential, plaintext: message.into_bytes() })
            }
            _ => None,
        }
    }
}

/// Reads a message's plaintext: what is well-formed and unknown was made by a newer version.
fn read_content(plaintext: &[u8]) -> LineBody {
    match from_cbor::<Content>(plaintext) {
        Ok(content) => LineBody::Message(content),
        Err(_) if from_cbor::<BTreeMap<String, IgnoredAny>>(plaintext).is_ok_and(|kinds| kinds.len() == 1) => {
            LineBody::Unreadable(Unreadable::NewerVersion)
        }
        Err(_) => LineBody::Unreadable(Unreadable::BadBytes),
    }
}
