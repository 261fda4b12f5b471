//! Sealed SQLite storage.

use super::{Batch, Line, Snapshot, Storage, StorageError, seal::Unlock};
use firstlight_protocol::RoomId;
use std::path::Path;

/// A sealed store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStorage {}

impl SqliteStorage {
    /// Makes a new store; [`StorageError::Exists`] if there is one.
    pub fn create(_path: &Path, _unlock: &Unlock) -> Result<Self, StorageError> {
        Err(StorageError::Damaged)
    }

    /// Opens a store; [`StorageError::WrongKey`] changes nothing.
    pub fn open(path: &Path, _unlock: &Unlock) -> Result<Self, StorageError> {
        Err(StorageError::Missing(path.display().to_string()))
    }

    /// Protects the same data key with another passphrase or key.
    pub fn change_unlock(&mut self, _new: &Unlock) -> Result<(), StorageError> {
        Err(StorageError::Damaged)
    }
}

impl Storage for SqliteStorage {
    fn load(&mut self) -> Result<Snapshot, StorageError> {
        Err(StorageError::Damaged)
    }

    fn generation(&mut self) -> Result<u64, StorageError> {
        Err(StorageError::Damaged)
    }

    fn commit(&mut self, _expected: u64, _batch: &Batch) -> Result<u64, StorageError> {
        Err(StorageError::Damaged)
    }

    fn lines(&mut self, _room: RoomId, _after: u64, _limit: usize) -> Result<Vec<Line>, StorageError> {
        Err(StorageError::Damaged)
    }

    fn last_lines(&mut self, _room: RoomId, _limit: usize) -> Result<Vec<Line>, StorageError> {
        Err(StorageError::Damaged)
    }
}
