//! Wishes about the responder: who is called first, who when they are relaxed, and who never.

use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{PersonId, callout::*, policy::Matching, profile::Bar};

fn spanish(n: u8, w: &mut World) {
    w.people.iter_mut().find(|q| q.person == person(n)).unwrap().languages = vec!["es".parse().unwrap()];
}

fn each(w: &mut World, n: u8, change: impl Fn(&mut Qualified)) {
    change(w.people.iter_mut().find(|q| q.person == person(n)).unwrap());
}

fn relaxed(w: &World) -> Vec<(u64, Constraint)> {
    let relaxed = |(at, e): &(u64, Effect)| match e {
        Effect::Record { event: Event::Relaxed, constraint, .. } => constraint.map(|c| (*at, c)),
        _ => None,
    };
    w.log.iter().filter_map(relaxed).collect()
}

/// Advocates 1, 3 and 4 are on duty; 1 speaks Spanish and is no woman, 3 is a woman, 4 is both.
fn wishing() -> World {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[1, 3, 4]);
    spanish(1, &mut w);
    spanish(4, &mut w);
    each(&mut w, 3, |q| q.meets = Preference::Woman);
    each(&mut w, 4, |q| q.meets = Preference::Woman);
    w.routing.languages = vec!["es".parse().unwrap()];
    w.routing.preference = Preference::Woman;
    w
}

#[test]
fn the_best_match_is_called_first_and_the_others_when_a_wish_is_relaxed() {
    let mut w = wishing();
    w.open();
    assert_eq!(w.called_at(0), [4], "the first page waits for nothing");
    let next = w.view(supervisor()).unwrap().timers.unwrap();
    assert!(next.iter().any(|t| t.what == NextStep::Relax), "what happens next is always known");
    w.until(60);
    assert_eq!(w.pages_to(1), [60], "the preference is relaxed");
    assert!(w.pages_to(3).is_empty(), "the language still holds");
    w.until(90);
    assert_eq!(w.pages_to(3), [90]);
    assert_eq!(relaxed(&w), [(60, Constraint::Preference), (90, Constraint::Language)]);
    let timeline = w.view(supervisor()).unwrap().timeline;
    let told = timeline.iter().filter(|e| e.event == Event::Relaxed);
    assert_eq!(
        told.map(|e| e.constraint).collect::<Vec<_>>(),
        [Some(Constraint::Preference), Some(Constraint::Language)]
    );
    assert!(w.view(officer()).unwrap().timeline.iter().all(|e| e.event != Event::Relaxed));
}

#[test]
fn a_wish_that_nobody_meets_is_relaxed_at_once_the_least_weighty_first() {
    let mut w = wishing();
    w.put_on_duty(Tier::Primary, &[1, 3]);
    w.open();
    assert_eq!(w.called_at(0), [1], "nobody is both: the preference gives way to the language");
    assert_eq!(relaxed(&w), [(0, Constraint::Preference)]);
    let mut nobody = wishing();
    nobody.put_on_duty(Tier::Primary, &[2, 5]);
    nobody.open();
    assert_eq!(nobody.called_at(0), [2, 5]);
    assert_eq!(relaxed(&nobody).len(), 2);
}

#[test]
fn whoever_was_held_back_is_called_at_once_when_the_better_match_cannot_go() {
    let mut w = wishing();
    w.open();
    w.until(20);
    w.act(advocate(4), Action::Decline).unwrap();
    assert_eq!(w.pages_to(1), [20]);
    assert!(w.pages_to(2).is_empty(), "the step is not over before they were asked");
    w.until(25);
    w.act(advocate(1), Action::Decline).unwrap();
    assert_eq!(w.pages_to(3), [25]);
}

#[test]
fn a_wish_holds_no_longer_than_its_step_and_never_in_the_last_one() {
    let mut w = wishing();
    w.policy.matching.relax_language_after_ms = firstlight_protocol::policy::Millis::minutes(60);
    w.open();
    w.until(179);
    assert!(w.pages_to(3).is_empty());
    w.until(180);
    assert_eq!((w.pages_to(3), w.pages_to(2)), (vec![180], vec![180]), "backups on time, and nobody is left behind");
    w.until(600);
    assert_eq!(w.pages_to(5), [600], "everyone at ten minutes is everyone");
}

#[test]
fn without_relaxing_times_wishes_order_and_hold_nobody_back() {
    let mut w = wishing();
    w.policy.matching = Matching::none();
    w.open();
    assert_eq!(w.called_at(0), [4, 1, 3]);
    assert_eq!(relaxed(&w), []);
}

#[test]
fn training_and_zone_are_wishes_too() {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[1, 3, 4]);
    w.routing.training = vec!["forensic".parse().unwrap()];
    each(&mut w, 1, |q| q.zones = vec!["south".parse().unwrap()]);
    each(&mut w, 1, |q| q.training = vec!["forensic".parse().unwrap()]);
    each(&mut w, 4, |q| q.training = vec!["forensic".parse().unwrap(), "other".parse().unwrap()]);
    w.open();
    assert_eq!(w.called_at(0), [4]);
    w.until(60);
    assert_eq!((w.pages_to(1), w.pages_to(3)), (vec![30], vec![60]));
    let shown = w.view(supervisor()).unwrap().responders;
    let of = |n: u8| shown.iter().find(|r| r.person == person(n)).unwrap();
    assert_eq!((of(1).trained, of(1).serves_zone), (Some(true), Some(false)));
    assert_eq!((of(3).trained, of(3).serves_zone), (Some(false), Some(true)));
}

#[test]
fn a_server_that_was_down_holds_nobody_back_longer() {
    let mut w = wishing();
    w.open();
    w.now = World::START + std::time::Duration::from_secs(100);
    w.input(Input::Timer).unwrap();
    assert_eq!((w.pages_to(1), w.pages_to(3)), (vec![100], vec![100]));
    assert_eq!(relaxed(&w).len(), 2);
}

#[test]
fn somebody_with_a_conflict_of_interest_is_never_paged_nor_in_the_room() {
    let bars = [
        Bar::Agency { org: AGENCY },
        Bar::Site { code: "station-1".parse().unwrap() },
        Bar::Zone { code: "north".parse().unwrap() },
        Bar::Person { person: person(100) },
    ];
    for bar in bars {
        let mut w = World::new();
        each(&mut w, 1, |q| q.bars = vec![bar.clone()]);
        each(&mut w, 200, |q| q.bars = vec![bar.clone()]);
        w.open();
        assert_eq!(w.called_at(0), [2], "a tier of nobody who may go costs no time");
        w.until(7200);
        assert!(w.pages_to(1).is_empty() && w.pages_to(200).is_empty());
        let room = room_people(w.callout(), &w.ctx());
        assert!(!room.contains(&person(1)) && !room.contains(&person(200)) && room.contains(&person(2)));
        assert_eq!(w.view(supervisor()).unwrap().barred, [person(1), person(200)]);
        assert_eq!(w.act(supervisor(), Action::Accept { eta_minutes: 5 }), Err(Refused::Forbidden));
        let ask = Action::CallMore { wanted: 1, people: vec![person(1)] };
        assert!(matches!(w.act(supervisor(), ask), Err(Refused::Invalid(_))));
    }
    let mut w = World::new();
    each(&mut w, 1, |q| q.bars = vec![Bar::Zone { code: "south".parse().unwrap() }]);
    w.open();
    assert_eq!(w.called_at(0), [1], "a bar is for what it names");
}

#[test]
fn a_supervisor_bars_somebody_who_is_called_and_somebody_who_is_coming() {
    let bar = |n: u8| Action::Bar { person: person(n) };
    let mut w = World::opened();
    w.until(10);
    for nobody in [officer(), commander(), advocate(1)] {
        assert_eq!(w.act(nobody, bar(2)), Err(Refused::Forbidden));
    }
    assert!(matches!(w.act(supervisor(), bar(77)), Err(Refused::Invalid(_))));
    w.act(supervisor(), bar(1)).unwrap();
    assert_eq!(w.state_of(1), ResponderState::StoodDown);
    assert_eq!(w.pages_to(2), [10], "their tier has nobody left");
    assert_eq!(w.accept(1), Err(Refused::Forbidden));
    assert_eq!(w.view(advocate(1)).unwrap().routing, None, "no more than that they are not needed");
    w.accept(2).unwrap();
    w.until(60);
    w.act(supervisor(), bar(2)).unwrap();
    assert_eq!(w.notices(Audience::Agency).last(), Some(&(60, Notice::Withdrew)));
    assert!(w.callout().is_paging() && w.callout().next_wake().is_some());
    w.until(7200);
    assert_eq!((w.pages_to(1), w.pages_to(2)), (vec![0], vec![10]), "nor in any later round");
    let room: Vec<PersonId> = room_people(w.callout(), &w.ctx());
    assert!(!room.contains(&person(1)) && !room.contains(&person(2)));
}
