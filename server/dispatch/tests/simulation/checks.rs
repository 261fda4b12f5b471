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
    policy::{Escalation, Target},
};
use std::{borrow::Cow, collections::HashMap};

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
    /// How many steps of the escalation have begun.
    steps: usize,
    told: bool,
    /// By a supervisor, from this callout.
    pub(crate) barred: Vec<PersonId>,
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
            steps: 0,
            told: false,
            barred: vec![],
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
        let after: Vec<_> = self.escalation(c).steps.iter().map(|step| step.after_ms.0.cast_signed()).collect();
        for (k, after) in after.into_iter().enumerate() {
            self.expect(c, Due::Step(k), after);
        }
    }

    fn escalation(&self, c: usize) -> Cow<'_, Escalation> {
        self.world.policy.escalation_of(&self.cases[c].request.routing.zone)
    }

    /// Whether somebody is called to this callout if their turn comes.
    fn may_be_called(&self, c: usize, person: PersonId) -> bool {
        let case = &self.cases[c];
        let barred = case.barred.contains(&person) || self.world.is_barred(person, &case.request);
        self.world.qualified(person).is_some() && !barred
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
            let anybody = self.world.people.iter().any(|q| self.may_be_called(c, q.person));
            let told = effects.iter().any(|e| matches!(e, Effect::Page { .. } | Effect::Outside { .. }));
            assert!(told || !anybody, "nobody on duty costs no time: somebody is called in the step that opens it");
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
                let qualified = self.world.qualified(person).expect("only qualified people are paged");
                if qualified.rules.is_empty() {
                    let turn = (pages as usize - 1) % qualified.channels.len();
                    assert_eq!(qualified.channels[turn], *channel, "each channel in turn");
                } else {
                    self.coverage.count(H::ByRule);
                }
                let waits = qualified.rules.windows(2).map(|pair| pair[1].after.0 - pair[0].after.0);
                let repeat = waits.chain([self.world.policy.timers.repeat_every_ms.0]).max();
                let escalation = self.escalation(c);
                let turns = escalation.steps.iter().filter_map(|step| step.repeat);
                let turn = turns.chain([self.world.policy.calls_per_turn]).min();
                assert!(self.may_be_called(c, person), "{c}: {person} is barred");
                if turn.is_some_and(|turn| pages < turn.into()) {
                    self.expect(c, Due::Again { person, pages }, repeat.unwrap_or_default().cast_signed());
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
            Effect::Record { event, person, tier, step, .. } => {
                case.steps = case.steps.max(step.map_or(0, usize::from));
                let what = match event {
                    Told::TierPaged | Told::TierEmpty => match (event, tier) {
                        (Told::TierEmpty, _) => H::EmptyTier,
                        (_, Some(Tier::Backup)) => H::Backup,
                        (_, Some(Tier::Supervisor)) => H::Supervisor,
                        (_, Some(Tier::Everyone)) => H::Everyone,
                        _ => return,
                    },
                    Told::Relaxed => H::Relaxed,
                    Told::PersonPaged => H::Named,
                    Told::Barred => H::Barred,
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
                let unneeded =
                    !callout.is_paging() || !self.world.people.iter().any(|q| self.may_be_called(c, q.person));
                assert!(case.first_out.is_some() || unneeded, "{c}: the first page goes out within 10 s");
            }
            Due::Step(k) => {
                if !case.paging_still {
                    return;
                }
                let escalation = self.escalation(c);
                let (step, last) = (&escalation.steps[k], k + 1 == escalation.steps.len());
                // People who have been called before leave no trace of a step that names them.
                let traced = step.targets.iter().any(|target| !matches!(target, Target::Person { .. }));
                assert!(case.steps > k || !traced, "{c}: step {k} begins in time");
                assert!(case.told || !step.tell_officer, "{c}: the officer is told in time");
                let called = |q: &Qualified| callout.responders().any(|(person, _)| person == q.person);
                let missed = |q: &&Qualified| !called(q) && self.may_be_called(c, q.person);
                let missed: Vec<_> = self.world.people.iter().filter(missed).map(|q| q.person).collect();
                assert!(missed.is_empty() || !last, "{c}: everyone is called in time, but {missed:?}");
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
