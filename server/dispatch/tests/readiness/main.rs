//! Readiness: who is tested when, and when the board is red.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use firstlight_dispatch::readiness::{Case, Check, Duty, MAX_SENT, Order, Reach, Way, WayState, duties, judge, orders};
use firstlight_protocol::{
    CheckId, ContactId, PersonId, Timestamp,
    api::{GapKind, PersonReadiness, ReadinessLevel},
    callout::{FailReason, Tier},
    policy::{Channel, ReadinessTimers},
    rota::{Rota, Shift},
};
use std::time::Duration;

const ADVOCATE: PersonId = PersonId([1; 16]);
const SMS: Channel = Channel::Sms { id: ContactId([7; 16]) };
const HOUR: Duration = Duration::from_secs(3600);

/// A rota of this advocate's shifts in UTC.
fn rota(shifts: &[(&str, &str)]) -> Rota {
    let shift = |(from, until): &(&str, &str)| -> Shift {
        let json = serde_json::json!({ "tier": "primary", "person": ADVOCATE, "from": from, "until": until });
        serde_json::from_value(json).unwrap()
    };
    let shifts: Vec<_> = shifts.iter().map(shift).collect();
    serde_json::from_value(serde_json::json!({ "tz": "UTC", "shifts": shifts })).unwrap()
}

fn at(day: u32, hour: u32, minute: u32) -> Timestamp {
    // 2026-01-01T00:00:00Z
    Timestamp(1_767_225_600_000) + Duration::from_secs(u64::from((day - 1) * 86_400 + hour * 3_600 + minute * 60))
}

fn way(channel: Channel) -> Way {
    Way { channel, state: WayState::Usable, proven_at: None, tested_at: None, failed: None }
}

fn reach() -> Reach {
    Reach {
        person: ADVOCATE,
        work_name: Some("Advocate 1".into()),
        responds: true,
        has_device: true,
        connected: true,
        ways: vec![way(Channel::InApp), way(SMS)],
        check: None,
    }
}

/// The night shift of 3 January, 20:00 to 06:00.
fn night() -> Rota {
    rota(&[("2026-01-03T20:00:00", "2026-01-04T06:00:00")])
}

/// A person and a rota, with tests that are sent as they are ordered.
struct Story {
    rota: Rota,
    reach: Reach,
    timers: ReadinessTimers,
}

impl Story {
    fn new(rota: Rota) -> Self {
        Self { rota, reach: reach(), timers: ReadinessTimers::default() }
    }

    fn duty(&self, now: Timestamp) -> Option<Duty> {
        duties(&self.rota, &self.timers, now).unwrap().into_iter().find(|duty| duty.person == ADVOCATE)
    }

    fn judged(&self, now: Timestamp) -> PersonReadiness {
        let duty = self.duty(now);
        judge(Case { reach: &self.reach, duty: duty.as_ref(), now }, &self.timers)
    }

    fn level(&self, now: Timestamp) -> ReadinessLevel {
        self.judged(now).level
    }

    fn order(&self, now: Timestamp) -> Option<Order> {
        let duty = self.duty(now);
        let case = Case { reach: &self.reach, duty: duty.as_ref(), now };
        orders([case], &self.rota, &self.timers).unwrap().pop()
    }

    /// Sends what is due, as the server does. Whether anything was.
    fn send(&mut self, now: Timestamp) -> bool {
        let Some(order) = self.order(now) else { return false };
        let check = &mut self.reach.check;
        *check = Some(match (*check, order.check) {
            (Some(known), Some(id)) if known.id == id => Check { last_sent_at: now, sent: known.sent + 1, ..known },
            _ => Check { id: CheckId([9; 16]), begun_at: now, last_sent_at: now, sent: 1 },
        });
        for way in self.reach.ways.iter_mut().filter(|way| order.channels.contains(&way.channel)) {
            way.tested_at = Some(now);
        }
        true
    }

    /// The moments at which tests go out, looked at every ten minutes.
    fn sent_between(&mut self, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let steps = until.since(from).as_secs() / 600;
        (0..=steps).map(|n| from + Duration::from_secs(n * 600)).filter(|now| self.send(*now)).collect()
    }

    fn confirm(&mut self, channel: Channel, now: Timestamp) {
        self.reach.ways.iter_mut().find(|way| way.channel == channel).unwrap().proven_at = Some(now);
    }
}

#[test]
fn a_shift_is_proven_twelve_hours_ahead_and_stays_green() {
    let mut story = Story::new(night());
    assert!(!story.send(at(3, 7, 59)), "not yet");
    assert!(story.send(at(3, 8, 0)), "twelve hours before");
    assert_eq!(story.level(at(3, 8, 1)), ReadinessLevel::Amber);
    assert!(!story.send(at(3, 8, 59)));
    story.confirm(Channel::InApp, at(3, 8, 30));
    let order = story.order(at(3, 9, 0)).unwrap();
    assert_eq!((order.check, order.channels), (Some(CheckId([9; 16])), vec![SMS]), "a reminder of what is missing");
    story.confirm(SMS, at(3, 9, 10));
    assert_eq!(story.level(at(3, 9, 10)), ReadinessLevel::Green);
    assert_eq!(story.sent_between(at(3, 9, 10), at(4, 6, 0)), [], "nobody is tested again for this shift");
    assert_eq!(story.level(at(4, 5, 59)), ReadinessLevel::Green);
}

#[test]
fn a_second_silence_is_red_and_names_the_way() {
    let mut story = Story::new(night());
    assert!(story.send(at(3, 8, 0)));
    story.confirm(Channel::InApp, at(3, 8, 1));
    assert!(story.send(at(3, 9, 0)));
    assert_eq!(story.level(at(3, 9, 59)), ReadinessLevel::Amber);
    let judged = story.judged(at(3, 10, 0));
    assert_eq!(judged.level, ReadinessLevel::Red, "ten hours before the shift");
    assert_eq!((judged.gaps[0].kind, judged.gaps[0].channel), (GapKind::NotConfirmed, Some(SMS)));
    assert_eq!(judged.gaps[0].text, "A number for texts: the test was not confirmed.");
    assert_eq!(judged.ways[0].level, ReadinessLevel::Green, "the app is proven");
    assert!(!judged.unreachable);
}

#[test]
fn reminders_are_bounded_and_keep_the_night() {
    let mut story = Story::new(rota(&[("2026-01-03T20:00:00", "2026-01-05T20:00:00")]));
    story.timers.remind_every_ms = firstlight_protocol::policy::Millis::minutes(180);
    let sent = story.sent_between(at(3, 0, 0), at(4, 19, 0));
    let expected = [at(3, 8, 0), at(3, 11, 0), at(3, 14, 0), at(3, 17, 0), at(3, 20, 0), at(4, 8, 0)];
    assert_eq!(sent, expected);
    assert_eq!(sent.len(), MAX_SENT as usize);
}

#[test]
fn the_test_for_an_afternoon_waits_for_the_morning() {
    let mut story = Story::new(rota(&[("2026-01-03T14:00:00", "2026-01-03T22:00:00")]));
    assert_eq!(story.sent_between(at(2, 20, 0), at(3, 8, 50)), [at(3, 8, 0)], "not at 02:00");
    let mut early = Story::new(rota(&[("2026-01-03T06:00:00", "2026-01-03T14:00:00")]));
    assert_eq!(early.sent_between(at(2, 12, 0), at(2, 18, 50)), [at(2, 18, 0)], "the evening before");
}

#[test]
fn a_shift_that_begins_before_the_morning_is_tested_at_once() {
    // The rota was changed at 23:10.
    let mut story = Story::new(rota(&[("2026-01-03T02:00:00", "2026-01-03T10:00:00")]));
    assert!(story.send(at(2, 23, 10)));
    assert!(story.send(at(3, 0, 10)), "and reminded before it begins");
    assert!(!story.send(at(3, 2, 10)), "once it has begun, a test would wake them: the board is red");
    assert_eq!(story.level(at(3, 2, 10)), ReadinessLevel::Red);
}

#[test]
fn a_confirmed_test_within_the_window_counts() {
    let mut story = Story::new(night());
    story.confirm(Channel::InApp, at(2, 20, 0));
    story.confirm(SMS, at(2, 19, 59));
    assert_eq!(story.order(at(3, 8, 0)).unwrap().channels, [SMS], "one is 24 h old when the shift begins, one older");
}

#[test]
fn nobody_is_tested_twice_for_two_shifts_that_meet() {
    let shifts = [("2026-01-03T08:00:00", "2026-01-03T20:00:00"), ("2026-01-03T20:00:00", "2026-01-04T08:00:00")];
    let mut story = Story::new(rota(&shifts));
    assert_eq!(story.sent_between(at(2, 12, 0), at(2, 20, 50)), [at(2, 20, 0)]);
    story.confirm(Channel::InApp, at(2, 20, 40));
    story.confirm(SMS, at(2, 20, 40));
    let duty = story.duty(at(3, 12, 0)).unwrap();
    assert_eq!((duty.from, duty.tiers.clone()), (Some(at(3, 8, 0)), vec![Tier::Primary]));
    assert_eq!(story.sent_between(at(2, 21, 0), at(4, 7, 50)), [], "one duty without a break");
}

#[test]
fn the_next_shift_is_proven_while_this_one_runs() {
    let shifts = [("2026-01-03T08:00:00", "2026-01-03T16:00:00"), ("2026-01-03T22:00:00", "2026-01-04T06:00:00")];
    let mut story = Story::new(rota(&shifts));
    story.confirm(Channel::InApp, at(2, 20, 0));
    story.confirm(SMS, at(2, 20, 0));
    let now = at(3, 10, 0);
    let duties = duties(&story.rota, &story.timers, now).unwrap();
    assert_eq!(duties.iter().map(|duty| duty.from.unwrap()).collect::<Vec<_>>(), [at(3, 8, 0), at(3, 22, 0)]);
    let cases = duties.iter().map(|duty| Case { reach: &story.reach, duty: Some(duty), now });
    let due = orders(cases, &story.rota, &story.timers).unwrap();
    assert_eq!(due.len(), 1, "26 h would have passed by then");
    assert_eq!(story.level(now), ReadinessLevel::Green, "and this shift is proven");
}

#[test]
fn somebody_always_on_duty_proves_it_every_day() {
    let mut story = Story::new(rota(&[("2026-01-01T00:00:00", "2026-03-01T00:00:00")]));
    let now = at(10, 12, 0);
    assert_eq!(story.duty(now).unwrap().from, None);
    assert_eq!(story.level(now), ReadinessLevel::Red, "on duty and never proven");
    assert!(story.send(now));
    story.confirm(Channel::InApp, now);
    story.confirm(SMS, now);
    assert_eq!(story.level(now), ReadinessLevel::Green);
    assert_eq!(story.sent_between(now, at(11, 12, 0)), []);
    assert_eq!(story.sent_between(at(11, 12, 0), at(11, 12, 50)), [at(11, 12, 10)]);
    assert_eq!(story.level(at(11, 12, 30)), ReadinessLevel::Amber, "yesterday's proof still counts");
    assert_eq!(story.level(at(12, 0, 10)), ReadinessLevel::Red);
}

#[test]
fn a_channel_that_could_not_take_the_test_is_red_at_once() {
    let mut story = Story::new(night());
    assert!(story.send(at(3, 8, 0)));
    story.reach.ways[1].failed = Some(FailReason::Rejected);
    let judged = story.judged(at(3, 8, 1));
    assert_eq!((judged.level, judged.gaps[0].kind), (ReadinessLevel::Red, GapKind::TestFailed));
    assert_eq!(judged.gaps[0].text, "A number for texts: the test failed (rejected).");
    story.confirm(SMS, at(3, 8, 2));
    assert_eq!(story.level(at(3, 8, 3)), ReadinessLevel::Amber, "it arrived all the same");
}

#[test]
fn who_can_not_be_paged_is_red_with_the_reason_and_not_tested() {
    let night = at(3, 9, 0);
    let mut story = Story::new(self::night());
    story.reach.connected = false;
    assert!(!story.judged(night).unreachable, "a text reaches them");
    for (state, kind) in [
        (WayState::Unverified, GapKind::Unverified),
        (WayState::Blocked, GapKind::Blocked),
        (WayState::Invalid, GapKind::Invalid),
    ] {
        story.reach.ways[1].state = state;
        let judged = story.judged(night);
        assert!(judged.unreachable && judged.level == ReadinessLevel::Red, "{state:?}");
        assert!(judged.gaps.iter().any(|gap| gap.kind == kind && gap.channel == Some(SMS)), "{:?}", judged.gaps);
        assert!(judged.gaps.iter().any(|gap| gap.kind == GapKind::NotConnected));
        assert_eq!(story.order(night), None, "nothing would arrive");
    }
    story.reach.has_device = false;
    assert_eq!(story.judged(night).gaps[0].kind, GapKind::NoDevice);
}

#[test]
fn an_organisation_may_do_without() {
    let mut story = Story::new(night());
    story.timers.ahead_ms.0 = 0;
    assert_eq!(story.sent_between(at(3, 0, 0), at(4, 6, 0)), []);
    assert_eq!(story.duty(at(3, 20, 0)).unwrap().from, Some(at(3, 20, 0)), "the board still shows who is on duty");
}

#[test]
fn a_proof_is_as_old_as_it_is() {
    let mut story = Story::new(rota(&[]));
    assert_eq!(story.level(at(3, 12, 0)), ReadinessLevel::Amber, "not on duty: never proven is no alarm");
    story.confirm(Channel::InApp, at(3, 12, 0));
    story.confirm(SMS, at(3, 12, 0));
    assert_eq!(story.level(at(3, 12, 0) + 24 * HOUR), ReadinessLevel::Green);
    assert_eq!(story.level(at(3, 12, 1) + 24 * HOUR), ReadinessLevel::Amber);
}
