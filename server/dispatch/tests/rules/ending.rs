use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{CalloutId, OrgId, RoomId, callout::*};
use std::time::Duration;

const CANCEL: Action = Action::Cancel { reason: CancelReason::NotNeeded };

fn close() -> Action {
    Action::Close { reasons: vec![OutcomeReason::CalledLate], support: Support::Accepted, kits_given: 1 }
}

fn other(id: u8, agency: OrgId) -> RecentCallout {
    RecentCallout {
        id: CalloutId([id; 16]),
        agency,
        zone: routing().zone,
        site: routing().site,
        opened_at: World::START - Duration::from_secs(60),
        purpose: Purpose::Real,
    }
}

#[test]
fn cancelling_stands_everybody_down() {
    for by in [officer(), commander(), supervisor()] {
        let mut w = World::opened();
        w.until(200);
        w.act(by, CANCEL).unwrap();
        assert_eq!(w.stood_down(), [person(1), person(2)]);
        assert_eq!(w.state(), CalloutState::Cancelled);
        assert_eq!(w.callout().next_wake(), None);
        assert_eq!(w.accept(1), Err(Refused::WrongState(CalloutState::Cancelled)));
        assert_eq!(w.act(by, CANCEL), Err(Refused::WrongState(CalloutState::Cancelled)));
    }
    let mut w = World::opened();
    for by in [advocate(1), advocate(3), other_officer(), other_commander()] {
        assert_eq!(w.act(by, CANCEL), Err(Refused::Forbidden));
    }
}

#[test]
fn cancelling_stops_somebody_who_is_on_the_way() {
    let mut w = World::opened();
    w.accept(1).unwrap();
    w.act(advocate(1), Action::EnRoute).unwrap();
    w.act(officer(), CANCEL).unwrap();
    assert_eq!(w.stood_down(), [person(1)]);
}

#[test]
fn closing_is_for_those_who_took_part() {
    let mut w = World::opened();
    for by in [advocate(1), officer(), commander(), advocate(3)] {
        assert_eq!(w.act(by, close()), Err(Refused::Forbidden));
    }
    w.accept(1).unwrap();
    w.act(advocate(1), Action::Arrived).unwrap();
    w.act(advocate(1), close()).unwrap();
    assert_eq!(w.state(), CalloutState::Closed);
    assert_eq!(w.act(supervisor(), close()), Err(Refused::WrongState(CalloutState::Closed)));
}

#[test]
fn a_supervisor_may_close_what_was_settled_by_telephone() {
    let mut w = World::opened();
    w.act(supervisor(), close()).unwrap();
    assert_eq!(w.stood_down(), [person(1)]);
    assert_eq!(w.state(), CalloutState::Closed);
}

#[test]
fn a_review_adds_its_reasons() {
    let mut w = World::opened();
    let review = || Action::Review {
        reasons: vec![OutcomeReason::CalledLate, OutcomeReason::WrongAddress],
        welfare: Welfare::FollowUp,
    };
    assert_eq!(w.act(supervisor(), review()), Err(Refused::WrongState(CalloutState::Paging)));
    w.accept(1).unwrap();
    w.act(advocate(1), close()).unwrap();
    assert_eq!(w.act(advocate(1), review()), Err(Refused::Forbidden));
    w.act(supervisor(), review()).unwrap();
    let outcome = w.view(supervisor()).unwrap().outcome.unwrap();
    assert_eq!(outcome.reasons, [OutcomeReason::CalledLate, OutcomeReason::WrongAddress]);
    assert_eq!(outcome.welfare, Some(Welfare::FollowUp));
    assert_eq!(w.view(advocate(1)).unwrap().outcome.unwrap().welfare, None);
}

#[test]
fn a_likely_duplicate_is_offered_and_never_blocks() {
    let mut w = World::new();
    let elsewhere = RecentCallout { site: None, ..other(3, AGENCY) };
    let long_ago = RecentCallout { opened_at: World::START - Duration::from_secs(1801), ..other(4, AGENCY) };
    w.recent = vec![other(1, AGENCY), other(2, OrgId([0xB; 16])), elsewhere, long_ago];
    w.open();
    assert_eq!(w.view(officer()).unwrap().possible_duplicates, [CalloutId([1; 16])]);
    assert_eq!(w.notices(Audience::Agency), [(0, Notice::PossibleDuplicate)]);
    assert_eq!(w.pages_to(1), [0]);
}

#[test]
fn merging_stands_down_and_points_to_the_other() {
    let mut w = World::new();
    w.recent = vec![other(1, AGENCY), other(2, OrgId([0xB; 16]))];
    w.open();
    let merge = |n| Action::Merge { into: CalloutId([n; 16]) };
    assert_eq!(w.act(advocate(1), merge(1)), Err(Refused::Forbidden));
    for n in [2, 3, 7] {
        assert!(matches!(w.act(officer(), merge(n)), Err(Refused::Invalid(_))), "{n}");
    }
    w.act(officer(), merge(1)).unwrap();
    assert_eq!(w.stood_down(), [person(1)]);
    assert_eq!(w.view(officer()).unwrap().merged_into, Some(CalloutId([1; 16])));
    assert_eq!(w.state(), CalloutState::Merged);

    let mut w = World::new();
    w.recent = vec![other(2, OrgId([0xB; 16]))];
    w.open();
    w.act(supervisor(), merge(2)).unwrap();
}

#[test]
fn a_room_is_linked_once() {
    let mut w = World::opened();
    let link = |n| Input::RoomLinked { room: RoomId([n; 16]) };
    w.input(link(1)).unwrap();
    let revision = w.callout().revision();
    w.input(link(1)).unwrap();
    assert_eq!(w.callout().revision(), revision);
    assert_eq!(w.input(link(2)), Err(Refused::Conflict));
}

#[test]
fn only_police_and_supervisors_open_and_only_for_known_places() {
    let mut w = World::new();
    let agent = Actor { role: firstlight_protocol::Role::Agent, ..officer() };
    for by in [advocate(1), agent] {
        assert_eq!(w.try_open(by), Err(Refused::Forbidden));
    }
    w.policy.zones = vec!["south".parse().unwrap()];
    assert!(matches!(w.try_open(officer()), Err(Refused::Invalid(_))));
    w.policy.zones.push("north".parse().unwrap());
    w.routing.wanted = 0;
    assert!(matches!(w.try_open(officer()), Err(Refused::Invalid(_))));
    w.routing.wanted = 1;
    w.try_open(supervisor()).unwrap();
}

#[test]
fn a_retry_is_told_from_a_conflict() {
    let w = World::opened();
    let again = |by, routing| Open { id: w.callout().id(), by, routing, purpose: Purpose::Real, caller: None };
    assert!(w.callout().is_retried_by(&again(officer(), routing())));
    assert!(!w.callout().is_retried_by(&again(other_officer(), routing())));
    assert!(!w.callout().is_retried_by(&again(officer(), Routing { wanted: 2, ..routing() })));
}
