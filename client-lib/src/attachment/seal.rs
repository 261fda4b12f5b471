//! Sealing one file's chunks: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) over
//! ChaCha20-Poly1305, with a key of the file's own.
//!
//! A chunk's nonce is its place and whether it is the last: what is cut off, exchanged, repeated or moved does not open.
//! One nonce must never seal two texts: the key is used for one file, whose chunks are compared with their digests before
//! they are sealed ([`super::Upload::seal`]), so that sealing a chunk again gives the same bytes.

use super::AttachmentError;
use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce};
use firstlight_protocol::attachment::FileKey;

/// Seals and opens the chunks of one file.
#[derive(Clone)]
pub struct Seal(ChaCha20Poly1305);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// Seven zero bytes, the chunk's number with its highest byte first, and 1 for the last chunk.
fn nonce(n: u32, last: bool) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[7..11].copy_from_slice(&n.to_be_bytes());
    nonce[11] = last.into();
    nonce
}

impl Seal {
    /// With a file's key.
    pub fn new(key: &FileKey) -> Self {
        Self(ChaCha20Poly1305::new((&key.0).into()))
    }

    /// Seals chunk `n`.
    ///
    /// # Errors
    /// Only where a chunk is larger than the cipher takes, which no chunk is.
    pub fn seal(&self, n: u32, last: bool, mut chunk: Vec<u8>) -> Result<Vec<u8>, AttachmentError> {
        let sealed = self.0.encrypt_in_place(&nonce(n, last), b"", &mut chunk);
        sealed.map(|()| chunk).map_err(|_| AttachmentError::TooLarge)
    }

    /// Opens chunk `n`.
    ///
    /// # Errors
    /// [`AttachmentError::Tampered`] if it is anything but that chunk of that file.
    pub fn open(&self, n: u32, last: bool, mut sealed: Vec<u8>) -> Result<Vec<u8>, AttachmentError> {
        let opened = self.0.decrypt_in_place(&nonce(n, last), b"", &mut sealed);
        opened.map(|()| sealed).map_err(|_| AttachmentError::Tampered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8) -> Seal {
        Seal::new(&FileKey([key; 32]))
    }

    #[test]
    fn a_chunk_opens_only_whole_in_its_place_and_for_its_file() {
        let one = seal(1).seal(3, false, b"what it says".to_vec()).unwrap();
        assert_eq!(seal(1).open(3, false, one.clone()).unwrap(), b"what it says");
        assert_eq!(one, seal(1).seal(3, false, b"what it says".to_vec()).unwrap(), "sealed again it is the same");
        for (key, n, last) in [(2, 3, false), (1, 2, false), (1, 4, false), (1, 3, true)] {
            assert_eq!(seal(key).open(n, last, one.clone()), Err(AttachmentError::Tampered), "{key} {n} {last}");
        }
        for flip in 0..one.len() {
            let mut bad = one.clone();
            bad[flip] ^= 1;
            assert!(seal(1).open(3, false, bad).is_err());
        }
        for length in 0..one.len() {
            assert!(seal(1).open(3, false, one[..length].to_vec()).is_err());
        }
    }

    /// Written down, so that another implementation can compare: key 00..1f, chunk 1 of 2, "firstlight".
    #[test]
    fn the_documented_vector_holds() {
        let key: [u8; 32] = std::array::from_fn(|i| i as u8);
        let sealed = Seal::new(&FileKey(key)).seal(1, true, b"firstlight".to_vec()).unwrap();
        let hex = sealed.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let documented = include_str!("../../../protocol/docs/attachments.md");
        assert!(documented.contains(&hex), "protocol/docs/attachments.md should say {hex}");
    }
}
