//! A first look at a file before anything of it is sealed: its size, its hash, and the hash of each chunk.

use super::AttachmentError;
use firstlight_protocol::limits::{ATTACHMENT_CHUNK, MAX_ATTACHMENT};
use sha2::{Digest, Sha256};

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of all.
    pub sha256: [u8; 32],
    /// SHA-256 of each chunk, one after the other, without padding.
    pub digests: Vec<u8>,
}

/// Looks at a file from its beginning to its end.
#[derive(Debug, Default)]
pub struct Surveyor {
    whole: Sha256,
    chunk: Sha256,
    size: u64,
    digests: Vec<u8>,
}

impl Surveyor {
    /// The next bytes.
    ///
    /// # Errors
    /// [`AttachmentError::TooLarge`].
    pub fn see(&mut self, mut bytes: &[u8]) -> Result<(), AttachmentError> {
        if self.size + bytes.len() as u64 > MAX_ATTACHMENT {
            return Err(AttachmentError::TooLarge);
        }
        self.whole.update(bytes);
        while !bytes.is_empty() {
            let filled = usize::try_from(self.size % ATTACHMENT_CHUNK as u64).unwrap_or(0);
            let (now, later) = bytes.split_at(bytes.len().min(ATTACHMENT_CHUNK - filled));
            self.chunk.update(now);
            self.size += now.len() as u64;
            if filled + now.len() == ATTACHMENT_CHUNK {
                self.digests.extend(self.chunk.finalize_reset());
            }
            bytes = later;
        }
        Ok(())
    }

    /// That was all.
    pub fn finish(mut self) -> Survey {
        if !self.size.is_multiple_of(ATTACHMENT_CHUNK as u64) {
            self.digests.extend(self.chunk.finalize());
        }
        Survey { size: self.size, sha256: self.whole.finalize().into(), digests: self.digests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_matter_in_which_pieces_a_file_is_seen() {
        let file: Vec<u8> = (0..ATTACHMENT_CHUNK * 2 + 17).map(|i| (i * 31) as u8).collect();
        let survey = |pieces: usize| {
            let mut surveyor = Surveyor::default();
            file.chunks(pieces).for_each(|piece| surveyor.see(piece).unwrap());
            surveyor.finish()
        };
        let whole = survey(file.len());
        assert_eq!((whole.size, whole.digests.len()), (file.len() as u64, 3 * 32));
        assert_eq!(whole.sha256[..], Sha256::digest(&file)[..]);
        assert_eq!(whole.digests[64..], Sha256::digest(&file[ATTACHMENT_CHUNK * 2..])[..]);
        for pieces in [1_000, ATTACHMENT_CHUNK - 1, ATTACHMENT_CHUNK, ATTACHMENT_CHUNK + 1] {
            assert_eq!(survey(pieces), whole, "{pieces}");
        }
        assert!(Surveyor::default().finish().digests.is_empty());
    }
}
