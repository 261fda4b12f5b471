//! Everything that will happen by itself. The runner keeps one durable timer per callout: the soonest of these.

use crate::{Callout, agencies::AgencyCall};
use firstlight_protocol::{
    PersonId, Timestamp,
    callout::{NextAction, NextStep, Tier},
    policy::{Policy, Step, Target},
};

impl Callout {
    /// When the engine wants a [`Timer`](crate::Input::Timer) next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let agencies = self.agencies.iter().filter_map(AgencyCall::next_wake);
        let own = self.timers_with(NextStep::CallEveryoneAgain).first().map(|next| next.at);
        own.into_iter().chain(agencies).min()
    }

    /// Every running timer, soonest first. Those of other agencies stand with their notices: they are nothing that
    /// happens next about the callout.
    pub(crate) fn timers(&self, policy: &Policy) -> Vec<NextAction> {
        let escalation = policy.escalation_of(&self.routing.zone);
        let (walk, step) = (self.climb.walk + 1, self.climb.step() + 1);
        let next = match escalation.steps.get(step) {
            None if walk < escalation.rounds => escalation.steps.first(),
            next => next,
        };
        self.timers_with(next.map_or(NextStep::CallEveryoneAgain, word))
    }

    /// With the word for what the escalation does next.
    fn timers_with(&self, climb: NextStep) -> Vec<NextAction> {
        let mut timers = Vec::new();
        let mut add = |what: NextStep, at: Option<Timestamp>, person: Option<PersonId>| {
            timers.extend(at.map(|at| NextAction { what, at, person }));
        };
        if self.is_paging() {
            add(climb, self.climb.next_at, None);
            add(NextStep::Relax, self.climb.relax_at, None);
        }
        for r in &self.responders {
            if r.state.is_called() {
                add(NextStep::CallAgain, r.next_call_at, Some(r.person));
                add(NextStep::CallAgain, r.stall_at, Some(r.person));
            }
            add(NextStep::CheckMovement, r.check_movement_at, Some(r.person));
            add(NextStep::CheckArrival, r.check_arrival_at, Some(r.person));
        }
        add(NextStep::CheckReview, self.review_due_at, None);
        timers.sort_by_key(|next| next.at);
        timers
    }
}

/// What a step does, in one word: that of the target that reaches most.
fn word(step: &Step) -> NextStep {
    let word = |target: &Target| match target {
        Target::Everyone => NextStep::PageEveryone,
        Target::Tier { tier: Tier::Primary } => NextStep::PagePrimary,
        Target::Tier { tier: Tier::Backup } => NextStep::PageBackup,
        Target::Tier { .. } => NextStep::PageSupervisor,
        Target::Person { .. } => NextStep::PagePerson,
        Target::Outside { .. } => NextStep::TellOutside,
    };
    let weight = |word: &NextStep| match word {
        NextStep::PageEveryone => 0,
        NextStep::PagePerson => 2,
        NextStep::TellOutside => 3,
        _ => 1,
    };
    step.targets.iter().map(word).min_by_key(weight).unwrap_or(NextStep::CallEveryoneAgain)
}
