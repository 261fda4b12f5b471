use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::callout::*;

const ONE: firstlight_protocol::PersonId = firstlight_protocol::PersonId([1; 16]);

#[test]
fn an_eta_past_the_target_is_heard_at_once_and_once() {
    let mut w = World::opened();
    w.until(10);
    w.act(advocate(1), Action::Accept { eta_minutes: 60 }).unwrap();
    assert_eq!(w.alarms(), [(10, Alarm::ProjectedBreach { person: ONE })]);
    w.act(advocate(1), Action::Eta { eta_minutes: 90 }).unwrap();
    assert_eq!(w.alarms().len(), 1);
}

#[test]
fn an_eta_within_the_target_raises_nothing_until_it_moves_past_it() {
    let mut w = World::opened();
    w.act(advocate(1), Action::Accept { eta_minutes: 60 }).unwrap();
    assert_eq!(w.alarms(), []);
    w.until(60);
    w.act(advocate(1), Action::Eta { eta_minutes: 60 }).unwrap();
    assert_eq!(w.alarms(), [(60, Alarm::ProjectedBreach { person: ONE })]);
}

#[test]
fn no_movement_by_half_of_the_eta_is_heard() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.until(2 * 1800);
    let overdue = |at| (at, Alarm::Overdue { person: ONE });
    let heard = [(900, Alarm::NoMovement { person: ONE }), overdue(1800), overdue(2700), overdue(3600)];
    assert_eq!(w.alarms(), heard, "and again, until there is news of her");
    w.act(advocate(1), Action::Arrived).unwrap();
    assert_eq!(w.callout().next_wake(), None);
}

#[test]
fn each_new_eta_is_watched_like_the_first() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.until(1800);
    w.act(advocate(1), Action::Eta { eta_minutes: 20 }).unwrap();
    w.until(3000);
    let since = w.alarms().split_off(2);
    assert_eq!(since, [(2400, Alarm::NoMovement { person: ONE }), (3000, Alarm::Overdue { person: ONE })]);
}

#[test]
fn movement_and_arrival_end_the_checks() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.until(800);
    w.act(advocate(1), Action::EnRoute).unwrap();
    w.until(1700);
    assert_eq!(w.alarms(), []);
    w.act(advocate(1), Action::Arrived).unwrap();
    w.until(7200);
    assert_eq!(w.alarms(), []);
    assert_eq!(w.callout().next_wake(), None);
}

#[test]
fn a_new_eta_moves_the_checks() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.until(600);
    w.act(advocate(1), Action::Eta { eta_minutes: 40 }).unwrap();
    w.until(1799);
    assert_eq!(w.alarms(), []);
    w.until(1800);
    assert_eq!(w.alarms(), [(1800, Alarm::NoMovement { person: ONE })]);
}

#[test]
fn around_the_corner_is_not_late_at_once() {
    let mut w = World::opened();
    w.act(advocate(1), Action::Accept { eta_minutes: 0 }).unwrap();
    assert_eq!(w.alarms(), []);
    w.until(60);
    assert_eq!(w.alarms(), [(60, Alarm::NoMovement { person: ONE }), (60, Alarm::Overdue { person: ONE })]);
}

#[test]
fn withdrawing_ends_the_checks() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.act(advocate(1), Action::Decline).unwrap();
    w.until(419);
    assert_eq!(w.alarms(), []);
}

#[test]
fn a_review_that_is_missing_after_a_day_is_heard_once() {
    let close = Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 1 };
    let day = 24 * 3600;
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.until(100);
    w.act(advocate(1), close.clone()).unwrap();
    w.until(3 * day);
    assert_eq!(w.alarms(), [(100 + day, Alarm::ReviewOverdue)]);

    let mut w = World::opened();
    w.act(supervisor(), close).unwrap();
    w.until(day - 1);
    w.act(supervisor(), Action::Review { reasons: vec![], welfare: Welfare::Well }).unwrap();
    w.until(3 * day);
    assert_eq!(w.alarms(), []);
    assert_eq!(w.callout().next_wake(), None);
    assert_eq!(w.state(), CalloutState::Reviewed);
    assert_eq!(w.input(Input::Timer), Ok(()));
}
