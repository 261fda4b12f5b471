//! What the engine needs kept: one ordered map of small values, and the log lines that people read.
//!
//! One [`Batch`] is one transaction: MLS state, plaintext, cursors and outbox together (DESIGN.md, "Messaging"). Storage
//! never interprets a value; [`seal`] encrypts all of it before it reaches a disk.

mod error;
mod host;
#[cfg(target_arch = "wasm32")]
pub mod indexed_db;
#[cfg(feature = "native")]
mod key_file;
mod line;
mod memory;
#[cfg(any(feature = "native", target_arch = "wasm32"))]
mod rows;
pub mod seal;
#[cfg(feature = "native")]
mod shared;
#[cfg(feature = "native")]
mod sqlite;

pub use error::StorageError;
pub use host::{Host, HostError, Outcome};
pub use line::{Line, LineBody, Unreadable};
pub use memory::MemoryStorage;
#[cfg(feature = "native")]
pub use shared::Shared;
#[cfg(feature = "native")]
pub use sqlite::SqliteStorage;

use firstlight_protocol::RoomId;
use std::collections::BTreeMap;

/// The engine's map, as it stands in storage.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Counts the batches that were ever stored. Two processes tell by it who has to load again.
    pub generation: u64,
    /// All entries.
    pub values: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Changes that are stored together or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// New values by key; `None` deletes.
    pub values: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Log lines to add. A line with the same room and place replaces the old one (a replay writes the same again).
    pub lines: Vec<Line>,
}

impl Batch {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.lines.is_empty()
    }
}

/// A place that keeps batches: [`SqliteStorage`] on a disk, [`MemoryStorage`] in tests, IndexedDB in a browser.
pub trait Storage {
    /// Everything of the map, with its generation.
    fn load(&mut self) -> Result<Snapshot, StorageError>;

    /// The generation that is stored now.
    fn generation(&mut self) -> Result<u64, StorageError>;

    /// Stores a batch on top of generation `expected`, durably and atomically, and answers with the new generation.
    /// [`StorageError::Stale`] if another process has stored something since: then nothing is stored.
    fn commit(&mut self, expected: u64, batch: &Batch) -> Result<u64, StorageError>;

    /// Up to `limit` lines of a room with a place greater than `after`, in order.
    fn lines(&mut self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, StorageError>;

    /// The newest `limit` lines of a room with a place less than `before`, in order.
    fn lines_before(&mut self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, StorageError>;
}
