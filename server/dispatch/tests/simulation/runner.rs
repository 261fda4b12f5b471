//! `server/src/runner` once more: one step of the engine in one transaction, with all that follows from it; nodes that
//! claim, send and settle, and lose what they hold when they crash.

use crate::{
    coverage::Happening,
    night::{Event, Night},
    providers::Mood,
    tables::{Claim, Row, Timer},
};
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, policy::Channel, *};
use sha2::{Digest, Sha256};

/// Whoever gets what is for nobody of the host's.
const OUTSIDE: PersonId = PersonId([0; 16]);

/// One process.
#[derive(Default)]
pub(crate) struct Node {
    pub(crate) up: bool,
    pub(crate) paused: bool,
    /// Counts its lives: what an earlier one had begun is gone.
    pub(crate) life: u32,
    /// How far its clock is ahead.
    pub(crate) offset: i64,
    /// When it looks at the tables next.
    pub(crate) look: Option<i64>,
    /// What happens to it when it goes on.
    pub(crate) backlog: Vec<Event>,
    /// Claims that it has not settled.
    pub(crate) sending: Vec<Claim>,
    pub(crate) stepping: Vec<usize>,
}

impl Node {
    pub(crate) fn runs(&self) -> bool {
        self.up && !self.paused
    }
}

impl Night {
    pub(crate) fn clock(&self, node: usize) -> i64 {
        self.now + self.nodes[node].offset
    }

    pub(crate) fn moment(&self, clock: i64) -> Timestamp {
        Timestamp(self.world.start.0 + clock)
    }

    /// Opens a callout; the same request again is answered as it stands now.
    pub(crate) fn open(&mut self, node: usize, c: usize) {
        let now = self.moment(self.clock(node));
        let request = self.cases[c].request.clone();
        if let Some(existing) = &self.db.callouts[c] {
            assert!(existing.is_retried_by(&request));
            return self.coverage.count(Happening::OpenedTwice);
        }
        self.world.read_for(now);
        self.world.recent = self.recent();
        let opened = open(request, &self.world.context(), now).unwrap();
        self.begin_case(c);
        self.follow(node, c, None, opened);
    }

    /// Does what a person asks for; whether it was possible.
    pub(crate) fn act(&mut self, node: usize, c: usize, by: Actor, id: ActionId, action: &Action, again: bool) -> bool {
        let Some(before) = self.db.callouts[c].clone() else { return false };
        let now = self.moment(self.clock(node));
        self.world.read_for(now);
        self.world.recent = self.recent();
        let ctx = self.world.context();
        let known = view(&before, by, &ctx).is_some();
        let stepped = step(&before, Input::Act { by, id, action: action.clone() }, &ctx, now);
        let Some(stepped) = stepped.ok().filter(|_| known) else {
            assert!(!again, "what was done once can be asked for again");
            self.coverage.count(Happening::RefusedAct);
            return false;
        };
        if again {
            assert_eq!(stepped, (before, vec![]), "done once");
            self.coverage.count(Happening::RepeatedAct);
            return true;
        }
        if let Action::CallMore { people, .. } = action {
            self.cases[c].promises.asked_by_name(people);
        }
        if let Action::Bar { person } = action {
            self.cases[c].barred.push(*person);
        }
        let answers = matches!(action, Action::Acknowledge | Action::Accept { .. } | Action::Decline);
        if answers && stepped.0 != before {
            self.take_back(c, by.person);
        }
        self.follow(node, c, Some(before), stepped);
        true
    }

    /// Gives a callout an input of the server's own.
    pub(crate) fn step(&mut self, node: usize, c: usize, input: Input) {
        let before = self.db.callouts[c].clone().unwrap();
        let now = self.moment(self.clock(node));
        self.world.read_for(now);
        let stepped = step(&before, input, &self.world.context(), now).unwrap();
        self.follow(node, c, Some(before), stepped);
    }

    fn follow(&mut self, node: usize, c: usize, before: Option<Callout>, stepped: (Callout, Vec<Effect>)) {
        let (mut after, mut effects) = stepped;
        let now = self.moment(self.clock(node));
        let called: Vec<_> = before.iter().flat_map(Callout::responders).filter(|(_, s)| s.is_called()).collect();
        for (person, _) in called {
            if after.responders().any(|(known, state)| known == person && !state.is_called()) {
                self.take_back(c, person);
            }
        }
        let mut from = before;
        loop {
            self.check(c, from.as_ref(), &after, &effects);
            let receipts = self.carry_out(node, c, &after, effects);
            if receipts.is_empty() {
                break;
            }
            let stepped = step(&after, Input::Receipts(receipts), &self.world.context(), now).unwrap();
            from = Some(std::mem::replace(&mut after, stepped.0));
            effects = stepped.1;
        }
        let due = after.next_wake().map(|at| at.0 - self.world.start.0);
        self.db.timers[c] = due.map(|due| Timer { due, lease: None });
        self.db.callouts[c] = Some(after);
        self.wake_all(node);
    }

    fn take_back(&mut self, c: usize, person: PersonId) {
        for _ in 0..self.db.take_back(c, person) {
            self.coverage.count(Happening::TakenBack);
        }
    }

    /// Carries out a step's effects; answers what became of pages at once.
    fn carry_out(&mut self, node: usize, c: usize, callout: &Callout, effects: Vec<Effect>) -> Vec<PageReceipt> {
        let mut receipts = Vec::new();
        for effect in effects {
            match effect {
                Effect::Page { id, person, channel, .. } => {
                    let waits = channel != Channel::InApp;
                    self.order(node, (id, c, person, channel), true, waits);
                    if !waits {
                        receipts.push(PageReceipt { page: id, outcome: self.page_in_app(c, id, person) });
                    }
                }
                Effect::StandDown { person } => {
                    for channel in self.db.rung(c, person) {
                        let id = stand_down_id(callout, person, channel);
                        self.order(node, (id, c, person, channel), false, true);
                    }
                }
                Effect::Outside { id, .. } => {
                    self.coverage.count(Happening::Outside);
                    self.cases[c].first_out.get_or_insert(self.now);
                    let channel = Channel::Webhook { id: ContactId([254; 16]) };
                    self.order(node, (id, c, OUTSIDE, channel), false, true);
                }
                Effect::TellCaller { id, .. } => {
                    self.coverage.count(Happening::Caller);
                    let channel = Channel::Sms { id: ContactId([255; 16]) };
                    self.order(node, (id, c, OUTSIDE, channel), false, true);
                }
                _ => {}
            }
        }
        receipts
    }

    fn order(&mut self, node: usize, what: (PageId, usize, PersonId, Channel), asks: bool, waits: bool) {
        let (page, callout, person, channel) = what;
        let row = Row {
            page,
            callout,
            person,
            channel,
            asks,
            next_at: waits.then(|| self.clock(node)),
            lease: None,
            tries: 0,
            uncertain: false,
            ordered: self.now,
            plain: 0,
            labelled: 0,
            interrupted: 0,
            interrupted_try: 0,
            taken_back: false,
            settled: !waits,
            holder: node,
        };
        self.db.order(row);
    }

    /// The page lies in the inbox; one that is connected is woken by the commit.
    fn page_in_app(&mut self, c: usize, page: PageId, person: PersonId) -> PageOutcome {
        self.cases[c].first_out.get_or_insert(self.now);
        if !self.world.member(person).connected {
            self.coverage.count(Happening::NotConnected);
            return PageOutcome::Failed(FailReason::NotConnected);
        }
        self.coverage.count(Happening::InApp);
        let row = self.db.by_page[&page];
        self.after(50, Event::Arrive { row, labelled: false });
        PageOutcome::Reached(Receipt::HandedOver)
    }

    fn recent(&self) -> Vec<RecentCallout> {
        let open = self.db.callouts.iter().flatten().filter(|callout| callout.is_open());
        open.map(|callout| RecentCallout {
            id: callout.id(),
            agency: callout.agency(),
            zone: callout.routing().zone.clone(),
            site: None,
            opened_at: callout.opened_at(),
            purpose: callout.purpose(),
        })
        .collect()
    }

    // The loops of one node.

    /// A commit wakes the loops: of the node that made it always, of others if the bus takes it there.
    fn wake_all(&mut self, node: usize) {
        for other in 0..self.nodes.len() {
            if other == node || !self.bus_loses || self.random.chance(70) {
                self.look_within(other, 1);
            }
        }
    }

    pub(crate) fn look_within(&mut self, node: usize, milliseconds: i64) {
        let at = self.now + milliseconds;
        let n = &mut self.nodes[node];
        if n.up && n.look.is_none_or(|known| at < known) {
            n.look = Some(at);
            let life = n.life;
            self.after(milliseconds, Event::Look { node, life });
        }
    }

    /// Claims what is due, and looks again when the next is.
    pub(crate) fn look(&mut self, node: usize) {
        self.nodes[node].look = None;
        let (clock, life) = (self.clock(node), self.nodes[node].life);
        for (callout, again) in self.db.claim_timers(clock) {
            if again {
                self.coverage.count(Happening::TakenOver);
            }
            self.nodes[node].stepping.push(callout);
            let soon = self.random.between(1, 20) as i64;
            self.after(soon, Event::Step { node, life, callout });
        }
        for (claim, before) in self.db.claim_pages(node, clock) {
            if let Some(before) = before {
                self.coverage.count(Happening::TakenOver);
                let row = &mut self.db.outbox[claim.row];
                let held = |c: &Claim| c.row == claim.row && c.tries == claim.tries - 1;
                let interrupted = row.interrupted_try == claim.tries - 1;
                if self.nodes[before].runs() && self.nodes[before].sending.iter().any(held) && !interrupted {
                    assert!(self.clocks_were_set, "only a wrong clock takes a claim away");
                    self.coverage.count(Happening::WrongClocks);
                    row.interrupt(claim.tries - 1);
                }
            }
            self.nodes[node].sending.push(claim);
            let soon = self.random.between(1, 10) as i64;
            self.after(soon, Event::Begin { node, life, claim });
        }
        if let Some(at) = self.db.next_due(Some(clock)) {
            self.look_within(node, at - clock);
        }
    }

    /// Just before the request, the claim is looked at once more.
    pub(crate) fn begin(&mut self, node: usize, claim: Claim) {
        if !self.db.still_held(claim) {
            self.nodes[node].sending.retain(|held| *held != claim);
            return self.coverage.count(Happening::NotBegun);
        }
        let (c, person, asks) = {
            let row = &self.db.outbox[claim.row];
            (row.callout, row.person, row.asks)
        };
        if asks {
            self.cases[c].first_out.get_or_insert(self.now);
            self.check_may_be_called(c, person);
        }
        let contact = self.db.outbox[claim.row].channel.contact().map_or(0, |id| usize::from(id.0[0]));
        let mood = self.moods[contact % self.moods.len()];
        let fate = mood.fate(&mut self.random);
        if let Some(what) = fate.what {
            self.coverage.count(what);
        }
        let (row, life) = (claim.row, self.nodes[node].life);
        if let Some(at) = fate.arrives {
            self.after(at, Event::Arrive { row, labelled: claim.labelled });
        }
        if let Some(at) = fate.undelivered.filter(|_| asks) {
            self.after(at, Event::Report { row });
        }
        self.after(fate.heard, Event::Hear { node, life, claim, failed: fate.failed });
    }

    /// Writes down what became of a page, and tells the engine, in one transaction.
    pub(crate) fn hear(&mut self, node: usize, claim: Claim, failed: Option<(FailReason, bool)>) {
        self.nodes[node].sending.retain(|held| *held != claim);
        let pause = 1_000 << claim.tries.min(5);
        let again = failed.map(|(_, uncertain)| (self.clock(node) + pause, uncertain));
        if failed.is_some_and(|(_, uncertain)| uncertain) {
            self.db.outbox[claim.row].interrupt(claim.tries);
        }
        if !self.db.settle(claim, again) {
            self.coverage.count(Happening::Late);
        }
        let row = &self.db.outbox[claim.row];
        if failed.is_some() && row.settled {
            self.coverage.count(Happening::GivenUp);
        }
        let (page, callout, asks) = (row.page, row.callout, row.asks);
        let outcome = match failed {
            None => PageOutcome::Reached(Receipt::HandedOver),
            Some((reason, _)) => PageOutcome::Failed(reason),
        };
        if asks {
            self.step(node, callout, Input::Receipts(vec![PageReceipt { page, outcome }]));
        } else {
            self.wake_all(node);
        }
    }

    pub(crate) fn sweep(&mut self, node: usize) {
        let clock = self.clock(node);
        if self.db.is_stuck(clock) && self.nodes[node].look.is_none_or(|at| at > self.now + 500) {
            self.coverage.count(Happening::Swept);
            assert!(self.bus_loses || self.clocks_were_set, "the sweeper finds only what a lost wake-up left");
            self.look_within(node, 1);
        }
        let life = self.nodes[node].life;
        self.after(10_000, Event::Sweep { node, life });
    }

    // What goes wrong.

    pub(crate) fn crash(&mut self, node: usize) {
        if !self.nodes[node].up {
            return;
        }
        self.coverage.count(Happening::Crash);
        if !self.nodes[node].stepping.is_empty() {
            self.coverage.count(Happening::CrashedStep);
        }
        if !self.nodes[node].sending.is_empty() {
            self.coverage.count(Happening::CrashedSend);
        }
        self.interrupt(node);
        let n = &mut self.nodes[node];
        (n.up, n.paused, n.look) = (false, false, None);
        n.life += 1;
        n.backlog.clear();
        n.sending.clear();
        n.stepping.clear();
    }

    pub(crate) fn start(&mut self, node: usize) {
        if self.nodes[node].up {
            return;
        }
        self.nodes[node].up = true;
        self.count_dark();
        if self.nodes.len() == 1 {
            let clock = self.clock(node);
            self.db.release(clock);
        }
        let life = self.nodes[node].life;
        self.look_within(node, 1);
        self.after(10_000, Event::Sweep { node, life });
    }

    pub(crate) fn pause(&mut self, node: usize) {
        if self.nodes[node].runs() {
            self.coverage.count(Happening::Pause);
            self.interrupt(node);
            self.nodes[node].paused = true;
        }
    }

    pub(crate) fn go_on(&mut self, node: usize) {
        self.nodes[node].paused = false;
        self.count_dark();
        for event in std::mem::take(&mut self.nodes[node].backlog) {
            self.after(0, event);
        }
    }

    /// Whatever it holds may arrive once more.
    fn interrupt(&mut self, node: usize) {
        self.count_dark();
        self.interruptions += 1;
        for claim in &self.nodes[node].sending {
            self.db.outbox[claim.row].interrupt(claim.tries);
        }
    }

    pub(crate) fn change_weather(&mut self) {
        let healthy = self.healthy;
        let which = self.random.between(0, self.moods.len() as u64 - 1) as usize;
        self.moods[which] = Mood::any(&mut self.random, healthy);
        self.say(|| "a provider's mood changes".into());
    }
}

fn stand_down_id(callout: &Callout, person: PersonId, channel: Channel) -> PageId {
    let mut hash = Sha256::new_with_prefix(b"stand-down");
    let contact = channel.contact().map_or([0; 16], |id| id.0);
    for part in [callout.id().as_bytes(), person.as_bytes(), &contact, &callout.revision().to_be_bytes()] {
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    PageId(id)
}
