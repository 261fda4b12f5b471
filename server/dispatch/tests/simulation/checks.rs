//! What must hold: the promises of `histories/invariants` at every step, and DOMAIN.md's timers by the true time.
//!
//! Crashes, nodes that stand still and wrong clocks make things late, by a known measure: each costs the lease that has
//! to run out and the difference of the clocks, and while no node runs at all nothing can happen.

use crate::{
    coverage::Happening,
    invariants::{Promises, check_step, check_stored, check_views},
    night::{Event, Night},
    tables::{LEASE, PAGE_LEASE},
};
use firstlight_dispatch::*;
use firstlight_protocol::{
    PersonId,
    callout::{Alarm, Event as Told, NextStep, ResponderState, Tier},
    policy::Target,
};
use std::collections::HashMap;

/// DOMAIN.md: "first page within 10 s of the officer's tap".
const FIRST_PAGE: i64 = 10_000;
/// Transactions and wake-ups take their time.
const SLACK: i64 = 1_000;
/// What a lost wake-up costs: the sweeper's patience and turn.
const SWEEP: i64 = 14_000;

/// What has been seen of one callout.
pub(crate) struct Case {
    pub(crate) request: Open,
    pub(crate) promises: Promises,
    /// In true time.
    pub(crate) opened: Option<i64>,
    pub(crate) first_out: Option<i64>,
    since: Disturbed,
    /// It has been paging ever since it was opened.
    paging_still: bool,
    tiers: Vec<Tier>,
    told: bool,
    pub(crate) parts: HashMap<PersonId, Part>,
}

/// One person's part in it.
#[derive(Default)]
pub(crate) struct Part {
    /// Pages ordered, and pages that arrived.
    pages: u32,
    pub(crate) arrived: u32,
    /// Something that they are about to do.
    pub(crate) busy: bool,
    said_no: bool,
}

/// How much has gone wrong up to a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disturbed {
    interruptions: i64,
    dark: i64,
}

/// Something that has to have happened by now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    FirstPage,
    Step(usize),
    Again { person: PersonId, pages: u32 },
}

impl Case {
    pub(crate) fn new(request: Open) -> Self {
        Self {
            request,
            promises: Promises::default(),
            opened: None,
            first_out: None,
            since: Disturbed::default(),
            paging_still: true,
            tiers: vec![],
            told: false,
            parts: HashMap::new(),
        }
    }
}

impl Night {
    pub(crate) fn begin_case(&mut self, c: usize) {
        self.coverage.count(Happening::Opened);
        let since = self.disturbed();
        let case = &mut self.cases[c];
        (case.opened, case.since) = (Some(self.now), since);
        self.expect(c, Due::FirstPage, FIRST_PAGE);
        let steps: Vec<_> = self.escalation(c).iter().map(|step| step.1).collect();
        for (k, after) in steps.into_iter().enumerate() {
            self.expect(c, Due::Step(k), after);
        }
    }

    /// Each step of the escalation: the tier that it calls, and when.
    fn escalation(&self, c: usize) -> Vec<(Tier, i64)> {
        let steps = &self.world.policy.escalation_of(&self.cases[c].request.routing.zone).steps;
        let tier = |target: &Target| match target {
            Target::Tier { tier } => *tier,
            _ => Tier::Everyone,
        };
        steps.iter().map(|step| (tier(&step.targets[0]), step.after_ms.0.cast_signed())).collect()
    }

    /// After each step of the engine.
    pub(crate) fn check(&mut self, c: usize, before: Option<&Callout>, after: &Callout, effects: &[Effect]) {
        self.coverage.count(Happening::Step);
        self.say(|| format!("  {c}: {} {effects:?}", after.state()));
        check_step(before, after, effects);
        let case = &mut self.cases[c];
        case.promises.check(effects, after, &self.world.people);
        case.paging_still &= after.is_paging();
        self.steps += 1;
        if self.tell || self.steps.is_multiple_of(64) {
            check_stored(after);
            let viewers: Vec<_> = self.world.people.iter().map(|q| self.world.actor(q.person)).collect();
            check_views(after, &viewers, &self.world.context());
            check_views(after, &[self.cases[c].request.by], &self.world.context());
        }
        for effect in effects {
            self.follow_effect(c, after, effect);
        }
        if before.is_none() {
            let nobody = self.world.people.is_empty();
            let paged = effects.iter().any(|e| matches!(e, Effect::Page { .. }));
            assert!(paged || nobody, "nobody on duty costs no time: somebody is called in the step that opens it");
        }
    }

    fn follow_effect(&mut self, c: usize, after: &Callout, effect: &Effect) {
        use Happening as H;
        let case = &mut self.cases[c];
        match effect {
            Effect::Page { person, channel, attempt, .. } => {
                let part = case.parts.entry(*person).or_default();
                part.pages += 1;
                assert_eq!(part.pages, *attempt, "pages are counted");
                let (pages, person) = (part.pages, *person);
                self.coverage.count(H::Paged);
                let channels = &self.world.qualified(person).expect("only qualified people are paged").channels;
                let place = |n: u32| channels.get(n as usize % channels.len().max(1)).copied();
                assert_eq!(place(pages - 1), Some(*channel), "each channel in turn");
                let repeat = self.world.policy.timers.repeat_every_ms.0.cast_signed();
                if pages < self.world.policy.calls_per_turn.into() {
                    self.expect(c, Due::Again { person, pages }, repeat);
                }
            }
            Effect::StandDown { person } => {
                self.coverage.count(H::StoodDown);
                let supervisor = view(after, self.world.supervisor(), &self.world.context()).expect("sees everything");
                let theirs = |t: &&firstlight_protocol::callout::NextAction| t.person == Some(*person);
                let timers = supervisor.timers.expect("sees timers");
                let left: Vec<_> = timers.iter().filter(theirs).filter(|t| t.what == NextStep::CallAgain).collect();
                assert!(left.is_empty(), "whoever stood down is not called again: {left:?}");
            }
            Effect::Notify { to: Audience::Agency, notice: Notice::NobodyYet } => {
                self.coverage.count(if case.told { H::SlowRound } else { H::Unanswered });
                case.told = true;
            }
            Effect::Alarm { alarm } => match alarm {
                Alarm::NoMovement { .. } => self.coverage.count(H::NoMovement),
                Alarm::Overdue { .. } => self.coverage.count(H::Overdue),
                Alarm::ProjectedBreach { .. } => self.coverage.count(H::Breach),
                Alarm::Unreachable { .. } => self.coverage.count(H::Unreachable),
                _ => {}
            },
            Effect::Record { event, person, tier, .. } => {
                let what = match event {
                    Told::TierPaged | Told::TierEmpty => {
                        case.tiers.extend(*tier);
                        match (event, tier) {
                            (Told::TierEmpty, _) => H::EmptyTier,
                            (_, Some(Tier::Backup)) => H::Backup,
                            (_, Some(Tier::Supervisor)) => H::Supervisor,
                            (_, Some(Tier::Everyone)) => H::Everyone,
                            _ => return,
                        }
                    }
                    Told::Accepted => H::Accepted,
                    Told::Acknowledged => H::Acknowledged,
                    Told::Declined => H::Declined,
                    Told::Withdrew => H::Withdrew,
                    Told::Reopened => H::Reopened,
                    Told::Filled => H::Filled,
                    Told::CalledMore => H::CalledMore,
                    Told::Cancelled => H::Cancelled,
                    Told::Merged => H::Merged,
                    Told::Closed => H::Closed,
                    Told::Reviewed => H::Reviewed,
                    _ => return,
                };
                self.coverage.count(what);
                let said_no = matches!(event, Told::Declined | Told::Withdrew);
                if let Some(person) = person.filter(|_| said_no || *event == Told::Accepted) {
                    case.parts.entry(person).or_default().said_no = said_no;
                }
            }
            _ => {}
        }
    }

    /// A request begins: nobody is called after they said no.
    pub(crate) fn check_may_be_called(&self, c: usize, person: PersonId) {
        let state = self.db.callouts[c].iter().flat_map(Callout::responders).find(|(p, _)| *p == person);
        let called = state.is_some_and(|(_, state)| state.is_called());
        assert!(called, "no request begins to somebody who need not answer any more: {state:?}");
    }

    // What is late.

    pub(crate) fn disturbed(&mut self) -> Disturbed {
        self.count_dark();
        Disturbed { interruptions: self.interruptions, dark: self.dark }
    }

    /// How late something may be that was to happen since then, if each claim that ran out costs `lease`.
    fn allowance(&mut self, since: Disturbed, lease: i64) -> i64 {
        let now = self.disturbed();
        let lowest = self.offsets.0;
        let wobble = self.offsets.1 - lowest;
        let lost = if self.bus_loses { SWEEP } else { 0 };
        let each = lease + wobble + lost;
        SLACK + (now.dark - since.dark) + (now.interruptions - since.interruptions) * each + wobble + lost
    }

    fn expect(&mut self, callout: usize, due: Due, within: i64) {
        let since = self.disturbed();
        let from = self.now;
        self.after(within + SLACK, Event::Due { callout, due, from, within, since });
    }

    /// Something should have happened within so many milliseconds from a moment.
    pub(crate) fn check_due(&mut self, c: usize, due: Due, from: i64, within: i64, since: Disturbed) {
        let lease = if matches!(due, Due::FirstPage) { PAGE_LEASE } else { LEASE };
        let by = from + within + self.allowance(since, lease);
        if self.now < by {
            return self.after(by - self.now, Event::Due { callout: c, due, from, within, since });
        }
        let Some(callout) = &self.db.callouts[c] else { panic!("what was committed stays") };
        let case = &self.cases[c];
        match due {
            Due::FirstPage => {
                let unneeded = !callout.is_paging() || self.world.people.is_empty();
                assert!(case.first_out.is_some() || unneeded, "{c}: the first page goes out within 10 s");
            }
            Due::Step(k) => {
                if !case.paging_still {
                    return;
                }
                let (tier, _) = self.escalation(c)[k];
                assert!(case.tiers.contains(&tier), "{c}: {tier} is called in time");
                if tier == Tier::Everyone {
                    assert!(case.told, "{c}: the officer is told in time");
                    let all = &self.world.people;
                    let called = |q: &Qualified| callout.responders().any(|(person, _)| person == q.person);
                    assert!(all.iter().all(called), "{c}: everyone is called in time");
                }
            }
            Due::Again { person, pages } => {
                let state = callout.responders().find(|(p, _)| *p == person).map(|(_, state)| state);
                let silent = callout.is_paging() && state == Some(ResponderState::Paged);
                let known = self.world.qualified(person).is_some();
                let again = case.parts[&person].pages > pages;
                assert!(again || !silent || !known, "{c}: {person} is called again in time");
            }
        }
    }

    /// At the end, when nothing has gone wrong for a while.
    pub(crate) fn check_end(&mut self) {
        let wobble = self.offsets.1 - self.offsets.0;
        for c in 0..self.cases.len() {
            let Some(callout) = &self.db.callouts[c] else { panic!("every officer's callout arrives") };
            let due = callout.next_wake().map(|at| at.0 - self.world.start.0);
            assert_eq!(due, self.db.timers[c].map(|timer| timer.due), "the timer's row is the engine's");
            assert!(!callout.is_paging() || due.is_some(), "{c}: never silent");
            assert!(due.is_none_or(|due| due >= self.now - wobble - SLACK - SWEEP), "{c}: what is due is done");
            if callout.is_paging() {
                self.coverage.count(Happening::StillPaging);
            }
        }
        for row in &self.db.outbox {
            let arrived = row.plain + row.labelled;
            let old = self.now - row.ordered > 150_000 + wobble;
            let done = row.settled || row.taken_back;
            assert!(done || !old, "a page is sent, taken back or given up: {row:?}");
            assert!(row.plain <= 1, "at most one copy is without the label: {row:?}");
            assert!(arrived <= 1 + row.interrupted, "one more copy for each crash or lost answer: {row:?}");
        }
    }
}
