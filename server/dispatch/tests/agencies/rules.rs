//! One rule after another.

use crate::town::*;
use firstlight_dispatch::*;
use firstlight_protocol::{agency::AgencyNotice, callout::*, policy::*};

#[test]
fn notices_go_out_in_the_step_that_opens_the_callout_and_to_each_agency_for_itself() {
    let town = Town::opened(vec![rule(WELFARE, &[11]), rule(PROBATION, &[])]);
    assert_eq!(town.notified(WELFARE), [(0, 11)]);
    assert_eq!(town.notified(PROBATION), [(0, 21)]);
    assert_eq!(town.callout().revision(), 1);
}

#[test]
fn a_rule_covers_its_zones_and_age_bands_and_the_first_that_fits_counts() {
    let zone = |zone: &str, people: &[u8]| AgencyNotice { zones: vec![zone.parse().unwrap()], ..rule(WELFARE, people) };
    let town = Town::opened(vec![zone("south", &[11]), zone("north", &[12]), rule(WELFARE, &[13])]);
    assert_eq!(town.notified(WELFARE), [(0, 12)]);
    let adults = AgencyNotice { age_bands: vec![AgeBand::Adult], ..rule(WELFARE, &[]) };
    assert!(Town::opened(vec![adults]).notified(WELFARE).is_empty());
}

#[test]
fn nobody_answers_one_more_hears_with_each_reminder_then_everybody_then_the_supervisors() {
    let mut town = Town::opened(vec![rule(WELFARE, &[12, 11])]);
    town.minute(14);
    assert_eq!(town.notified(WELFARE), [(0, 12), (5, 12), (5, 11), (10, 12), (10, 11)]);
    let before = town.notified(WELFARE).len();
    town.minute(15);
    assert_eq!(town.notified(WELFARE)[before..], [(15, 12), (15, 11), (15, 13)]);
    assert!(town.silent(WELFARE).is_empty());
    town.minute(30);
    assert_eq!(town.silent(WELFARE), [30]);
    let status = &town.statuses()[0];
    assert_eq!((status.escalated_at, status.silent_at), (Some(Town::at(15 * 60)), Some(Town::at(30 * 60))));
}

#[test]
fn after_the_alarm_the_reminders_go_on_slowly_and_come_to_an_end() {
    let mut town = Town::opened(vec![rule(WELFARE, &[])]);
    town.accept_and_close();
    town.minute(30);
    let before = town.attempts(WELFARE).len();
    town.minute(24 * 60);
    let slow: Vec<u64> = town.attempts(WELFARE)[before..].iter().map(|(second, ..)| second / 60).collect();
    assert_eq!(slow.len(), 10 * 3, "ten times, to three people");
    assert_eq!((slow.first(), slow.last()), (Some(&33), Some(&60)));
    assert_eq!(town.silent(WELFARE), [30], "once");
    assert_eq!(town.statuses()[0].next_at, None);
}

#[test]
fn one_acknowledgement_stops_one_agency_and_no_other() {
    let mut town = Town::opened(vec![rule(WELFARE, &[11]), rule(PROBATION, &[])]);
    town.minute(5);
    assert_eq!(town.acknowledge(worker(12)), Ok(()), "anybody of the agency who takes notices");
    let stopped = town.stopped(WELFARE);
    assert_eq!(stopped, [(11, false)]);
    let view = town.notice(worker(13)).unwrap();
    assert_eq!((view.acknowledged_by, view.acknowledged_at), (Some(person(12)), Some(Town::at(300))));
    town.minute(60);
    assert_eq!((town.notified(WELFARE).len(), town.silent(WELFARE).len()), (2, 0));
    assert_eq!(town.silent(PROBATION), [30]);
    assert_eq!(town.notice(probation(21)).unwrap().acknowledged_by, None);

    let revision = town.callout().revision();
    assert_eq!(town.acknowledge(worker(11)), Ok(()), "again is harmless");
    assert_eq!(town.notice(worker(11)).unwrap().acknowledged_by, Some(person(12)), "the first one counts");
    assert_eq!(town.callout().revision(), revision);
}

#[test]
fn nobody_else_acknowledges_for_an_agency() {
    let mut town = Town::opened(vec![rule(WELFARE, &[])]);
    let admin = Actor { role: firstlight_protocol::Role::Admin, ..worker(14) };
    let host = Actor { host: true, ..worker(14) };
    for by in [officer(), advocate(1), supervisor(), probation(21), admin, host] {
        assert_eq!(town.acknowledge(by), Err(Refused::Forbidden));
        assert_eq!(town.notice(by), None);
    }
}

#[test]
fn somebody_named_hears_and_answers_whatever_their_role() {
    let mut town = Town::new();
    let lead = Actor { role: firstlight_protocol::Role::Caseworker, ..worker(14) };
    let known = AgencyPerson { takes_notices: false, person: lead.person, ..town.agencies[0].clone() };
    town.agencies.push(known);
    town.policy.agency_notices = vec![rule(WELFARE, &[14])];
    town.open();
    town.minute(15);
    assert_eq!(
        town.notified(WELFARE).iter().filter(|(at, _)| *at == 15).map(|(_, n)| *n).collect::<Vec<_>>(),
        [14, 11, 12, 13]
    );
    assert!(town.notice(lead).is_some());
    assert_eq!(town.acknowledge(lead), Ok(()));
}

#[test]
fn each_attempt_takes_the_next_channel_and_a_failed_one_is_passed_over_at_once() {
    let mut town = Town::new();
    town.agencies[0].channels = vec![Channel::InApp, sms(1), sms(2)];
    town.policy.agency_notices = vec![rule(WELFARE, &[11])];
    town.open();
    let fail = |town: &mut Town| {
        let (_, page, ..) = *town.attempts(WELFARE).last().unwrap();
        let failed = PageReceipt { page, outcome: PageOutcome::Failed(FailReason::NotConnected) };
        town.input(Input::Receipts(vec![failed])).unwrap();
    };
    let channels = |town: &Town| town.attempts(WELFARE).iter().map(|(.., channel)| *channel).collect::<Vec<_>>();
    fail(&mut town);
    assert_eq!(channels(&town), [Channel::InApp, sms(1)]);
    let (_, page, ..) = town.attempts(WELFARE)[1];
    let delivered = PageReceipt { page, outcome: PageOutcome::Reached(Receipt::Delivered) };
    town.input(Input::Receipts(vec![delivered])).unwrap();
    let status = &town.statuses()[0];
    assert_eq!(status.pages[0].failed, Some(FailReason::NotConnected));
    assert_eq!(status.pages[1].delivered_at, Some(town.now));
    town.minute(5);
    assert_eq!(channels(&town), [Channel::InApp, sms(1), sms(2)]);
    for _ in 0..5 {
        fail(&mut town);
    }
    assert_eq!(channels(&town).len(), 5, "each channel once per reminder");
    let mut ids: Vec<_> = town.attempts(WELFARE).iter().map(|(_, id, ..)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn an_agency_with_nobody_to_notify_costs_no_time() {
    let mut town = Town::new();
    town.agencies.clear();
    town.policy.agency_notices = vec![rule(WELFARE, &[11])];
    town.open();
    assert_eq!(town.silent(WELFARE), [0]);
    town.agencies = Town::new().agencies;
    town.minute(3);
    assert_eq!(town.notified(WELFARE), [(3, 11)], "whoever joins later still hears");
    town.minute(60);
    assert_eq!(town.silent(WELFARE), [0], "once");
}

#[test]
fn cancelling_calls_it_off_and_closing_does_not() {
    let mut town = Town::opened(vec![rule(WELFARE, &[11])]);
    town.minute(5);
    town.act(officer(), Action::Cancel { reason: CancelReason::Mistake }).unwrap();
    assert_eq!(town.stopped(WELFARE), [(11, true)]);
    assert!(town.notice(worker(12)).unwrap().called_off);
    let before = town.attempts(WELFARE).len();
    town.minute(60);
    assert_eq!((town.attempts(WELFARE).len(), town.silent(WELFARE).len()), (before, 0));
    assert_eq!(town.acknowledge(worker(11)), Ok(()), "that is still worth knowing");

    let mut town = Town::opened(vec![rule(WELFARE, &[11])]);
    town.accept_and_close();
    assert!(!town.notice(worker(12)).unwrap().called_off);
    town.minute(30);
    assert_eq!(town.silent(WELFARE), [30]);
}

#[test]
fn a_drill_reaches_those_who_take_part_and_is_marked() {
    let drilled = AgencyNotice { drills: true, ..rule(PROBATION, &[]) };
    for (purpose, welfare, probation_officers) in
        [(Purpose::Drill, 0, 1), (Purpose::Canary, 0, 0), (Purpose::Real, 1, 1)]
    {
        let mut town = Town::new();
        town.purpose = purpose;
        town.policy.agency_notices = vec![rule(WELFARE, &[11]), drilled.clone()];
        town.open();
        assert_eq!((town.notified(WELFARE).len(), town.notified(PROBATION).len()), (welfare, probation_officers));
        if probation_officers > 0 {
            assert_eq!(town.notice(probation(21)).unwrap().drill, purpose == Purpose::Drill);
        }
    }
}

#[test]
fn an_agency_that_the_policy_no_longer_names_is_left_in_peace_and_can_still_answer() {
    let mut town = Town::opened(vec![rule(WELFARE, &[11])]);
    town.policy.agency_notices.clear();
    town.agencies.clear();
    town.minute(60);
    assert_eq!((town.notified(WELFARE).len(), town.silent(WELFARE).len()), (1, 0));
    assert_eq!(town.acknowledge(worker(11)), Ok(()));
}

#[test]
fn a_server_that_was_down_catches_up_in_one_step() {
    let mut town = Town::opened(vec![rule(WELFARE, &[11])]);
    town.now = Town::at(3_600);
    town.input(Input::Timer).unwrap();
    assert_eq!(town.notified(WELFARE), [(0, 11), (60, 11), (60, 12), (60, 13)], "each person once");
    assert_eq!(town.silent(WELFARE), [60]);
}

impl Town {
    pub(crate) fn accept_and_close(&mut self) {
        self.act(advocate(1), Action::Accept { eta_minutes: 5 }).unwrap();
        let close = Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 0 };
        self.act(supervisor(), close).unwrap();
    }
}
