//! MLS by hand, written from `protocol/docs/mls.md` on bare openmls: for what the client's engine would never do (a
//! police device in an advocate room, an id that doesn't match), and for load.

use super::{Device, random};
use ed25519_dalek::{Signer as _, SigningKey};
use firstlight_protocol::{
    Bytes, DeviceId, MessageId, RoomId,
    admission::Consent,
    api::{CommitBundle, CreateRoom, GroupState, SendMessage, WelcomeBundle},
    limits,
    mls::{
        Content, MAX_FORWARD_DISTANCE, OUT_OF_ORDER_TOLERANCE, ROOM_CONTEXT_EXTENSION, RoomContext, SUITES,
        authenticated_data, chain_of_credential, commit_data, credential_content,
    },
    wire::to_cbor,
};
use openmls::prelude::{
    Capabilities, Ciphersuite, CommitMessageBundle, Credential, CredentialType, CredentialWithKey, Extension,
    ExtensionType, Extensions, ExternalCommitBuilder, KeyPackage, LeafNodeIndex, LeafNodeParameters, MlsGroup,
    MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    ProcessedMessageContent, ProtocolVersion, RatchetTreeIn, SenderRatchetConfiguration, SignatureScheme,
    StagedWelcome, UnknownExtension,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::{
    OpenMlsProvider,
    signatures::{Signer, SignerError},
};
use tls_codec::{DeserializeBytes as _, Serialize as _};

#[derive(Clone)]
struct Key(SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A device's MLS, without any state but openmls' own.
pub struct Hand {
    provider: OpenMlsRustCrypto,
    key: Key,
    chain: Vec<Bytes>,
}

/// A room as one hand holds it.
pub struct Room {
    /// Its id.
    pub id: RoomId,
    group: MlsGroup,
}

/// What a commit does.
#[derive(Default)]
pub struct Change {
    /// Key packages of devices to add.
    pub add: Vec<Bytes>,
    /// Devices to remove.
    pub remove: Vec<DeviceId>,
    /// The id in its authenticated data, if it is not the bundle's own.
    pub other_id: Option<MessageId>,
    /// Other people's consents to let another class of organisation in.
    pub consents: Vec<Consent>,
}

impl std::fmt::Debug for Hand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hand")
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Room({}, epoch {})", self.id, self.epoch())
    }
}

fn suite(code: u16) -> Ciphersuite {
    Ciphersuite::try_from(code).expect("a known suite")
}

fn bytes(message: &MlsMessageOut) -> Bytes {
    message.tls_serialize_detached().expect("an MLS message").into()
}

fn capabilities() -> Capabilities {
    let suites = SUITES.map(suite);
    let extensions = [ExtensionType::Unknown(ROOM_CONTEXT_EXTENSION), ExtensionType::LastResort];
    Capabilities::new(None, Some(&suites), Some(&extensions), None, Some(&[CredentialType::X509]))
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(limits::PADDING)
        .max_past_epochs(limits::MAX_PAST_EPOCHS as usize)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_TOLERANCE, MAX_FORWARD_DISTANCE))
        .build()
}

fn read(bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).expect("an MLS message").extract()
}

impl Hand {
    /// The hand of a device.
    pub fn of(device: &Device) -> Self {
        Self { provider: OpenMlsRustCrypto::default(), key: Key(device.key.clone()), chain: device.chain.clone() }
    }

    /// The same device with a chain that isn't its own.
    #[must_use]
    pub fn with_chain(mut self, chain: Vec<Bytes>) -> Self {
        self.chain = chain;
        self
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: Credential::new(CredentialType::X509, credential_content(&self.chain)),
            signature_key: self.key.0.verifying_key().to_bytes().to_vec().into(),
        }
    }

    /// A new key package, as an MLS message.
    pub fn key_package(&self, code: u16, last_resort: bool) -> Bytes {
        let builder = KeyPackage::builder().leaf_node_capabilities(capabilities());
        let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
        let bundle = builder.build(suite(code), &self.provider, &self.key, self.credential()).expect("a key package");
        bytes(&MlsMessageOut::from(bundle))
    }

    /// A room at epoch 0 with this device alone.
    pub fn found(&self, id: RoomId, context: &RoomContext, code: u16) -> Room {
        let extension = Extension::Unknown(ROOM_CONTEXT_EXTENSION, UnknownExtension(context.encode()));
        let group = MlsGroup::builder()
            .with_group_id(openmls::group::GroupId::from_slice(id.as_bytes()))
            .ciphersuite(suite(code))
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .padding_size(limits::PADDING)
            .max_past_epochs(limits::MAX_PAST_EPOCHS as usize)
            .use_ratchet_tree_extension(false)
            .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_TOLERANCE, MAX_FORWARD_DISTANCE))
            .with_capabilities(capabilities())
            .with_group_context_extensions(Extensions::single(extension).expect("one extension"))
            .build(&self.provider, &self.key, self.credential())
            .expect("a group");
        Room { id, group }
    }

    /// The request that creates a room with these members, whose commit is merged here at once.
    pub fn create(&self, room: &mut Room, members: Vec<Bytes>) -> CreateRoom {
        let info = room.group.export_group_info(self.provider.crypto(), &self.key, false).expect("a GroupInfo");
        let tree = room.group.export_ratchet_tree().tls_serialize_detached().expect("a tree").into();
        let commit = (!members.is_empty()).then(|| {
            let bundle = self.commit(room, Change { add: members, ..Change::default() });
            self.merge(room);
            bundle
        });
        CreateRoom { room: room.id, group_info: bytes(&info), tree, commit }
    }

    /// A commit, which waits in the room until it is merged or dropped. Without additions it renews this device's keys.
    pub fn commit(&self, room: &mut Room, change: Change) -> CommitBundle {
        let (id, epoch) = (MessageId(random()), room.epoch());
        let Change { add, remove, other_id, consents } = change;
        room.group.set_aad(commit_data(other_id.unwrap_or(id), &consents));
        let add = add.iter().map(|package| self.open(package)).collect::<Vec<_>>();
        let remove = room.leaves(&remove);
        let bundle = room
            .group
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .leaf_node_parameters(self.leaf())
            .propose_adds(add)
            .propose_removals(remove)
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("staging");
        bundled(id, epoch, bundle)
    }

    fn leaf(&self) -> LeafNodeParameters {
        LeafNodeParameters::builder()
            .with_credential_with_key(self.credential())
            .with_capabilities(capabilities())
            .build()
    }

    fn open(&self, package: &[u8]) -> KeyPackage {
        let MlsMessageBodyIn::KeyPackage(package) = read(package) else { panic!("not a key package") };
        package.validate(self.provider.crypto(), ProtocolVersion::Mls10).expect("a valid key package")
    }

    /// The server has taken the commit.
    pub fn merge(&self, room: &mut Room) {
        room.group.merge_pending_commit(&self.provider).expect("merging");
    }

    /// The server has refused the commit.
    pub fn drop_commit(&self, room: &mut Room) {
        room.group.clear_pending_commit(self.provider.storage()).expect("clearing");
    }

    /// An external commit, with which a member's device comes back after it has lost its state.
    pub fn rejoin(&self, id: RoomId, state: &GroupState) -> (Room, CommitBundle) {
        let MlsMessageBodyIn::GroupInfo(info) = read(&state.group_info) else { panic!("not a GroupInfo") };
        let commit = MessageId(random());
        let (group, bundle) = ExternalCommitBuilder::new()
            .with_ratchet_tree(RatchetTreeIn::tls_deserialize_exact_bytes(&state.tree).expect("a tree"))
            .with_config(config())
            .with_aad(authenticated_data(commit))
            .build_group(&self.provider, info, self.credential())
            .expect("a group")
            .leaf_node_parameters(self.leaf())
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .expect("a commit")
            .finalize(&self.provider)
            .expect("an external commit");
        (Room { id, group }, bundled(commit, state.epoch, bundle))
    }

    /// Joins a room by its Welcome; the key package has to be one of this hand's.
    pub fn join(&self, welcome: &WelcomeBundle) -> Room {
        let MlsMessageBodyIn::Welcome(message) = read(&welcome.welcome) else { panic!("not a Welcome") };
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(&welcome.tree).expect("a tree");
        let group = StagedWelcome::new_from_welcome(&self.provider, &config(), message, Some(tree))
            .expect("a Welcome for this device")
            .into_group(&self.provider)
            .expect("a group");
        Room { id: welcome.room, group }
    }

    /// An application message of the room's current epoch.
    pub fn message(&self, room: &mut Room, content: &Content) -> SendMessage {
        let id = MessageId(random());
        room.group.set_aad(authenticated_data(id));
        let message = room.group.create_message(&self.provider, &self.key, &to_cbor(content)).expect("a message");
        SendMessage { id, message: bytes(&message) }
    }

    /// Takes in a log entry of somebody else's; a message's plaintext.
    pub fn receive(&self, room: &mut Room, body: &[u8]) -> Option<Vec<u8>> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(body).expect("an MLS message");
        let message = message.try_into_protocol_message().expect("a group's message");
        match room.group.process_message(&self.provider, message).expect("processing").into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Some(message.into_bytes()),
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                room.group.merge_staged_commit(&self.provider, *staged).expect("merging");
                None
            }
            _ => None,
        }
    }
}

impl Room {
    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// How many members it has.
    pub fn size(&self) -> usize {
        self.group.members().count()
    }

    fn leaves(&self, devices: &[DeviceId]) -> Vec<LeafNodeIndex> {
        let device = |credential: &Credential| {
            let chain = chain_of_credential(credential.serialized_content()).expect("a chain");
            firstlight_protocol::cert::device_id(&chain[0]).expect("a device")
        };
        self.group.members().filter(|m| devices.contains(&device(&m.credential))).map(|m| m.index).collect()
    }
}

fn bundled(id: MessageId, epoch: u64, bundle: CommitMessageBundle) -> CommitBundle {
    let (commit, welcome, info) = bundle.into_messages();
    CommitBundle {
        id,
        epoch,
        commit: bytes(&commit),
        welcome: welcome.as_ref().map(bytes),
        group_info: bytes(&info.expect("a GroupInfo was asked for")),
    }
}

/// A PrivateMessage of the documented framing (RFC 9420 §6.3) around bytes that decrypt to nothing. A server can't tell
/// it from a real one: that it can't is what the framing is for.
pub fn framed(room: RoomId, epoch: u64, id: MessageId, ciphertext: &[u8]) -> Vec<u8> {
    let vector = |out: &mut Vec<u8>, bytes: &[u8]| {
        // Variable-length vectors (RFC 9420 §2.1.2): one byte of length up to 63, two up to 16383, then four.
        match bytes.len() {
            n @ 0..=63 => out.push(n as u8),
            n @ 64..=16_383 => out.extend_from_slice(&(0x4000 | n as u16).to_be_bytes()),
            n => out.extend_from_slice(&(0x8000_0000 | n as u32).to_be_bytes()),
        }
        out.extend_from_slice(bytes);
    };
    // Version MLS 1.0, wire format mls_private_message.
    let mut out = vec![0, 1, 0, 2];
    vector(&mut out, room.as_bytes());
    out.extend_from_slice(&epoch.to_be_bytes());
    // Content type application.
    out.push(1);
    vector(&mut out, &authenticated_data(id));
    // The encrypted sender data: leaf index, generation, reuse guard and an authentication tag.
    vector(&mut out, &random::<28>());
    vector(&mut out, ciphertext);
    out
}
