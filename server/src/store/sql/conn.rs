//! Ways to a database.

use super::{Database, Target};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use std::ops::{Deref, DerefMut};

/// One connection.
#[derive(Debug)]
pub enum Conn {
    /// To SQLite, of its own.
    Sqlite(SqliteConnection),
    /// To PostgreSQL, of its own.
    Postgres(PgConnection),
    /// To SQLite, out of a pool.
    SqlitePooled(PoolConnection<Sqlite>),
    /// To PostgreSQL, out of a pool.
    PostgresPooled(PoolConnection<Postgres>),
}

impl Conn {
    /// Which database it leads to.
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) | Self::SqlitePooled(_) => Database::Sqlite,
            Self::Postgres(_) | Self::PostgresPooled(_) => Database::Postgres,
        }
    }

    /// Says goodbye and closes it.
    ///
    /// # Errors
    /// If the other side has gone.
    pub async fn close(self) -> sqlx::Result<()> {
        use sqlx::Connection as _;
        match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(conn) => conn.close().await,
            Self::SqlitePooled(conn) => conn.close().await,
            Self::PostgresPooled(conn) => conn.close().await,
        }
    }

    pub(super) fn target(&mut self) -> Target<'_> {
        match self {
            Self::Sqlite(conn) => Target::Sqlite(conn),
            Self::Postgres(conn) => Target::Postgres(conn),
            Self::SqlitePooled(conn) => Target::Sqlite(conn),
            Self::PostgresPooled(conn) => Target::Postgres(conn),
        }
    }
}

/// Some connections, lent one after another.
#[derive(Debug, Clone)]
pub enum Pool {
    /// To SQLite.
    Sqlite(SqlitePool),
    /// To PostgreSQL.
    Postgres(PgPool),
}

impl Pool {
    /// Lends a connection.
    ///
    /// # Errors
    /// If none is free in time, or none can be made.
    pub async fn acquire(&self) -> sqlx::Result<Acquired> {
        Ok(Acquired(match self {
            Self::Sqlite(pool) => Conn::SqlitePooled(pool.acquire().await?),
            Self::Postgres(pool) => Conn::PostgresPooled(pool.acquire().await?),
        }))
    }

    /// Which database it leads to.
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) => Database::Sqlite,
            Self::Postgres(_) => Database::Postgres,
        }
    }

    /// Closes all of them once they are given back.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A connection that a pool has lent, and gets back at the end.
#[derive(Debug)]
pub struct Acquired(Conn);

impl Deref for Acquired {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Acquired {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}
