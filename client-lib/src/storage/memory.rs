//! Storage in memory, for tests: it can be told to fail.

use super::{Batch, Line, Snapshot, Storage, StorageError};
use firstlight_protocol::RoomId;
use std::collections::BTreeMap;

/// Storage in memory. What is committed survives "a crash": take the storage out of its host and open it again.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    stored: Snapshot,
    lines: BTreeMap<(RoomId, u64), Line>,
    commits: u64,
    fail_at: Option<u64>,
    fail_after_write: bool,
}

impl MemoryStorage {
    /// Empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails the `n`th commit from now (1 is the next), before anything is stored.
    pub fn fail_at(&mut self, n: u64) {
        self.fail_at = Some(self.commits + n);
        self.fail_after_write = false;
    }

    /// Fails the `n`th commit from now after it was stored: the answer is lost, as in a crash right behind the write.
    pub fn fail_after(&mut self, n: u64) {
        self.fail_at = Some(self.commits + n);
        self.fail_after_write = true;
    }

    /// How many commits were tried.
    pub fn commits(&self) -> u64 {
        self.commits
    }
}

impl Storage for MemoryStorage {
    fn load(&mut self) -> Result<Snapshot, StorageError> {
        Ok(self.stored.clone())
    }

    fn generation(&mut self) -> Result<u64, StorageError> {
        Ok(self.stored.generation)
    }

    fn commit(&mut self, expected: u64, batch: &Batch) -> Result<u64, StorageError> {
        if expected != self.stored.generation {
            return Err(StorageError::Stale);
        }
        self.commits += 1;
        let fails = self.fail_at == Some(self.commits);
        if fails && !self.fail_after_write {
            return Err(StorageError::Io("a write was told to fail".into()));
        }
        for (key, value) in &batch.values {
            match value {
                Some(value) => self.stored.values.insert(key.clone(), value.clone()),
                None => self.stored.values.remove(key),
            };
        }
        for line in &batch.lines {
            self.lines.insert((line.room, line.seq), line.clone());
        }
        self.stored.generation += 1;
        if fails {
            return Err(StorageError::Io("a write was told to fail after it was done".into()));
        }
        Ok(self.stored.generation)
    }

    fn lines(&mut self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        let from = (room, after.saturating_add(1));
        Ok(self.lines.range(from..=(room, u64::MAX)).take(limit).map(|(_, line)| line.clone()).collect())
    }

    fn lines_before(&mut self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        let mut lines: Vec<_> =
            self.lines.range((room, 0)..(room, before)).rev().take(limit).map(|(_, line)| line.clone()).collect();
        lines.reverse();
        Ok(lines)
    }
}
