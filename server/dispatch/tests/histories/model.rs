//! The rules of dispatch once more, as plainly as possible: people by number, times in seconds, no channels, no ids.

use firstlight_protocol::callout::{CalloutState, NextStep, ResponderState, ResponderState::*, Tier};
use std::collections::{BTreeMap, BTreeSet};

/// The host organisation: who is on duty in each of the three tiers, and who may be called by how many channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    pub(crate) duty: [BTreeSet<u8>; 3],
    pub(crate) people: BTreeMap<u8, u8>,
}

/// The policy, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) repeat: u64,
    pub(crate) tiers: [u64; 3],
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
    Unreachable(u8),
    Breach(u8),
    NoMovement(u8),
    Overdue(u8),
    Review,
}

#[derive(Debug, Clone)]
struct Part {
    state: ResponderState,
    tier: usize,
    round: u32,
    calls: u64,
    /// Whether each page of this call has failed.
    burst: Vec<bool>,
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
    tier: usize,
    climb_at: u64,
    calling: bool,
    review_at: Option<u64>,
    parts: BTreeMap<u8, Part>,
    /// Who was paged, in the step just done.
    pub(crate) pages: Vec<u8>,
    /// Who cried for help, in the step just done.
    pub(crate) cries: Vec<Cry>,
    cried: BTreeSet<(u32, Cry)>,
}

const TIERS: [Tier; 4] = [Tier::Primary, Tier::Backup, Tier::Supervisor, Tier::Everyone];

impl Model {
    pub(crate) fn open(numbers: Numbers, wanted: usize, host: &Host) -> Self {
        let mut model = Self {
            now: 0,
            changed: 0,
            numbers,
            wanted,
            ended: None,
            round: 0,
            tier: 0,
            climb_at: 0,
            calling: false,
            review_at: None,
            parts: BTreeMap::new(),
            pages: vec![],
            cries: vec![],
            cried: BTreeSet::new(),
        };
        model.start_calling(host);
        model.settle(host);
        model
    }

    pub(crate) fn begin_step(&mut self, now: u64) {
        self.now = now.max(self.changed);
        self.pages.clear();
        self.cries.clear();
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
            () if self.tier == 3 => CalloutState::Unanswered,
            () if anybody(Acknowledged) => CalloutState::Acknowledged,
            () => CalloutState::Paging,
        }
    }

    pub(crate) fn timers(&self) -> Vec<(u64, NextStep, Option<u8>)> {
        let mut all = vec![];
        if self.calling {
            let step =
                [NextStep::PageBackup, NextStep::PageSupervisor, NextStep::PageEveryone, NextStep::CallEveryoneAgain]
                    [self.tier];
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

    // Calling.

    fn start_calling(&mut self, host: &Host) {
        self.round += 1;
        self.calling = true;
        self.enter_tier(0, self.now, host);
    }

    fn enter_tier(&mut self, tier: usize, since: u64, host: &Host) {
        let t = self.numbers.tiers;
        self.tier = tier;
        self.climb_at = since + [t[0], t[1] - t[0], t[2] - t[1], self.numbers.slow][tier];
        let of_tier: Vec<u8> = if tier == 3 {
            host.people.keys().copied().collect()
        } else {
            host.duty[tier].iter().copied().filter(|n| host.people.contains_key(n)).collect()
        };
        if of_tier.is_empty() {
            self.cry(Cry::Empty(TIERS[tier]));
        }
        self.call_the_new(of_tier, host);
        if tier == 3 {
            self.nobody_yet();
        }
    }

    fn call_the_new(&mut self, people: Vec<u8>, host: &Host) {
        for n in people {
            let new = self.parts.get(&n).is_none_or(|p| p.state == StoodDown && p.round < self.round);
            if new {
                self.ask(n, host);
            }
        }
    }

    fn nobody_yet(&mut self) {
        match self.accepted() {
            0 => self.cry(Cry::Unanswered),
            some => self.cry(Cry::Unfilled(self.wanted - some)),
        }
    }

    fn ask(&mut self, n: u8, host: &Host) {
        let part = Part {
            state: Paged,
            tier: self.tier,
            round: self.round,
            calls: 0,
            burst: vec![],
            called: 0,
            call_at: None,
            stall_at: None,
            movement_at: None,
            arrival_at: None,
        };
        self.parts.insert(n, part);
        self.call(n, host);
    }

    fn part(&mut self, n: u8) -> &mut Part {
        self.parts.get_mut(&n).unwrap()
    }

    fn call(&mut self, n: u8, host: &Host) {
        let (now, numbers) = (self.now, self.numbers);
        let part = self.part(n);
        part.calls += 1;
        part.called = now;
        part.burst.clear();
        part.call_at = (part.calls < numbers.calls).then_some(now + numbers.repeat);
        self.page(n, host);
    }

    fn page(&mut self, n: u8, host: &Host) {
        let Some(channels) = host.people.get(&n) else {
            return self.quiet(n, StoodDown);
        };
        let at = self.now + self.numbers.stall;
        let part = self.part(n);
        part.burst.push(false);
        part.stall_at = (part.burst.len() < usize::from(*channels)).then_some(at);
        self.pages.push(n);
    }

    fn quiet(&mut self, n: u8, state: ResponderState) {
        let part = self.part(n);
        part.state = state;
        (part.call_at, part.stall_at, part.movement_at, part.arrival_at) = (None, None, None, None);
    }

    pub(crate) fn settle(&mut self, host: &Host) {
        let due = |at: Option<u64>, now| at.is_some_and(|at| at <= now);
        let numbers: Vec<u8> = self.parts.keys().copied().collect();
        for n in &numbers {
            let (call, stall) = (self.parts[n].call_at, self.parts[n].stall_at);
            if due(call, self.now) {
                self.call(*n, host);
            } else if due(stall, self.now) {
                self.page(*n, host);
            }
        }
        while self.calling {
            let open = |p: &Part| p.state.is_called() && p.tier == self.tier && p.round == self.round;
            let hopeless = self.tier < 3 && !self.parts.values().any(open);
            match self.climb_at <= self.now {
                true if self.tier < 3 => self.enter_tier(self.tier + 1, self.climb_at, host),
                true => self.slow_round(host),
                false if hopeless => self.enter_tier(self.tier + 1, self.now, host),
                false => break,
            }
        }
        for n in numbers {
            let now = self.now;
            if self.part(n).movement_at.take_if(|at| *at <= now).is_some() {
                self.cry(Cry::NoMovement(n));
            }
            if self.part(n).arrival_at.take_if(|at| *at <= now).is_some() {
                self.cry(Cry::Overdue(n));
            }
        }
        let now = self.now;
        if self.review_at.take_if(|at| *at <= now).is_some() {
            self.cry(Cry::Review);
        }
    }

    fn slow_round(&mut self, host: &Host) {
        self.climb_at = self.now + self.numbers.slow;
        let now = self.now;
        let over = |p: &Part| p.state.is_called() && p.call_at.is_none() && p.called < now;
        let again: Vec<u8> = self.parts.iter().filter(|(_, p)| over(p)).map(|(n, _)| *n).collect();
        for n in again {
            self.call(n, host);
        }
        self.call_the_new(host.people.keys().copied().collect(), host);
        self.nobody_yet();
    }

    // What channels say. `newest`: about the newest page to that person.

    pub(crate) fn taken(&mut self, n: u8, newest: bool) {
        if newest {
            self.part(n).stall_at = None;
        }
    }

    pub(crate) fn failed(&mut self, n: u8, newest: bool, back: usize, host: &Host) {
        let calling = self.calling;
        let part = self.part(n);
        if let Some(i) = part.burst.len().checked_sub(back + 1) {
            part.burst[i] = true;
        }
        if !(calling && newest && part.state == Paged) {
            return;
        }
        let (tried, hopeless) = (part.burst.len(), part.burst.iter().all(|failed| *failed));
        if host.people.get(&n).is_some_and(|channels| tried < usize::from(*channels)) {
            self.page(n, host);
        } else if hopeless {
            self.cry(Cry::Unreachable(n));
        }
    }

    // What people do.

    pub(crate) fn act(&mut self, who: Who, deed: &Deed, host: &Host) -> Result<(), No> {
        let leads = matches!(who, Who::Opener | Who::Commander);
        let supervises = matches!(who, Who::Supervisor(_));
        let own = match who {
            Who::Supervisor(n) | Who::Advocate(n) => self.parts.get(&n).map(|p| (n, p.state)),
            _ => None,
        };
        let active = own.is_some_and(|(_, state)| state.is_active());
        let allowed = match deed {
            Deed::Close => supervises || active,
            Deed::CallMore(_, people) => supervises || (active && people.is_empty()),
            Deed::Review => supervises,
            Deed::Cancel | Deed::Merge { .. } => supervises || leads,
            Deed::Accept(_) => own.is_some() || supervises,
            _ => own.is_some(),
        };
        if !allowed {
            return Err(No::Forbidden);
        }
        if *deed == Deed::Review {
            if self.ended != Some(CalloutState::Closed) {
                return Err(No::WrongState);
            }
            (self.ended, self.review_at) = (Some(CalloutState::Reviewed), None);
            return Ok(());
        }
        if self.ended.is_some() {
            return Err(No::WrongState);
        }
        match (deed, own) {
            (Deed::Accept(eta), own) => self.accept(who, *eta, own.map(|(_, state)| state)),
            (Deed::Close, _) => {
                self.end(CalloutState::Closed, own.map(|(n, _)| n));
                self.review_at = Some(self.now + self.numbers.review);
                Ok(())
            }
            (Deed::Cancel, _) => {
                self.end(CalloutState::Cancelled, None);
                Ok(())
            }
            (Deed::Merge { known, same_agency }, _) => {
                if !known || !(supervises || *same_agency) {
                    return Err(No::Invalid);
                }
                self.end(CalloutState::Merged, None);
                Ok(())
            }
            (Deed::CallMore(wanted, people), _) => self.call_more(*wanted, people, host),
            (deed, Some((n, state))) => self.own(n, state, deed, host),
            (_, None) => Err(No::Forbidden),
        }
    }

    fn accept(&mut self, who: Who, eta: u64, state: Option<ResponderState>) -> Result<(), No> {
        if state.is_some_and(|s| s.is_active()) {
            return Err(No::WrongState);
        }
        if !self.calling {
            return Err(No::Filled);
        }
        let (Who::Supervisor(n) | Who::Advocate(n)) = who else {
            return Err(No::Forbidden);
        };
        let (tier, round) = (2, self.round);
        self.parts.entry(n).or_insert(Part {
            state: Accepted,
            tier,
            round,
            calls: 0,
            burst: vec![],
            called: 0,
            call_at: None,
            stall_at: None,
            movement_at: None,
            arrival_at: None,
        });
        self.quiet(n, Accepted);
        self.eta(n, eta);
        if self.accepted() == self.wanted {
            self.calling = false;
            self.dismiss(|state| state.is_called());
        }
        Ok(())
    }

    fn eta(&mut self, n: u8, eta: u64) {
        let (now, patience) = (self.now, self.numbers.repeat);
        let part = self.part(n);
        part.arrival_at = Some(now + eta.max(patience));
        if part.state == Accepted {
            part.movement_at = Some(now + (eta / 2).max(patience));
        }
        if now + eta > self.numbers.target {
            self.cry(Cry::Breach(n));
        }
    }

    fn own(&mut self, n: u8, state: ResponderState, deed: &Deed, host: &Host) -> Result<(), No> {
        let coming = matches!(state, Accepted | EnRoute);
        let there = matches!(state, Arrived | WithYoungPerson);
        let rank = |state| [Accepted, EnRoute, Arrived, WithYoungPerson, HandedOver].iter().position(|s| *s == state);
        match deed {
            Deed::Acknowledge if state.is_called() => {
                self.quiet(n, Acknowledged);
                self.part(n).call_at = Some(self.now + self.numbers.grace);
            }
            Deed::Acknowledge if state == StoodDown && !self.calling => return Err(No::Filled),
            Deed::Decline if state.is_called() || state == StoodDown => self.quiet(n, Declined),
            Deed::Decline if coming => {
                self.quiet(n, Withdrew);
                if !self.calling {
                    self.start_calling(host);
                }
            }
            Deed::Eta(eta) if coming => self.eta(n, *eta),
            Deed::Move(HandedOver) if there => self.quiet(n, HandedOver),
            Deed::Move(to) if *to != HandedOver && rank(state).is_some_and(|r| Some(r) < rank(*to)) => {
                let arrival = self.part(n).arrival_at.filter(|_| *to == EnRoute);
                self.quiet(n, *to);
                self.part(n).arrival_at = arrival;
            }
            _ => return Err(No::WrongState),
        }
        Ok(())
    }

    fn call_more(&mut self, wanted: usize, people: &[u8], host: &Host) -> Result<(), No> {
        if wanted <= self.accepted() || people.iter().any(|n| !host.people.contains_key(n)) {
            return Err(No::Invalid);
        }
        self.wanted = wanted;
        if !self.calling {
            self.start_calling(host);
        }
        for n in people {
            let now = self.now;
            let busy = |p: &Part| p.state.is_active() || (p.state.is_called() && p.called == now);
            if !self.parts.get(n).is_some_and(busy) {
                self.ask(*n, host);
            }
        }
        Ok(())
    }

    fn dismiss(&mut self, whom: impl Fn(ResponderState) -> bool) {
        let gone: Vec<u8> = self.parts.iter().filter(|(_, p)| whom(p.state)).map(|(n, _)| *n).collect();
        for n in gone {
            self.quiet(n, StoodDown);
        }
    }

    fn end(&mut self, state: CalloutState, closer: Option<u8>) {
        let kept = closer.map(|n| (n, self.parts[&n].state)).filter(|(_, state)| state.is_active());
        self.dismiss(|state| state.is_called() || matches!(state, Accepted | EnRoute));
        if let Some((n, state)) = kept {
            self.quiet(n, state);
        }
        self.calling = false;
        self.ended = Some(state);
    }
}
