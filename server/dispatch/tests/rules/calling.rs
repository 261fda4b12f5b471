use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{ContactId, callout::*, policy::Channel};

const HOOK: Channel = Channel::Webhook { id: ContactId([1; 16]) };
const OTHER_HOOK: Channel = Channel::Webhook { id: ContactId([2; 16]) };

fn channels_of_1(w: &World) -> Vec<(u64, Channel)> {
    w.pages().into_iter().filter(|(_, p, _)| *p == person(1)).map(|(at, _, channel)| (at, channel)).collect()
}

/// Advocate 1 has the app and two webhooks, and is alone.
fn reachable_three_ways() -> World {
    let mut w = World::new();
    w.reach(1, &[Channel::InApp, HOOK, OTHER_HOOK]);
    w.open();
    w
}

#[test]
fn a_silent_person_is_called_every_minute_on_the_next_channel() {
    let mut w = reachable_three_ways();
    for second in [0, 60, 120] {
        w.until(second);
        let page = w.last_page();
        w.receipt(page, PageOutcome::Reached(Receipt::HandedOver));
    }
    w.until(179);
    assert_eq!(channels_of_1(&w), [(0, Channel::InApp), (60, HOOK), (120, OTHER_HOOK)]);
}

#[test]
fn a_channel_that_stalls_is_passed_over_after_fifteen_seconds() {
    let mut w = reachable_three_ways();
    w.until(59);
    assert_eq!(channels_of_1(&w), [(0, Channel::InApp), (15, HOOK), (30, OTHER_HOOK)]);
    w.until(60);
    assert_eq!(channels_of_1(&w).last(), Some(&(60, Channel::InApp)), "the next minute's call comes as ever");
}

#[test]
fn a_channel_that_fails_is_passed_over_at_once_and_each_is_tried_once() {
    let mut w = reachable_three_ways();
    w.until(2);
    for _ in 0..3 {
        let page = w.last_page();
        w.receipt(page, PageOutcome::Failed(FailReason::Unreachable));
        w.receipt(page, PageOutcome::Failed(FailReason::Unreachable));
    }
    assert_eq!(channels_of_1(&w), [(0, Channel::InApp), (2, HOOK), (2, OTHER_HOOK)]);
    assert_eq!(w.alarms(), [(2, Alarm::Unreachable { person: person(1) })]);
    w.until(59);
    assert_eq!(channels_of_1(&w).len(), 3);
}

#[test]
fn a_channel_that_turns_out_to_be_broken_costs_nobody_the_ones_after_it() {
    for broken in 1..=2 {
        let mut w = reachable_three_ways();
        let mut ways = vec![Channel::InApp, HOOK, OTHER_HOOK];
        for _ in 1..=broken {
            let page = w.last_page();
            w.receipt(page, PageOutcome::Failed(FailReason::NotConnected));
        }
        // Whoever keeps the contact methods has taken it out by the time the engine hears of it.
        let gone = ways.remove(broken);
        w.reach(1, &ways);
        let page = w.last_page();
        w.receipt(page, PageOutcome::Failed(FailReason::UnknownNumber));
        assert_eq!(channels_of_1(&w), [(0, Channel::InApp), (0, HOOK), (0, OTHER_HOOK)], "{gone:?}");
        let page = w.last_page();
        w.receipt(page, PageOutcome::Failed(FailReason::Unreachable));
        w.until(59);
        assert_eq!(channels_of_1(&w).len(), 3, "each once");
    }
}

#[test]
fn late_and_unknown_receipts_move_nothing() {
    let mut w = reachable_three_ways();
    let first = w.last_page();
    w.until(15);
    w.receipt(first, PageOutcome::Failed(FailReason::Timeout));
    assert_eq!(channels_of_1(&w).len(), 2, "the newer page is on its way");
    let revision = w.callout().revision();
    w.receipt(firstlight_protocol::PageId([9; 16]), PageOutcome::Failed(FailReason::Timeout));
    assert_eq!(w.callout().revision(), revision);
}

#[test]
fn receipts_show_in_the_supervisors_view_and_only_the_first_counts() {
    let mut w = reachable_three_ways();
    let page = w.last_page();
    w.until(1);
    w.receipt(page, PageOutcome::Reached(Receipt::HandedOver));
    w.until(2);
    w.receipt(page, PageOutcome::Reached(Receipt::Delivered));
    w.until(3);
    let revision = w.callout().revision();
    w.receipt(page, PageOutcome::Reached(Receipt::Delivered));
    assert_eq!(w.callout().revision(), revision, "a repeated receipt changes nothing");
    w.act(advocate(1), Action::Acknowledge).unwrap();
    let shown = w.view(supervisor()).unwrap().pages.unwrap()[0];
    let seconds = |at: Option<firstlight_protocol::Timestamp>| at.map(|t| t.since(World::START).as_secs());
    assert_eq!(
        (seconds(shown.handed_over_at), seconds(shown.delivered_at), seconds(shown.answered_at)),
        (Some(1), Some(2), Some(3))
    );
}

#[test]
fn a_turn_ends_and_the_slow_rounds_take_over() {
    let mut w = World::new();
    w.policy.calls_per_turn = 2;
    w.open();
    w.until(600 + 2 * 180);
    assert_eq!(w.pages_to(1), [0, 60, 780, 960]);
    assert_eq!(w.pages_to(3), [600, 660, 780, 960]);
}

#[test]
fn somebody_who_left_the_organisation_is_not_called_again() {
    let mut w = World::opened();
    w.until(30);
    w.people.retain(|q| q.person != person(1));
    w.until(60);
    assert_eq!(w.pages_to(1), [0]);
    assert_eq!(w.state_of(1), ResponderState::StoodDown);
    assert_eq!(w.pages_to(2), [60], "and their tier costs no more time");
}

#[test]
fn whoever_is_on_the_rota_but_not_qualified_is_never_called() {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[77]);
    w.open();
    w.until(3600);
    assert!(w.pages_to(77).is_empty());
    assert_eq!(w.pages_to(2)[0], 0);
}

#[test]
fn page_ids_follow_from_what_they_name() {
    let (a, b) = (World::opened(), World::opened());
    assert_eq!(a.last_page(), b.last_page(), "a step computed twice sends the same page");
    let id = |attempt, channel| page_id(a.callout().id(), person(1), attempt, channel);
    assert_eq!(a.last_page(), id(1, Channel::InApp));
    assert_ne!(id(1, Channel::InApp), id(2, Channel::InApp));
    assert_ne!(id(1, HOOK), id(1, OTHER_HOOK));
}
