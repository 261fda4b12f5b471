//! PostgreSQL: the truth that several nodes share.
//!
//! One row is the pen of the whole cluster: each group transaction begins by locking it, so that groups of all nodes run
//! one after another and a job reads, decides and writes without a race, exactly as with SQLite. Whoever finds another
//! node's name in the row forgets what it had remembered. A node that stands still with the pen in its hand loses it: the
//! database ends the session of a transaction that does nothing for [`IDLE`], and its commit fails.

use super::{
    changes::{Changes, NOW},
    sql::{Conn, Pool, query, query_scalar},
};
use crate::{Error, Result, bus::NodeId};
use firstlight_protocol::Secret;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// How long a transaction may do nothing before the database ends it.
const IDLE: &str = "2000";
/// How long a statement may run, waiting for locks included.
const STATEMENT: &str = "8000";
const PATIENT: [(&str, &str); 2] = [("idle_in_transaction_session_timeout", "0"), ("statement_timeout", "0")];
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// How to reach the database. Cheap to clone; doesn't print its password.
#[derive(Clone)]
pub(super) struct Postgres(PgConnectOptions);

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    /// Reads `postgres://user:password@host:port/name?sslmode=verify-full…`.
    pub(super) fn new(url: &Secret) -> Result<Self> {
        let options = PgConnectOptions::from_str(url.reveal())
            .map_err(|_| Error::internal("the address of the database can't be read; is it postgres://…?"))?;
        Ok(Self(
            options
                .application_name("firstlight")
                .statement_cache_capacity(512)
                .options([("idle_in_transaction_session_timeout", IDLE), ("statement_timeout", STATEMENT)])
                // A commit is answered only once it would survive the loss of power.
                .options([("synchronous_commit", "on"), ("default_transaction_isolation", "read committed")]),
        ))
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<Conn> {
        match tokio::time::timeout(CONNECT, PgConnection::connect_with(&self.0)).await {
            Ok(conn) => Ok(Conn::Postgres(conn?)),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// The same for work that takes its time.
    pub(super) async fn connect_patiently(&self) -> Result<Conn> {
        Ok(Conn::Postgres(PgConnection::connect_with(&self.0.clone().options(PATIENT)).await?))
    }

    /// Makes the tables, or brings them up to date. Nodes that start together do it one after another.
    pub(super) async fn migrate(&self) -> Result<()> {
        let mut conn = PgConnection::connect_with(&self.0.clone().options(PATIENT)).await?;
        sqlx::migrate!("migrations/postgres")
            .run_direct(None, &mut conn, false)
            .await
            .map_err(|e| Error::internal(format!("database migration: {e}")))?;
        Ok(conn.close().await?)
    }

    /// Connections for reading.
    pub(super) fn readers(&self, count: u32) -> Pool {
        let pool = PgPoolOptions::new().max_connections(count).acquire_timeout(Duration::from_secs(5));
        Pool::Postgres(pool.connect_lazy_with(self.0.clone()))
    }
}

/// Takes the pen for this transaction, and answers whether `node` was the last to hold it.
pub(super) async fn take_pen(conn: &mut Conn, node: &str) -> Result<bool> {
    let last = query_scalar::<String>(
        "UPDATE writer SET node = $1, turn = turn + 1 FROM (SELECT node AS last FROM writer WHERE one = 1 FOR UPDATE) before
         WHERE one = 1 RETURNING last",
    );
    Ok(last.bind(node).fetch_one(conn).await? == node)
}

/// Writes down for other nodes what this transaction changed: one row for each group, even an empty one.
pub(super) async fn tell_others(conn: &mut Conn, node: NodeId, changes: &Changes) -> Result<()> {
    let text =
        format!("INSERT INTO changes (turn, node, at, body) SELECT turn, $1, {NOW}, $2 FROM writer WHERE one = 1");
    query(AssertSqlSafe(text)).bind(&node.0).bind(changes.row()).execute(conn).await?;
    Ok(())
}
