//! Escalation: tier after tier, then slow rounds, until as many have accepted as are wanted.

use crate::{Audience, Notice, Qualified, step::Work};
use firstlight_protocol::{
    Timestamp,
    callout::{Alarm, Event, ResponderState, Tier},
    policy::{Millis, Timers},
};

impl<'a> Work<'a> {
    /// Begins at the first tier: when a callout is opened, and when it is reopened.
    pub(crate) fn begin_round(&mut self) {
        self.call_tier(Tier::Primary, self.now);
    }

    /// People are wanted again: somebody withdrew, or more are wanted. While people are being called anyway, there is
    /// nothing to reopen.
    pub(crate) fn reopen_if_filled(&mut self) {
        if self.callout.climb.next_at.is_none() && self.callout.is_paging() {
            self.callout.climb.round += 1;
            self.record(Event::Reopened, None, None);
            self.begin_round();
        }
    }

    /// As many have accepted as are wanted: nobody else is called.
    pub(crate) fn stop_if_filled(&mut self) {
        if self.callout.is_open() && self.callout.accepted() >= self.callout.wanted {
            self.callout.climb.next_at = None;
            self.record(Event::Filled, None, None);
            for i in 0..self.callout.responders.len() {
                if self.callout.responders[i].state.is_called() {
                    self.stand_down(i);
                }
            }
        }
    }

    /// The next tier when its time has come, or at once when nobody of this one can still answer.
    pub(crate) fn climb_while_due(&mut self) {
        while self.callout.is_paging() {
            let due = self.callout.climb.next_at.filter(|at| *at <= self.now);
            match next_tier(self.callout.climb.tier) {
                // On schedule, not from now: a timer that runs late must not make the ones after it late as well.
                Some(next) if due.is_some() || self.nobody_left() => self.call_tier(next, due.unwrap_or(self.now)),
                None if due.is_some() => self.slow_round(),
                _ => break,
            }
        }
    }

    /// Whether nobody who was called in this tier can still answer.
    fn nobody_left(&self) -> bool {
        let climb = self.callout.climb;
        !self.callout.responders.iter().any(|r| r.tier == climb.tier && r.round == climb.round && r.state.is_called())
    }

    fn call_tier(&mut self, tier: Tier, since: Timestamp) {
        self.callout.climb.tier = tier;
        self.callout.climb.next_at = Some(since + window(tier, &self.ctx.policy.timers).into());
        let on_duty = self.ctx.tier(tier, &self.callout.routing);
        if on_duty.is_empty() {
            self.raise(Alarm::EmptyTier { tier });
        }
        let called = self.call_fresh(tier, on_duty);
        self.record(if called { Event::TierPaged } else { Event::TierEmpty }, None, Some(tier));
        if tier == Tier::Everyone {
            self.tell_nobody_yet();
        }
    }

    /// Calls those of a tier who have not been called in this round and have not said no. Whether there were any.
    fn call_fresh(&mut self, tier: Tier, people: Vec<&'a Qualified>) -> bool {
        let round = self.callout.climb.round;
        let fresh: Vec<_> = people
            .into_iter()
            .filter(|q| match self.callout.position(q.person).map(|i| &self.callout.responders[i]) {
                None => true,
                Some(r) => r.state == ResponderState::StoodDown && r.round < round,
            })
            .collect();
        if !fresh.is_empty() && !fresh.iter().any(|q| q.speaks(&self.callout.routing)) {
            self.raise(Alarm::NoLanguageMatch { tier });
        }
        let any = !fresh.is_empty();
        for qualified in fresh {
            self.begin_turn(qualified, tier);
        }
        any
    }

    /// Everyone has been called: once more those whose turn is over, and whoever is new among the qualified.
    fn slow_round(&mut self) {
        self.callout.climb.next_at = Some(self.now + self.ctx.policy.timers.slow_repeat_ms.into());
        for i in 0..self.callout.responders.len() {
            let responder = &self.callout.responders[i];
            let silent = responder.state.is_called() && responder.next_call_at.is_none();
            if silent && responder.called_at.is_none_or(|at| at < self.now) {
                self.call(i);
            }
        }
        let everyone = self.ctx.tier(Tier::Everyone, &self.callout.routing);
        self.call_fresh(Tier::Everyone, everyone);
        self.tell_nobody_yet();
    }

    fn tell_nobody_yet(&mut self) {
        match self.callout.wanted.saturating_sub(self.callout.accepted()) {
            missing if self.callout.accepted() > 0 => self.raise(Alarm::Unfilled { missing }),
            _ => {
                if !self
                    .callout
                    .raised
                    .iter()
                    .any(|r| r.alarm == Alarm::Unanswered && r.round == self.callout.climb.round)
                {
                    self.record(Event::Unanswered, None, None);
                }
                self.raise(Alarm::Unanswered);
            }
        }
        self.notify(Audience::Agency, Notice::NobodyYet);
        self.notify(Audience::Supervisors, Notice::NobodyYet);
    }
}

fn next_tier(tier: Tier) -> Option<Tier> {
    match tier {
        Tier::Primary => Some(Tier::Backup),
        Tier::Backup => Some(Tier::Supervisor),
        Tier::Supervisor => Some(Tier::Everyone),
        Tier::Everyone | Tier::Named => None,
    }
}

/// How long a tier is alone before the next one is called as well.
fn window(tier: Tier, timers: &Timers) -> Millis {
    let between = |a: Millis, b: Millis| Millis(b.0.saturating_sub(a.0));
    match tier {
        Tier::Primary => timers.backup_after_ms,
        Tier::Backup => between(timers.backup_after_ms, timers.supervisor_after_ms),
        Tier::Supervisor => between(timers.supervisor_after_ms, timers.everyone_after_ms),
        Tier::Everyone | Tier::Named => timers.slow_repeat_ms,
    }
}
