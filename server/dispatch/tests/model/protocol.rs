//! The protocol of `server/src/runner` (`timers`, `outbox`, `sender`, `step`), one transition for each transaction and
//! each thing that happens outside of one.

use crate::state::{Claim, Health, Node, Outcome, Row, State, Task, Timer};

/// Of a timer's claim, in ticks.
pub(crate) const LEASE: i8 = 2;
/// Of a page's claim: longer, as it outlasts the request.
const PAGE_LEASE: i8 = 3;
/// From one step of the escalation to the next; longer than a lease, or a step taken twice would look due.
const STEP: i8 = 3;
/// How often a page is tried.
const MAX_TRIES: u8 = 4;
/// Until a page that failed is tried again.
const BACKOFF: i8 = 1;

/// What a node does with claims when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Gives up every claim: right where a database belongs to one process.
    All,
    /// Leaves them to run out.
    Nothing,
    /// As `All`, and forgets that they ever were.
    Forget,
}

/// The protocol as it is, and the faults that can be put into it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    pub(crate) nodes: usize,
    pub(crate) steps: usize,
    pub(crate) crashes: u8,
    pub(crate) pauses: u8,
    /// Requests and answers that get lost.
    pub(crate) faults: u8,
    /// How far nodes' clocks differ at most.
    pub(crate) skew: i8,
    pub(crate) release: Release,
    /// A claim is looked at once more just before the request begins.
    pub(crate) looks_again: bool,
    /// A timer is claimed with a lease; otherwise by deleting it.
    pub(crate) leases_timers: bool,
    /// A page's row waits until its try is settled; otherwise it is settled by the claim.
    pub(crate) settles_after: bool,
    /// A lease that ran out puts the label on.
    pub(crate) labels: bool,
    /// A row that was taken back stays so.
    pub(crate) drop_is_final: bool,
    /// State and pages are written in the same transaction.
    pub(crate) atomic: bool,
    /// Whoever stands down has what waits for them taken back.
    pub(crate) drops: bool,
    /// The engine looks whether a timer is really due.
    pub(crate) checks_due: bool,
}

impl Protocol {
    /// As it is implemented.
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            steps: 2,
            crashes: 1,
            pauses: u8::from(nodes > 1),
            faults: 1,
            skew: 0,
            release: if nodes == 1 { Release::All } else { Release::Nothing },
            looks_again: true,
            leases_timers: true,
            settles_after: true,
            labels: true,
            drop_is_final: true,
            atomic: true,
            drops: true,
            checks_due: true,
        }
    }
}

/// What can happen next; nodes by their place in the state's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    ClaimTimer(usize),
    ClaimPages(usize),
    Commit(usize, Task),
    Begin(usize, Claim),
    /// The request under way ends; whether it arrived, and what the node hears.
    Answer {
        node: usize,
        claim: Claim,
        arrives: bool,
        outcome: Outcome,
    },
    Settle(usize, Claim, Outcome),
    /// Somebody accepts.
    Accept,
    Crash(usize),
    Restart(usize),
    Pause(usize),
    Continue(usize),
    /// Time passes.
    Tick,
}

impl Protocol {
    /// A callout was opened and committed by one node: one page is ordered, one timer runs.
    pub(crate) fn start(&self, skews: &[i8]) -> State {
        let node = |skew: &i8| Node { health: Health::Up, skew: *skew, tasks: vec![] };
        let now = skews[0];
        let mut state = State {
            now: 0,
            stage: 0,
            wake: Some(now),
            updated: now,
            timer: None,
            rows: vec![None; self.steps],
            nodes: skews.iter().map(node).collect(),
            answered: false,
            crashes: 0,
            pauses: 0,
            faults: 0,
            overdue: 0,
            interrupted: 0,
            sent_too_late: false,
            too_early: false,
        };
        if let Some(page) = self.engine(&mut state, now) {
            order(&mut state, page, now);
        }
        state.nodes.sort();
        state
    }

    /// What the nodes do without being asked: nothing of it may wait while time passes.
    pub(crate) fn urgent(&self, s: &State, actions: &mut Vec<Action>) {
        for (n, node) in s.nodes.iter().enumerate().filter(|(_, node)| node.runs()) {
            let now = s.clock(n);
            let free = |lease: Option<i8>| lease.is_none_or(|until| until <= now);
            if !node.tasks.contains(&Task::Tick) && s.timer.is_some_and(|t| t.due <= now && free(t.lease)) {
                actions.push(Action::ClaimTimer(n));
            }
            if s.rows.iter().flatten().any(|row| row.next_at.is_some_and(|at| at <= now) && free(row.lease)) {
                actions.push(Action::ClaimPages(n));
            }
            for task in &node.tasks {
                match *task {
                    Task::Tick | Task::Order { .. } => actions.push(Action::Commit(n, *task)),
                    Task::Send(claim) => actions.push(Action::Begin(n, claim)),
                    Task::Settle(claim, outcome) => actions.push(Action::Settle(n, claim, outcome)),
                    Task::Sending(claim) => {
                        actions.push(Action::Answer { node: n, claim, arrives: true, outcome: Outcome::Taken });
                    }
                }
            }
        }
    }

    /// What goes wrong, what people do, and time.
    pub(crate) fn rest(&self, s: &State, idle: bool, actions: &mut Vec<Action>) {
        for (n, node) in s.nodes.iter().enumerate() {
            let holds = !node.tasks.is_empty();
            match node.health {
                Health::Up => {
                    if s.faults < self.faults {
                        for task in &node.tasks {
                            let Task::Sending(claim) = *task else { continue };
                            // Refused; lost on the way there; lost on the way back.
                            for (arrives, uncertain) in [(false, false), (false, true), (true, true)] {
                                let outcome = Outcome::Failed { uncertain };
                                actions.push(Action::Answer { node: n, claim, arrives, outcome });
                            }
                        }
                    }
                    if s.crashes < self.crashes {
                        actions.push(Action::Crash(n));
                    }
                    // One that holds nothing has nothing to miss.
                    if holds && s.pauses < self.pauses {
                        actions.push(Action::Pause(n));
                    }
                }
                Health::Paused => actions.push(Action::Continue(n)),
                Health::Down => actions.push(Action::Restart(n)),
            }
        }
        if !s.answered {
            actions.push(Action::Accept);
        }
        if idle && self.waits_for_time(s) {
            actions.push(Action::Tick);
        }
    }

    /// While no node runs, time passes only until every lease has run out: nothing would be different later.
    fn waits_for_time(&self, s: &State) -> bool {
        let rows = s.rows.iter().flatten().filter_map(|row| Some((row.next_at?, row.lease)));
        let mut waiting = rows.chain(s.timer.map(|timer| (timer.due, timer.lease)));
        let some_node_runs = s.nodes.iter().any(Node::runs);
        waiting.any(|(due, lease)| some_node_runs || due.max(lease.unwrap_or(due)) + self.skew > s.now)
    }

    pub(crate) fn apply(&self, before: &State, action: Action) -> State {
        let mut s = before.clone();
        match action {
            Action::ClaimTimer(n) => {
                let until = s.clock(n) + LEASE;
                s.timer = s.timer.filter(|_| self.leases_timers).map(|t| Timer { lease: Some(until), ..t });
                s.nodes[n].tasks.push(Task::Tick);
            }
            Action::ClaimPages(n) => self.claim_pages(&mut s, n),
            Action::Commit(n, task) => self.commit(&mut s, n, task),
            Action::Begin(n, claim) => self.begin(&mut s, n, claim),
            Action::Answer { node, claim, arrives, outcome } => {
                s.nodes[node].remove(Task::Sending(claim));
                s.nodes[node].tasks.push(Task::Settle(claim, outcome));
                if let Some(row) = &mut s.rows[claim.page] {
                    if arrives {
                        *(if claim.labelled { &mut row.labelled } else { &mut row.plain }) += 1;
                    }
                    if outcome != Outcome::Taken {
                        s.faults += 1;
                        row.interrupted += u8::from(outcome == Outcome::Failed { uncertain: true });
                    }
                }
            }
            Action::Settle(n, claim, outcome) => self.settle(&mut s, n, claim, outcome),
            Action::Accept => {
                s.answered = true;
                (s.wake, s.timer) = (None, None);
                for row in s.rows.iter_mut().flatten().filter(|_| self.drops) {
                    (row.next_at, row.lease, row.stood_down) = (None, None, true);
                }
                s.rows.iter_mut().flatten().for_each(|row| row.stood_down = true);
            }
            Action::Crash(n) => {
                s.crashes += 1;
                interrupt(&mut s, n);
                s.nodes[n].health = Health::Down;
                s.nodes[n].tasks.clear();
            }
            Action::Pause(n) => {
                s.pauses += 1;
                interrupt(&mut s, n);
                s.nodes[n].health = Health::Paused;
            }
            Action::Continue(n) => s.nodes[n].health = Health::Up,
            Action::Restart(n) => {
                s.nodes[n].health = Health::Up;
                self.release(&mut s, n);
            }
            Action::Tick => {
                s.overdue += i8::from(s.wake.is_some_and(|due| due <= s.now) && s.nodes.iter().any(Node::runs));
                s.now += 1;
            }
        }
        s.nodes.iter_mut().for_each(|node| node.tasks.sort());
        s.nodes.sort();
        s
    }

    /// One step of the engine: the page that it orders, if the next step is due.
    fn engine(&self, s: &mut State, now: i8) -> Option<usize> {
        let now = now.max(s.updated);
        let due = s.wake.filter(|at| *at <= now || !self.checks_due)?;
        if s.stage == self.steps {
            return None;
        }
        s.updated = now;
        s.overdue = 0;
        s.too_early |= due > now;
        s.stage += 1;
        // The last step is as far as the model looks.
        s.wake = (s.stage < self.steps).then_some(due + STEP);
        // Whatever is due is replaced, and nobody's lease counts any more.
        s.timer = s.wake.map(|due| Timer { due, lease: None });
        Some(s.stage - 1)
    }

    /// `claim_pages`: all that is due, with a lease; a lease that is there has run out.
    fn claim_pages(&self, s: &mut State, n: usize) {
        let now = s.clock(n);
        for page in 0..s.rows.len() {
            let Some(row) = &mut s.rows[page] else { continue };
            let due = row.next_at.is_some_and(|at| at <= now) && row.lease.is_none_or(|until| until <= now);
            if !due {
                continue;
            }
            row.uncertain |= self.labels && row.lease.is_some();
            row.tries += 1;
            row.lease = Some(now + PAGE_LEASE);
            if !self.settles_after {
                (row.next_at, row.lease) = (None, None);
            }
            let claim = Claim { page, tries: row.tries, labelled: row.uncertain };
            s.nodes[n].tasks.push(Task::Send(claim));
        }
    }

    /// `step_callout`: the engine's new state, its timer and its pages.
    fn commit(&self, s: &mut State, n: usize, task: Task) {
        s.nodes[n].remove(task);
        let now = s.clock(n);
        if let Task::Order { page } = task {
            return order(s, page, now);
        }
        match self.engine(s, now) {
            Some(page) if self.atomic => order(s, page, now),
            Some(page) => s.nodes[n].tasks.push(Task::Order { page }),
            // `set_timer` writes the row even if nothing was due.
            None => s.timer = s.wake.map(|due| Timer { due, lease: None }),
        }
    }

    fn begin(&self, s: &mut State, n: usize, claim: Claim) {
        s.nodes[n].remove(Task::Send(claim));
        let Some(row) = &s.rows[claim.page] else { return };
        let still_held = row.next_at.is_some() && row.tries == claim.tries;
        if still_held || !self.looks_again || !self.settles_after {
            s.sent_too_late |= row.stood_down;
            s.nodes[n].tasks.push(Task::Sending(claim));
        }
    }

    /// `settle_page`.
    fn settle(&self, s: &mut State, n: usize, claim: Claim, outcome: Outcome) {
        s.nodes[n].remove(Task::Settle(claim, outcome));
        let now = s.clock(n);
        let Some(row) = &mut s.rows[claim.page] else { return };
        let waits = row.next_at.is_some() || !self.drop_is_final;
        if !waits || row.tries != claim.tries {
            return;
        }
        row.lease = None;
        match outcome {
            Outcome::Failed { uncertain } if claim.tries < MAX_TRIES => {
                row.next_at = Some(now + BACKOFF);
                row.uncertain |= uncertain;
            }
            Outcome::Failed { .. } => (row.next_at, row.given_up) = (None, true),
            Outcome::Taken => row.next_at = None,
        }
    }

    /// `release_timers`, `release_pages`.
    fn release(&self, s: &mut State, n: usize) {
        let now = s.clock(n);
        let until = match self.release {
            Release::Nothing => return,
            Release::All => Some(now),
            Release::Forget => None,
        };
        if let Some(timer) = &mut s.timer {
            timer.lease = None;
        }
        for row in s.rows.iter_mut().flatten().filter(|row| row.lease.is_some_and(|until| until > now)) {
            row.lease = until;
        }
    }
}

/// `order_page`: the same page again is the same row.
fn order(s: &mut State, page: usize, now: i8) {
    s.rows[page].get_or_insert(Row { next_at: Some(now), ..Row::default() });
}

fn interrupt(s: &mut State, n: usize) {
    for task in s.nodes[n].tasks.clone() {
        match task.page().and_then(|page| s.rows[page].as_mut()) {
            Some(row) => row.interrupted += 1,
            None => s.interrupted += 1,
        }
    }
}
