use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{ErrorCode, Problem, callout::*};

fn wanting(wanted: u8) -> World {
    let mut w = World::new();
    w.routing.wanted = wanted;
    w.put_on_duty(Tier::Primary, &[1, 2, 3, 4]);
    w.open();
    w
}

#[test]
fn as_many_as_wanted_and_the_rest_is_stood_down() {
    let mut w = wanting(2);
    w.accept(1).unwrap();
    assert!(w.callout().is_paging());
    assert_eq!(w.stood_down(), []);
    w.act(advocate(3), Action::Acknowledge).unwrap();
    w.accept(2).unwrap();
    assert_eq!(w.stood_down(), [person(3), person(4)]);
    assert_eq!(w.accept(3), Err(Refused::AlreadyFilled));
    assert_eq!(w.act(advocate(4), Action::Acknowledge), Err(Refused::AlreadyFilled));
    assert_eq!(w.act(supervisor(), Action::Accept { eta_minutes: 1 }), Err(Refused::AlreadyFilled));
    assert_eq!(Problem::from(Refused::AlreadyFilled).code, ErrorCode::AlreadyFilled);
    assert_eq!(w.callout().accepted(), 2);
}

#[test]
fn a_tier_that_cannot_fill_makes_room_for_the_next_at_once() {
    let mut w = World::new();
    w.routing.wanted = 2;
    w.open();
    w.until(20);
    w.accept(1).unwrap();
    assert_eq!(w.pages_to(2), [20]);
    assert_eq!(w.state(), CalloutState::Accepted);
    w.until(20 + 180 + 240);
    assert_eq!(w.alarms(), [(440, Alarm::Unfilled { missing: 1 })], "some have accepted: not unanswered");
    assert_eq!(w.state(), CalloutState::Accepted);
}

#[test]
fn one_of_several_withdrawing_leaves_the_calls_as_they_are() {
    let mut w = wanting(3);
    w.accept(1).unwrap();
    w.until(30);
    w.act(advocate(1), Action::Decline).unwrap();
    assert_eq!(w.pages().len(), 4, "the others are being called already");
    w.until(60);
    assert_eq!(w.pages_to(1), [0]);
    assert_eq!(w.pages_to(2), [0, 60]);
}

#[test]
fn more_may_be_called_by_a_responder_or_a_supervisor() {
    let mut w = wanting(1);
    w.accept(1).unwrap();
    w.until(100);
    let more = |wanted| Action::CallMore { wanted, people: vec![] };
    assert_eq!(w.act(advocate(2), more(2)), Err(Refused::Forbidden), "stood down");
    assert_eq!(w.act(officer(), more(2)), Err(Refused::Forbidden));
    assert!(matches!(w.act(advocate(1), more(1)), Err(Refused::Invalid(_))), "one has accepted");
    w.act(advocate(1), more(2)).unwrap();
    assert_eq!(w.pages_to(2), [0, 100]);
    assert_eq!(w.pages_to(1), [0]);
    w.accept(3).unwrap();
    w.act(supervisor(), more(3)).unwrap();
    assert_eq!(w.callout().wanted(), 3);
}

#[test]
fn a_supervisor_may_ask_people_by_name_even_after_they_declined() {
    let mut w = wanting(1);
    w.act(advocate(1), Action::Decline).unwrap();
    w.until(5);
    let ask = |n| Action::CallMore { wanted: 1, people: vec![person(n)] };
    w.act(supervisor(), ask(1)).unwrap();
    w.act(supervisor(), ask(5)).unwrap();
    assert_eq!((w.pages_to(1), w.pages_to(5)), (vec![0, 5], vec![5]));
    assert!(matches!(w.act(supervisor(), ask(77)), Err(Refused::Invalid(_))), "not qualified");
    w.accept(5).unwrap();
    let by_responder = Action::CallMore { wanted: 2, people: vec![person(1)] };
    assert_eq!(w.act(advocate(5), by_responder), Err(Refused::Forbidden));
}
