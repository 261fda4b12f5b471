//! One state directory, several processes: a long-running `watch` and a short `send` take turns under a file lock.

use super::{Host, HostError, Line, Outcome, SqliteStorage, StorageError, seal::Unlock};
use crate::engine::{Engine, EngineError, Step};
use firstlight_protocol::RoomId;
use std::{
    fs::{DirBuilder, File, OpenOptions},
    path::Path,
};

const STORE: &str = "state.db";
const LOCK: &str = "lock";

/// A host whose every call runs under the state directory's lock, on what is newest.
///
/// What another process has received gives no event here: whoever shows a room live remembers up to which place it has
/// shown it, and reads [`Self::lines`] from there after each call or [`Self::refresh`].
#[derive(Debug)]
pub struct Shared {
    host: Host<SqliteStorage>,
    lock: File,
}

/// Held during one call. The operating system lets go of it when the process dies.
struct Turn<'a>(&'a File);

impl<'a> Turn<'a> {
    fn take(file: &'a File) -> Result<Self, StorageError> {
        file.lock()?;
        Ok(Self(file))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Failing to unlock leaves the lock to the file's closing.
        let _ = self.0.unlock();
    }
}

impl Shared {
    /// Makes a new, empty state directory, readable by its owner alone.
    pub fn create(dir: &Path, unlock: &Unlock) -> Result<Self, HostError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir).map_err(StorageError::from)?;
        let lock = lock_file(dir)?;
        let turn = Turn::take(&lock)?;
        let host = Host::open(SqliteStorage::create(&dir.join(STORE), unlock)?)?;
        drop(turn);
        Ok(Self { host, lock })
    }

    /// Opens a state directory.
    pub fn open(dir: &Path, unlock: &Unlock) -> Result<Self, HostError> {
        if !Self::exists(dir) {
            return Err(StorageError::Missing(dir.display().to_string()).into());
        }
        let lock = lock_file(dir)?;
        let turn = Turn::take(&lock)?;
        let host = Host::open(SqliteStorage::open(&dir.join(STORE), unlock)?)?;
        drop(turn);
        Ok(Self { host, lock })
    }

    /// Whether there is a store in a directory.
    pub fn exists(dir: &Path) -> bool {
        dir.join(STORE).is_file()
    }

    /// Runs one engine call under the lock and stores its step.
    pub fn apply(&mut self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) -> Result<Outcome, HostError> {
        let _turn = Turn::take(&self.lock)?;
        self.host.refresh()?;
        self.host.apply(call)
    }

    /// Loads what other processes have stored since; then [`Self::engine`] answers with it.
    pub fn refresh(&mut self) -> Result<(), HostError> {
        let _turn = Turn::take(&self.lock)?;
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

    /// The newest `limit` log lines of a room before a place, in order.
    pub fn lines_before(&mut self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, HostError> {
        self.host.lines_before(room, before, limit)
    }

    /// Protects the store with another passphrase or key; the old one opens it no more.
    pub fn change_unlock(&mut self, new: &Unlock) -> Result<(), HostError> {
        let _turn = Turn::take(&self.lock)?;
        Ok(self.host.storage_mut().change_unlock(new)?)
    }
}

fn lock_file(dir: &Path) -> Result<File, StorageError> {
    Ok(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join(LOCK))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::DeviceId;
    use zeroize::Zeroizing;

    #[test]
    fn two_processes_see_each_others_changes_and_lose_none() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("state");
        let unlock = Unlock::Key(Zeroizing::new([3; 32]));
        let mut watch = Shared::create(&dir, &unlock).unwrap();
        watch.apply(|e| e.create_device(DeviceId([1; 16]), Zeroizing::new([5; 32]))).unwrap();
        // A lock on another handle of the file excludes as one of another process does.
        let send = |n: u8| {
            let (dir, unlock) = (dir.clone(), unlock.clone());
            std::thread::spawn(move || {
                let mut shared = Shared::open(&dir, &unlock).unwrap();
                for i in 0..10 {
                    shared.apply(|e| e.put_setting(&format!("{n}/{i}"), Some(vec![n, i]))).unwrap();
                }
            })
        };
        let threads = [send(1), send(2)];
        for i in 0..10 {
            watch.apply(|e| e.put_setting(&format!("0/{i}"), Some(vec![0, i]))).unwrap();
        }
        threads.into_iter().for_each(|t| t.join().unwrap());
        watch.refresh().unwrap();
        assert_eq!(watch.engine().settings("").len(), 30);
        assert_eq!(watch.engine().device(), Some(DeviceId([1; 16])));
        assert!(matches!(Shared::open(&dir.join("none"), &unlock), Err(HostError::Storage(StorageError::Missing(_)))));
    }
}
