//! Officers without an app, drills and canaries.

use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{CalloutId, callout::*};

fn calling() -> World {
    let mut w = World::new();
    w.caller = Some("+15555550100".parse().unwrap());
    w.open();
    w
}

fn told(w: &World) -> Vec<(u64, CallerNews)> {
    let told = |(at, e): &(u64, Effect)| match e {
        Effect::TellCaller { what, .. } => Some((*at, *what)),
        _ => None,
    };
    w.log.iter().filter_map(told).collect()
}

#[test]
fn a_caller_hears_that_somebody_is_called_comes_and_is_there() {
    let mut w = calling();
    assert_eq!(told(&w), [(0, CallerNews::Paging)]);
    w.until(700);
    assert_eq!(told(&w).last(), Some(&(600, CallerNews::Nobody)));
    w.until(1300);
    assert_eq!(told(&w).len(), 2, "once is enough for an SMS");
    w.accept(3).unwrap();
    assert_eq!(told(&w).last(), Some(&(1300, CallerNews::Accepted { eta_minutes: 30 })));
    w.act(advocate(3), Action::EnRoute).unwrap();
    w.act(advocate(3), Action::WithYoungPerson).unwrap();
    assert_eq!(told(&w).last(), Some(&(1300, CallerNews::Arrived)));
    w.act(advocate(3), Action::HandOver).unwrap();
    assert_eq!(told(&w).len(), 4);
}

#[test]
fn a_caller_hears_of_another_eta_if_it_makes_a_difference() {
    let mut w = calling();
    w.accept(1).unwrap();
    w.act(advocate(1), Action::Eta { eta_minutes: 33 }).unwrap();
    assert_eq!(told(&w).len(), 2, "three minutes are not worth another message");
    w.act(advocate(1), Action::Eta { eta_minutes: 25 }).unwrap();
    assert_eq!(told(&w).last(), Some(&(0, CallerNews::Accepted { eta_minutes: 25 })));
    w.until(600);
    w.act(advocate(1), Action::Eta { eta_minutes: 25 }).unwrap();
    assert_eq!(told(&w).last(), Some(&(600, CallerNews::Accepted { eta_minutes: 25 })), "the same, from later on");
}

#[test]
fn a_caller_hears_that_somebody_who_was_coming_is_not_and_that_it_is_called_off() {
    let mut w = calling();
    w.accept(1).unwrap();
    w.until(60);
    w.act(advocate(1), Action::Decline).unwrap();
    assert_eq!(told(&w).last(), Some(&(60, CallerNews::Paging)));
    w.act(supervisor(), Action::Cancel { reason: CancelReason::Mistake }).unwrap();
    assert_eq!(told(&w).last(), Some(&(60, CallerNews::CalledOff)));
    let mut own = calling();
    own.act(officer(), Action::Cancel { reason: CancelReason::Mistake }).unwrap();
    assert_eq!(told(&own).len(), 1, "whoever called it off themself knows");
}

#[test]
fn every_message_to_a_caller_has_its_own_id_and_officers_with_the_app_get_none() {
    let mut w = calling();
    w.accept(1).unwrap();
    w.act(advocate(1), Action::Decline).unwrap();
    w.accept(2).unwrap();
    let ids: std::collections::BTreeSet<_> = w
        .log
        .iter()
        .filter_map(|(_, e)| if let Effect::TellCaller { id, .. } = e { Some(*id) } else { None })
        .collect();
    assert_eq!((ids.len(), told(&w).len()), (4, 4));
    let mut with_app = World::opened();
    with_app.accept(1).unwrap();
    assert_eq!(told(&with_app), []);
}

#[test]
fn a_reference_is_six_characters_that_follow_from_the_id() {
    let w = World::opened();
    let reference = w.view(officer()).unwrap().reference;
    assert_eq!(reference, w.callout().reference());
    assert_eq!(reference.len(), 6);
    assert!(reference.bytes().all(|b| b.is_ascii_alphanumeric() && !b"ilou".contains(&b)));
}

#[test]
fn a_drill_pages_as_ever_and_says_what_it_is() {
    let mut w = World::new();
    w.purpose = Purpose::Drill;
    w.open();
    assert_eq!(w.called_at(0), [1]);
    for viewer in [officer(), supervisor(), advocate(1)] {
        assert_eq!(w.view(viewer).unwrap().purpose, Purpose::Drill);
    }
}

#[test]
fn a_drill_is_no_duplicate_of_a_real_callout_and_can_not_swallow_it() {
    let mut w = World::new();
    w.recent = vec![RecentCallout {
        id: CalloutId([8; 16]),
        agency: AGENCY,
        zone: w.routing.zone.clone(),
        site: w.routing.site.clone(),
        opened_at: World::START,
        purpose: Purpose::Drill,
    }];
    w.open();
    assert!(w.view(officer()).unwrap().possible_duplicates.is_empty());
    let merged = w.act(supervisor(), Action::Merge { into: CalloutId([8; 16]) });
    assert!(matches!(merged, Err(Refused::Invalid(_))));
}

#[test]
fn nobody_but_the_server_that_opened_it_sees_a_canary() {
    let mut w = World::new();
    w.purpose = Purpose::Canary;
    w.open();
    for viewer in [commander(), supervisor(), advocate(1)] {
        assert_eq!(w.view(viewer), None);
    }
}
