//! An open database and its transactions. It knows no key: what it is given is sealed.
//!
//! A transaction lives while requests follow each other without anything else being waited for; nothing here waits for
//! anything else.

use crate::storage::StorageError;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    IdbCursorDirection, IdbCursorWithValue, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbRequest,
    IdbTransaction,
};

/// Small records in the clear: the head, and the count of failed attempts.
pub(super) const STORE: &str = "store";
/// The engine's map.
pub(super) const ENTRIES: &str = "entries";
/// Lines of logs, by room and place.
pub(super) const LINES: &str = "lines";
const VERSION: u32 = 1;

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase`, with the option of `transaction` that says when a write counts as done.
    #[wasm_bindgen(extends = Object)]
    type Durable;
    #[wasm_bindgen(method, catch)]
    fn transaction(this: &Durable, stores: &Array, mode: &str, options: &Object) -> Result<IdbTransaction, JsValue>;
}

/// What a browser says of a failure, without what it was about.
pub(super) fn failed(error: JsValue) -> StorageError {
    let error = Reflect::get(&error, &"target".into())
        .and_then(|target| Reflect::get(&target, &"error".into()))
        .ok()
        .filter(|inner| inner.is_object())
        .unwrap_or(error);
    let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
    StorageError::Io(match name.as_deref() {
        Some("QuotaExceededError") => "the browser gives no more room".into(),
        Some(name) => name.to_owned(),
        None => "the browser says no more".into(),
    })
}

fn factory() -> Result<IdbFactory, StorageError> {
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into()).map_err(failed)?;
    if factory.is_object() {
        Ok(factory.unchecked_into())
    } else {
        Err(StorageError::Io("this browser keeps nothing".into()))
    }
}

/// Waits for a request.
async fn done(request: &IdbRequest) -> Result<JsValue, StorageError> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(promise).await.map_err(failed)?;
    request.result().map_err(failed)
}

/// An open database.
#[derive(Debug, Clone)]
pub(super) struct Database(IdbDatabase);

impl Database {
    /// Opens it; an empty one is made where there is none.
    pub(super) async fn open(name: &str) -> Result<Self, StorageError> {
        let request = factory()?.open_with_u32(name, VERSION).map_err(failed)?;
        let target = request.clone();
        let make = wasm_bindgen::closure::Closure::once(move || {
            let Ok(database) = target.result().map(JsCast::unchecked_into::<IdbDatabase>) else { return };
            for store in [STORE, ENTRIES, LINES] {
                // A failure aborts the upgrade, and so the opening.
                let _ = database.create_object_store(store);
            }
        });
        request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
        match done(&request).await {
            Ok(database) => Ok(Self(database.unchecked_into())),
            Err(StorageError::Io(name)) if name == "VersionError" => Err(StorageError::Newer(VERSION + 1)),
            Err(e) => Err(e),
        }
    }

    /// Deletes a database.
    pub(super) async fn erase(name: &str) -> Result<(), StorageError> {
        let request = factory()?.delete_database(name).map_err(failed)?;
        done(&request).await.map(drop)
    }

    /// Lets go of it.
    pub(super) fn close(&self) {
        self.0.close();
    }

    /// Reads.
    pub(super) fn read(&self, stores: &[&str]) -> Result<Transaction, StorageError> {
        self.begin(stores, "readonly", "default")
    }

    /// Writes: all of it or nothing, and on the disk before [`Transaction::commit`] answers.
    pub(super) fn write(&self, stores: &[&str]) -> Result<Transaction, StorageError> {
        self.begin(stores, "readwrite", "strict")
    }

    fn begin(&self, stores: &[&str], mode: &str, durability: &str) -> Result<Transaction, StorageError> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &durability.into()).map_err(failed)?;
        let transaction = self.0.unchecked_ref::<Durable>().transaction(&names, mode, &options).map_err(failed)?;
        let over = Promise::new(&mut |resolve: Function, reject: Function| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        });
        Ok(Transaction { transaction, over })
    }
}

/// A transaction under way. Dropped without [`Self::commit`], it ends as the browser likes: only those that read are.
pub(super) struct Transaction {
    transaction: IdbTransaction,
    over: Promise,
}

impl Transaction {
    fn store(&self, name: &str) -> Result<IdbObjectStore, StorageError> {
        self.transaction.object_store(name).map_err(failed)
    }

    /// One value.
    pub(super) async fn get(&self, store: &str, key: &JsValue) -> Result<Option<Vec<u8>>, StorageError> {
        let value = done(&self.store(store)?.get(key).map_err(failed)?).await?;
        Ok((!value.is_undefined()).then(|| bytes(&value)))
    }

    /// Puts a value; that it is there follows from the commit.
    pub(super) fn put(&self, store: &str, key: &JsValue, value: &[u8]) -> Result<(), StorageError> {
        self.store(store)?.put_with_key(&Uint8Array::from(value), key).map(drop).map_err(failed)
    }

    /// Takes a value away.
    pub(super) fn delete(&self, store: &str, key: &JsValue) -> Result<(), StorageError> {
        self.store(store)?.delete(key).map(drop).map_err(failed)
    }

    /// Keys and values in order: all, or so many of a range.
    pub(super) async fn all(
        &self,
        store: &str,
        range: Option<(&IdbKeyRange, usize)>,
    ) -> Result<Vec<(JsValue, Vec<u8>)>, StorageError> {
        let store = self.store(store)?;
        let (keys, values) = match range {
            None => (store.get_all_keys(), store.get_all()),
            Some((range, limit)) => {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                (store.get_all_keys_with_key_and_limit(range, limit), store.get_all_with_key_and_limit(range, limit))
            }
        };
        let (keys, values) = (keys.map_err(failed)?, values.map_err(failed)?);
        // They end in the order in which they began.
        done(&values).await?;
        let (keys, values) = (keys.result().map_err(failed)?, values.result().map_err(failed)?);
        let values = values.unchecked_into::<Array>();
        Ok(keys.unchecked_into::<Array>().iter().zip(values.iter()).map(|(key, value)| (key, bytes(&value))).collect())
    }

    /// The last of a range, last first.
    pub(super) async fn last(
        &self,
        store: &str,
        range: &IdbKeyRange,
        limit: usize,
    ) -> Result<Vec<(JsValue, Vec<u8>)>, StorageError> {
        let direction = IdbCursorDirection::Prev;
        let store = self.store(store)?;
        let request = store.open_cursor_with_range_and_direction(range, direction).map_err(failed)?;
        let mut found = Vec::new();
        while found.len() < limit {
            let cursor = done(&request).await?;
            if cursor.is_null() {
                break;
            }
            let cursor: IdbCursorWithValue = cursor.unchecked_into();
            found.push((cursor.key().map_err(failed)?, bytes(&cursor.value().map_err(failed)?)));
            cursor.continue_().map_err(failed)?;
        }
        Ok(found)
    }

    /// Gives it up: nothing of it is kept.
    pub(super) fn abort(self) {
        // It may have ended by itself; then nothing was written either.
        let _ = self.transaction.abort();
    }

    /// Waits until all of it is on the disk.
    pub(super) async fn commit(self) -> Result<(), StorageError> {
        JsFuture::from(self.over).await.map(drop).map_err(failed)
    }
}

/// Bytes as the browser gives them: an array, or as a key its buffer.
pub(super) fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}
