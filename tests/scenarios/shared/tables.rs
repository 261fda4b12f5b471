//! The two sets of migrations end in the same tables.

use firstlight_protocol::Secret;
use firstlight_server::{
    bus::Bus,
    store::{
        Store,
        schema::{self, Table},
        sql,
    },
};
use firstlight_tests::inproc::{fresh_database, run};
use std::collections::BTreeSet;

/// What only nodes need.
const FOR_NODES: [&str; 3] = ["changes", "nodes", "writer"];

const SQLITE_INDEXES: &str = "SELECT m.name || ' ' || m.tbl_name || ' ' || (m.sql LIKE '%UNIQUE%')
        || ' ' || (m.sql LIKE '% WHERE %') AS line
    FROM sqlite_master m WHERE m.type = 'index' AND m.sql IS NOT NULL";
const POSTGRES_INDEXES: &str = "SELECT indexname || ' ' || tablename || ' ' || (indexdef LIKE '%UNIQUE%')::int
        || ' ' || (indexdef LIKE '% WHERE %')::int AS line
    FROM pg_indexes WHERE schemaname = current_schema()
        AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'";
const SQLITE_REFERENCES: &str = "SELECT DISTINCT m.name || ' ' || f.\"table\" || ' ' || f.on_delete AS line
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
const POSTGRES_REFERENCES: &str = "SELECT DISTINCT c.relname || ' ' || f.relname || ' '
        || CASE k.confdeltype WHEN 'c' THEN 'CASCADE' ELSE 'NO ACTION' END AS line
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
    WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace";
const SQLITE_VIEWS: &str = "SELECT name AS line FROM sqlite_master WHERE type = 'view'";
const POSTGRES_VIEWS: &str = "SELECT viewname::text AS line FROM pg_views WHERE schemaname = current_schema()";
const SQLITE_UNIQUE: &str =
    "SELECT m.name || ' ' || (SELECT group_concat(name, ',') FROM pragma_index_info(i.name)) AS line
    FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'u'";
const POSTGRES_UNIQUE: &str = "SELECT c.relname || ' ' || (
        SELECT string_agg(a.attname, ',') FROM unnest(k.conkey) n JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n
    ) AS line FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid 
    WHERE k.contype = 'u' AND k.connamespace = current_schema()::regnamespace";

async fn lines(store: &Store, text: &'static str) -> BTreeSet<String> {
    let lines: Vec<String> = sql::query_scalar(text).fetch_all(store.read()).await.unwrap();
    lines.into_iter().filter(|line| !FOR_NODES.iter().any(|name| line.contains(name))).collect()
}

async fn tables(store: &Store) -> Vec<Table> {
    let mut tables = schema::tables(store.read()).await.unwrap();
    tables.retain(|table| !FOR_NODES.contains(&table.name.as_str()));
    tables
}

#[test]
fn both_databases_have_the_same_tables_indexes_and_rules() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let sqlite = Store::open(dir.path(), Bus::default()).await.unwrap();
        let postgres = Store::open_shared(&Secret::new(fresh_database().await), Bus::default()).await.unwrap();
        let (ours, theirs) = (tables(&sqlite).await, tables(&postgres).await);
        assert!(ours.len() > 30, "{}", ours.len());
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!(a, b);
        }
        assert_eq!(ours.len(), theirs.len());
        for (a, b) in [
            (SQLITE_INDEXES, POSTGRES_INDEXES),
            (SQLITE_REFERENCES, POSTGRES_REFERENCES),
            (SQLITE_VIEWS, POSTGRES_VIEWS),
            (SQLITE_UNIQUE, POSTGRES_UNIQUE),
        ] {
            let (a, b) = (lines(&sqlite, a).await, lines(&postgres, b).await);
            assert!(!a.is_empty());
            assert_eq!(a, b);
        }
        for store in [sqlite, postgres] {
            let cut = store.write(|tx| {
                Box::pin(async move {
                    tx.audit(firstlight_protocol::Timestamp(1), None, "test", "", "").await?;
                    Ok(sql::query("DELETE FROM audit").execute(&mut *tx.conn).await?)
                })
            });
            assert!(cut.await.is_err(), "the audit trail is append-only");
        }
    });
}
