//! PostgreSQL: the same tables as SQLite, a whole move from one to the other, nodes that share it, and what
//! operators do with either over the years.

mod moving;
mod nodes;
mod restoring;
mod tables;
mod upgrade;

use firstlight_tests::inproc::{Cast, Server, on_postgres};
use std::path::Path;

/// A node on this database, with these keys.
async fn node(url: &str, keys: &Path) -> Server {
    Server::start(|config| on_node(config, url, keys)).await
}

fn on_node(config: &mut firstlight_server::config::Config, url: &str, keys: &Path) {
    on_postgres(config, url, keys);
    config.node.keys_dir = keys.to_owned();
    config.suites = vec![firstlight_server::config::Suite::Hybrid, firstlight_server::config::Suite::Classic];
}

/// From here on everybody asks that node; sockets stay where they are.
fn ask(cast: &Cast, node: &Server) {
    cast.server.http.moved(node.http.addr());
}
