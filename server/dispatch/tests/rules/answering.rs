use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{ActionId, ErrorCode, Problem, callout::*};

#[test]
fn acknowledged_is_not_accepted() {
    let mut w = World::opened();
    w.until(10);
    w.act(advocate(1), Action::Acknowledge).unwrap();
    assert_eq!(w.state(), CalloutState::Acknowledged);
    w.until(600);
    assert_eq!(w.pages_to(1)[..3], [0, 130, 190], "two minutes of grace, then the calls resume");
    assert_eq!(w.pages_to(2)[0], 180, "the escalation clock went on");
    assert_eq!(w.state(), CalloutState::Unanswered);
}

#[test]
fn accepting_ends_all_calls() {
    let mut w = World::opened();
    w.until(200);
    w.act(advocate(2), Action::Accept { eta_minutes: 35 }).unwrap();
    assert_eq!(w.state(), CalloutState::Accepted);
    assert_eq!(w.stood_down(), [person(1)]);
    assert_eq!(w.notices(Audience::Agency), [(200, Notice::Accepted)]);
    let pages = w.pages().len();
    w.until(7200);
    assert_eq!(w.pages().len(), pages);
}

#[test]
fn the_same_action_twice_is_done_once() {
    let mut w = World::opened();
    let accept = || Input::Act { by: advocate(1), id: ActionId([50; 16]), action: Action::Accept { eta_minutes: 20 } };
    w.input(accept()).unwrap();
    let (revision, effects) = (w.callout().revision(), w.log.len());
    w.until(30);
    w.input(accept()).unwrap();
    assert_eq!((w.callout().revision(), w.log.len()), (revision, effects));
    let other = Input::Act { by: advocate(1), id: ActionId([50; 16]), action: Action::Decline };
    assert_eq!(w.input(other), Err(Refused::Conflict));
    let theft = Input::Act { by: advocate(2), id: ActionId([50; 16]), action: Action::Accept { eta_minutes: 20 } };
    assert_eq!(w.input(theft), Err(Refused::Conflict));
}

#[test]
fn somebody_who_declined_may_still_accept() {
    let mut w = World::opened();
    w.act(advocate(1), Action::Decline).unwrap();
    assert_eq!(w.pages_to(1), [0]);
    w.accept(1).unwrap();
    assert_eq!(w.state(), CalloutState::Accepted);
}

#[test]
fn withdrawing_reopens_at_once_without_whoever_withdrew() {
    let mut w = World::opened();
    w.until(190);
    w.accept(2).unwrap();
    w.until(500);
    w.act(advocate(2), Action::Decline).unwrap();
    assert_eq!(w.state_of(2), ResponderState::Withdrew);
    assert_eq!(w.state(), CalloutState::Paging);
    assert_eq!(w.pages_to(1).last(), Some(&500), "stood down before, called again now");
    assert_eq!(w.notices(Audience::Agency).last(), Some(&(500, Notice::Withdrew)));
    w.until(1800);
    assert_eq!(w.pages_to(2).len(), 1, "who withdrew is left alone");
    assert_eq!(w.pages_to(200)[0], 680, "the backup has nobody else: the supervisor after the primary's time");
}

#[test]
fn a_supervisor_of_the_host_may_go_without_being_called() {
    let mut w = World::opened();
    w.act(supervisor(), Action::Accept { eta_minutes: 15 }).unwrap();
    assert_eq!(w.state_of(200), ResponderState::Accepted);
    assert_eq!(w.stood_down(), [person(1)]);
}

#[test]
fn only_those_who_were_called_may_answer() {
    let mut w = World::opened();
    for action in [Action::Acknowledge, Action::Accept { eta_minutes: 5 }, Action::Decline, Action::EnRoute] {
        for stranger in [advocate(3), officer(), commander(), other_officer()] {
            assert_eq!(w.act(stranger, action.clone()), Err(Refused::Forbidden), "{action:?} by {stranger:?}");
        }
    }
    let impostor = Actor { host: false, ..advocate(1) };
    assert_eq!(w.act(impostor, Action::Acknowledge), Err(Refused::Forbidden));
    assert_eq!(Problem::from(Refused::Forbidden).code, ErrorCode::Forbidden);
}

#[test]
fn steps_may_be_skipped_but_not_taken_back() {
    let mut w = World::opened();
    let wrong = |w: &World| Err(Refused::WrongState(w.state()));
    assert_eq!(w.act(advocate(1), Action::EnRoute), wrong(&w), "not accepted yet");
    assert_eq!(w.act(advocate(1), Action::Eta { eta_minutes: 5 }), wrong(&w));
    w.accept(1).unwrap();
    assert_eq!(w.accept(1), wrong(&w), "once is enough");
    assert_eq!(w.act(advocate(1), Action::HandOver), wrong(&w), "was not there");
    w.act(advocate(1), Action::EnRoute).unwrap();
    w.act(advocate(1), Action::WithYoungPerson).unwrap();
    assert_eq!(w.state(), CalloutState::WithYoungPerson);
    for back in [Action::EnRoute, Action::Arrived, Action::Decline, Action::Eta { eta_minutes: 5 }, Action::Acknowledge]
    {
        assert_eq!(w.act(advocate(1), back), wrong(&w));
    }
    w.act(advocate(1), Action::HandOver).unwrap();
    assert_eq!(w.state(), CalloutState::HandedOver);
}

#[test]
fn bad_values_change_nothing() {
    let mut w = World::opened();
    let before = w.callout().clone();
    let refused = w.act(advocate(1), Action::Accept { eta_minutes: 5000 }).unwrap_err();
    assert_eq!(Problem::from(refused).code, ErrorCode::InvalidValue);
    assert_eq!(w.callout(), &before);
}
