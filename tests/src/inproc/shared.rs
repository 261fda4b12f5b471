//! The same server on PostgreSQL, where the environment says where there is one.
//!
//! `FIRSTLIGHT_TEST_POSTGRES=postgres://user@127.0.0.1:PORT/postgres cargo nextest run …` runs every scenario on a fresh
//! database of that server.

use crate::world::random;
use firstlight_server::config::{Config, DatabaseKind};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// Names the server that tests may use: the address of a database where they may make others.
const POSTGRES: &str = "FIRSTLIGHT_TEST_POSTGRES";

/// Gives the server a database of its own on PostgreSQL, if the environment says so.
pub(super) async fn use_postgres(config: &mut Config, dir: &Path) {
    let Ok(admin) = std::env::var(POSTGRES) else { return };
    let name = format!("t_{}", u64::from_be_bytes(random()));
    let mut conn = PgConnection::connect(&admin).await.expect("the tests' PostgreSQL");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.expect("a database");
    let (server, _) = admin.rsplit_once('/').expect("postgres://…/database");
    let file = dir.join("database-url");
    std::fs::write(&file, format!("{server}/{name}")).expect("a file");
    config.database.kind = DatabaseKind::Postgres;
    config.database.url_file = file;
}
