//! "Nothing was changed", as something that can be compared: a hash of every table that holds state.

use firstlight_server::store::{schema, sql::Pool};
use sha2::Digest as _;
use std::collections::BTreeMap;

/// Tables that a refusal may change: the record of it, what expires by itself, and hints.
const MAY_CHANGE: [&str; 8] =
    ["audit", "answered_challenges", "changes", "cursors", "nodes", "sessions", "tickets", "writer"];
/// Columns that a refusal may change: when a device was seen, and its lockout.
const MAY_CHANGE_COLUMNS: [&str; 4] = ["last_seen_at", "failures", "locked_until", "acked"];

/// A hash for each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(BTreeMap<String, String>);

impl Digest {
    /// Reads all tables.
    pub(super) async fn of(pool: &Pool) -> Self {
        let mut digest = BTreeMap::new();
        for table in schema::tables(pool).await.expect("the tables") {
            if !MAY_CHANGE.contains(&table.name.as_str()) {
                let mut hash = sha2::Sha256::new();
                for line in schema::lines(pool, &table, &MAY_CHANGE_COLUMNS).await.expect("the table's rows") {
                    hash.update(line);
                    hash.update(b"\n");
                }
                digest.insert(table.name, hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect());
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
