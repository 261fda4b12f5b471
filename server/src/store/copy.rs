//! Reading the database beside a running server, and copying it.

use super::{
    Store, existing,
    restored::skip_places,
    sql::{self, Conn, Pool},
};
use crate::{Error, Result};
use sqlx::{
    AssertSqlSafe, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use std::{path::Path, time::Duration};

impl Store {
    /// Opens the database in `dir` for reading only: it is neither made nor migrated, and nothing can be written.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub async fn open_read_only(dir: &Path) -> Result<Self> {
        reader(SqliteConnectOptions::new().filename(existing(dir)?)).await
    }

    /// Opens a copy that nobody else uses, without leaving any file beside it.
    ///
    /// # Errors
    /// If it can't be read.
    pub async fn open_copy(file: &Path) -> Result<Self> {
        reader(SqliteConnectOptions::new().filename(file).immutable(true)).await
    }

    /// Writes a consistent copy, as of now, into an empty file, ready to be restored. The server goes on meanwhile.
    ///
    /// # Errors
    /// If the file can't be written, or has content.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        let path = file.to_str().ok_or_else(|| Error::internal("the path of a copy must be UTF-8"))?;
        // VACUUM takes no parameters before SQLite 3.41 everywhere it is built, so the path is quoted.
        let sql = format!("VACUUM INTO '{}'", path.replace('\'', "''"));
        sql::query(AssertSqlSafe(sql)).execute(self.read()).await?;
        // A rollback journal leaves nothing beside the copy.
        let options = SqliteConnectOptions::new().filename(file).journal_mode(SqliteJournalMode::Delete);
        let mut copy = Conn::Sqlite(SqliteConnection::connect_with(&options).await?);
        skip_places(&mut copy).await?;
        copy.close().await?;
        Ok(())
    }

    /// Checks the structure of the database and its references.
    ///
    /// # Errors
    /// If something is damaged.
    pub async fn check_integrity(&self) -> Result<()> {
        let rows = sql::query("PRAGMA integrity_check").fetch_all(self.read()).await?;
        let fine = rows.len() == 1 && rows.iter().all(|row| row.get::<String>(0) == "ok");
        let dangling = sql::query("PRAGMA foreign_key_check").fetch_optional(self.read()).await?;
        if fine && dangling.is_none() { Ok(()) } else { Err(Error::internal("the database is damaged")) }
    }
}

async fn reader(options: SqliteConnectOptions) -> Result<Store> {
    let options = options.read_only(true).busy_timeout(Duration::from_secs(10)).pragma("trusted_schema", "OFF");
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    Ok(Store::reader(Pool::Sqlite(pool)))
}
