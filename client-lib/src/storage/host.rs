//! Carries engine steps into storage: the one place that knows the order "store, then act".

use super::{Line, Storage, StorageError};
use crate::engine::{Effect, Engine, EngineError, Event, Step};
use firstlight_protocol::RoomId;

/// Why a call on a [`Host`] failed. Nothing has changed then, and nothing may be acted upon.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Storing or loading failed; the same call may be tried again.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What to do and to show now that a step is stored.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Requests to make, in order.
    pub effects: Vec<Effect>,
    /// What happened, for people.
    pub events: Vec<Event>,
}

/// An engine and its storage.
#[derive(Debug)]
pub struct Host<S> {
    storage: S,
    engine: Engine,
    generation: u64,
    /// A commit failed, and it may have been stored all the same.
    unsure: bool,
}

impl<S: Storage> Host<S> {
    /// Loads the engine from storage.
    pub fn open(mut storage: S) -> Result<Self, HostError> {
        let snapshot = storage.load()?;
        let generation = snapshot.generation;
        Ok(Self { storage, engine: Engine::open(snapshot)?, generation, unsure: false })
    }

    /// The engine, for questions.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The storage, for tests and for moving it elsewhere.
    pub fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Gives the storage back.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// Loads again if another process has stored something since.
    pub fn refresh(&mut self) -> Result<(), HostError> {
        if self.storage.generation()? != self.generation {
            let snapshot = self.storage.load()?;
            let generation = snapshot.generation;
            self.engine = Engine::open(snapshot)?;
            self.generation = generation;
        }
        self.unsure = false;
        Ok(())
    }

    /// Runs one engine call and stores its step. On any error nothing has changed, in memory or on disk.
    pub fn apply(&mut self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) -> Result<Outcome, HostError> {
        if self.unsure {
            self.refresh()?;
        }
        let step = call(&mut self.engine)?;
        if !step.batch.is_empty() {
            match self.storage.commit(self.generation, &step.batch) {
                Ok(generation) => self.generation = generation,
                Err(e) => {
                    self.engine.rolled_back();
                    self.unsure = true;
                    return Err(e.into());
                }
            }
        }
        self.engine.persisted();
        Ok(Outcome { effects: step.effects, events: step.events })
    }

    /// Up to `limit` log lines of a room after a place, in order.
    pub fn lines(&mut self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, HostError> {
        Ok(self.storage.lines(room, after, limit)?)
    }

    /// The newest `limit` log lines of a room before a place, in order.
    pub fn lines_before(&mut self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, HostError> {
        Ok(self.storage.lines_before(room, before, limit)?)
    }
}
