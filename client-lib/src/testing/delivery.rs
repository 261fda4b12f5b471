//! A delivery service in memory.

use super::now;
use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, MessageId, Problem, RoomId,
    api::{
        ClaimedKeyPackage, CommitBundle, Committed, CreateRoom, EntryKind, GroupState, InboxItem, LogEntry, Notice,
        PublishKeyPackages, SendMessage, Sent, WelcomeBundle,
    },
};
use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProposalStore, ProtocolMessage, PublicGroup, RatchetTreeIn,
};
use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use std::collections::{BTreeMap, BTreeSet};
use tls_codec::{DeserializeBytes as _, Serialize as _};

/// Orders and validates like the server: epoch compare-and-set, gapless logs, inboxes, idempotent by id.
#[derive(Default)]
pub struct Delivery {
    rooms: BTreeMap<RoomId, Room>,
    inboxes: BTreeMap<DeviceId, Vec<InboxItem>>,
    key_packages: BTreeMap<(DeviceId, u16), Vec<Bytes>>,
    last_resort: BTreeMap<(DeviceId, u16), Bytes>,
    devices: BTreeMap<Vec<u8>, DeviceId>,
    answers: BTreeMap<MessageId, (Bytes, Committed)>,
    crypto: RustCrypto,
    storage: MemoryStorage,
}

struct Room {
    group: PublicGroup,
    state: GroupState,
    log: Vec<LogEntry>,
    members: BTreeSet<DeviceId>,
    welcomes: BTreeMap<u64, WelcomeBundle>,
}

fn bad_mls() -> Problem {
    Problem::new(ErrorCode::BadMls)
}

fn message(bytes: &[u8]) -> Result<MlsMessageBodyIn, Problem> {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).map(MlsMessageIn::extract).map_err(|_| bad_mls())
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}

impl Delivery {
    /// Makes a device known by its signature key.
    pub fn register(&mut self, device: DeviceId, key: [u8; 32]) {
        self.devices.insert(key.to_vec(), device);
    }

    /// Takes key packages.
    pub fn publish(&mut self, device: DeviceId, packages: &PublishKeyPackages) {
        let kept = self.key_packages.entry((device, packages.suite)).or_default();
        for package in &packages.one_time {
            if !kept.contains(package) {
                kept.push(package.clone());
            }
        }
        if let Some(last) = &packages.last_resort {
            self.last_resort.insert((device, packages.suite), last.clone());
        }
    }

    /// Gives a key package of each device away.
    pub fn claim(&mut self, suite: u16, devices: &[DeviceId]) -> Vec<ClaimedKeyPackage> {
        devices
            .iter()
            .map(|device| {
                let key = (*device, suite);
                let one_time = self.key_packages.get_mut(&key).and_then(Vec::pop);
                let key_package = one_time.or_else(|| self.last_resort.get(&key).cloned());
                ClaimedKeyPackage { device: *device, key_package }
            })
            .collect()
    }

    /// Creates a room, with the commit that adds its first members.
    pub fn create(&mut self, sender: DeviceId, body: &CreateRoom) -> Result<(), Problem> {
        if let Some(room) = self.rooms.get(&body.room) {
            let known = body.commit.as_ref().is_none_or(|c| room.log.first().is_some_and(|e| e.id == c.id));
            return if known { Ok(()) } else { Err(ErrorCode::Conflict.into()) };
        }
        let MlsMessageBodyIn::GroupInfo(info) = message(&body.group_info)? else {
            return Err(bad_mls());
        };
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&body.tree).map_err(|_| bad_mls())?;
        let (group, _) = PublicGroup::from_external(&self.crypto, &self.storage, tree, info, ProposalStore::new())
            .map_err(|_| bad_mls())?;
        let state = GroupState { epoch: 0, seq: 0, group_info: body.group_info.clone(), tree: body.tree.clone() };
        let room = Room { group, state, log: Vec::new(), members: BTreeSet::from([sender]), welcomes: BTreeMap::new() };
        self.rooms.insert(body.room, room);
        match &body.commit {
            Some(commit) => self.commit(sender, body.room, commit).map(|_| ()).inspect_err(|_| {
                self.rooms.remove(&body.room);
            }),
            None => Ok(()),
        }
    }

    /// Takes a commit for the room's current epoch.
    pub fn commit(&mut self, sender: DeviceId, room_id: RoomId, bundle: &CommitBundle) -> Result<Committed, Problem> {
        let room = self.rooms.get_mut(&room_id).ok_or(ErrorCode::NotFound)?;
        if !room.members.contains(&sender) {
            return Err(ErrorCode::NotAMember.into());
        }
        if let Some((body, answer)) = self.answers.get(&bundle.id) {
            return if *body == bundle.commit { Ok(answer.clone()) } else { Err(ErrorCode::Conflict.into()) };
        }
        if room.group.group_context().epoch().as_u64() != bundle.epoch {
            return Err(ErrorCode::StaleEpoch.into());
        }
        let MlsMessageBodyIn::PublicMessage(commit) = message(&bundle.commit)? else {
            return Err(bad_mls());
        };
        let processed =
            room.group.process_message(&self.crypto, ProtocolMessage::from(commit)).map_err(|_| bad_mls())?;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(bad_mls());
        };
        if (staged.add_proposals().count() > 0) != bundle.welcome.is_some() {
            return Err(bad_mls());
        }
        room.group.merge_commit(&self.storage, *staged).map_err(|_| bad_mls())?;
        let before = std::mem::take(&mut room.members);
        room.members = room.group.members().map(|m| self.devices[&m.signature_key]).collect();
        let (epoch, seq, at) = (bundle.epoch + 1, room.log.len() as u64 + 1, now());
        let tree = Bytes(room.group.export_ratchet_tree().tls_serialize_detached().unwrap());
        room.log.push(LogEntry {
            room: room_id,
            seq,
            at,
            sender,
            id: bundle.id,
            kind: EntryKind::Commit,
            body: bundle.commit.clone(),
        });
        room.state = GroupState { epoch, seq, group_info: bundle.group_info.clone(), tree: tree.clone() };
        if let Some(welcome) = bundle.welcome.clone() {
            room.welcomes.insert(epoch, WelcomeBundle { room: room_id, epoch, seq, welcome, tree });
        }
        let added: Vec<_> = room.members.difference(&before).copied().collect();
        let removed: Vec<_> = before.difference(&room.members).copied().collect();
        let answer = Committed { epoch, seq, at };
        self.answers.insert(bundle.id, (bundle.commit.clone(), answer.clone()));
        for device in added {
            self.notify(device, Notice::Welcome { room: room_id, epoch, seq });
        }
        for device in removed {
            self.notify(device, Notice::RoomLeft { room: room_id, seq });
        }
        Ok(answer)
    }

    /// Takes a message of the room's current epoch.
    pub fn message(&mut self, sender: DeviceId, room_id: RoomId, send: &SendMessage) -> Result<Sent, Problem> {
        let room = self.rooms.get_mut(&room_id).ok_or(ErrorCode::NotFound)?;
        if !room.members.contains(&sender) {
            return Err(ErrorCode::NotAMember.into());
        }
        if let Some((_, answer)) = self.answers.get(&send.id) {
            return Ok(Sent { seq: answer.seq, at: answer.at });
        }
        let MlsMessageBodyIn::PrivateMessage(private) = message(&send.message)? else {
            return Err(bad_mls());
        };
        let epoch = room.group.group_context().epoch();
        if ProtocolMessage::from(private).epoch() != epoch {
            return Err(ErrorCode::StaleEpoch.into());
        }
        let (seq, at) = (room.log.len() as u64 + 1, now());
        let (id, body) = (send.id, send.message.clone());
        room.log.push(LogEntry { room: room_id, seq, at, sender, id, kind: EntryKind::Message, body: body.clone() });
        self.answers.insert(id, (body, Committed { epoch: epoch.as_u64(), seq, at }));
        Ok(Sent { seq, at })
    }

    /// Puts a notice into a device's inbox.
    pub fn notify(&mut self, device: DeviceId, notice: Notice) {
        let inbox = self.inboxes.entry(device).or_default();
        inbox.push(InboxItem { seq: inbox.len() as u64 + 1, prev: None, at: now(), notice });
    }

    /// Up to a page of a room's log. A device that was removed reads up to its removal.
    pub fn log(&self, room: RoomId, after: u64) -> Vec<LogEntry> {
        let log = self.rooms.get(&room).map(|r| r.log.as_slice()).unwrap_or_default();
        log.iter().filter(|e| e.seq > after).take(500).cloned().collect()
    }

    /// Items of a device's inbox.
    pub fn inbox(&self, device: DeviceId, after: u64) -> Vec<InboxItem> {
        self.inboxes.get(&device).into_iter().flatten().filter(|i| i.seq > after).cloned().collect()
    }

    /// A Welcome.
    pub fn welcome(&self, room: RoomId, epoch: u64) -> Option<WelcomeBundle> {
        self.rooms.get(&room)?.welcomes.get(&epoch).cloned()
    }

    /// What a member needs to rejoin.
    pub fn group_state(&self, device: DeviceId, room: RoomId) -> Option<GroupState> {
        let room = self.rooms.get(&room)?;
        room.members.contains(&device).then(|| room.state.clone())
    }

    /// Puts an entry into a room's log unchecked, as a hostile or broken server would.
    pub fn force(&mut self, entry: LogEntry) {
        self.rooms.get_mut(&entry.room).unwrap().log.push(entry);
    }
}
