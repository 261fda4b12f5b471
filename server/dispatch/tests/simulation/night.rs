//! One night: what happens, in the order of the true time.

use crate::{
    checks::{Case, Disturbed, Due},
    coverage::{Coverage, Happening},
    providers::Mood,
    random::Random,
    runner::Node,
    tables::{Claim, Tables},
    world::{World, person},
};
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, *};
use std::{cmp::Ordering, collections::BinaryHeap};

/// For so long before the end nothing goes wrong.
const CALM: i64 = 240_000;

/// Something that happens. Times are milliseconds of true time since the night's beginning.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// An officer's tap, and every time their client sends it again.
    Tap {
        callout: usize,
    },
    /// Somebody's action reaches the server.
    Act {
        callout: usize,
        by: Actor,
        id: ActionId,
        action: Action,
        again: bool,
    },
    /// A page is where the person can perceive it.
    Arrive {
        row: usize,
        labelled: bool,
    },
    /// A provider could not deliver what it took.
    Report {
        row: usize,
    },
    Look {
        node: usize,
        life: u32,
    },
    Sweep {
        node: usize,
        life: u32,
    },
    Step {
        node: usize,
        life: u32,
        callout: usize,
    },
    Begin {
        node: usize,
        life: u32,
        claim: Claim,
    },
    Hear {
        node: usize,
        life: u32,
        claim: Claim,
        failed: Option<(FailReason, bool)>,
    },
    Crash {
        node: usize,
    },
    Start {
        node: usize,
    },
    Pause {
        node: usize,
    },
    GoOn {
        node: usize,
    },
    SetClock {
        node: usize,
        offset: i64,
    },
    Weather,
    Devices {
        person: PersonId,
    },
    Leave {
        person: PersonId,
    },
    /// Nothing goes wrong any more.
    Calm,
    /// Something must have happened.
    Due {
        callout: usize,
        due: Due,
        from: i64,
        within: i64,
        since: Disturbed,
    },
}

impl Event {
    /// The node that it happens in, and in which of its lives.
    fn within(&self) -> Option<(usize, u32)> {
        match self {
            Self::Look { node, life }
            | Self::Sweep { node, life }
            | Self::Step { node, life, .. }
            | Self::Begin { node, life, .. }
            | Self::Hear { node, life, .. } => Some((*node, *life)),
            _ => None,
        }
    }
}

/// Earliest first; of the same moment, in the order in which they were decided.
struct Planned {
    at: i64,
    number: u64,
    event: Event,
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

pub(crate) struct Night {
    pub(crate) random: Random,
    pub(crate) tell: bool,
    pub(crate) now: i64,
    queue: BinaryHeap<Planned>,
    planned: u64,
    end: i64,
    pub(crate) world: World,
    pub(crate) db: Tables,
    pub(crate) nodes: Vec<Node>,
    pub(crate) cases: Vec<Case>,
    pub(crate) moods: Vec<Mood>,
    /// How often a provider is well, in percent.
    pub(crate) healthy: u64,
    /// Wake-ups between nodes get lost.
    pub(crate) bus_loses: bool,
    pub(crate) clocks_were_set: bool,
    /// The lowest and the highest clock of any node so far.
    pub(crate) offsets: (i64, i64),
    pub(crate) interruptions: i64,
    /// For how long no node ran, and since when none does.
    pub(crate) dark: i64,
    dark_since: Option<i64>,
    actions: u64,
    pub(crate) steps: u64,
    pub(crate) coverage: Coverage,
}

impl Night {
    pub(crate) fn new(seed: u64, tell: bool) -> Self {
        let mut random = Random::new(seed);
        let world = World::any(&mut random);
        let nodes = random.between(1, 3) as usize;
        let callouts = random.between(1, 6) as usize;
        let healthy = if random.chance(40) { 100 } else { random.between(20, 90) };
        let moods = (0..3).map(|_| Mood::any(&mut random, healthy)).collect();
        let last_tap = random.between(0, 900_000) as i64;
        let t = &world.policy.timers;
        let end = last_tap + (t.everyone_after_ms.0 + 2 * t.slow_repeat_ms.0).cast_signed() + CALM + 120_000;
        let mut night = Self {
            bus_loses: nodes > 1 && random.chance(20),
            clocks_were_set: false,
            random,
            tell,
            now: 0,
            queue: BinaryHeap::new(),
            planned: 0,
            end,
            world,
            db: Tables::default(),
            nodes: (0..nodes).map(|_| Node::default()).collect(),
            cases: vec![],
            moods,
            healthy,
            offsets: (0, 0),
            interruptions: 0,
            dark: 0,
            dark_since: Some(0),
            actions: 0,
            steps: 0,
            coverage: Coverage::default(),
        };
        night.db.callouts.resize(callouts, None);
        night.db.timers.resize(callouts, None);
        night.plan(last_tap);
        night
    }

    /// Decides most of what comes from outside.
    fn plan(&mut self, last_tap: i64) {
        for node in 0..self.nodes.len() {
            self.nodes[node].up = false;
            self.start(node);
        }
        let wrong_clocks = self.random.chance(25);
        for callout in 0..self.db.callouts.len() {
            let at = if callout == 0 { last_tap } else { self.random.between(0, last_tap.cast_unsigned()) as i64 };
            let request = self.world.request(callout, at, &mut self.random);
            self.cases.push(Case::new(request));
            self.after(at, Event::Tap { callout });
            if (at - self.world.change).abs() < 1_800_000 {
                self.coverage.count(Happening::AcrossChange);
            }
            self.plan_officer(callout, at);
        }
        self.after(self.end - CALM, Event::Calm);
        if self.random.chance(60) {
            self.plan_faults();
        }
        if wrong_clocks {
            for _ in 0..self.random.between(1, 3) {
                let node = self.any_node();
                let offset = self.random.between(0, 600_000) as i64 - 300_000;
                self.at_some_time(Event::SetClock { node, offset });
            }
        }
        for _ in 0..self.random.between(0, 6) {
            let person = self.any_person();
            self.at_some_time(Event::Devices { person });
        }
        if self.random.chance(10) {
            let person = self.any_person();
            self.at_some_time(Event::Leave { person });
        }
    }

    /// What officer and supervisor do of their own accord.
    fn plan_officer(&mut self, callout: usize, opened: i64) {
        let later = opened + self.random.between(5_000, 1_500_000) as i64;
        let (officer, supervisor) = (self.cases[callout].request.by, self.world.supervisor());
        let (by, action) = match self.random.between(0, 99) {
            0..4 => (officer, Action::Cancel { reason: CancelReason::Mistake }),
            4..7 => {
                let into = self.random.between(0, self.db.callouts.len() as u64 - 1) as usize;
                let into = self.world.request(into, 0, &mut self.random).id;
                (supervisor, Action::Merge { into })
            }
            7..12 => {
                let people = if self.random.chance(50) { vec![self.any_person()] } else { vec![] };
                (supervisor, Action::CallMore { wanted: self.random.between(1, 3) as u8, people })
            }
            22..25 => (supervisor, Action::Bar { person: self.any_person() }),
            12..15 => (supervisor, Action::Accept { eta_minutes: 30 }),
            15..22 => (supervisor, Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 0 }),
            _ => return,
        };
        self.act_after(later, callout, by, action);
    }

    fn plan_faults(&mut self) {
        for _ in 0..self.random.between(1, 4) {
            let node = self.any_node();
            let at = self.fault_time();
            let long = if self.random.chance(50) { 3_000 } else { 90_000 };
            let back = at + self.random.between(200, long) as i64;
            let (fails, comes_back) = match self.random.chance(65) {
                true => (Event::Crash { node }, Event::Start { node }),
                false => (Event::Pause { node }, Event::GoOn { node }),
            };
            self.after(at, fails);
            self.after(back, comes_back);
        }
        for _ in 0..self.random.between(0, 4) {
            self.at_some_time(Event::Weather);
        }
    }

    /// Most of what goes wrong does so at the worst moments: just after an officer's tap, or when a timer is due.
    fn fault_time(&mut self) -> i64 {
        let last = (self.end - CALM - 100_000).max(1).cast_unsigned();
        let kind = self.random.between(0, 3);
        if kind == 0 {
            return self.random.between(0, last) as i64;
        }
        let taps: Vec<_> = self.queue.iter().filter(|p| matches!(p.event, Event::Tap { .. })).map(|p| p.at).collect();
        let some = taps[self.random.between(0, taps.len() as u64 - 1) as usize];
        if kind == 1 {
            return some + self.world.policy.timers.repeat_every_ms.0.cast_signed() + self.random.between(0, 25) as i64;
        }
        some + self.random.between(0, 400) as i64
    }

    fn at_some_time(&mut self, event: Event) {
        let at = self.fault_time();
        self.after(at, event);
    }

    fn any_node(&mut self) -> usize {
        self.random.between(0, self.nodes.len() as u64 - 1) as usize
    }

    fn any_person(&mut self) -> PersonId {
        person(self.random.between(1, self.world.members.len() as u64) as u8)
    }

    pub(crate) fn after(&mut self, milliseconds: i64, event: Event) {
        self.planned += 1;
        self.queue.push(Planned { at: self.now + milliseconds.max(0), number: self.planned, event });
    }

    pub(crate) fn act_after(&mut self, milliseconds: i64, callout: usize, by: Actor, action: Action) {
        self.actions += 1;
        let mut id = [0; 16];
        id[8..].copy_from_slice(&self.actions.to_be_bytes());
        self.after(milliseconds, Event::Act { callout, by, id: ActionId(id), action, again: false });
    }

    /// Keeps the account of the time without any node; to be called around every change.
    pub(crate) fn count_dark(&mut self) {
        if let Some(since) = self.dark_since.take() {
            self.dark += self.now - since;
        }
        if !self.nodes.iter().any(Node::runs) {
            self.dark_since = Some(self.now);
        }
    }

    pub(crate) fn run(mut self) -> Coverage {
        while let Some(Planned { at, event, .. }) = self.queue.pop() {
            if at > self.end {
                break;
            }
            self.now = at;
            if let Some((node, life)) = event.within() {
                if !self.nodes[node].up || self.nodes[node].life != life {
                    continue;
                }
                if self.nodes[node].paused {
                    self.nodes[node].backlog.push(event);
                    continue;
                }
            }
            self.happen(event);
            if self.dark_since.is_none() && !self.nodes.iter().any(Node::runs) {
                self.count_dark();
                self.coverage.count(Happening::Dark);
            }
        }
        self.now = self.end;
        self.check_end();
        self.coverage
    }

    fn happen(&mut self, event: Event) {
        if !matches!(event, Event::Due { .. } | Event::Look { .. } | Event::Sweep { .. }) {
            self.say(|| format!("{event:?}"));
        }
        match event {
            Event::Tap { callout } => self.tap(callout),
            Event::Act { callout, by, id, action, again } => self.somebody_acts(callout, by, id, action, again),
            Event::Arrive { row, labelled } => self.arrive(row, labelled),
            Event::Report { row } => self.report(row),
            Event::Look { node, .. } => {
                // One that an earlier wake-up has made unnecessary finds nothing.
                if self.nodes[node].look.is_some_and(|at| at <= self.now) {
                    self.look(node);
                }
            }
            Event::Sweep { node, .. } => self.sweep(node),
            Event::Step { node, callout, .. } => {
                self.nodes[node].stepping.retain(|held| *held != callout);
                self.step(node, callout, Input::Timer);
            }
            Event::Begin { node, claim, .. } => self.begin(node, claim),
            Event::Hear { node, claim, failed, .. } => self.hear(node, claim, failed),
            Event::Crash { node } => self.crash(node),
            Event::Start { node } => self.start(node),
            Event::Pause { node } => self.pause(node),
            Event::GoOn { node } => self.go_on(node),
            Event::SetClock { node, offset } => self.set_clock(node, offset),
            Event::Weather => self.change_weather(),
            Event::Devices { person } => {
                let member = &mut self.world.members[usize::from(person.0[0]) - 1];
                member.connected = !member.connected;
            }
            Event::Leave { person } => {
                self.coverage.count(Happening::LeftTheTeam);
                self.world.people.retain(|q| q.person != person);
            }
            Event::Calm => {
                for node in 0..self.nodes.len() {
                    self.start(node);
                    self.go_on(node);
                }
                self.moods.fill(Mood::Well);
            }
            Event::Due { callout, due, from, within, since } => self.check_due(callout, due, from, within, since),
        }
    }

    /// Any node that runs.
    fn some_node(&mut self) -> Option<usize> {
        let running: Vec<_> = (0..self.nodes.len()).filter(|n| self.nodes[*n].runs()).collect();
        let last = running.len().checked_sub(1)?;
        Some(running[self.random.between(0, last as u64) as usize])
    }

    fn tap(&mut self, callout: usize) {
        let Some(node) = self.some_node() else { return self.after(1_000, Event::Tap { callout }) };
        self.open(node, callout);
        if self.random.chance(5) {
            self.after(3_000, Event::Tap { callout });
        }
    }

    fn somebody_acts(&mut self, callout: usize, by: Actor, id: ActionId, action: Action, again: bool) {
        let Some(node) = self.some_node() else {
            return self.after(2_000, Event::Act { callout, by, id, action, again });
        };
        if let Some(part) = self.cases[callout].parts.get_mut(&by.person) {
            part.busy = false;
        }
        if !self.act(node, callout, by, id, &action, again) || again {
            return;
        }
        if self.random.chance(5) {
            let later = self.random.between(500, 60_000) as i64;
            self.after(later, Event::Act { callout, by, id, action: action.clone(), again: true });
        }
        if by.host {
            let nature = self.world.member(by.person).nature;
            if let Some((later, next)) = nature.goes_on(&action, &mut self.random) {
                self.act_after(later, callout, by, next);
            }
            if matches!(action, Action::Close { .. }) && self.random.chance(50) {
                let review = Action::Review { reasons: vec![], welfare: Welfare::Well };
                let supervisor = self.world.supervisor();
                self.act_after(30_000, callout, supervisor, review);
            }
        }
    }

    /// The person perceives it; what they do follows from what they are like.
    fn arrive(&mut self, row: usize, labelled: bool) {
        let row = &mut self.db.outbox[row];
        *(if labelled { &mut row.labelled } else { &mut row.plain }) += 1;
        let (callout, person, asks, in_app) = (row.callout, row.person, row.asks, row.channel.contact().is_none());
        if !in_app {
            self.coverage.count(if labelled { Happening::Labelled } else { Happening::Arrived });
        }
        let part = self.cases[callout].parts.entry(person).or_default();
        if !asks || part.busy {
            return;
        }
        part.arrived += 1;
        let nth = part.arrived;
        let nature = self.world.member(person).nature;
        if let Some((later, action)) = nature.answer(nth, &mut self.random) {
            self.cases[callout].parts.entry(person).or_default().busy = true;
            let by = self.world.actor(person);
            self.act_after(later, callout, by, action);
        }
    }

    fn report(&mut self, row: usize) {
        let Some(node) = self.some_node() else { return self.after(5_000, Event::Report { row }) };
        let (page, callout) = (self.db.outbox[row].page, self.db.outbox[row].callout);
        let outcome = PageOutcome::Failed(FailReason::Undelivered);
        self.step(node, callout, Input::Receipts(vec![PageReceipt { page, outcome }]));
    }

    fn set_clock(&mut self, node: usize, offset: i64) {
        self.coverage.count(Happening::ClockStep);
        self.clocks_were_set = true;
        self.interruptions += 1;
        self.nodes[node].offset = offset;
        self.offsets = (self.offsets.0.min(offset), self.offsets.1.max(offset));
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if self.tell {
            println!("{:>9.3} s  {}", self.now as f64 / 1_000.0, what());
        }
    }
}
