//! Who shares the database.

use super::{Store, Tx, changes::NOW, sql};
use crate::{Error, Result, bus::NodeId};
use sqlx::AssertSqlSafe;

/// A node as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeRow {
    /// Which one.
    pub(crate) node: NodeId,
    /// What the operator calls it.
    pub(crate) name: String,
    /// When it started, in the database's milliseconds.
    pub(crate) started_at: i64,
    /// How long it has not been seen, in milliseconds.
    pub(crate) silent_ms: i64,
}

/// All nodes, at one moment.
#[derive(Debug)]
pub(crate) struct Roll {
    /// The database's time, in milliseconds.
    pub(crate) now: i64,
    /// How many groups have been committed.
    pub(crate) turn: i64,
    /// Everybody, the longest serving first.
    pub(crate) nodes: Vec<NodeRow>,
}

impl Store {
    /// Says that this node lives, and reads who else does.
    pub(crate) async fn call_roll(&self, node: NodeId, name: &str) -> Result<Roll> {
        let mut conn = self.read_for_dispatch().acquire().await?;
        let here = format!(
            "INSERT INTO nodes (node, name, started_at, seen_at) VALUES ($1, $2, {NOW}, {NOW})
             ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at"
        );
        sql::query(AssertSqlSafe(here)).bind(&node.0).bind(name).execute(&mut *conn).await?;
        let all = format!(
            "SELECT n.node, n.name, n.started_at, {NOW} - n.seen_at AS silent_ms, {NOW} AS now, w.turn
             FROM nodes n CROSS JOIN writer w ORDER BY n.started_at, n.node"
        );
        let rows = sql::query(AssertSqlSafe(all)).fetch_all(&mut *conn).await?;
        let (now, turn) = rows.first().map_or((0, 0), |row| (row.get("now"), row.get("turn")));
        let node = |row: &sql::Row| {
            Ok(NodeRow {
                node: NodeId(row.get::<Vec<u8>>("node").try_into().unwrap_or_default()),
                name: row.get("name"),
                started_at: row.get("started_at"),
                silent_ms: row.get("silent_ms"),
            })
        };
        Ok(Roll { now, turn, nodes: rows.iter().map(node).collect::<Result<_>>()? })
    }

    /// Notes the keys that all nodes have in common, or compares them with those that are noted.
    ///
    /// # Errors
    /// A sentence for the operator, if they are others.
    pub(crate) async fn check_keys(&self, digest: &[u8; 32]) -> Result<()> {
        let digest = digest.to_vec();
        let ours = digest.clone();
        let noted = self.write(move |tx| {
            Box::pin(async move {
                sql::query("UPDATE writer SET keys = $1 WHERE one = 1 AND keys IS NULL")
                    .bind(digest)
                    .execute(&mut *tx.conn)
                    .await?;
                Ok(sql::query_scalar::<Vec<u8>>("SELECT keys FROM writer WHERE one = 1")
                    .fetch_one(&mut *tx.conn)
                    .await?)
            })
        });
        if noted.await? == ours {
            return Ok(());
        }
        Err(Error::internal(
            "the keys of this node (node.keys_dir) are not those that this database is used with: copy them from another \
             node. If they are lost for good, or the database was restored from a backup: firstlight-server restored",
        ))
    }

    /// This database was restored from a backup, or the nodes' keys were lost: the next node to start brings the keys.
    ///
    /// # Errors
    /// If the database can't be written.
    pub async fn forget_keys(&self) -> Result<()> {
        self.was_restored().await?;
        self.write(|tx| {
            Box::pin(async move {
                sql::query("UPDATE writer SET keys = NULL WHERE one = 1").execute(&mut *tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// This node stops: nobody has to wait for its silence.
    pub(crate) async fn leave(&self, node: NodeId) -> Result<()> {
        self.write(move |tx| Box::pin(async move { tx.bury(node).await })).await
    }
}

impl Tx<'_> {
    /// Strikes a node off, and gives up its claims: what it was sending may have arrived, and is labelled so.
    pub(crate) async fn bury(&mut self, node: NodeId) -> Result<()> {
        sql::query("UPDATE outbox SET lease_until = 0 WHERE claimed_by = $1 AND lease_until IS NOT NULL")
            .bind(&node.0)
            .execute(&mut *self.conn)
            .await?;
        sql::query("DELETE FROM nodes WHERE node = $1").bind(&node.0).execute(&mut *self.conn).await?;
        self.after.dispatch();
        Ok(())
    }
}
