//! The commands against a database that a server is using.

use super::*;
use crate::bus::Bus;
use crate::store::sql;
use firstlight_protocol::Timestamp;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

async fn store(dir: &Path, entries: i64) -> Store {
    let store = Store::open(dir, Bus::default()).await.unwrap();
    for i in 0..entries {
        store
            .write(move |tx| Box::pin(async move { tx.audit(Timestamp(i), None, "test.act", "subject", i).await }))
            .await
            .unwrap();
    }
    store
}

fn config(dir: &Path) -> Config {
    Config { data_dir: dir.to_owned(), ..Config::default() }
}

fn out() -> Output<Vec<u8>> {
    Output { to: Vec::new(), json: true }
}

fn json(out: &Output<Vec<u8>>) -> Value {
    serde_json::from_slice(&out.to).unwrap()
}

#[tokio::test]
async fn a_whole_trail_verifies_and_a_known_head_stays_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = store(dir.path(), 3).await;
    let mut first = out();
    assert_eq!(verify(&config(dir.path()), None, &mut first).await.unwrap(), Outcome::Good);
    let head = json(&first)["head"].as_str().unwrap().to_owned();
    assert_eq!(json(&first)["entries"], 3);
    running.write(|tx| Box::pin(async { tx.audit(Timestamp(9), None, "test.act", "x", "").await })).await.unwrap();
    assert_eq!(verify(&config(dir.path()), Some(&head), &mut out()).await.unwrap(), Outcome::Good);
    assert_eq!(verify(&config(dir.path()), Some(&"0".repeat(64)), &mut out()).await.unwrap(), Outcome::Broken);
    let mut shown = out();
    show(&config(dir.path()), 1, 2, &mut shown).await.unwrap();
    let seqs: Vec<i64> = String::from_utf8(shown.to)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, [2, 3]);
    running.close().await;
}

#[tokio::test]
async fn a_changed_or_shortened_trail_shows() {
    let dir = tempfile::tempdir().unwrap();
    let running = store(dir.path(), 3).await;
    let mut before = out();
    verify(&config(dir.path()), None, &mut before).await.unwrap();
    let head = json(&before)["head"].as_str().unwrap().to_owned();
    let tamper = |sql: &'static str| {
        running.write(move |tx| {
            Box::pin(async move {
                sql::query("DROP TRIGGER IF EXISTS audit_keeps_text").execute(&mut *tx.conn).await?;
                sql::query("DROP TRIGGER IF EXISTS audit_keeps_entries").execute(&mut *tx.conn).await?;
                sql::query(sql).execute(&mut *tx.conn).await?;
                Ok(())
            })
        })
    };
    tamper("DELETE FROM audit WHERE seq = 3").await.unwrap();
    assert_eq!(verify(&config(dir.path()), None, &mut out()).await.unwrap(), Outcome::Good);
    assert_eq!(verify(&config(dir.path()), Some(&head), &mut out()).await.unwrap(), Outcome::Broken, "cut short");
    tamper("UPDATE audit SET detail = 'other' WHERE seq = 2").await.unwrap();
    let mut after = out();
    assert_eq!(verify(&config(dir.path()), None, &mut after).await.unwrap(), Outcome::Broken);
    assert_eq!(json(&after)["broken_at"], 2);
    let refused = backup(&config(dir.path()), &dir.path().join("copy.db"), Timestamp(0), &mut out()).await.unwrap_err();
    assert!(refused.to_string().contains("broken at entry 2"), "{refused}");
    assert!(!dir.path().join("copy.db").exists() && !dir.path().join("copy.db.part").exists());
    running.close().await;
}

#[tokio::test]
async fn a_backup_is_whole_private_and_alone() {
    let (dir, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = store(dir.path(), 2).await;
    let mut told = out();
    backup(&config(dir.path()), target.path(), Timestamp(1_700_000_000_000), &mut told).await.unwrap();
    let file = json(&told)["file"].as_str().unwrap().to_owned();
    assert!(file.ends_with("/firstlight-20231114T221320.db"), "{file}");
    assert_eq!(json(&told)["audit_entries"], 2);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1, "nothing beside the copy");
    let again = backup(&config(dir.path()), Path::new(&file), Timestamp(0), &mut out()).await.unwrap_err();
    assert!(again.to_string().contains("overwrites nothing"), "{again}");
    running.close().await;
    // Put in place as the command says, the copy is a database that a server goes on with.
    let restored = tempfile::tempdir().unwrap();
    fs::copy(&file, restored.path().join("firstlight.db")).unwrap();
    let restored_store = store(restored.path(), 1).await;
    assert_eq!(restored_store.audit_verify().await.unwrap().entries, 3);
    restored_store.close().await;
}

#[tokio::test]
async fn the_commands_work_while_no_server_runs_and_say_where_there_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path(), 1).await.close().await;
    assert_eq!(verify(&config(dir.path()), None, &mut out()).await.unwrap(), Outcome::Good);
    let empty = tempfile::tempdir().unwrap();
    let error = verify(&config(empty.path()), None, &mut out()).await.unwrap_err();
    assert!(error.to_string().contains("there is no database in"), "{error}");
}

#[tokio::test]
async fn the_nodes_keys_are_made_once_and_nodes_that_have_them_show_one_bootstrap_token() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("secrets/keys");
    let (config, mut first, mut again) = (config(dir.path()), out(), out());
    make_keys(&config, Some(&folder), &mut first).await.unwrap();
    assert_eq!(json(&first)["made"].as_array().unwrap().len(), 2);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    make_keys(&config, Some(&folder), &mut again).await.unwrap();
    assert_eq!(json(&again)["there"], json(&first)["made"]);
    assert!(print_bootstrap_token(&config, &mut out()).await.is_err(), "no server was started here");
}
