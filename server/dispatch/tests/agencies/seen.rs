//! What an agency may see: its own notice, and nothing else of the callout.

use crate::town::*;
use firstlight_dispatch::view;
use firstlight_protocol::{callout::Action, wire::to_cbor};

#[test]
fn an_agency_sees_its_own_notice_and_nothing_of_the_callout() {
    let mut town = Town::opened(vec![rule(WELFARE, &[]), rule(PROBATION, &[])]);
    town.act(advocate(1), Action::Accept { eta_minutes: 35 }).unwrap();
    town.acknowledge(probation(21)).unwrap();
    let view_of = |viewer| view(town.callout(), viewer, &town.ctx());
    assert!(view_of(worker(11)).is_none() && view_of(probation(21)).is_none());
    let seen = town.notice(worker(11)).unwrap();
    assert_eq!((seen.agency, seen.acknowledged_by), (WELFARE, None));
    // Neither the officer, their number, the site, the language, the responder, nor the other agency.
    let (text, cbor) = (format!("{seen:?}").to_lowercase(), to_cbor(&seen));
    for hidden in ["555-0177", "canary-site", "fil", "early"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    for id in [officer().person.0, officer().org.0, advocate(1).person.0, probation(21).person.0, PROBATION.0] {
        assert!(!cbor.windows(16).any(|bytes| bytes == id));
    }
}

#[test]
fn only_supervisors_see_the_agencies_in_a_callout() {
    let mut town = Town::opened(vec![rule(WELFARE, &[])]);
    town.minute(31);
    assert_eq!(town.statuses().len(), 1);
    for viewer in [officer(), advocate(1)] {
        let view = view(town.callout(), viewer, &town.ctx()).unwrap();
        assert_eq!(view.agency_notices, None);
        assert!(!format!("{view:?}").contains("AgencySilent"));
    }
}
