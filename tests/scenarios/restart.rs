//! A restart in the middle: what was accepted goes on from the database, nothing twice.

use firstlight_protocol::callout::{Action, CalloutState};
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
