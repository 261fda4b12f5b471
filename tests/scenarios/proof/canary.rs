//! The canary takes the way of every callout and touches nobody; the heartbeat goes out only while it sings.

use super::{break_with, health, number, until_health, until_number};
use firstlight_protocol::{api::CalloutList, policy::Millis};
use firstlight_server::store::sql::Database;
use firstlight_tests::{
    inproc::{Cast, run},
    process::Receiver,
    world::soon,
};

const OPEN: &str = "SELECT count(*) FROM callouts WHERE purpose = 'canary'";
const ALL: &str = "SELECT count(*) FROM callouts";
const PAGED: &str = "SELECT count(*) FROM callout_people";
const SETTLED: &str = "SELECT count(*) FROM outbox WHERE next_at IS NULL";

async fn cast() -> Cast {
    Cast::with(|config| config.proof.canary_every_ms = Millis::minutes(5)).await
}

/// Lets a canary that is due fly: its second page is due a second after it was opened.
async fn fly(cast: &Cast) {
    until_number(cast, "the canary's first page", PAGED, 1).await;
    until_number(cast, "its receipt", SETTLED, 1).await;
    cast.seconds(1);
    until_number(cast, "the canary's end", ALL, 0).await;
}

/// How much each person of the host has in their inbox.
async fn heard(cast: &Cast) -> [usize; 4] {
    let mut heard = [0; 4];
    for (n, device) in heard.iter_mut().zip([&cast.primary, &cast.backup, &cast.supervisor, &cast.admin]) {
        *n = device.inbox().await.len();
    }
    heard
}

#[test]
fn it_goes_through_the_whole_pipeline_and_touches_nobody() {
    run(async {
        let cast = cast().await;
        let seen = health(&cast).await;
        assert_eq!((&seen["status"], &seen["canary"]["last_success_at"]), (&"ok".into(), &serde_json::Value::Null));
        let heard = heard(&cast).await;
        let audited = number(&cast, "SELECT count(*) FROM audit").await;
        cast.seconds(5);
        until_number(&cast, "the canary", OPEN, 1).await;
        let list: CalloutList = cast.supervisor.get("/v1/callouts").await.unwrap();
        assert!(list.callouts.is_empty(), "nobody sees it");
        fly(&cast).await;
        let sang = |health: &serde_json::Value| health["canary"]["last_success_at"].is_i64();
        let seen = until_health(&cast, "the canary's success", sang).await;
        assert_eq!((&seen["canary"]["page_ms"], &seen["canary"]["escalation_ms"]), (&0.into(), &0.into()));
        let figures = cast.server.app().proof.canary();
        assert_eq!((figures.succeeded(), figures.failed()), (1, 0));

        for rows in ["timers", "outbox", "callout_people", "callout_facts"] {
            let count = match rows {
                "timers" => number(&cast, "SELECT count(*) FROM timers").await,
                "outbox" => number(&cast, "SELECT count(*) FROM outbox").await,
                "callout_people" => number(&cast, PAGED).await,
                _ => number(&cast, "SELECT count(*) FROM callout_facts").await,
            };
            assert_eq!(count, 0, "{rows}");
        }
        assert_eq!(number(&cast, "SELECT count(*) FROM audit").await, audited, "and the audit trail is not buried");
        assert_eq!(self::heard(&cast).await, heard, "and nobody hears of it");
        cast.minutes(5);
        fly(&cast).await;
        soon("its second flight", async {
            while figures.succeeded() < 2 {
                tokio::task::yield_now().await
            }
        })
        .await;
    });
}

#[test]
fn a_silent_canary_degrades_the_server_stops_the_heartbeat_and_is_on_record() {
    run(async {
        let monitor = Receiver::start().unwrap();
        let host = monitor.host();
        let cast = Cast::with(|config| {
            config.proof.canary_every_ms = Millis::minutes(5);
            config.proof.heartbeat_url = format!("http://{host}/beat");
            config.paging.webhook_allow = vec![host.clone()];
        })
        .await;
        let heartbeat = cast.server.app().proof.heartbeat();
        let reaches = async |what: &str, is: &(dyn Fn() -> bool + Sync)| {
            soon(what, async {
                while !is() {
                    tokio::task::yield_now().await
                }
            })
            .await;
        };
        cast.seconds(5);
        fly(&cast).await;
        until_health(&cast, "the canary", |health| health["canary"]["last_success_at"].is_i64()).await;
        cast.seconds(55);
        reaches("the first heartbeat", &|| heartbeat.sent() == 1).await;
        assert!(monitor.received()[0].head.starts_with("GET /beat "));

        let (refuse, allow) = match cast.server.app().store.read().database() {
            Database::Sqlite => (
                "CREATE TRIGGER broken BEFORE INSERT ON timers BEGIN SELECT RAISE(ABORT, 'broken'); END",
                "DROP TRIGGER broken",
            ),
            Database::Postgres => (
                "ALTER TABLE timers ADD CONSTRAINT broken CHECK (due_at < 0) NOT VALID",
                "ALTER TABLE timers DROP CONSTRAINT broken",
            ),
        };
        break_with(&cast, refuse).await;
        cast.minutes(5);
        reaches("a canary that fails", &|| cast.server.app().proof.canary().failed() == 1).await;
        cast.minutes(5);
        reaches("another", &|| cast.server.app().proof.canary().failed() == 2).await;
        cast.seconds(31);
        let degraded = until_health(&cast, "the reason", |health| health["status"] == "degraded").await;
        assert_eq!(degraded["reasons"][0], "The canary does not come through: pages may not go out.");
        // One that was on its way when the canary fell silent is over when the first one stays out.
        let stays_out = async || {
            let withheld = heartbeat.withheld();
            cast.minutes(1);
            reaches("a heartbeat that stays out", &|| heartbeat.withheld() > withheld).await;
        };
        stays_out().await;
        let sent = heartbeat.sent();
        stays_out().await;
        assert_eq!(heartbeat.sent(), sent, "the outside monitor raises its alarm by itself");

        break_with(&cast, allow).await;
        cast.minutes(5);
        fly(&cast).await;
        until_health(&cast, "the canary again", |health| health["status"] == "ok").await;
        cast.minutes(1);
        reaches("the heartbeat again", &|| heartbeat.sent() > sent).await;
        let actions: Vec<_> =
            cast.server.app().store.audit_entries(0, 10_000).await.unwrap().into_iter().map(|e| e.action).collect();
        let canary: Vec<_> = actions.iter().filter(|action| action.starts_with("canary")).collect();
        assert_eq!(canary, ["canary.silent", "canary.sings_again"], "once each, however often it failed");
    });
}

#[test]
fn a_full_disk_stops_the_heartbeat() {
    run(async {
        let monitor = Receiver::start().unwrap();
        let host = monitor.host();
        let cast = Cast::with(|config| {
            config.proof.canary_every_ms = Millis::minutes(5);
            config.proof.min_free_mib = 1 << 40;
            config.proof.heartbeat_url = format!("http://{host}/beat");
            config.paging.webhook_allow = vec![host.clone()];
        })
        .await;
        cast.seconds(5);
        fly(&cast).await;
        let degraded = until_health(&cast, "the reason", |health| health["status"] == "degraded").await;
        assert_eq!(degraded["reasons"], serde_json::json!(["The disk has hardly any room left."]));
        cast.minutes(1);
        let heartbeat = cast.server.app().proof.heartbeat();
        soon("a heartbeat that stays out", async {
            while heartbeat.withheld() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(heartbeat.sent(), 0);
    });
}
