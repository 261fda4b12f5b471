//! Everything that will happen by itself. The runner keeps one durable timer per callout: the soonest of these.

use crate::{Callout, agencies::AgencyCall};
use firstlight_protocol::{
    PersonId, Timestamp,
    callout::{NextAction, NextStep, Tier},
};

impl Callout {
    /// When the engine wants a [`Timer`](crate::Input::Timer) next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let agencies = self.agencies.iter().filter_map(AgencyCall::next_wake);
        self.timers().first().map(|next| next.at).into_iter().chain(agencies).min()
    }

    /// Every running timer, soonest first. Those of other agencies stand with their notices: they are nothing that
    /// happens next about the callout.
    pub(crate) fn timers(&self) -> Vec<NextAction> {
        let mut timers = Vec::new();
        let mut add = |what: NextStep, at: Option<Timestamp>, person: Option<PersonId>| {
            timers.extend(at.map(|at| NextAction { what, at, person }));
        };
        if self.is_paging() {
            let climb = match self.climb.tier {
                Tier::Primary => NextStep::PageBackup,
                Tier::Backup => NextStep::PageSupervisor,
                Tier::Supervisor => NextStep::PageEveryone,
                Tier::Everyone | Tier::Named => NextStep::CallEveryoneAgain,
            };
            add(climb, self.climb.next_at, None);
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
