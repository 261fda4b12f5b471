//! What the server trusts: the roots of the organisations founded here, what the host states about them, and what is
//! revoked. Kept whole in one row that changes in the same transaction as what it follows from, and cached in memory.
//!
//! It is never rebuilt from the statements: the certificates that signed them may have expired since.

use crate::store::sql::{self, Conn};
use crate::{
    Error, Result,
    store::{Store, Tx},
};
use firstlight_protocol::{
    ErrorCode, OrgId, Problem,
    api::OrgStatus,
    cert::Anchors,
    wire::{from_cbor, to_cbor},
};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// The cached anchors; none while the server has no host organisation.
#[derive(Debug, Default)]
pub(super) struct Trust {
    anchors: RwLock<Option<Arc<Anchors>>>,
    reloading: Mutex<()>,
}

impl Trust {
    /// What stands in the store.
    pub(super) async fn load(store: &Store) -> Result<Self> {
        let trust = Self::default();
        trust.reload(store).await?;
        Ok(trust)
    }

    /// Reads the store again, after a change is durable. One at a time, so that the cache ends with the newest.
    pub(super) async fn reload(&self, store: &Store) -> Result<()> {
        let _one = self.reloading.lock().await;
        let stored: Option<Vec<u8>> =
            sql::query_scalar("SELECT anchors FROM trust WHERE one = 1").fetch_optional(store.read()).await?;
        let anchors = stored.map(|bytes| decode(&bytes)).transpose()?.map(Arc::new);
        *self.anchors.write().unwrap_or_else(PoisonError::into_inner) = anchors;
        Ok(())
    }

    pub(super) fn get(&self) -> Option<Arc<Anchors>> {
        self.anchors.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The answer while there is no host.
pub(super) fn not_founded() -> Error {
    Problem::with(ErrorCode::WrongState, "This server waits for its host organisation to be founded.").into()
}

fn decode(bytes: &[u8]) -> Result<Anchors> {
    from_cbor(bytes).map_err(|e| Error::internal(format!("stored anchors: {e}")))
}

/// Where an organisation stands, by what the server trusts now: what a revoked signer of the host stated doesn't count.
pub(super) fn status(anchors: &Anchors, org: OrgId) -> OrgStatus {
    match anchors.partner(org) {
        _ if anchors.host() == org => OrgStatus::Host,
        None => OrgStatus::Pending,
        Some(statement) if statement.withdrawn => OrgStatus::Withdrawn,
        Some(_) => OrgStatus::Partner,
    }
}

/// Whether people of the organisation may use the server.
pub(super) fn is_active(anchors: &Anchors, org: OrgId) -> bool {
    matches!(status(anchors, org), OrgStatus::Host | OrgStatus::Partner)
}

/// The anchors as this connection's transaction sees them.
pub(crate) async fn anchors_in(conn: &mut Conn) -> Result<Anchors> {
    let stored: Option<Vec<u8>> =
        sql::query_scalar("SELECT anchors FROM trust WHERE one = 1").fetch_optional(conn).await?;
    decode(&stored.ok_or_else(not_founded)?)
}

impl Tx<'_> {
    /// The anchors as this transaction sees them.
    pub(super) async fn anchors(&mut self) -> Result<Anchors> {
        anchors_in(self.conn).await
    }

    pub(super) async fn save_anchors(&mut self, anchors: &Anchors) -> Result<()> {
        sql::query("UPDATE trust SET anchors = $1 WHERE one = 1")
            .bind(to_cbor(anchors))
            .execute(&mut *self.conn)
            .await?;
        self.after.identity();
        Ok(())
    }

    /// The host's first anchors; refused if there is a host.
    pub(super) async fn first_anchors(&mut self, anchors: &Anchors, bootstrap: [u8; 32]) -> Result<()> {
        let made = sql::query(
            "INSERT INTO trust (one, host, anchors, bootstrap) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(anchors.host().as_bytes())
        .bind(to_cbor(anchors))
        .bind(bootstrap.as_slice())
        .execute(&mut *self.conn)
        .await?;
        if made.rows_affected() == 1 {
            self.after.identity();
            Ok(())
        } else {
            Err(Problem::with(ErrorCode::Conflict, "This server has a host.").into())
        }
    }
}
