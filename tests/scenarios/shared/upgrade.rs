//! A database of an earlier schema, with what a night leaves in it, is opened by today's server; and several nodes make or
//! bring up to date one database at once.

use super::on_node;
use firstlight_protocol::{RoomKind, Secret, callout::Action, mls::RoomContext};
use firstlight_server::{
    bus::Bus,
    config::{Config, DatabaseKind},
    store::{
        Store,
        schema::{self, Kind, Table},
        sql::{self, Pool, Value},
    },
};
use firstlight_tests::{
    inproc::{Cast, fresh_database, run},
    world::routing,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, SqliteConnection, SqlitePool, migrate::Migrator};
use std::path::Path;

/// The schema from which both databases go on together.
const EARLIER: i64 = 15;

/// Today's migrations up to that schema, as a server of that time had them.
async fn migrations(kind: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/migrations").join(kind);
    Migrator::new(folder).await.unwrap()
}

/// An empty SQLite file of the earlier schema.
async fn earlier_file(file: &Path) -> Pool {
    let address = format!("sqlite://{}?mode=rwc", file.display());
    let mut conn = SqliteConnection::connect(&address).await.unwrap();
    migrations("sqlite").await.run_direct(Some(EARLIER), &mut conn, false).await.unwrap();
    conn.close().await.unwrap();
    Pool::Sqlite(SqlitePool::connect(&address).await.unwrap())
}

/// An empty PostgreSQL database of the earlier schema.
async fn earlier_database(url: &str) -> Pool {
    let mut conn = PgConnection::connect(url).await.unwrap();
    migrations("postgres").await.run_direct(Some(EARLIER), &mut conn, false).await.unwrap();
    conn.close().await.unwrap();
    Pool::Postgres(PgPool::connect(url).await.unwrap())
}

/// Every row of every table that the earlier schema has, in the columns that it has.
async fn fill(earlier: &Pool, from: &Pool, order: &[String]) -> u64 {
    let mut tables = schema::tables(earlier).await.unwrap();
    tables.retain(|table| table.name != "writer");
    tables.sort_by_key(|table| order.iter().position(|name| *name == table.name));
    sql::query("DELETE FROM line_salt").execute(earlier).await.unwrap();
    let mut count = 0;
    for Table { name, columns } in tables {
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let places: Vec<_> = (1..=names.len()).map(|n| format!("${n}")).collect();
        let (names, places) = (names.join(", "), places.join(", "));
        let rows = sql::query(AssertSqlSafe(format!("SELECT {names} FROM {name}"))).fetch_all(from).await.unwrap();
        for row in rows {
            let insert = AssertSqlSafe(format!("INSERT INTO {name} ({names}) VALUES ({places})"));
            let query = columns.iter().enumerate().fold(sql::query(insert), |query, (place, column)| {
                query.bind(match column.kind {
                    Kind::Int => Value::Int(row.get(place)),
                    Kind::Text => Value::Text(row.get(place)),
                    Kind::Bytes => Value::Bytes(row.get(place)),
                })
            });
            query.execute(earlier).await.unwrap();
            count += 1;
        }
        if earlier.database() == sql::Database::Postgres && columns.iter().any(|c| c.name == "n" && c.key == 1) {
            let next = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', 'n'), (SELECT coalesce(max(n), 0) + 1 FROM {name}), false)"
            );
            sql::query(AssertSqlSafe(next)).execute(earlier).await.unwrap();
        }
    }
    count
}

/// Tables so that each comes after those that it refers to: as SQLite's migrations made them.
async fn made(pool: &Pool) -> Vec<String> {
    sql::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[test]
fn a_night_goes_on_after_an_upgrade_from_an_earlier_schema() {
    run(async {
        let mut cast = Cast::new().await;
        if cast.server.app().store.is_shared() {
            return; // Both are done from SQLite.
        }
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let room = a.create_room(context, vec![b.device.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;
        a.say(room, "before", cast.now()).await;
        let first = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let second = cast.officer.open_callout(routing("south", cast.now())).await.unwrap();
        cast.primary.act(second.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        let before = cast.server.digest().await;
        let audit = cast.server.app().store.audit_verify().await.unwrap();

        // The file is replaced by one of the earlier schema with the same rows; then today's server starts on it.
        let operator = async |config: &Config| {
            let (file, old) = (config.data_dir.join("firstlight.db"), config.data_dir.join("today.db"));
            let source = Pool::Sqlite(SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap());
            let earlier = earlier_file(&old).await;
            assert!(fill(&earlier, &source, &made(&earlier).await).await > 100);
            let known: i64 =
                sql::query_scalar("SELECT count(*) FROM sqlite_master WHERE name IN ('holds', 'newest_backup')")
                    .fetch_one(&earlier)
                    .await
                    .unwrap();
            assert_eq!(known, 0, "the earlier schema is an earlier one");
            earlier.close().await;
            source.close().await;
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(config.data_dir.join(format!("firstlight.db{end}")));
            }
            std::fs::rename(old, file).unwrap();
        };
        cast.server.reconfigure(|_| {}, operator).await;
        // What the earlier schema had no table for.
        assert_eq!(cast.server.digest().await.differs_in(&before), ["spent_key_packages"]);
        assert_eq!(cast.server.app().store.audit_verify().await.unwrap().broken_at, None);
        cast.server.app().store.check_integrity().await.unwrap();
        let mut backup = cast.backup.connect().await;
        cast.minutes(4);
        assert_eq!(backup.page().await.1, first.id, "the timer went on");
        b.say(room, "between", cast.now()).await;
        drop(backup);

        // The same on PostgreSQL, with the rows of by now.
        let (url, data) = (fresh_database().await, cast.server.dir().join("data"));
        let before = cast.server.digest().await;
        let operator = async |config: &Config| {
            assert_eq!(config.database.kind, DatabaseKind::Postgres);
            let file = config.data_dir.join("firstlight.db");
            let source = Pool::Sqlite(SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap());
            let earlier = earlier_database(&url).await;
            assert!(fill(&earlier, &source, &made(&source).await).await > 100);
            earlier.close().await;
            source.close().await;
        };
        cast.server.reconfigure(|config| on_node(config, &url, &data), operator).await;
        assert!(cast.server.app().store.is_shared());
        assert_eq!(cast.server.digest().await.differs_in(&before), Vec::<&str>::new());
        let verdict = cast.server.app().store.audit_verify().await.unwrap();
        assert!(verdict.broken_at.is_none() && verdict.entries > audit.entries);
        cast.backup.act(first.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        a.say(room, "after", cast.now()).await;
        a.sync(cast.now()).await;
        assert_eq!(a.texts(room), ["before", "between", "after"]);
    });
}

#[test]
fn nodes_that_start_at_once_make_the_tables_once() {
    run(async {
        let url = fresh_database().await;
        earlier_database(&url).await.close().await;
        for url in [fresh_database().await, url].map(Secret::new) {
            let open = || Store::open_shared(&url, Bus::default());
            let (a, b, c) = tokio::join!(open(), open(), open());
            for store in [a.unwrap(), b.unwrap(), c.unwrap()] {
                assert!(schema::tables(store.read()).await.unwrap().len() > 40);
                store
                    .write(|tx| {
                        Box::pin(async { tx.audit(firstlight_protocol::Timestamp(1), None, "test", "", "").await })
                    })
                    .await
                    .unwrap();
                store.close().await;
            }
        }
    });
}
