//! Other agencies hear of a callout in parallel, each with its own acknowledgement and its own escalation (DOMAIN.md:
//! "their silence never delays the advocate").
//!
//! Nothing here reads or writes anything that calling an advocate depends on: the timers are the agency's own, the
//! history is the agency's own, and a callout calls the same people at the same moments whether agencies are notified
//! or not (`tests/agencies/parallel.rs` holds that over random histories).
//!
//! The choices, where DOMAIN.md leaves one:
//!
//! - The named people hear in order: the first when the callout is opened, one more with each reminder. Nobody named, or
//!   nobody of those there any more: everybody of the agency who takes notices, at once.
//! - A reminder is one attempt on each person's next channel. A channel that fails is passed over at once, each channel
//!   once per reminder.
//! - Nobody to notify at all: the supervisors hear at once.
//! - After the alarm the reminders go on every `slow_repeat_ms`, [`MAX_SLOW`] times. Nothing an agency does or leaves
//!   undone keeps a callout busy for ever.
//! - Closing a callout stops nothing: the agency has still not said that it knows. Cancelling and merging call it off.
//! - A drill reaches the agencies whose rule says so, marked as one; the server's own canary never does.
//! - One acknowledgement is enough for an agency, and counts for no other.
//! - Rules are read anew at every step: an agency that the policy no longer names is not reminded any more.

mod record;
mod view;

pub(crate) use record::AgencyCall;
pub use view::agency_notice_view;

use crate::{
    Actor, Effect, PageOutcome, PageReceipt, Refused, callout::MAX_PAGES_KEPT, context::next_untried, key::notice_id,
    step::Work,
};
use firstlight_protocol::{
    OrgId, PageId, PersonId,
    agency::{AgencyNotice, MAX_NOTIFIED, takes_notices},
    callout::{Alarm, Purpose, Receipt, Routing},
    policy::Channel,
};
use record::{Attempt, Notified};

/// The most reminders before the alarm; the escalation and the alarm come whatever happens.
const MAX_REMINDERS: u16 = 50;
/// The slow reminders after the alarm.
const MAX_SLOW: u16 = 10;

/// Somebody of another agency who may be notified: an active person of a partner that the policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyPerson {
    /// Their agency.
    pub agency: OrgId,
    /// Who.
    pub person: PersonId,
    /// Whether they hear of every callout that the agency hears of; if not, only where a rule names them.
    pub takes_notices: bool,
    /// The ways to reach them, in the order to try them. Empty means the app alone.
    pub channels: Vec<Channel>,
}

/// What the runner has to do about an agency's notice. Views of a notice that has changed go to everybody who was
/// notified; that is not an effect of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgencyEffect {
    /// Notify this person, now, by this channel.
    Notify {
        /// The attempt's id and its idempotency key: no other effect ever has the same.
        id: PageId,
        /// Whom.
        person: PersonId,
        /// The how-manieth attempt to reach this person about this callout, from 1.
        attempt: u32,
        /// How.
        channel: Channel,
    },
    /// Nobody needs to tell this person any more: drop what was not sent yet.
    Stop {
        /// Whom.
        person: PersonId,
        /// The callout was called off: tell them so by every way that has told them of it.
        called_off: bool,
    },
    /// Append to the audit trail.
    Record {
        /// What happened.
        event: AgencyEvent,
        /// Who did it; absent where the engine did.
        by: Option<PersonId>,
        /// Whom it concerns.
        person: Option<PersonId>,
        /// The attempt it concerns.
        page: Option<PageId>,
    },
}

/// What happened to an agency's notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgencyEvent {
    /// Somebody was notified, or reminded.
    Notified,
    /// A channel could not take it.
    Failed,
    /// Everybody of the agency is notified, because nobody had answered.
    Escalated,
    /// Somebody has acknowledged it.
    Acknowledged,
    /// The callout was called off.
    CalledOff,
}

impl<'a> Work<'a> {
    /// Notifies every agency whose rule covers the callout: in the step that opens it.
    pub(crate) fn notify_agencies(&mut self) {
        let rules: &'a [AgencyNotice] = &self.ctx.policy.agency_notices;
        for rule in rules {
            let asked = match self.callout.purpose {
                Purpose::Real => true,
                Purpose::Drill => rule.drills,
                Purpose::Canary => false,
            };
            let known = self.callout.agencies.iter().any(|call| call.agency == rule.agency);
            if known || !asked || !rule.covers(&self.callout.routing) {
                continue;
            }
            self.callout.agencies.push(AgencyCall::begin(rule, self.now));
            self.remind(self.callout.agencies.len() - 1, rule);
        }
    }

    /// Does whatever is due about agencies that have not answered.
    pub(crate) fn remind_agencies(&mut self) {
        for a in 0..self.callout.agencies.len() {
            let now = self.now;
            let call = &mut self.callout.agencies[a];
            if call.next_wake().is_none_or(|at| at > now) {
                continue;
            }
            let agency = call.agency;
            let Some(rule) = self.ctx.agency_rule(agency, &self.callout.routing) else {
                self.callout.agencies[a].stop();
                continue;
            };
            let call = &mut self.callout.agencies[a];
            let escalates = call.escalate_at.take_if(|at| *at <= now).is_some();
            let alarms = call.alarm_at.take_if(|at| *at <= now).is_some();
            let reminds = call.next_at.take_if(|at| *at <= now).is_some();
            if escalates {
                call.escalated_at = Some(now);
                self.record_agency(agency, AgencyEvent::Escalated, None, None);
            }
            if alarms {
                self.agency_is_silent(a);
            }
            // A reminder that was due later than the alarm keeps its time.
            if escalates || reminds || self.callout.agencies[a].next_at.is_none() {
                self.remind(a, rule);
            }
        }
    }

    fn agency_is_silent(&mut self, a: usize) {
        let now = self.now;
        let call = &mut self.callout.agencies[a];
        if call.silent_at.is_none() {
            call.silent_at = Some(now);
            let agency = call.agency;
            self.raise(Alarm::AgencySilent { agency });
        }
    }

    /// One attempt to reach everybody whose turn it is, and the time of the next.
    fn remind(&mut self, a: usize, rule: &AgencyNotice) {
        let call = &self.callout.agencies[a];
        let people = self.ctx.notified(rule, usize::from(call.rounds) + 1, call.escalated_at.is_some());
        if people.is_empty() {
            self.agency_is_silent(a);
        }
        let slow = self.ctx.policy.timers.slow_repeat_ms;
        let now = self.now;
        let call = &mut self.callout.agencies[a];
        call.rounds = call.rounds.saturating_add(1);
        call.next_at = match call.silent_at {
            None if call.rounds <= MAX_REMINDERS => Some(now + rule.remind_every_ms.into()),
            // The escalation or the alarm comes next.
            None => None,
            Some(_) if call.slow_rounds < MAX_SLOW => {
                call.slow_rounds += 1;
                Some(now + slow.into())
            }
            Some(_) => None,
        };
        for person in people {
            let p = self.callout.agencies[a].place(person);
            self.callout.agencies[a].people[p].burst = 0;
            self.attempt(a, p);
        }
    }

    /// One attempt on a person's next channel; none if they have left, or their agency has.
    fn attempt(&mut self, a: usize, p: usize) {
        let (callout, agency) = (self.callout.id, self.callout.agencies[a].agency);
        let now = self.now;
        let notified = &mut self.callout.agencies[a].people[p];
        let person = notified.person;
        let Some(known) = self.ctx.agency_person(agency, person) else { return };
        let channel = known.channel(notified.attempts, &notified.tried()).unwrap_or(Channel::InApp);
        notified.attempts += 1;
        notified.burst = notified.burst.saturating_add(1);
        let attempt = notified.attempts;
        let id = notice_id(callout, agency, person, attempt, channel);
        if notified.kept.len() >= MAX_PAGES_KEPT {
            notified.kept.remove(0);
        }
        notified.kept.push(Attempt::new(id, attempt, channel, now));
        self.agency_effect(agency, AgencyEffect::Notify { id, person, attempt, channel });
        self.record_agency(agency, AgencyEvent::Notified, Some(person), Some(id));
    }

    /// What became of an attempt; false if there is none with this id.
    pub(crate) fn agency_receipt(&mut self, receipt: PageReceipt) -> bool {
        let now = self.now;
        let found = self.callout.agencies.iter().enumerate().find_map(|(a, call)| {
            let place = |n: &Notified| n.kept.iter().position(|attempt| attempt.id == receipt.page);
            call.people.iter().enumerate().find_map(|(p, n)| place(n).map(|i| (a, p, i)))
        });
        let Some((a, p, i)) = found else { return false };
        let call = &mut self.callout.agencies[a];
        let (agency, waits) = (call.agency, call.is_waiting());
        let notified = &mut call.people[p];
        let newest = i + 1 == notified.kept.len();
        let attempt = &mut notified.kept[i];
        match receipt.outcome {
            PageOutcome::Reached(how_far) => {
                attempt.handed_over_at.get_or_insert(now);
                if how_far == Receipt::Delivered {
                    attempt.delivered_at.get_or_insert(now);
                }
            }
            PageOutcome::Failed(_) if attempt.failed.is_some() => {}
            PageOutcome::Failed(reason) => {
                attempt.failed = Some(reason);
                let (person, attempts, tried) = (notified.person, notified.attempts, notified.tried());
                self.record_agency(agency, AgencyEvent::Failed, Some(person), Some(receipt.page));
                let known = self.ctx.agency_person(agency, person);
                if waits && newest && known.is_some_and(|known| known.channel(attempts, &tried).is_some()) {
                    self.attempt(a, p);
                }
            }
        }
        true
    }

    /// "We know." By anybody of the agency who takes notices or was notified; the first one counts, and again is
    /// harmless.
    pub(crate) fn acknowledge_notice(&mut self, by: Actor) -> Result<(), Refused> {
        let a = self.callout.agencies.iter().position(|call| call.is_seen_by(by)).ok_or(Refused::Forbidden)?;
        let call = &mut self.callout.agencies[a];
        if call.acknowledged.is_some() {
            return Ok(());
        }
        call.acknowledged = Some((by.person, self.now));
        call.stop();
        let agency = call.agency;
        self.by = Some(by.person);
        self.record_agency(agency, AgencyEvent::Acknowledged, Some(by.person), None);
        self.by = None;
        self.stop_telling(a, false);
        Ok(())
    }

    /// The callout was cancelled or merged: whoever heard of it hears that, too.
    pub(crate) fn call_off_agencies(&mut self) {
        for a in 0..self.callout.agencies.len() {
            let call = &mut self.callout.agencies[a];
            call.called_off_at = Some(self.now);
            call.stop();
            let agency = call.agency;
            self.record_agency(agency, AgencyEvent::CalledOff, None, None);
            self.stop_telling(a, true);
        }
    }

    fn stop_telling(&mut self, a: usize, called_off: bool) {
        let call = &self.callout.agencies[a];
        let (agency, people) = (call.agency, call.people.iter().map(|n| n.person).collect::<Vec<_>>());
        for person in people {
            self.agency_effect(agency, AgencyEffect::Stop { person, called_off });
        }
    }

    fn agency_effect(&mut self, agency: OrgId, what: AgencyEffect) {
        self.effects.push(Effect::Agency { agency, what });
    }

    fn record_agency(&mut self, agency: OrgId, event: AgencyEvent, person: Option<PersonId>, page: Option<PageId>) {
        self.agency_effect(agency, AgencyEffect::Record { event, by: self.by, person, page });
    }
}

impl AgencyPerson {
    /// The channel of the `n`th attempt, from 0: each in turn, over and over; `None` when all were `tried`.
    fn channel(&self, n: u32, tried: &[Channel]) -> Option<Channel> {
        next_untried(&self.channels, n as usize % self.channels.len().max(1), tried)
    }
}

impl<'a> crate::Context<'a> {
    fn agency_rule(&self, agency: OrgId, routing: &Routing) -> Option<&'a AgencyNotice> {
        self.policy.agency_notices.iter().find(|rule| rule.agency == agency && rule.covers(routing))
    }

    fn agency_person(&self, agency: OrgId, person: PersonId) -> Option<&'a AgencyPerson> {
        self.agencies.iter().find(|known| known.agency == agency && known.person == person)
    }

    /// Whose turn it is at the `round`th reminder, from 1; everybody after the escalation.
    fn notified(&self, rule: &AgencyNotice, round: usize, everybody: bool) -> Vec<PersonId> {
        let named = rule.people.iter().filter(|person| self.agency_person(rule.agency, **person).is_some());
        let mut people: Vec<_> = named.copied().take(if everybody { MAX_NOTIFIED } else { round }).collect();
        if everybody || people.is_empty() {
            let takes = self.agencies.iter().filter(|known| known.agency == rule.agency && known.takes_notices);
            let mut others: Vec<_> = takes.map(|known| known.person).filter(|p| !people.contains(p)).collect();
            others.sort_unstable();
            others.dedup();
            people.extend(others);
        }
        people.truncate(MAX_NOTIFIED);
        people
    }
}

impl AgencyCall {
    /// Whether a viewer may know of this notice: people of its agency who take notices, or were notified.
    fn is_seen_by(&self, viewer: Actor) -> bool {
        !viewer.host
            && viewer.org == self.agency
            && (takes_notices(viewer.role) || self.people.iter().any(|n| n.person == viewer.person))
    }
}
