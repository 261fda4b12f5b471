//! When one machine isn't enough: a database that several nodes share, and what they share besides.

use super::{
    check::{Found, has_twice, is_origin},
    paging::secret,
};
use crate::Result;
use firstlight_protocol::Secret;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// As many as clients keep.
const MAX_ADDRESSES: usize = 16;

/// The variable that says where the shared database is, in place of a file.
pub(super) const DATABASE_URL: &str = "FIRSTLIGHT_DATABASE_URL";

/// The database. Left as it is, it is a SQLite file in the data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// What it is.
    pub kind: DatabaseKind,
    /// With `postgres`: the file that holds `postgres://user:password@host:port/name`; empty: the environment variable
    /// `FIRSTLIGHT_DATABASE_URL` does.
    pub url_file: PathBuf,
}

/// What keeps the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// A file in the data directory: one node, and nothing else to look after.
    #[default]
    Sqlite,
    /// PostgreSQL: as many nodes as needed.
    Postgres,
}

/// One node among several that share a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it is called in health and metrics, such as `node-1`; empty: a name made up at each start.
    pub name: String,
    /// Where the keys are that all nodes have in common (the file of the access tokens, that of Web Push); empty: the data
    /// directory. Each node refuses to start with other keys than the rest.
    pub keys_dir: PathBuf,
    /// Where clients reach each of the nodes, such as `https://node-1.example.org`, the same list for all of them. Clients
    /// keep it: one that gets no answer at one address goes on to the next. What they sign is `name` alone.
    pub addresses: Vec<String>,
}

impl Database {
    /// Where the shared database is, if there is one.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn url(&self) -> Result<Option<Secret>> {
        match self.kind {
            DatabaseKind::Sqlite => Ok(None),
            DatabaseKind::Postgres => {
                let file = Some(&self.url_file).filter(|path| !path.as_os_str().is_empty());
                secret("database.url_file", file, DATABASE_URL).map(Some)
            }
        }
    }

    pub(super) fn check(&self, found: &mut Found) {
        if let Err(error) = self.url() {
            found.push(("database.url_file", error.to_string()));
        }
        if self.kind == DatabaseKind::Sqlite && !self.url_file.as_os_str().is_empty() {
            found.push(("database.url_file", "It is for database.kind = \"postgres\": set that, or remove it.".into()));
        }
    }
}

impl Node {
    pub(super) fn check(&self, found: &mut Found) {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.len() > 64 || !self.name.chars().all(fine) {
            found.push(("node.name", "Write at most 64 letters, digits, dots and hyphens.".into()));
        }
        if self.addresses.len() > MAX_ADDRESSES || has_twice(&self.addresses) {
            found.push(("node.addresses", format!("Name each address once, and at most {MAX_ADDRESSES}.")));
        }
        for problem in self.addresses.iter().filter_map(|address| is_origin(address).err()) {
            found.push(("node.addresses", problem));
        }
    }
}
