//! Who of a step is called first: wishes about the responder hold others back for a while, and conflicts of interest
//! keep them out altogether.

use crate::{Callout, Context, Qualified, step::Work};
use firstlight_protocol::{
    PersonId, Timestamp,
    callout::{Constraint, Event, Preference, Routing, Tier},
    policy::Target,
};
use std::collections::HashSet;

/// Somebody whom a step may call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) qualified: &'a Qualified,
    /// The step's target that names them first.
    pub(crate) target: usize,
    pub(crate) tier: Tier,
}

impl Qualified {
    pub(crate) fn speaks(&self, routing: &Routing) -> bool {
        routing.languages.is_empty()
            || routing.languages.iter().any(|l| self.languages.iter().any(|mine| mine.primary() == l.primary()))
    }

    pub(crate) fn meets(&self, constraint: Constraint, routing: &Routing) -> bool {
        match constraint {
            Constraint::Zone => self.zones.is_empty() || self.zones.contains(&routing.zone),
            Constraint::Training => routing.training.iter().all(|code| self.training.contains(code)),
            Constraint::Preference => routing.preference == Preference::Any || routing.preference == self.meets,
            Constraint::Language => self.speaks(routing),
        }
    }

    /// What they do not meet, the weightiest first: the order of whoever is called in the same moment.
    fn lacks(&self, routing: &Routing) -> [bool; 4] {
        use Constraint::{Language, Preference, Training, Zone};
        [Language, Preference, Training, Zone].map(|constraint| !self.meets(constraint, routing))
    }
}

impl Callout {
    /// Whether a conflict of interest keeps this person out of it.
    pub(crate) fn bars(&self, qualified: &Qualified) -> bool {
        let routing = &self.routing;
        let fits = |bar: &firstlight_protocol::profile::Bar| {
            bar.fits(self.agency, self.opened_by, &routing.zone, routing.site.as_ref())
        };
        self.barred.contains(&qualified.person) || qualified.bars.iter().any(fits)
    }

    pub(crate) fn is_barred(&self, person: PersonId, ctx: &Context) -> bool {
        self.barred.contains(&person) || ctx.qualified(person).is_some_and(|q| self.bars(q))
    }
}

impl<'a> Work<'a> {
    /// Somebody who may be called to this callout.
    pub(crate) fn qualified(&self, person: PersonId) -> Option<&'a Qualified> {
        self.ctx.qualified(person).filter(|q| !self.callout.bars(q))
    }

    /// Whether anybody who may be called is in a tier.
    pub(crate) fn anybody_in(&self, tier: Tier) -> bool {
        let on_duty = self.ctx.on_duty_in(tier, &self.callout.routing);
        let in_tier = |person| tier == Tier::Everyone || on_duty.contains(&person);
        self.ctx.people.iter().any(|q| in_tier(q.person) && !self.callout.bars(q))
    }

    /// Everybody whom a step may call, best match first, each once.
    pub(crate) fn candidates(&self, i: usize) -> Vec<Candidate<'a>> {
        let Some(step) = self.escalation.steps.get(i) else { return Vec::new() };
        let routing = &self.callout.routing;
        let (mut people, mut known) = (Vec::new(), HashSet::new());
        for (target, named) in step.targets.iter().enumerate() {
            let (tier, only) = match named {
                Target::Tier { tier } => (*tier, None),
                Target::Everyone => (Tier::Everyone, None),
                Target::Person { person } => (Tier::Named, Some(*person)),
                Target::Outside { .. } => continue,
            };
            let on_duty = self.ctx.on_duty_in(tier, routing);
            for qualified in self.ctx.people {
                let in_tier = match (only, tier) {
                    (Some(person), _) => qualified.person == person,
                    (None, Tier::Everyone) => true,
                    (None, _) => on_duty.contains(&qualified.person),
                };
                if in_tier && !self.callout.bars(qualified) && known.insert(qualified.person) {
                    people.push(Candidate { qualified, target, tier });
                }
            }
        }
        people.sort_by_cached_key(|c| (c.qualified.lacks(routing), c.qualified.person));
        people
    }

    /// Calls those of the current step whom no wish holds back (any more).
    pub(crate) fn call_fitting(&mut self) {
        let fresh = self.fresh(self.step_index());
        self.call_matching(fresh);
    }

    /// Calls those of `fresh` who meet every wish that holds. A wish that nobody of the step meets who can still answer,
    /// and one whose time is over, is relaxed first.
    pub(crate) fn call_matching(&mut self, fresh: Vec<Candidate<'a>>) {
        loop {
            let holding = self.holding();
            let fits = |c: &Candidate| holding.iter().all(|w| c.qualified.meets(*w, &self.callout.routing));
            let (go, held): (Vec<_>, Vec<_>) = fresh.iter().partition(|c| fits(c));
            let soonest = self.blocking(&holding, &held);
            let relax = match soonest.first() {
                None => None,
                Some((at, wish)) if *at <= self.now => Some(*wish),
                Some((_, wish)) if go.is_empty() && !self.somebody_left() => Some(*wish),
                Some(_) => None,
            };
            let Some(wish) = relax else {
                self.callout.climb.relax_at = soonest.first().map(|(at, _)| *at);
                for candidate in go {
                    self.begin_turn(candidate.qualified, candidate.tier);
                }
                return;
            };
            self.relax(wish);
        }
    }

    /// The step's time is over: whoever it has held back is called before the next step begins.
    pub(crate) fn call_all_held(&mut self) {
        let fresh = self.fresh(self.step_index());
        let holding = self.holding();
        for (_, wish) in self.blocking(&holding, &fresh) {
            self.relax(wish);
        }
        self.callout.climb.relax_at = None;
        for candidate in fresh {
            self.begin_turn(candidate.qualified, candidate.tier);
        }
    }

    /// The wishes that hold others back in the current step. The last step holds nobody back.
    fn holding(&self) -> Vec<Constraint> {
        if self.step_index() >= self.last_step() {
            return Vec::new();
        }
        let relaxed = |wish: &Constraint| self.callout.climb.relaxed.contains(wish);
        let orders_only = |wish: &Constraint| self.ctx.policy.matching.relax_after(*wish).0 == 0;
        Constraint::ALL.iter().copied().filter(|wish| !relaxed(wish) && !orders_only(wish)).collect()
    }

    /// Which of them really hold somebody of `people` back, and until when; the soonest first, and of those that end in
    /// the same moment the least weighty first.
    fn blocking(&self, holding: &[Constraint], people: &[Candidate<'a>]) -> Vec<(Timestamp, Constraint)> {
        let since = self.callout.climb.since.unwrap_or(self.now);
        let routing = &self.callout.routing;
        let mut blocking: Vec<_> = holding
            .iter()
            .filter(|wish| people.iter().any(|c| !c.qualified.meets(**wish, routing)))
            .map(|wish| (since + self.ctx.policy.matching.relax_after(*wish).into(), *wish))
            .collect();
        blocking.sort_unstable();
        blocking
    }

    fn relax(&mut self, wish: Constraint) {
        self.callout.climb.relaxed.push(wish);
        self.record_step(Event::Relaxed, Some(self.step_index()), None, None, Some(wish));
    }
}
