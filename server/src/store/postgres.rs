//! PostgreSQL: the truth that several nodes share.
//!
//! One row is the pen of the whole cluster: each group transaction begins by locking it, so that groups of all nodes run
//! one after another and a job reads, decides and writes without a race, exactly as with SQLite. Whoever finds another
//! node's name in the row forgets what it had remembered. A node that stands still with the pen in its hand loses it: the
//! database ends the session of a transaction that does nothing for [`IDLE`], and its commit fails.

use super::sql::{Conn, Pool, query};
use crate::{Error, Result};
use firstlight_protocol::Secret;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// How long a transaction may do nothing before the database ends it.
const IDLE: &str = "4000";
/// How long a statement may run, waiting for locks included.
const STATEMENT: &str = "8000";
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

    /// Makes the tables, or brings them up to date. Nodes that start together do it one after another.
    pub(super) async fn migrate(&self) -> Result<()> {
        let mut conn = PgConnection::connect_with(&self.0.clone().options([("statement_timeout", "0")])).await?;
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
    let last = super::sql::query_scalar::<String>("SELECT node FROM writer WHERE one = 1 FOR UPDATE");
    let last = last.fetch_one(&mut *conn).await?;
    if last == node {
        return Ok(true);
    }
    query("UPDATE writer SET node = $1 WHERE one = 1").bind(node).execute(conn).await?;
    Ok(false)
}
