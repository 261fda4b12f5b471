//! Moving a whole database from SQLite to PostgreSQL: every row of every table, in one transaction, compared afterwards.

use super::{
    Store,
    postgres::Postgres,
    schema::{self, Kind, Table},
    sql::{self, Conn, Row, Value},
};
use crate::{Error, Result};
use firstlight_protocol::Secret;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Rows that are read and written at a time.
const BATCH: usize = 200;
/// What a new database holds already, and what is about nodes: not part of what is moved.
const NOT_MOVED: [&str; 3] = ["writer", "nodes", "changes"];

/// What was moved: rows, by table.
pub type Moved = BTreeMap<String, u64>;

impl Store {
    /// Copies everything of this SQLite database into the empty PostgreSQL database at `url`, which is made ready for it
    /// first; compares all rows before it commits. Nobody may write meanwhile.
    ///
    /// # Errors
    /// If the database is not empty, can't be written, or anything differs afterwards; then it stays empty.
    pub async fn move_to(&self, url: &Secret) -> Result<Moved> {
        let postgres = Postgres::new(url)?;
        postgres.migrate().await?;
        let target = postgres.readers(1);
        let tables = in_order(&target).await?;
        let theirs = schema::tables(self.read()).await?;
        for table in &theirs {
            if !tables.iter().any(|t| t.name == table.name && t.columns.len() == table.columns.len()) {
                return Err(Error::internal(format!(
                    "the table {} is not of this version: start the server of this version once on the old database",
                    table.name
                )));
            }
        }
        let mut conn = postgres.connect_patiently().await?;
        sql::query("BEGIN").execute(&mut conn).await?;
        // Made anew by the migration; the old one is what codes were hashed with.
        sql::query("DELETE FROM line_salt").execute(&mut conn).await?;
        let mut moved = Moved::new();
        for table in &tables {
            let rows = self.move_table(&mut conn, table).await?;
            moved.insert(table.name.clone(), rows);
        }
        sql::query("COMMIT").execute(&mut conn).await?;
        conn.close().await?;
        Ok(moved)
    }

    async fn move_table(&self, conn: &mut Conn, table: &Table) -> Result<u64> {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let there: i64 =
            sql::query_scalar(text(format!("SELECT count(*) FROM {}", table.name))).fetch_one(&mut *conn).await?;
        if there > 0 {
            return Err(Error::internal(format!("the new database is not empty: there are rows in {}", table.name)));
        }
        let all = format!("SELECT {} FROM {}", names.join(", "), table.name);
        let mut rows = sql::query(text(all)).fetch(self.read());
        let mut batch = Vec::with_capacity(BATCH);
        let mut count = 0;
        loop {
            let row = futures_util::TryStreamExt::try_next(&mut rows).await?;
            let ended = row.is_none();
            if let Some(row) = row {
                batch.push(values(&row, table)?);
                count += 1;
            }
            if batch.len() == BATCH || ended && !batch.is_empty() {
                insert(conn, table, &names, std::mem::take(&mut batch)).await?;
            }
            if ended {
                break;
            }
        }
        drop(rows);
        let mut source = self.read().acquire().await?;
        let (before, after) =
            (schema::lines(&mut *source, table, &[]).await?, schema::lines(&mut *conn, table, &[]).await?);
        if before != after {
            return Err(Error::internal(format!("the table {} is not the same after the move", table.name)));
        }
        if table.columns.iter().any(|column| column.name == "n" && column.key == 1) {
            let name = &table.name;
            let next = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM {name}), false)"
            );
            sql::query(text(next)).execute(conn).await?;
        }
        Ok(count)
    }
}

/// The tables, so that each comes after those that it refers to: as they were made.
async fn in_order(pool: &sql::Pool) -> Result<Vec<Table>> {
    let made =
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                ORDER BY oid";
    let made = sql::query_scalar::<String>(made).fetch_all(pool).await?;
    let mut tables = schema::tables(pool).await?;
    tables.retain(|table| !NOT_MOVED.contains(&table.name.as_str()));
    tables.sort_by_key(|table| made.iter().position(|name| *name == table.name));
    Ok(tables)
}

/// Names of tables and columns come from the database's own list of them.
fn text(text: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(text)
}

fn values(row: &Row, table: &Table) -> Result<Vec<Value>> {
    let value = |(place, kind): (usize, Kind)| {
        Ok(match kind {
            Kind::Int => Value::Int(row.try_get(place)?),
            Kind::Text => Value::Text(row.try_get(place)?),
            Kind::Bytes => Value::Bytes(row.try_get(place)?),
        })
    };
    table.columns.iter().map(|column| column.kind).enumerate().map(value).collect()
}

async fn insert(conn: &mut Conn, table: &Table, names: &[&str], rows: Vec<Vec<Value>>) -> Result<()> {
    let width = names.len();
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|place| format!("${}", row * width + place)).collect();
        format!("({})", places.join(","))
    };
    let places: Vec<String> = (0..rows.len()).map(row).collect();
    let insert = format!("INSERT INTO {} ({}) VALUES {}", table.name, names.join(", "), places.join(","));
    let query = rows.into_iter().flatten().fold(sql::query(text(insert)), sql::Query::bind);
    query.execute(conn).await?;
    Ok(())
}
