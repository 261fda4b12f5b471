//! Two nodes on one database, without any bus between them: everything is right, and found within a second.

use super::{ask, node};
use firstlight_protocol::{MessageId, OrgKind, RoomKind, callout::Action, mls::RoomContext, stream::close_code};
use firstlight_tests::{
    inproc::{Cast, Server, fresh_database, run},
    world::{Organisation, random, routing, soon},
};
use std::{sync::Arc, time::Duration};

/// A cast on the first of two nodes.
async fn two() -> (Cast, Server, tempfile::TempDir) {
    let (url, keys) = (fresh_database().await, tempfile::tempdir().unwrap());
    let first = url.clone();
    let cast = Cast::with(|config| super::on_node(config, &first, keys.path())).await;
    let second = node(&url, keys.path()).await;
    (cast, second, keys)
}

#[test]
fn what_happens_at_one_node_is_seen_at_the_other() {
    run(async {
        let (cast, second, _keys) = two().await;
        let first = cast.server.http.addr();
        let mut primary = cast.primary.connect().await;
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let room = a.create_room(context, vec![b.device.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;
        let mut reader = b.device.connect().await;

        // Opened there, paged here; written there, read here.
        ask(&cast, &second);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(primary.page().await.1, opened.id);
        for text in ["one", "two"] {
            a.say(room, text, cast.now()).await;
        }
        let (one, two) = (reader.entry(room).await, reader.entry(room).await);
        assert_eq!(one.seq + 1, two.seq);

        // Commits at both: each sees the other's epoch.
        let c = cast.member(cast.advocate("Advocate 5").await).await;
        a.sync(cast.now()).await;
        let claimed = a.device.claim(firstlight_protocol::mls::SUITE_CLASSIC, vec![c.device.id]).await.unwrap();
        let added = a.apply(|engine| engine.add(room, &claimed, MessageId(random()), cast.now())).unwrap();
        a.drive(added, cast.now()).await;
        cast.server.http.moved(first);
        c.sync(cast.now()).await;
        b.sync(cast.now()).await;
        b.say(room, "three", cast.now()).await;
        ask(&cast, &second);
        a.sync(cast.now()).await;
        assert_eq!(a.texts(room), ["one", "two", "three"]);

        // Answered here, seen there; revoked there, closed here.
        let mut supervisor = cast.supervisor.connect().await;
        cast.server.http.moved(first);
        cast.primary.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        supervisor.view("the acceptance", |view| view.accepted == 1).await;
        ask(&cast, &second);
        cast.host.revoke(&cast.admin, &[cast.primary.id], cast.now()).await.unwrap();
        assert_eq!(primary.closed().await.code, Some(close_code::REVOKED));
        cast.server.http.moved(first);
        assert!(cast.primary.get::<serde_json::Value>("/v1/me").await.is_err());
    });
}

#[test]
fn a_host_founded_at_one_node_is_known_at_the_other() {
    run(async {
        let (url, keys) = (fresh_database().await, tempfile::tempdir().unwrap());
        let (first, second) = (node(&url, keys.path()).await, node(&url, keys.path()).await);
        let org = Organisation::new(&first.http, OrgKind::VictimServices, "Agency A", first.now());
        let mut admin = org.found_host(first.bootstrap(), first.now()).await.unwrap();
        admin.http = Arc::clone(&second.http);
        soon("a sign-in at the other node", async {
            while admin.sign_in().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    });
}

#[test]
fn one_node_leads_and_another_takes_over() {
    run(async {
        let (mut cast, second, _keys) = two().await;
        let leads = |server: &Server| server.app().nodes.leads();
        soon("a leader", async {
            while !leads(&cast.server) || leads(&second) || second.app().nodes.others().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        // A timer that the first one wrote is run by the second one when the first has gone.
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        ask(&cast, &second);
        let mut backup = cast.backup.connect().await;
        cast.server.stop().await;
        soon("the other leader", async {
            while !leads(&second) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        second.advance(Duration::from_secs(240));
        assert_eq!(backup.page().await.1, opened.id);
    });
}
