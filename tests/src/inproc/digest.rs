//! "Nothing was changed", as something that can be compared: a hash of every table that holds state.

use sha2::Digest as _;
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use std::collections::BTreeMap;

/// Tables that a refusal may change: the record of it, what expires by itself, and hints.
const MAY_CHANGE: [&str; 6] = ["audit", "answered_challenges", "cursors", "sessions", "tickets", "_sqlx_migrations"];
/// Columns that a refusal may change: when a device was seen, and its lockout.
const MAY_CHANGE_COLUMNS: [&str; 4] = ["last_seen_at", "failures", "locked_until", "acked"];

/// A hash for each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(BTreeMap<String, String>);

impl Digest {
    /// Reads all tables.
    pub(super) async fn of(pool: &SqlitePool) -> Self {
        let names = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .fetch_all(pool)
            .await
            .expect("the tables' names");
        let mut digest = BTreeMap::new();
        for name in names {
            let name: String = name.get("name");
            if !MAY_CHANGE.contains(&name.as_str()) {
                let hash = table(pool, &name).await;
                digest.insert(name, hash);
            }
        }
        assert!(digest.len() > 10, "the schema has tables: {digest:?}");
        Self(digest)
    }

    /// The tables in which something differs.
    pub fn differs_in(&self, other: &Self) -> Vec<&str> {
        self.0.iter().filter(|(name, hash)| other.0.get(*name) != Some(hash)).map(|(name, _)| name.as_str()).collect()
    }
}

async fn table(pool: &SqlitePool, name: &str) -> String {
    let columns = sqlx::query(AssertSqlSafe(format!("PRAGMA table_info({name})"))).fetch_all(pool).await;
    let quoted: Vec<String> = columns
        .expect("the table's columns")
        .iter()
        .map(|row| row.get::<String, _>("name"))
        .filter(|column| !MAY_CHANGE_COLUMNS.contains(&column.as_str()))
        .map(|column| format!("quote({column})"))
        .collect();
    let rows = format!("SELECT {} AS line FROM {name} ORDER BY 1", quoted.join(" || ',' || "));
    let mut hash = sha2::Sha256::new();
    for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(pool).await.expect("the table's rows") {
        hash.update(row.get::<String, _>("line"));
        hash.update(b"\n");
    }
    hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
}
