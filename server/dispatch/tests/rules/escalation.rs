use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, rota::OnDuty};

#[test]
fn tiers_are_called_at_zero_three_six_and_ten_minutes() {
    let mut w = World::opened();
    assert_eq!(w.state(), CalloutState::Paging);
    w.until(600);
    assert_eq!(w.pages_to(1)[0], 0);
    assert_eq!(w.pages_to(2)[0], 180);
    assert_eq!(w.pages_to(200)[0], 360);
    for n in [3, 4, 5] {
        assert_eq!(w.pages_to(n), [600]);
    }
    assert_eq!(w.state(), CalloutState::Unanswered);
    assert_eq!(w.alarms(), [(600, Alarm::Unanswered)]);
    assert_eq!(w.notices(Audience::Agency), [(600, Notice::NobodyYet)]);
}

#[test]
fn after_ten_minutes_paging_goes_on_and_the_officer_is_told_again() {
    let mut w = World::opened();
    w.until(3600);
    let told: Vec<_> = w.notices(Audience::Agency).iter().map(|(at, _)| *at).collect();
    assert_eq!(told, (600..=3600).step_by(180).collect::<Vec<_>>());
    assert_eq!(w.alarms().len(), 1, "the alarm itself is raised once");
    assert!(w.pages_to(1).iter().any(|at| *at > 3400));
    w.accept(4).unwrap();
    assert_eq!(w.state(), CalloutState::Accepted);
}

#[test]
fn even_if_everyone_declines_there_is_a_next_action() {
    let mut w = World::opened();
    w.until(600);
    for n in 1..=5 {
        w.act(advocate(n), Action::Decline).unwrap();
    }
    w.act(supervisor(), Action::Decline).unwrap();
    let pages = w.pages().len();
    w.until(7200);
    assert_eq!(w.pages().len(), pages, "nobody is called after saying no");
    assert!(w.callout().next_wake().is_some());
    assert_eq!(w.notices(Audience::Agency).last().unwrap().0, 7080, "the officer keeps being told");
}

#[test]
fn the_slow_rounds_find_people_who_are_new() {
    let mut w = World::new();
    w.people.clear();
    w.open();
    assert_eq!(w.state(), CalloutState::Unanswered);
    w.until(100);
    w.people = World::new().people;
    w.until(180);
    assert_eq!(w.pages().len(), 6);
}

#[test]
fn an_empty_tier_costs_no_time_and_is_reported() {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[]);
    w.open();
    assert_eq!(w.pages_to(2), [0]);
    assert_eq!(w.alarms(), [(0, Alarm::EmptyTier { tier: Tier::Primary })]);
    w.until(420);
    assert_eq!(w.pages_to(200)[0], 180, "the backup has its own three minutes, no more");
    assert_eq!(w.pages_to(3), [420], "and everyone four after the supervisor");
}

#[test]
fn no_rota_at_all_calls_everyone_at_once() {
    let mut w = World::new();
    w.on_duty.clear();
    w.open();
    assert_eq!(w.pages().len(), 6);
    assert!(w.pages().iter().all(|(at, _, _)| *at == 0));
    assert_eq!(w.alarms().len(), 4, "three empty tiers, and nobody yet");
    assert_eq!(w.state(), CalloutState::Unanswered);
}

#[test]
fn a_tier_that_declines_makes_room_for_the_next_at_once() {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[1, 3]);
    w.open();
    w.until(30);
    w.act(advocate(1), Action::Decline).unwrap();
    assert!(w.pages_to(2).is_empty(), "3 can still answer");
    w.until(40);
    w.act(advocate(3), Action::Decline).unwrap();
    assert_eq!(w.pages_to(2), [40]);
    w.until(220);
    assert_eq!(w.pages_to(200), [220]);
}

#[test]
fn a_person_in_two_tiers_is_not_called_twice_as_often() {
    let mut w = World::new();
    w.put_on_duty(Tier::Backup, &[1]);
    w.open();
    w.until(180);
    assert_eq!(w.pages_to(1), [0, 60, 120, 180]);
    assert_eq!(w.pages_to(200), [180], "a backup who is being called already costs no time");
    assert_eq!(w.alarms(), [], "somebody is on duty");
}

#[test]
fn a_zone_chooses_its_people() {
    let mut w = World::new();
    let zone = |z: &str| Some(z.parse().unwrap());
    w.on_duty = vec![
        OnDuty { tier: Tier::Primary, person: person(1), zone: zone("south") },
        OnDuty { tier: Tier::Primary, person: person(2), zone: zone("north") },
        OnDuty { tier: Tier::Primary, person: person(3), zone: None },
    ];
    w.open();
    assert_eq!((w.pages_to(1).len(), w.pages_to(2).len(), w.pages_to(3).len()), (0, 1, 1));
}

#[test]
fn whoever_speaks_the_language_is_called_first_and_nobody_is_left_out() {
    let mut w = World::new();
    w.put_on_duty(Tier::Primary, &[1, 3, 4]);
    w.routing.languages = vec!["es-MX".parse().unwrap()];
    w.people[3].languages = vec!["es".parse().unwrap()];
    w.open();
    assert_eq!(w.called_at(0), [4]);
    w.until(89);
    assert_eq!((w.pages_to(1).len(), w.pages_to(3).len()), (0, 0));
    w.until(90);
    assert_eq!((w.pages_to(1), w.pages_to(3)), (vec![90], vec![90]));
    assert_eq!(w.alarms(), []);
    w.until(180);
    assert_eq!(w.alarms(), [(180, Alarm::NoLanguageMatch { tier: Tier::Backup })]);
}

#[test]
fn a_server_that_was_down_catches_up_in_one_step() {
    let mut w = World::opened();
    w.now = World::START + std::time::Duration::from_secs(700);
    w.input(Input::Timer).unwrap();
    assert_eq!(w.pages_to(1), [0, 700], "one call, not one for each missed one");
    for n in [2, 3, 4, 5, 200] {
        assert_eq!(w.pages_to(n), [700]);
    }
    assert_eq!(w.state(), CalloutState::Unanswered);
}

#[test]
fn an_early_or_repeated_timer_does_nothing() {
    let mut w = World::opened();
    w.until(59);
    let (same, effects) = step(w.callout(), Input::Timer, &w.ctx(), w.now).unwrap();
    assert_eq!(&same, w.callout());
    assert_eq!(effects, [Effect::WakeAt(w.callout().next_wake())]);
}

#[test]
fn time_never_runs_backwards_in_a_callout() {
    let mut w = World::opened();
    w.until(180);
    w.now = World::START;
    w.accept(2).unwrap();
    let eta = w.view(officer()).unwrap().responders[0].eta_at.unwrap();
    assert_eq!(eta.since(World::START).as_secs(), 180 + 30 * 60);
}
