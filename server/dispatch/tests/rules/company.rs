//! Nobody goes alone, where the policy says so.

use crate::world::*;
use firstlight_protocol::{callout::*, policy::NeverAlone};

fn never_alone(rule: NeverAlone, scene_safe: bool) -> World {
    let mut w = World::new();
    w.policy.never_alone = rule;
    w.routing.scene_safe = scene_safe;
    w.put_on_duty(Tier::Primary, &[1, 2, 3]);
    w.open();
    w
}

fn alone(n: u8) -> Alarm {
    Alarm::Alone { person: person(n) }
}

fn cries(w: &World) -> Vec<Alarm> {
    w.alarms().into_iter().map(|(_, alarm)| alarm).filter(|a| matches!(a, Alarm::Alone { .. })).collect()
}

#[test]
fn two_at_least_are_wanted_where_the_policy_says_so() {
    assert_eq!(never_alone(NeverAlone::Never, false).callout().wanted(), 1);
    assert_eq!(never_alone(NeverAlone::UnsafeScene, true).callout().wanted(), 1);
    assert_eq!(never_alone(NeverAlone::UnsafeScene, false).callout().wanted(), 2);
    let mut w = never_alone(NeverAlone::Always, true);
    assert_eq!(w.callout().wanted(), 2);
    w.accept(1).unwrap();
    assert!(w.callout().is_paging(), "one is not enough");
    w.act(supervisor(), Action::CallMore { wanted: 1, people: vec![] }).unwrap();
    assert_eq!(w.callout().wanted(), 2, "nor for a supervisor");
}

#[test]
fn whoever_arrives_while_nobody_else_comes_is_an_alarm() {
    let mut w = never_alone(NeverAlone::Always, true);
    w.accept(1).unwrap();
    w.act(advocate(1), Action::Arrived).unwrap();
    assert_eq!(cries(&w), [alone(1)]);
    w.until(200);
    assert_eq!(cries(&w).len(), 1, "once");
}

#[test]
fn whoever_goes_on_before_the_other_is_there_is_an_alarm() {
    let mut w = never_alone(NeverAlone::Always, true);
    w.accept(1).unwrap();
    w.accept(2).unwrap();
    w.act(advocate(1), Action::Arrived).unwrap();
    assert_eq!(cries(&w), [], "the other one is coming");
    w.act(advocate(1), Action::WithYoungPerson).unwrap();
    assert_eq!(cries(&w), [alone(1)]);
}

#[test]
fn two_together_are_none() {
    let mut w = never_alone(NeverAlone::UnsafeScene, false);
    w.accept(1).unwrap();
    w.accept(2).unwrap();
    for n in [1, 2] {
        w.act(advocate(n), Action::Arrived).unwrap();
    }
    for n in [1, 2] {
        w.act(advocate(n), Action::WithYoungPerson).unwrap();
    }
    w.act(advocate(1), Action::HandOver).unwrap();
    assert_eq!(cries(&w), []);
}

#[test]
fn the_other_one_dropping_out_is_an_alarm_and_is_replaced() {
    let mut w = never_alone(NeverAlone::Always, true);
    w.accept(1).unwrap();
    w.accept(2).unwrap();
    w.act(advocate(1), Action::Arrived).unwrap();
    w.until(30);
    w.act(advocate(2), Action::Decline).unwrap();
    assert_eq!(cries(&w), [alone(1)]);
    assert_eq!(w.pages_to(3), [0, 30], "somebody else is called in their place");
}
