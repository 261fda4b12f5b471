//! Queries: a text, its values, and where it is run.

use super::{Column, Conn, Database, Pool, Row, Value, value};
use futures_util::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use sqlx::{PgConnection, PgPool, SqlSafeStr, SqlStr, SqliteConnection, SqlitePool};
use std::marker::PhantomData;

/// Where a query is run.
#[derive(Debug)]
pub enum Target<'c> {
    /// On a connection to SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// On any of a pool's.
    SqlitePool(&'c SqlitePool),
    /// On a connection to PostgreSQL.
    Postgres(&'c mut PgConnection),
    /// On any of a pool's.
    PostgresPool(&'c PgPool),
}

impl<'c> From<&'c mut Conn> for Target<'c> {
    fn from(conn: &'c mut Conn) -> Self {
        conn.target()
    }
}

impl<'c> From<&'c Pool> for Target<'c> {
    fn from(pool: &'c Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl Target<'_> {
    /// Which database it is.
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) | Self::SqlitePool(_) => Database::Sqlite,
            Self::Postgres(_) | Self::PostgresPool(_) => Database::Postgres,
        }
    }
}

/// What runs queries: a connection, or a pool that lends one for it.
pub trait Executor<'c>: Into<Target<'c>> + Send {}
impl<'c, T: Into<Target<'c>> + Send> Executor<'c> for T {}

/// What a statement did.
#[derive(Debug, Clone, Copy)]
pub struct Done(u64);

impl Done {
    /// How many rows it wrote.
    pub fn rows_affected(&self) -> u64 {
        self.0
    }
}

/// A statement with its values.
#[derive(Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Query {
    sql: SqlStr,
    values: Vec<Value>,
}

/// A query whose texts are not made of what people wrote.
pub fn query(sql: impl SqlSafeStr) -> Query {
    Query { sql: sql.into_sql_str(), values: Vec::new() }
}

/// A query for the first column alone.
pub fn query_scalar<T: for<'r> Column<'r>>(sql: impl SqlSafeStr) -> Scalar<T> {
    Scalar { query: query(sql), column: PhantomData }
}

/// Runs the query on whichever database it is for.
macro_rules! run {
    ($query:expr, $on:expr, |$ready:ident, $target:ident| $then:expr, $row:path, $other:path) => {{
        let Query { sql, values } = $query;
        match $on.into() {
            Target::Sqlite($target) => {
                let $ready = sqlx::query_with::<sqlx::Sqlite, _>(sql, value::sqlite(values)?);
                $then.map($row)
            }
            Target::SqlitePool($target) => {
                let $ready = sqlx::query_with::<sqlx::Sqlite, _>(sql, value::sqlite(values)?);
                $then.map($row)
            }
            Target::Postgres($target) => {
                let $ready = sqlx::query_with::<sqlx::Postgres, _>(sql, value::postgres(values)?);
                $then.map($other)
            }
            Target::PostgresPool($target) => {
                let $ready = sqlx::query_with::<sqlx::Postgres, _>(sql, value::postgres(values)?);
                $then.map($other)
            }
        }
    }};
}

fn sqlite_rows(rows: Vec<sqlx::sqlite::SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Sqlite).collect()
}

fn postgres_rows(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}

fn sqlite_row(row: Option<sqlx::sqlite::SqliteRow>) -> Option<Row> {
    row.map(Row::Sqlite)
}

fn postgres_row(row: Option<sqlx::postgres::PgRow>) -> Option<Row> {
    row.map(Row::Postgres)
}

#[allow(clippy::needless_pass_by_value, reason = "used as a function of a result")]
fn sqlite_done(done: sqlx::sqlite::SqliteQueryResult) -> Done {
    Done(done.rows_affected())
}

#[allow(clippy::needless_pass_by_value, reason = "used as a function of a result")]
fn postgres_done(done: sqlx::postgres::PgQueryResult) -> Done {
    Done(done.rows_affected())
}

impl Query {
    /// The next value, `$1` first.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it for what it does.
    ///
    /// # Errors
    /// If the database refuses it or can't be reached.
    pub async fn execute<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Done> {
        run!(self, on, |ready, target| ready.execute(target).await, sqlite_done, postgres_done)
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_all<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Vec<Row>> {
        run!(self, on, |ready, target| ready.fetch_all(target).await, sqlite_rows, postgres_rows)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn fetch_optional<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Option<Row>> {
        run!(self, on, |ready, target| ready.fetch_optional(target).await, sqlite_row, postgres_row)
    }

    /// The first row.
    ///
    /// # Errors
    /// [`sqlx::Error::RowNotFound`] if there is none; else as [`Self::execute`].
    pub async fn fetch_one<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Row> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The rows one after another, as the database finds them; never all in memory.
    pub fn fetch<'c>(self, pool: &'c Pool) -> BoxStream<'c, sqlx::Result<Row>> {
        let Self { sql, values } = self;
        fn or<'c, T: Stream<Item = sqlx::Result<Row>> + Send + 'c>(
            rows: sqlx::Result<T>,
        ) -> BoxStream<'c, sqlx::Result<Row>> {
            match rows {
                Ok(rows) => rows.boxed(),
                Err(error) => futures_util::stream::once(async { Err(error) }).boxed(),
            }
        }
        match pool {
            Pool::Sqlite(pool) => or(value::sqlite(values)
                .map(|values| sqlx::query_with::<sqlx::Sqlite, _>(sql, values).fetch(pool).map_ok(Row::Sqlite))),
            Pool::Postgres(pool) => or(value::postgres(values)
                .map(|values| sqlx::query_with::<sqlx::Postgres, _>(sql, values).fetch(pool).map_ok(Row::Postgres))),
        }
    }
}

/// A query for one column.
#[derive(Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct Scalar<T> {
    query: Query,
    column: PhantomData<fn() -> T>,
}

impl<T: for<'r> Column<'r>> Scalar<T> {
    /// As [`Query::bind`].
    pub fn bind(self, value: impl Into<Value>) -> Self {
        Self { query: self.query.bind(value), ..self }
    }

    /// The column of all rows.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_all<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Vec<T>> {
        self.query.fetch_all(on).await?.iter().map(|row| row.try_get(0)).collect()
    }

    /// The column of the first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::execute`].
    pub async fn fetch_optional<'c>(self, on: impl Executor<'c>) -> sqlx::Result<Option<T>> {
        self.query.fetch_optional(on).await?.map(|row| row.try_get(0)).transpose()
    }

    /// The column of the first row.
    ///
    /// # Errors
    /// As [`Query::fetch_one`].
    pub async fn fetch_one<'c>(self, on: impl Executor<'c>) -> sqlx::Result<T> {
        self.query.fetch_one(on).await?.try_get(0)
    }
}
