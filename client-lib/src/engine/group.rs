//! The MLS conventions of `firstlight_protocol::mls`, as openmls wants them.

use super::{Engine, EngineError, device::Own, group_id, mls_store::Provider, trust::untrusted};
use firstlight_protocol::{
    Bytes, DeviceId, RoomId, Timestamp,
    admission::Consent,
    api::{ClaimedKeyPackage, CommitBundle},
    cert::DeviceIdentity,
    id::MessageId,
    limits,
    mls::{MAX_FORWARD_DISTANCE, OUT_OF_ORDER_TOLERANCE, ROOM_CONTEXT_EXTENSION, RoomContext, SUITES, commit_data},
};
use openmls::prelude::{
    Capabilities, Ciphersuite, CommitMessageBundle, CredentialType, Extension, ExtensionType, Extensions, GroupContext,
    KeyPackage, LeafNodeIndex, LeafNodeParameters, Lifetime, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProtocolVersion, SenderRatchetConfiguration,
    UnknownExtension,
};
use tls_codec::{DeserializeBytes as _, Serialize as _};

/// Epochs whose messages can still be read. The log is in order, so this is for messages that crossed a commit.
pub(super) const PAST_EPOCHS: usize = limits::MAX_PAST_EPOCHS as usize;

/// How long a leaf made now is good for: the longest that openmls accepts, 84 days and an hour for skewed clocks.
const LEAF_LIFETIME: u64 = 84 * 86_400;
const LEAF_SKEW: u64 = 3_600;

/// The suite of a codepoint, if it is one of ours.
pub(super) fn suite(code: u16) -> Result<Ciphersuite, EngineError> {
    let unknown = EngineError::UnknownSuite { suite: code };
    if !SUITES.contains(&code) {
        return Err(unknown);
    }
    Ciphersuite::try_from(code).map_err(|_| unknown)
}

/// What every leaf of ours can do: both suites, X.509, the room context.
pub(super) fn capabilities() -> Capabilities {
    let suites: Vec<_> = SUITES.iter().filter_map(|code| suite(*code).ok()).collect();
    let extensions = [ExtensionType::Unknown(ROOM_CONTEXT_EXTENSION), ExtensionType::LastResort];
    Capabilities::new(None, Some(&suites), Some(&extensions), None, Some(&[CredentialType::X509]))
}

fn seconds(t: Timestamp) -> u64 {
    u64::try_from(t.as_millis() / 1000).unwrap_or(0)
}

/// The lifetime of a leaf made now.
pub(super) fn lifetime(now: Timestamp) -> Lifetime {
    Lifetime::init(seconds(now).saturating_sub(LEAF_SKEW), seconds(now).saturating_add(LEAF_LIFETIME))
}

/// When a leaf made now ends.
pub(super) fn lifetime_end(now: Timestamp) -> Timestamp {
    now + std::time::Duration::from_secs(LEAF_LIFETIME)
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(OUT_OF_ORDER_TOLERANCE, MAX_FORWARD_DISTANCE)
}

/// Handshakes in the clear for the server to check, padded messages, ratchet trees beside the messages.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(limits::PADDING)
        .max_past_epochs(PAST_EPOCHS)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(ratchets())
        .build()
}

/// A new group at epoch 0 with this device alone.
pub(super) fn new_group(
    provider: &Provider,
    own: &Own,
    room: RoomId,
    context: &RoomContext,
    suite: Ciphersuite,
    now: Timestamp,
) -> Result<MlsGroup, EngineError> {
    let extension = Extension::Unknown(ROOM_CONTEXT_EXTENSION, UnknownExtension(context.encode()));
    MlsGroup::builder()
        .with_group_id(group_id(room))
        .ciphersuite(suite)
        .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(limits::PADDING)
        .max_past_epochs(PAST_EPOCHS)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(ratchets())
        .lifetime(lifetime(now))
        .with_capabilities(capabilities())
        .with_group_context_extensions(Extensions::single(extension).map_err(EngineError::mls)?)
        .build(provider, &own.key, own.credential())
        .map_err(EngineError::mls)
}

/// The room context in a group's authenticated state.
pub(super) fn room_context(extensions: &Extensions<GroupContext>) -> Option<RoomContext> {
    extensions.iter().find_map(|extension| match extension {
        Extension::Unknown(ROOM_CONTEXT_EXTENSION, UnknownExtension(bytes)) => RoomContext::decode(bytes).ok(),
        _ => None,
    })
}

/// The leaf of a fresh update path: the newest chain of this device, the same key.
pub(super) fn own_leaf(own: &Own) -> LeafNodeParameters {
    LeafNodeParameters::builder().with_credential_with_key(own.credential()).with_capabilities(capabilities()).build()
}

/// What a commit is to do.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) add: Vec<KeyPackage>,
    pub(super) remove: Vec<LeafNodeIndex>,
    pub(super) update: bool,
    /// Other people's, for classes of organisations that it brings in.
    pub(super) consents: Vec<Consent>,
}

/// Builds a commit on the group, which then holds it as its pending commit.
pub(super) fn build_commit(
    provider: &Provider,
    own: &Own,
    group: &mut MlsGroup,
    id: MessageId,
    changes: Changes,
) -> Result<CommitBundle, EngineError> {
    let epoch = group.epoch().as_u64();
    group.set_aad(commit_data(id, &changes.consents));
    let mut builder = group.commit_builder().consume_proposal_store(false);
    if changes.update {
        builder = builder.force_self_update(true).leaf_node_parameters(own_leaf(own));
    }
    let bundle = builder
        .propose_adds(changes.add)
        .propose_removals(changes.remove)
        .load_psks(&provider.store)
        .map_err(EngineError::mls)?
        .create_group_info(true)
        .build(&provider.crypto, &provider.crypto, &own.key, |_| true)
        .map_err(EngineError::mls)?
        .stage_commit(provider)
        .map_err(EngineError::mls)?;
    commit_bundle(id, epoch, bundle)
}

/// The request's body for what openmls built.
pub(super) fn commit_bundle(
    id: MessageId,
    epoch: u64,
    bundle: CommitMessageBundle,
) -> Result<CommitBundle, EngineError> {
    let (commit, welcome, group_info) = bundle.into_messages();
    Ok(CommitBundle {
        id,
        epoch,
        commit: bytes_of(&commit)?,
        welcome: welcome.as_ref().map(bytes_of).transpose()?,
        group_info: bytes_of(&group_info.ok_or_else(|| EngineError::Mls("no group info was made".into()))?)?,
    })
}

/// An MLS message's bytes.
pub(super) fn bytes_of(message: &MlsMessageOut) -> Result<Bytes, EngineError> {
    message.tls_serialize_detached().map(Bytes).map_err(EngineError::mls)
}

/// Reads an MLS message that must be all of the bytes.
pub(super) fn read_message(bytes: &[u8], what: &'static str) -> Result<MlsMessageBodyIn, EngineError> {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .map(MlsMessageIn::extract)
        .map_err(|_| EngineError::Malformed { what })
}

impl Engine {
    /// Opens a claimed key package and verifies everything about it: the device that was asked for, its certificates
    /// for this kind of room, suite, lifetime, and that it understands the room's context.
    pub(super) fn open_key_package(
        &mut self,
        claimed: &ClaimedKeyPackage,
        suite: Ciphersuite,
        context: &RoomContext,
        now: Timestamp,
    ) -> Result<(KeyPackage, DeviceIdentity), EngineError> {
        let device: DeviceId = claimed.device;
        let bytes = claimed.key_package.as_ref().ok_or(EngineError::NoKeyPackage { device })?;
        let bad = || EngineError::BadKeyPackage { device };
        let MlsMessageBodyIn::KeyPackage(package) = read_message(bytes, "key package").map_err(|_| bad())? else {
            return Err(bad());
        };
        let package = package.validate(&self.provider.crypto, ProtocolVersion::Mls10).map_err(|_| bad())?;
        let leaf = package.leaf_node();
        let understands = leaf.capabilities().extensions().contains(&ExtensionType::Unknown(ROOM_CONTEXT_EXTENSION));
        if package.ciphersuite() != suite || !understands {
            return Err(bad());
        }
        let identity = self
            .verify_candidate(leaf.credential(), leaf.signature_key().as_slice(), context, now)
            .map_err(|why| untrusted(device, why))?;
        if identity.device != device {
            return Err(EngineError::WrongKeyPackage { device });
        }
        Ok((package, identity))
    }
}
