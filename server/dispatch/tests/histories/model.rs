//! The rules of dispatch once more, as plainly as possible: people and channels by number, times in seconds, no ids.

mod climb;
mod deeds;

use firstlight_protocol::callout::{CalloutState, Constraint, NextStep, ResponderState, ResponderState::*, Tier};
use std::collections::{BTreeMap, BTreeSet};

/// The host organisation: who is on duty in each of the three tiers, and who may be called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    pub(crate) duty: [BTreeSet<u8>; 3],
    pub(crate) people: BTreeMap<u8, Someone>,
}

/// Somebody who may be called.
#[derive(Debug, Clone)]
pub(crate) struct Someone {
    pub(crate) channels: u8,
    /// Their own rules: which channel, and when in a turn.
    pub(crate) rules: Vec<(u8, u64)>,
    /// Whether they serve the zone, had the training, are preferred, speak the language.
    pub(crate) meets: [bool; 4],
    /// Whether a conflict of interest keeps them out.
    pub(crate) conflict: bool,
}

impl Someone {
    /// The way of the next page: so many pages were sent before, this is the `call`th call of a turn, and it has tried
    /// these ways.
    fn way(&self, sent: u64, call: u64, tried: &[(u8, bool)]) -> Option<u8> {
        let untried = |way: &u8| tried.iter().all(|(one, _)| one != way);
        if self.rules.is_empty() {
            let all = u64::from(self.channels);
            return (sent..sent + all).map(|n| (n % all) as u8).find(untried);
        }
        let mut ways = vec![];
        for (way, _) in &self.rules {
            if !ways.contains(way) {
                ways.push(*way);
            }
        }
        let (line, all) = (self.rules[(call as usize - 1) % self.rules.len()].0, ways.len());
        let first = ways.iter().position(|way| *way == line).unwrap();
        let others = 0..self.channels;
        (first..first + all).map(|n| ways[n % all]).chain(others).find(untried)
    }

    /// From one call of a turn, counted from 1, to the next.
    fn pause(&self, call: u64, repeat: u64) -> u64 {
        let lines = self.rules.len() as u64;
        if lines == 0 || call.is_multiple_of(lines) {
            return repeat;
        }
        let at = |line: u64| if line == 0 { 0 } else { self.rules[line as usize].1 };
        at(call % lines) - at(call % lines - 1)
    }
}

/// One step of the escalation.
#[derive(Debug, Clone)]
pub(crate) struct Rung {
    pub(crate) aims: Vec<Aim>,
    pub(crate) after: u64,
    pub(crate) tell: bool,
    pub(crate) calls: Option<u64>,
}

/// Whom a step is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aim {
    Tier(usize),
    Person(u8),
    Everyone,
    Outside,
}

/// The policy, in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub(crate) repeat: u64,
    pub(crate) rungs: Vec<Rung>,
    pub(crate) rounds: u8,
    /// How long zone, training, preference and language hold others back.
    pub(crate) relax: [u64; 4],
    /// Whether nobody goes to this scene alone.
    pub(crate) company: bool,
    pub(crate) slow: u64,
    pub(crate) grace: u64,
    pub(crate) stall: u64,
    pub(crate) target: u64,
    pub(crate) review: u64,
    pub(crate) calls: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Opener,
    Commander,
    StrangePolice,
    Supervisor(u8),
    Advocate(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    Acknowledge,
    Accept(u64),
    Decline,
    Eta(u64),
    Move(ResponderState),
    Close,
    Review,
    Cancel,
    Merge { known: bool, same_agency: bool },
    CallMore(usize, Vec<u8>),
    Bar(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    Forbidden,
    WrongState,
    Filled,
    Invalid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cry {
    Unanswered,
    Unfilled(usize),
    Empty(Tier),
    NoLanguage(Tier),
    Unreachable(u8),
    Broken(u8),
    Alone(u8),
    Breach(u8),
    NoMovement(u8),
    Overdue(u8),
    Review,
}

#[derive(Debug, Clone)]
struct Part {
    state: ResponderState,
    step: usize,
    round: u32,
    calls: u64,
    /// Each page of this call: its way, and whether it has failed.
    burst: Vec<(u8, bool)>,
    called: u64,
    call_at: Option<u64>,
    stall_at: Option<u64>,
    movement_at: Option<u64>,
    arrival_at: Option<u64>,
}

pub(crate) struct Model {
    pub(crate) now: u64,
    /// The time of the newest change: a slow clock doesn't take the callout back behind it.
    pub(crate) changed: u64,
    numbers: Numbers,
    wanted: usize,
    ended: Option<CalloutState>,
    round: u32,
    step: usize,
    walk: u8,
    /// Everyone was called in this round.
    everyone: bool,
    since: u64,
    relaxed: [bool; 4],
    relax_at: Option<u64>,
    barred: BTreeSet<u8>,
    /// Which wishes the callout has: zone, training, preference, language.
    asked: [bool; 4],
    climb_at: u64,
    calling: bool,
    review_at: Option<u64>,
    parts: BTreeMap<u8, Part>,
    /// How often each was ever paged.
    sent: BTreeMap<u8, u64>,
    /// Who was paged, in the step just done.
    pub(crate) pages: Vec<u8>,
    /// Who cried for help, in the step just done.
    pub(crate) cries: Vec<Cry>,
    cried: BTreeSet<(u32, Cry)>,
    /// What was relaxed, and how often somebody outside was told, in the step just done.
    pub(crate) relaxations: Vec<Constraint>,
    pub(crate) outside: usize,
}

const TIERS: [Tier; 3] = [Tier::Primary, Tier::Backup, Tier::Supervisor];

impl Model {
    pub(crate) fn open(numbers: Numbers, wanted: usize, asked: [bool; 4], host: &Host) -> Self {
        let wanted = if numbers.company { wanted.max(2) } else { wanted };
        let mut model = Self {
            now: 0,
            changed: 0,
            numbers,
            wanted,
            ended: None,
            round: 0,
            step: 0,
            walk: 0,
            everyone: false,
            since: 0,
            relaxed: [false; 4],
            relax_at: None,
            barred: BTreeSet::new(),
            asked,
            climb_at: 0,
            calling: false,
            review_at: None,
            parts: BTreeMap::new(),
            sent: BTreeMap::new(),
            pages: vec![],
            cries: vec![],
            cried: BTreeSet::new(),
            relaxations: vec![],
            outside: 0,
        };
        model.start_calling(host);
        model.settle(host);
        model
    }

    pub(crate) fn begin_step(&mut self, now: u64) {
        self.now = now.max(self.changed);
        self.pages.clear();
        self.cries.clear();
        self.relaxations.clear();
        self.outside = 0;
    }

    pub(crate) fn accepted(&self) -> usize {
        self.parts.values().filter(|p| p.state.is_active()).count()
    }

    pub(crate) fn states(&self) -> BTreeMap<u8, ResponderState> {
        self.parts.iter().map(|(n, p)| (*n, p.state)).collect()
    }

    pub(crate) fn state(&self) -> CalloutState {
        if let Some(ended) = self.ended {
            return ended;
        }
        let anybody = |state| self.parts.values().any(|p| p.state == state);
        match () {
            () if anybody(HandedOver) => CalloutState::HandedOver,
            () if anybody(WithYoungPerson) => CalloutState::WithYoungPerson,
            () if anybody(Arrived) => CalloutState::Arrived,
            () if anybody(EnRoute) => CalloutState::EnRoute,
            () if anybody(Accepted) => CalloutState::Accepted,
            () if self.everyone => CalloutState::Unanswered,
            () if anybody(Acknowledged) => CalloutState::Acknowledged,
            () => CalloutState::Paging,
        }
    }

    pub(crate) fn timers(&self) -> Vec<(u64, NextStep, Option<u8>)> {
        let mut all = vec![];
        if self.calling {
            let next = match self.numbers.rungs.get(self.step + 1) {
                None if self.walk + 1 < self.numbers.rounds => Some(&self.numbers.rungs[0]),
                next => next,
            };
            let step = next.map_or(NextStep::CallEveryoneAgain, word);
            all.extend(self.relax_at.map(|at| (at, NextStep::Relax, None)));
            all.push((self.climb_at, step, None));
        }
        for (n, p) in &self.parts {
            for at in [p.call_at, p.stall_at].into_iter().flatten() {
                all.push((at, NextStep::CallAgain, Some(*n)));
            }
            all.extend(p.movement_at.map(|at| (at, NextStep::CheckMovement, Some(*n))));
            all.extend(p.arrival_at.map(|at| (at, NextStep::CheckArrival, Some(*n))));
        }
        all.extend(self.review_at.map(|at| (at, NextStep::CheckReview, None)));
        all.sort_unstable();
        all
    }

    fn cry(&mut self, cry: Cry) {
        if self.cried.insert((self.round, cry)) {
            self.cries.push(cry);
        }
    }
}

/// What a step does, in one word.
fn word(rung: &Rung) -> NextStep {
    let has = |is: fn(&Aim) -> bool| rung.aims.iter().find(|aim| is(aim));
    match (has(|a| *a == Aim::Everyone), has(|a| matches!(a, Aim::Tier(_))), has(|a| matches!(a, Aim::Person(_)))) {
        (Some(_), ..) => NextStep::PageEveryone,
        (_, Some(Aim::Tier(tier)), _) => [NextStep::PagePrimary, NextStep::PageBackup, NextStep::PageSupervisor][*tier],
        (_, _, Some(_)) => NextStep::PagePerson,
        _ => NextStep::TellOutside,
    }
}
