//! Why storage could not do its part. No error ever leads to something being wiped.

/// Why storage could not do its part. Whatever it is, what was stored before is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The passphrase or key file does not open this store.
    #[error("the passphrase or key does not open this store; nothing was changed")]
    WrongKey,
    /// Too many attempts have failed; there is a wait now.
    #[error("too many attempts have failed: wait before the next one")]
    Throttled,
    /// There is no store in this place.
    #[error("there is no store in {0}")]
    Missing(String),
    /// There is a store in this place already.
    #[error("there is a store in {0} already")]
    Exists(String),
    /// A value fails its authentication: it was damaged, moved or exchanged.
    #[error("the store is damaged: a value does not authenticate")]
    Damaged,
    /// The store was written by a newer version.
    #[error("the store was written by a newer version (format {0}); update this program")]
    Newer(u32),
    /// Another process has stored something since this one loaded.
    #[error("another process has changed the store: load it again")]
    Stale,
    /// The disk, the file system or the database failed.
    #[error("storing failed: {0}")]
    Io(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl From<std::io::Error> for StorageError {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e.to_string())
    }
}

#[cfg(feature = "native")]
impl From<rusqlite::Error> for StorageError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Io(e.to_string())
    }
}
