//! From the officer's tap to the close.

use super::*;
use crate::callouts::page_seen;
use firstlight_protocol::{
    ErrorCode,
    callout::{Alarm, CalloutState, CancelReason, NextStep, ResponderState, Support},
};

#[tokio::test]
async fn the_primary_is_paged_at_once_and_then_tier_after_tier() {
    let house = House::new().await;
    let (police, first, second, over, other) = (
        house.phone(&officer()),
        house.phone(&primary()),
        house.phone(&backup()),
        house.phone(&supervisor()),
        house.phone(&reserve()),
    );
    let view = house.open(&officer(), request(&house)).await.unwrap();
    assert_eq!(view.state, CalloutState::Paging);
    assert_eq!(view.next_action.unwrap().at, house.app().clock.now() + minutes(1));
    // The answer means that the page is in the inbox.
    assert_eq!(pages(&first.notices().await).len(), 1);
    assert!(second.notices().await.is_empty());
    let seen = over.view(|v| v.pages.as_ref().is_some_and(|p| p.len() == 1)).await;
    assert!(seen.pages.unwrap()[0].handed_over_at.is_some());

    house.clock.advance(minutes(3));
    second.page().await;
    assert!(pages(&first.notices().await).len() >= 2, "the primary is called again meanwhile");
    house.clock.advance(minutes(3));
    over.page().await;
    assert!(other.notices().await.is_empty());
    house.clock.advance(minutes(4));
    other.page().await;
    let told =
        |n: &[Notice]| n.iter().any(|n| matches!(n, Notice::Alarm { alarm: Alarm::Unanswered, .. })).then_some(());
    police.until(told).await;
    let view = police.view(|v| v.state == CalloutState::Unanswered).await;
    assert_eq!(view.duty_number.as_str(), "555-0100");
    assert_eq!(house.view(&officer()).await.unwrap().next_action.unwrap().what, NextStep::CallAgain);

    // Told again with every slow round, until somebody accepts.
    house.clock.advance(minutes(3));
    let alarms = |n: &[Notice]| n.iter().filter(|n| matches!(n, Notice::Alarm { .. })).count();
    police.until(|n| (alarms(n) == 2).then_some(())).await;
    assert_eq!(house.app().runner.swept(), 0);
}

#[tokio::test]
async fn the_one_who_accepts_is_seen_and_the_others_are_stood_down() {
    let house = House::new().await;
    let (police, first, second) = (house.phone(&officer()), house.phone(&primary()), house.phone(&backup()));
    house.open(&officer(), request(&house)).await.unwrap();
    house.clock.advance(minutes(3));
    let page = second.page().await;
    page_seen(house.app(), &backup(), page).await.unwrap();
    let all = house.view(&supervisor()).await.unwrap().pages.unwrap();
    assert!(all.iter().find(|p| p.id == page).unwrap().delivered_at.is_some());

    house.act(&backup(), 1, Action::Acknowledge).await.unwrap();
    assert_eq!(police.view(|v| v.acknowledged == 1).await.state, CalloutState::Acknowledged);
    let mine = house.act(&backup(), 2, Action::Accept { eta_minutes: 35 }).await.unwrap();
    assert_eq!(mine.your_state, Some(ResponderState::Accepted));
    let view = police.view(|v| v.state == CalloutState::Accepted).await;
    assert_eq!(view.responders[0].work_name.as_deref(), Some("advocate 31"));
    assert_eq!(view.responders[0].eta_at, Some(house.app().clock.now() + minutes(35)));
    let stood_down = |n: &[Notice]| n.iter().any(|n| matches!(n, Notice::StandDown { .. })).then_some(());
    first.until(stood_down).await;
    let view = first.view(|v| v.your_state == Some(ResponderState::StoodDown)).await;
    assert!(view.routing.is_none() && view.responders.is_empty(), "no longer needed, so no longer told");
    assert_eq!(code(house.act(&primary(), 3, Action::Accept { eta_minutes: 5 }).await), ErrorCode::AlreadyFilled);

    for (id, action) in
        [(4, Action::EnRoute), (5, Action::Arrived), (6, Action::WithYoungPerson), (7, Action::HandOver)]
    {
        house.act(&backup(), id, action).await.unwrap();
    }
    let close = Action::Close { reasons: Vec::new(), support: Support::Accepted, kits_given: 1 };
    house.act(&backup(), 8, close).await.unwrap();
    assert_eq!(police.view(|v| v.state == CalloutState::Closed).await.state, CalloutState::Closed);
    assert_eq!(house.app().store.audit_verify().await.unwrap().broken_at, None);
    let trail = house.app().store.audit_entries(0, 1_000).await.unwrap();
    let accepted = trail.iter().find(|e| e.action == "callout.accepted").unwrap();
    assert_eq!(accepted.actor, Some(backup().device));
    assert!(accepted.detail.contains(&backup().person.to_string()));
}

#[tokio::test]
async fn the_same_request_again_changes_nothing_and_another_is_a_conflict() {
    let house = House::new().await;
    let first = house.phone(&primary());
    let opened = house.open(&officer(), request(&house)).await.unwrap();
    assert_eq!(house.open(&officer(), request(&house)).await.unwrap(), opened);
    let mut other = request(&house);
    other.routing.young_people = 2;
    assert_eq!(code(house.open(&officer(), other).await), ErrorCode::Conflict);
    assert_eq!(code(house.open(&stranger(), request(&house)).await), ErrorCode::Conflict);
    assert_eq!(first.notices().await.len(), 2, "one page, one view");

    let accept = Action::Accept { eta_minutes: 10 };
    let once = house.act(&primary(), 1, accept.clone()).await.unwrap();
    assert_eq!(house.act(&primary(), 1, accept).await.unwrap(), once);
    assert_eq!(code(house.act(&primary(), 1, Action::Decline).await), ErrorCode::Conflict);
    assert_eq!(house.view(&primary()).await.unwrap(), once);
}

#[tokio::test]
async fn a_role_sees_and_does_what_it_may() {
    let house = House::new().await;
    for caller in [primary(), admin(), caseworker()] {
        assert_eq!(code(house.open(&caller, request(&house)).await), ErrorCode::Forbidden, "{}", caller.role);
    }
    let mut nowhere = request(&house);
    nowhere.routing.young_people = 0;
    assert_eq!(code(house.open(&officer(), nowhere).await), ErrorCode::InvalidValue);
    assert_eq!(code(house.view(&officer()).await), ErrorCode::NotFound);

    house.open(&officer(), request(&house)).await.unwrap();
    for caller in [officer(), commander(), primary(), supervisor()] {
        assert!(house.view(&caller).await.is_ok(), "{}", caller.role);
        assert_eq!(house.list(&caller).await, [CALLOUT], "{}", caller.role);
    }
    for caller in [stranger(), backup(), admin(), caseworker(), who(11)] {
        assert_eq!(code(house.view(&caller).await), ErrorCode::NotFound, "{}", caller.role);
        assert_eq!(code(house.act(&caller, 1, Action::Decline).await), ErrorCode::NotFound, "{}", caller.role);
        assert!(house.list(&caller).await.is_empty(), "{}", caller.role);
    }
    assert_eq!(code(house.act(&officer(), 1, Action::Accept { eta_minutes: 1 }).await), ErrorCode::Forbidden);
    assert_eq!(code(house.act(&primary(), 1, Action::EnRoute).await), ErrorCode::WrongState);
    let page = house.phone(&primary()).page().await;
    assert_eq!(code(page_seen(house.app(), &backup(), page).await), ErrorCode::NotFound);
    assert_eq!(code(page_seen(house.app(), &primary(), PageId([0; 16])).await), ErrorCode::NotFound);
    let police = house.view(&officer()).await.unwrap();
    assert!(police.pages.is_none() && police.timers.is_none());

    let app = || State(Shared::clone(house.app()));
    let Json(team) = handlers::team(app(), officer(), Path(CALLOUT)).await.unwrap();
    let people: Vec<_> = team.people.iter().map(|p| p.person).collect();
    for caller in [primary(), backup(), reserve(), supervisor()] {
        assert!(people.contains(&caller.person));
    }
    assert!(!people.contains(&caseworker().person) && !people.contains(&admin().person));
    assert!(team.people.iter().all(|p| p.devices.iter().all(|d| d.device != officer().device)));
    for caller in [commander(), primary()] {
        assert_eq!(code(handlers::team(app(), caller, Path(CALLOUT)).await), ErrorCode::Forbidden);
    }
    let Json(all) = handlers::timeline(app(), supervisor(), Path(CALLOUT)).await.unwrap();
    let Json(some) = handlers::timeline(app(), officer(), Path(CALLOUT)).await.unwrap();
    assert!(some.entries.len() < all.entries.len());
}

#[tokio::test]
async fn after_a_restart_everything_due_happens_at_once() {
    let house = House::new().await;
    house.open(&officer(), request(&house)).await.unwrap();
    let house = house.restart_after(minutes(3)).await;
    let (first, second) = (house.phone(&primary()), house.phone(&backup()));
    second.page().await;
    first.until(|n| (pages(n).len() >= 2).then_some(())).await;
    let cancel = Action::Cancel { reason: CancelReason::NotNeeded };
    house.act(&officer(), 1, cancel).await.unwrap();
    let called = pages(&second.notices().await).len();
    let house = house.restart_after(minutes(60)).await;
    let second = house.phone(&backup());
    assert_eq!(pages(&second.notices().await).len(), called, "nobody is called after a cancellation");
    assert_eq!(house.view(&officer()).await.unwrap().next_action, None);
}

#[tokio::test]
async fn the_sweeper_finds_a_callout_that_lost_its_timer() {
    let house = House::new().await;
    let second = house.phone(&backup());
    house.open(&officer(), request(&house)).await.unwrap();
    house.sql("DELETE FROM timers").await;
    house.clock.advance(minutes(3));
    second.page().await;
    assert_eq!(house.app().runner.swept(), 1);
}

#[tokio::test]
async fn without_a_policy_nothing_is_promised() {
    let house = House::new().await;
    house.sql("DELETE FROM dispatch_documents").await;
    assert_eq!(code(house.open(&officer(), request(&house)).await), ErrorCode::WrongState);
}

#[tokio::test]
async fn what_nobody_fetched_leaves_its_place_and_a_new_page_comes_behind_it() {
    let house = House::new().await;
    house.open(&officer(), request(&house)).await.unwrap();
    house.sql("UPDATE inbox_items SET at = 0").await;
    assert!(crate::retention::purge(house.app()).await.unwrap() > 0);
    assert_eq!(crate::retention::purge(house.app()).await.unwrap(), 0);
    house.act(&officer(), 1, Action::Cancel { reason: CancelReason::Mistake }).await.unwrap();
    let items = house.app().store.inbox(primary().device, 0, 100).await.unwrap().items;
    assert!(items.iter().map(|item| item.seq).eq(1..=items.len() as u64), "a client takes nothing behind a gap");
    assert_eq!(items[0].notice, Notice::Expired {});
    assert_ne!(items.last().unwrap().notice, Notice::Expired {});
}
