//! The host organisation's rota and policy: two documents, replaced whole, each with a version that is compared first.
//!
//! A step of the engine needs both, and the rota of 200 people takes longer to decode than the step itself. So a decoded
//! document is kept under the digest of its bytes: whatever row, rollback or backup the same digest comes from, the same
//! document is meant, and nothing has to be told when one is replaced.

use crate::store::sql::{self, Conn};
use crate::{
    Result, Shared,
    caller::Caller,
    store::{Store, Tx},
};
use firstlight_protocol::{
    ErrorCode, Problem, Timestamp,
    policy::Policy,
    rota::Rota,
    wire::{from_cbor, to_cbor},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// A document kept under a name.
pub(crate) trait Document: Serialize + DeserializeOwned + PartialEq + Send + Sync + 'static {
    /// Its name in the database.
    const KIND: &'static str;
    /// The audit trail's word for replacing it.
    const REPLACED: &'static str;

    /// Wakes whoever has to look at the new one.
    fn replaced(_: &mut Tx<'_>) {}
}

impl Document for Rota {
    const KIND: &'static str = "rota";
    const REPLACED: &'static str = "rota.replace";

    fn replaced(tx: &mut Tx<'_>) {
        tx.after.rota();
    }
}

impl Document for Policy {
    const KIND: &'static str = "policy";
    const REPLACED: &'static str = "policy.replace";
}

/// A decoded document with its version.
pub(crate) type Versioned<D> = (u64, Arc<D>);

/// The digest of a document's bytes, with its kind.
type Key = (&'static str, [u8; 32]);

/// Decoded documents: the current ones, and one or two that were replaced while somebody still read them.
static DECODED: LazyLock<Mutex<HashMap<Key, Arc<dyn Any + Send + Sync>>>> = LazyLock::new(Mutex::default);
/// When there are more than this, all are forgotten and decoded again as they are asked for.
const MOST_DECODED: usize = 16;

fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn decoded<D: Document>(digest: [u8; 32]) -> Option<Arc<D>> {
    let decoded = DECODED.lock().unwrap_or_else(PoisonError::into_inner);
    decoded.get(&(D::KIND, digest)).and_then(|document| Arc::clone(document).downcast().ok())
}

fn decode<D: Document>(body: &[u8]) -> Result<Arc<D>> {
    let digest = digest(body);
    if let Some(document) = decoded(digest) {
        return Ok(document);
    }
    let document = Arc::new(from_cbor::<D>(body).map_err(crate::Error::internal)?);
    let mut decoded = DECODED.lock().unwrap_or_else(PoisonError::into_inner);
    if decoded.len() >= MOST_DECODED {
        decoded.clear();
    }
    decoded.insert((D::KIND, digest), Arc::<D>::clone(&document));
    Ok(document)
}

/// Reads a document, inside or outside of a transaction.
pub(crate) async fn read_document<D: Document>(conn: &mut Conn) -> Result<Option<Versioned<D>>> {
    let row = sql::query("SELECT version, digest FROM dispatch_documents WHERE kind = $1")
        .bind(D::KIND)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let digest = row.get::<Option<Vec<u8>>>("digest").and_then(|digest| digest.try_into().ok());
    if let Some(document) = digest.and_then(decoded) {
        return Ok(Some((row.get::<i64>("version").cast_unsigned(), document)));
    }
    // Outside of a transaction it may have been replaced since: version and body come from one row.
    let row = sql::query("SELECT version, body FROM dispatch_documents WHERE kind = $1")
        .bind(D::KIND)
        .fetch_one(conn)
        .await?;
    Ok(Some((row.get::<i64>("version").cast_unsigned(), decode(&row.get::<Vec<u8>>("body"))?)))
}

impl Tx<'_> {
    /// Replaces a document whose version is still `version` (0: there is none yet). Answers with the new version.
    pub(crate) async fn replace_document<D: Document>(
        &mut self,
        version: u64,
        document: &D,
        now: Timestamp,
    ) -> Result<u64> {
        let stored = read_document::<D>(self.conn).await?;
        let current = stored.as_ref().map_or(0, |(version, _)| *version);
        if current != version {
            if stored.is_some_and(|(current, same)| current == version.wrapping_add(1) && *same == *document) {
                // The same request again.
                return Ok(current);
            }
            let detail = format!("It is at version {current} by now: read it again, then change it.");
            return Err(Problem::with(ErrorCode::Conflict, detail).into());
        }
        let body = to_cbor(document);
        sql::query(
            "INSERT INTO dispatch_documents (kind, version, at, body, digest) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (kind) DO UPDATE
             SET version = excluded.version, at = excluded.at, body = excluded.body, digest = excluded.digest",
        )
        .bind(D::KIND)
        .bind((version + 1).cast_signed())
        .bind(now.0)
        .bind(&body)
        .bind(digest(&body).as_slice())
        .execute(&mut *self.conn)
        .await?;
        Ok(version + 1)
    }
}

impl Store {
    /// The current document with its version.
    pub(crate) async fn document<D: Document>(&self) -> Result<Option<Versioned<D>>> {
        read_document(&mut *self.read().acquire().await?).await
    }
}

/// Replaces a document for somebody, with its line in the audit trail.
pub(crate) async fn replace<D: Document>(app: &Shared, caller: &Caller, version: u64, document: D) -> Result<(u64, D)> {
    let (now, device) = (app.clock.now(), caller.device);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let new = tx.replace_document(version, &document, now).await?;
                tx.audit(now, Some(device), D::REPLACED, D::KIND, format!("version {new}")).await?;
                D::replaced(tx);
                Ok((new, document))
            })
        })
        .await
}
