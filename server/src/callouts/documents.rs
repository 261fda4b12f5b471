//! The host organisation's rota and policy: two documents, replaced whole, each with a version that is compared first.

use crate::{
    Result,
    store::{Store, Tx},
};
use firstlight_protocol::{
    ErrorCode, Problem, Timestamp,
    policy::Policy,
    rota::Rota,
    wire::{from_cbor, to_cbor},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

/// A document kept under a name.
pub(crate) trait Document: Serialize + DeserializeOwned + PartialEq + Send + Sync + 'static {
    /// Its name in the database.
    const KIND: &'static str;
    /// The audit trail's word for replacing it.
    const REPLACED: &'static str;
}

impl Document for Rota {
    const KIND: &'static str = "rota";
    const REPLACED: &'static str = "rota.replace";
}

impl Document for Policy {
    const KIND: &'static str = "policy";
    const REPLACED: &'static str = "policy.replace";
}

const READ: &str = "SELECT version, body FROM dispatch_documents WHERE kind = $1";

fn decode<D: Document>(row: &SqliteRow) -> Result<(u64, D)> {
    let body: Vec<u8> = row.get("body");
    let document = from_cbor(&body).map_err(crate::Error::internal)?;
    Ok((row.get::<i64, _>("version").cast_unsigned(), document))
}

/// Reads a document inside a transaction.
pub(crate) async fn read_document<D: Document>(conn: &mut SqliteConnection) -> Result<Option<(u64, D)>> {
    let row = sqlx::query(READ).bind(D::KIND).fetch_optional(conn).await?;
    row.as_ref().map(decode).transpose()
}

impl Tx<'_> {
    /// Replaces a document whose version is still `version` (0: there is none yet). Answers with the new version.
    pub(super) async fn replace_document<D: Document>(
        &mut self,
        version: u64,
        document: &D,
        now: Timestamp,
    ) -> Result<u64> {
        let stored = read_document::<D>(self.conn).await?;
        let current = stored.as_ref().map_or(0, |(version, _)| *version);
        if current != version {
            if stored.is_some_and(|(current, same)| current == version.wrapping_add(1) && same == *document) {
                // The same request again.
                return Ok(current);
            }
            let detail = format!("It is at version {current} by now: read it again, then change it.");
            return Err(Problem::with(ErrorCode::Conflict, detail).into());
        }
        sqlx::query(
            "INSERT INTO dispatch_documents (kind, version, at, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (kind) DO UPDATE SET version = excluded.version, at = excluded.at, body = excluded.body",
        )
        .bind(D::KIND)
        .bind((version + 1).cast_signed())
        .bind(now.0)
        .bind(to_cbor(document))
        .execute(&mut *self.conn)
        .await?;
        Ok(version + 1)
    }
}

impl Store {
    /// The current document with its version.
    pub(super) async fn document<D: Document>(&self) -> Result<Option<(u64, D)>> {
        let row = sqlx::query(READ).bind(D::KIND).fetch_optional(self.read()).await?;
        row.as_ref().map(decode).transpose()
    }
}
