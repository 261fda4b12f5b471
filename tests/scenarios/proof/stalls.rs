//! Who watches over escalations, and who watches the watcher.

use super::{break_with, number, until_health};
use firstlight_protocol::{
    CalloutId,
    api::{InboxItem, Notice},
    callout::Alarm,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Socket, routing},
};
use std::time::Duration;

async fn stalled(supervisor: &mut Socket, of: CalloutId) {
    let alarm = |item: &InboxItem| match item.notice {
        Notice::Alarm { callout, alarm: Alarm::Stalled } if callout == of => Some(()),
        _ => None,
    };
    supervisor.notice("the alarm that it stood still", alarm).await;
}

/// Due for eight seconds: two seconds before the promise runs out.
async fn is_found_and_mended(defect: &'static str) {
    let cast = Cast::new().await;
    let (mut backup, mut supervisor) = (cast.backup.connect().await, cast.supervisor.connect().await);
    let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
    cast.seconds(170);
    break_with(&cast, defect).await;
    cast.seconds(10 + 8);
    assert_eq!(backup.page().await.1, opened.id, "the escalation went on: {defect}");
    stalled(&mut supervisor, opened.id).await;
    assert!(cast.server.app().runner.swept() > 0, "and it counts as a defect");
    let next = cast.officer.callout(opened.id).await.unwrap().next_action.unwrap();
    assert!(next.at > cast.now(), "there is a next action again");
}

#[test]
fn a_stalled_escalation_is_found_within_ten_seconds() {
    run(is_found_and_mended("UPDATE timers SET due_at = due_at + 3600000"));
}

#[test]
fn an_escalation_that_lost_its_timer_is_found_within_ten_seconds() {
    run(is_found_and_mended("DELETE FROM timers"));
}

#[test]
fn an_escalation_that_nothing_thinks_will_wake_is_found_within_ten_seconds() {
    run(async {
        let cast = Cast::new().await;
        let (mut backup, mut supervisor) = (cast.backup.connect().await, cast.supervisor.connect().await);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.seconds(170);
        break_with(&cast, "DELETE FROM timers").await;
        break_with(&cast, "UPDATE callouts SET wakes = 0").await;
        cast.seconds(18);
        assert_eq!(backup.page().await.1, opened.id);
        stalled(&mut supervisor, opened.id).await;
    });
}

#[test]
fn an_escalation_is_not_paused_by_a_restart() {
    run(async {
        let mut cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.seconds(170);
        cast.server.restart(Duration::from_secs(30)).await;
        let mut backup = cast.backup.connect().await;
        assert_eq!(backup.page().await.1, opened.id, "due while the server was away, called when it is back");
        assert_eq!(number(&cast, "SELECT count(*) FROM timers").await, 1);
        assert_eq!(cast.server.app().runner.swept(), 0, "by itself");
    });
}

#[test]
fn the_auditor_can_not_be_off_without_anybody_hearing_of_it() {
    run(async {
        let cast = Cast::new().await;
        until_health(&cast, "a sound server", |health| health["status"] == "ok").await;
        // As if it hung: nothing that it looks at can be read.
        break_with(&cast, "ALTER TABLE timers RENAME TO timers_away").await;
        cast.seconds(16);
        let failing = until_health(&cast, "the reason", |health| health["status"] == "failing").await;
        assert_eq!(failing["reasons"][0], "The safety net behind timers and pages does not run.");
        let ready = cast.server.http.send(reqwest::Method::GET, "/v1/health/ready", None, None).await;
        assert_eq!(ready.status, 503);
        break_with(&cast, "ALTER TABLE timers_away RENAME TO timers").await;
        cast.seconds(5);
        until_health(&cast, "the auditor again", |health| health["status"] == "ok").await;
    });
}
