//! SQLite: one file beside the server, and the default.

use super::sql::{self, Conn, Pool};
use crate::{Error, Result};
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// WAL mode with `synchronous=FULL`: what is committed survives a power cut.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(512)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8000")
        .pragma("trusted_schema", "OFF")
        .pragma("secure_delete", "ON")
}

/// The writer's connection to a file that a server of this version has migrated.
pub(super) async fn open_migrated(file: &Path) -> Result<Conn> {
    Ok(Conn::Sqlite(SqliteConnection::connect_with(&options(file).create_if_missing(false)).await?))
}

/// Begins a transaction, and answers whether nobody else has written since `version` was noted.
pub(super) async fn begin(conn: &mut Conn, version: &mut i64) -> Result<bool> {
    sql::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    let now = sql::query_scalar("PRAGMA data_version").fetch_one(conn).await?;
    Ok(std::mem::replace(version, now) == now)
}

/// Opens and migrates the file: the writer's connection.
pub(super) async fn open(file: &Path) -> Result<Conn> {
    let mut conn = SqliteConnection::connect_with(&options(file)).await?;
    sqlx::migrate!("migrations/sqlite")
        .run_direct(None, &mut conn, false)
        .await
        .map_err(|e| Error::internal(format!("database migration: {e}")))?;
    Ok(Conn::Sqlite(conn))
}

/// Connections for reading: they never wait for the writer.
pub(super) async fn readers(file: &Path, count: u32) -> Result<Pool> {
    let pool = SqlitePoolOptions::new().max_connections(count).acquire_timeout(Duration::from_secs(5));
    Ok(Pool::Sqlite(pool.connect_with(options(file).read_only(true).create_if_missing(false)).await?))
}
