//! Sealed storage in a browser's IndexedDB: one transaction for a batch, durable when it answers.
//!
//! What stands in the clear: the head, how many entries and lines there are and how long, the places of lines within a
//! room, and failed attempts to open it. Opening never changes anything else, whatever it finds.

mod database;
mod head;

pub use head::{Guard, Key, Passkey};

use super::{
    Batch, Line, Snapshot, StorageError,
    seal::{FORMAT, Sealer},
};
use database::{Database, ENTRIES, LINES, STORE};
use firstlight_protocol::{
    RoomId, Timestamp,
    wire::{from_cbor, to_cbor},
};
use head::Head;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::IdbKeyRange;

/// The database's name; one origin has one device.
const NAME: &str = "firstlight";
const HEAD: &str = "head";
const GUARD: &str = "guard";
/// JavaScript's largest whole number.
const LAST_PLACE: u64 = (1 << 53) - 1;

/// What there is in this browser, before it is opened.
#[derive(Debug, Clone)]
pub struct Found {
    /// A passphrase opens it.
    pub passphrase: bool,
    /// A passkey opens it.
    pub passkey: Option<Passkey>,
    /// Failed attempts.
    pub guard: Guard,
}

/// An open, unlocked store.
#[derive(Clone)]
pub struct IndexedDb {
    database: Database,
    sealer: Sealer,
}

impl std::fmt::Debug for IndexedDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexedDb")
    }
}

impl IndexedDb {
    /// What there is. Nothing is opened that could be locked.
    pub async fn find() -> Result<Option<Found>, StorageError> {
        let database = Database::open(NAME).await?;
        let found = async {
            let Some(head) = read_head(&database).await? else { return Ok(None) };
            let guard = read_guard(&database).await?;
            let passkey = head.passkey.map(|wrapped| wrapped.passkey);
            Ok(Some(Found { passphrase: head.passphrase.is_some(), passkey, guard }))
        };
        let found = found.await;
        database.close();
        found
    }

    /// Makes a new store; [`StorageError::Exists`] if there is one.
    pub async fn create(key: &Key) -> Result<Self, StorageError> {
        let database = Database::open(NAME).await?;
        let sealer = Sealer::generate()?;
        let head = to_cbor(&Head::new(&sealer, key)?);
        let transaction = database.write(&[STORE])?;
        if transaction.get(STORE, &HEAD.into()).await?.is_some() {
            transaction.abort();
            database.close();
            return Err(StorageError::Exists("this browser".into()));
        }
        transaction.put(STORE, &HEAD.into(), &head)?;
        transaction.commit().await?;
        Ok(Self { database, sealer })
    }

    /// Opens the store, unless too many attempts have failed: then the guard says until when to wait.
    pub async fn open(key: &Key, now: Timestamp) -> Result<Self, (StorageError, Guard)> {
        let database = Database::open(NAME).await.map_err(|e| (e, Guard::default()))?;
        match attempt(&database, key, now).await {
            Ok(sealer) => Ok(Self { database, sealer }),
            Err(e) => {
                database.close();
                Err(e)
            }
        }
    }

    /// Asks again for what opens this store; an attempt like any other.
    pub async fn confirm(&self, key: &Key, now: Timestamp) -> Result<(), (StorageError, Guard)> {
        attempt(&self.database, key, now).await.map(drop)
    }

    /// Lets go of the database.
    pub fn close(&self) {
        self.database.close();
    }

    /// Deletes everything, for good.
    pub async fn erase() -> Result<(), StorageError> {
        Database::erase(NAME).await
    }

    /// Adds a way to open it, or replaces the one of its sort.
    pub async fn add_key(&self, key: &Key) -> Result<(), StorageError> {
        // Before the transaction: it would not wait for a passphrase's computation.
        let mut wrapped = Head { format: FORMAT, generation: 0, passphrase: None, passkey: None };
        wrapped.wrap(&self.sealer, key)?;
        self.change_head(|head| {
            head.passphrase = wrapped.passphrase.or(head.passphrase.take());
            head.passkey = wrapped.passkey.or(head.passkey.take());
        })
        .await
    }

    /// Takes the passkey away.
    pub async fn remove_passkey(&self) -> Result<(), StorageError> {
        self.change_head(|head| head.passkey = None).await
    }

    async fn change_head(&self, change: impl FnOnce(&mut Head)) -> Result<(), StorageError> {
        let transaction = self.database.write(&[STORE])?;
        let mut head = head_of(transaction.get(STORE, &HEAD.into()).await?)?.ok_or(StorageError::Damaged)?;
        change(&mut head);
        transaction.put(STORE, &HEAD.into(), &to_cbor(&head))?;
        transaction.commit().await
    }

    /// Everything of the map, with its generation.
    pub async fn load(&self) -> Result<Snapshot, StorageError> {
        // One transaction, so that generation and entries are of the same moment.
        let transaction = self.database.read(&[STORE, ENTRIES])?;
        let head = head_of(transaction.get(STORE, &HEAD.into()).await?)?.ok_or(StorageError::Damaged)?;
        let mut snapshot = Snapshot { generation: head.generation, ..Snapshot::default() };
        for (name, value) in transaction.all(ENTRIES, None).await? {
            let (key, value) = self.sealer.open_entry(&database::bytes(&name), &value)?;
            snapshot.values.insert(key, value);
        }
        Ok(snapshot)
    }

    /// Stores a batch on top of generation `expected`, durably and atomically.
    pub async fn commit(&self, expected: u64, batch: &Batch) -> Result<u64, StorageError> {
        let mut rows: Vec<(&str, JsValue, Option<Vec<u8>>)> =
            Vec::with_capacity(batch.values.len() + batch.lines.len());
        for (key, value) in &batch.values {
            let name = self.sealer.entry_name(key);
            let sealed = value.as_ref().map(|value| self.sealer.seal_entry(&name, key, value)).transpose()?;
            rows.push((ENTRIES, Uint8Array::from(name.as_slice()).into(), sealed));
        }
        for line in &batch.lines {
            let room = self.sealer.room_name(line.room);
            rows.push((LINES, place(&room, line.seq), Some(self.sealer.seal_line(&room, line)?)));
        }
        let transaction = self.database.write(&[STORE, ENTRIES, LINES])?;
        let mut head = head_of(transaction.get(STORE, &HEAD.into()).await?)?.ok_or(StorageError::Damaged)?;
        if head.generation != expected {
            transaction.abort();
            return Err(StorageError::Stale);
        }
        for (store, key, value) in &rows {
            match value {
                Some(value) => transaction.put(store, key, value)?,
                None => transaction.delete(store, key)?,
            }
        }
        head.generation += 1;
        transaction.put(STORE, &HEAD.into(), &to_cbor(&head))?;
        transaction.commit().await?;
        Ok(head.generation)
    }

    /// Up to `limit` lines of a room with a place greater than `after`, in order.
    pub async fn lines(&self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        if after >= LAST_PLACE {
            return Ok(Vec::new());
        }
        let name = self.sealer.room_name(room);
        let range =
            IdbKeyRange::bound(&place(&name, after + 1), &place(&name, LAST_PLACE)).map_err(database::failed)?;
        let rows = self.database.read(&[LINES])?.all(LINES, Some((&range, limit))).await?;
        rows.iter().map(|row| self.open_row(&name, row)).collect()
    }

    /// The newest `limit` lines of a room with a place less than `before`, in order.
    pub async fn lines_before(&self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        if before == 0 {
            return Ok(Vec::new());
        }
        let name = self.sealer.room_name(room);
        let last = (before - 1).min(LAST_PLACE);
        let range = IdbKeyRange::bound(&place(&name, 0), &place(&name, last)).map_err(database::failed)?;
        let rows = self.database.read(&[LINES])?.last(LINES, &range, limit).await?;
        rows.iter().rev().map(|row| self.open_row(&name, row)).collect()
    }

    fn open_row(&self, room: &[u8; 32], (key, value): &(JsValue, Vec<u8>)) -> Result<Line, StorageError> {
        let seq = Array::from(key).get(1).as_f64().ok_or(StorageError::Damaged)?;
        self.sealer.open_line(room, seq as u64, value)
    }
}

/// One attempt to unwrap the data key, counted before it is made.
async fn attempt(database: &Database, key: &Key, now: Timestamp) -> Result<Sealer, (StorageError, Guard)> {
    let plain = |e| (e, Guard::default());
    let head = read_head(database).await.map_err(plain)?;
    let head = head.ok_or_else(|| plain(StorageError::Missing("this browser".into())))?;
    let guard = read_guard(database).await.map_err(plain)?;
    if guard.until > now {
        return Err((StorageError::Throttled, guard));
    }
    let counted = guard.attempt(now);
    write_guard(database, counted).await.map_err(plain)?;
    let sealer = head.unwrap(key).map_err(|e| (e, counted))?;
    write_guard(database, Guard::default()).await.map_err(plain)?;
    Ok(sealer)
}

/// The key of a line.
fn place(room: &[u8; 32], seq: u64) -> JsValue {
    // Exact up to 2^53, and a server counts from 1.
    Array::of2(&Uint8Array::from(room.as_slice()), &JsValue::from_f64(seq as f64)).into()
}

fn head_of(bytes: Option<Vec<u8>>) -> Result<Option<Head>, StorageError> {
    let head: Option<Head> = bytes.map(|bytes| from_cbor(&bytes)).transpose().map_err(|_| StorageError::Damaged)?;
    match head {
        Some(head) if head.format > FORMAT => Err(StorageError::Newer(head.format)),
        head => Ok(head),
    }
}

async fn read_head(database: &Database) -> Result<Option<Head>, StorageError> {
    head_of(database.read(&[STORE])?.get(STORE, &HEAD.into()).await?)
}

async fn read_guard(database: &Database) -> Result<Guard, StorageError> {
    let bytes = database.read(&[STORE])?.get(STORE, &GUARD.into()).await?;
    bytes.map_or(Ok(Guard::default()), |bytes| from_cbor(&bytes).map_err(|_| StorageError::Damaged))
}

async fn write_guard(database: &Database, guard: Guard) -> Result<(), StorageError> {
    let transaction = database.write(&[STORE])?;
    transaction.put(STORE, &GUARD.into(), &to_cbor(&guard))?;
    transaction.commit().await
}
