//! What people do, and who may do it.

use crate::{
    Actor, Audience, CallerNews, Notice, RecentCallout, Refused,
    callout::{Phase, Responder},
    step::{Work, at_least},
};
use firstlight_protocol::{
    CalloutId, PersonId,
    callout::{Action, Event, Outcome, OutcomeReason, ResponderState, Tier},
};
use std::time::Duration;

/// An arrival that moves by less is not worth another text message to an officer without an app. Five minutes less, said a
/// moment after the key that accepted, is.
const WORTH_TELLING: Duration = Duration::from_secs(4 * 60);

impl Work<'_> {
    pub(crate) fn act(&mut self, by: Actor, action: Action) -> Result<(), Refused> {
        match action {
            Action::Acknowledge => self.acknowledge(by),
            Action::Accept { eta_minutes } => self.accept(by, eta_minutes),
            Action::Decline => self.decline(by),
            Action::Eta { eta_minutes } => self.change_eta(by, eta_minutes),
            Action::EnRoute => self.advance(by, ResponderState::EnRoute, Event::EnRoute),
            Action::Arrived => self.advance(by, ResponderState::Arrived, Event::Arrived),
            Action::WithYoungPerson => self.advance(by, ResponderState::WithYoungPerson, Event::WithYoungPerson),
            Action::HandOver => self.advance(by, ResponderState::HandedOver, Event::HandedOver),
            Action::Cancel { .. } => self.cancel(by),
            Action::Merge { into } => self.merge(by, into),
            Action::CallMore { wanted, people } => self.call_more(by, wanted, &people),
            Action::Bar { person } => self.bar(by, person),
            Action::Close { reasons, support, kits_given } => {
                let closed_at = self.now;
                self.close(by, Outcome { closed_at, reviewed_at: None, reasons, support, kits_given, welfare: None })
            }
            Action::Review { reasons, welfare } => {
                self.review(by, reasons)?;
                if let Some(outcome) = &mut self.callout.outcome {
                    outcome.welfare = Some(welfare);
                }
                Ok(())
            }
        }
    }

    /// The responder's place in the list, if the callout is open and they were called.
    fn responder(&self, by: Actor) -> Result<usize, Refused> {
        let i = self.callout.position(by.person).filter(|_| by.host).ok_or(Refused::Forbidden)?;
        self.must_be_open()?;
        Ok(i)
    }

    fn must_be_open(&self) -> Result<(), Refused> {
        if self.callout.is_open() { Ok(()) } else { Err(self.wrong_state()) }
    }

    fn wrong_state(&self) -> Refused {
        Refused::WrongState(self.callout.state())
    }

    /// Nobody with a conflict of interest takes part, whoever called them before it was known.
    fn must_not_be_barred(&self, by: Actor) -> Result<(), Refused> {
        if self.callout.is_barred(by.person, self.ctx) { Err(Refused::Forbidden) } else { Ok(()) }
    }

    /// "I am awake": a pause for this person's calls, nothing else.
    fn acknowledge(&mut self, by: Actor) -> Result<(), Refused> {
        let i = self.responder(by)?;
        self.must_not_be_barred(by)?;
        match self.callout.responders[i].state {
            state if state.is_called() => {}
            ResponderState::StoodDown if !self.callout.is_paging() => return Err(Refused::AlreadyFilled),
            _ => return Err(self.wrong_state()),
        }
        self.answered(by.person);
        self.callout.responders[i].enter(ResponderState::Acknowledged);
        self.callout.responders[i].next_call_at = Some(self.now + self.ctx.policy.timers.acknowledge_grace_ms.into());
        self.record(Event::Acknowledged, Some(by.person), None);
        Ok(())
    }

    /// "I am going." A supervisor of the host may go without having been called.
    fn accept(&mut self, by: Actor, eta_minutes: u16) -> Result<(), Refused> {
        let i = match self.responder(by) {
            Err(Refused::Forbidden) if by.supervises() => {
                self.must_be_open()?;
                None
            }
            found => Some(found?),
        };
        self.must_not_be_barred(by)?;
        if i.is_some_and(|i| self.callout.responders[i].state.is_active()) {
            return Err(self.wrong_state());
        }
        if !self.callout.is_paging() {
            return Err(Refused::AlreadyFilled);
        }
        let i = i.unwrap_or_else(|| {
            self.callout.responders.push(Responder::new(by.person, Tier::Supervisor, &self.callout.climb));
            self.callout.responders.len() - 1
        });
        self.answered(by.person);
        self.callout.responders[i].enter(ResponderState::Accepted);
        self.record(Event::Accepted, Some(by.person), None);
        self.set_eta(i, eta_minutes);
        self.notify(Audience::Agency, Notice::Accepted);
        self.tell_caller(CallerNews::Accepted { eta_minutes });
        self.stop_if_filled();
        Ok(())
    }

    /// "I can't go", or "I can't go after all", which opens the paging again.
    fn decline(&mut self, by: Actor) -> Result<(), Refused> {
        let i = self.responder(by)?;
        match self.callout.responders[i].state {
            ResponderState::Paged | ResponderState::Acknowledged | ResponderState::StoodDown => {
                self.answered(by.person);
                self.callout.responders[i].enter(ResponderState::Declined);
                self.record(Event::Declined, Some(by.person), None);
            }
            ResponderState::Accepted | ResponderState::EnRoute => {
                self.callout.responders[i].enter(ResponderState::Withdrew);
                self.record(Event::Withdrew, Some(by.person), None);
                self.replace();
            }
            _ => return Err(self.wrong_state()),
        }
        Ok(())
    }

    /// Somebody who was coming is not: others are called in their place.
    fn replace(&mut self) {
        self.notify(Audience::Agency, Notice::Withdrew);
        self.notify(Audience::Supervisors, Notice::Withdrew);
        if self.callout.accepted() == 0 {
            self.tell_caller(CallerNews::Paging);
        }
        self.reopen_if_filled();
    }

    /// By a supervisor: somebody with a conflict of interest is kept out, or taken out wherever they stand.
    fn bar(&mut self, by: Actor, person: PersonId) -> Result<(), Refused> {
        if !by.supervises() {
            return Err(Refused::Forbidden);
        }
        self.must_be_open()?;
        let i = self.callout.position(person);
        if i.is_none() && self.ctx.qualified(person).is_none() {
            return Err(Refused::invalid("person: somebody who answers callouts."));
        }
        if self.callout.barred.contains(&person) {
            return Ok(());
        }
        self.callout.barred.push(person);
        self.record(Event::Barred, Some(person), None);
        if let Some(i) = i {
            let state = self.callout.responders[i].state;
            if state.is_called() || (state.is_active() && state != ResponderState::HandedOver) {
                self.stand_down(i);
            }
            if state.is_active() && state != ResponderState::HandedOver {
                self.replace();
            }
        }
        Ok(())
    }

    fn change_eta(&mut self, by: Actor, eta_minutes: u16) -> Result<(), Refused> {
        let i = self.responder(by)?;
        if !matches!(self.callout.responders[i].state, ResponderState::Accepted | ResponderState::EnRoute) {
            return Err(self.wrong_state());
        }
        self.record(Event::EtaChanged, Some(by.person), None);
        let before = self.callout.responders[i].eta_at;
        self.set_eta(i, eta_minutes);
        let after = self.callout.responders[i].eta_at;
        if let (Some(before), Some(after)) = (before, after)
            && before.since(after).max(after.since(before)) >= WORTH_TELLING
        {
            self.tell_caller(CallerNews::Accepted { eta_minutes });
        }
        Ok(())
    }

    /// Further along. Steps may be skipped (nobody taps "on the way" while driving); there is no way back, and nobody
    /// hands over who was not there.
    fn advance(&mut self, by: Actor, to: ResponderState, event: Event) -> Result<(), Refused> {
        let i = self.responder(by)?;
        let from = self.callout.responders[i].state;
        let there = matches!(from, ResponderState::Arrived | ResponderState::WithYoungPerson);
        if !from.is_active() || from >= to || (to == ResponderState::HandedOver && !there) {
            return Err(self.wrong_state());
        }
        self.callout.responders[i].enter(to);
        self.record(event, Some(by.person), None);
        if from < ResponderState::Arrived && to >= ResponderState::Arrived {
            self.tell_caller(CallerNews::Arrived);
        }
        Ok(())
    }

    /// By a supervisor, or by a responder who accepted.
    fn close(&mut self, by: Actor, outcome: Outcome) -> Result<(), Refused> {
        self.takes_part_or_supervises(by)?;
        self.must_be_open()?;
        self.end(Phase::Closed, Event::Closed, by.person);
        self.callout.review_due_at = Some(self.now + self.ctx.policy.timers.review_within_ms.into());
        self.callout.outcome = Some(outcome);
        Ok(())
    }

    /// By a supervisor.
    fn review(&mut self, by: Actor, reasons: Vec<OutcomeReason>) -> Result<(), Refused> {
        if !by.supervises() {
            return Err(Refused::Forbidden);
        }
        if self.callout.phase != Phase::Closed {
            return Err(self.wrong_state());
        }
        self.callout.phase = Phase::Reviewed;
        self.callout.review_due_at = None;
        let now = self.now;
        if let Some(outcome) = &mut self.callout.outcome {
            outcome.reviewed_at = Some(now);
            let new: Vec<_> = reasons.into_iter().filter(|r| !outcome.reasons.contains(r)).collect();
            outcome.reasons.extend(new);
        }
        self.record(Event::Reviewed, Some(by.person), None);
        Ok(())
    }

    /// By whoever opened it, their watch commander, or a supervisor.
    fn cancel(&mut self, by: Actor) -> Result<(), Refused> {
        if !(self.callout.is_led_by(by) || by.supervises()) {
            return Err(Refused::Forbidden);
        }
        self.must_be_open()?;
        self.end(Phase::Cancelled, Event::Cancelled, by.person);
        self.tell_called_off(by);
        Ok(())
    }

    /// By whoever may cancel; police only into a callout of their own agency.
    fn merge(&mut self, by: Actor, into: CalloutId) -> Result<(), Refused> {
        if !(self.callout.is_led_by(by) || by.supervises()) {
            return Err(Refused::Forbidden);
        }
        self.must_be_open()?;
        let target = self.ctx.recent.iter().find(|other| other.id == into && into != self.callout.id);
        let same = |other: &RecentCallout| other.purpose == self.callout.purpose;
        if !target.is_some_and(|o| same(o) && (by.supervises() || o.agency == self.callout.agency)) {
            return Err(Refused::invalid("into: another open callout of the last while."));
        }
        self.end(Phase::Merged { into }, Event::Merged, by.person);
        self.tell_called_off(by);
        Ok(())
    }

    /// More by a supervisor or a responder who accepted; certain people by a supervisor.
    fn call_more(&mut self, by: Actor, wanted: u8, people: &[PersonId]) -> Result<(), Refused> {
        self.takes_part_or_supervises(by)?;
        if !people.is_empty() && !by.supervises() {
            return Err(Refused::Forbidden);
        }
        self.must_be_open()?;
        let wanted = at_least(self.ctx, &self.callout.routing, wanted);
        if wanted <= self.callout.accepted() {
            return Err(Refused::invalid("wanted: more than have accepted."));
        }
        let mut asked = Vec::with_capacity(people.len());
        for person in people {
            let Some(qualified) = self.qualified(*person) else {
                return Err(Refused::invalid(
                    "people: only those who answer callouts, and are not barred from this one.",
                ));
            };
            asked.push(qualified);
        }
        self.callout.wanted = wanted;
        self.record(Event::CalledMore, Some(by.person), None);
        self.reopen_if_filled();
        for qualified in asked {
            let i = self.callout.position(qualified.person);
            if i.is_none_or(|i| !busy(&self.callout.responders[i], self.now)) {
                self.begin_turn(qualified, self.callout.climb.tier);
            }
        }
        Ok(())
    }

    fn tell_called_off(&mut self, by: Actor) {
        self.notify(Audience::Agency, Notice::CalledOff);
        self.notify(Audience::Supervisors, Notice::CalledOff);
        // Whoever called it off themself knows.
        if by.person != self.callout.opened_by {
            self.tell_caller(CallerNews::CalledOff);
        }
    }

    fn takes_part_or_supervises(&self, by: Actor) -> Result<(), Refused> {
        let takes_part = || {
            by.host && self.callout.position(by.person).is_some_and(|i| self.callout.responders[i].state.is_active())
        };
        if by.supervises() || takes_part() { Ok(()) } else { Err(Refused::Forbidden) }
    }

    /// Nobody is called any more, and whoever is not there yet need not come. Somebody who closes it themself knows.
    fn end(&mut self, phase: Phase, event: Event, by: PersonId) {
        self.record(event, Some(by), None);
        for i in 0..self.callout.responders.len() {
            let responder = &mut self.callout.responders[i];
            let coming = matches!(responder.state, ResponderState::Accepted | ResponderState::EnRoute);
            let knows = phase == Phase::Closed && coming && responder.person == by;
            (responder.check_movement_at, responder.check_arrival_at) = (None, None);
            if (coming && !knows) || responder.state.is_called() {
                self.stand_down(i);
            }
        }
        self.callout.phase = phase;
        self.callout.climb.stop();
        if phase != Phase::Closed {
            self.call_off_agencies();
        }
    }
}

/// Taking part already, or called in this very moment.
fn busy(responder: &Responder, now: firstlight_protocol::Timestamp) -> bool {
    responder.state.is_active() || (responder.state.is_called() && responder.called_at == Some(now))
}
