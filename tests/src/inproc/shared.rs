//! Databases on the PostgreSQL that tests may use, and the same server on one of them.
//!
//! `tests/services run` starts a PostgreSQL and says in `FIRSTLIGHT_TEST_POSTGRES` where it is (without it, tests that need
//! one fail and say so). With `FIRSTLIGHT_TEST_STORE=postgres` as well, every scenario runs on a fresh database there.

use crate::{services::Database, world::random};
use firstlight_server::config::{Config, DatabaseKind};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// Names the server that tests may use: the address of a database where they may make others.
const POSTGRES: &str = "FIRSTLIGHT_TEST_POSTGRES";
/// Which database scenarios run on; SQLite, if it says nothing.
const STORE: &str = "FIRSTLIGHT_TEST_STORE";

/// Makes an empty database, and answers with its address.
///
/// # Panics
/// If there is no PostgreSQL.
pub async fn fresh_database() -> String {
    let admin = std::env::var(POSTGRES).expect("a PostgreSQL: run this with `tests/services run COMMAND`");
    let name = format!("t_{}", u64::from_be_bytes(random()));
    let mut conn = PgConnection::connect(&admin).await.expect("the tests' PostgreSQL");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.expect("a database");
    let (server, _) = admin.rsplit_once('/').expect("postgres://…/database");
    format!("{server}/{name}")
}

/// Sets the server to use this PostgreSQL database.
///
/// # Panics
/// If `dir` can't be written to.
pub fn on_postgres(config: &mut Config, url: &str, dir: &Path) {
    let file = dir.join("database-url");
    std::fs::write(&file, url).expect("a file");
    config.database.kind = DatabaseKind::Postgres;
    config.database.url_file = file;
    // One node; several of them name one folder.
    config.attachments.folder_shared = true;
}

/// Gives the server a database of its own on PostgreSQL, if the environment says so; dropped with the answer.
pub(super) async fn as_the_environment_says(config: &mut Config, dir: &Path) -> Option<Database> {
    let wanted = std::env::var(STORE).is_ok_and(|store| store == "postgres");
    if !wanted || config.database.kind != DatabaseKind::Sqlite {
        return None;
    }
    let database = Database::empty().await;
    on_postgres(config, database.url(), dir);
    Some(database)
}
