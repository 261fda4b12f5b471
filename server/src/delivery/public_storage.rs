//! Where openmls puts a group's public state: into memory, to be stored by us in the same transaction as the commit.

use crate::{Error, Result};
use firstlight_protocol::wire::{from_cbor, from_stored_cbor, to_cbor};
use openmls_traits::{
    public_storage::PublicStorageProvider,
    storage::{CURRENT_VERSION, traits},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The parts of a group's public state, each in CBOR. By-reference proposals are refused, so there is no queue.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Parts {
    #[serde(with = "serde_bytes")]
    tree: Vec<u8>,
    #[serde(with = "serde_bytes")]
    context: Vec<u8>,
    #[serde(with = "serde_bytes")]
    interim_transcript_hash: Vec<u8>,
    #[serde(with = "serde_bytes")]
    confirmation_tag: Vec<u8>,
}

/// A place for one group's public state.
#[derive(Debug)]
pub(super) struct Snapshot {
    parts: Mutex<Parts>,
    keep: bool,
}

/// A part that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("a part of the group's public state can't be read")]
pub(super) struct Unreadable;

impl Snapshot {
    /// Keeps what is written.
    pub(super) fn keep() -> Self {
        Self { parts: Mutex::default(), keep: true }
    }

    /// Throws away what is written, without encoding it: the state lives in memory and in the log.
    pub(super) fn discard() -> Self {
        Self { parts: Mutex::default(), keep: false }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let parts = from_cbor(bytes).map_err(|e| Error::internal(format!("room snapshot: {e}")))?;
        Ok(Self { parts: Mutex::new(parts), keep: true })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        to_cbor(&*self.parts())
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put<T: Serialize>(&self, part: impl FnOnce(&mut Parts) -> &mut Vec<u8>, value: &T) -> Result<(), Unreadable> {
        if self.keep {
            let bytes = to_cbor(value);
            *part(&mut self.parts()) = bytes;
        }
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, part: impl FnOnce(&Parts) -> &Vec<u8>) -> Result<Option<T>, Unreadable> {
        let parts = self.parts();
        let bytes = part(&parts);
        if bytes.is_empty() {
            return Ok(None);
        }
        from_stored_cbor(bytes).map(Some).map_err(|_| Unreadable)
    }
}

impl PublicStorageProvider<CURRENT_VERSION> for Snapshot {
    type PublicError = Unreadable;

    fn write_tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        _: &G,
        tree: &T,
    ) -> Result<(), Unreadable> {
        self.put(|p| &mut p.tree, tree)
    }

    fn write_interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        H: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        hash: &H,
    ) -> Result<(), Unreadable> {
        self.put(|p| &mut p.interim_transcript_hash, hash)
    }

    fn write_context<G: traits::GroupId<CURRENT_VERSION>, C: traits::GroupContext<CURRENT_VERSION>>(
        &self,
        _: &G,
        context: &C,
    ) -> Result<(), Unreadable> {
        self.put(|p| &mut p.context, context)
    }

    fn write_confirmation_tag<G: traits::GroupId<CURRENT_VERSION>, T: traits::ConfirmationTag<CURRENT_VERSION>>(
        &self,
        _: &G,
        tag: &T,
    ) -> Result<(), Unreadable> {
        self.put(|p| &mut p.confirmation_tag, tag)
    }

    fn queue_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        _: &R,
        _: &Q,
    ) -> Result<(), Unreadable> {
        Ok(())
    }

    fn queued_proposals<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
    ) -> Result<Vec<(R, Q)>, Unreadable> {
        Ok(Vec::new())
    }

    fn tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Option<T>, Unreadable> {
        self.get(|p| &p.tree)
    }

    fn group_context<G: traits::GroupId<CURRENT_VERSION>, C: traits::GroupContext<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Option<C>, Unreadable> {
        self.get(|p| &p.context)
    }

    fn interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        H: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
    ) -> Result<Option<H>, Unreadable> {
        self.get(|p| &p.interim_transcript_hash)
    }

    fn confirmation_tag<G: traits::GroupId<CURRENT_VERSION>, T: traits::ConfirmationTag<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Option<T>, Unreadable> {
        self.get(|p| &p.confirmation_tag)
    }

    fn delete_tree<G: traits::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Result<(), Unreadable> {
        Ok(())
    }

    fn delete_confirmation_tag<G: traits::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Result<(), Unreadable> {
        Ok(())
    }

    fn delete_context<G: traits::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Result<(), Unreadable> {
        Ok(())
    }

    fn delete_interim_transcript_hash<G: traits::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Result<(), Unreadable> {
        Ok(())
    }

    fn remove_proposal<G: traits::GroupId<CURRENT_VERSION>, R: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
        _: &R,
    ) -> Result<(), Unreadable> {
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<CURRENT_VERSION>, R: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<(), Unreadable> {
        Ok(())
    }
}
