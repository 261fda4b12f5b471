//! One state directory, several processes: a long-running `watch` and a short `send` take turns under a file lock.

use super::{Host, HostError, Line, Outcome, SqliteStorage, StorageError, seal::Unlock};
use crate::engine::{Engine, EngineError, Step};
use firstlight_protocol::RoomId;
use std::path::Path;

/// A host whose every call runs under the state directory's lock, on what is newest.
#[derive(Debug)]
pub struct Shared {
    host: Host<SqliteStorage>,
}

impl Shared {
    /// Makes a new, empty state directory.
    pub fn create(_dir: &Path, _unlock: &Unlock) -> Result<Self, HostError> {
        Err(StorageError::Damaged.into())
    }

    /// Opens a state directory.
    pub fn open(_dir: &Path, _unlock: &Unlock) -> Result<Self, HostError> {
        Err(StorageError::Damaged.into())
    }

    /// Runs one engine call under the lock and stores its step.
    pub fn apply(&mut self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) -> Result<Outcome, HostError> {
        self.host.apply(call)
    }

    /// Loads what other processes have stored since; then [`Self::engine`] answers with it.
    pub fn refresh(&mut self) -> Result<(), HostError> {
        self.host.refresh()
    }

    /// The engine, for questions, as of the last call or [`Self::refresh`].
    pub fn engine(&self) -> &Engine {
        self.host.engine()
    }

    /// Up to `limit` log lines of a room after a place, in order.
    pub fn lines(&mut self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, HostError> {
        self.host.lines(room, after, limit)
    }

    /// The newest `limit` log lines of a room, in order.
    pub fn last_lines(&mut self, room: RoomId, limit: usize) -> Result<Vec<Line>, HostError> {
        self.host.last_lines(room, limit)
    }

    /// Protects the store with another passphrase or key; the old one opens it no more.
    pub fn change_unlock(&mut self, new: &Unlock) -> Result<(), HostError> {
        Ok(self.host.storage_mut().change_unlock(new)?)
    }
}
