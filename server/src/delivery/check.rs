//! What the server checks of an MLS message before it lets it into a room's log (`protocol/docs/mls.md`).
//!
//! Everything here is a pure function of the message, the group's public state and the trusted roots: no I/O.

use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, MessageId, OrgId, OrgKind, PersonId, Problem, RoomId, RoomKind, Timestamp,
    admission::{Admission, Consent},
    api::{CommitBundle, CreateRoom},
    cert::{Anchors, DeviceIdentity, device_org},
    limits,
    mls::{
        ROOM_CONTEXT_EXTENSION, RoomContext, SUITES, chain_of_credential, parse_authenticated_data, parse_commit_data,
    },
};
use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::{
    CredentialType, GroupContext, LeafNode, LeafNodeIndex, MlsMessageBodyIn, MlsMessageIn, OpenMlsSignaturePublicKey,
    ProcessedMessageContent, Proposal, ProposalOrRefType, ProtocolMessage, ProtocolVersion, PublicGroup, RatchetTreeIn,
    Sender, SignaturePublicKey, StagedCommit, Verifiable,
};
use openmls_rust_crypto::RustCrypto;
use tls_codec::{Deserialize as _, Serialize as _};

use super::{groups::Group, public_storage::Snapshot};
use std::collections::{BTreeSet, HashSet};

type Checked<T> = Result<T, Problem>;

fn bad(detail: &str) -> Problem {
    Problem::with(ErrorCode::BadMls, detail)
}

fn message(bytes: &[u8], what: &str) -> Checked<MlsMessageIn> {
    MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| bad(&format!("The {what} is not an MLS message.")))
}

/// Checks an application message's framing: group, content type, authenticated data. Answers with its epoch.
pub(crate) fn application_message(room: RoomId, id: MessageId, bytes: &[u8]) -> Checked<u64> {
    if bytes.len() > limits::MAX_MESSAGE {
        return Err(ErrorCode::TooLarge.into());
    }
    let MlsMessageBodyIn::PrivateMessage(message) = message(bytes, "message")?.extract() else {
        return Err(bad("Application messages travel as PrivateMessage."));
    };
    let aad = parse_authenticated_data(message.aad());
    let protocol = ProtocolMessage::from(message);
    if protocol.group_id().as_slice() != room.as_bytes() {
        return Err(ErrorCode::WrongGroup.into());
    }
    if protocol.is_handshake_message() {
        return Err(bad("Handshakes travel as PublicMessage, in a commit bundle."));
    }
    if aad != Ok(id) {
        return Err(bad("The authenticated data is not version 1 and the message's id."));
    }
    Ok(protocol.epoch().as_u64())
}

/// A room at epoch 0, checked.
#[derive(Debug)]
pub(super) struct NewRoom {
    pub(super) public: PublicGroup,
    pub(super) snapshot: Snapshot,
    pub(super) context: RoomContext,
    pub(super) suite: u16,
    pub(super) creator: DeviceIdentity,
}

/// Whom and what the checks trust.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust<'a> {
    pub(super) crypto: &'a RustCrypto,
    pub(super) anchors: &'a Anchors,
    pub(super) suites: &'a [u16],
    pub(super) caller: DeviceId,
    pub(super) person: PersonId,
    pub(super) now: Timestamp,
}

impl Trust<'_> {
    /// Checks the creation of a room: one member, the caller, whose certificate the room's kind admits.
    pub(super) fn new_room(&self, request: &CreateRoom) -> Checked<NewRoom> {
        let info = group_info(&request.group_info)?;
        if info.group_id().as_slice() != request.room.as_bytes() {
            return Err(ErrorCode::WrongGroup.into());
        }
        let suite = u16::from(info.ciphersuite());
        if !SUITES.contains(&suite) || !self.suites.contains(&suite) {
            return Err(Problem::with(ErrorCode::InvalidValue, "This server does not allow that ciphersuite."));
        }
        if info.epoch().as_u64() != 0 {
            return Err(bad("A room is created at epoch 0."));
        }
        let tree = RatchetTreeIn::tls_deserialize_exact(&*request.tree)
            .map_err(|_| bad("The ratchet tree does not parse."))?;
        let snapshot = Snapshot::keep();
        let (public, _) = PublicGroup::from_external(self.crypto, &snapshot, tree, info, Default::default())
            .map_err(|_| bad("The GroupInfo does not verify against its ratchet tree."))?;
        let context = room_context(public.group_context())?;
        let mut leaves = public.treesync().full_leaves();
        let (Some((_, leaf)), None) = (leaves.next(), leaves.next()) else {
            return Err(bad("A room is created with its creator as the only member."));
        };
        let creator = self.leaf(leaf, &context)?;
        if creator.device != self.caller {
            return Err(Problem::with(ErrorCode::Forbidden, "The member of a new room is the device that creates it."));
        }
        if context.callout.is_some() != (context.kind == RoomKind::Callout) {
            return Err(Problem::with(ErrorCode::InvalidValue, "Only a room of kind callout belongs to a callout."));
        }
        drop(leaves);
        Ok(NewRoom { public, snapshot, context, suite, creator })
    }

    /// A leaf's certificate: chain, key, revocation, role for the room's kind, organisation.
    fn leaf(&self, leaf: &LeafNode, context: &RoomContext) -> Checked<DeviceIdentity> {
        let credential = leaf.credential();
        if credential.credential_type() != CredentialType::X509 {
            return Err(Problem::with(ErrorCode::BadChain, "Members have X.509 credentials."));
        }
        let chain = chain_of_credential(credential.serialized_content())
            .map_err(|_| Problem::with(ErrorCode::BadChain, "The credential is not a list of certificates."))?;
        let identity = self.anchors.verify_leaf(&chain, leaf.signature_key().as_slice(), context.kind, self.now)?;
        if context.kind.single_org() && identity.org != context.org {
            return Err(Problem::with(ErrorCode::RoleNotAdmitted, "This room is for one organisation's people alone."));
        }
        Ok(identity)
    }
}

/// What a checked commit does to a room.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) staged: Box<StagedCommit>,
    /// Whom it adds; their leaf index is known after the merge.
    pub(super) added: Vec<DeviceIdentity>,
    /// Devices that it removes.
    pub(super) removed: Vec<DeviceId>,
    /// Classes of organisations that leave with the last device of theirs.
    pub(super) leaving: BTreeSet<OrgKind>,
    /// A member's device that lost its state and came back by external commit.
    pub(super) rejoined: bool,
    /// The committer's key after the commit.
    signer: SignaturePublicKey,
}

impl Trust<'_> {
    /// Checks a commit bundle against the group's public state.
    pub(super) fn commit(&self, group: &Group, room: RoomId, bundle: &CommitBundle) -> Checked<Effect> {
        let public = &group.public;
        let current = public.group_context().epoch().as_u64();
        if bundle.epoch != current {
            return Err(ErrorCode::StaleEpoch.into());
        }
        let protocol = message(&bundle.commit, "commit")?
            .try_into_protocol_message()
            .map_err(|_| bad("The commit is not a handshake message."))?;
        if !matches!(protocol, ProtocolMessage::PublicMessage(_)) {
            return Err(bad("Handshakes travel as PublicMessage."));
        }
        if protocol.group_id().as_slice() != room.as_bytes() {
            return Err(ErrorCode::WrongGroup.into());
        }
        if protocol.epoch().as_u64() != current {
            return Err(ErrorCode::StaleEpoch.into());
        }
        let processed = public
            .process_message(self.crypto, protocol)
            .map_err(|_| bad("The commit does not verify against the room's public state."))?;
        let consents = match parse_commit_data(processed.aad()) {
            Ok((id, consents)) if id == bundle.id => consents,
            _ => {
                return Err(bad(
                    "The authenticated data is not the bundle's id, with consents where it takes two people.",
                ));
            }
        };
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(bad("A commit bundle holds a commit; proposals travel inside it."));
        };
        let context = room_context(staged.group_context())?;
        if context != room_context(public.group_context())? {
            return Err(bad("A room's kind and organisation never change."));
        }
        let (signer, rejoined) = self.sender(group, &sender, &staged, &context)?;
        let mut effect = self.proposals(group, staged, &context, signer, rejoined)?;
        if context.kind.takes_two() {
            self.admission(group, room, &context, &effect, &consents)?;
            effect.leaving = leaving(group, &effect)?;
        }
        self.bundled(public, bundle, &effect)?;
        Ok(effect)
    }

    /// The committer is the caller: by their leaf, or by the new leaf of an external commit that replaces their old one.
    /// Answers with the committer's key, and whether it is such an external commit.
    fn sender(
        &self,
        group: &Group,
        sender: &Sender,
        staged: &StagedCommit,
        context: &RoomContext,
    ) -> Checked<(SignaturePublicKey, bool)> {
        let path_leaf = staged.update_path_leaf_node();
        match sender {
            Sender::Member(index) => {
                if group.members.get(&index.u32()) != Some(&self.caller) {
                    return Err(Problem::with(ErrorCode::Forbidden, "The commit was made by another device."));
                }
                // The certificate in the old leaf was verified when it came in; only a new one has to be.
                let old = group.public.leaf(*index).ok_or_else(|| bad("The committer is not in the tree."))?;
                let leaf = path_leaf.unwrap_or(old);
                if leaf.credential() != old.credential() || leaf.signature_key() != old.signature_key() {
                    let org = self.own_leaf(leaf, context)?;
                    if org != leaf_org(old)?.0 {
                        return Err(Problem::with(ErrorCode::Forbidden, "A member stays with their organisation."));
                    }
                }
                Ok((leaf.signature_key().clone(), false))
            }
            Sender::NewMemberCommit => {
                let leaf = path_leaf.ok_or_else(|| bad("An external commit has an update path."))?;
                self.own_leaf(leaf, context)?;
                Ok((leaf.signature_key().clone(), true))
            }
            _ => Err(bad("Only members commit, and members' devices that rejoin.")),
        }
    }

    /// The committer's new leaf; answers with its organisation.
    fn own_leaf(&self, leaf: &LeafNode, context: &RoomContext) -> Checked<OrgId> {
        let identity = self.leaf(leaf, context)?;
        if identity.device == self.caller {
            return Ok(identity.org);
        }
        Err(Problem::with(ErrorCode::Forbidden, "The commit's new leaf belongs to another device."))
    }

    /// The two-person rule: whoever brings the first device of a class needs somebody else's consent.
    fn admission(
        &self,
        group: &Group,
        room: RoomId,
        context: &RoomContext,
        effect: &Effect,
        consents: &[Consent],
    ) -> Checked<()> {
        let mut coming: BTreeSet<OrgKind> = effect.added.iter().map(|identity| identity.org_kind).collect();
        if coming.is_empty() {
            return Ok(());
        }
        for (_, leaf) in group.public.treesync().full_leaves() {
            coming.remove(&leaf_org(leaf)?.1);
        }
        let epoch = group.public.group_context().epoch().as_u64();
        let admission = Admission { room, context, committer: self.person, epoch, at: self.now };
        let member = |device: DeviceId| {
            let (index, _) = group.members.iter().find(|(_, member)| **member == device)?;
            // Revoked devices agree to nothing.
            self.leaf(group.public.leaf(LeafNodeIndex::new(*index))?, context).ok()
        };
        for org_kind in coming {
            admission.check(org_kind, group.left.get(&org_kind).copied(), consents, member)?;
        }
        Ok(())
    }

    fn proposals(
        &self,
        group: &Group,
        staged: Box<StagedCommit>,
        context: &RoomContext,
        signer: SignaturePublicKey,
        rejoined: bool,
    ) -> Checked<Effect> {
        let mut added: Vec<DeviceIdentity> = Vec::new();
        let mut removed = Vec::new();
        for queued in staged.queued_proposals() {
            if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
                return Err(bad("Proposals travel inside the commit, not by reference."));
            }
            match queued.proposal() {
                Proposal::Add(add) if !rejoined => added.push(self.leaf(add.key_package().leaf_node(), context)?),
                Proposal::Remove(remove) => {
                    let device = group.members.get(&remove.removed().u32());
                    removed.push(*device.ok_or_else(|| bad("The commit removes nobody."))?);
                }
                Proposal::ExternalInit(_) if rejoined => {}
                _ => return Err(bad("Commits add and remove members, or update the committer's keys.")),
            }
        }
        if rejoined && removed != [self.caller] {
            let detail = "Rejoining replaces the same device's old leaf, and nothing else.";
            return Err(Problem::with(ErrorCode::NotAMember, detail));
        }
        let mut devices: HashSet<DeviceId> = group.members.values().copied().collect();
        devices.retain(|device| !removed.contains(device));
        if !added.iter().all(|identity| devices.insert(identity.device)) {
            return Err(Problem::with(ErrorCode::Conflict, "A device is a member of a room once."));
        }
        if devices.len() > limits::MAX_ROOM_DEVICES {
            return Err(Problem::with(ErrorCode::TooLarge, "The room has as many devices as it may have."));
        }
        Ok(Effect { staged, added, removed, leaving: BTreeSet::new(), rejoined, signer })
    }

    /// Welcome and GroupInfo fit the commit.
    fn bundled(&self, public: &PublicGroup, bundle: &CommitBundle, effect: &Effect) -> Checked<()> {
        match (&bundle.welcome, effect.added.is_empty()) {
            (None, true) => {}
            (Some(welcome), false) => {
                let welcome = message(welcome, "Welcome")?;
                if !matches!(welcome.extract(), MlsMessageBodyIn::Welcome(_)) {
                    return Err(bad("The Welcome is not a Welcome."));
                }
            }
            _ => return Err(bad("A Welcome comes with a commit that adds members, and only then.")),
        }
        let info = group_info(&bundle.group_info)?;
        let staged = effect.staged.group_context();
        let same = info.group_context().tls_serialize_detached() == staged.tls_serialize_detached();
        if !same || info.ciphersuite() != public.ciphersuite() {
            return Err(bad("The GroupInfo is not of the epoch that the commit makes."));
        }
        let scheme = public.ciphersuite().signature_algorithm();
        let key = OpenMlsSignaturePublicKey::from_signature_key(effect.signer.clone(), scheme);
        info.verify_no_out(self.crypto, &key).map_err(|_| bad("The GroupInfo is not signed by the committer."))
    }
}

/// Classes whose last device a commit removes.
fn leaving(group: &Group, effect: &Effect) -> Checked<BTreeSet<OrgKind>> {
    let (mut gone, mut here) = (BTreeSet::new(), BTreeSet::new());
    if effect.removed.is_empty() || effect.rejoined {
        return Ok(gone);
    }
    for (index, leaf) in group.public.treesync().full_leaves() {
        let removed = group.members.get(&index.u32()).is_some_and(|device| effect.removed.contains(device));
        let classes = if removed { &mut gone } else { &mut here };
        classes.insert(leaf_org(leaf)?.1);
    }
    here.extend(effect.added.iter().map(|identity| identity.org_kind));
    gone.retain(|class| !here.contains(class));
    Ok(gone)
}

/// The organisation of a leaf that was verified when it came in.
fn leaf_org(leaf: &LeafNode) -> Checked<(OrgId, OrgKind)> {
    let broken = || Problem::with(ErrorCode::BadChain, "The credential is not a list of certificates.");
    let chain = chain_of_credential(leaf.credential().serialized_content()).map_err(|_| broken())?;
    Ok(device_org(chain.first().ok_or_else(broken)?)?)
}

fn group_info(bytes: &[u8]) -> Checked<VerifiableGroupInfo> {
    match message(bytes, "GroupInfo")?.extract() {
        MlsMessageBodyIn::GroupInfo(info) => Ok(info),
        _ => Err(bad("The GroupInfo is not a GroupInfo.")),
    }
}

fn room_context(context: &GroupContext) -> Checked<RoomContext> {
    let extension = context
        .extensions()
        .unknown(ROOM_CONTEXT_EXTENSION)
        .ok_or_else(|| bad("The group context says nothing about the kind of room."))?;
    RoomContext::decode(&extension.0).map_err(|_| bad("The room context extension does not parse."))
}

/// Checks a key package by itself and answers with its certificate chain and signature key.
pub(super) fn chain_and_key(crypto: &RustCrypto, bytes: &[u8], suite: u16) -> Checked<(Vec<Bytes>, Vec<u8>)> {
    if bytes.len() > limits::MAX_KEY_PACKAGE {
        return Err(ErrorCode::TooLarge.into());
    }
    let MlsMessageBodyIn::KeyPackage(package) = message(bytes, "key package")?.extract() else {
        return Err(bad("The key package is not a key package."));
    };
    let package =
        package.validate(crypto, ProtocolVersion::Mls10).map_err(|_| bad("The key package does not verify."))?;
    if u16::from(package.ciphersuite()) != suite {
        return Err(bad("The key package is of another ciphersuite."));
    }
    let leaf = package.leaf_node();
    let chain = chain_of_credential(leaf.credential().serialized_content())
        .map_err(|_| Problem::with(ErrorCode::BadChain, "The credential is not a list of certificates."))?;
    Ok((chain, leaf.signature_key().as_slice().to_vec()))
}
