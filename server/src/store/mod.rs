//! The truth: one database, reached by domain methods that each are one transaction.
//!
//! Everything that changes goes through [`Store::write`]: one writer, whose transactions are committed in groups, so that
//! a hundred waiting requests share one fsync. Nothing is answered before the commit that holds it.
//! Reads go to a pool of connections and never wait for the writer.
//!
//! SQLite is the embedded default. Several nodes share a PostgreSQL: their writers take turns (`postgres`), so that what a
//! job relies on is the same in both. One text of a query runs on both ([`sql`]).

mod after;
mod audit;
mod changes;
mod copy;
mod moving;
mod nodes;
mod postgres;
mod restored;
pub mod schema;
pub mod sql;
mod sqlite;
mod writer;

pub(crate) use after::AfterCommit;
pub use audit::{AuditEntry, AuditVerdict};
pub(crate) use changes::{Changes, Found};
pub use moving::Moved;
pub(crate) use nodes::Roll;
pub use writer::Tx;

use crate::{Error, Result, bus::Bus, config::Config, delivery::append::Append};
use firstlight_protocol::Secret;
use futures_util::future::BoxFuture;
use sql::{Database, Pool};
use std::path::{Path, PathBuf};
use tracing::{Instrument, field::Empty};
use writer::Writer;

/// The database's file in the data directory.
pub(crate) const FILE: &str = "firstlight.db";
/// Connections for reading, and those of them for the loops of dispatch alone.
const READERS: u32 = 4;
const SHARED_READERS: u32 = 12;

/// The database. The methods don't say which database it is.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    read: Pool,
    dispatch: Pool,
}

impl Store {
    /// Opens the database in `dir`, creating and migrating it as needed.
    /// `bus` is told of log entries and inbox items after they are durable.
    ///
    /// # Errors
    /// If it can't be opened or migrated.
    pub async fn open(dir: &Path, bus: Bus) -> Result<Self> {
        let file = dir.join(FILE);
        let conn = sqlite::open(&file).await?;
        let (read, dispatch) = (sqlite::readers(&file, READERS).await?, sqlite::readers(&file, 1).await?);
        Ok(Self { writer: Writer::start(conn, None, bus).await?, read, dispatch })
    }

    /// Opens the PostgreSQL database at `url` (`postgres://user:password@host/name`), which other nodes may share.
    ///
    /// # Errors
    /// If it can't be reached or migrated.
    pub async fn open_shared(url: &Secret, bus: Bus) -> Result<Self> {
        let postgres = postgres::Postgres::new(url)?;
        postgres.migrate().await?;
        let (read, dispatch) = (postgres.readers(SHARED_READERS), postgres.readers(2));
        let conn = postgres.connect().await?;
        Ok(Self { writer: Writer::start(conn, Some(postgres), bus).await?, read, dispatch })
    }

    /// Opens a database that a server uses, to write beside it: it is neither made nor migrated.
    ///
    /// # Errors
    /// If there is none, it can't be reached, or it is of another version.
    pub async fn open_beside(config: &Config) -> Result<Self> {
        let Some(url) = config.database.url()? else {
            let file = existing(&config.data_dir)?;
            let (conn, read) = (sqlite::open_migrated(&file).await?, sqlite::readers(&file, 1).await?);
            return Ok(Self { writer: Writer::start(conn, None, Bus::default()).await?, dispatch: read.clone(), read });
        };
        let postgres = postgres::Postgres::new(&url)?;
        let (conn, read) = (postgres.connect().await?, postgres.readers(1));
        let writer = Writer::start(conn, Some(postgres), Bus::default()).await?;
        Ok(Self { writer, dispatch: read.clone(), read })
    }

    /// The same for reading only: it is not migrated, and nothing can be written.
    ///
    /// # Errors
    /// If it can't be reached.
    pub async fn open_shared_read_only(url: &Secret) -> Result<Self> {
        Ok(Self::reader(postgres::Postgres::new(url)?.readers(1)))
    }

    /// A store that can't be written to.
    fn reader(read: Pool) -> Self {
        Self { writer: Writer::none(), dispatch: read.clone(), read }
    }

    /// Whether other nodes may be writing, too: what is remembered of the database has to be compared with it.
    pub fn is_shared(&self) -> bool {
        self.read.database() == Database::Postgres
    }

    /// Runs `job` in the next group transaction and returns after that is durable.
    ///
    /// The job has a savepoint of its own: if it fails, its changes are undone and its neighbours' are kept. Jobs run one
    /// after another in the order in which they were handed in, so a job may read, decide and write without a race.
    ///
    /// # Errors
    /// The job's; `unavailable` where the database can't be written to.
    pub async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        // The wait for the writer, and the job itself; the job says which callout it is about.
        let span = tracing::debug_span!("write");
        let inside = tracing::debug_span!(parent: &span, "transaction", callout = Empty);
        self.writer.write(move |tx| Box::pin(job(tx).instrument(inside))).instrument(span).await
    }

    /// Hands in an application message; its reply is sent after the commit.
    pub(crate) async fn append(&self, append: Append) -> Result<()> {
        self.writer.append(append).await
    }

    /// Connections for reading.
    pub fn read(&self) -> &Pool {
        &self.read
    }

    /// A connection for the loops of dispatch alone: a timer doesn't queue behind everybody who reads.
    pub(crate) fn read_for_dispatch(&self) -> &Pool {
        &self.dispatch
    }

    /// How many jobs wait for the writer.
    pub(crate) fn queued(&self) -> usize {
        self.writer.queued()
    }

    /// Whether a group has failed since this was asked, of which nobody knows whether it was kept.
    pub(crate) fn was_unsure(&self) -> bool {
        self.writer.was_unsure()
    }

    /// Stops the writer after everything handed in so far is durable.
    pub async fn close(&self) {
        self.writer.close().await;
        self.read.close().await;
        self.dispatch.close().await;
    }
}

/// The database's file in `dir`.
fn existing(dir: &Path) -> Result<PathBuf> {
    let file = dir.join(FILE);
    if file.is_file() {
        return Ok(file);
    }
    let text = format!("there is no database in {}: is data_dir right, and has the server ever run?", dir.display());
    Err(Error::internal(text))
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
