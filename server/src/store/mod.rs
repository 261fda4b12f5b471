//! The truth: one database, reached by domain methods that each are one transaction.
//!
//! Everything that changes goes through [`Store::write`]: one writer, whose transactions are committed in groups, so that
//! a hundred waiting requests share one fsync. Nothing is answered before the commit that holds it.
//! Reads go to a pool of read-only connections and never wait for the writer (WAL).

mod after;
mod audit;
mod copy;
mod restored;
mod sqlite;

pub(crate) use after::AfterCommit;
pub use audit::{AuditEntry, AuditVerdict};
pub use sqlite::{SqliteStore, Tx};

use crate::{Error, Result, bus::Bus};
use futures_util::future::BoxFuture;
use sqlx::SqlitePool;
use std::path::Path;

/// The database's file in the data directory.
pub(crate) const FILE: &str = "firstlight.db";

/// The database. SQLite is the embedded default; the methods don't say which database it is.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file beside the server.
    Sqlite(SqliteStore),
}

impl Store {
    /// Opens the database in `dir`, creating and migrating it as needed.
    /// `bus` is told of log entries and inbox items after they are durable.
    pub async fn open(dir: &Path, bus: Bus) -> Result<Self> {
        Ok(Self::Sqlite(SqliteStore::open(&dir.join(FILE), bus).await?))
    }

    /// Runs `job` in the next group transaction and returns after that is durable.
    ///
    /// The job has a savepoint of its own: if it fails, its changes are undone and its neighbours' are kept. Jobs run one
    /// after another in the order in which they were handed in, so a job may read, decide and write without a race.
    pub async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        match self {
            Self::Sqlite(store) => store.write(job).await,
        }
    }

    /// Connections for reading.
    pub fn read(&self) -> &SqlitePool {
        match self {
            Self::Sqlite(store) => store.read(),
        }
    }

    /// A connection for the loops of dispatch alone: a timer doesn't queue behind everybody who reads.
    pub(crate) fn read_for_dispatch(&self) -> &SqlitePool {
        match self {
            Self::Sqlite(store) => store.read_for_dispatch(),
        }
    }

    /// How many jobs wait for the writer.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Self::Sqlite(store) => store.queued(),
        }
    }

    /// Stops the writer after everything handed in so far is durable.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
        }
    }
}

/// Reads an id column.
pub(crate) fn id<T>(bytes: Vec<u8>) -> Result<T>
where
    T: for<'a> TryFrom<&'a [u8], Error = firstlight_protocol::InvalidId>,
{
    T::try_from(&bytes).map_err(|e| Error::internal(format!("stored id: {e}")))
}

/// Reads a word column (role, kind, status).
pub(crate) fn word<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::internal("stored word is unknown to this version"))
}
