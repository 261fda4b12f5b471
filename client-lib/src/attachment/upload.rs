//! Sending a file, without doing any of it.

use super::{AttachmentError, Progress, Seal, Survey};
use firstlight_protocol::{
    AttachmentId, Bytes, MessageId, RoomId, Timestamp,
    api::{AttachmentView, BeginAttachment},
    attachment::{Attachment, FileKey, Shape, safe_name},
    limits::ATTACHMENT_CHUNK,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, ops::Range};

/// A file on its way into a room: kept until its message is, so that sending goes on after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// Where it goes.
    pub room: RoomId,
    /// The message that will announce it.
    pub message: MessageId,
    /// What that message will say.
    pub attachment: Attachment,
    /// SHA-256 of each chunk: none is sealed that differs.
    pub digests: Bytes,
    /// When the person wanted it.
    pub at: Timestamp,
}

impl UploadRecord {
    /// A file that was looked at. Ids and key are random and new: a key seals one file.
    pub fn new(
        room: RoomId,
        (attachment, message): (AttachmentId, MessageId),
        key: FileKey,
        survey: Survey,
        (name, media_type): (&str, &str),
        at: Timestamp,
    ) -> Self {
        let Survey { size, sha256, digests } = survey;
        let (name, media_type, sha256) = (safe_name(name), media_type.to_owned(), sha256.to_vec().into());
        let attachment = Attachment { attachment, key, size, sha256, name, media_type };
        Self { room, message, attachment, digests: digests.into(), at }
    }

    /// Whether it is the same file, going to the same room.
    pub fn is_of(&self, room: RoomId, name: &str, survey: &Survey) -> bool {
        let Attachment { size, sha256, name: known, .. } = &self.attachment;
        (self.room, *size, sha256.as_ref()) == (room, survey.size, &survey.sha256) && *known == safe_name(name)
    }
}

/// A file that is being sent.
#[derive(Debug)]
pub struct Upload {
    record: UploadRecord,
    shape: Shape,
    seal: Seal,
    waiting: BTreeSet<u32>,
    missing: BTreeSet<u32>,
    before: u64,
}

impl Upload {
    /// From the beginning; [`Self::server_has`] says what is done already.
    ///
    /// # Errors
    /// [`AttachmentError::TooLarge`].
    pub fn new(record: UploadRecord) -> Result<Self, AttachmentError> {
        let shape = Shape::of_file(record.attachment.size).ok_or(AttachmentError::TooLarge)?;
        let all: BTreeSet<u32> = (0..shape.chunks()).collect();
        let seal = Seal::new(&record.attachment.key);
        Ok(Self { seal, shape, waiting: all.clone(), missing: all, before: 0, record })
    }

    /// The request to begin with.
    pub fn begin(&self) -> BeginAttachment {
        let UploadRecord { message, attachment, .. } = &self.record;
        BeginAttachment { id: attachment.attachment, message: *message, size: self.shape.sealed() }
    }

    /// What the server answers about it: only what it has not got is sent.
    ///
    /// # Errors
    /// [`AttachmentError::OtherShape`].
    pub fn server_has(&mut self, view: &AttachmentView) -> Result<(), AttachmentError> {
        if (view.id, view.size) != (self.record.attachment.attachment, self.shape.sealed()) {
            return Err(AttachmentError::OtherShape);
        }
        self.missing = (0..self.shape.chunks()).filter(|n| !view.complete && !view.received.contains(n)).collect();
        self.waiting = self.missing.clone();
        self.before = self.done();
        Ok(())
    }

    /// The next chunk to send; several may be on their way at once.
    pub fn next_chunk(&mut self) -> Option<u32> {
        self.waiting.pop_first()
    }

    /// Which bytes of the file a chunk has; none where it is padding alone.
    pub fn span(&self, n: u32) -> Range<u64> {
        span(self.record.attachment.size, n)
    }

    /// Pads and seals a chunk.
    ///
    /// # Errors
    /// [`AttachmentError::Changed`] if it is not what it was when the file was looked at.
    pub fn seal(&self, n: u32, mut chunk: Vec<u8>) -> Result<Vec<u8>, AttachmentError> {
        let length = self.shape.padded_chunk(n).ok_or(AttachmentError::Changed)?;
        let span = self.span(n);
        let at = n as usize * 32;
        let same = match self.record.digests.get(at..at + 32) {
            Some(digest) => Sha256::digest(&chunk)[..] == *digest,
            None => span.is_empty(),
        };
        if chunk.len() as u64 != span.end - span.start || !same {
            return Err(AttachmentError::Changed);
        }
        chunk.reserve_exact(length + firstlight_protocol::limits::ATTACHMENT_TAG - chunk.len());
        chunk.resize(length, 0);
        self.seal.seal(n, self.shape.is_last(n), chunk)
    }

    /// The server has a chunk.
    pub fn accepted(&mut self, n: u32) {
        self.missing.remove(&n);
    }

    /// Whether the server has all chunks.
    pub fn is_sent(&self) -> bool {
        self.missing.is_empty()
    }

    /// What it is about.
    pub fn record(&self) -> &UploadRecord {
        &self.record
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress { done: self.done(), total: self.record.attachment.size, before: self.before }
    }

    fn done(&self) -> u64 {
        let left: u64 = self.missing.iter().map(|n| self.span(*n)).map(|span| span.end - span.start).sum();
        self.record.attachment.size - left
    }
}

/// Which bytes of a file of this size are in a chunk.
pub(super) fn span(size: u64, n: u32) -> Range<u64> {
    let begins = (u64::from(n) * ATTACHMENT_CHUNK as u64).min(size);
    begins..(begins + ATTACHMENT_CHUNK as u64).min(size)
}
