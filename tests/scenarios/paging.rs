//! The first page: at once, to the right person, with nothing in it.

use firstlight_protocol::{
    api::{InboxItem, Notice},
    callout::{CalloutState, NextStep, ResponderState, Tier},
    stream::ClientFrame,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};
use std::time::Duration;

#[test]
fn a_page_reaches_the_person_on_duty_and_its_receipts_reach_the_supervisor() {
    run(async {
        let cast = Cast::new().await;
        let (mut primary, mut supervisor) = (cast.primary.connect().await, cast.supervisor.connect().await);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(opened.state, CalloutState::Paging);
        let next = opened.next_action.unwrap();
        assert_eq!((next.what, next.at), (NextStep::CallAgain, cast.now() + std::time::Duration::from_secs(60)));

        let (page, callout, attempt) = primary.page().await;
        assert_eq!((callout, attempt), (opened.id, 1));
        assert!(cast.backup.pages(opened.id).await.is_empty(), "it is not the backup's turn");

        let seen = supervisor.view("the handed-over page", |view| view.pages.is_some()).await;
        let pages = seen.pages.unwrap();
        assert_eq!((pages[0].id, pages[0].person, pages[0].tier), (page, cast.primary.person, Tier::Primary));
        assert_eq!(pages[0].handed_over_at, Some(cast.now()), "written to the socket by the same commit");
        assert_eq!(pages[0].delivered_at, None);

        cast.seconds(2);
        primary.send(&ClientFrame::PageSeen { page }).await;
        let delivered = |view: &firstlight_protocol::callout::CalloutView| {
            view.pages.as_ref().is_some_and(|pages| pages[0].delivered_at.is_some())
        };
        let view = supervisor.view("the delivered page", delivered).await;
        assert_eq!(view.pages.unwrap()[0].delivered_at, Some(cast.now()));
    });
}

#[test]
fn a_page_waits_in_the_inbox_of_a_device_that_is_not_connected() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let view = cast.supervisor.callout(opened.id).await.unwrap();
        assert!(view.pages.unwrap()[0].failed.is_some(), "nobody took it");
        let mut primary = cast.primary.connect().await;
        assert_eq!(primary.page().await.1, opened.id);
    });
}

#[test]
fn a_retry_never_makes_a_second_callout() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let body = firstlight_protocol::callout::OpenCallout {
            id: opened.id,
            routing: opened.routing.unwrap(),
            purpose: opened.purpose,
        };
        cast.seconds(1);
        let again: firstlight_protocol::callout::CalloutView = cast.officer.post("/v1/callouts", &body).await.unwrap();
        assert_eq!((again.id, again.opened_at), (opened.id, opened.opened_at));
        assert_eq!(cast.primary.pages(opened.id).await, [1]);
        let list: firstlight_protocol::api::CalloutList = cast.officer.get("/v1/callouts").await.unwrap();
        assert_eq!(list.callouts.len(), 1);
    });
}

#[test]
fn a_notice_to_a_responder_holds_no_free_text() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        for item in cast.primary.inbox().await {
            match item.notice {
                Notice::Page { callout, .. } => assert_eq!(callout, opened.id),
                Notice::Callout { view } => {
                    assert_eq!(view.your_state, Some(ResponderState::Paged));
                    assert_eq!(view.pages, None);
                }
                Notice::HandOff { .. } => {}
                other => panic!("not for a responder: {other:?}"),
            }
        }
    });
}

#[test]
fn a_device_that_is_away_keeps_every_page_and_the_newest_view_alone() {
    run(async {
        let cast = Cast::new().await;
        let mut primary = cast.primary.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        primary.page().await;
        // Each call changes the supervisor's view; nobody fetches it.
        for _ in 0..5 {
            cast.seconds(61);
            primary.page().await;
        }
        let views = |items: Vec<InboxItem>| {
            items.into_iter().filter(|item| matches!(item.notice, Notice::Callout { .. })).collect::<Vec<_>>()
        };
        let items = cast.supervisor.inbox().await;
        assert!(items.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "places have no gaps");
        let (held, last) = (views(items.clone()), items.last().unwrap().at);
        let old = held.iter().filter(|view| view.at + Duration::from_secs(61) < last).count();
        assert_eq!(old, 0, "views that a newer one has replaced: {held:?}");
        assert!(!held.is_empty() && held.len() < items.len());
        assert_eq!(cast.primary.pages(opened.id).await.len(), 6, "no page is lost");
    });
}
