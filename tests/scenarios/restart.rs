//! A restart in the middle: what was accepted goes on from the database, nothing twice.

use firstlight_protocol::{
    api::{InboxItem, Notice},
    callout::{Action, CalloutState},
};
use firstlight_server::store::sql;
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};
use std::time::Duration;

#[test]
fn escalation_goes_on_where_it_was() {
    run(async {
        let mut cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(cast.primary.pages(opened.id).await, [1]);

        // Back within the same minute: nothing is called twice.
        cast.server.restart(Duration::from_secs(10)).await;
        let mut primary = cast.primary.connect().await;
        assert_eq!(primary.page().await.2, 1, "the first page is still there");
        cast.seconds(50);
        assert_eq!(primary.page().await.2, 2, "the next call comes when it was due");
        assert_eq!(cast.primary.pages(opened.id).await, [1, 2]);
        drop(primary);

        // Away over the backup's time: called as soon as the server is back.
        cast.server.restart(Duration::from_secs(4 * 60)).await;
        let mut backup = cast.backup.connect().await;
        assert_eq!(backup.page().await.1, opened.id);
        let view = cast.backup.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        assert_eq!(view.state, CalloutState::Accepted);

        // Tokens, sockets' tickets and everything else is on disk as well.
        drop(backup);
        cast.server.restart(Duration::ZERO).await;
        assert_eq!(cast.officer.callout(opened.id).await.unwrap().accepted, 1);
        assert_eq!(cast.server.app().runner.swept(), 0, "the safety net found nothing to do");
    });
}

#[test]
fn a_page_reaches_a_device_that_knows_more_than_the_restored_server() {
    run(async {
        let mut cast = Cast::new().await;
        if cast.server.app().store.is_shared() {
            return; // Copies of PostgreSQL are tests/cluster's.
        }
        let copy = cast.server.back_up().await;
        // The device takes in what the copy does not hold.
        cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let known = cast.primary.inbox().await.last().map(|item| item.seq).unwrap();

        cast.server.restore(&copy).await;
        let opened = cast.officer.open_callout(routing("south", cast.now())).await.unwrap();
        let new: Vec<_> = cast.primary.inbox().await;
        let first = new.iter().find(|item| item.seq > known).expect("nothing new stands behind what the device has");
        assert!(first.follows(known), "the device takes it for the next one");
        let page = |item: &&InboxItem| matches!(item.notice, Notice::Page { callout, .. } if callout == opened.id);
        assert!(new.iter().find(page).is_some_and(|item| item.seq > known), "the page is not behind its cursor");
        // Only the first one explains the leap.
        assert!(new.iter().filter(|item| item.seq > first.seq).all(|item| item.prev.is_none()));
    });
}

#[test]
fn a_database_from_elsewhere_leaps_as_well() {
    run(async {
        let mut cast = Cast::new().await;
        if cast.server.app().store.is_shared() {
            return;
        }
        let copy = cast.server.dir().join("files.db");
        cast.server.back_up().await;
        std::fs::copy(cast.server.dir().join("copy.db"), &copy).unwrap();
        let copied = rusqlite::Connection::open(&copy).unwrap();
        copied.execute("UPDATE inboxes SET skip = 0", ()).unwrap();
        copied.close().unwrap();
        // Whoever copies files leaves the server's own key behind, as a backup does.
        std::fs::remove_file(cast.server.dir().join("data/access-token.key")).unwrap();
        cast.server.restore(&copy).await;
        let without: i64 = sql::query_scalar("SELECT count(*) FROM inboxes WHERE skip = 0 AND head < 4294967296")
            .fetch_one(cast.server.app().store.read())
            .await
            .unwrap();
        assert_eq!(without, 0, "inboxes that would give places out again");
    });
}

#[test]
fn clients_are_told_to_come_back() {
    run(async {
        let mut cast = Cast::new().await;
        let socket = cast.primary.connect().await;
        cast.server.restart(Duration::ZERO).await;
        let closed = socket.closed().await;
        assert_eq!(closed.code, Some(firstlight_protocol::stream::close_code::DRAIN));
        cast.primary.connect().await;
    });
}
