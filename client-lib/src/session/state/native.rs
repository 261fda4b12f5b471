//! A state directory: the engine under its lock.

use super::vault;
use crate::{
    clock,
    engine::{Engine, EngineError, Step},
    session::SessionError,
    storage::{Line, Outcome, Shared, seal::Unlock},
    transport::VaultError,
};
use firstlight_protocol::{RoomId, Timestamp};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A state directory.
#[derive(Debug)]
pub struct State {
    shared: Mutex<Shared>,
    dir: PathBuf,
}

impl State {
    /// Makes a new one.
    pub fn create(dir: &Path, unlock: &Unlock) -> Result<Self, SessionError> {
        Ok(Self { shared: Mutex::new(Shared::create(dir, unlock)?), dir: dir.to_owned() })
    }

    /// Opens one.
    pub fn open(dir: &Path, unlock: &Unlock) -> Result<Self, SessionError> {
        Ok(Self { shared: Mutex::new(Shared::open(dir, unlock)?), dir: dir.to_owned() })
    }

    /// Answers a question to the engine, with what is newest.
    pub async fn read<T>(&self, question: impl FnOnce(&Engine) -> T) -> Result<T, SessionError> {
        let mut shared = self.hold();
        shared.refresh()?;
        Ok(question(shared.engine()))
    }

    /// Runs one engine call and stores its step; the effects are still to be carried out.
    pub async fn apply(
        &self,
        call: impl FnOnce(&mut Engine, Timestamp) -> Result<Step, EngineError>,
    ) -> Result<Outcome, SessionError> {
        let now = clock::now();
        Ok(self.hold().apply(|engine| call(engine, now))?)
    }

    /// Log lines of a room after a place.
    pub async fn lines(&self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.hold().lines(room, after, limit)?)
    }

    /// The newest log lines of a room before a place.
    pub async fn lines_before(&self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.hold().lines_before(room, before, limit)?)
    }

    fn hold(&self) -> MutexGuard<'_, Shared> {
        // A panic in another thread left the engine between two steps at worst, and the store decides what is true.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process may renew the sign-in of the same directory.
    pub(super) async fn lock_sign_in(&self) -> Result<File, VaultError> {
        let path = self.dir.join("sign-in.lock");
        let locking = tokio::task::spawn_blocking(move || {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        locking.await.map_err(vault)?.map_err(vault)
    }
}
