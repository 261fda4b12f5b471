//! Proof before it is needed: readiness, drills, the canary, the heartbeat, and who watches over escalations.

mod canary;
mod drills;
mod readiness;
mod stalls;

use firstlight_server::store::sql;
use firstlight_tests::{inproc::Cast, world::soon};
use serde_json::Value;

/// Executes a statement behind the server's back, as a defect would.
async fn break_with(cast: &Cast, statement: &'static str) {
    let broken = cast.server.app().store.write(move |tx| {
        Box::pin(async move {
            sql::query(statement).execute(&mut *tx.conn).await?;
            Ok(())
        })
    });
    broken.await.expect("a statement that SQLite takes");
}

/// A number from the database.
async fn number(cast: &Cast, query: &'static str) -> i64 {
    sql::query_scalar(query).fetch_one(cast.server.app().store.read()).await.expect("a number")
}

/// Waits until a number in the database is as looked for.
async fn until_number(cast: &Cast, what: &str, query: &'static str, wanted: i64) {
    soon(what, async { while number(cast, query).await != wanted {} }).await;
}

/// `GET /health` for operators, whatever its status code.
async fn health(cast: &Cast) -> Value {
    let answer = cast.server.operations().send(reqwest::Method::GET, "/health", None, None).await;
    serde_json::from_slice(&answer.body).expect("a body")
}

/// Waits until the server's health is as looked for.
async fn until_health(cast: &Cast, what: &str, is: impl Fn(&Value) -> bool + Sync) -> Value {
    soon(what, async {
        loop {
            let health = health(cast).await;
            if is(&health) {
                return health;
            }
        }
    })
    .await
}
