//! Server processes on one PostgreSQL and one Redis. Each reaches both over lines of its own, which a test can spoil.

use super::Proxy;
use crate::{
    process::{Result, ServerProcess, fail},
    services::{Postgres, Redis},
    world::free_addresses,
};
use firstlight_server::config::{Config, DatabaseKind};
use sqlx::{Connection, PgConnection};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The nodes of one organisation's server, and what they share.
#[derive(Debug)]
pub struct Cluster {
    /// In the order of their names: `node-1`, `node-2`, …
    pub nodes: Vec<Node>,
    /// What keeps the truth.
    pub postgres: Postgres,
    /// What wakes them.
    pub redis: Redis,
    dir: Option<TempDir>,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Its process: kill it, pause it, stop it, start it again.
    pub server: ServerProcess,
    /// Its line to PostgreSQL.
    pub to_postgres: Proxy,
    /// Its line to Redis.
    pub to_redis: Proxy,
}

impl Cluster {
    /// Starts so many nodes, one after the other, and waits until all are ready. `adjust` changes each one's
    /// configuration before.
    ///
    /// All have the first one's address as their name, and tell clients of all of them.
    ///
    /// # Errors
    /// If one does not get ready; with what it wrote.
    pub fn start(nodes: usize, adjust: impl Fn(&mut Config)) -> Result<Self> {
        Self::wired(nodes, true, adjust)
    }

    /// The same on straight lines, which can't be spoiled and cost nothing: for measurements.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn straight(nodes: usize, adjust: impl Fn(&mut Config)) -> Result<Self> {
        Self::wired(nodes, false, adjust)
    }

    fn wired(nodes: usize, proxied: bool, adjust: impl Fn(&mut Config)) -> Result<Self> {
        let (postgres, redis) = (Postgres::start()?, Redis::start()?);
        let dir = tempfile::tempdir()?;
        // The lines first: they listen at once, and would take the nodes' ports.
        let lines: Vec<_> = (0..nodes).map(|_| (Proxy::to(postgres.address()), Proxy::to(redis.address()))).collect();
        let addresses = free_addresses(nodes);
        let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let mut cluster = Self { nodes: Vec::new(), postgres, redis, dir: Some(dir) };
        for (number, (address, (to_postgres, to_redis))) in addresses.iter().zip(lines).enumerate() {
            let name = format!("node-{}", number + 1);
            let home = cluster.path().join(&name);
            fs::create_dir_all(&home)?;
            let url_file = home.join("database-url");
            let postgres = if proxied { to_postgres.address() } else { cluster.postgres.address() };
            let redis = if proxied { to_redis.address() } else { cluster.redis.address() };
            fs::write(&url_file, cluster.postgres.url_over(postgres, "postgres"))?;
            let keys_dir = cluster.path().join("keys");
            fs::create_dir_all(&keys_dir)?;
            let attachments = cluster.path().join("attachments");
            let server = ServerProcess::start(&home, |config| {
                config.listen = *address;
                config.name.clone_from(&urls[0]);
                config.database.kind = DatabaseKind::Postgres;
                config.database.url_file.clone_from(&url_file);
                config.attachments.folder = attachments.clone();
                config.attachments.folder_shared = true;
                config.redis.urls = vec![format!("redis://{redis}")];
                config.node.name.clone_from(&name);
                config.node.keys_dir.clone_from(&keys_dir);
                config.node.addresses.clone_from(&urls);
                adjust(config);
            });
            let server = server.map_err(|e| e.while_doing(name))?;
            cluster.nodes.push(Node { server, to_postgres, to_redis });
        }
        Ok(cluster)
    }

    /// The node of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn node(&self, name: &str) -> Result<&Node> {
        let number =
            (1..).map(|number| format!("node-{number}")).take(self.nodes.len()).position(|known| known == name);
        number.map(|number| &self.nodes[number]).ok_or_else(|| fail(format!("no node is called {name:?}")))
    }

    /// The name of the node that is sending a page.
    ///
    /// # Errors
    /// If none is.
    pub async fn sender(&self) -> Result<String> {
        let mut database = PgConnection::connect(&self.postgres.url("postgres")).await?;
        let claim = "SELECT n.name FROM outbox o JOIN nodes n ON n.node = o.claimed_by WHERE o.lease_until IS NOT NULL";
        let name: Option<String> = sqlx::query_scalar(claim).fetch_optional(&mut database).await?;
        name.ok_or_else(|| fail("no page is being sent"))
    }

    /// Where everything of it is.
    pub fn path(&self) -> &Path {
        self.dir.as_ref().map(TempDir::path).unwrap_or(Path::new("."))
    }

    /// The last lines of each node's log and where the rest is, for a report; everything is kept.
    pub fn report(&mut self) -> String {
        let tails: String = self
            .nodes
            .iter()
            .enumerate()
            .map(|(number, node)| format!("node-{}:\n{}", number + 1, node.server.log_tail()))
            .collect();
        let kept: PathBuf = self.dir.take().map(TempDir::keep).unwrap_or_default();
        format!("{tails}everything is kept in {}", kept.display())
    }
}
