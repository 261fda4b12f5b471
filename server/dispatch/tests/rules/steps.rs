//! Escalation policies: steps of targets, walks, and what a change of the policy means for a callout that is open.

use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{PageId, callout::*, policy::*};

fn step(after: u64, targets: &[Target]) -> Step {
    Step { targets: targets.to_vec(), after_ms: Millis::seconds(after), tell_officer: false, repeat: None }
}

fn tier(tier: Tier) -> Target {
    Target::Tier { tier }
}

fn named(n: u8) -> Target {
    Target::Person { person: person(n) }
}

fn outside() -> Target {
    Target::Outside { code: "answering".parse().unwrap() }
}

fn last(after: u64) -> Step {
    Step { tell_officer: true, ..step(after, &[Target::Everyone]) }
}

fn escalating(steps: Vec<Step>) -> World {
    let mut w = World::new();
    let hook = OutsideWebhook { url: "https://example.org/call".into(), keys: vec![] };
    w.policy.outside.insert("answering".parse().unwrap(), hook);
    w.policy.escalation = Some(Escalation { steps, rounds: 1 });
    assert_eq!(w.policy.validate(), Ok(()));
    w
}

fn told_outside(w: &World) -> Vec<(u64, PageId)> {
    let told = |(at, effect): &(u64, Effect)| match effect {
        Effect::Outside { id, code } if code.as_str() == "answering" => Some((*at, *id)),
        _ => None,
    };
    w.log.iter().filter_map(told).collect()
}

#[test]
fn steps_are_called_on_their_schedule_and_several_targets_at_once() {
    let mut w = escalating(vec![
        step(0, &[tier(Tier::Primary), named(3)]),
        step(120, &[tier(Tier::Supervisor)]),
        step(200, &[tier(Tier::Backup), outside()]),
        last(500),
    ]);
    w.open();
    assert_eq!(w.called_at(0), [1, 3]);
    assert_eq!(w.view(supervisor()).unwrap().step, Some(StepView { number: 1, of: 4, round: 1, rounds: 1 }));
    w.until(120);
    assert!(w.called_at(120).contains(&200));
    let view = w.view(supervisor()).unwrap();
    assert_eq!(view.step.map(|s| s.number), Some(2));
    assert!(view.timers.unwrap().iter().any(|t| t.what == NextStep::PageBackup));
    assert_eq!(w.view(officer()).unwrap().step, None, "how it is escalated is the supervisors' affair");
    w.until(500);
    assert_eq!(w.pages_to(2)[0], 200);
    assert_eq!(told_outside(&w).len(), 1);
    assert_eq!((w.pages_to(4), w.pages_to(5)), (vec![500], vec![500]));
    assert_eq!(w.notices(Audience::Agency), [(500, Notice::NobodyYet)]);
    let events: Vec<_> = w.view(supervisor()).unwrap().timeline.iter().map(|e| (e.event, e.step)).collect();
    assert!(events.contains(&(Event::PersonPaged, Some(1))) && events.contains(&(Event::OutsideTold, Some(3))));
}

#[test]
fn a_zone_has_its_own_escalation() {
    let mut w = World::new();
    let own = Escalation { steps: vec![step(0, &[tier(Tier::Backup)]), last(60)], rounds: 1 };
    w.policy.zone_escalations.insert("north".parse().unwrap(), own);
    w.open();
    assert_eq!(w.called_at(0), [2]);
    w.until(60);
    assert_eq!(w.state(), CalloutState::Unanswered);
    let mut elsewhere = World::new();
    elsewhere.policy = w.policy.clone();
    elsewhere.routing.zone = "south".parse().unwrap();
    elsewhere.open();
    assert_eq!(elsewhere.called_at(0), [1]);
}

#[test]
fn a_step_with_nobody_in_it_costs_no_time() {
    let mut w = escalating(vec![step(0, &[named(77)]), step(60, &[named(4)]), last(300)]);
    w.open();
    assert_eq!(w.called_at(0), [4], "77 does not answer callouts");
    w.until(240);
    assert_eq!(w.state(), CalloutState::Unanswered, "and everything after it comes forward");
}

#[test]
fn a_step_that_tells_somebody_outside_keeps_its_time() {
    let mut w = escalating(vec![step(0, &[outside()]), last(300)]);
    w.open();
    assert_eq!((told_outside(&w).len(), w.pages().len()), (1, 0));
    assert_eq!(w.view(supervisor()).unwrap().timers.unwrap()[0].what, NextStep::PageEveryone);
    w.until(300);
    assert_eq!(w.pages().len(), 6);
}

#[test]
fn a_person_on_the_ladder_is_called_on_or_off_duty_and_shown_as_named() {
    let mut w = escalating(vec![step(0, &[named(5)]), last(100)]);
    w.open();
    let view = w.view(supervisor()).unwrap();
    assert_eq!(view.responders[0].tier, Some(Tier::Named));
    assert_eq!(view.pages.unwrap()[0].tier, Tier::Named);
    w.act(advocate(5), Action::Decline).unwrap();
    assert_eq!(w.state(), CalloutState::Unanswered, "the only one of the step said no: everyone at once");
}

#[test]
fn a_step_has_its_own_number_of_calls() {
    let mut w = escalating(vec![Step { repeat: Some(2), ..step(0, &[tier(Tier::Primary)]) }, last(900)]);
    w.open();
    w.until(899);
    assert_eq!(w.pages_to(1), [0, 60]);
}

#[test]
fn all_steps_are_walked_as_often_as_the_policy_says_then_come_the_slow_rounds() {
    let mut w = escalating(vec![Step { repeat: Some(1), ..step(0, &[tier(Tier::Primary)]) }, last(100)]);
    w.policy.escalation.as_mut().unwrap().rounds = 2;
    w.policy.calls_per_turn = 1;
    w.open();
    w.until(100);
    assert_eq!((w.pages_to(1), w.pages_to(3)), (vec![0], vec![100]));
    assert_eq!(w.view(supervisor()).unwrap().timers.unwrap()[0].what, NextStep::PagePrimary);
    w.until(280);
    assert_eq!(w.pages_to(1), [0, 280], "the second walk begins a slow round after the first");
    assert_eq!(w.view(supervisor()).unwrap().step, Some(StepView { number: 1, of: 2, round: 2, rounds: 2 }));
    w.until(380);
    assert_eq!((w.pages_to(1), w.pages_to(3)), (vec![0, 280, 380], vec![100, 380]), "everyone is everyone");
    w.until(560);
    assert_eq!((w.pages_to(1).len(), w.pages_to(3).len()), (4, 3), "and then everybody, slowly");
    assert_eq!(w.view(supervisor()).unwrap().step.map(|s| s.round), Some(3));
    w.until(740);
    assert_eq!(w.pages_to(1).len(), 5);
}

#[test]
fn every_outside_message_has_its_own_id() {
    let mut w = escalating(vec![step(0, &[outside()]), last(100)]);
    w.policy.escalation.as_mut().unwrap().rounds = 3;
    w.open();
    w.until(3600);
    let ids: std::collections::BTreeSet<_> = told_outside(&w).into_iter().map(|(_, id)| id).collect();
    assert_eq!((ids.len(), told_outside(&w).len()), (3, 3));
}

#[test]
fn an_open_callout_goes_on_under_the_new_policy() {
    let mut w = World::opened();
    w.until(200);
    let steps = vec![step(0, &[named(3)]), last(50)];
    w.policy.escalation = Some(Escalation { steps, rounds: 1 });
    w.until(360);
    assert_eq!(w.state(), CalloutState::Paging, "the second step of two is the last: it was reached already");
    assert!(w.callout().next_wake().is_some());
    w.until(800);
    assert!(w.pages_to(3).first().is_some_and(|at| *at <= 360), "and the slow rounds of the new policy call everyone");
}

#[test]
fn an_earlier_step_may_tell_the_officer_too() {
    let mut w = escalating(vec![step(0, &[tier(Tier::Primary)]), last(600)]);
    w.policy.escalation.as_mut().unwrap().steps[0].tell_officer = true;
    w.open();
    assert_eq!(w.notices(Audience::Agency), [(0, Notice::NobodyYet)]);
    assert_eq!(w.state(), CalloutState::Paging, "not everyone was called yet");
    w.until(600);
    assert_eq!(w.notices(Audience::Agency).len(), 2);
}

/// The largest organisation that the policy allows for: nothing in a step grows faster than the square of it.
#[test]
fn a_step_of_two_hundred_people_reads_each_of_them_a_few_times() {
    let mut w = World::new();
    let template = w.people[0].clone();
    w.people =
        (0..=199).map(|n| Qualified { person: firstlight_protocol::PersonId([n; 16]), ..template.clone() }).collect();
    w.on_duty.clear();
    w.open();
    assert_eq!(w.pages().len(), 200);
    w.until(3600);
    assert_eq!(w.view(supervisor()).unwrap().responders.len(), 200);
    assert!(w.accept(7).is_ok());
    assert_eq!(w.stood_down().len(), 199);
}
