//! openmls' storage, on the engine's map: what MLS writes is part of the same step as everything else.

use super::{store::Store, suites::Suites};
use firstlight_protocol::wire::{append_cbor, from_stored_cbor};
use openmls_traits::{
    OpenMlsProvider,
    storage::{CURRENT_VERSION as V, StorageProvider, traits},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

/// Cryptography of the allowed suites, randomness of the system, storage of the engine.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) crypto: Suites,
    pub(crate) store: Store,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Suites;
    type RandProvider = Suites;
    type StorageProvider = Store;

    fn storage(&self) -> &Store {
        &self.store
    }

    fn crypto(&self) -> &Suites {
        &self.crypto
    }

    fn rand(&self) -> &Suites {
        &self.crypto
    }
}

/// A value of openmls that does not encode or decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored MLS value is damaged")]
pub(crate) struct BadValue;

/// CBOR: openmls needs a self-describing format.
fn encode(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, BadValue> {
    append_cbor(Vec::with_capacity(256), value).map_err(|_| BadValue)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadValue> {
    from_stored_cbor(bytes).map_err(|_| BadValue)
}

fn key(label: &str, id: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, BadValue> {
    append_cbor(format!("mls/{label}/").into_bytes(), id).map_err(|_| BadValue)
}

impl Store {
    fn write(&self, label: &str, id: &impl Serialize, value: &(impl Serialize + ?Sized)) -> Result<(), BadValue> {
        self.put_bytes(key(label, id)?, encode(value)?);
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, label: &str, id: &impl Serialize) -> Result<Option<T>, BadValue> {
        self.bytes(&key(label, id)?).map(|b| decode(&b)).transpose()
    }

    fn delete(&self, label: &str, id: &impl Serialize) -> Result<(), BadValue> {
        self.remove(&key(label, id)?);
        Ok(())
    }

    fn list(&self, label: &str, id: &impl Serialize) -> Result<Vec<ByteBuf>, BadValue> {
        Ok(self.read(label, id)?.unwrap_or_default())
    }

    fn append(&self, label: &str, id: &impl Serialize, value: &impl Serialize) -> Result<(), BadValue> {
        let mut list = self.list(label, id)?;
        list.push(ByteBuf::from(encode(value)?));
        self.write(label, id, &list)
    }

    /// Writes a group's message secrets if they have changed, by a call that makes openmls write them.
    pub(crate) fn flush_secrets<E>(
        &self,
        group: &impl Serialize,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if encode(group).is_ok_and(|group| self.take_unwritten(&group)) {
            self.set_flushing(true);
            let written = write();
            self.set_flushing(false);
            return written;
        }
        Ok(())
    }
}

macro_rules! one_per_group {
    ($($label:literal $entity:ident: $write:ident $read:ident $delete:ident;)+) => { $(
        fn $write<G: traits::GroupId<V>, E: traits::$entity<V>>(&self, group: &G, value: &E) -> Result<(), BadValue> {
            self.write($label, group, value)
        }

        fn $read<G: traits::GroupId<V>, E: traits::$entity<V>>(&self, group: &G) -> Result<Option<E>, BadValue> {
            self.read($label, group)
        }

        fn $delete<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), BadValue> {
            self.delete($label, group)
        }
    )+ };
}

impl StorageProvider<V> for Store {
    type Error = BadValue;

    one_per_group! {
        "config" MlsGroupJoinConfig: write_mls_join_config mls_group_join_config delete_group_config;
        "tree" TreeSync: write_tree tree delete_tree;
        "transcript" InterimTranscriptHash:
            write_interim_transcript_hash interim_transcript_hash delete_interim_transcript_hash;
        "context" GroupContext: write_context group_context delete_context;
        "tag" ConfirmationTag: write_confirmation_tag confirmation_tag delete_confirmation_tag;
        "resumption" ResumptionPskStore:
            write_resumption_psk_store resumption_psk_store delete_all_resumption_psk_secrets;
        "leaf" LeafNodeIndex: write_own_leaf_index own_leaf_index delete_own_leaf_index;
        "epoch" GroupEpochSecrets: write_group_epoch_secrets group_epoch_secrets delete_group_epoch_secrets;
    }

    fn write_group_state<S: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        group: &G,
        state: &S,
    ) -> Result<(), BadValue> {
        self.write("state", group, state)
    }

    fn group_state<S: traits::GroupState<V>, G: traits::GroupId<V>>(&self, group: &G) -> Result<Option<S>, BadValue> {
        self.read("state", group)
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), BadValue> {
        self.delete("state", group)
    }

    /// Only noted here; the engine has them written at the end of the step ([`Store::flush_secrets`]).
    fn write_message_secrets<G: traits::GroupId<V>, S: traits::MessageSecrets<V>>(
        &self,
        group: &G,
        secrets: &S,
    ) -> Result<(), BadValue> {
        if self.flushing_or_note(&encode(group)?) { self.write("secrets", group, secrets) } else { Ok(()) }
    }

    fn message_secrets<G: traits::GroupId<V>, S: traits::MessageSecrets<V>>(
        &self,
        group: &G,
    ) -> Result<Option<S>, BadValue> {
        self.read("secrets", group)
    }

    fn delete_message_secrets<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), BadValue> {
        self.take_unwritten(&encode(group)?);
        self.delete("secrets", group)
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, L: traits::LeafNode<V>>(
        &self,
        group: &G,
        leaf: &L,
    ) -> Result<(), BadValue> {
        self.append("own-leaves", group, leaf)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, L: traits::LeafNode<V>>(&self, group: &G) -> Result<Vec<L>, BadValue> {
        self.list("own-leaves", group)?.iter().map(|b| decode(b)).collect()
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, group: &G) -> Result<(), BadValue> {
        self.delete("own-leaves", group)
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, Q: traits::QueuedProposal<V>>(
        &self,
        group: &G,
        reference: &R,
        proposal: &Q,
    ) -> Result<(), BadValue> {
        self.write("proposal", &(group, reference), proposal)?;
        self.append("proposals", group, reference)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<R>, BadValue> {
        self.list("proposals", group)?.iter().map(|b| decode(b)).collect()
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, Q: traits::QueuedProposal<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<(R, Q)>, BadValue> {
        let references: Vec<R> = self.queued_proposal_refs(group)?;
        references
            .into_iter()
            .map(|reference| {
                let proposal = self.read("proposal", &(group, &reference))?.ok_or(BadValue)?;
                Ok((reference, proposal))
            })
            .collect()
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
        reference: &R,
    ) -> Result<(), BadValue> {
        let gone = encode(reference)?;
        let mut list = self.list("proposals", group)?;
        list.retain(|r| *r != gone);
        self.write("proposals", group, &list)?;
        self.delete("proposal", &(group, reference))
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
    ) -> Result<(), BadValue> {
        for reference in self.queued_proposal_refs::<G, R>(group)? {
            self.delete("proposal", &(group, &reference))?;
        }
        self.delete("proposals", group)
    }

    fn write_signature_key_pair<K: traits::SignaturePublicKey<V>, P: traits::SignatureKeyPair<V>>(
        &self,
        public: &K,
        pair: &P,
    ) -> Result<(), BadValue> {
        self.write("signature", public, pair)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, P: traits::SignatureKeyPair<V>>(
        &self,
        public: &K,
    ) -> Result<Option<P>, BadValue> {
        self.read("signature", public)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, public: &K) -> Result<(), BadValue> {
        self.delete("signature", public)
    }

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        public: &K,
        pair: &P,
    ) -> Result<(), BadValue> {
        self.write("encryption", public, pair)
    }

    fn encryption_key_pair<P: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        public: &K,
    ) -> Result<Option<P>, BadValue> {
        self.read("encryption", public)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, public: &K) -> Result<(), BadValue> {
        self.delete("encryption", public)
    }

    fn write_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[P],
    ) -> Result<(), BadValue> {
        self.write("epoch-keys", &(group, epoch, leaf), pairs)
    }

    fn encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<P>, BadValue> {
        Ok(self.read("epoch-keys", &(group, epoch, leaf))?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<(), BadValue> {
        self.delete("epoch-keys", &(group, epoch, leaf))
    }

    fn write_key_package<R: traits::HashReference<V>, K: traits::KeyPackage<V>>(
        &self,
        reference: &R,
        key_package: &K,
    ) -> Result<(), BadValue> {
        self.write("key-package", reference, key_package)
    }

    fn key_package<R: traits::HashReference<V>, K: traits::KeyPackage<V>>(
        &self,
        reference: &R,
    ) -> Result<Option<K>, BadValue> {
        self.read("key-package", reference)
    }

    fn delete_key_package<R: traits::HashReference<V>>(&self, reference: &R) -> Result<(), BadValue> {
        self.delete("key-package", reference)
    }

    fn write_psk<I: traits::PskId<V>, P: traits::PskBundle<V>>(&self, id: &I, psk: &P) -> Result<(), BadValue> {
        self.write("psk", id, psk)
    }

    fn psk<P: traits::PskBundle<V>, I: traits::PskId<V>>(&self, id: &I) -> Result<Option<P>, BadValue> {
        self.read("psk", id)
    }

    fn delete_psk<I: traits::PskId<V>>(&self, id: &I) -> Result<(), BadValue> {
        self.delete("psk", id)
    }
}
