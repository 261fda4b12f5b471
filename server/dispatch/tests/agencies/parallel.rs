//! "Their silence never delays the advocate": two callouts live through the same random history, one of them with other
//! agencies notified. Whatever the agencies do or leave undone, both call the same people, at the same moments, by the
//! same channels, and the officer and the advocates see the same.

use crate::{random::Random, town::*};
use firstlight_dispatch::*;
use firstlight_protocol::{agency::AgencyNotice, callout::*, policy::*, *};
use std::time::Duration;

const HISTORIES: u64 = 1_000;

struct Twins {
    random: Random,
    /// Agencies are notified.
    with: Town,
    /// The same without.
    without: Town,
    actions: u8,
}

#[test]
fn the_advocates_pages_are_the_same_with_and_without_other_agencies() {
    let (mut notices, mut pages) = (0, 0);
    for seed in 0..HISTORIES {
        let mut twins = Twins::new(seed);
        for _ in 0..twins.random.between(5, 25) {
            twins.happen();
            twins.compare_views(seed);
        }
        notices += twins.with.attempts(WELFARE).len() + twins.with.attempts(PROBATION).len();
        pages += twins.without.log.iter().filter(|(_, e)| matches!(e, Effect::Page { .. })).count();
        twins.ends(seed);
    }
    assert!(notices > 20_000 && pages > 20_000, "the histories must be worth something: {notices}, {pages}");
}

impl Twins {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut town = Town::new();
        let mut seconds = |low, high| Millis::seconds(random.between(low, high));
        let timers = &mut town.policy.timers;
        (timers.repeat_every_ms, timers.slow_repeat_ms) = (seconds(20, 120), seconds(60, 300));
        (timers.acknowledge_grace_ms, timers.channel_stall_ms) = (seconds(20, 200), seconds(5, 60));
        let rules = [WELFARE, PROBATION].map(|agency| {
            let escalate = random.between(30, 900);
            AgencyNotice {
                people: (11..14).filter(|_| random.chance(40)).map(person).collect(),
                remind_every_ms: Millis::seconds(random.between(10, 300)),
                escalate_after_ms: Millis::seconds(escalate),
                give_up_alarm_after_ms: Millis::seconds(escalate + random.between(10, 900)),
                ..rule(agency, &[])
            }
        });
        for known in &mut town.agencies {
            known.channels = [Channel::InApp, sms(1), sms(2)][..random.between(1, 3) as usize].to_vec();
        }
        for qualified in &mut town.people {
            qualified.channels = [Channel::InApp, sms(3), sms(4)][..random.between(1, 3) as usize].to_vec();
        }
        town.stored = seed.is_multiple_of(16);
        town.routing.wanted = random.between(1, 2) as u8;
        let (mut with, mut without) = (town, Town::new());
        without.policy = with.policy.clone();
        without.people = with.people.clone();
        without.stored = false;
        without.routing = with.routing.clone();
        with.policy.agency_notices = rules.into();
        with.open();
        without.open();
        Self { random, with, without, actions: 0 }
    }

    fn happen(&mut self) {
        match self.random.between(0, 99) {
            0..40 => {
                let length = self.random.between(1, 400);
                self.pass(length);
            }
            40..45 => {
                // The server is down: what was due meanwhile comes late.
                let later = self.with.now + Duration::from_secs(self.random.between(1, 900));
                (self.with.now, self.without.now) = (later, later);
                self.both(Input::Timer);
            }
            45..60 => self.report(),
            60..75 => self.agencies_do_something(),
            _ => self.somebody_acts(),
        }
    }

    /// Every timer exactly when it is due, each callout its own.
    fn pass(&mut self, length: u64) {
        let end = self.with.now + Duration::from_secs(length);
        for town in [&mut self.with, &mut self.without] {
            while let Some(at) = town.callout().next_wake().filter(|at| *at <= end) {
                town.now = at.max(town.now);
                town.input(Input::Timer).unwrap();
            }
            town.now = end;
        }
    }

    fn both(&mut self, input: Input) {
        let (a, b) = (self.with.input(input.clone()), self.without.input(input));
        assert_eq!(a, b, "both answer the same");
    }

    /// What became of a page to an advocate.
    fn report(&mut self) {
        let pages: Vec<PageId> = self
            .without
            .log
            .iter()
            .filter_map(|(_, e)| if let Effect::Page { id, .. } = e { Some(*id) } else { None })
            .collect();
        let newest = pages.len().saturating_sub(self.random.between(1, 3) as usize);
        let Some(page) = pages.get(newest) else { return };
        let outcome = self.outcome();
        self.both(Input::Receipts(vec![PageReceipt { page: *page, outcome }]));
    }

    fn outcome(&mut self) -> PageOutcome {
        match self.random.between(0, 2) {
            0 => PageOutcome::Failed(FailReason::Timeout),
            1 => PageOutcome::Reached(Receipt::HandedOver),
            _ => PageOutcome::Reached(Receipt::Delivered),
        }
    }

    fn agencies_do_something(&mut self) {
        let by = if self.random.chance(50) { worker(self.random.between(11, 14) as u8) } else { probation(21) };
        match self.random.between(0, 3) {
            0 => drop(self.with.acknowledge(by)),
            1 => {
                let attempts = self.with.attempts(by.org);
                let Some((_, page, ..)) = attempts.last().copied() else { return };
                let outcome = self.outcome();
                self.with.input(Input::Receipts(vec![PageReceipt { page, outcome }])).unwrap();
            }
            2 => self.with.agencies.retain(|known| known.person != by.person),
            _ => self.with.agencies = Town::new().agencies,
        }
    }

    fn somebody_acts(&mut self) {
        let n = self.random.between(1, 3) as u8;
        let eta_minutes = self.random.between(1, 60) as u16;
        let (by, action) = match self.random.between(0, 19) {
            0..6 => (advocate(n), Action::Acknowledge),
            6..10 => (advocate(n), Action::Accept { eta_minutes }),
            10..15 => (advocate(n), Action::Decline),
            15..17 => (advocate(n), Action::Arrived),
            17 => (supervisor(), Action::CallMore { wanted: 3, people: vec![person(n)] }),
            18 => (officer(), Action::Cancel { reason: CancelReason::NotNeeded }),
            _ => (supervisor(), Action::Close { reasons: vec![], support: Support::NotOffered, kits_given: 0 }),
        };
        self.actions += 1;
        self.both(Input::Act { by, id: ActionId([self.actions; 16]), action });
    }

    fn compare_views(&self, seed: u64) {
        for viewer in [officer(), advocate(1), advocate(2), advocate(3)] {
            let seen =
                |town: &Town| view(town.callout(), viewer, &town.ctx()).map(|view| CalloutView { revision: 0, ..view });
            assert_eq!(seen(&self.with), seen(&self.without), "seed {seed}");
        }
    }

    fn compare_logs(&self, seed: u64) {
        assert_eq!(dispatch(&self.with.log), dispatch(&self.without.log), "seed {seed}");
        for agency in [WELFARE, PROBATION] {
            let mut ids: Vec<_> = self.with.attempts(agency).iter().map(|(_, id, ..)| *id).collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), all, "seed {seed}: an attempt's id came twice");
            assert!(self.with.silent(agency).len() <= 1, "seed {seed}: the alarm came twice");
        }
    }

    /// Nothing about an agency goes on for ever, and every agency either answered, was called off, or was reported.
    fn ends(&mut self, seed: u64) {
        self.with.agencies = Town::new().agencies;
        self.pass(2 * 3_600);
        for status in self.with.statuses() {
            assert_eq!(status.next_at, None, "seed {seed}");
            let answered = status.notice.acknowledged_at.is_some() || status.notice.called_off;
            assert!(answered || status.silent_at.is_some(), "seed {seed}");
        }
        self.compare_logs(seed);
    }
}

/// All effects that are not about agencies. An alarm's record stands right before it.
fn dispatch(log: &[(u64, Effect)]) -> Vec<&(u64, Effect)> {
    let silent = |e: &Effect| matches!(e, Effect::Alarm { alarm: Alarm::AgencySilent { .. } });
    log.iter()
        .enumerate()
        .filter(|(i, (_, effect))| {
            let records_silence = log.get(i + 1).is_some_and(|(_, next)| silent(next));
            !(records_silence || silent(effect) || matches!(effect, Effect::Agency { .. } | Effect::WakeAt(_)))
        })
        .map(|(_, entry)| entry)
        .collect()
}
