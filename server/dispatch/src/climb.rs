//! Escalation: step after step, then slow rounds, until as many have accepted as are wanted.

use crate::{Audience, CallerNews, Effect, Notice, key::outside_id, matching::Candidate, step::Work};
use firstlight_protocol::{
    Timestamp,
    callout::{Alarm, Event, ResponderState, Tier},
    policy::{Millis, Step, Target},
};

impl<'a> Work<'a> {
    /// Begins at the first step: when a callout is opened, and when it is reopened.
    pub(crate) fn begin_round(&mut self) {
        self.callout.climb.tier = Tier::Primary;
        self.callout.climb.walk = 0;
        self.enter_step(0, self.now);
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
            self.callout.climb.stop();
            self.record(Event::Filled, None, None);
            for i in 0..self.callout.responders.len() {
                if self.callout.responders[i].state.is_called() {
                    self.stand_down(i);
                }
            }
        }
    }

    /// The next step when its time has come, or at once when nobody of this one can still answer.
    pub(crate) fn climb_while_due(&mut self) {
        while self.callout.is_paging() {
            let climb = &self.callout.climb;
            let due = climb.next_at.filter(|at| *at <= self.now);
            let (held, relaxes) = (climb.relax_at.is_some(), climb.relax_at.is_some_and(|at| at <= self.now));
            match () {
                () if due.is_some() && held => self.call_all_held(),
                // On schedule, not from now: a timer that runs late must not make the ones after it late as well.
                () if due.is_some() => self.leave_step(due.unwrap_or(self.now)),
                () if relaxes || (held && !self.somebody_left()) => self.call_fitting(),
                () if self.may_hurry() => self.leave_step(self.now),
                () => break,
            }
        }
    }

    /// The step that was called last. A policy with fewer steps than the one before is at its last.
    pub(crate) fn step_index(&self) -> usize {
        self.callout.climb.step().min(self.last_step())
    }

    pub(crate) fn last_step(&self) -> usize {
        self.escalation.steps.len().saturating_sub(1)
    }

    /// Whether somebody whom this step called can still answer.
    pub(crate) fn somebody_left(&self) -> bool {
        let (step, round) = (self.callout.climb.step(), self.callout.climb.round);
        self.callout.responders.iter().any(|r| r.step() == step && r.round == round && r.state.is_called())
    }

    /// Whether the next step need not wait. What was told to somebody outside is given its time.
    fn may_hurry(&self) -> bool {
        let i = self.step_index();
        let outside = |step: &Step| step.targets.iter().any(|target| matches!(target, Target::Outside { .. }));
        i < self.last_step() && !self.somebody_left() && !self.escalation.steps.get(i).is_some_and(outside)
    }

    /// To the next step, to the next walk through all of them, or to the next slow round.
    fn leave_step(&mut self, since: Timestamp) {
        let i = self.step_index();
        if i < self.last_step() {
            self.enter_step(i + 1, since);
        } else if self.callout.climb.walk + 1 < self.escalation.rounds {
            self.callout.climb.walk += 1;
            self.enter_step(0, since);
        } else {
            self.slow_round();
        }
    }

    fn enter_step(&mut self, i: usize, since: Timestamp) {
        let Some(step) = self.escalation.steps.get(i) else { return };
        let next_at = since + self.window(i).into();
        self.callout.climb.enter(i, since, next_at);
        self.callout.climb.tier = match tier_of(step) {
            _ if self.callout.climb.tier == Tier::Everyone => Tier::Everyone,
            tier => tier,
        };
        for tier in step.targets.iter().filter_map(rota_tier) {
            if !self.anybody_in(tier) {
                self.raise(Alarm::EmptyTier { tier });
            }
        }
        let fresh = self.fresh(i);
        if !fresh.is_empty() && !fresh.iter().any(|c| c.qualified.speaks(&self.callout.routing)) {
            self.raise(Alarm::NoLanguageMatch { tier: tier_of(step) });
        }
        let begun: Vec<_> = fresh.iter().map(|c| c.target).collect();
        self.call_matching(fresh);
        for (t, target) in step.targets.iter().enumerate() {
            self.tell_target(i, target, begun.contains(&t));
        }
        if step.tell_officer {
            self.tell_nobody_yet();
        }
    }

    /// A target of the step that begins: into the history, and to whoever is outside.
    fn tell_target(&mut self, i: usize, target: &Target, begun: bool) {
        let step = Some(i);
        match target {
            Target::Tier { tier } if begun => self.record_step(Event::TierPaged, step, None, Some(*tier), None),
            Target::Tier { tier } => self.record_step(Event::TierEmpty, step, None, Some(*tier), None),
            Target::Everyone => {
                let event = if begun { Event::TierPaged } else { Event::TierEmpty };
                self.record_step(event, step, None, Some(Tier::Everyone), None);
            }
            Target::Person { person } if begun => {
                self.record_step(Event::PersonPaged, step, Some(*person), None, None);
            }
            Target::Person { .. } => {}
            Target::Outside { code } => {
                let climb = &self.callout.climb;
                let id = outside_id(self.callout.id, climb.round, climb.walk, i, code);
                self.effects.push(Effect::Outside { id, code: code.clone() });
                self.record_step(Event::OutsideTold, step, None, None, None);
            }
        }
    }

    /// Whom a step calls now, best match first: those who have not been called in this round and have not said no; in a
    /// later walk also those who are silent and whose turn is over.
    pub(crate) fn fresh(&self, i: usize) -> Vec<Candidate<'a>> {
        let (round, again) = (self.callout.climb.round, self.callout.climb.walk > 0);
        let states = self.callout.places();
        let mut people = self.candidates(i);
        people.retain(|c| match states.get(&c.qualified.person).map(|i| &self.callout.responders[*i]) {
            None => true,
            Some(r) if r.state == ResponderState::StoodDown => r.round < round,
            Some(r) => {
                let over = r.next_call_at.is_none() && r.called_at.is_none_or(|at| at < self.now);
                again && r.state.is_called() && over
            }
        });
        people
    }

    /// Everyone has been called: once more those whose turn is over, and whoever is new among the qualified.
    fn slow_round(&mut self) {
        self.callout.climb.walk = self.callout.climb.walk.max(self.escalation.rounds);
        self.callout.climb.next_at = Some(self.now + self.ctx.policy.timers.slow_repeat_ms.into());
        for i in 0..self.callout.responders.len() {
            let responder = &self.callout.responders[i];
            let silent = responder.state.is_called() && responder.next_call_at.is_none();
            if silent && responder.called_at.is_none_or(|at| at < self.now) {
                self.call(i);
            }
        }
        let fresh = self.fresh(self.last_step());
        for candidate in fresh {
            self.begin_turn(candidate.qualified, candidate.tier);
        }
        self.tell_nobody_yet();
    }

    /// How long a step is alone before the next one is called as well.
    fn window(&self, i: usize) -> Millis {
        let after = |i: usize| self.escalation.steps.get(i).map(|step| step.after_ms.0);
        match (after(i), after(i + 1)) {
            (Some(this), Some(next)) => Millis(next.saturating_sub(this)),
            _ => self.ctx.policy.timers.slow_repeat_ms,
        }
    }

    fn tell_nobody_yet(&mut self) {
        match self.callout.wanted.saturating_sub(self.callout.accepted()) {
            missing if self.callout.accepted() > 0 => self.raise(Alarm::Unfilled { missing }),
            _ => {
                if !self.has_raised(Alarm::Unanswered) {
                    self.record(Event::Unanswered, None, None);
                    self.tell_caller(CallerNews::Nobody);
                }
                self.raise(Alarm::Unanswered);
            }
        }
        self.notify(Audience::Agency, Notice::NobodyYet);
        self.notify(Audience::Supervisors, Notice::NobodyYet);
    }
}

/// In which tier a step stands, as a whole.
fn tier_of(step: &Step) -> Tier {
    let tiers: Vec<_> = step.targets.iter().filter_map(rota_tier).collect();
    match tiers.as_slice() {
        tiers if tiers.contains(&Tier::Everyone) => Tier::Everyone,
        [first, ..] => *first,
        [] => Tier::Named,
    }
}

/// The tier that a target calls whole.
fn rota_tier(target: &Target) -> Option<Tier> {
    match target {
        Target::Tier { tier } => Some(*tier),
        Target::Everyone => Some(Tier::Everyone),
        Target::Person { .. } | Target::Outside { .. } => None,
    }
}
