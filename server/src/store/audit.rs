//! The audit trail: append-only and hash-chained, so that a changed, removed or inserted entry shows.
//!
//! An entry says who did what to what and when, in ids and code words. It never holds content, names or addresses
//! (DOMAIN.md, "What the law turns into", 9). Each entry's hash covers the one before it:
//! `hash = SHA-256(prev ‖ seq ‖ at ‖ actor ‖ action ‖ subject ‖ detail)`, each field length-prefixed.

use super::{Store, Tx};
use crate::store::sql::{self, Conn, Row};
use crate::{Error, Result};
use firstlight_protocol::{DeviceId, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The newest entry's place and hash.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    seq: i64,
    hash: [u8; 32],
}

/// One entry.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntry {
    /// Place, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The device that acted; absent where the server itself did (a timer, the operator's command line).
    pub actor: Option<DeviceId>,
    /// What was done: a code word such as `callout.accept`.
    pub action: String,
    /// What it was done to: an id as text.
    pub subject: String,
    /// Further ids and code words.
    pub detail: String,
    /// Hash of the entry, in hex.
    pub hash: String,
}

/// What `audit verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditVerdict {
    /// Entries that were checked.
    pub entries: i64,
    /// Hash of the newest: note it down elsewhere, and a shortened trail shows too.
    pub head: String,
    /// The first entry that does not fit, if any.
    pub broken_at: Option<i64>,
}

impl Head {
    pub(super) async fn load(conn: &mut Conn) -> Result<Self> {
        let row = sql::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(conn).await?;
        match row {
            None => Ok(Self { seq: 0, hash: [0; 32] }),
            Some(row) => {
                let hash: Vec<u8> = row.get("hash");
                let hash = hash.try_into().map_err(|_| Error::internal("audit head is not 32 bytes"))?;
                Ok(Self { seq: row.get("seq"), hash })
            }
        }
    }
}

fn chain(prev: &[u8], seq: i64, at: i64, actor: &[u8], action: &str, subject: &str, detail: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for field in
        [prev, &seq.to_be_bytes(), &at.to_be_bytes(), actor, action.as_bytes(), subject.as_bytes(), detail.as_bytes()]
    {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

impl Tx<'_> {
    /// Adds an entry in the same transaction as the change that it tells of.
    pub async fn audit(
        &mut self,
        at: Timestamp,
        actor: Option<DeviceId>,
        action: &'static str,
        subject: impl std::fmt::Display,
        detail: impl std::fmt::Display,
    ) -> Result<()> {
        let (subject, detail) = (subject.to_string(), detail.to_string());
        let actor = actor.map(|d| d.0.to_vec()).unwrap_or_default();
        let seq = self.audit.seq + 1;
        let hash = chain(&self.audit.hash, seq, at.0, &actor, action, &subject, &detail);
        sql::query("INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES ($1,$2,$3,$4,$5,$6,$7)")
            .bind(seq)
            .bind(at.0)
            .bind(actor)
            .bind(action)
            .bind(subject)
            .bind(detail)
            .bind(hash.as_slice())
            .execute(&mut *self.conn)
            .await?;
        *self.audit = Head { seq, hash };
        Ok(())
    }
}

impl Store {
    /// Checks the whole trail from its first entry.
    pub async fn audit_verify(&self) -> Result<AuditVerdict> {
        let mut prev = vec![0; 32];
        let mut entries = 0;
        loop {
            let rows = sql::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1000")
                .bind(entries)
                .fetch_all(self.read())
                .await?;
            if rows.is_empty() {
                return Ok(AuditVerdict { entries, head: hex(&prev), broken_at: None });
            }
            for row in rows {
                let seq: i64 = row.get("seq");
                let actor: Vec<u8> = row.get("actor");
                let expected =
                    chain(&prev, seq, row.get("at"), &actor, row.get("action"), row.get("subject"), row.get("detail"));
                let hash: Vec<u8> = row.get("hash");
                if seq != entries + 1 || hash != expected {
                    return Ok(AuditVerdict { entries, head: hex(&prev), broken_at: Some(entries + 1) });
                }
                prev = hash;
                entries = seq;
            }
        }
    }

    /// Whether some entry has this hash, given in hex: then nothing up to it is missing.
    pub async fn audit_has(&self, hash: &str) -> Result<bool> {
        let found = sql::query("SELECT 1 FROM audit WHERE lower(hex(hash)) = lower($1)").bind(hash.trim().to_owned());
        Ok(found.fetch_optional(self.read()).await?.is_some())
    }

    /// Entries after `after`, in order.
    pub async fn audit_entries(&self, after: i64, limit: i64) -> Result<Vec<AuditEntry>> {
        let rows = sql::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(self.read())
            .await?;
        Ok(rows.iter().map(entry).collect())
    }
}

fn entry(row: &Row) -> AuditEntry {
    let actor: Vec<u8> = row.get("actor");
    let hash: Vec<u8> = row.get("hash");
    AuditEntry {
        seq: row.get("seq"),
        at: Timestamp(row.get("at")),
        actor: DeviceId::try_from(actor.as_slice()).ok(),
        action: row.get("action"),
        subject: row.get("subject"),
        detail: row.get("detail"),
        hash: hex(&hash),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
