//! Calling one person: the next channel, again and again, until they answer or their turn is over.

use crate::{
    Effect, PageOutcome, PageReceipt, Qualified,
    callout::{MAX_PAGES_KEPT, Page, Responder},
    key::page_id,
    step::Work,
};
use firstlight_protocol::{
    PersonId,
    callout::{Alarm, Event, FailReason, Receipt, ResponderState, Tier},
    policy::Channel,
};

impl<'a> Work<'a> {
    /// Begins a person's turn: they are called now, whatever they were before.
    pub(crate) fn begin_turn(&mut self, qualified: &'a Qualified, tier: Tier) {
        let person = qualified.person;
        let i = self.callout.position(person).unwrap_or_else(|| {
            self.callout.responders.push(Responder::new(person, tier, &self.callout.climb));
            self.callout.responders.len() - 1
        });
        let (step, round) = (self.callout.climb.step(), self.callout.climb.round);
        let responder = &mut self.callout.responders[i];
        responder.enter(ResponderState::Paged);
        (responder.tier, responder.round, responder.calls) = (tier, round, 0);
        responder.step = u8::try_from(step).ok();
        self.call(i);
    }

    /// One call: the first page of it goes out now, and those of the rules that follow in the same moment. Somebody who is
    /// not qualified any more, or barred, is stood down instead.
    pub(crate) fn call(&mut self, i: usize) {
        let repeat = self.ctx.policy.timers.repeat_every_ms;
        let (now, turn) = (self.now, self.turn(i));
        loop {
            let Some(qualified) = self.qualified(self.callout.responders[i].person) else {
                return self.stand_down(i);
            };
            let responder = &mut self.callout.responders[i];
            responder.calls = responder.calls.saturating_add(1);
            responder.burst = 0;
            responder.called_at = Some(now);
            let pause = qualified.pause(responder.calls, repeat);
            let another = responder.calls < turn;
            responder.next_call_at = another.then(|| now + pause.into());
            self.page(i);
            if !another || pause.0 > 0 {
                return;
            }
        }
    }

    /// How many calls make this person's turn.
    fn turn(&self, i: usize) -> u16 {
        let step = self.callout.responders[i].step().min(self.last_step());
        let own = self.escalation.steps.get(step).and_then(|step| step.repeat);
        own.unwrap_or(self.ctx.policy.calls_per_turn)
    }

    fn page(&mut self, i: usize) {
        let person = self.callout.responders[i].person;
        let Some(qualified) = self.qualified(person) else {
            return self.stand_down(i);
        };
        let stall = self.ctx.policy.timers.channel_stall_ms;
        let now = self.now;
        let responder = &mut self.callout.responders[i];
        let mut tried = responder.tried();
        let channel = match qualified.way(responder.attempts, responder.calls, &tried) {
            Some(channel) => channel,
            None if tried.is_empty() => Channel::InApp,
            // What was still to come when the newest page went out is no way any more.
            None => return responder.stall_at = None,
        };
        tried.push(channel);
        responder.attempts += 1;
        responder.burst = responder.burst.saturating_add(1);
        let more = qualified.way(responder.attempts, responder.calls, &tried).is_some();
        responder.stall_at = more.then(|| now + stall.into());
        let (tier, attempt) = (responder.tier, responder.attempts);
        let id = page_id(self.callout.id, person, attempt, channel);
        if responder.pages.len() >= MAX_PAGES_KEPT {
            responder.pages.remove(0);
        }
        responder.pages.push(Page {
            id,
            attempt,
            channel,
            ordered_at: now,
            handed_over_at: None,
            delivered_at: None,
            answered_at: None,
            failed: None,
        });
        self.effects.push(Effect::Page { id, person, tier, attempt, channel });
        self.record_page(Event::PageSent, person, tier, id);
    }

    /// Calls again whoever has not answered in time, and passes over channels that have not taken their page.
    pub(crate) fn call_who_is_due(&mut self) {
        if !self.callout.is_paging() {
            return;
        }
        for i in 0..self.callout.responders.len() {
            let responder = &self.callout.responders[i];
            if !responder.state.is_called() {
                continue;
            }
            if responder.next_call_at.is_some_and(|at| at <= self.now) {
                self.call(i);
            } else if responder.stall_at.is_some_and(|at| at <= self.now) {
                self.page(i);
            }
        }
    }

    /// What became of a page. Only the newest page to somebody who is still silent moves anything on.
    pub(crate) fn receipt(&mut self, receipt: PageReceipt) {
        let now = self.now;
        let found = self
            .callout
            .responders
            .iter()
            .enumerate()
            .find_map(|(i, r)| r.pages.iter().position(|p| p.id == receipt.page).map(|p| (i, p)));
        let Some((i, p)) = found else {
            self.agency_receipt(receipt);
            return;
        };
        let paging = self.callout.is_paging();
        let responder = &mut self.callout.responders[i];
        let newest = p + 1 == responder.pages.len();
        let page = &mut responder.pages[p];
        let reason = match receipt.outcome {
            PageOutcome::Reached(how_far) => {
                page.handed_over_at.get_or_insert(now);
                if how_far == Receipt::Delivered {
                    page.delivered_at.get_or_insert(now);
                }
                if newest {
                    responder.stall_at = None;
                }
                return;
            }
            PageOutcome::Failed(_) if page.failed.is_some() => return,
            PageOutcome::Failed(reason) => reason,
        };
        page.failed = Some(reason);
        let (person, tier) = (responder.person, responder.tier);
        let silent = paging && newest && responder.state == ResponderState::Paged;
        let burst = usize::from(responder.burst);
        let all_failed = responder.pages.iter().rev().take(burst).all(|p| p.failed.is_some());
        let (attempts, calls, tried) = (responder.attempts, responder.calls, responder.tried());
        let untried = self.qualified(person).is_some_and(|q| q.way(attempts, calls, &tried).is_some());
        self.record_page(Event::PageFailed, person, tier, receipt.page);
        if matches!(reason, FailReason::BlockedSender | FailReason::UnknownNumber) {
            self.raise(Alarm::ContactBroken { person, reason });
        }
        match () {
            () if !silent => {}
            () if untried => self.page(i),
            () if all_failed => self.raise(Alarm::Unreachable { person }),
            () => {}
        }
    }

    /// Marks the newest page as answered.
    pub(crate) fn answered(&mut self, person: PersonId) {
        let now = self.now;
        if let Some(i) = self.callout.position(person)
            && let Some(page) = self.callout.responders[i].pages.last_mut()
        {
            page.answered_at.get_or_insert(now);
        }
    }

    /// Not needed (any more).
    pub(crate) fn stand_down(&mut self, i: usize) {
        let responder = &mut self.callout.responders[i];
        responder.enter(ResponderState::StoodDown);
        let person = responder.person;
        self.effects.push(Effect::StandDown { person });
        self.record(Event::StoodDown, Some(person), None);
    }
}
