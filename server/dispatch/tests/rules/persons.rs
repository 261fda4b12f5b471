//! Each person's own notification rules, and contact methods that turn out not to work.

use crate::world::*;
use firstlight_dispatch::*;
use firstlight_protocol::{
    ContactId,
    callout::*,
    policy::{Channel, Millis},
};

const SMS: Channel = Channel::Sms { id: ContactId([1; 16]) };
const VOICE: Channel = Channel::Voice { id: ContactId([2; 16]) };

fn ruled(rules: &[(Channel, u64)]) -> World {
    let mut w = World::new();
    let first = w.people.iter_mut().find(|q| q.person == person(1)).unwrap();
    first.channels = vec![Channel::InApp, SMS, VOICE];
    first.rules = rules.iter().map(|(channel, s)| Rule { channel: *channel, after: Millis::seconds(*s) }).collect();
    w.open();
    w
}

fn ways(w: &World) -> Vec<(u64, Channel)> {
    w.pages().into_iter().filter(|(_, p, _)| *p == person(1)).map(|(at, _, channel)| (at, channel)).collect()
}

fn take(w: &mut World) {
    let page = w.last_page();
    w.receipt(page, PageOutcome::Reached(Receipt::HandedOver));
}

#[test]
fn rules_fire_when_they_say_and_repeat_until_the_person_answers() {
    let mut w = ruled(&[(Channel::InApp, 0), (SMS, 60), (VOICE, 120)]);
    for second in [0, 60, 120] {
        w.until(second);
        take(&mut w);
    }
    // The list begins again a minute after its last line.
    w.until(179);
    assert_eq!(ways(&w), [(0, Channel::InApp), (60, SMS), (120, VOICE)]);
    w.until(180);
    assert_eq!(ways(&w).last(), Some(&(180, Channel::InApp)));
    w.act(advocate(1), Action::Acknowledge).unwrap();
    w.until(299);
    assert_eq!(ways(&w).len(), 4, "awake: nothing rings for two minutes");
    w.until(300);
    assert_eq!(ways(&w).last(), Some(&(300, SMS)), "then the list goes on");
    w.act(advocate(1), Action::Decline).unwrap();
    w.until(3600);
    assert_eq!(ways(&w).len(), 5);
}

#[test]
fn two_rules_of_the_same_moment_ring_together() {
    let mut w = ruled(&[(Channel::InApp, 0), (SMS, 0), (VOICE, 90)]);
    assert_eq!(ways(&w), [(0, Channel::InApp), (0, SMS)]);
    take(&mut w);
    w.until(90);
    assert_eq!(ways(&w).last(), Some(&(90, VOICE)));
}

#[test]
fn the_first_rule_never_waits() {
    let w = ruled(&[(SMS, 45), (VOICE, 60)]);
    assert_eq!(ways(&w), [(0, SMS)]);
}

#[test]
fn a_rule_whose_channel_fails_passes_to_the_next_at_once() {
    let mut w = ruled(&[(Channel::InApp, 0), (SMS, 60), (VOICE, 120)]);
    let app = w.last_page();
    w.receipt(app, PageOutcome::Failed(FailReason::NotConnected));
    let sms = w.last_page();
    w.receipt(sms, PageOutcome::Failed(FailReason::Undelivered));
    assert_eq!(ways(&w), [(0, Channel::InApp), (0, SMS), (0, VOICE)]);
    let voice = w.last_page();
    w.receipt(voice, PageOutcome::Failed(FailReason::Voicemail));
    assert_eq!(w.alarms(), [(0, Alarm::Unreachable { person: person(1) })], "a voicemail is not an answer");
    w.until(60);
    assert_eq!(ways(&w).last(), Some(&(60, SMS)), "the second line comes when it would have come");
}

#[test]
fn a_turn_is_as_many_lines_as_the_policy_has_calls() {
    let mut w = ruled(&[(Channel::InApp, 0), (SMS, 10)]);
    w.policy.calls_per_turn = 3;
    for second in [0, 10, 70] {
        w.until(second);
        take(&mut w);
    }
    w.until(179);
    assert_eq!(ways(&w), [(0, Channel::InApp), (10, SMS), (70, Channel::InApp)]);
}

#[test]
fn every_reason_leads_to_the_next_channel_at_once_and_stands_in_the_view() {
    use FailReason::*;
    for reason in [BlockedSender, UnknownNumber, Undelivered, Busy, NoAnswer, Voicemail] {
        let mut w = ruled(&[]);
        w.until(2);
        let page = w.last_page();
        w.receipt(page, PageOutcome::Failed(reason));
        assert_eq!(ways(&w), [(0, Channel::InApp), (2, SMS)], "{reason}");
        let shown = w.view(supervisor()).unwrap().pages.unwrap();
        assert_eq!(shown.iter().find(|p| p.id == page).unwrap().failed, Some(reason));
        let broken: Vec<_> = w.alarms().into_iter().map(|(_, alarm)| alarm).collect();
        match reason {
            BlockedSender | UnknownNumber => {
                assert_eq!(broken, [Alarm::ContactBroken { person: person(1), reason }]);
            }
            _ => assert_eq!(broken, []),
        }
    }
}
