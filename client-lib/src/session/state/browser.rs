//! The state in a browser: the engine in memory, its steps in IndexedDB.

use crate::{
    clock,
    engine::{Engine, EngineError, Step},
    session::SessionError,
    storage::{Batch, HostError, Line, Outcome, StorageError, indexed_db::IndexedDb},
    transport::VaultError,
};
use firstlight_protocol::{RoomId, Timestamp};
use std::{
    cell::RefCell,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use wasm_bindgen_futures::spawn_local;

/// A device's state in this browser. Only the tab that holds the writer's lock opens it.
#[derive(Debug)]
pub struct State {
    kept: Arc<Mutex<Kept>>,
    storage: IndexedDb,
    sign_in: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Kept {
    engine: Engine,
    generation: u64,
    /// A commit failed, it may have been stored all the same, and it could not be seen whether.
    unsure: bool,
}

impl State {
    /// Loads it from an open store.
    pub async fn load(storage: IndexedDb) -> Result<Self, SessionError> {
        let kept = Kept::load(&storage).await?;
        Ok(Self { kept: Arc::new(Mutex::new(kept)), storage, sign_in: Arc::default() })
    }

    /// The store, for its keys.
    pub fn storage(&self) -> &IndexedDb {
        &self.storage
    }

    /// Answers a question to the engine, about nothing that is not durable.
    pub async fn read<T>(&self, question: impl FnOnce(&Engine) -> T) -> Result<T, SessionError> {
        Ok(question(&self.hold().await?.engine))
    }

    /// Runs one engine call; answers when its step is durable. The effects are still to be carried out.
    pub async fn apply(
        &self,
        call: impl FnOnce(&mut Engine, Timestamp) -> Result<Step, EngineError>,
    ) -> Result<Outcome, SessionError> {
        let mut kept = self.hold().await?;
        let Step { batch, effects, events } = call(&mut kept.engine, clock::now())?;
        if batch.is_empty() {
            kept.engine.persisted();
        } else {
            let storage = self.storage.clone();
            beside(async move { kept.commit(&storage, &batch).await }).await?;
        }
        Ok(Outcome { effects, events })
    }

    /// Log lines of a room after a place.
    pub async fn lines(&self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.storage.lines(room, after, limit).await?)
    }

    /// The newest log lines of a room before a place.
    pub async fn lines_before(&self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.storage.lines_before(room, before, limit).await?)
    }

    async fn hold(&self) -> Result<OwnedMutexGuard<Kept>, SessionError> {
        let mut kept = self.kept.clone().lock_owned().await;
        if kept.unsure {
            let storage = self.storage.clone();
            let (loaded, again) = beside(async move { (Kept::load(&storage).await, kept) }).await;
            kept = again;
            *kept = loaded?;
        }
        Ok(kept)
    }

    /// Nobody else renews the sign-in of this browser.
    pub(super) async fn lock_sign_in(&self) -> Result<OwnedMutexGuard<()>, VaultError> {
        Ok(self.sign_in.clone().lock_owned().await)
    }
}

impl Kept {
    async fn load(storage: &IndexedDb) -> Result<Self, HostError> {
        let snapshot = storage.load().await?;
        let generation = snapshot.generation;
        Ok(Self { engine: Engine::open(snapshot)?, generation, unsure: false })
    }

    /// Stores the engine's last step, or undoes it.
    async fn commit(&mut self, storage: &IndexedDb, batch: &Batch) -> Result<(), StorageError> {
        match storage.commit(self.generation, batch).await {
            Ok(generation) => {
                self.generation = generation;
                self.engine.persisted();
                Ok(())
            }
            Err(e) => {
                self.engine.rolled_back();
                self.unsure = true;
                Err(e)
            }
        }
    }
}

/// Runs a future as a task of its own, and waits for it. Whoever waits may be dropped, or wait behind something else, while
/// the engine is in the middle of a step: the step is finished all the same, and the next one is let in.
async fn beside<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let slot: Rc<RefCell<(Option<T>, Option<Waker>)>> = Rc::new(RefCell::new((None, None)));
    let filled = slot.clone();
    spawn_local(async move {
        let value = future.await;
        let mut slot = filled.borrow_mut();
        slot.0 = Some(value);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    });
    poll_fn(|context| {
        let mut slot = slot.borrow_mut();
        match slot.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}
