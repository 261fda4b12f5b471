//! What tables there are, as either database tells it: for moving from one to the other, and for comparing them.

use super::sql::{Database, Executor, Pool, Target, query};
use crate::Result;
use sqlx::AssertSqlSafe;

/// A table of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, by name.
    pub columns: Vec<TableColumn>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its place in the primary key, from 1; 0: not part of it.
    pub key: i64,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers and truth.
    Int,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

const SQLITE: &str = "SELECT t.name AS tbl, c.name AS col, c.type AS kind, c.pk AS key,
        c.\"notnull\" = 0 AND c.pk = 0 AS nullable
    FROM sqlite_master t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.name";
const POSTGRES: &str = "SELECT c.table_name::text AS tbl, c.column_name::text AS col, c.data_type::text AS kind,
        coalesce((SELECT k.ordinal_position FROM information_schema.key_column_usage k
                  JOIN information_schema.table_constraints p USING (constraint_schema, constraint_name)
                  WHERE p.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema
                    AND k.table_name = c.table_name AND k.column_name = c.column_name), 0)::bigint AS key,
        c.is_nullable = 'YES' AS nullable
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> '_sqlx_migrations'
    ORDER BY c.table_name::text COLLATE \"C\", c.column_name::text COLLATE \"C\"";

/// All tables by name, without the migrations' own.
///
/// # Errors
/// If the database can't be read.
pub async fn tables(pool: &Pool) -> Result<Vec<Table>> {
    let text = match pool.database() {
        Database::Sqlite => SQLITE,
        Database::Postgres => POSTGRES,
    };
    let mut tables: Vec<Table> = Vec::new();
    for row in query(text).fetch_all(pool).await? {
        let name: String = row.get("tbl");
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name, columns: Vec::new() });
        }
        let kind = match row.get("kind") {
            "INTEGER" | "bigint" => Kind::Int,
            "BLOB" | "bytea" => Kind::Bytes,
            _ => Kind::Text,
        };
        let column = TableColumn { name: row.get("col"), kind, nullable: row.get("nullable"), key: row.get("key") };
        if let Some(table) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    Ok(tables)
}

/// A table's rows as lines of text, in an order of their own: for comparing what stands in it. Without the columns of
/// `but`.
///
/// # Errors
/// If the database can't be read.
pub async fn lines<'c>(of: impl Executor<'c>, table: &Table, but: &[&str]) -> Result<Vec<String>> {
    let of: Target<'c> = of.into();
    let columns = table.columns.iter().filter(|column| !but.contains(&column.name.as_str()));
    let quoted = columns.map(|TableColumn { name, kind, .. }| match (of.database(), kind) {
        (Database::Sqlite, Kind::Bytes) => format!("CASE WHEN {name} IS NULL THEN 'NULL' ELSE lower(hex({name})) END"),
        (Database::Sqlite, _) => format!("coalesce(CAST({name} AS TEXT), 'NULL')"),
        (Database::Postgres, Kind::Bytes) => format!("coalesce(encode({name}, 'hex'), 'NULL')"),
        (Database::Postgres, _) => format!("coalesce({name}::text, 'NULL')"),
    });
    let quoted: Vec<String> = quoted.collect();
    let text = format!("SELECT {} AS line FROM {}", quoted.join(" || ',' || "), table.name);
    let rows = query(AssertSqlSafe(text)).fetch_all(of).await?;
    let mut lines: Vec<String> = rows.iter().map(|row| row.get("line")).collect();
    lines.sort_unstable();
    Ok(lines)
}
