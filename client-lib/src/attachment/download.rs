//! Fetching a file, without doing any of it.

use super::{AttachmentError, Progress, Seal, upload::span};
use firstlight_protocol::{
    attachment::{Attachment, Shape},
    limits::ATTACHMENT_CHUNK,
};
use sha2::{Digest, Sha256};

/// A file that is being fetched: chunk after chunk, each verified before anything of it counts.
#[derive(Debug)]
pub struct Download {
    size: u64,
    sha256: Vec<u8>,
    shape: Shape,
    seal: Seal,
    hash: Sha256,
    next: u32,
    before: u64,
}

impl Download {
    /// Of what a message announces.
    ///
    /// # Errors
    /// [`AttachmentError::TooLarge`] for what no client sends.
    pub fn new(attachment: &Attachment) -> Result<Self, AttachmentError> {
        let shape = Shape::of_file(attachment.size).ok_or(AttachmentError::TooLarge)?;
        Ok(Self {
            size: attachment.size,
            sha256: attachment.sha256.to_vec(),
            shape,
            seal: Seal::new(&attachment.key),
            hash: Sha256::new(),
            next: 0,
            before: 0,
        })
    }

    /// Whole chunks of the file that are there from before, in order. Says whether they can be used.
    pub fn go_on_with(&mut self, chunk: &[u8]) -> bool {
        let span = span(self.size, self.next);
        let usable = chunk.len() as u64 == span.end - span.start && chunk.len() == ATTACHMENT_CHUNK;
        if usable {
            self.hash.update(chunk);
            self.next += 1;
            self.before = span.end;
        }
        usable
    }

    /// Numbers of the chunks that are still to be fetched, in order.
    pub fn missing(&self) -> std::ops::Range<u32> {
        self.next..self.shape.chunks()
    }

    /// Opens the next chunk; answers with what belongs into the file.
    ///
    /// # Errors
    /// [`AttachmentError::Tampered`]: nothing of it counts, and the same chunk is next.
    pub fn open(&mut self, sealed: Vec<u8>) -> Result<Vec<u8>, AttachmentError> {
        if Some(sealed.len()) != self.shape.sealed_chunk(self.next) {
            return Err(AttachmentError::Tampered);
        }
        let mut chunk = self.seal.open(self.next, self.shape.is_last(self.next), sealed)?;
        let span = span(self.size, self.next);
        chunk.truncate(usize::try_from(span.end - span.start).unwrap_or(0));
        self.hash.update(&chunk);
        self.next += 1;
        Ok(chunk)
    }

    /// Whether it is all there, and is what was announced.
    ///
    /// # Errors
    /// [`AttachmentError::Tampered`].
    pub fn finish(self) -> Result<(), AttachmentError> {
        let whole = self.next == self.shape.chunks() && self.hash.finalize()[..] == self.sha256;
        whole.then_some(()).ok_or(AttachmentError::Tampered)
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress { done: span(self.size, self.next).start, total: self.size, before: self.before }
    }
}
