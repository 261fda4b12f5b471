//! The servers that the other tests here stand on do what their tests believe.

use firstlight_tests::{
    inproc::run,
    services::{Database, Postgres, Redis},
};
use sqlx::{Connection, PgConnection, Row};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

async fn all(url: &str) -> Vec<i32> {
    let mut database = PgConnection::connect(url).await.expect("a connection");
    let rows = sqlx::query("SELECT n FROM t ORDER BY n").fetch_all(&mut database).await.expect("the table");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn add(url: &str, n: i32) -> sqlx::Result<()> {
    let mut database = PgConnection::connect(url).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS t (n INTEGER)").execute(&mut database).await?;
    sqlx::query("INSERT INTO t VALUES ($1)").bind(n).execute(&mut database).await.map(drop)
}

#[test]
fn tests_have_databases_of_their_own_from_one_template() {
    run(async {
        let (prepared, keep) = (Arc::new(AtomicUsize::new(0)), Database::empty().await);
        let template = format!("template_{}", std::process::id());
        let make = || {
            let (prepared, template) = (prepared.clone(), template.clone());
            tokio::spawn(async move {
                Database::copy_of(&template, |url| async move {
                    prepared.fetch_add(1, Ordering::Relaxed);
                    add(&url, 1).await.expect("a row in the template");
                })
                .await
            })
        };
        let (first, second) = (make(), make());
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(prepared.load(Ordering::Relaxed), 1, "the template is made once");
        add(first.url(), 2).await.unwrap();
        assert_eq!((all(first.url()).await, all(second.url()).await), (vec![1, 2], vec![1]));
        assert!(all_tables(keep.url()).await.is_empty());

        let gone = first.url().to_owned();
        let _connected = PgConnection::connect(&gone).await.unwrap();
        drop(first);
        assert!(PgConnection::connect(&gone).await.is_err(), "a database goes with its test");
    });
}

async fn all_tables(url: &str) -> Vec<String> {
    let mut database = PgConnection::connect(url).await.expect("a connection");
    let tables = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'");
    tables.fetch_all(&mut database).await.expect("the tables")
}

#[test]
fn a_test_may_break_a_postgres_and_a_redis_of_its_own() {
    run(async {
        let (mut postgres, mut redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        let url = postgres.url("postgres");
        add(&url, 1).await.unwrap();
        postgres.kill9();
        assert!(add(&url, 2).await.is_err(), "nobody answers when it is dead");
        postgres.restart().unwrap();
        add(&url, 3).await.unwrap();
        // Somebody who stays connected does not hold up its end.
        let _connected = PgConnection::connect(&url).await.unwrap();
        postgres.stop().unwrap();
        postgres.restart().unwrap();
        assert_eq!(all(&url).await, [1, 3], "what was committed is there");
        let wrong = url.replace('@', "0@");
        assert!(PgConnection::connect(&wrong).await.is_err(), "it asks for its password");

        assert_eq!(ping(&redis).await.unwrap(), "+PONG\r\n");
        redis.pause().unwrap();
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(100), ping(&redis)).await;
        assert!(waiting.is_err(), "a paused server takes no notice");
        redis.resume().unwrap();
        redis.kill9();
        assert!(ping(&redis).await.is_err());
        redis.restart().unwrap();
        assert_eq!(ping(&redis).await.unwrap(), "+PONG\r\n");
    });
}

async fn ping(redis: &Redis) -> std::io::Result<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::TcpStream::connect(redis.address()).await?;
    socket.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    socket.read_exact(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
