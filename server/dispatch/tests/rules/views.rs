use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{RoomId, callout::*, wire::*};

fn accepted() -> World {
    let mut w = World::opened();
    w.until(200);
    w.input(Input::RoomLinked { room: RoomId([5; 16]) }).unwrap();
    w.accept(2).unwrap();
    w
}

#[test]
fn police_see_who_is_coming_and_when_and_nothing_of_how() {
    let w = accepted();
    for viewer in [officer(), commander()] {
        let v = w.view(viewer).unwrap();
        assert_eq!(v.responders.len(), 1);
        let coming = &v.responders[0];
        assert_eq!(coming.work_name.as_deref(), Some("Advocate 2"));
        assert_eq!(coming.state, ResponderState::Accepted);
        assert!(coming.eta_at.is_some() && coming.tier.is_none() && coming.speaks.is_none());
        assert_eq!(v.duty_number.as_str(), "555-0199");
        assert_eq!(v.next_action.map(|n| (n.what, n.person)), Some((NextStep::CheckMovement, None)));
        assert_eq!((v.pages, v.timers, v.outcome, v.your_state), (None, None, None, None));
        assert!(v.timeline.iter().all(|e| e.tier.is_none() && e.person != Some(person(1))));
        assert!(v.room.is_some() && v.routing.is_some());
    }
}

#[test]
fn before_anybody_accepts_police_see_that_somebody_is_awake_but_not_who() {
    let mut w = World::opened();
    w.act(advocate(1), Action::Acknowledge).unwrap();
    let v = w.view(officer()).unwrap();
    assert_eq!((v.state, v.acknowledged, v.accepted), (CalloutState::Acknowledged, 1, 0));
    assert_eq!(v.responders, []);
    assert!(v.timeline.iter().any(|e| e.event == Event::Acknowledged && e.person.is_none()));
    assert_eq!(v.next_action.unwrap().what, NextStep::CallAgain);
}

#[test]
fn other_police_and_people_who_were_not_called_see_nothing() {
    let w = accepted();
    for stranger in [other_officer(), other_commander(), advocate(3), Actor { host: false, ..advocate(2) }] {
        assert_eq!(w.view(stranger), None, "{stranger:?}");
    }
    let admin = Actor { role: firstlight_protocol::Role::Admin, ..advocate(9) };
    assert_eq!(w.view(admin), None);
}

#[test]
fn a_responder_sees_the_routing_the_others_and_their_own_part() {
    let w = accepted();
    let v = w.view(advocate(2)).unwrap();
    assert_eq!(v.your_state, Some(ResponderState::Accepted));
    assert_eq!(v.routing, Some(routing()));
    assert_eq!(v.room, Some(RoomId([5; 16])));
    assert_eq!((v.pages, v.timers), (None, None));
}

#[test]
fn whoever_is_stood_down_learns_that_and_no_more() {
    let w = accepted();
    let v = w.view(advocate(1)).unwrap();
    assert_eq!(v.your_state, Some(ResponderState::StoodDown));
    assert_eq!((v.routing, v.room, v.room_people, v.next_action), (None, None, None, None));
    assert_eq!((v.responders, v.timeline), (vec![], vec![]));
}

#[test]
fn somebody_who_declined_may_look_while_it_is_open() {
    let mut w = World::opened();
    w.act(advocate(1), Action::Decline).unwrap();
    assert!(w.view(advocate(1)).unwrap().routing.is_some());
    w.act(officer(), Action::Cancel { reason: CancelReason::Mistake }).unwrap();
    assert!(w.view(advocate(1)).unwrap().routing.is_none());
}

#[test]
fn a_supervisor_sees_every_page_timer_and_alarm() {
    let mut w = World::new();
    w.put_on_duty(Tier::Backup, &[]);
    w.open();
    w.until(180);
    let v = w.view(supervisor()).unwrap();
    assert_eq!(v.pages.unwrap().len(), w.pages().len());
    let timers = v.timers.unwrap();
    assert!(timers.is_sorted_by_key(|t| t.at));
    assert_eq!(v.next_action, timers.first().copied());
    assert!(timers.iter().any(|t| t.what == NextStep::CallAgain && t.person == Some(person(1))));
    assert!(timers.iter().any(|t| t.what == NextStep::PageEveryone));
    assert_eq!(v.alarms[0].alarm, Alarm::EmptyTier { tier: Tier::Backup });
    assert_eq!(v.responders.len(), 2);
    assert_eq!(v.responders[0].tier, Some(Tier::Primary));
    assert_eq!(w.view(officer()).unwrap().alarms, [], "an empty tier is the host's affair");
}

#[test]
fn police_hear_that_nobody_has_accepted_yet() {
    let mut w = World::opened();
    w.until(600);
    let v = w.view(officer()).unwrap();
    assert_eq!(v.state, CalloutState::Unanswered);
    assert_eq!(v.alarms.iter().map(|a| a.alarm).collect::<Vec<_>>(), [Alarm::Unanswered]);
}

#[test]
fn the_room_is_for_those_who_may_be_called_then_for_those_who_go() {
    let mut w = World::opened();
    let room = |w: &World| w.view(officer()).unwrap().room_people.unwrap();
    assert_eq!(room(&w), [1, 2, 3, 4, 5, 100, 200].map(person));
    w.act(advocate(1), Action::Decline).unwrap();
    assert_eq!(room(&w), [2, 3, 4, 5, 100, 200].map(person));
    w.accept(2).unwrap();
    assert_eq!(room(&w), [2, 100, 200].map(person), "who accepted, the opener, the supervisor on duty");
    w.act(officer(), Action::Cancel { reason: CancelReason::Mistake }).unwrap();
    assert_eq!(room(&w), [person(100)]);
}

#[test]
fn every_view_is_the_same_in_json_and_cbor() {
    let mut w = accepted();
    w.act(advocate(2), Action::Close { reasons: vec![], support: Support::NotOffered, kits_given: 0 }).unwrap();
    for viewer in [officer(), advocate(2), supervisor()] {
        let v = w.view(viewer).unwrap();
        assert_eq!(from_cbor::<CalloutView>(&to_cbor(&v)).unwrap(), v);
    }
}
