//! What people want of rooms. Each call keeps an intent, and builds what is published for it as soon as that is possible.

use super::{
    Engine, EngineError, RoomState, Step,
    admission::coming,
    group::{Changes, build_commit, bytes_of, new_group, suite as known_suite},
    intent::effect_of,
    state::{Body, Built, RoomRecord, Wish},
    trust::untrusted,
};
use firstlight_protocol::{
    Bytes, DeviceId, MessageId, RoomId, Timestamp,
    admission::{Flaw, NotAdmitted},
    api::{ClaimedKeyPackage, CreateRoom},
    cert::{ChainError, DeviceIdentity},
    limits::{MAX_MESSAGE, MAX_ROOM_DEVICES},
    mls::{Content, RoomContext},
    wire::to_cbor,
};
use tls_codec::Serialize as _;

/// What encryption, framing and padding add to a message at most, in bytes.
const MESSAGE_OVERHEAD: usize = 1_024;

impl Engine {
    /// Creates a room with its first members, after verifying each one's certificates for this kind of room.
    ///
    /// `id` names the commit that adds the members. Nothing happens if one member is refused: leave out those without a
    /// key package before, and tell the person. The same room again changes nothing.
    pub fn create_room(
        &mut self,
        room: RoomId,
        context: RoomContext,
        suite: u16,
        members: &[ClaimedKeyPackage],
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        let device = self.own()?.device;
        let ciphersuite = known_suite(suite)?;
        if self.room_record(room)?.is_some() {
            return match self.intent(room, id)? {
                Some(_) => Ok(Step::default()),
                None => Err(EngineError::RoomExists { room }),
            };
        }
        if members.len() >= MAX_ROOM_DEVICES {
            return Err(EngineError::TooLarge { what: "the room has too many devices" });
        }
        self.step(|engine, step| {
            engine.check_own_admission(device, &context)?;
            let mut add = Vec::with_capacity(members.len());
            for claimed in members.iter().filter(|m| m.device != device) {
                let (package, identity) = engine.open_key_package(claimed, ciphersuite, &context, now)?;
                engine.check_first_member(&identity, &context)?;
                add.push(package);
            }
            let mut intent = engine.keep_intent(room, id, Wish::Create, now)?;
            let own = engine.own()?;
            let mut group = new_group(&engine.provider, own, room, &context, ciphersuite, now)?;
            let group_info =
                group.export_group_info(&engine.provider.crypto, &own.key, false).map_err(EngineError::mls)?;
            let tree = group.export_ratchet_tree().tls_serialize_detached().map_err(EngineError::mls)?;
            let commit = if add.is_empty() {
                None
            } else {
                let changes = Changes { add, ..Changes::default() };
                Some(build_commit(&engine.provider, own, &mut group, id, changes)?)
            };
            let own_members =
                engine.verify_members(group.members(), &[], &context, now).map_err(|w| untrusted(device, w))?;
            engine.save_members(room, &own_members);
            let body = CreateRoom { room, group_info: bytes_of(&group_info)?, tree: Bytes(tree), commit };
            intent.built = Some(Built { epoch: 0, body: Body::Room(body) });
            engine.save_intent(&intent);
            step.effects.extend(effect_of(&intent));
            engine.save_room(&RoomRecord {
                room,
                context,
                suite,
                state: RoomState::Creating,
                epoch: 0,
                cursor: 0,
                unread: 0,
                name: None,
                lost: None,
                leaves_at: None,
                accepts: false,
            });
            engine.put_group(room, group);
            Ok(())
        })
    }

    /// This device must be allowed in the room itself.
    fn check_own_admission(&self, device: DeviceId, context: &RoomContext) -> Result<(), EngineError> {
        let own = self.identity().ok_or(EngineError::NotEnrolled)?;
        let admitted =
            context.kind.admits(own.org_kind, own.role) && !(context.kind.single_org() && own.org != context.org);
        if admitted { Ok(()) } else { Err(untrusted(device, ChainError::RoleNotAdmitted)) }
    }

    /// A room begins with its creator's own class of organisation, where it takes two people to let another one in.
    fn check_first_member(&self, member: &DeviceIdentity, context: &RoomContext) -> Result<(), EngineError> {
        let own = self.identity().ok_or(EngineError::NotEnrolled)?;
        if !context.kind.takes_two() || member.org_kind == own.org_kind {
            return Ok(());
        }
        Err(NotAdmitted { org_kind: member.org_kind, why: Flaw::Missing }.into())
    }

    /// Wants devices added. Those who are members already are left out.
    pub fn add(
        &mut self,
        room: RoomId,
        members: &[ClaimedKeyPackage],
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        let ciphersuite = known_suite(record.suite)?;
        let present = self.members(room)?;
        if present.len() + members.len() > MAX_ROOM_DEVICES {
            return Err(EngineError::TooLarge { what: "the room has too many devices" });
        }
        self.wish(record, id, now, |engine, record| {
            let is_new = |m: &&ClaimedKeyPackage| !present.iter().any(|p| p.identity.device == m.device);
            let members: Vec<_> = members.iter().filter(is_new).cloned().collect();
            let mut identities = Vec::with_capacity(members.len());
            for claimed in &members {
                identities.push(engine.open_key_package(claimed, ciphersuite, &record.context, now)?.1);
            }
            engine.consents_for(record, &present, coming(record, &present, &identities), now)?;
            Ok((!members.is_empty()).then_some(Wish::Add { members }))
        })
    }

    /// Wants devices removed; [`EngineError::NotMembers`] if none of them is a member. A device can't remove itself.
    pub fn remove(
        &mut self,
        room: RoomId,
        devices: &[DeviceId],
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        let present = self.members(room)?;
        let own = self.device();
        let gone = |d: &&DeviceId| Some(**d) != own && present.iter().any(|m| m.identity.device == **d);
        let devices: Vec<_> = devices.iter().filter(gone).copied().collect();
        if devices.is_empty() {
            return Err(EngineError::NotMembers { room });
        }
        self.wish(record, id, now, |_, _| Ok(Some(Wish::Remove { devices })))
    }

    /// Wants content sent. The same id again changes nothing.
    pub fn send(&mut self, room: RoomId, content: Content, id: MessageId, now: Timestamp) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        if to_cbor(&content).len() + MESSAGE_OVERHEAD > MAX_MESSAGE {
            return Err(EngineError::TooLarge { what: "the message is too long" });
        }
        self.wish(record, id, now, |_, _| Ok(Some(Wish::Send { content })))
    }

    /// Wants fresh keys for this device in a room (RFC 9420 §3.2: post-compromise security), with its newest chain.
    pub fn update(&mut self, room: RoomId, id: MessageId, now: Timestamp) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        self.wish(record, id, now, |_, _| Ok(Some(Wish::Update)))
    }

    /// All messages of a room so far are read.
    pub fn mark_read(&mut self, room: RoomId) -> Result<Step, EngineError> {
        let mut record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        self.step(|engine, _| {
            if record.unread > 0 {
                record.unread = 0;
                engine.save_room(&record);
            }
            Ok(())
        })
    }

    /// A room in which something can still be wanted: whatever waits there is done once the room is in sync.
    pub(super) fn usable_room(&self, room: RoomId) -> Result<RoomRecord, EngineError> {
        self.own()?;
        let record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        match record.state {
            RoomState::Left => Err(EngineError::RoomNotUsable { room, why: "this device is no longer a member" }),
            _ => Ok(record),
        }
    }

    /// Keeps a wish and does what can be done now.
    pub(super) fn wish(
        &mut self,
        mut record: RoomRecord,
        id: MessageId,
        now: Timestamp,
        wish: impl FnOnce(&mut Self, &RoomRecord) -> Result<Option<Wish>, EngineError>,
    ) -> Result<Step, EngineError> {
        if self.intent(record.room, id)?.is_some() {
            return Ok(Step::default());
        }
        self.step(|engine, step| {
            if let Some(wish) = wish(engine, &record)? {
                engine.keep_intent(record.room, id, wish, now)?;
                engine.pump(&mut record, now, step)?;
            }
            Ok(())
        })
    }
}
